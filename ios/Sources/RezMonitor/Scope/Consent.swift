internal import RezMonitorCore

extension RezMonitor {
    /// The user's decision about a purpose.
    public enum Consent: String, Sendable, Encodable, CaseIterable {
        /// Not decided: events are stored and not sent.
        case pending
        /// Granted.
        case granted
        /// Denied: nothing is stored, and what is stored is erased.
        case denied
    }
}

extension RezMonitor.Consent {
    var core: RezMonitorCore.Consent {
        switch self {
        case .pending: .pending
        case .granted: .granted
        case .denied: .denied
        }
    }
}
