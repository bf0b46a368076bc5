import Foundation

/// Work that the system should let end before it suspends the process.
enum BackgroundActivity {
    /// Runs `body` on another thread. If the system cannot wait any longer, it runs again with `true` and must end soon.
    ///
    /// It needs no UIKit and also works in an app extension.
    static func run(_ reason: String, _ body: @escaping @Sendable (_ isExpired: Bool) -> Void) {
        #if os(iOS)
        ProcessInfo.processInfo.performExpiringActivity(withReason: reason, using: body)
        #else
        DispatchQueue.global(qos: .utility).async { body(false) }
        #endif
    }
}
