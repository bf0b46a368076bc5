import Foundation

extension TimeInterval {
    /// Whole microseconds. What is negative or no number is 0.
    var microseconds: Int64 { Int64(saturating: self * 1_000_000) }

    /// Whole milliseconds. What is negative or no number is 0.
    var milliseconds: Int64 { Int64(saturating: self * 1_000) }
}

extension Date {
    /// Milliseconds since 1970.
    var wallMilliseconds: Int64 {
        let milliseconds = (timeIntervalSince1970 * 1_000).rounded()
        return Int64(exactly: milliseconds) ?? (milliseconds < 0 ? .min : .max)
    }
}

extension Int64 {
    fileprivate init(saturating value: Double) {
        guard value > 0 else {
            self = 0
            return
        }
        self = Int64(exactly: value.rounded()) ?? .max
    }
}
