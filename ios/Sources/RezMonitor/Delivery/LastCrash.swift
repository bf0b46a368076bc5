internal import RezMonitorCore

extension RezMonitor {
    /// The crash of the run before this one, from ``RezMonitor/lastCrash(timeout:)``.
    public struct LastCrash: Sendable, Hashable, CustomStringConvertible {
        /// The id of its event, for ``RezMonitor/why(_:timeout:)``.
        public let id: String
        /// `NSInvalidArgumentException`, `TypeError`; `native_crash` for a report of MetricKit.
        public let type: String
        /// What reported it: `exit_report` for MetricKit, or the name of a handler.
        public let mechanism: String?
        /// When it happened, in milliseconds since 1970.
        public let atMs: Int64
        /// Milliseconds from the start of its run; `nil` if the clock was changed meanwhile.
        public let sinceStartMs: Int64?
        /// The support code of its session, for the user to read to support; `nil` without a session.
        public let supportCode: String?

        /// Type, mechanism and support code on one line.
        public var description: String { [type, mechanism, supportCode].compactMap { $0 }.joined(separator: ", ") }

        init(_ crash: RezMonitorCore.LastCrash) {
            id = crash.id
            type = crash.kind
            mechanism = crash.mechanism
            atMs = crash.atMs
            sinceStartMs = crash.sinceStartMs
            supportCode = crash.supportCode
        }
    }
}
