/// Whether the system has crash reports for the app.
enum MetricKitSupport {
    static var isThere: Bool {
        #if canImport(MetricKit)
        if #available(iOS 15.0, macOS 12.0, visionOS 1.0, *) { return true }
        #endif
        return false
    }
}
