internal import RezMonitorCore

extension RezMonitor {
    /// A value of a metric.
    public enum Metric: Sendable, Hashable {
        /// Adds to a counter.
        case counter(Double)
        /// The present value.
        case gauge(Double)
        /// One of many values whose distribution matters.
        case distribution(Double)
    }
}

extension RezMonitor.Metric {
    var core: RezMonitorCore.Metric {
        switch self {
        case .counter(let value): .counter(value: value)
        case .gauge(let value): .gauge(value: value)
        case .distribution(let value): .distribution(value: value)
        }
    }
}
