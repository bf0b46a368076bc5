import Foundation
internal import RezMonitorCore

extension RezMonitor {
    /// Whether the run before this one crashed, whatever reported it: an exception, JavaScript, or MetricKit. A run that the system
    /// ended has not crashed. The calling thread does not block.
    ///
    /// - Parameter timeout: seconds that it may take. The queue is read on a thread of the library. After a run that ended without a
    ///   crash and without ``RezMonitor/close(timeout:)``, the answer waits up to 3 s for MetricKit.
    /// - Returns: `nil` if it is not known: there was no run before, nothing is started, or `timeout` was too short.
    public static func crashedLastRun(timeout: TimeInterval = 5) async -> Bool? {
        await Engine.blocking { crashedLastRunAndWait(timeout: timeout) }
    }

    /// The same as ``crashedLastRun(timeout:)``, for code that cannot wait otherwise: it blocks the thread for up to `timeout`
    /// seconds.
    public static func crashedLastRunAndWait(timeout: TimeInterval = 5) -> Bool? {
        lastRun(timeout).map { $0.ended == .crashed }
    }

    /// The crash of the run before this one; `nil` if it has not crashed or that is not known. The event itself is in the queue and is
    /// sent without this call. The calling thread does not block.
    ///
    /// ```swift
    /// if let crash = await RezMonitor.lastCrash() {
    ///     if crash.sinceStartMs ?? .max < 5_000 { startInSafeMode() } else { saySorry(crash.supportCode) }
    /// }
    /// ```
    ///
    /// - Parameter timeout: seconds that it may take, as for ``crashedLastRun(timeout:)``.
    public static func lastCrash(timeout: TimeInterval = 5) async -> LastCrash? {
        await Engine.blocking { lastCrashAndWait(timeout: timeout) }
    }

    /// The same as ``lastCrash(timeout:)``, for code that cannot wait otherwise, such as an app that decides about its safe mode
    /// before it loads anything: it blocks the thread for up to `timeout` seconds.
    public static func lastCrashAndWait(timeout: TimeInterval = 5) -> LastCrash? {
        lastRun(timeout)?.crash.map(LastCrash.init)
    }

    private static func lastRun(_ timeout: TimeInterval) -> LastRun? {
        Engine.call(or: nil) { try? ExitReports.lastRun($0, wait: timeout) }
    }

    /// Ends the process, for a debug screen: the next start shows what becomes of the crash. It is sent to every destination. Needs
    /// ``Settings/inspector``.
    ///
    /// - Returns: why the app goes on. `nil` after ``TestCrash/exception``, which the main thread raises a moment later. The other
    ///   kinds do not return.
    @discardableResult
    public static func testCrash(_ kind: TestCrash) -> WaitError? {
        guard let engine = Engine.current else { return .notStarted }
        do {
            if kind != .exception {
                try RezMonitorCore.testCrash(handle: engine.handle, kind: kind.rawValue)
                return nil
            }
            try RezMonitorCore.checkInspects(handle: engine.handle)
            return raise()
        } catch {
            return WaitError(error)
        }
    }

    private static func raise() -> WaitError? {
        #if canImport(ObjectiveC)
        DispatchQueue.main.async {
            NSException(name: .genericException, reason: "a test crash of REZ Monitor", userInfo: nil).raise()
        }
        return nil
        #else
        return .wrongValue("testCrash: this system has no exceptions of Objective-C: use fault, abort or panic")
        #endif
    }
}
