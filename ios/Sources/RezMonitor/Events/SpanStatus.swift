internal import RezMonitorCore

extension RezMonitor {
    /// How a span ended.
    public enum SpanStatus: String, Sendable, CaseIterable {
        /// Its work is done.
        case ok
        /// Its work failed.
        case error
        /// Its work was given up.
        case cancelled
    }
}

extension RezMonitor.SpanStatus {
    var core: RezMonitorCore.SpanStatus {
        switch self {
        case .ok: .ok
        case .error: .error
        case .cancelled: .cancelled
        }
    }
}
