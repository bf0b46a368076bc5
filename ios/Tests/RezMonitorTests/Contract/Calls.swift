import Foundation
import RezMonitorCore

@testable import RezMonitor

/// Executes the calls of a vector through the public API. `tests/contract/README.md` lists them with their arguments.
final class Calls {
    private var screens: [String: RezMonitor.ScreenLoad] = [:]
    private var calls: [String: RezMonitor.APICall] = [:]
    private var spans: [String: RezMonitor.Span] = [:]
    /// The id of the previous event, for calls that refer to it.
    private var last: String?

    /// What has not ended at the end of the vector, so that it is neither cancelled nor recorded before the rows are compared.
    var open: [AnyObject] { Array(screens.values) + Array(calls.values) + Array(spans.values) }

    func make(_ call: Json) throws {
        let verb = try call.need("do")
        if try noEvent(verb, call) { return }
        let outcome = try event(verb, call)
        switch (outcome, call["refused"].text) {
        case (.recorded(let id), nil): last = id
        case (.dropped(let reason), let expected?) where reason == expected: break
        default: throw Wrong("\(outcome)")
        }
    }

    private func event(_ verb: String, _ call: Json) throws -> RezMonitor.Outcome {
        let attributes = call["attrs"].members
        switch verb {
        case "finish_screen": return try take(&screens, call).finish()
        case "finish_call":
            let ended = try take(&calls, call)
            ended.setRequestBytes(call["request_bytes"].int ?? 0)
            return ended.finish(status: Int(call["status"].int ?? 0), responseBytes: call["bytes"].int ?? 0)
        case "fail_call": return try take(&calls, call).fail(error: call.need("error"))
        case "finish_span": return try take(&spans, call).finish()
        case "record_span": return RezMonitor.recordSpan(try span(call))
        case "fatal":
            switch RezMonitor.captureFatal(try call.error()) {
            case .synced(let id), .inRing(let id): return .recorded(id: id)
            case .dropped(let reason): return .dropped(reason: reason)
            }
        case "error": return RezMonitor.captureError(try call.error())
        case "timing": return RezMonitor.recordTiming(try call.timing())
        case "message":
            let text = try call.need("text")
            return RezMonitor.captureMessage(
                text, level: try call.level(), attributes: attributes, options: call.options)
        case "track": return RezMonitor.logEvent(try call.need("name"), attributes, options: call.options)
        case "screen_view":
            let (name, className) = (try call.need("name"), call["class"].text)
            return RezMonitor.logScreenView(name, className: className, attributes: attributes, options: call.options)
        case "interaction":
            let (action, component) = (try call.need("action"), try call.need("component"))
            return RezMonitor.trackInteraction(
                action, component: component, attributes: attributes, options: call.options)
        case "frames":
            return RezMonitor.recordFrames(
                screen: try call.need("name"), slow: Int(call["slow"].int ?? 0), frozen: Int(call["frozen"].int ?? 0),
                total: Int(call["total"].int ?? 0), attributes: attributes, options: call.options)
        case "hang":
            return RezMonitor.captureHang(
                duration: call.seconds, frames: call.frames, threads: call.threads, language: call.language,
                attributes: attributes, options: call.options)
        case "app_exit":
            let (cause, message) = (try call.need("cause"), call["message"].text ?? "")
            return RezMonitor.captureAppExit(
                cause: cause, message: message, attributes: attributes, options: call.options)
        case "feedback":
            return RezMonitor.captureFeedback(
                try call.need("message"), name: call["name"].text, email: call["email"].text,
                about: call["about"].text == "last" ? last : nil)
        case "revenue":
            return RezMonitor.logRevenue(
                RezMonitor.Revenue(
                    amount: call["amount"].double ?? 0, currency: call["currency"].text ?? "",
                    transactionId: call["transaction_id"].text, items: call["items"].list, attributes: attributes,
                    targets: call["targets"].texts))
        case "people": return try people(call)
        case "start_view":
            return RezMonitor.startView(key: try call.need("key"), name: try call.need("name"), attributes: attributes)
        case "stop_view": return RezMonitor.stopView(key: try call.need("key"))
        case "log":
            return RezMonitor.log(
                RezMonitor.LogEntry(
                    level: try call.level(), text: try call.need("text"), logger: call["logger"].text,
                    attributes: attributes, targets: call["targets"].texts, trace: call.trace, date: call.date))
        case "metric":
            let value = call["value"].double ?? 0
            switch try call.need("type") {
            case "counter": return RezMonitor.recordMetric(try call.need("name"), .counter(value))
            case "gauge": return RezMonitor.recordMetric(try call.need("name"), .gauge(value))
            default: return RezMonitor.recordMetric(try call.need("name"), .distribution(value))
            }
        default: throw Wrong("unknown call \(verb)")
        }
    }

    private func people(_ call: Json) throws -> RezMonitor.Outcome {
        let people = RezMonitor.people
        let name = call["name"].text ?? ""
        switch try call.need("op") {
        case "set": return people.set(name, to: call["value"])
        case "set_once": return people.setOnce(name, to: call["value"])
        case "unset": return people.unset(name)
        case "append": return people.append(call["value"], to: name)
        case "union": return people.union(call["value"].list, with: name)
        case "remove": return people.remove(call["value"], from: name)
        case "increment": return people.increment(name, by: call["by"].double ?? 0)
        case "delete": return people.delete()
        case let other: throw Wrong("unknown operation \(other)")
        }
    }

