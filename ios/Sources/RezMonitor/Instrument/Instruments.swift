/// Ends what an instrument has begun.
typealias Undo = @Sendable () -> Void

/// What records without a call of the app, from `start` to `close`.
final class Instruments: Sendable {
    private let platform: PlatformSettings
    private let running = Locked<[Undo]>([])

    init(_ platform: PlatformSettings) {
        self.platform = platform
    }

    func start() {
        var undo: [Undo] = []
        let watchdog = platform.hangs ? HangWatchdog.ofMainThread(after: platform.hang) : nil
        #if canImport(UIKit)
        undo.append(LifecycleInstrument(platform, watchdog).follow(UIKitLifecycle()))
        #endif
        if let watchdog {
            watchdog.start()
            undo.append { watchdog.stop() }
        }
        #if canImport(ObjectiveC)
        if platform.errors { UncaughtExceptions.install() }
        #endif
        #if canImport(MetricKit)
        if platform.exits, #available(iOS 15.0, macOS 12.0, visionOS 1.0, *) { undo.append(MetricKitCrashes.follow()) }
        #endif
        if platform.deviceHints {
            let conditions = KnownConditions(crumbs: platform.breadcrumbSystem)
            undo.append(LowPower.follow(conditions))
            #if canImport(Network)
            undo.append(NetworkPath.follow(conditions))
            #endif
        }
        let all = undo
        running.with { $0 = all }
    }

    func stop() {
        let undo = running.with { running in
            defer { running = [] }
            return running
        }
        undo.forEach { $0() }
    }
}
