extension RezMonitor {
    /// A message for developers of the app (`docs/guide/logger.md`). It names no event, key, token or response.
    public struct LogMessage: Sendable, Hashable, CustomStringConvertible {
        /// How important it is.
        public enum Level: String, Sendable, CaseIterable {
            /// Something does not work.
            case error
            /// Something may not work.
            case warning
            /// Good to know.
            case info
        }

        /// The level.
        public let level: Level
        /// One of the codes of `docs/guide/logger.md`, or of this layer: `wrong_setting`, `wrong_value`, `started_twice`,
        /// `library_mismatch`.
        public let code: String
        /// One or two sentences.
        public let text: String

        /// `rez-monitor error route_stopped: ..`
        public var description: String { "rez-monitor \(level.rawValue) \(code): \(text)" }
    }
}
