import Foundation
internal import RezMonitorCore

extension RezMonitor {
    /// Stores the user's decision about a purpose, also for later starts. Denied erases what is stored of the purpose.
    public static func setConsent(_ purpose: Purpose, _ consent: Consent) {
        Engine.change { RezMonitorCore.setConsent(handle: $0, purpose: purpose.core, consent: consent.core) }
    }

    /// Erases everything recorded so far, and makes a new install id.
    public static func forgetUser() {
        Engine.change { RezMonitorCore.forgetUser(handle: $0) }
    }

    /// Waits until everything recorded so far is on the disk, then sends until nothing is left, a request fails or the time
    /// is over. The calling thread does not block.
    ///
    /// - Parameter timeout: seconds that it may take.
    /// - Returns: what was delivered and what is left, for each destination. It never throws; see ``FlushResult/error``.
    @discardableResult
    public static func flush(timeout: TimeInterval = 10) async -> FlushResult {
        await Engine.blocking {
            Engine.call(or: FlushResult(failed: .notStarted)) { handle in
                do {
                    return FlushResult(try RezMonitorCore.flush(handle: handle, waitMs: timeout.milliseconds))
                } catch {
                    return FlushResult(failed: WaitError(error))
                }
            }
        }
    }

    /// Waits until everything recorded so far is on the disk. The calling thread does not block.
    ///
    /// - Parameter timeout: seconds that it may take.
    /// - Returns: `nil` if everything is there, else why not.
    @discardableResult
    public static func persist(timeout: TimeInterval = 5) async -> WaitError? {
        await Engine.blocking { persistAndWait(timeout: timeout) }
    }

    /// The same as ``persist(timeout:)``, for code that cannot wait otherwise: it blocks the thread for up to `timeout`
    /// seconds.
    @discardableResult
    public static func persistAndWait(timeout: TimeInterval = 5) -> WaitError? {
        Engine.call(or: .notStarted) { handle in
            do {
                try RezMonitorCore.persist(handle: handle, waitMs: timeout.milliseconds)
                return nil
            } catch {
                return WaitError(error)
            }
        }
    }

    /// Prepares for the system suspending the process: everything is on the disk, and no file is locked. Recording continues
    /// in memory that survives the process being killed. On iOS the library does so itself in the background.
    ///
    /// - Parameter timeout: seconds that it may take. The calling thread blocks.
    public static func suspendAndWait(timeout: TimeInterval = 5) {
        Engine.change { RezMonitorCore.suspend(handle: $0, waitMs: timeout.milliseconds) }
    }

    /// Continues after ``suspendAndWait(timeout:)``.
    public static func resume() {
        Engine.change { RezMonitorCore.resume(handle: $0) }
    }

    /// The state: what waits, what was sent and dropped, and why. It waits for no disk and no network.
    public static func status() -> Status {
        Engine.call(or: Status(json: "", lines: [])) { handle in
            Status(json: RezMonitorCore.statusJson(handle: handle), lines: RezMonitorCore.statusLines(handle: handle))
        }
    }

    /// The support code of the current session: six characters for the user to read to a tester or to support. It is the end
    /// of the session's id. `nil` without a session.
    public static var supportCode: String? {
        Engine.call(or: nil) { RezMonitorCore.supportCode(handle: $0) }
    }

    /// What became of an event, as JSON in the form of `rezq why --json`.
    ///
    /// - Parameters:
    ///   - id: the id of the event, from ``Outcome/id``.
    ///   - timeout: seconds that it may take. The calling thread does not block.
    /// - Throws: ``WaitError``; ``WaitError/wrongValue(_:)`` if `id` is no id.
    public static func why(_ id: String, timeout: TimeInterval = 5) async throws -> String {
        let answer: Result<String, WaitError> = await Engine.blocking {
            Engine.call(or: .failure(.notStarted)) { handle in
                do {
                    return .success(
                        try RezMonitorCore.whyJson(handle: handle, id: id, waitMs: timeout.milliseconds))
                } catch {
                    return .failure(WaitError(error))
                }
            }
        }
        return try answer.get()
    }

    /// Answers a request of a debug screen: lists events, shows one, sends, marks a moment, lets requests fail.
    ///
    /// Request and answer are JSON objects of `docs/guide/inspect.md`; what is wrong is in the answer. Needs
    /// ``Settings/inspector``.
    ///
    /// - Parameters:
    ///   - request: for example `{"ask": "list"}`.
    ///   - timeout: seconds that it may take. The calling thread does not block.
    public static func inspect(_ request: String, timeout: TimeInterval = 5) async -> String {
        await Engine.blocking { Bridge.inspect(request, wait: timeout) }
    }

    /// From where a destination that is added receives events.
    public enum AddFrom: Sendable {
        /// From the oldest event that is stored.
        case oldest
        /// From now on.
        case now
    }

    /// Adds destinations, or replaces those of their names.
    ///
    /// - Parameters:
    ///   - destinations: the destinations.
    ///   - from: from where they receive events.
    /// - Returns: whether they were accepted. If not, the logger hears which member is wrong.
    @discardableResult
    public static func addDestinations(_ destinations: [Destination], from: AddFrom = .oldest) -> Bool {
        var settings = Settings()
        settings.destinations = destinations
        let (json, from) = (settings.json, from == .now ? RezMonitorCore.AddFrom.now : .oldest)
        return Engine.checked("addDestinations") { handle in
            try RezMonitorCore.addDestinations(handle: handle, settings: json, from: from)
        }
    }

    /// Removes a destination. Its events are kept for 7 days in case it is added again.
    public static func removeDestination(_ name: String) {
        Engine.change { RezMonitorCore.removeDestination(handle: $0, name: name) }
    }

    /// Pauses a destination, also over restarts: what is recorded meanwhile is never sent there.
    ///
    /// - Returns: whether it was accepted: the name is valid, and fewer than 64 others are paused.
    @discardableResult
    public static func pauseDestination(_ name: String) -> Bool {
        Engine.checked("pauseDestination") { try RezMonitorCore.pauseDestination(handle: $0, name: name) }
    }

    /// Ends the pause of a destination.
    ///
    /// - Returns: whether the name is valid.
    @discardableResult
    public static func resumeDestination(_ name: String) -> Bool {
        Engine.checked("resumeDestination") { try RezMonitorCore.resumeDestination(handle: $0, name: name) }
    }
}
