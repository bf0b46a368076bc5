import Foundation

/// Waits until a condition holds; at most 60 s, since the machine can be busy.
func waitUntil(_ limit: TimeInterval = 60, _ condition: () -> Bool) -> Bool {
    let end = Date(timeIntervalSinceNow: limit)
    while !condition() {
        if Date() > end { return false }
        Thread.sleep(forTimeInterval: 0.002)
    }
    return true
}
