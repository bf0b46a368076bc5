/// Writes a hot record, version 1: `bindings/uniffi/src/hot.rs` has its form.
///
/// The generated call costs 2 to 3 us for a timing, since it writes every member byte by byte into an array that grows. What
/// this record cannot hold, the generated call records: see ``isComplete``.
struct HotRecord {
    private let bytes: UnsafeMutableRawBufferPointer
    private(set) var count = 4
    /// False if something did not fit.
    private(set) var isComplete = true
    private var bits: UInt16 = 0

    init(_ bytes: UnsafeMutableRawBufferPointer, call: UInt8) {
        self.bytes = bytes
        bytes[0] = 1
        bytes[1] = call
    }

    /// Writes the bits. Call it at the end.
    mutating func end() {
        bytes.storeBytes(of: bits.littleEndian, toByteOffset: 2, as: UInt16.self)
    }

    mutating func mark(_ bit: UInt16) {
        bits |= 1 << bit
    }

    mutating func byte(_ value: UInt8) {
        number(value)
    }

    @inline(__always)
    mutating func number<Number: FixedWidthInteger>(_ value: Number) {
        let end = count + MemoryLayout<Number>.size
        guard end <= bytes.count else {
            isComplete = false
            return
        }
        bytes.storeBytes(of: value.littleEndian, toByteOffset: count, as: Number.self)
        count = end
    }

    @inline(__always)
    mutating func text(_ value: String) {
        var value = value
        let isWritten = value.withUTF8 { text -> Bool in
            let end = count + 2 + text.count
            guard end <= bytes.count, let length = UInt16(exactly: text.count) else { return false }
            bytes.storeBytes(of: length.littleEndian, toByteOffset: count, as: UInt16.self)
            if let from = text.baseAddress, let to = bytes.baseAddress {
                (to + count + 2).copyMemory(from: from, byteCount: text.count)
            }
            count = end
            return true
        }
        if !isWritten { isComplete = false }
    }

    @inline(__always)
    mutating func text(_ value: String?, bit: UInt16) {
        guard let value else { return }
        mark(bit)
        text(value)
    }

    /// Texts or entries have at most 255 elements.
    private mutating func small(_ number: Int) {
        if let number = UInt8(exactly: number) { byte(number) } else { isComplete = false }
    }

    mutating func headers(_ headers: [String: String], bit: UInt16) {
        if headers.isEmpty { return }
        mark(bit)
        small(headers.count)
        for pair in headers.pairs {
            text(pair.name)
            text(pair.value)
        }
    }

    /// The members that every call may have: the end of a record.
    mutating func common(_ milliseconds: Int64?, _ targets: [String], _ attributes: RezMonitor.Attributes) {
        if let milliseconds {
            mark(0)
            number(milliseconds)
        }
        if !targets.isEmpty {
            mark(2)
            small(targets.count)
            for target in targets { text(target) }
        }
        if !attributes.isEmpty {
            mark(3)
            small(attributes.count)
            entries(attributes, depth: 1)
        }
        end()
    }

    /// In ascending order of the names. One and two entries, the most usual numbers, are ordered without an array.
    private mutating func entries(_ attributes: RezMonitor.Attributes, depth: Int) {
        if attributes.count > 2 {
            for one in attributes.sorted(by: { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }) {
                entry(one, depth)
            }
            return
        }
        var last: (key: String, value: RezMonitor.AttributeValue)?
        for one in attributes {
            if let first = last, one.key.utf8.lexicographicallyPrecedes(first.key.utf8) {
                entry(one, depth)
            } else {
                if let first = last { entry(first, depth) }
                last = one
            }
        }
        if let last { entry(last, depth) }
    }

    private mutating func entry(_ one: (key: String, value: RezMonitor.AttributeValue), _ depth: Int) {
        text(one.key)
        value(one.value, depth: depth)
    }

    private mutating func value(_ value: RezMonitor.AttributeValue, depth: Int) {
        switch value {
        case .null: byte(0)
        case .bool(let bool): byte(bool ? 2 : 1)
        case .int(let int):
            byte(3)
            number(int)
        case .double(let double):
            byte(5)
            number(double.bitPattern)
        case .string(let string):
            byte(6)
            text(string)
        case .array(let values):
            if !open(7, values.count, depth) { return }
            for element in values { self.value(element, depth: depth + 1) }
        case .dictionary(let members):
            if !open(8, members.count, depth) { return }
            entries(members, depth: depth + 1)
        }
    }

    /// Begins a list or map. The library reads at most 8 levels.
    private mutating func open(_ kind: UInt8, _ elements: Int, _ depth: Int) -> Bool {
        guard depth < 8, let elements = UInt16(exactly: elements) else {
            isComplete = false
            return false
        }
        byte(kind)
        number(elements)
        return true
    }
}
