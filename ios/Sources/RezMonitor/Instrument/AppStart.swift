import Foundation

#if canImport(Darwin)
import Darwin
#endif

/// The start of the app: from the start of the process to the first time that users see it.
final class AppStart: Sendable {
    /// The one that is recorded once, also if the library is started again.
    static let ofProcess = AppStart()

    private let began: Date?
    private let isOver = Locked(false)

    /// - Parameter began: when the process started.
    init(began: Date? = AppStart.processStart) {
        self.began = began
    }

    /// Users saw the app before it was observed, so when they did is not known.
    func wasMissed() {
        isOver.with { $0 = true }
    }

    /// Records the start, once per process. A longer one than `limit` began in the background.
    func becameVisible(within limit: TimeInterval) {
        let isFirst = isOver.with { over in
            defer { over = true }
            return !over
        }
        guard isFirst, let began, !Self.isPrewarmed else { return }
        let duration = Date().timeIntervalSince(began)
        guard duration > 0, duration <= limit else { return }
        RezMonitor.recordTiming(.appStart(.cold, duration: duration))
    }

    /// The system sets it if it started the process before the user asked for the app.
    private static var isPrewarmed: Bool { ProcessInfo.processInfo.environment["ActivePrewarm"] == "1" }

    static var processStart: Date? {
        #if canImport(Darwin)
        var info = kinfo_proc()
        var size = MemoryLayout<kinfo_proc>.stride
        var name = [CTL_KERN, KERN_PROC, KERN_PROC_PID, getpid()]
        guard sysctl(&name, UInt32(name.count), &info, &size, nil, 0) == 0 else { return nil }
        let start = info.kp_proc.p_un.__p_starttime
        return Date(timeIntervalSince1970: Double(start.tv_sec) + Double(start.tv_usec) / 1_000_000)
        #else
        return nil
        #endif
    }
}
