import Foundation

/// Low Power Mode of the system.
enum LowPower {
    static func follow(_ conditions: KnownConditions) -> Undo {
        #if canImport(Darwin)
        let tell: @Sendable () -> Void = {
            let isLow = ProcessInfo.processInfo.isLowPowerModeEnabled
            RezMonitor.setPower(isLow ? .low : .normal)
            conditions.change("device.power", isLow ? "low power mode" : "normal power") { $0.lowPower = isLow }
        }
        tell()
        let center = NotificationCenter.default
        let token = center.addObserver(forName: .NSProcessInfoPowerStateDidChange, object: nil, queue: nil) { _ in
            tell()
        }
        nonisolated(unsafe) let observer = token
        return { center.removeObserver(observer) }
        #else
        return {}
        #endif
    }
}
