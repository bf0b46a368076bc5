import Foundation
import XCTest

@testable import RezMonitor

/// A test that starts the library in a new folder, and closes it at the end.
class Monitored: XCTestCase {
    private(set) var folder: TemporaryFolder!
    let log = Log()

    /// What the logger heard.
    final class Log: Sendable {
        private let messages = Locked<[RezMonitor.LogMessage]>([])

        var codes: [String] { messages.with { $0.map(\.code) } }
        var texts: [String] { messages.with { $0.map(\.text) } }

        func add(_ message: RezMonitor.LogMessage) {
            messages.with { $0.append(message) }
        }
    }

    override func setUpWithError() throws {
        folder = try TemporaryFolder()
    }

    override func tearDown() {
        RezMonitor.closeAndWait(timeout: 0)
        folder = nil
    }

    var queue: String { folder.url.appendingPathComponent("app").path }

    /// Starts with both purposes granted and `rez` as the only destination.
    func start(_ configure: (inout RezMonitor.Settings) -> Void = { _ in }) {
        RezMonitor.start { settings in
            settings.app = "shop"
            settings.release = "shop@1"
            settings.folder = queue
            settings.consentMonitoring = .granted
            settings.consentAnalytics = .granted
            settings.sessions = false
            settings.hangs = false
            settings.debug = true
            settings.logger = log.add
            settings.destinations = [.rez(endpoint: "https://in.example.com", key: "write-key")]
            configure(&settings)
        }
    }

    /// The events in the bodies of requests to the team's own backend.
    static func events(_ sent: [Sent]) -> [Json] {
        sent.flatMap { ((try? Json.read($0.plain)) ?? .null)["events"].list }
    }
}

/// A host transport of a closure.
struct ClosureTransport: RezMonitor.Transport {
    let body: @Sendable (RezMonitor.TransportRequest, RezMonitor.TransportCall) throws -> Void

    func send(_ request: RezMonitor.TransportRequest, call: RezMonitor.TransportCall) throws {
        try body(request, call)
    }
}
