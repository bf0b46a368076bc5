import Foundation

/// The life cycle of the app: sessions, breadcrumbs, and the suspension in the background.
///
/// In the background everything is sent, then the queue is closed, so that the system finds no locked file when it suspends
/// the process. Until then the system is asked not to suspend it.
final class LifecycleInstrument: Sendable {
    /// Seconds to send in the background. The system gives about 30.
    private static let sending: TimeInterval = 20
    private static let storing: TimeInterval = 5

    private let platform: PlatformSettings
    private let watchdog: HangWatchdog?
    private let phase = Locked<Phase?>(nil)
    private let start: AppStart
    /// Suspends and resumes in the order of the phases.
    private let queue = DispatchQueue(label: "app.rez.monitor.lifecycle", qos: .utility)

    init(_ platform: PlatformSettings, _ watchdog: HangWatchdog?, _ start: AppStart = .ofProcess) {
        self.platform = platform
        self.watchdog = watchdog
        self.start = start
    }

    func follow(_ lifecycle: any Lifecycle) -> Undo {
        // The system can start the app in the background, and suspends it there.
        watchdog?.pause()
        return lifecycle.observe({ phase in self.enter(phase) }, isActive: { self.wasActive() })
    }

    private func wasActive() {
        let isFirst = phase.with { phase in
            guard phase == nil else { return false }
            phase = .foreground
            return true
        }
        guard isFirst else { return }
        start.wasMissed()
        watchdog?.resume()
        RezMonitor.setForeground(true)
    }

    func enter(_ next: Phase) {
        let before = phase.with { phase in
            defer { phase = next }
            return phase
        }
        guard before != next else { return }
        switch next {
        case .foreground: enterForeground()
        case .background: enterBackground()
        }
    }

    private func enterForeground() {
        queue.async { RezMonitor.resume() }
        watchdog?.resume()
        RezMonitor.setForeground(true)
        crumb("foreground")
        if platform.appStart { start.becameVisible(within: platform.appStartMax) }
    }

    private func enterBackground() {
        watchdog?.pause()
        RezMonitor.setForeground(false)
        crumb("background")
        BackgroundActivity.run("REZ Monitor sends events") { [self] isExpired in
            if !isExpired {
                Engine.change { Core.flush($0, wait: Self.sending) }
            }
            queue.sync {
                // The app can be back in the meantime.
                if phase.with({ $0 == .background }) { RezMonitor.suspendAndWait(timeout: Self.storing) }
            }
        }
    }

    private func crumb(_ state: String) {
        guard platform.breadcrumbLifecycle else { return }
        RezMonitor.addBreadcrumb(
            .init(category: "app.lifecycle", message: state, type: "navigation", data: ["state": .string(state)]))
    }
}
