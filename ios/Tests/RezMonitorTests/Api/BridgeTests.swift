import Foundation
import XCTest

@testable import RezMonitor

final class BridgeTests: Monitored {
    private typealias Bridge = RezMonitor.Bridge

    private static let id = "019f0c1e-7c1e-7a53-9b0e-3b6a3f0d9c11"

    private func open(_ more: Members = [:], facts: String = "") throws -> Json {
        let settings: Members = [
            "folder": .string(queue), "app": "shop", "release": "shop@1", "consentMonitoring": "granted",
            "sessions": false, "hangs": false,
        ]
        return try Json.read(Data(Bridge.open(settings: jsonText(settings.replaced(by: more)), facts: facts).utf8))
    }

    private static let error = """
        {"v": 1, "items": [{"kind": "error", "id": "\(id)", "type": "PaymentError", "message": "declined"}]}
        """

    private static func team(_ name: String) -> RezMonitor.AttributeValue {
        .array([["name": .string(name), "kind": "rez", "endpoint": "http://127.0.0.1:9", "key": "S3CRET"]])
    }

    private func destinations() throws -> Set<String> {
        let flushed = try Json.read(Data(Bridge.flush(wait: 60).utf8))
        return Set(flushed["destinations"].list.compactMap { $0["destination"].text })
    }

    func testAnOpenGivesASeedAndASecondOneJoinsAndAddsItsDestinations() throws {
        let first = try open(["destinations": Self.team("one")])
        XCTAssertEqual(first["seed"].text?.count, 32)
        XCTAssertEqual(first["joined"], .bool(false))
        XCTAssertEqual(try open(["destinations": Self.team("two")])["joined"], .bool(true))
        XCTAssertEqual(try destinations(), ["one", "two"])
    }

    func testAnOpenAfterANativeStartUsesOnlyTheDestinations() throws {
        start()
        let joined = try open(["destinations": Self.team("js"), "consentMonitoring": "denied"])
        XCTAssertEqual(joined["joined"], .bool(true))
        XCTAssertTrue(Bridge.recordBatch(Self.error))
        XCTAssertEqual(Bridge.persist(wait: 60), "")
        XCTAssertEqual(try destinations(), ["rez", "js"])
    }

    func testAWrongSettingIsNamedAndOpensNothing() throws {
        XCTAssertTrue(try open(["release": 5])["error"].text?.contains("`release` is 5") == true)
        XCTAssertTrue(try open(["sesions": true])["error"].text?.contains("did you mean `sessions`") == true)
        XCTAssertTrue(try open(facts: "5")["error"].text?.contains("facts: no JSON object") == true)
        for text in ["", "{", "[]", "null"] {
            XCTAssertTrue(Bridge.open(settings: text, facts: "").contains("settings: no JSON object"), text)
        }
        XCTAssertFalse(RezMonitor.isStarted)
    }

    func testWithoutAnEngineEveryCallAnswers() {
        XCTAssertFalse(Bridge.recordBatch(Self.error))
        XCTAssertFalse(Bridge.setConsent("monitoring", "granted"))
        XCTAssertFalse(Bridge.forgetUser())
        XCTAssertFalse(Bridge.newSession())
        XCTAssertFalse(Bridge.clearMetrics())
        XCTAssertEqual(Bridge.status(), "")
        XCTAssertEqual(Bridge.metrics(), "[]")
        XCTAssertEqual(Bridge.traceHeaders("no JSON", url: "x"), "{}")
        for sentence in [
            Bridge.setFacts("{}"), Bridge.setConditions("{}"), Bridge.setRelease("a", dist: ""),
            Bridge.persist(wait: 0), Bridge.removeDestination("x"), Bridge.pauseDestination("x"),
            Bridge.resumeDestination("x"),
            Bridge.addDestinations("{}", from: "now"), Bridge.flush(wait: 0), Bridge.why(Self.id, wait: 0),
            Bridge.inspect("{}", wait: 0), Bridge.lastRun(wait: 0), Bridge.testCrash("fault"),
        ] {
            XCTAssertTrue(sentence.contains("not started"), sentence)
        }
        XCTAssertEqual(Bridge.close(wait: 0), "")
    }

