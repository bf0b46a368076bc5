extension RezMonitor.Destination {
    /// What an OpenTelemetry Collector is sent, and where. `nil` is the default of a member.
    public struct OTLPOptions: Sendable, Encodable {
        /// What it receives, while the user consents to it. Default: monitoring.
        public var purposes: [RezMonitor.Purpose]?

        /// Headers of every request; at most 32. Default: none.
        public var headers: [String: String]?

        /// The complete address of the logs: https, or http to this device. Default: `endpoint` and `/v1/logs`.
        public var logsEndpoint: String?

        /// The complete address of the traces: https, or http to this device. Default: `endpoint` and `/v1/traces`.
        public var tracesEndpoint: String?

        /// The complete address of the metrics: https, or http to this device. Default: `endpoint` and `/v1/metrics`.
        public var metricsEndpoint: String?

        /// The signals that are sent. Default: all.
        public var signals: [Signal]?

        /// The encoding of the bodies. Default: protobuf.
        public var encoding: Encoding?

        /// Send the breadcrumbs of an error as log records. Default: true.
        public var breadcrumbs: Bool?

        /// Share of the traces whose transactions are sent, 0 to 1. Default: 1.
        public var tracesSampleRate: Double?
    }

    /// A signal of OpenTelemetry.
    public enum Signal: String, Sendable, Encodable, CaseIterable {
        /// Errors, messages, log entries and events.
        case logs
        /// Spans, screen loads and HTTP calls.
        case traces
        /// Metrics.
        case metrics
    }

    /// An encoding of OTLP.
    public enum Encoding: String, Sendable, Encodable, CaseIterable {
        /// Protocol Buffers.
        case protobuf
        /// JSON.
        case json
    }
}
