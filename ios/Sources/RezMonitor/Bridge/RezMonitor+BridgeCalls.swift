import Foundation
internal import RezMonitorCore

/// The calls as texts, for a layer in JavaScript. A call that returns a text about its success returns an empty one, or
/// a sentence about what is wrong. Calls with `wait` block the thread for up to that many seconds.
extension RezMonitor.Bridge {
    /// `monitoring` or `analytics`; `granted`, `denied` or `pending`. False: an unknown word, or nothing is started.
    public static func setConsent(_ purpose: String, _ consent: String) -> Bool {
        guard let purpose = RezMonitor.Purpose(rawValue: purpose), let consent = RezMonitor.Consent(rawValue: consent)
        else { return false }
        return done { RezMonitor.setConsent(purpose, consent) }
    }

    /// As ``RezMonitor/forgetUser()``. Whether something is started.
    public static func forgetUser() -> Bool { done { RezMonitor.forgetUser() } }

    /// As ``RezMonitor/startNewSession()``. Whether something is started.
    public static func newSession() -> Bool { done { RezMonitor.startNewSession() } }

    /// Replaces the last known conditions, until the platform has new ones.
    public static func setConditions(_ json: String) -> String {
        guard let members = Members(json: json) else { return "conditions: no JSON object" }
        return answer { RezMonitorCore.setConditions(handle: $0, conditions: RezMonitor.Conditions(members).core) }
    }

    /// Sets the release of later events. An empty `dist` is none.
    public static func setRelease(_ release: String, dist: String) -> String {
        answer { try RezMonitorCore.setRelease(handle: $0, release: release, dist: dist.isEmpty ? nil : dist) }
    }

    /// Adds the `destinations` of settings in JSON. `from`: `oldest` or `now`.
    public static func addDestinations(_ settings: String, from: String) -> String {
        let start: RezMonitorCore.AddFrom
        switch from {
        case "oldest": start = .oldest
        case "now": start = .now
        default: return "addDestinations: `\(from)`: use oldest or now"
        }
        return answer { try RezMonitorCore.addDestinations(handle: $0, settings: settings, from: start) }
    }

    /// As ``RezMonitor/removeDestination(_:)``.
    public static func removeDestination(_ name: String) -> String {
        answer { RezMonitorCore.removeDestination(handle: $0, name: name) }
    }

    /// As ``RezMonitor/pauseDestination(_:)``.
    public static func pauseDestination(_ name: String) -> String {
        answer { try RezMonitorCore.pauseDestination(handle: $0, name: name) }
    }

    /// As ``RezMonitor/resumeDestination(_:)``.
    public static func resumeDestination(_ name: String) -> String {
        answer { try RezMonitorCore.resumeDestination(handle: $0, name: name) }
    }

    /// The trace headers of a request as an object. `trace` is an object of `docs/guide/batch.md`. `{}` for a host that is
    /// no target.
    public static func traceHeaders(_ trace: String, url: String) -> String {
        let members = Members(json: trace) ?? [:]
        let context = RezMonitor.TraceContext(
            traceId: members.text("trace_id") ?? "", spanId: members.text("span_id") ?? "",
            parent: members.text("parent"), sampled: members.flag("sampled"))
        let headers = RezMonitor.traceHeaders(for: context, url: url)
        return jsonText(Dictionary(headers.map { ($0.name, $0.value) }) { _, last in last })
    }

    /// `{"status": <as rezq status --json>, "lines": [<sentence>]}`; empty if nothing is started.
    public static func status() -> String {
        let status = RezMonitor.status()
        return status.json.isEmpty ? "" : "{\"status\":\(status.json),\"lines\":\(jsonText(status.lines))}"
    }

    /// The durations of this run in microseconds: a list of `{"name", "last", "count", "p50", "p95", "p99"}`.
    public static func metrics() -> String {
        let all = Engine.call(or: []) { RezMonitorCore.metrics(handle: $0) }
        return jsonText(
            all.map { one -> Members in
                [
                    "name": .string(one.name), "last": .int(Int64(clamping: one.last)),
                    "count": .int(Int64(clamping: one.count)), "p50": .int(Int64(clamping: one.p50)),
                    "p95": .int(Int64(clamping: one.p95)), "p99": .int(Int64(clamping: one.p99)),
                ]
            })
    }

    /// Clears them. Whether something is started.
    public static func clearMetrics() -> Bool { done { RezMonitor.clearMetrics() } }

