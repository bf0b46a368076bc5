import Foundation

extension RezMonitor.Settings {
    /// The settings with what the platform knows.
    func completed() -> RezMonitor.Settings {
        let bundle = AppBundle.main
        var settings = self
        settings.folder = folder ?? AppBundle.defaultFolder
        settings.app = app ?? bundle.name
        settings.release = release ?? bundle.release
        settings.dist = dist ?? bundle.build
        settings.os = os ?? Device.system
        settings.device = device ?? Device.model
        settings.debug = debug ?? Self.isDebugBuild
        settings.uncleanExits = uncleanExits ?? knownUncleanExits
        return settings
    }

    /// A debugger ends the app as it likes. The reports of MetricKit are waited for if they are taken.
    private var knownUncleanExits: RezMonitor.UncleanExits? {
        if Debugger.isAttached { return .ignored }
        return MetricKitSupport.isThere && exits ?? true ? .awaitReport : nil
    }

    /// A package that is built from source has the configuration of the app.
    private static var isDebugBuild: Bool {
        #if DEBUG
        true
        #else
        false
        #endif
    }
}

/// The settings that this layer reads; the core ignores them. The defaults are those of `docs/guide/configure.md`.
struct PlatformSettings: Sendable {
    let hangs: Bool
    let hang: TimeInterval
    let errors: Bool
    let exits: Bool
    let network: Bool
    let deviceHints: Bool
    let appStart: Bool
    let appStartMax: TimeInterval
    let breadcrumbLifecycle: Bool
    let breadcrumbNetwork: Bool
    let breadcrumbSystem: Bool

    init(_ settings: RezMonitor.Settings) {
        hangs = settings.hangs ?? true
        hang = TimeInterval(settings.hangMs ?? 2_000) / 1_000
        errors = settings.errors ?? true
        exits = settings.exits ?? true
        network = settings.network ?? true
        deviceHints = settings.deviceHints ?? true
        appStart = settings.appStart ?? true
        appStartMax = TimeInterval(settings.appStartMaxMs ?? 60_000) / 1_000
        breadcrumbLifecycle = settings.breadcrumbLifecycle ?? true
        breadcrumbNetwork = settings.breadcrumbNetwork ?? true
        breadcrumbSystem = settings.breadcrumbSystem ?? true
    }
}