    private func span(_ call: Json) throws -> RezMonitor.SpanEvent {
        let (name, operation) = (try call.need("name"), try call.need("op"))
        let (started, ended) = (call["started_ms"].int, call["ended_ms"].int)
        var span = RezMonitor.SpanEvent(
            name: name, operation: operation, duration: call.seconds, started: started.map(Date.init(milliseconds:)))
        span.ended = ended.map(Date.init(milliseconds:))
        span.status = call["status"].text.flatMap(RezMonitor.SpanStatus.init) ?? .ok
        span.trace = call.trace
        span.attributes = call["attrs"].members
        span.targets = call["targets"].texts
        return span
    }

    /// Executes a call that records no event. Returns false if the call is not one of them.
    private func noEvent(_ verb: String, _ call: Json) throws -> Bool {
        switch verb {
        case "advance": testAdvance(ms: UInt64(call["ms"].int ?? 0))
        case "breadcrumb":
            RezMonitor.addBreadcrumb(
                RezMonitor.Breadcrumb(
                    category: try call.need("category"), message: try call.need("message"),
                    type: call["type"].text ?? "default", level: try call.level(), data: call["data"].members,
                    date: call.date))
        case "screen": screens[try call.need("as")] = RezMonitor.trackScreenLoad(try call.need("name"))
        case "initial_display": screens[try call.need("of")]?.initialDisplay()
        case "full_display": screens[try call.need("of")]?.fullDisplay()
        case "cancel_screen": try take(&screens, call).cancel()
        case "api_call":
            let (method, url) = (try call.need("method"), try call.need("url"))
            calls[try call.need("as")] = RezMonitor.trackAPICall(method: method, url: url, parent: try parent(call))
        case "span":
            let (name, operation) = (try call.need("name"), try call.need("op"))
            let within = call["in"].text.flatMap { spans[$0] }
            spans[try call.need("as")] =
                try within?.startChild(name, operation: operation)
                ?? RezMonitor.startSpan(name, operation: operation, parent: parent(call))
        case "span_attr": spans[try call.need("of")]?.setAttribute(try call.need("name"), call["value"])
        case "span_status":
            let status = RezMonitor.SpanStatus(rawValue: try call.need("status"))
            guard let status else { throw Wrong("unknown status") }
            spans[try call.need("of")]?.setStatus(status)
        case "drop_span": try take(&spans, call).cancel()
        case "user": RezMonitor.setUser(call["clear"].bool == true ? nil : call.user)
        case "flag": RezMonitor.setFlag(try call.need("name"), call["value"])
        case "tag": RezMonitor.setTag(try call.need("name"), call["value"].text)
        case "context":
            RezMonitor.setContext(try call.need("name"), call["value"].isNull ? nil : call["value"].members)
        case "super":
            RezMonitor.setSuperProperties(
                call["attrs"].members, once: call["once"].bool ?? false, targets: call["targets"].texts)
        case "unset_super": RezMonitor.unsetSuperProperty(try call.need("name"))
        case "clear_super": RezMonitor.clearSuperProperties()
        case "view_timing": RezMonitor.addViewTiming(try call.need("name"))
        case "view_attributes": RezMonitor.addViewAttributes(call["attrs"].members)
        case "pause": try accepted(RezMonitor.pauseDestination(try call.need("name")))
        case "resume": try accepted(RezMonitor.resumeDestination(try call.need("name")))
        case "time_event": RezMonitor.timeEvent(try call.need("name"))
        case "foreground": RezMonitor.setForeground(call["value"].bool ?? false)
        case "new_session": RezMonitor.startNewSession()
        case "consent":
            guard let purpose = RezMonitor.Purpose(rawValue: try call.need("purpose")),
                let state = RezMonitor.Consent(rawValue: try call.need("state"))
            else { throw Wrong("unknown consent") }
            RezMonitor.setConsent(purpose, state)
        case "forget_user": RezMonitor.forgetUser()
        case "facts": try accepted(RezMonitor.setFacts(call["facts"].facts))
        case "set_release":
            try accepted(RezMonitor.setRelease(try call.need("release"), dist: call["dist"].text))
        case "conditions": RezMonitor.setConditions(call["conditions"].conditions ?? RezMonitor.Conditions())
        default: return false
        }
        return true
    }

    private func accepted(_ isAccepted: Bool) throws {
        if !isAccepted { throw Wrong("refused") }
    }

    private func take<Guard>(_ guards: inout [String: Guard], _ call: Json) throws -> Guard {
        guard let taken = guards.removeValue(forKey: try call.need("of")) else { throw Wrong("unknown name") }
        return taken
    }

    /// The span named by `in`, or the server's that `traceparent` names.
    private func parent(_ call: Json) throws -> RezMonitor.TraceContext? {
        if let header = call["traceparent"].text {
            guard let parent = RezMonitor.TraceContext(traceparent: header) else { throw Wrong("\(header) is invalid") }
            return parent
        }
        guard let name = call["in"].text else { return nil }
        guard let parent = screens[name]?.trace ?? spans[name]?.trace else { throw Wrong("unknown span \(name)") }
        return parent
    }
}
