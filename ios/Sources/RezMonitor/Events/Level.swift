internal import RezMonitorCore

extension RezMonitor {
    /// How important a message, a breadcrumb or a log entry is.
    public enum Level: String, Sendable, Encodable, CaseIterable, Comparable {
        /// Finer than debug.
        case trace
        /// For developers.
        case debug
        /// The normal course.
        case info
        /// Something may be wrong.
        case warning
        /// Something is wrong.
        case error
        /// The app cannot go on.
        case fatal

        /// Whether a level is less important than another one.
        public static func < (one: Level, other: Level) -> Bool {
            one.rank < other.rank
        }

        private var rank: Int { Self.allCases.firstIndex(of: self) ?? 0 }
    }
}

extension RezMonitor.Level {
    var core: RezMonitorCore.Level {
        switch self {
        case .trace: .trace
        case .debug: .debug
        case .info: .info
        case .warning: .warning
        case .error: .error
        case .fatal: .fatal
        }
    }
}
