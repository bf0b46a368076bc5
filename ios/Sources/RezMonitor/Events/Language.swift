internal import RezMonitorCore

extension RezMonitor {
    /// What the frames of a stack were written in.
    public enum Language: String, Sendable, CaseIterable {
        /// JavaScript.
        case javascript
        /// Java, Kotlin.
        case java
        /// C, C++, Rust.
        case native
        /// Swift, Objective-C.
        case cocoa
    }
}

extension RezMonitor.Language {
    var core: RezMonitorCore.Language {
        switch self {
        case .javascript: .javascript
        case .java: .java
        case .native: .native
        case .cocoa: .cocoa
        }
    }
}
