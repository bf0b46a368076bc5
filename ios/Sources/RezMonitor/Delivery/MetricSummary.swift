import Foundation
internal import RezMonitorCore

extension RezMonitor {
    /// Durations recorded under one name in this run, in seconds.
    public struct MetricSummary: Sendable, Hashable {
        /// `screen_<name>_load`, `api_<endpoint>`.
        public let name: String
        /// The last one.
        public let last: TimeInterval
        /// How many.
        public let count: Int
        /// Half of them are at most this long.
        public let p50: TimeInterval
        /// 95 of 100 are.
        public let p95: TimeInterval
        /// 99 of 100 are.
        public let p99: TimeInterval
    }
}

extension RezMonitor.MetricSummary {
    init(_ summary: Summary) {
        name = summary.name
        last = Double(summary.last) / 1_000_000
        count = Int(clamping: summary.count)
        p50 = Double(summary.p50) / 1_000_000
        p95 = Double(summary.p95) / 1_000_000
        p99 = Double(summary.p99) / 1_000_000
    }
}
