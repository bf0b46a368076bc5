extension RezMonitor {
    /// The state of the library at a moment.
    public struct Status: Sendable, Hashable, CustomStringConvertible {
        /// The state as JSON, in the form of `rezq status --json`; empty if nothing is started.
        public let json: String
        /// The state in sentences; empty if nothing is started.
        public let lines: [String]

        /// The sentences, one on each line.
        public var description: String { lines.joined(separator: "\n") }
    }
}
