import Foundation
internal import RezMonitorCore

extension RezMonitor {
    /// An entry of the app's log.
    public struct LogEntry: Sendable, Hashable {
        /// The level. Entries below the setting `logLevel` are refused.
        public var level: Level
        /// The text.
        public var text: String
        /// The name of the logger.
        public var logger: String?
        /// The app's own attributes.
        public var attributes: Attributes
        /// The destinations that receive it, by their names. Empty: all.
        public var targets: [String]
        /// The span in which it was written.
        public var trace: TraceContext?
        /// When it was written. Default: now.
        public var date: Date?

        /// Makes an entry.
        public init(
            level: Level, text: String, logger: String? = nil, attributes: Attributes = [:], targets: [String] = [],
            trace: TraceContext? = nil, date: Date? = nil
        ) {
            self.level = level
            self.text = text
            self.logger = logger
            self.attributes = attributes
            self.targets = targets
            self.trace = trace
            self.date = date
        }
    }
}

extension RezMonitor.LogEntry {
    var core: RezMonitorCore.LogEntry {
        RezMonitorCore.LogEntry(
            level: level.core, text: text, logger: logger, attrs: attributes.core, targets: targets, trace: trace?.core,
            atMs: date?.wallMilliseconds
        )
    }
}
