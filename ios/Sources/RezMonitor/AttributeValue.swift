extension RezMonitor {
    /// A value of an attribute.
    ///
    /// Literals are accepted: `["method": "otp", "attempts": 2, "plans": ["pro", "team"], "referrer": nil]`. A value that is
    /// held in a variable is wrapped: `["name": .string(name)]`, or converted by ``init(any:)``.
    ///
    /// Limits: an array or a dictionary has at most 64 elements, and texts are cut as `docs/guide/record.md` says.
    public enum AttributeValue: Sendable, Hashable {
        /// A text.
        case string(String)
        /// A whole number.
        case int(Int64)
        /// A number. One that is not finite is stored as text.
        case double(Double)
        /// True or false.
        case bool(Bool)
        /// Values in order; at most 64.
        case array([AttributeValue])
        /// Named values; at most 64.
        case dictionary([String: AttributeValue])
        /// No value.
        case null
    }

    /// Attributes by name. A name has at most 200 bytes.
    public typealias Attributes = [String: AttributeValue]
}

extension RezMonitor.AttributeValue: ExpressibleByStringLiteral, ExpressibleByStringInterpolation {
    /// Makes a text.
    public init(stringLiteral value: String) {
        self = .string(value)
    }
}

extension RezMonitor.AttributeValue: ExpressibleByIntegerLiteral {
    /// Makes a whole number.
    public init(integerLiteral value: Int64) {
        self = .int(value)
    }
}

extension RezMonitor.AttributeValue: ExpressibleByFloatLiteral {
    /// Makes a number.
    public init(floatLiteral value: Double) {
        self = .double(value)
    }
}

extension RezMonitor.AttributeValue: ExpressibleByBooleanLiteral {
    /// Makes true or false.
    public init(booleanLiteral value: Bool) {
        self = .bool(value)
    }
}

extension RezMonitor.AttributeValue: ExpressibleByArrayLiteral {
    /// Makes an array.
    public init(arrayLiteral elements: RezMonitor.AttributeValue...) {
        self = .array(elements)
    }
}

extension RezMonitor.AttributeValue: ExpressibleByDictionaryLiteral {
    /// Makes a dictionary. If a name occurs twice, the last value counts.
    public init(dictionaryLiteral elements: (String, RezMonitor.AttributeValue)...) {
        self = .dictionary(Dictionary(elements) { _, last in last })
    }
}

extension RezMonitor.AttributeValue: ExpressibleByNilLiteral {
    /// Makes no value.
    public init(nilLiteral: ()) {
        self = .null
    }
}
