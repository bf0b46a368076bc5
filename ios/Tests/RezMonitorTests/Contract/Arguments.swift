import Foundation

@testable import RezMonitor

/// A call is malformed, or its result differs from the expected one.
struct Wrong: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }
}

/// The arguments of a call as the types of the public API.
extension Json {
    func need(_ name: String) throws -> String {
        guard let text = self[name].text else { throw Wrong("\(name): a text") }
        return text
    }

    func level() throws -> RezMonitor.Level {
        guard let word = self["level"].text else { return .info }
        guard let level = RezMonitor.Level(rawValue: word) else { throw Wrong("unknown level \(word)") }
        return level
    }

    var date: Date? { self["at_ms"].int.map(Date.init(milliseconds:)) }
    var language: RezMonitor.Language? { self["language"].text.flatMap(RezMonitor.Language.init) }
    var seconds: TimeInterval { Double(self["duration_us"].int ?? 0) / 1_000_000 }

    var user: RezMonitor.User {
        RezMonitor.User(
            id: self["id"].text, email: self["email"].text, username: self["username"].text,
            extra: self["extra"].members)
    }

    var trace: RezMonitor.TraceContext? {
        guard let trace = self["trace"]["trace_id"].text, let span = self["trace"]["span_id"].text else { return nil }
        return RezMonitor.TraceContext(
            traceId: trace, spanId: span, parent: self["trace"]["parent"].text, sampled: self["trace"]["sampled"].bool)
    }

    var options: RezMonitor.EventOptions {
        var options = RezMonitor.EventOptions(targets: self["targets"].texts, trace: trace, date: date)
        options.context = self["context"].members
        options.tags = self["tags"].members
        options.conditions = self["conditions"].conditions
        if !self["user"].isNull { options.user = self["user"].user }
        return options
    }

    var frames: [RezMonitor.Frame] {
        self["frames"].list.map { frame in
            RezMonitor.Frame(
                function: frame["function"].text ?? "", module: frame["module"].text ?? "",
                file: frame["file"].text ?? "", line: UInt32(frame["line"].int ?? 0),
                column: UInt32(frame["column"].int ?? 0), address: UInt64(frame["address"].int ?? 0),
                inApp: frame["in_app"].bool ?? false, language: frame.language)
        }
    }

    var threads: [RezMonitor.ThreadInfo] {
        self["threads"].list.map { thread in
            RezMonitor.ThreadInfo(
                id: UInt64(thread["id"].int ?? 0), name: thread["name"].text ?? "",
                crashed: thread["crashed"].bool ?? false, isMain: thread["main"].bool ?? false, frames: thread.frames)
        }
    }

    var causes: [RezMonitor.Cause] {
        self["causes"].list.map { cause in
            RezMonitor.Cause(
                type: cause["type"].text ?? "", message: cause["message"].text ?? "", frames: cause.frames,
                parent: UInt32(cause["parent"].int ?? 0), source: cause["source"].text ?? "cause",
                isGroup: cause["group"].bool ?? false)
        }
    }

    func error() throws -> RezMonitor.ErrorEvent {
        var error = RezMonitor.ErrorEvent(type: try need("type"), message: try need("message"))
        error.handled = self["handled"].bool
        error.severity = self["severity"].text.flatMap(RezMonitor.Severity.init)
        error.level = self["level"].text.flatMap(RezMonitor.Level.init)
        error.code = self["code"].text
        error.mechanism = self["mechanism"].text
        error.fingerprint = self["fingerprint"].text.map { [$0] } ?? self["fingerprint"].texts
        error.language = language
        error.stack = self["stack"].text
        error.frames = frames
        error.causes = causes
        error.isGroup = self["group"].bool ?? false
        error.threads = threads
        error.context = self["context"].members
        error.attributes = self["attrs"].members
        error.tags = self["tags"].members
        if !self["user"].isNull { error.user = self["user"].user }
        error.targets = self["targets"].texts
        error.trace = trace
        error.date = date
        error.conditions = self["conditions"].conditions
        return error
    }

