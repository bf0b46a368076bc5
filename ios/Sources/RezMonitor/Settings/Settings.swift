import Foundation

extension RezMonitor {
    /// What ``RezMonitor/start(_:)`` is told.
    ///
    /// Every member is optional; `nil` is the default. The names are those of `docs/guide/configure.md` and of the messages of
    /// the library: "`sessionBackgroundMs` is -5: use a whole number from 0 to 86400000". A member with the ending `Ms` is in
    /// milliseconds, `Us` in microseconds, `Bytes` in bytes.
    public struct Settings: Sendable {
        /// Settings with all defaults.
        public init() {}

        /// Where the queue is stored: private to the app, on internal storage, excluded from backup. 1 to 4096 bytes on one
        /// line. Default: `rez-monitor` in the folder Application Support of the app.
        public var folder: String?

        /// The app's name, on every event of the run. 1 to 200 bytes on one line. Default: the name of the app's bundle.
        public var app: String?

        /// The app's version, sent as given: `shop@1.4.0+52`. 1 to 200 bytes on one line. Default: `<name>@<version>+<build>`
        /// of the app's bundle.
        public var release: String?

        /// The build number. 1 to 200 bytes on one line. Default: none.
        public var dist: String?

        /// `production`, `staging` and so on. 1 to 200 bytes on one line. Default: none.
        public var environment: String?

        /// Operating system and version: `iOS 18.5`. 1 to 200 bytes on one line. Default: name and version of the system.
        public var os: String?

        /// The device model. 1 to 200 bytes on one line. Default: the model of the device.
        public var device: String?

        /// Whether the logger is used. Default: true in a debug build.
        public var debug: Bool?

        /// Whether a debug screen may read the queue and let requests fail, see ``RezMonitor/inspect(_:timeout:)``. The last 1,000
        /// events then stay in memory. Default: the value of `debug`.
        public var inspector: Bool?

        /// Test mode, for builds of testers and UI tests: each event is sent at once, and no wait of the engine's own choice is
        /// longer than a second. Default: false; while `debug` or `inspector` is on, what the environment variable `REZ_TEST`
        /// says, which a UI test sets in `XCUIApplication.launchEnvironment`.
        public var testMode: Bool?

        /// In test mode: the number from which the ids of installation, runs and sessions are made, so that a test that begins
        /// with an empty folder sees the same ones each time. A whole number from 0 to 2^53 - 1. Default: none.
        public var testSeed: Int?

        /// Signals that end the process become a crash at the next start. Default: false. The engine does this on Linux and
        /// Android; on Apple's systems the setting has no effect yet.
        public var nativeCrashes: Bool?

        /// What is recorded of a run that ended without a crash and without ``RezMonitor/close(timeout:)``. Default: recorded; on
        /// Apple's systems awaitReport if `exits` is on, and ignored while a debugger is attached.
        public var uncleanExits: UncleanExits?

        /// Consent to monitoring until ``RezMonitor/setConsent(_:_:)`` is called for the first time. Default: pending.
        public var consentMonitoring: Consent?

        /// Consent to analytics until ``RezMonitor/setConsent(_:_:)`` is called for the first time. Default: pending.
        public var consentAnalytics: Consent?

        /// A screen load that takes longer is slow. A whole number from 0 to 3600000. Default: 3000.
        public var slowScreenMs: Int?

        /// An API call that takes longer is slow. A whole number from 0 to 3600000. Default: 5000.
        public var slowApiMs: Int?

        /// An image load that takes longer is slow. A whole number from 0 to 3600000. Default: 2000.
        public var slowImageMs: Int?

        /// Share of sessions in which a kind is recorded, 0 to 1, by its name: `["frames": 0.1]`. Default: 1 for every kind.
        public var sampleRates: [String: Double]?

        /// The lowest level of log entries that are recorded; those below are refused before they are encoded. Default: info.
        public var logLevel: Level?

        /// Maximum size of the queue. A whole number from 1048576 to 1099511627776. Default: 20971520.
        public var capBytes: Int?

        /// Maximum age of a row, 14 days; crashes are kept for 30 days. A whole number from 3600000 to 34560000000. Default:
        /// 1209600000.
        public var maxAgeMs: Int?

        /// Hosts that receive trace headers: `api.rezapp.com`, `*.rezapp.com`. A list of at most 256 texts. Default: none.
        public var traceTargets: [String]?

        /// Names of HTTP headers whose values are recorded with an API call. The value of one that carries credentials is
        /// never recorded. A list of at most 64 texts. Default: none.
        public var recordedHeaders: [String]?

        /// Which trace headers are sent. Default: w3c.
        public var traceStyles: [TraceStyle]?

        /// Whether sessions are recorded. Default: true.
        public var sessions: Bool?

        /// How long the app may be in the background before its session ends. The value of Sentry's mobile SDKs. A whole
        /// number from 0 to 86400000. Default: 30000.
        public var sessionBackgroundMs: Int?

        /// Mask `user.email` and `user.username`. Default: false.
        public var maskUser: Bool?

        /// Mask IP addresses in text. Default: false.
        public var maskIp: Bool?

        /// Where events are sent. Default: none.
        public var destinations: [Destination]?

        // MARK: What is recorded without a call of the app

        /// Record when the main thread does not respond. Default: true.
        public var hangs: Bool?

        /// Time without a response of the main thread that is a hang. The value of Sentry's iOS SDK. A whole number from 100
        /// to 3600000. Default: 2000.
        public var hangMs: Int?

