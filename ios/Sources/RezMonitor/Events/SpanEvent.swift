import Foundation
internal import RezMonitorCore

extension RezMonitor {
    /// A span that the app measured.
    public struct SpanEvent: Sendable, Hashable {
        /// A name of low cardinality.
        public var name: String
        /// The operation: `task`, `db.query`.
        public var operation: String
        /// The duration, in seconds; not used if both times are given.
        public var duration: TimeInterval
        /// When it started.
        public var started: Date?
        /// When it ended; used with ``started``.
        public var ended: Date?
        /// How it ended.
        public var status: SpanStatus = .ok
        /// Its ids and its parent. Default: the root of a trace of its own.
        public var trace: TraceContext?
        /// The app's own attributes.
        public var attributes: Attributes = [:]
        /// The destinations that receive it, by their names. Empty: all.
        public var targets: [String] = []

        /// Makes a span that ended now, or began at `started`.
        public init(name: String, operation: String, duration: TimeInterval, started: Date? = nil) {
            self.name = name
            self.operation = operation
            self.duration = duration
            self.started = started
        }

        /// Makes a span between two times.
        public init(name: String, operation: String, started: Date, ended: Date) {
            self.init(name: name, operation: operation, duration: 0, started: started)
            self.ended = ended
        }
    }
}

extension RezMonitor.SpanEvent {
    var core: RezMonitorCore.SpanEvent {
        RezMonitorCore.SpanEvent(
            name: name, op: operation, durationUs: duration.microseconds, startedMs: started?.wallMilliseconds,
            endedMs: ended?.wallMilliseconds, status: status.core, trace: trace?.core, attrs: attributes.core,
            targets: targets
        )
    }
}
