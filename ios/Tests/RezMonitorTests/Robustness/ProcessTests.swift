import Foundation
import XCTest

@testable import RezMonitor

/// What happens to the process: killed, forked, a second one, another library.
final class ProcessTests: Monitored {
    func test_nothing_that_was_recorded_is_lost_when_the_process_is_killed() async throws {
        let child = try Child(["record", queue, "500"])
        let recorded = child.lines(until: "done").filter { $0.hasPrefix("recorded ") }
        child.kill()
        XCTAssertEqual(recorded.count, 500)
        let recorder = Recorder(Entry.rez.accept)
        start { $0.transport = recorder }
        let result = await RezMonitor.flush(timeout: 60)
        XCTAssertTrue(result.isComplete, "\(result)")
        let bodies = try recorder.sent().map { String(decoding: $0.plain, as: UTF8.self) }.joined()
        for number in 0..<500 {
            XCTAssertTrue(
                bodies.contains("\"number\":\(number)}") || bodies.contains("\"number\":\(number),"), "\(number)")
        }
        XCTAssertEqual(Self.events(try recorder.sent()).filter { $0["kind"] == "analytics" }.count, 500)
    }

    func test_a_second_process_with_the_same_folder_gets_one_of_its_own() throws {
        start()
        XCTAssertNotNil(RezMonitor.logEvent("of the first").id)
        XCTAssertNil(RezMonitor.persistAndWait(timeout: 60))
        let child = try Child(["record", queue, "3"])
        XCTAssertEqual(child.lines(until: "done").filter { $0.hasPrefix("recorded ") }.count, 3)
        XCTAssertTrue(waitUntil { FileManager.default.fileExists(atPath: queue + ".1/queue.db") })
        XCTAssertEqual(child.end(), 0)
    }

    func test_a_fork_of_the_process_records_nothing_and_ends_as_usual() throws {
        typealias Fork = @convention(c) () -> Int32
        let symbol = try XCTUnwrap(dlsym(dlopen(nil, RTLD_NOW), "fork"))
        start()
        XCTAssertNotNil(RezMonitor.logEvent("of the parent").id)
        let process = unsafeBitCast(symbol, to: Fork.self)()
        if process == 0 {
            _exit(RezMonitor.logEvent("of the child") == .dropped(reason: "forked") ? 7 : 8)
        }
        var status: Int32 = 0
        XCTAssertEqual(waitpid(process, &status, 0), process)
        XCTAssertEqual((status >> 8) & 0xFF, 7)
        XCTAssertNotNil(RezMonitor.logEvent("of the parent").id)
        XCTAssertNil(RezMonitor.persistAndWait(timeout: 60))
    }

    func test_a_library_of_another_version_is_named_and_nothing_is_recorded() throws {
        // Replaces one function of the library: the check of a call then has another result.
        let source = folder.url.appendingPathComponent("other.c")
        let other = folder.url.appendingPathComponent("other.so")
        try "unsigned short uniffi_rezmonitor_checksum_func_flush(void) { return 1; }\n".write(
            to: source, atomically: true, encoding: .utf8)
        let compiler = Process()
        compiler.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        compiler.arguments = ["cc", "-shared", "-fPIC", "-o", other.path, source.path]
        try compiler.run()
        compiler.waitUntilExit()
        try XCTSkipUnless(compiler.terminationStatus == 0, "no C compiler")
        let child = try Child(["record", queue, "3"], environment: ["LD_PRELOAD": other.path])
        XCTAssertEqual(child.lines(until: "done"), ["log library_mismatch", "not started", "done"])
        XCTAssertEqual(child.end(), 0)
    }
}
