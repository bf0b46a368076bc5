import Foundation
import RezMonitorCore
import XCTest

@testable import RezMonitor

/// Start, close, and what goes wrong around them.
final class LifeTests: Monitored {
    private let closed = RezMonitor.Outcome.dropped(reason: "store_unavailable")

    func test_every_call_before_start_and_after_close_does_nothing() async throws {
        for _ in 0..<2 {
            XCTAssertEqual(RezMonitor.logEvent("nothing"), closed)
            XCTAssertEqual(RezMonitor.capture(CocoaError(.fileNoSuchFile)), closed)
            XCTAssertEqual(RezMonitor.captureFatal(.init(type: "A", message: "b")).id, nil)
            let screen = RezMonitor.trackScreenLoad("Home")
            XCTAssertNil(screen.trace)
            XCTAssertEqual(screen.finish(), closed)
            XCTAssertEqual(RezMonitor.trackAPICall(method: "GET", url: "https://a.example").fail(error: "x"), closed)
            XCTAssertEqual(RezMonitor.startSpan("a").startChild("b").finish(), closed)
            RezMonitor.setUser(.init(id: "u"))
            RezMonitor.setConsent(.analytics, .granted)
            RezMonitor.suspendAndWait()
            RezMonitor.resume()
            XCTAssertFalse(RezMonitor.pauseDestination("ga4"))
            let flushed = await RezMonitor.flush(timeout: 1)
            XCTAssertEqual(flushed.error, .notStarted)
            let persisted = await RezMonitor.persist(timeout: 1)
            XCTAssertEqual(persisted, .notStarted)
            XCTAssertEqual(RezMonitor.status().lines, [])
            start()
            await RezMonitor.close(timeout: 1)
            XCTAssertFalse(RezMonitor.isStarted)
        }
    }

    func test_guards_that_outlive_the_engine_end_without_effect() {
        start()
        let (screen, span) = (RezMonitor.trackScreenLoad("Home"), RezMonitor.startSpan("a"))
        RezMonitor.closeAndWait(timeout: 1)
        XCTAssertNil(screen.finish().id)
        XCTAssertNil(span.finish().id)
    }

    func test_a_second_start_keeps_the_first_settings_and_tells_the_logger() {
        start()
        start { $0.app = "another" }
        XCTAssertEqual(log.codes.filter { $0 == "started_twice" }.count, 1)
        XCTAssertNotNil(RezMonitor.logEvent("kept").id)
    }

    func test_eight_threads_that_start_at_once_start_once() {
        let log = log
        let queue = queue
        DispatchQueue.concurrentPerform(iterations: 8) { _ in
            RezMonitor.start { settings in
                settings.release = "shop@1"
                settings.folder = queue
                settings.debug = true
                settings.logger = log.add
            }
        }
        XCTAssertTrue(RezMonitor.isStarted)
        XCTAssertEqual(log.codes.filter { $0 == "started_twice" }.count, 7)
    }

    func test_a_wrong_setting_is_named_and_nothing_is_started() {
        start { $0.sessionBackgroundMs = -5 }
        XCTAssertFalse(RezMonitor.isStarted)
        XCTAssertEqual(log.codes, ["wrong_setting"])
        XCTAssertTrue(log.texts[0].contains("`sessionBackgroundMs` is -5"), log.texts[0])
        start()
        XCTAssertTrue(RezMonitor.isStarted)
    }

    func test_validate_names_the_setting_and_the_destination_that_is_wrong() {
        var settings = RezMonitor.Settings()
        settings.folder = queue
        XCTAssertNoThrow(try settings.validate())
        settings.sampleRates = ["frames": .nan]
        XCTAssertThrowsError(try settings.validate()) { XCTAssertTrue("\($0)".contains("sampleRates"), "\($0)") }
        settings.sampleRates = nil
        settings.destinations = [.sentry(dsn: "no address")]
        XCTAssertThrowsError(try settings.validate()) { error in
            XCTAssertTrue("\(error)".contains("dsn"), "\(error)")
            XCTAssertFalse("\(error)".contains("no address"), "\(error)")
        }
    }

    func test_a_folder_that_cannot_be_used_is_no_error_and_the_status_says_it() {
        start { $0.folder = "/dev/null/rez" }
        XCTAssertTrue(RezMonitor.isStarted)
        XCTAssertNotNil(RezMonitor.logEvent("in memory").id)
        XCTAssertTrue(waitUntil { log.codes.contains("store_unavailable") })
        XCTAssertFalse(RezMonitor.status().lines.isEmpty)
    }

    func test_the_support_code_is_the_end_of_the_session_and_test_mode_is_in_the_status() throws {
        XCTAssertNil(RezMonitor.supportCode)
        start {
            $0.sessions = true
            $0.testMode = true
        }
        let code = RezMonitor.supportCode ?? "none"
        XCTAssertEqual(code.count, 6)
        let json = try JSONSerialization.jsonObject(with: Data(RezMonitor.status().json.utf8))
        let status = try XCTUnwrap(json as? [String: Any])
        XCTAssertEqual(status["support_code"] as? String, code)
        XCTAssertEqual((status["session"] as? String)?.hasSuffix(code), true)
        XCTAssertEqual(status["test_mode"] as? Bool, true)
    }

    func test_a_panic_of_the_core_does_not_reach_the_app() async {
        start()
        testPanic(panics: true)
        XCTAssertEqual(RezMonitor.logEvent("a"), closed)
        XCTAssertEqual(RezMonitor.trackScreenLoad("Home").finish(), closed)
        RezMonitor.setTag("a", "b")
        let flushed = await RezMonitor.flush(timeout: 1)
        XCTAssertFalse(flushed.isComplete)
        testPanic(panics: false)
        XCTAssertNotNil(RezMonitor.logEvent("b").id)
    }
}
