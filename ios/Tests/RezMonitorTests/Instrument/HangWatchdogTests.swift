import Foundation
import XCTest

@testable import RezMonitor

/// The watchdog on a queue that stands for the main thread.
final class HangWatchdogTests: XCTestCase {
    private let queue = DispatchQueue(label: "watched")
    private let hangs = Locked<[TimeInterval]>([])

    private func watchdog(_ threshold: TimeInterval) -> HangWatchdog {
        let (queue, hangs) = (queue, hangs)
        return HangWatchdog(
            threshold: threshold,
            ask: { answer in queue.async(execute: answer) },
            report: { duration in hangs.with { $0.append(duration) } }
        )
    }

    func test_a_thread_that_does_not_respond_is_reported_once_with_the_whole_duration() {
        let watchdog = watchdog(0.1)
        let (blocked, release) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
        queue.async {
            blocked.signal()
            release.wait()
        }
        blocked.wait()
        watchdog.start()
        Thread.sleep(forTimeInterval: 0.5)
        XCTAssertEqual(hangs.with { $0.count }, 0, "a hang is reported when it is over")
        release.signal()
        XCTAssertTrue(waitUntil { hangs.with { !$0.isEmpty } })
        watchdog.stop()
        XCTAssertGreaterThan(hangs.with { $0[0] }, 0.3)
    }

    func test_a_hang_is_as_long_as_the_monotonic_clock_says() {
        // The first answer takes less than the threshold by that clock, as if the process was suspended meanwhile.
        let (clock, questions) = (Locked<UInt64>(0), Locked<[@Sendable () -> Void]>([]))
        let hangs = hangs
        let watchdog = HangWatchdog(
            threshold: 0.05, clock: { clock.with { $0 } },
            ask: { answer in questions.with { $0.append(answer) } },
            report: { duration in hangs.with { $0.append(duration) } })
        watchdog.start()
        for nanoseconds: UInt64 in [40_000_000, 400_000_000] {
            XCTAssertTrue(waitUntil { questions.with { !$0.isEmpty } })
            clock.with { $0 += nanoseconds }
            questions.with { $0.removeFirst() }()
        }
        XCTAssertTrue(waitUntil { hangs.with { !$0.isEmpty } })
        watchdog.stop()
        XCTAssertEqual(hangs.with { $0 }, [0.4])
    }

    func test_a_hang_during_which_the_app_left_the_foreground_is_none() {
        let watchdog = watchdog(0.1)
        let release = DispatchSemaphore(value: 0)
        queue.async { release.wait() }
        watchdog.start()
        Thread.sleep(forTimeInterval: 0.3)
        watchdog.pause()
        watchdog.resume()
        release.signal()
        // The queue answers again: a question after the pause gets its answer.
        queue.sync {}
        Thread.sleep(forTimeInterval: 0.3)
        watchdog.stop()
        XCTAssertEqual(hangs.with { $0.count }, 0)
    }
}
