import Foundation

/// An object of JSON.
typealias Members = [String: RezMonitor.AttributeValue]

extension Members {
    /// Reads an object; `nil` if the text is none.
    init?(json: String) {
        guard let members = try? JSONDecoder().decode(Members.self, from: Data(json.utf8)) else { return nil }
        self = members
    }

    /// These members, replaced by those of `other` that are not null.
    func replaced(by other: Members) -> Members {
        merging(other) { mine, given in given == .null ? mine : given }
    }

    func text(_ name: String) -> String? {
        if case .string(let value)? = self[name] { value } else { nil }
    }

    func flag(_ name: String) -> Bool? {
        if case .bool(let value)? = self[name] { value } else { nil }
    }

    /// The members of an object; none if it is missing or something else.
    func object(_ name: String) -> Members {
        if case .dictionary(let members)? = self[name] { members } else { [:] }
    }

    /// The objects of a list, without what is something else.
    func objects(_ name: String) -> [Members] {
        guard case .array(let values)? = self[name] else { return [] }
        return values.compactMap { if case .dictionary(let members) = $0 { members } else { nil } }
    }

    func number(_ name: String) -> Double? {
        switch self[name] {
        case .int(let value)?: Double(value)
        case .double(let value)?: value
        default: nil
        }
    }

    func whole(_ name: String) -> Int? { number(name).flatMap { Int(exactly: $0.rounded(.towardZero)) } }
}

/// A value as text. A number that is not finite becomes null.
func jsonText(_ value: some Encodable) -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return (try? encoder.encode(value)).map { String(decoding: $0, as: UTF8.self) } ?? "null"
}

extension RezMonitor.Conditions {
    /// The members that are absent, unknown or of another type are left out.
    init(_ members: Members) {
        freeMemoryBytes = members.number("free_memory_bytes").flatMap { UInt64(exactly: $0.rounded(.towardZero)) }
        freeStorageBytes = members.number("free_storage_bytes").flatMap { UInt64(exactly: $0.rounded(.towardZero)) }
        battery = members.number("battery")
        charging = members.flag("charging")
        lowPower = members.flag("low_power")
        orientation = members.text("orientation").flatMap(RezMonitor.Orientation.init)
        connection = members.text("connection").flatMap(RezMonitor.Connection.init)
        carrierTechnology = members.text("carrier_technology").flatMap(RezMonitor.CarrierTechnology.init)
        metered = members.flag("metered")
        foreground = members.flag("foreground")
    }
}

extension RezMonitor.Settings {
    /// What this layer reads of settings in JSON.
    init(platform members: Members) {
        self.init()
        debug = members.flag("debug")
        hangs = members.flag("hangs")
        hangMs = members.whole("hangMs")
        errors = members.flag("errors")
        exits = members.flag("exits")
        network = members.flag("network")
        deviceHints = members.flag("deviceHints")
        appStart = members.flag("appStart")
        appStartMaxMs = members.whole("appStartMaxMs")
        breadcrumbLifecycle = members.flag("breadcrumbLifecycle")
        breadcrumbNetwork = members.flag("breadcrumbNetwork")
        breadcrumbSystem = members.flag("breadcrumbSystem")
    }
}
