import Foundation

@testable import RezMonitor

/// A JSON value whose members keep no order.
typealias Json = RezMonitor.AttributeValue

extension Json {
    subscript(_ name: String) -> Json {
        if case .dictionary(let members) = self { members[name] ?? .null } else { .null }
    }

    var text: String? { if case .string(let text) = self { text } else { nil } }
    var bool: Bool? { if case .bool(let bool) = self { bool } else { nil } }
    var int: Int64? { if case .int(let int) = self { int } else { nil } }
    var list: [Json] { if case .array(let list) = self { list } else { [] } }
    var members: [String: Json] { if case .dictionary(let members) = self { members } else { [:] } }
    var texts: [String] { list.compactMap(\.text) }
    var isNull: Bool { self == .null }

    var double: Double? {
        switch self {
        case .double(let double): double
        case .int(let int): Double(int)
        default: nil
        }
    }

    static func read(_ data: Data) throws -> Json {
        try JSONDecoder().decode(Json.self, from: data)
    }

    static func read(_ file: URL) throws -> Json {
        try read(Data(contentsOf: file))
    }

    var json: String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return (try? encoder.encode(self)).map { String(decoding: $0, as: UTF8.self) } ?? "?"
    }
}

/// A contract vector.
struct Vector {
    let name: String
    let json: Json

    static func all() throws -> [Vector] {
        let files = try FileManager.default.contentsOfDirectory(atPath: Checkout.contract.path)
        return try files.filter { $0.hasSuffix(".json") }.sorted().map { file in
            let json = try Json.read(Checkout.contract.appendingPathComponent(file))
            return Vector(name: String(file.dropLast(5)), json: json)
        }
    }

    func expected(_ what: String) throws -> Json {
        try Json.read(Checkout.contract.appendingPathComponent("expected/\(what)/\(name).json"))
    }
}

/// The first difference between two values; `nil` if there is none. A number is equal to one of the same value.
func difference(_ written: Json, _ found: Json, at place: String = "") -> String? {
    switch (written, found) {
    case (.dictionary(let one), .dictionary(let other)):
        for name in Set(one.keys).union(other.keys).sorted() {
            let found = difference(one[name] ?? .null, other[name] ?? .null, at: "\(place)/\(name)")
            if let found { return found }
        }
        return nil
    case (.array(let one), .array(let other)) where one.count == other.count:
        for (at, pair) in zip(one, other).enumerated() {
            if let found = difference(pair.0, pair.1, at: "\(place)/\(at)") { return found }
        }
        return nil
    default:
        if written == found || (written.double != nil && written.double == found.double) { return nil }
        return "at \(place) there is \(found.json.prefix(300)), written down is \(written.json.prefix(300))"
    }
}
