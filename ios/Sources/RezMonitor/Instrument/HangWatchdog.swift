import Foundation

/// Finds that a thread, usually the main thread, does not respond.
///
/// A thread of its own asks it again and again and measures until it answers. A hang is reported when it is over, with its
/// whole duration; one that ends with the process is not reported.
final class HangWatchdog: @unchecked Sendable {
    private let threshold: TimeInterval
    private let clock: @Sendable () -> UInt64
    private let ask: @Sendable (@escaping @Sendable () -> Void) -> Void
    private let report: @Sendable (TimeInterval) -> Void

    /// Guards what follows, and wakes the thread.
    private let condition = NSCondition()
    private var isRunning = false
    private var isPaused = false
    /// Number of the last question, and of the last one that was answered.
    private var asked = 0
    private var answered = 0
    /// Counts pauses: a hang during which the app left the foreground is none.
    private var pauses = 0

    /// - Parameters:
    ///   - threshold: seconds without a response that are a hang.
    ///   - clock: nanoseconds of a monotonic clock. It can stand still while the process is suspended.
    ///   - ask: runs a closure on the thread that is watched.
    ///   - report: is told the duration of each hang, in seconds.
    init(
        threshold: TimeInterval,
        clock: @escaping @Sendable () -> UInt64 = { DispatchTime.now().uptimeNanoseconds },
        ask: @escaping @Sendable (@escaping @Sendable () -> Void) -> Void,
        report: @escaping @Sendable (TimeInterval) -> Void
    ) {
        self.threshold = threshold
        self.clock = clock
        self.ask = ask
        self.report = report
    }

    static func ofMainThread(after threshold: TimeInterval) -> HangWatchdog {
        HangWatchdog(
            threshold: threshold,
            ask: { answer in DispatchQueue.main.async(execute: answer) },
            report: { duration in RezMonitor.captureHang(duration: duration) }
        )
    }

    func start() {
        change { isRunning = true }
        let thread = Thread { [self] in watch() }
        thread.name = "app.rez.monitor.hangs"
        thread.qualityOfService = .utility
        thread.start()
    }

    func stop() {
        change { isRunning = false }
    }

    func pause() {
        change {
            isPaused = true
            pauses += 1
        }
    }

    func resume() {
        change { isPaused = false }
    }

    private func change(_ body: () -> Void) {
        condition.lock()
        body()
        condition.broadcast()
        condition.unlock()
    }

    private func watch() {
        condition.lock()
        defer { condition.unlock() }
        while isRunning {
            if isPaused {
                condition.wait()
                continue
            }
            if let hang = oneQuestion() {
                condition.unlock()
                report(hang)
                condition.lock()
            }
            condition.unlock()
            Thread.sleep(forTimeInterval: threshold / 2)
            condition.lock()
        }
    }

    /// Asks once. Returns the duration of a hang.
    private func oneQuestion() -> TimeInterval? {
        asked += 1
        let (question, pausesBefore, began) = (asked, pauses, clock())
        condition.unlock()
        ask { self.change { self.answered = max(self.answered, question) } }
        condition.lock()
        let isAnswered = { self.answered >= question }
        while isRunning, !isPaused, !isAnswered() {
            condition.wait()
        }
        let duration = Double(clock() - began) / 1_000_000_000
        return isAnswered() && pauses == pausesBefore && duration >= threshold ? duration : nil
    }
}
