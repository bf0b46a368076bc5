internal import RezMonitorCore

extension RezMonitor.AttributeValue {
    var core: AttrValue {
        switch self {
        case .string(let value): .text(value: value)
        case .int(let value): .int(value: value)
        case .double(let value): .float(value: value)
        case .bool(let value): .bool(value: value)
        case .array(let values): .list(values: values.map(\.core))
        case .dictionary(let entries): .map(entries: entries.core)
        case .null: .null
        }
    }
}

extension [String: RezMonitor.AttributeValue] {
    /// In ascending order of the names, so that equal attributes become equal rows.
    var core: [Attr] {
        switch count {
        case 0: return []
        case 1: return map { Attr(name: $0.key, value: $0.value.core) }
        default:
            return sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
                .map { Attr(name: $0.key, value: $0.value.core) }
        }
    }
}

extension [String: String] {
    /// In ascending order of the names.
    var pairs: [TextPair] {
        sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }.map { TextPair(name: $0.key, value: $0.value) }
    }
}
