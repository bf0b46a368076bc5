//! Passes the options to the linker with which a Node.js addon is linked.

fn main() {
    napi_build::setup();
}