        /// Record uncaught errors and exceptions. Default: true.
        public var errors: Bool?

        /// Record promise rejections that nobody handles (JavaScript). Default: true. No part of this package reads it.
        public var rejections: Bool?

        /// Import why the system ended earlier processes: the crash reports of MetricKit. Default: true.
        public var exits: Bool?

        /// Record the app start. Default: true.
        public var appStart: Bool?

        /// An app start that takes longer is not recorded: the app was started in the background. The value of Sentry's SDKs.
        /// A whole number from 1000 to 3600000. Default: 60000.
        public var appStartMaxMs: Int?

        /// Record screen loads from navigation. Default: true. No part of this package reads it yet.
        public var screens: Bool?

        /// A screen load that takes longer is cancelled. The deadline of Sentry's SDKs. A whole number from 1000 to
        /// 3600000. Default: 30000. No part of this package reads it yet.
        public var screenMaxMs: Int?

        /// Record image loads of the components of the platform layer. Default: true. No part of this package reads
        /// it yet.
        public var images: Bool?

        /// Record HTTP calls of the clients that the platform layer instruments. Default: true.
        public var network: Bool?

        /// Record taps: the component's label, never a text or an input. Default: true. No part of this package reads
        /// it yet.
        public var interactions: Bool?

        /// Record slow and frozen frames. Default: true. No part of this package reads it yet.
        public var frames: Bool?

        /// A frame that takes longer is slow: one frame at 60 Hz, as Datadog's SDKs count. A whole number from 1000
        /// to 1000000. Default: 16667. No part of this package reads it yet.
        public var slowFrameUs: Int?

        /// A frame that takes longer is frozen. The value of Android vitals, Sentry and Datadog. A whole number from
        /// 50 to 60000. Default: 700. No part of this package reads it yet.
        public var frozenFrameMs: Int?

        /// Record when the JavaScript thread or the main thread is busy for long. Default: true. No part of this
        /// package reads it yet.
        public var longTasks: Bool?

        /// A task that takes longer is long. The value of Datadog's native SDKs. A whole number from 16 to 3600000.
        /// Default: 100. No part of this package reads it yet.
        public var longTaskMs: Int?

        /// Breadcrumbs: the app enters the foreground or the background. Default: true.
        public var breadcrumbLifecycle: Bool?

        /// Breadcrumbs: the user navigates. Default: true. No part of this package reads it yet.
        public var breadcrumbNavigation: Bool?

        /// Breadcrumbs: taps. Default: true. No part of this package reads it yet.
        public var breadcrumbTouch: Bool?

        /// Breadcrumbs: HTTP calls, without query. Default: true.
        public var breadcrumbNetwork: Bool?

        /// Breadcrumbs: console output (JavaScript). Default: true. No part of this package reads it.
        public var breadcrumbConsole: Bool?

        /// Breadcrumbs: low memory, connectivity, battery, orientation. Default: true.
        public var breadcrumbSystem: Bool?

        /// Tell the engine about network and power, so that it waits for a better moment. Default: true.
        public var deviceHints: Bool?

        /// Let the system deliver what is left when the app is gone (Android's `JobScheduler`). Default: true. Not used on
        /// this platform.
        public var backgroundUpload: Bool?

        // MARK: What the app implements

        /// Facts about the device, the system and the app; they replace those that the library reads itself.
        public var facts: Facts?

        /// Sends the requests. Default: ``URLSessionTransport``.
        public var transport: (any Transport)?

        /// Changes or drops each event before it is stored; `nil` drops it.
        ///
        /// Called once per event, in order, on a thread of the library. It must return within a second and must not record:
        /// after an error or a longer wait, this event and all later ones of the run are dropped as `hook_failed`.
        public var beforeSend: (@Sendable (PendingEvent) throws -> PendingEvent?)?

        /// Hears what a developer must know (`docs/guide/logger.md`), while `debug` is true. Default: the console.
        ///
        /// Called on a thread of the library, one message at a time; it may block.
        public var logger: (@Sendable (LogMessage) -> Void)?
    }
}

extension RezMonitor.Settings: Encodable {
    /// The members of the JSON that the core reads. What the app implements is none of them.
    private enum CodingKeys: String, CodingKey {
        case folder, app, release, dist, environment, os, device, debug, inspector
        case testMode, testSeed, nativeCrashes, uncleanExits, consentMonitoring
        case consentAnalytics, slowScreenMs, slowApiMs, slowImageMs, sampleRates, logLevel, capBytes, maxAgeMs
        case traceTargets, recordedHeaders, traceStyles, sessions, sessionBackgroundMs, maskUser, maskIp, destinations
        case hangs, hangMs, errors, rejections, exits, appStart, appStartMaxMs, screens, screenMaxMs, images, network
        case interactions, frames, slowFrameUs, frozenFrameMs, longTasks, longTaskMs, breadcrumbLifecycle
        case breadcrumbNavigation, breadcrumbTouch, breadcrumbNetwork, breadcrumbConsole, breadcrumbSystem
        case deviceHints, backgroundUpload
    }

    /// The settings as the core reads them; absent members are its defaults.
    var json: String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        encoder.nonConformingFloatEncodingStrategy = .convertToString(
            positiveInfinity: "infinity", negativeInfinity: "-infinity", nan: "nan")
        // Nothing in it can fail to encode.
        return (try? encoder.encode(self)).map { String(decoding: $0, as: UTF8.self) } ?? "{}"
    }
}