    func testAFatalErrorIsThereAfterTheNextOpen() throws {
        _ = try open()
        XCTAssertNotNil(Bridge.recordFatal(Self.error).id)
        XCTAssertEqual(Bridge.close(wait: 2), "")
        XCTAssertEqual(try open()["joined"], .bool(false))
        XCTAssertEqual(Bridge.persist(wait: 60), "")
        let fate = try Json.read(Data(Bridge.why(Self.id, wait: 60).utf8))
        XCTAssertEqual(fate["row"]["kind"].text, "crash")
    }

    func testCallsOfEveryKindAnswerWithAnEngine() throws {
        let settings: Members = ["traceTargets": ["api.shop.example"], "destinations": Self.team("one")]
        _ = try open(settings, facts: #"{"locale": "en-IN"}"#)
        XCTAssertTrue(Bridge.recordBatch(Self.error))
        XCTAssertEqual(Bridge.setFacts(#"{"locale": "hi-IN", "framework": {"name": "react_native"}}"#), "")
        XCTAssertEqual(Bridge.setFacts("5"), "facts: no JSON object")
        XCTAssertEqual(Bridge.setConditions(#"{"battery": 0.5, "connection": "wifi", "unknown": 1}"#), "")
        XCTAssertEqual(Bridge.setRelease("shop@2", dist: ""), "")
        XCTAssertTrue(Bridge.setRelease("", dist: "").contains("release"))
        XCTAssertTrue(Bridge.setConsent("analytics", "denied"))
        XCTAssertFalse(Bridge.setConsent("marketing", "denied"))
        XCTAssertEqual(Bridge.pauseDestination("one"), "")
        XCTAssertEqual(Bridge.resumeDestination("one"), "")
        XCTAssertTrue(Bridge.addDestinations("{}", from: "later").contains("oldest or now"))
        let trace = #"{"trace_id": "4bf92f3577b34da6a3ce929d0e0e4736", "span_id": "00f067aa0ba902b7"}"#
        XCTAssertTrue(Bridge.traceHeaders(trace, url: "https://api.shop.example/").contains("traceparent"))
        XCTAssertEqual(Bridge.traceHeaders(trace, url: "https://evil.example/"), "{}")
        let flushed = try Json.read(Data(Bridge.flush(wait: 60).utf8))["destinations"].list[0]
        XCTAssertEqual(flushed["left"].int, 1)
        XCTAssertEqual(flushed["held"]["code"].text, "unreachable")
        XCTAssertTrue(Bridge.why("42", wait: 1).contains("error"))
        XCTAssertTrue(Bridge.status().contains("\"lines\":["))
        XCTAssertEqual(Bridge.removeDestination("one"), "")
        XCTAssertTrue(Bridge.forgetUser())
    }

    func testADebugScreenListsEventsAndIsOffWithoutTheSetting() throws {
        _ = try open(["inspector": true])
        XCTAssertTrue(Bridge.recordBatch(Self.error))
        let listed = try Json.read(Data(Bridge.inspect(#"{"ask": "list"}"#, wait: 60).utf8))
        XCTAssertEqual(listed["events"].list.map { $0["id"].text }, [Self.id])
        XCTAssertTrue(Bridge.inspect("no JSON", wait: 1).contains("error"))
        XCTAssertTrue(Bridge.inspect(#"{"tell": "endpoint"}"#, wait: 60).contains("http://127.0.0.1:"))
        XCTAssertEqual(Bridge.close(wait: 2), "")
        _ = try open(["inspector": false])
        XCTAssertTrue(Bridge.inspect(#"{"ask": "list"}"#, wait: 1).contains("`inspector`"))
    }

    func testADeveloperReadsTheLogOnce() throws {
        _ = Bridge.takeLog()
        _ = try open(["debug": true])
        XCTAssertFalse(Bridge.recordBatch("no JSON"))
        XCTAssertEqual(Bridge.persist(wait: 60), "")
        var log = Bridge.takeLog()
        let end = Date().addingTimeInterval(60)
        // A thread of the engine says it.
        while !log.contains("malformed"), Date() < end { log = Bridge.takeLog() }
        XCTAssertTrue(log.contains(#""level":"warning""#), log)
    }
}
