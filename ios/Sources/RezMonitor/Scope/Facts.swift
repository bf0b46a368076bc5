import Foundation

extension RezMonitor {
    /// Facts about the device, the system and the app, which hold for a whole run (`docs/guide/device.md`).
    ///
    /// Every member is optional. A text has at most 100 bytes. A number outside its limits is left out. No member identifies a
    /// person; put no ids into them.
    public struct Facts: Sendable, Hashable, Encodable {
        /// No facts.
        public init() {}

        /// Who made the device: `Apple`.
        public var manufacturer: String?

        /// The brand under which it is sold.
        public var brand: String?

        /// The identifier of the model: `iPhone17,1`.
        public var model: String?

        /// The family of the model: `iPhone`.
        public var family: String?

        /// The architecture of the processor: `arm64`.
        public var architecture: String?

        /// Memory of the device, in bytes.
        public var memoryBytes: UInt64?

        /// Internal storage of the device, in bytes.
        public var storageBytes: UInt64?

        /// Width of the screen, in pixels; 1 to 100,000.
        public var screenWidthPx: Int?

        /// Height of the screen, in pixels; 1 to 100,000.
        public var screenHeightPx: Int?

        /// Physical pixels per point; 0.1 to 20.
        public var density: Double?

        /// Whether it is a simulator.
        public var emulator: Bool?

        /// Whether the protection of the system was removed.
        public var rooted: Bool?

        /// Language and region: `en-IN`.
        public var locale: String?

        /// `Asia/Kolkata`.
        public var timeZone: String?

        /// `iOS`.
        public var osName: String?

        /// `18.5`.
        public var osVersion: String?

        /// The build of the system.
        public var osBuild: String?

        /// The version that users see: `1.4.0`.
        public var appVersion: String?

        /// The build number.
        public var appBuild: String?

        /// The identifier of the bundle.
        public var appId: String?

        /// Where the app came from: `App Store`, `TestFlight`.
        public var installSource: String?

        /// How the app was started.
        public var startKind: Timing.Start?

        /// The framework of the app.
        public var framework: Framework?

        /// A framework in which an app is written.
        public struct Framework: Sendable, Hashable, Encodable {
            /// Its name, in lower case: `react-native`, `flutter`.
            public var name: String
            /// Its version.
            public var version: String?

            /// Makes a framework.
            public init(name: String, version: String? = nil) {
                self.name = name
                self.version = version
            }
        }

        private enum CodingKeys: String, CodingKey {
            case manufacturer
            case brand
            case model
            case family
            case architecture
            case memoryBytes = "memory_bytes"
            case storageBytes = "storage_bytes"
            case screenWidthPx = "screen_width_px"
            case screenHeightPx = "screen_height_px"
            case density
            case emulator
            case rooted
            case locale
            case timeZone = "time_zone"
            case osName = "os_name"
            case osVersion = "os_version"
            case osBuild = "os_build"
            case appVersion = "app_version"
            case appBuild = "app_build"
            case appId = "app_id"
            case installSource = "install_source"
            case startKind = "start_kind"
            case framework
        }
    }
}

extension RezMonitor.Facts {
    /// The facts as the core reads them.
    var json: String {
        let encoder = JSONEncoder()
        encoder.nonConformingFloatEncodingStrategy = .convertToString(
            positiveInfinity: "", negativeInfinity: "", nan: "")
        return (try? encoder.encode(self)).map { String(decoding: $0, as: UTF8.self) } ?? "{}"
    }
}
