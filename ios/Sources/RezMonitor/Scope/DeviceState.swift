internal import RezMonitorCore

extension RezMonitor {
    /// What is known about the network. Without one, nothing is sent until there is one again.
    public enum NetworkState: String, Sendable, CaseIterable {
        /// There is none.
        case offline
        /// There is one.
        case online
        /// Not known.
        case unknown
    }

    /// What is known about power. While the system saves it, the library sends less often.
    public enum PowerState: String, Sendable, CaseIterable {
        /// As usual.
        case normal
        /// The system saves power.
        case low
    }
}

extension RezMonitor.NetworkState {
    var core: Network {
        switch self {
        case .offline: .offline
        case .online: .online
        case .unknown: .unknown
        }
    }
}

extension RezMonitor.PowerState {
    var core: Power {
        switch self {
        case .normal: .normal
        case .low: .low
        }
    }
}
