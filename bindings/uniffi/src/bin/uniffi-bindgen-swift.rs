//! Writes the Swift module of the library.

fn main() {
    uniffi::uniffi_bindgen_swift();
}
