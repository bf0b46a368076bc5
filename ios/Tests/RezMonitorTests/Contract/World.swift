import Foundation
import RezMonitorCore

@testable import RezMonitor

/// The engine of one vector: a new folder, a clock that only the vector moves, ids in sequence.
final class World {
    /// Limit of every wait for the engine. Long enough for a busy machine.
    private static let wait: TimeInterval = 60
    /// Without progress for this long, a route waits for a timer.
    private static let stall: TimeInterval = 2

    private let folder: TemporaryFolder
    private let recorder: Recorder
    private let calls = Calls()
    private let problems = Locked<[String]>([])

    private var queue: String { folder.url.appendingPathComponent("app").path }

    /// Opens an engine with the `config` of the vector and executes its calls.
    init(_ vector: Vector, _ entry: Entry) throws {
        folder = try TemporaryFolder()
        recorder = Recorder(entry.accept)
        testClock(wallMs: 1_795_400_000_000, monoMs: 1_000_000)
        var settings = try Self.settings(vector.json["config"])
        settings.folder = queue
        settings.transport = recorder
        settings.debug = true
        let problems = problems
        settings.logger = { message in if message.level == .error { problems.with { $0.append(message.text) } } }
        RezMonitor.start(settings: settings)
        guard RezMonitor.isStarted else { throw Wrong(problems.with { $0.joined(separator: "; ") }) }
        for (at, call) in vector.json["calls"].list.enumerated() {
            do {
                try calls.make(call)
            } catch {
                throw Wrong("call \(at) \(call.json): \(error)")
            }
        }
        if let error = RezMonitor.persistAndWait(timeout: Self.wait) { throw error }
    }

    /// Closes the engine. What the vector left open ends after that, so that it changes nothing.
    func close() {
        RezMonitor.closeAndWait(timeout: 5)
        testClock(wallMs: nil, monoMs: 0)
    }

    func rows() throws -> Json {
        try Json.read(Data(testRows(folder: queue).utf8))
    }

    /// The requests of the destination.
    func requests(_ entry: Entry, _ vector: Vector) throws -> [Sent] {
        let kept = vector.json["kept"][entry.name].int ?? 0
        guard RezMonitor.addDestinations([entry.make(vector.json["destinations"][entry.name])]) else {
            throw Wrong("the destination was refused: \(problems.with { $0 })")
        }
        try rest(entry, routes: vector.expected(entry.name).members.count, kept: kept)
        // A flush also reports losses without events.
        try flush()
        return try recorder.sent()
    }

    private func flush() throws {
        let handle = Engine.current?.handle ?? 0
        _ = try RezMonitorCore.flush(handle: handle, waitMs: Int64(Self.wait * 1_000))
    }

    /// Waits until only `kept` rows are left.
    private func rest(_ entry: Entry, routes number: Int, kept: Int64) throws {
        let end = Date(timeIntervalSinceNow: Self.wait)
        var last: (waiting: Int64, since: Date) = (0, Date())
        while true {
            let routes = try Routes(RezMonitor.status().json, of: entry.name)
            let isStill = routes.count == number && !routes.inFlight
            if isStill, routes.waiting == kept { return }
            if routes.waiting != last.waiting { last = (routes.waiting, Date()) }
            let stalls = isStill && routes.waiting > kept && Date().timeIntervalSince(last.since) > Self.stall
            if stalls, routes.held {
                // A timer that the route waits for never ends, since the clock stands still.
                try flush()
            }
            if Date() > end { throw Wrong("\(routes.waiting) rows are left instead of \(kept)") }
            Thread.sleep(forTimeInterval: 0.001)
        }
    }

    private static func settings(_ config: Json) throws -> RezMonitor.Settings {
        var settings = RezMonitor.Settings()
        settings.app = "rezapp"
        settings.release = "rezapp@2.4.1+77"
        settings.dist = "77"
        settings.environment = "ci"
        settings.os = "Android 15"
        settings.device = "Pixel 9"
        settings.sessions = false
        settings.consentMonitoring = .granted
        settings.consentAnalytics = .granted
        settings.facts = RezMonitor.Facts()
        settings.hangs = false
        for (name, value) in config.members {
            switch name {
            case "release": settings.release = value.text
            case "dist": settings.dist = value.text
            case "trace_targets": settings.traceTargets = value.texts
            case "environment": settings.environment = value.text
            case "os": settings.os = value.text
            case "device": settings.device = value.text
            case "facts": settings.facts = value.facts
            case "sessions": settings.sessions = value.bool
            case "log_level": settings.logLevel = value.text.flatMap(RezMonitor.Level.init)
            case "mask_user": settings.maskUser = value.bool
            case "recorded_headers": settings.recordedHeaders = value.texts
            case "consent":
                settings.consentMonitoring = value["monitoring"].text.flatMap(RezMonitor.Consent.init) ?? .granted
                settings.consentAnalytics = value["analytics"].text.flatMap(RezMonitor.Consent.init) ?? .granted
            case "sample": settings.sampleRates = value.members.compactMapValues(\.double)
            default: throw Wrong("unknown setting \(name)")
            }
        }
        return settings
    }
}

/// What the status says about the routes of a destination.
private struct Routes {
    private(set) var count = 0
    private(set) var waiting: Int64 = 0
    private(set) var inFlight = false
    private(set) var held = false

    init(_ status: String, of destination: String) throws {
        let status = try JSONSerialization.jsonObject(with: Data(status.utf8)) as? [String: Any]
        for route in status?["routes"] as? [[String: Any]] ?? [] where route["destination"] as? String == destination {
            count += 1
            waiting += (route["waiting"] as? [NSNumber] ?? []).reduce(0) { $0 + $1.int64Value }
            inFlight = inFlight || route["in_flight"] as? Bool == true
            held = held || !(route["held"] is NSNull) && route["held"] != nil
        }
    }
}
