//! Writes the Kotlin of the library.

fn main() {
    uniffi::uniffi_bindgen_main();
}
