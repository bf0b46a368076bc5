import Foundation

/// A value behind a lock. `OSAllocatedUnfairLock` and `Mutex` need a later system than iOS 15.
final class Locked<Value>: @unchecked Sendable {
    private let lock = NSLock()
    private var value: Value

    init(_ value: Value) {
        self.value = value
    }

    /// Runs `body` with the value. `body` must not call code of the app.
    @inline(__always)
    func with<Result>(_ body: (inout Value) throws -> Result) rethrows -> Result {
        lock.lock()
        defer { lock.unlock() }
        return try body(&value)
    }
}
