#if canImport(ObjectiveC)
import Foundation

/// Exceptions of Objective-C that nothing catches: the process ends after the handlers.
enum UncaughtExceptions {
    private typealias Handler = @convention(c) (NSException) -> Void

    private enum State {
        case notInstalled
        /// With the handler that was there before.
        case installed(Handler?)
    }

    private static let state = Locked(State.notInstalled)

    /// React Native raises it for an error of JavaScript, which its own layer records.
    private static let ofJavaScript = "RCTFatalException"

    /// Installs the handler, once per process. It stays: another library may have put its own handler over it. Without an engine
    /// it records nothing.
    static func install() {
        let isFirst = state.with { state in
            guard case .notInstalled = state else { return false }
            state = .installed(NSGetUncaughtExceptionHandler())
            return true
        }
        guard isFirst else { return }
        NSSetUncaughtExceptionHandler { exception in
            UncaughtExceptions.record(exception)
            if case .installed(let before?) = UncaughtExceptions.state.with({ $0 }) { before(exception) }
        }
    }

    private static func record(_ exception: NSException) {
        guard let engine = Engine.current, engine.platform.errors,
            !exception.name.rawValue.hasPrefix(ofJavaScript)
        else { return }
        var event = RezMonitor.ErrorEvent(exception)
        event.handled = false
        event.mechanism = "NSSetUncaughtExceptionHandler"
        RezMonitor.captureFatal(event)
    }
}

extension RezMonitor.ErrorEvent {
    /// Makes an error event of an exception of Objective-C, with the stack that it carries.
    public init(_ exception: NSException) {
        self.init(type: exception.name.rawValue, message: exception.reason ?? "")
        language = .cocoa
        frames = Stack.frames(exception.callStackReturnAddresses)
    }
}

extension RezMonitor {
    /// Records an exception of Objective-C that was caught.
    @discardableResult
    public static func captureException(_ exception: NSException) -> Outcome {
        captureError(ErrorEvent(exception))
    }
}
#endif
