import Foundation

/// What the system says about the device. No value identifies a device or a person.
enum Device {
    /// `iOS 18.5`.
    static var system: String { "\(systemName) \(systemVersion)" }

    static var systemName: String {
        #if os(iOS)
        "iOS"
        #elseif os(Linux)
        "Linux"
        #else
        "unknown"
        #endif
    }

    static var systemVersion: String {
        let version = ProcessInfo.processInfo.operatingSystemVersion
        let patch = version.patchVersion == 0 ? "" : ".\(version.patchVersion)"
        return "\(version.majorVersion).\(version.minorVersion)\(patch)"
    }

    /// `iPhone17,1`; in a simulator the model that it simulates.
    static var model: String? {
        if let simulated = ProcessInfo.processInfo.environment["SIMULATOR_MODEL_IDENTIFIER"] { return simulated }
        #if os(iOS)
        return machine
        #else
        return nil
        #endif
    }

    /// The name of the machine in `uname`: on iOS the model, else the architecture.
    private static var machine: String? {
        var names = utsname()
        guard uname(&names) == 0 else { return nil }
        return withUnsafeBytes(of: &names.machine) { bytes in
            String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        }
    }

    /// `en-IN`. Foundation writes `en_IN`, and what the user changed of it after an `@`.
    private static var locale: String {
        let name = Locale.current.identifier.prefix { $0 != "@" }
        return name.replacingOccurrences(of: "_", with: "-")
    }

    static var facts: RezMonitor.Facts {
        let bundle = AppBundle.main
        var facts = RezMonitor.Facts()
        #if canImport(Darwin)
        facts.manufacturer = "Apple"
        facts.brand = "Apple"
        #endif
        facts.model = model
        #if targetEnvironment(simulator)
        facts.emulator = true
        #endif
        facts.memoryBytes = ProcessInfo.processInfo.physicalMemory
        facts.locale = locale
        facts.timeZone = TimeZone.current.identifier
        facts.osName = systemName
        facts.osVersion = systemVersion
        facts.appVersion = bundle.version
        facts.appBuild = bundle.build
        facts.appId = bundle.id
        #if os(iOS)
        facts.framework = RezMonitor.Facts.Framework(name: "ios")
        #endif
        return facts
    }
}
