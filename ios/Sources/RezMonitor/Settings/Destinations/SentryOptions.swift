extension RezMonitor.Destination {
    /// What Sentry is sent, and where. `nil` is the default of a member.
    public struct SentryOptions: Sendable, Encodable {
        /// Share of the traces whose transactions are sent, 0 to 1. Default: 1.
        public var tracesSampleRate: Double?

        /// Send messages as log entries instead of issues. Default: false.
        public var messagesAsLogs: Bool?

        /// Send analytics events as log entries. Default: false.
        public var analyticsAsLogs: Bool?
    }
}
