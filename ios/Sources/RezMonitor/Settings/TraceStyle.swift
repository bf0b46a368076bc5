extension RezMonitor {
    /// The headers in which a trace is passed to a server.
    public enum TraceStyle: String, Sendable, Encodable, CaseIterable {
        /// `traceparent`, by the rules of W3C Trace Context.
        case w3c
        /// `sentry-trace` and `baggage`.
        case sentry
        /// `x-datadog-*`.
        case datadog
    }
}
