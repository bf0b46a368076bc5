import Foundation
import XCTest

@testable import RezMonitor
@testable import RezMonitorCore

/// The payloads of MetricKit, in the form that Apple documents.
final class CrashDiagnosticsTests: Monitored {
    private static let received = Date(timeIntervalSince1970: 1_795_400_000)

    private static let payload = #"""
        {
          "timeStampBegin": "2026-11-29 10:00:00",
          "timeStampEnd": "2026-11-29 10:00:07",
          "crashDiagnostics": [{
            "version": "1.0.0",
            "diagnosticMetaData": {
              "appBuildVersion": "52", "appVersion": "1.4.0", "regionFormat": "IN", "osVersion": "iPhone OS 18.5 (22F76)",
              "platformArchitecture": "arm64e", "deviceType": "iPhone17,1", "pid": 4711,
              "signal": 11, "exceptionType": 1, "exceptionCode": 0,
              "terminationReason": "Namespace SIGNAL, Code 0xb",
              "virtualMemoryRegionInfo": "0 is not in any region."
            },
            "callStackTree": {"callStackPerThread": true, "callStacks": [
              {"threadAttributed": false, "callStackRootFrames": [{"binaryName": "libsystem", "address": 1}]},
              {"threadAttributed": true, "callStackRootFrames": [{
                "binaryName": "shop", "binaryUUID": "70B89F27-1634-3580-A695-57CDB41D7743", "address": 74565,
                "offsetIntoBinaryTextSegment": 74564, "sampleCount": 1,
                "subFrames": [{"binaryName": "UIKitCore", "offsetIntoBinaryTextSegment": 16, "address": 2}]
              }]}
            ]}
          }],
          "hangDiagnostics": [{"diagnosticMetaData": {"hangDuration": "20 sec"}}]
        }
        """#

    private func reports(_ json: String) -> [ExitReport] {
        CrashDiagnostics.reports(Data(json.utf8), received: Self.received)
    }

    private func text(_ report: ExitReport, _ name: String) -> String? {
        if case .text(let value)? = report.attrs.first(where: { $0.name == name })?.value { value } else { nil }
    }

    func test_a_crash_has_its_process_its_time_its_cause_and_the_stack_that_crashed() throws {
        let all = reports(Self.payload)
        XCTAssertEqual(all.count, 1, "a hang is no crash")
        let crash = try XCTUnwrap(all.first)
        XCTAssertEqual(crash.pid, 4_711)
        XCTAssertEqual(crash.atMs, 1_795_946_407_000)
        XCTAssertEqual(crash.reason, .nativeCrash)
        XCTAssertEqual(crash.description, "EXC_BAD_ACCESS SIGSEGV: Namespace SIGNAL, Code 0xb")
        XCTAssertEqual(text(crash, "region"), "0 is not in any region.")
        XCTAssertEqual(text(crash, "app_version"), "1.4.0")
        XCTAssertEqual(
            text(crash, "stack"), "shop+0x12344 70B89F27-1634-3580-A695-57CDB41D7743\nUIKitCore+0x10")
        XCTAssertEqual(crash.attrs.first { $0.name == "signal" }?.value, .int(value: 11))
    }

    func test_the_watchdog_is_an_app_that_did_not_respond() {
        let json = #"""
            {"crashDiagnostics": [{"diagnosticMetaData": {"signal": 9, "exceptionType": 10,
              "terminationReason": "Namespace FRONTBOARD, Code 0x8BADF00D"}}]}
            """#
        XCTAssertEqual(reports(json).map(\.reason), [.anr])
        XCTAssertEqual(reports(json).first?.atMs, Self.received.wallMilliseconds)
        XCTAssertEqual(reports(json).first?.pid, 0)
    }

    func test_what_is_no_payload_has_no_crash() {
        for json in [
            "", "{", "[]", "null", "5", #"{"crashDiagnostics": 5}"#, #"{"crashDiagnostics": [5, null, [], "x"]}"#,
            "\u{0}",
            #"{"crashDiagnostics": [{"#,
        ] {
            XCTAssertEqual(reports(json), [], json)
        }
    }

    func test_members_of_other_types_are_left_out() throws {
        let json = #"""
            {"timeStampEnd": 5, "crashDiagnostics": [{"diagnosticMetaData": {"signal": "11", "exceptionType": 1e300,
              "exceptionCode": 18446744073709551615, "pid": -1, "terminationReason": {}, "osVersion": null},
              "callStackTree": {"callStacks": [{"callStackRootFrames": [{"offsetIntoBinaryTextSegment": -1}]}]}}]}
            """#
        let crash = try XCTUnwrap(reports(json).first)
        XCTAssertEqual(crash.description, "")
        XCTAssertEqual(crash.pid, 0)
        XCTAssertEqual(crash.atMs, Self.received.wallMilliseconds)
        XCTAssertEqual(crash.attrs.map(\.name), ["stack"])
    }

    func test_a_stack_overflow_and_a_nesting_without_end_keep_the_crash() throws {
        func nested(_ depth: Int) -> String {
            String(repeating: #"{"binaryName": "shop", "subFrames": ["#, count: depth)
                + String(repeating: "]}", count: depth)
        }
        for depth in [300, 20_000] {
            let json = #"""
                {"crashDiagnostics": [{"callStackTree": {"callStacks": [{"callStackRootFrames": [\#(nested(depth))]}]},
                  "diagnosticMetaData": {"signal": 11, "terminationReason": "a \"}]\" in a text \\"}}]}
                """#
            let crash = try XCTUnwrap(reports(json).first)
            XCTAssertEqual(crash.description, #"SIGSEGV: a "}]" in a text \"#)
            XCTAssertEqual(text(crash, "stack")?.split(separator: "\n").count, 64)
        }
    }

    func test_a_crash_that_is_told_is_that_of_the_last_run_and_told_twice_it_is_one() async throws {
        start()
        XCTAssertNil(RezMonitor.crashedLastRunAndWait(timeout: 60), "no run before")
        // The next start must find the folder free: it stores what it is told.
        RezMonitor.closeAndWait(timeout: 60)
        start { $0.uncleanExits = .awaitReport }
        let at = Int64(Date().timeIntervalSince1970 * 1_000)
        let exit = ExitReport(
            pid: UInt32(ProcessInfo.processInfo.processIdentifier), atMs: at, reason: .lowMemory, description: "jetsam",
            attrs: [])
        XCTAssertTrue(ExitReports.tell([exit]))
        XCTAssertTrue(ExitReports.tell([exit]))
        XCTAssertTrue(ExitReports.tell([]))
        let crashed = await RezMonitor.crashedLastRun(timeout: 60)
        let crash = await RezMonitor.lastCrash(timeout: 60)
        XCTAssertEqual(crashed, false)
        XCTAssertNil(crash)
        RezMonitor.closeAndWait(timeout: 0)
        XCTAssertFalse(ExitReports.tell([exit]), "nothing is started")
    }

    func test_a_fatal_error_is_the_last_crash() async throws {
        start { $0.sessions = true }
        RezMonitor.captureFatal(.init(type: "PaymentError", message: "declined"))
        RezMonitor.closeAndWait(timeout: 0)
        start()
        let crash = await RezMonitor.lastCrash(timeout: 60)
        XCTAssertEqual(crash?.type, "PaymentError")
        XCTAssertEqual(crash?.supportCode?.count, 6)
        XCTAssertEqual(RezMonitor.crashedLastRunAndWait(timeout: 60), true)
    }

    func test_the_answer_about_a_run_that_ended_without_a_word_waits_for_the_report_of_the_system() throws {
        let child = try Child(["hold", queue])
        XCTAssertTrue(child.lines(until: "started").contains("started"))
        let pid = child.pid
        child.kill()
        start { $0.uncleanExits = .awaitReport }
        XCTAssertEqual(RezMonitor.crashedLastRunAndWait(timeout: 60), false)
        ExitReports.expect()
        XCTAssertEqual(
            RezMonitor.crashedLastRunAndWait(timeout: 0.1), false, "nothing is known yet, and the wait is over")
        let crash = ExitReport(
            pid: pid, atMs: Date().wallMilliseconds, reason: .nativeCrash, description: "SIGSEGV", attrs: [])
        DispatchQueue.global().asyncAfter(deadline: .now() + 0.1) {
            ExitReports.tell([crash])
            ExitReports.settle()
        }
        XCTAssertEqual(RezMonitor.crashedLastRunAndWait(timeout: 60), true)
        XCTAssertEqual(RezMonitor.lastCrashAndWait(timeout: 60)?.mechanism, "exit_report")
    }

    func test_a_test_crash_needs_the_inspector() {
        XCTAssertEqual(RezMonitor.testCrash(.fault), .notStarted)
        start { $0.inspector = false }
        for kind in RezMonitor.TestCrash.allCases {
            XCTAssertTrue(RezMonitor.testCrash(kind)?.text.contains("`inspector`") == true, kind.rawValue)
        }
        XCTAssertTrue(RezMonitor.Bridge.testCrash("ask").contains("fault"))
    }
}
