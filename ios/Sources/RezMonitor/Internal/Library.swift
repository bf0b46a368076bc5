internal import RezMonitorCore

/// The Rust library that is linked.
enum Library {
    /// Whether it has the calls that the generated file was written for. Without it, no call of the core is made.
    static let matches = libraryMatches()

    static let mismatch =
        "the native library has another version than this package: build and link both from one version; nothing is recorded"
}
