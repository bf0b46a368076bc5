internal import RezMonitorCore

extension RezMonitor {
    /// What a user can consent to.
    public enum Purpose: String, Sendable, Encodable, CaseIterable {
        /// Errors, crashes, timings: keeping the app working.
        case monitoring
        /// What users do.
        case analytics
    }
}

extension RezMonitor.Purpose {
    var core: RezMonitorCore.Purpose {
        switch self {
        case .monitoring: .monitoring
        case .analytics: .analytics
        }
    }
}
