internal import RezMonitorCore

extension RezMonitor {
    /// Facts about the device that are true for a moment only (`docs/guide/device.md`). Every member is optional; a number
    /// outside its limits is left out.
    public struct Conditions: Sendable, Hashable {
        /// No conditions.
        public init() {}

        /// Memory that an app can still allocate, in bytes.
        public var freeMemoryBytes: UInt64?
        /// Free internal storage, in bytes.
        public var freeStorageBytes: UInt64?
        /// Level of the battery, 0 (empty) to 1 (full).
        public var battery: Double?
        /// Whether the battery is being charged or is full on external power.
        public var charging: Bool?
        /// Whether the system saves power.
        public var lowPower: Bool?
        /// How the device is held.
        public var orientation: Orientation?
        /// What the device is connected with.
        public var connection: Connection?
        /// Generation of the mobile network.
        public var carrierTechnology: CarrierTechnology?
        /// Whether the user pays for the bytes of the connection, or has asked to save them.
        public var metered: Bool?
        /// Whether the app is in the foreground.
        public var foreground: Bool?
    }

    /// How the device is held.
    public enum Orientation: String, Sendable, CaseIterable {
        /// Upright.
        case portrait
        /// Sideways.
        case landscape
    }

    /// What the device is connected with.
    public enum Connection: String, Sendable, CaseIterable {
        /// Nothing. Not named `none`, which an optional would read as `nil`.
        case offline = "none"
        /// Wi-Fi.
        case wifi
        /// A mobile network.
        case cellular
        /// A cable.
        case ethernet
        /// Bluetooth.
        case bluetooth
        /// Another kind of connection.
        case other
    }

    /// Generation of the mobile network.
    public enum CarrierTechnology: String, Sendable, CaseIterable {
        /// GPRS, EDGE, CDMA.
        case g2 = "2g"
        /// UMTS, HSPA, EV-DO.
        case g3 = "3g"
        /// LTE.
        case g4 = "4g"
        /// NR.
        case g5 = "5g"
    }
}

extension RezMonitor.Conditions {
    var core: RezMonitorCore.Conditions {
        RezMonitorCore.Conditions(
            freeMemoryBytes: freeMemoryBytes,
            freeStorageBytes: freeStorageBytes,
            battery: battery,
            charging: charging,
            lowPower: lowPower,
            orientation: orientation.map { $0 == .portrait ? .portrait : .landscape },
            connection: connection?.core,
            carrierTechnology: carrierTechnology?.core,
            metered: metered,
            foreground: foreground
        )
    }
}

extension RezMonitor.Connection {
    var core: RezMonitorCore.Connection {
        switch self {
        case .offline: .none
        case .wifi: .wifi
        case .cellular: .cellular
        case .ethernet: .ethernet
        case .bluetooth: .bluetooth
        case .other: .other
        }
    }
}

extension RezMonitor.CarrierTechnology {
    var core: RezMonitorCore.CarrierTechnology {
        switch self {
        case .g2: .g2
        case .g3: .g3
        case .g4: .g4
        case .g5: .g5
        }
    }
}
