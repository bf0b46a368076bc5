extension RezMonitor.Destination {
    /// What the team's own backend is sent, and where. `nil` is the default of a member.
    public struct RezOptions: Sendable, Encodable {
        /// What it receives, while the user consents to it. Default: both.
        public var purposes: [RezMonitor.Purpose]?
    }
}
