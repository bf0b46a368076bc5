extension RezMonitor.Destination {
    /// What Google Analytics 4 is sent, and where. `nil` is the default of a member.
    public struct GA4Options: Sendable, Encodable {
        /// What it receives, while the user consents to it. Default: analytics.
        public var purposes: [RezMonitor.Purpose]?

        /// The base address, or that of a relay of the team: https, or http to this device. Default: the vendor's.
        public var endpoint: String?

        /// Where the data is stored. Default: us.
        public var region: GA4Region?

        /// Send interactions. Default: true.
        public var interactions: Bool?

        /// Send API calls; requires the purpose monitoring. Default: false.
        public var apiCalls: Bool?
    }

    /// Where Google stores the data.
    public enum GA4Region: String, Sendable, Encodable, CaseIterable {
        /// The United States.
        case us
        /// The European Union.
        case eu
    }
}
