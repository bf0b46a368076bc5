#if canImport(UIKit)
import UIKit

/// The life cycle that UIKit announces.
struct UIKitLifecycle: Lifecycle {
    func observe(_ changed: @escaping @Sendable (Phase) -> Void, isActive: @escaping @Sendable () -> Void) -> Undo {
        let names: [(Notification.Name, Phase)] = [
            (UIApplication.didBecomeActiveNotification, .foreground),
            (UIApplication.didEnterBackgroundNotification, .background),
        ]
        let center = NotificationCenter.default
        nonisolated(unsafe) let observers = names.map { name, phase in
            center.addObserver(forName: name, object: nil, queue: nil) { _ in changed(phase) }
        }
        // UIKit says the state to the main thread alone. On it the answer is there before the next change.
        if Thread.isMainThread {
            MainActor.assumeIsolated { if Self.isActive { isActive() } }
        } else {
            DispatchQueue.main.async { if Self.isActive { isActive() } }
        }
        return { for observer in observers { center.removeObserver(observer) } }
    }

    /// By name, because an app extension may not be built with `UIApplication.shared`. It has no application.
    @MainActor private static var isActive: Bool {
        let shared = NSSelectorFromString("sharedApplication")
        guard Bundle.main.bundleURL.pathExtension != "appex", UIApplication.responds(to: shared) else { return false }
        let application = UIApplication.perform(shared)?.takeUnretainedValue() as? UIApplication
        return application?.applicationState == .active
    }
}
#endif