    func timing() throws -> RezMonitor.Timing {
        var timing: RezMonitor.Timing
        switch try need("kind") {
        case "screen_load": timing = .screenLoad(try need("name"), duration: seconds)
        case "app_start": timing = .appStart(self["type"].text == "cold" ? .cold : .warm, duration: seconds)
        case "api_call": timing = .apiCall(method: try need("method"), url: try need("url"), duration: seconds)
        case "image_load": timing = .imageLoad(url: try need("url"), duration: seconds)
        case "long_task": timing = .longTask(try need("name"), duration: seconds)
        case let other: throw Wrong("\(other) is no timing")
        }
        timing.started = self["started_ms"].int.map(Date.init(milliseconds:))
        timing.ended = date
        timing.initialDisplay = self["initial_us"].int.map { Double($0) / 1_000_000 }
        timing.status = self["status"].int.map(Int.init)
        timing.requestBytes = self["request_bytes"].int
        timing.responseBytes = self["response_bytes"].int
        timing.error = self["error"].text
        timing.endpoint = self["endpoint"].text
        timing.requestHeaders = self["request_headers"].members.compactMapValues(\.text)
        timing.responseHeaders = self["response_headers"].members.compactMapValues(\.text)
        timing.trace = trace
        timing.attributes = self["attrs"].members
        timing.targets = self["targets"].texts
        return timing
    }

    /// A number of bytes. One that the type of Swift cannot hold becomes the largest, which no device has either.
    private var bytes: UInt64? { double.map { UInt64(exactly: $0) ?? .max } }

    /// Conditions as they are in the rows; a member of another type is left out, as in the core.
    var conditions: RezMonitor.Conditions? {
        guard !isNull else { return nil }
        var conditions = RezMonitor.Conditions()
        conditions.freeMemoryBytes = self["free_memory_bytes"].bytes
        conditions.freeStorageBytes = self["free_storage_bytes"].bytes
        conditions.battery = self["battery"].double
        conditions.charging = self["charging"].bool
        conditions.lowPower = self["low_power"].bool
        conditions.orientation = self["orientation"].text.flatMap(RezMonitor.Orientation.init)
        conditions.connection = self["connection"].text.flatMap(RezMonitor.Connection.init)
        conditions.carrierTechnology = self["carrier_technology"].text.flatMap(RezMonitor.CarrierTechnology.init)
        conditions.metered = self["metered"].bool
        conditions.foreground = self["foreground"].bool
        return conditions
    }

    /// Facts as they are in the rows; a member of another type is left out, as in the core.
    var facts: RezMonitor.Facts {
        var facts = RezMonitor.Facts()
        facts.manufacturer = self["manufacturer"].text
        facts.brand = self["brand"].text
        facts.model = self["model"].text
        facts.family = self["family"].text
        facts.architecture = self["architecture"].text
        facts.memoryBytes = self["memory_bytes"].bytes
        facts.storageBytes = self["storage_bytes"].bytes
        facts.screenWidthPx = self["screen_width_px"].int.map(Int.init)
        facts.screenHeightPx = self["screen_height_px"].int.map(Int.init)
        facts.density = self["density"].double
        facts.emulator = self["emulator"].bool
        facts.rooted = self["rooted"].bool
        facts.locale = self["locale"].text
        facts.timeZone = self["time_zone"].text
        facts.osName = self["os_name"].text
        facts.osVersion = self["os_version"].text
        facts.osBuild = self["os_build"].text
        facts.appVersion = self["app_version"].text
        facts.appBuild = self["app_build"].text
        facts.appId = self["app_id"].text
        facts.installSource = self["install_source"].text
        facts.startKind = self["start_kind"].text.flatMap(RezMonitor.Timing.Start.init)
        if let name = self["framework"]["name"].text {
            facts.framework = RezMonitor.Facts.Framework(name: name, version: self["framework"]["version"].text)
        }
        return facts
    }
}

extension Date {
    init(milliseconds: Int64) {
        self.init(timeIntervalSince1970: Double(milliseconds) / 1_000)
    }
}
