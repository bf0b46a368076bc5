import Foundation
import XCTest

@testable import RezMonitor

/// A host transport that does what it must not do harms neither the app nor the events.
final class TransportTests: Monitored {
    private struct Broken: Error {}

    func test_a_transport_that_throws_loses_no_event() async throws {
        let calls = Locked(0)
        start {
            $0.transport = ClosureTransport { _, _ in
                calls.with { $0 += 1 }
                throw Broken()
            }
        }
        XCTAssertNotNil(RezMonitor.logEvent("kept").id)
        let result = await RezMonitor.flush(timeout: 10)
        XCTAssertEqual(result.destinations.map(\.left), [1])
        XCTAssertGreaterThan(calls.with { $0 }, 0)
    }

    func test_a_transport_that_never_answers_blocks_neither_flush_nor_close() async throws {
        let held = Locked<[RezMonitor.TransportCall]>([])
        start { $0.transport = ClosureTransport { _, call in held.with { $0.append(call) } } }
        RezMonitor.logEvent("kept")
        let began = Date()
        let result = await RezMonitor.flush(timeout: 1)
        XCTAssertFalse(result.isComplete)
        await RezMonitor.close(timeout: 1)
        XCTAssertLessThan(Date().timeIntervalSince(began), 30)
        XCTAssertFalse(held.with { $0.isEmpty })
    }

    func test_an_answer_that_is_nonsense_loses_no_event() async throws {
        start {
            $0.transport = ClosureTransport { _, call in
                call.respond(
                    RezMonitor.TransportResponse(
                        status: 99_999, headers: [RezMonitor.Header(name: "\n", value: "\u{0}")],
                        body: Data(repeating: 0xFF, count: 200_000)))
            }
        }
        RezMonitor.logEvent("kept")
        let result = await RezMonitor.flush(timeout: 10)
        XCTAssertEqual(result.destinations.map(\.left), [1])
    }

    func test_a_second_answer_is_ignored() async throws {
        let recorder = Recorder(Entry.rez.accept)
        start {
            $0.transport = ClosureTransport { request, call in
                try recorder.send(request, call: call)
                call.notSent("nothing was sent")
                call.respond(RezMonitor.TransportResponse(status: 500))
            }
        }
        RezMonitor.logEvent("once")
        let result = await RezMonitor.flush(timeout: 60)
        XCTAssertTrue(result.isComplete, "\(result)")
        XCTAssertEqual(Self.events(try recorder.sent()).count, 1)
    }

    func test_what_a_transport_records_while_it_starts_a_request_is_refused() async throws {
        let outcomes = Locked<[RezMonitor.Outcome]>([])
        let recorder = Recorder(Entry.rez.accept)
        start {
            $0.transport = ClosureTransport { request, call in
                let outcome = RezMonitor.logEvent("inside")
                outcomes.with { $0.append(outcome) }
                try recorder.send(request, call: call)
            }
        }
        RezMonitor.logEvent("outside")
        let result = await RezMonitor.flush(timeout: 60)
        XCTAssertTrue(result.isComplete, "\(result)")
        XCTAssertEqual(Self.events(try recorder.sent()).count, 1)
        let refused = outcomes.with { $0 }
        XCTAssertFalse(refused.isEmpty)
        XCTAssertTrue(refused.allSatisfy { $0 == .dropped(reason: "reentrant") }, "\(refused)")
    }
}