    /// What the library had to say to a developer since the last call, at most 100: a list of
    /// `{"level", "code", "text"}`.
    public static func takeLog() -> String {
        jsonText(
            DeveloperLog.take().map {
                ["level": $0.level.rawValue, "code": $0.code, "text": $0.text]
            })
    }

    /// Waits until everything recorded so far is on the disk.
    public static func persist(wait: TimeInterval) -> String {
        answer { try RezMonitorCore.persist(handle: $0, waitMs: wait.milliseconds) }
    }

    /// As ``RezMonitor/flush(timeout:)``: `{"destinations": [{"destination", "delivered", "left", "held", "text"}]}`,
    /// or `{"error": "<sentence>"}`.
    public static func flush(wait: TimeInterval) -> String {
        var all: [Members] = []
        let wrong = answer { handle in
            all = try RezMonitorCore.flush(handle: handle, waitMs: wait.milliseconds).map(described)
        }
        return wrong.isEmpty ? jsonText(["destinations": all]) : failed(wrong)
    }

    private static func described(_ one: Flushed) -> Members {
        var held: RezMonitor.AttributeValue = .null
        if let why = one.held {
            var members: Members = [
                "code": .string(why.code), "why": .string(why.why), "failures": .int(Int64(clamping: why.failures)),
            ]
            members["until_ms"] = why.untilMs.map { .int($0) }
            held = .dictionary(members)
        }
        return [
            "destination": .string(one.destination), "delivered": .int(Int64(clamping: one.delivered)),
            "left": .int(Int64(clamping: one.left)), "held": held,
            "text": .string(one.text),
        ]
    }

    /// What became of an event, as `rezq why --json`, or `{"error": "<sentence>"}`.
    public static func why(_ id: String, wait: TimeInterval) -> String {
        var fate = ""
        let wrong = answer { fate = try RezMonitorCore.whyJson(handle: $0, id: id, waitMs: wait.milliseconds) }
        return wrong.isEmpty ? fate : failed(wrong)
    }

    /// As ``RezMonitor/inspect(_:timeout:)``.
    public static func inspect(_ request: String, wait: TimeInterval) -> String {
        var found = ""
        let wrong = answer {
            found = try RezMonitorCore.inspect(handle: $0, request: request, waitMs: wait.milliseconds)
        }
        return wrong.isEmpty ? found : failed(wrong)
    }

    /// How the run before this one ended: `{"ended": "crashed", "crash": {"id", "type", "mechanism", "at_ms", "since_start_ms",
    /// "support_code"}}`; `null` if there was none, or `{"error": "<sentence>"}`.
    public static func lastRun(wait: TimeInterval) -> String {
        var last: LastRun?
        let wrong = answer { last = try ExitReports.lastRun($0, wait: wait) }
        return wrong.isEmpty ? jsonText(last.map(described)) : failed(wrong)
    }

    private static func described(_ last: LastRun) -> Members {
        var crash: RezMonitor.AttributeValue = .null
        if let of = last.crash.map(RezMonitor.LastCrash.init) {
            var members: Members = ["id": .string(of.id), "type": .string(of.type), "at_ms": .int(of.atMs)]
            members["mechanism"] = of.mechanism.map { .string($0) }
            members["since_start_ms"] = of.sinceStartMs.map { .int($0) }
            members["support_code"] = of.supportCode.map { .string($0) }
            crash = .dictionary(members)
        }
        return ["ended": .string(String(describing: last.ended)), "crash": crash]
    }

    /// As ``RezMonitor/testCrash(_:)``, by the name of the kind.
    public static func testCrash(_ kind: String) -> String {
        guard let known = RezMonitor.TestCrash(rawValue: kind) else {
            return "testCrash: the kind is an unknown word; use exception, fault, abort or panic"
        }
        return RezMonitor.testCrash(known)?.text ?? ""
    }

    /// Ends the session, sends what it can, and closes.
    public static func close(wait: TimeInterval) -> String {
        RezMonitor.closeAndWait(timeout: wait)
        return ""
    }

    static func failed(_ sentence: String) -> String { jsonText(["error": sentence]) }

    static func answer(_ call: (UInt64) throws -> Void) -> String {
        guard let engine = Engine.current else { return WaitError.notStarted.text }
        do {
            try call(engine.handle)
            return ""
        } catch {
            return WaitError(error).text
        }
    }

    private static func done(_ call: () -> Void) -> Bool {
        guard RezMonitor.isStarted else { return false }
        call()
        return true
    }
}
