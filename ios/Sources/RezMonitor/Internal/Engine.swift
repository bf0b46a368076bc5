import Foundation
internal import RezMonitorCore

/// The engine of the process: its handle, and what was set up with it.
final class Engine: Sendable {
    let handle: UInt64
    let platform: PlatformSettings
    let logger: FaceLogger
    let instruments: Instruments

    init(handle: UInt64, platform: PlatformSettings, logger: FaceLogger, instruments: Instruments) {
        self.handle = handle
        self.platform = platform
        self.logger = logger
        self.instruments = instruments
    }

    enum State {
        case none
        /// A thread is inside `start`.
        case starting
        case running(Engine)
    }

    static let state = Locked<State>(.none)

    /// The engine, unless there is none.
    static var current: Engine? {
        state.with { if case .running(let engine) = $0 { engine } else { nil } }
    }

    /// Calls the core with the handle of the engine; `fallback` is the answer without an engine.
    @inline(__always)
    static func call<Answer>(or fallback: @autoclosure () -> Answer, _ body: (UInt64) -> Answer) -> Answer {
        let handle: UInt64? = state.with { if case .running(let engine) = $0 { engine.handle } else { nil } }
        guard let handle else { return fallback() }
        return body(handle)
    }

    @inline(__always)
    static func record(_ body: (UInt64) -> RezMonitorCore.Outcome) -> RezMonitor.Outcome {
        call(or: .closed) { RezMonitor.Outcome(body($0)) }
    }

    @inline(__always)
    static func change(_ body: (UInt64) -> Void) {
        call(or: (), body)
    }

    /// Runs a call that blocks on a thread that may wait.
    static func blocking<Answer: Sendable>(_ body: @escaping @Sendable () -> Answer) async -> Answer {
        await withCheckedContinuation { continuation in
            DispatchQueue.global(qos: .utility).async { continuation.resume(returning: body()) }
        }
    }

    /// Makes a call that the core can refuse because a value is wrong. The logger hears the reason.
    static func checked(_ name: String, _ body: (UInt64) throws -> Void) -> Bool {
        guard let engine = current else { return false }
        do {
            try body(engine.handle)
            return true
        } catch {
            engine.logger.log(.error, "wrong_value", "\(name): \(WaitError(error).text)")
            return false
        }
    }
}
