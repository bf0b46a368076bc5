import Foundation
internal import RezMonitorCore

/// What the system says about earlier processes, on its way to the engine.
enum ExitReports {
    /// Entered while the system may still report.
    private static let pending = Locked<DispatchGroup?>(nil)

    /// The system is going to report, or not.
    static func expect() {
        pending.with { group in
            guard group == nil else { return }
            group = DispatchGroup()
            group?.enter()
        }
    }

    /// It has reported, or is not going to.
    static func settle() {
        pending.with { group in
            group?.leave()
            group = nil
        }
    }

    /// Tells the engine why processes ended.
    ///
    /// - Returns: whether that is on the disk.
    @discardableResult
    static func tell(_ exits: [ExitReport]) -> Bool {
        Engine.call(or: false) { handle in
            guard RezMonitorCore.reportExits(handle: handle, exits: exits) else { return false }
            return exits.isEmpty || (try? RezMonitorCore.persist(handle: handle, waitMs: 5_000)) != nil
        }
    }

    /// How the run before this one ended, after at most `wait` seconds. If the engine itself knows of no crash, the answer waits for the
    /// report of the system.
    static func lastRun(_ handle: UInt64, wait: TimeInterval) throws -> LastRun? {
        let end = DispatchTime.now() + .milliseconds(Int(clamping: wait.milliseconds))
        let known = try RezMonitorCore.lastRun(handle: handle, waitMs: wait.milliseconds)
        guard let known, known.ended != .crashed, known.ended != .closed, let group = pending.with({ $0 }) else {
            return known
        }
        _ = group.wait(timeout: end)
        // What was known before is not waited for.
        return try RezMonitorCore.lastRun(handle: handle, waitMs: 0)
    }
}
