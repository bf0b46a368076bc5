extension RezMonitor.Destination {
    /// What Datadog is sent, and where. `nil` is the default of a member.
    public struct DatadogOptions: Sendable, Encodable {
        /// What it receives, while the user consents to it. Default: monitoring.
        public var purposes: [RezMonitor.Purpose]?

        /// The base address, or that of a relay of the team: https, or http to this device. Default: the vendor's.
        public var endpoint: String?

        /// The Datadog site. Default: datadoghq.com.
        public var site: String?

        /// The tag `service`. Default: the app's name.
        public var service: String?

        /// Share of sessions that are sent to RUM, 0 to 1. Default: 1.
        public var sessionSampleRate: Double?

        /// Share of logs that are sent, 0 to 1. Default: 1.
        public var logSampleRate: Double?

        /// Send errors to the logs as well. Default: false.
        public var forwardErrorsToLogs: Bool?

        /// Remove user input from actions. Default: true.
        public var maskUserInput: Bool?

        /// Send interactions as actions. Default: true.
        public var trackUserInteractions: Bool?

        /// Send API calls and image loads as resources. Default: true.
        public var trackResources: Bool?

        /// Send long tasks. Default: true.
        public var trackLongTasks: Bool?
    }
}
