import Foundation
import XCTest

@testable import RezMonitor

/// The hook before an event is stored, and the logger.
final class HookTests: Monitored {
    private struct Broken: Error {}

    func test_a_hook_changes_and_drops_events() async throws {
        let recorder = Recorder(Entry.rez.accept)
        start {
            $0.transport = recorder
            $0.beforeSend = { event in
                var event = event
                if event.fields["name"] == "secret" { return nil }
                event.fields["name"] = "changed"
                return event
            }
        }
        RezMonitor.logEvent("secret")
        RezMonitor.logEvent("open")
        let result = await RezMonitor.flush(timeout: 60)
        XCTAssertTrue(result.isComplete)
        let events = Self.events(try recorder.sent())
        XCTAssertEqual(events.count, 1)
        XCTAssertTrue(events[0].json.contains("changed"), events[0].json)
    }

    func test_a_hook_that_throws_drops_events_and_tells_the_logger() {
        start { $0.beforeSend = { _ in throw Broken() } }
        XCTAssertNotNil(RezMonitor.logEvent("dropped").id)
        XCTAssertNil(RezMonitor.persistAndWait(timeout: 60))
        XCTAssertTrue(waitUntil { log.codes.contains("hook_failed") })
    }

    func test_a_hook_that_sleeps_does_not_block_the_caller() {
        let awake = DispatchSemaphore(value: 0)
        start {
            $0.beforeSend = { event in
                awake.wait()
                return event
            }
        }
        let began = Date()
        RezMonitor.logEvent("dropped")
        XCTAssertLessThan(Date().timeIntervalSince(began), 1)
        XCTAssertTrue(waitUntil { log.codes.contains("hook_failed") })
        awake.signal()
    }

    func test_a_hook_and_a_logger_that_record_are_answered() {
        let inside = Locked<[RezMonitor.Outcome]>([])
        let log = log
        start {
            $0.beforeSend = { event in
                inside.with { $0.append(RezMonitor.logEvent("inside")) }
                return event
            }
            $0.logger = { message in
                RezMonitor.logEvent("inside the logger")
                log.add(message)
            }
        }
        RezMonitor.logEvent("outside", options: .init(targets: ["nowhere"]))
        XCTAssertNil(RezMonitor.persistAndWait(timeout: 60))
        XCTAssertEqual(inside.with { $0 }, [.dropped(reason: "reentrant")])
        XCTAssertTrue(waitUntil { log.codes.contains("unknown_target") }, "\(log.codes)")
    }
}
