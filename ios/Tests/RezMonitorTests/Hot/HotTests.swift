import Foundation
import RezMonitorCore
import XCTest

@testable import RezMonitor

/// A hot record and the generated call record the same row.
final class HotTests: Monitored {
    override func tearDown() {
        super.tearDown()
        testClock(wallMs: nil, monoMs: 0)
    }

    /// The rows of one run, with the clock and the ids of the contract vectors.
    private func rows(_ folder: String, _ record: (UInt64) -> Void) throws -> Json {
        testClock(wallMs: 1_795_400_000_000, monoMs: 1_000_000)
        start {
            $0.folder = folder
            $0.facts = RezMonitor.Facts()
        }
        record(try XCTUnwrap(Engine.current).handle)
        XCTAssertNil(RezMonitor.persistAndWait(timeout: 60))
        defer { RezMonitor.closeAndWait(timeout: 0) }
        return try Json.read(Data(testRows(folder: folder).utf8))
    }

    private func compare(
        _ what: String, byFace: (UInt64) -> Void, generated: (UInt64) -> Void, line: UInt = #line
    ) throws {
        let (one, other) = (try rows(queue + "-face-\(what)", byFace), try rows(queue + "-core-\(what)", generated))
        XCTAssertNil(difference(other["rows"], one["rows"]), what, line: line)
        XCTAssertFalse(one["rows"].list.isEmpty, what, line: line)
    }

    private var attributes: [String: RezMonitor.Attributes] {
        let deep: RezMonitor.AttributeValue = (0..<20).reduce(1) { value, _ in [value] }
        return [
            "none": [:], "one": ["a": nil], "two": ["b": 1, "a": "x"], "twoInOrder": ["a": 1.5, "b": false],
            "five": ["e": [1, "a", nil], "d": ["y": true, "x": -1], "c": "ü", "b": 2.5, "a": 9_007_199_254_740_993],
            "large": ["text": .string(String(repeating: "x", count: 5_000)), "a": 1],
            "many": Dictionary(uniqueKeysWithValues: (0..<300).map { ("name \($0)", .int($0)) }),
            "deep": ["a": deep],
        ]
    }

    func test_an_event_is_the_same_row_by_both_ways() throws {
        for (name, attributes) in attributes {
            try compare(name) { _ in
                RezMonitor.logEvent("event", attributes, options: .init(targets: ["rez"]))
            } generated: { handle in
                let extras = RezMonitor.EventOptions(targets: ["rez"]).core(attributes)
                _ = RezMonitorCore.track(handle: handle, name: "event", extras: extras)
            }
        }
    }

    func test_a_timing_is_the_same_row_by_both_ways() throws {
        var full = RezMonitor.Timing.apiCall(method: "POST", url: "https://a.example/orders/17?b=c", duration: 0.12)
        full.started = Date(milliseconds: 1_795_399_999_000)
        full.status = 503
        full.requestBytes = 312
        full.responseBytes = 20_480
        full.error = "reset"
        full.endpoint = "orders"
        full.requestHeaders = ["X-B": "1", "X-A": "2"]
        full.responseHeaders = ["X-C": "3"]
        full.attributes = ["b": 1, "a": "x"]
        full.targets = ["rez"]
        var half = RezMonitor.Timing.apiCall(method: "GET", url: "https://a.example", duration: .infinity)
        half.requestBytes = -1
        half.status = 70_000
        var screen = RezMonitor.Timing.screenLoad("Home", duration: -1)
        screen.initialDisplay = 0.05
        screen.ended = Date(milliseconds: 1_795_399_999_500)
        var traced = RezMonitor.Timing.longTask("parse", duration: 0.2)
        traced.trace = .init(traceId: "4bf92f3577b34da6a3ce929d0e0e4736", spanId: "00f067aa0ba902b7")
        let all: [RezMonitor.Timing] = [
            full, half, screen, traced, .appStart(.warm, duration: 1), .imageLoad(url: "", duration: 0),
            .longTask("parse", duration: 0.2),
        ]
        for (at, timing) in all.enumerated() {
            try compare("\(at)") { _ in
                RezMonitor.recordTiming(timing)
            } generated: { handle in
                _ = RezMonitorCore.timing(handle: handle, event: timing.core)
            }
        }
    }

    func test_a_breadcrumb_is_the_same_by_both_ways() throws {
        for (at, level) in RezMonitor.Level.allCases.enumerated() {
            let crumb = RezMonitor.Breadcrumb(
                category: "ui", message: "Pay \(at)", type: "user", level: level, data: ["b": 1, "a": [nil]],
                date: Date(milliseconds: 1_795_399_999_000))
            let error = RezMonitor.ErrorEvent(type: "A", message: "b")
            try compare("\(at)") { _ in
                RezMonitor.addBreadcrumb(crumb)
                RezMonitor.captureError(error)
            } generated: { handle in
                RezMonitorCore.breadcrumb(handle: handle, crumb: crumb.core)
                _ = RezMonitorCore.error(handle: handle, event: error.core)
            }
        }
    }
}
