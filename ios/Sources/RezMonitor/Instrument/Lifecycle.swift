/// Whether users see the app.
enum Phase: Sendable {
    case foreground
    case background
}

/// What tells when the app enters the foreground or the background. UIKit has one file for it; a test has its own.
protocol Lifecycle: Sendable {
    /// Calls `changed` for each change, from any thread, until the result is called.
    ///
    /// - Parameters:
    ///   - changed: is told the new phase.
    ///   - isActive: is called at most once, from any thread, if users saw the app before this call.
    func observe(_ changed: @escaping @Sendable (Phase) -> Void, isActive: @escaping @Sendable () -> Void) -> Undo
}
