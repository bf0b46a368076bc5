import Foundation

/// JSON without what is nested too deeply. A stack of MetricKit has each frame inside its caller, and the system's decoder refuses a
/// document of more than 512 levels: a stack overflow would leave no report.
enum ShallowJSON {
    /// What is nested deeper than `levels` becomes null. What is no JSON stays none.
    static func cut(_ json: Data, levels: Int) -> Data {
        var kept = Data(capacity: json.count)
        var depth = 0
        var isText = false
        var isEscaped = false
        for byte in json {
            let wasBelow = depth > levels
            if isText {
                if isEscaped {
                    isEscaped = false
                } else if byte == UInt8(ascii: "\\") {
                    isEscaped = true
                } else if byte == UInt8(ascii: "\"") {
                    isText = false
                }
            } else {
                switch byte {
                case UInt8(ascii: "\""): isText = true
                case UInt8(ascii: "{"), UInt8(ascii: "["):
                    depth += 1
                    if depth == levels + 1 { kept.append(contentsOf: "null".utf8) }
                case UInt8(ascii: "}"), UInt8(ascii: "]"): depth -= 1
                default: break
                }
            }
            if !wasBelow, depth <= levels { kept.append(byte) }
        }
        return kept
    }
}
