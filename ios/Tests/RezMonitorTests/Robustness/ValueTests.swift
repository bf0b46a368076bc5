import Foundation
import XCTest

@testable import RezMonitor

/// Values at the edge: text that few apps have, no value, numbers out of range, many threads.
final class ValueTests: Monitored {
    private let recorder = Recorder(Entry.rez.accept)

    private func bodies() async throws -> String {
        let result = await RezMonitor.flush(timeout: 60)
        XCTAssertTrue(result.isComplete, "\(result)")
        return try recorder.sent().map { String(decoding: $0.plain, as: UTF8.self) }.joined()
    }

    func test_unusual_text_arrives_as_it_is() async throws {
        start { $0.transport = recorder }
        let texts = ["👩‍👩‍👧‍👦", "e\u{301}", "ﷺ", "\u{10FFFF}", "नमस्ते", "a\u{202E}b", "日本語"]
        for text in texts {
            XCTAssertNotNil(RezMonitor.logEvent("text", ["value": .string(text), text: 1]).id)
        }
        XCTAssertNotNil(RezMonitor.logEvent("\u{0}\n\t\"\\").id)
        let found = Self.events(
            try await {
                _ = try await bodies(); return try recorder.sent()
            }())
        let all = found.map(\.json).joined()
        for text in ["👩‍👩‍👧‍👦", "e\u{301}", "ﷺ", "नमस्ते", "日本語"] {
            XCTAssertTrue(Data(all.utf8).contains(text), text)
        }
        XCTAssertEqual(found.count, texts.count + 1)
    }

    func test_an_nsstring_with_a_lone_surrogate_is_recorded() {
        start()
        let halves: [unichar] = [0x61, 0xD83D, 0x62]
        let broken = NSString(characters: halves, length: halves.count)
        XCTAssertNotNil(RezMonitor.captureMessage("a: \(broken)", attributes: ["value": .init(any: broken)]).id)
        XCTAssertNil(RezMonitor.persistAndWait(timeout: 60))
    }

    func test_no_value_and_values_of_any_type_are_accepted() async throws {
        start { $0.transport = recorder }
        let any: [String: Any?] = [
            "none": nil, "null": NSNull(), "date": Date(timeIntervalSince1970: 0), "list": [1, "a"],
        ]
        RezMonitor.logEvent("any", any.mapValues(RezMonitor.AttributeValue.init(any:)))
        RezMonitor.logEvent("literals", ["none": nil, "list": [1, nil, [true]], "map": ["a": nil, "b": 1.5]])
        let all = try await bodies()
        XCTAssertTrue(all.contains("1970-01-01T00:00:00.000Z"), all)
        XCTAssertEqual(RezMonitor.AttributeValue(any: true), true)
        XCTAssertEqual(RezMonitor.AttributeValue(any: 1), 1)
        XCTAssertEqual(RezMonitor.AttributeValue(any: 1.0), .double(1))
        XCTAssertEqual(RezMonitor.AttributeValue(any: NSNumber(value: true)), true)
        XCTAssertEqual(RezMonitor.AttributeValue(any: NSNumber(value: 2.5)), 2.5)
        XCTAssertEqual(RezMonitor.AttributeValue(any: UInt64.max), .double(Double(UInt64.max)))
        XCTAssertEqual(RezMonitor.AttributeValue(any: Optional<Int>.none as Any?), nil)
    }

    func test_numbers_out_of_range_end_no_process() {
        start()
        for number in [Double.nan, .infinity, -.infinity, -1, 1e300] {
            RezMonitor.recordTiming(.longTask("a", duration: number))
            RezMonitor.captureHang(duration: number)
            RezMonitor.recordMetric("a", .gauge(number))
            RezMonitor.logRevenue(.init(amount: number))
            var timing = RezMonitor.Timing.screenLoad("a", duration: number)
            timing.started = Date(timeIntervalSince1970: number)
            timing.status = Int.max
            RezMonitor.recordTiming(timing)
        }
        RezMonitor.recordFrames(screen: "a", slow: -1, frozen: .max, total: .min)
        RezMonitor.trackAPICall(method: "GET", url: "").finish(status: -1, responseBytes: .min)
        XCTAssertNil(RezMonitor.persistAndWait(timeout: -1).flatMap { _ in nil as RezMonitor.WaitError? })
        XCTAssertNil(RezMonitor.persistAndWait(timeout: 60))
    }

    func test_eight_threads_lose_and_repeat_nothing() async throws {
        start { $0.transport = recorder }
        let recorded = Locked(0)
        DispatchQueue.concurrentPerform(iterations: 8) { thread in
            for number in 0..<250 {
                RezMonitor.setTag("thread", "\(thread)")
                let outcome = RezMonitor.logEvent("event", ["number": .int(Int64(thread * 1_000 + number))])
                if outcome.id != nil { recorded.with { $0 += 1 } }
            }
        }
        XCTAssertEqual(recorded.with { $0 }, 2_000)
        _ = try await bodies()
        let ids = Self.events(try recorder.sent()).compactMap { $0["id"].text }
        XCTAssertEqual(ids.count, 2_000)
        XCTAssertEqual(Set(ids).count, 2_000)
    }
}
