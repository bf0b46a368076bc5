internal import RezMonitorCore

extension RezMonitor {
    /// A position in a trace, by the rules of W3C Trace Context.
    public struct TraceContext: Sendable, Hashable {
        /// The id of the trace: 32 hexadecimal digits, in lower case.
        public var traceId: String
        /// The id of the span: 16 hexadecimal digits, in lower case.
        public var spanId: String
        /// The id of the span that contains it; `nil` for the root of a trace.
        public var parent: String?
        /// The decision of the server whose trace is continued; `nil` if there is none.
        public var sampled: Bool?

        /// Makes a position from its ids. An event with an invalid one is recorded without a trace.
        public init(traceId: String, spanId: String, parent: String? = nil, sampled: Bool? = nil) {
            self.traceId = traceId
            self.spanId = spanId
            self.parent = parent
            self.sampled = sampled
        }

        /// Reads the header `traceparent` of a server or a deep link.
        ///
        /// Pass the result as `parent` of a span or an HTTP call, which then continues the trace.
        ///
        /// - Parameter traceparent: the value of the header; `nil` is returned if it is invalid.
        public init?(traceparent: String) {
            guard Library.matches, let trace = fromTraceparent(header: traceparent) else { return nil }
            self.init(trace)
        }
    }
}

extension RezMonitor.TraceContext {
    init(_ trace: RezMonitorCore.TraceContext) {
        self.init(traceId: trace.traceId, spanId: trace.spanId, parent: trace.parent, sampled: trace.sampled)
    }

    var core: RezMonitorCore.TraceContext {
        RezMonitorCore.TraceContext(traceId: traceId, spanId: spanId, parent: parent, sampled: sampled)
    }
}
