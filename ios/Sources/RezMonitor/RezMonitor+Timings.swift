import Foundation
internal import RezMonitorCore

extension RezMonitor {
    /// Begins the load of a screen, which becomes the screen of later events.
    ///
    /// ```swift
    /// let load = RezMonitor.trackScreenLoad("Home")
    /// // .. when everything is shown:
    /// load.finish()
    /// ```
    ///
    /// - Parameter name: the name of the screen.
    /// - Returns: the load. Released without an end, it is cancelled.
    public static func trackScreenLoad(_ name: String) -> ScreenLoad {
        ScreenLoad(Engine.call(or: nil) { RezMonitorCore.screen(handle: $0, name: name) })
    }

    /// Measures the load of a screen: it is recorded when `body` returns, and cancelled if `body` throws.
    ///
    /// - Parameters:
    ///   - name: the name of the screen.
    ///   - body: loads the screen.
    public static func trackScreenLoad<Result>(
        _ name: String, _ body: (ScreenLoad) throws -> Result
    ) rethrows -> Result {
        let load = trackScreenLoad(name)
        defer { load.cancel() }
        let result = try body(load)
        load.finish()
        return result
    }

    /// Measures the load of a screen: it is recorded when `body` returns, and cancelled if `body` throws.
    ///
    /// - Parameters:
    ///   - name: the name of the screen.
    ///   - isolation: the actor of the caller, on which `body` runs.
    ///   - body: loads the screen.
    public static func trackScreenLoad<Result: Sendable>(
        _ name: String, isolation: isolated (any Actor)? = #isolation, _ body: (ScreenLoad) async throws -> Result
    ) async rethrows -> Result {
        let load = trackScreenLoad(name)
        defer { load.cancel() }
        let result = try await body(load)
        load.finish()
        return result
    }

    /// Begins an HTTP call, inside `parent` or else inside the screen that is loading.
    ///
    /// - Parameters:
    ///   - method: the HTTP method.
    ///   - url: the URL. Only a template of it is stored; its query never is.
    ///   - parent: the span in which it lies.
    /// - Returns: the call. Released without an end, it is not recorded.
    public static func trackAPICall(method: String, url: String, parent: TraceContext? = nil) -> APICall {
        APICall(
            Engine.call(or: nil) { handle in
                RezMonitorCore.apiCall(handle: handle, method: method, url: url, parent: parent?.core)
            })
    }

    /// Records a load of an image that the app measured.
    ///
    /// - Parameters:
    ///   - url: the URL of the image.
    ///   - duration: the duration, in seconds.
    ///   - attributes: the app's own attributes.
    @discardableResult
    public static func trackImageLoad(
        url: String, duration: TimeInterval, attributes: Attributes = [:]
    ) -> Outcome {
        var timing = Timing.imageLoad(url: url, duration: duration)
        timing.attributes = attributes
        return recordTiming(timing)
    }

    /// Records a duration that the app measured.
    @discardableResult
    public static func recordTiming(_ timing: Timing) -> Outcome {
        Engine.call(or: .closed) { handle in
            Hot.timing(handle, timing) ?? Outcome(RezMonitorCore.timing(handle: handle, event: timing.core))
        }
    }

    /// Begins a span, inside `parent` or as the root of a trace.
    ///
    /// ```swift
    /// let span = RezMonitor.startSpan("checkout")
    /// defer { span.finish() }
    /// ```
    ///
    /// - Parameters:
    ///   - name: a name of low cardinality.
    ///   - operation: the operation: `task`, `db.query`.
    ///   - parent: the span in which it lies.
    /// - Returns: the span. Released without an end, it is recorded as cancelled.
    public static func startSpan(_ name: String, operation: String = "task", parent: TraceContext? = nil) -> Span {
        Span(
            Engine.call(or: nil) { handle in
                RezMonitorCore.span(handle: handle, name: name, op: operation, parent: parent?.core)
            })
    }

    /// Records a span that the app measured.
    @discardableResult
    public static func recordSpan(_ span: SpanEvent) -> Outcome {
        Engine.record { RezMonitorCore.recordSpan(handle: $0, span: span.core) }
    }

    /// The trace headers for a request inside a span. Empty unless the host is in the setting `traceTargets`.
    ///
    /// - Parameters:
    ///   - trace: the span of the request.
    ///   - url: the URL of the request.
    public static func traceHeaders(for trace: TraceContext, url: String) -> [Header] {
        Engine.call(or: []) { handle in
            RezMonitorCore.traceHeaders(handle: handle, trace: trace.core, url: url)
                .map { Header(name: $0.name, value: $0.value) }
        }
    }

    /// Durations recorded in this run, by name. It waits for no disk and no network.
    public static func metrics() -> [MetricSummary] {
        Engine.call(or: []) { RezMonitorCore.metrics(handle: $0).map(MetricSummary.init) }
    }

    /// Clears ``metrics()``. Nothing that was recorded is changed.
    public static func clearMetrics() {
        Engine.change { RezMonitorCore.clearMetrics(handle: $0) }
    }
}
