internal import RezMonitorCore

extension RezMonitor {
    /// How bad an error is for the user.
    public enum Severity: String, Sendable, CaseIterable {
        /// Hardly noticed.
        case low
        /// The default.
        case medium
        /// A function failed.
        case high
        /// The app is of no use.
        case critical
    }
}

extension RezMonitor.Severity {
    var core: RezMonitorCore.Severity {
        switch self {
        case .low: .low
        case .medium: .medium
        case .high: .high
        case .critical: .critical
        }
    }
}
