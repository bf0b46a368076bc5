import Foundation
import XCTest

@testable import RezMonitor

private let said = Locked<[String]>([])

private func startInSafeMode() { said.with { $0.append("safe mode") } }

private func saySorry(_ supportCode: String?) { said.with { $0.append("sorry \(supportCode ?? "")") } }

// Shown in docs/guide/crashes.md.
func lookBack() async {
    guard let crash = await RezMonitor.lastCrash() else { return }
    if crash.sinceStartMs ?? .max < 5_000 { startInSafeMode() } else { saySorry(crash.supportCode) }
}
// Until here.

/// The code of the guide about crashes is this file's, and does what the guide says.
final class GuideTests: Monitored {
    private func part(_ text: String, from begin: String, to end: String) throws -> String {
        let after = try XCTUnwrap(text.range(of: begin)).upperBound
        let rest = text[after...]
        return String(rest[..<(try XCTUnwrap(rest.range(of: end)).lowerBound)])
    }

    func test_the_guide_shows_the_function_that_is_compiled_here() throws {
        let guide = Checkout.root.appendingPathComponent("docs/guide/crashes.md")
        let shown = try part(String(contentsOf: guide, encoding: .utf8), from: "```swift\n", to: "```")
        let source = try String(contentsOf: URL(fileURLWithPath: #filePath), encoding: .utf8)
        XCTAssertEqual(try part(source, from: "crashes.md.\n", to: "// Until here."), shown)
    }

    func test_an_app_that_has_crashed_right_after_its_start_begins_in_safe_mode() async {
        for expected in [[], ["safe mode"]] {
            start()
            await lookBack()
            XCTAssertEqual(said.with { $0 }, expected)
            RezMonitor.captureFatal(.init(type: "PaymentError", message: "declined"))
            RezMonitor.closeAndWait(timeout: 0)
        }
    }
}
