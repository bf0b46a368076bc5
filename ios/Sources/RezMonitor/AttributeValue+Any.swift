import Foundation

extension RezMonitor.AttributeValue {
    /// Converts a value of an unknown type, as in a `[String: Any]` of another SDK.
    ///
    /// Texts, numbers, booleans, arrays, dictionaries and `nil` become what they are. A `Date` becomes text by ISO 8601, a
    /// `URL` and a `UUID` their text. Anything else becomes its description.
    ///
    /// - Parameter value: the value; `NSNull` and `nil` become ``null``.
    public init(any value: Any?) {
        switch value {
        case nil, is NSNull: self = .null
        case let value as RezMonitor.AttributeValue: self = value
        case let value as String: self = .string(value)
        case let value as NSNumber where Self.isNumberObject(value): self = Self.number(value)
        case let value as Bool: self = .bool(value)
        case let value as any BinaryInteger: self = Int64(exactly: value).map { .int($0) } ?? .double(Double(value))
        case let value as any BinaryFloatingPoint: self = .double(Double(value))
        case let value as Date: self = .string(Self.text(of: value))
        case let value as URL: self = .string(value.absoluteString)
        case let value as UUID: self = .string(value.uuidString)
        case let value as [String: Any?]: self = .dictionary(value.mapValues { RezMonitor.AttributeValue(any: $0) })
        case let value as [Any?]: self = .array(value.map { RezMonitor.AttributeValue(any: $0) })
        case let value?: self = .string(String(describing: value))
        }
    }

    /// Whether it is an object of Foundation. A number of Swift also passes the cast to `NSNumber`, and its own type says more.
    private static func isNumberObject(_ value: NSNumber) -> Bool {
        type(of: value as Any) is NSNumber.Type
    }

    private static func number(_ value: NSNumber) -> RezMonitor.AttributeValue {
        // Type encodings of Objective-C: "c" and "B" are booleans, "f" and "d" have a fraction, "Q" can exceed `Int64`.
        switch String(cString: value.objCType) {
        case "c", "B": .bool(value.boolValue)
        case "f", "d": .double(value.doubleValue)
        case "Q" where value.uint64Value > UInt64(Int64.max): .double(value.doubleValue)
        default: .int(value.int64Value)
        }
    }

    private static func text(of date: Date) -> String {
        let format = ISO8601DateFormatter()
        format.formatOptions = [.withInternetDateTime, .withFractionalSeconds]
        return format.string(from: date)
    }
}
