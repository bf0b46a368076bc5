import Foundation

/// What the bundle of the app says about it.
struct AppBundle: Sendable {
    let id: String?
    let name: String
    let version: String?
    let build: String?

    static let main = AppBundle(Bundle.main)

    init(_ bundle: Bundle) {
        let text = { (key: String) in bundle.object(forInfoDictionaryKey: key) as? String }
        id = bundle.bundleIdentifier
        name = text("CFBundleName") ?? ProcessInfo.processInfo.processName
        version = text("CFBundleShortVersionString")
        build = text("CFBundleVersion")
    }

    /// `shop@1.4.0+52`, or what of it is known.
    var release: String {
        let version = version ?? "0"
        return "\(id ?? name)@\(version)" + (build.map { "+\($0)" } ?? "")
    }

    /// `rez-monitor` in the folder Application Support. It is made here, because a new folder cannot be excluded from backup
    /// before it exists.
    static var defaultFolder: String? {
        let manager = FileManager.default
        guard let support = manager.urls(for: .applicationSupportDirectory, in: .userDomainMask).first else {
            return nil
        }
        let folder = support.appendingPathComponent("rez-monitor", isDirectory: true)
        // If this fails, `status` says why the folder cannot be used.
        try? manager.createDirectory(at: folder, withIntermediateDirectories: true)
        #if canImport(Darwin)
        var excluded = URLResourceValues()
        excluded.isExcludedFromBackup = true
        var url = folder
        try? url.setResourceValues(excluded)
        #endif
        return folder.path
    }
}
