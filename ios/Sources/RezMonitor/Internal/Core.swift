import Foundation
internal import RezMonitorCore

/// Calls of the core whose errors nobody hears.
enum Core {
    static func flush(_ handle: UInt64, wait: TimeInterval) {
        // What is left is sent after the next start.
        _ = try? RezMonitorCore.flush(handle: handle, waitMs: wait.milliseconds)
    }
}
