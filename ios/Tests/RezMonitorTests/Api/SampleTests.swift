import Foundation
import XCTest

@testable import RezMonitor

/// The sample, which is the quick start of `ios/README.md`.
final class SampleTests: XCTestCase {
    func test_the_quick_start_of_the_readme_is_the_sample() throws {
        let package = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
        let sample = try String(contentsOf: package.appendingPathComponent("Sample/main.swift"), encoding: .utf8)
        let readme = try String(contentsOf: package.appendingPathComponent("README.md"), encoding: .utf8)
        XCTAssertTrue(readme.contains("```swift\n" + sample + "```"), "copy Sample/main.swift into the README")
    }

    func test_what_the_sample_records_arrives() throws {
        let server = try LoopbackServer { request in
            guard request.method == "POST", let plain = try? Bytes.gunzip(request.body),
                let body = try? Json.read(plain)
            else { return LoopbackServer.Response(body: Data("{}".utf8)) }
            let count = Int64(body["events"].list.count)
            let answer: Json = ["batch_id": body["batch_id"], "accepted": .int(count)]
            return LoopbackServer.Response(
                headers: ["Content-Type": "application/json"], body: Data(answer.json.utf8))
        }
        defer { server.stop() }
        let folder = try TemporaryFolder()
        let sample = Process()
        let output = Pipe()
        sample.executableURL = URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent()
            .appendingPathComponent("Sample")
        sample.arguments = [server.address, folder.url.appendingPathComponent("app").path]
        sample.standardOutput = output
        try sample.run()
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        sample.waitUntilExit()
        XCTAssertEqual(sample.terminationStatus, 0)
        XCTAssertEqual(text, "everything was delivered\n")
        let bodies = try server.requests.filter { $0.method == "POST" }.map { try Json.read(Bytes.gunzip($0.body)) }
        let events = bodies.flatMap { $0["events"].list }
        let kinds = Set(events.compactMap { $0["kind"].text })
        XCTAssertTrue(kinds.isSuperset(of: ["screen_load", "api_call", "error"]), "\(kinds)")
        let error = try XCTUnwrap(events.first { $0["kind"] == "error" }).json
        for part in ["PaymentDeclined", "RZ-1042", "ui.click", "u-42"] { XCTAssertTrue(error.contains(part), error) }
        XCTAssertEqual(server.requests.filter { $0.method == "GET" }.map(\.path), ["/cart?user=42"])
    }
}
