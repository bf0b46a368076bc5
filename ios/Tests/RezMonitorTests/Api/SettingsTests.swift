import Foundation
import XCTest

@testable import RezMonitor

/// The settings that the face offers are those of the core: no more, no fewer, under the same names.
final class SettingsTests: XCTestCase {
    private func schema() throws -> Json {
        try Json.read(Checkout.contract.appendingPathComponent("schema/settings.camel.schema.json"))
    }

    private func full() -> RezMonitor.Settings {
        var settings = RezMonitor.Settings()
        settings.folder = "/tmp/a"
        settings.app = "a"
        settings.release = "a"
        settings.dist = "a"
        settings.environment = "a"
        settings.os = "a"
        settings.device = "a"
        settings.debug = true
        settings.inspector = true
        settings.testMode = true
        settings.testSeed = 7
        settings.nativeCrashes = true
        settings.uncleanExits = .awaitReport
        settings.consentMonitoring = .granted
        settings.consentAnalytics = .denied
        settings.slowScreenMs = 1
        settings.slowApiMs = 1
        settings.slowImageMs = 1
        settings.sampleRates = ["frames": 0.1]
        settings.logLevel = .warning
        settings.capBytes = 2_000_000
        settings.maxAgeMs = 3_600_000
        settings.traceTargets = ["a.example"]
        settings.recordedHeaders = ["x-a"]
        settings.traceStyles = RezMonitor.TraceStyle.allCases
        settings.sessions = true
        settings.sessionBackgroundMs = 1
        settings.maskUser = true
        settings.maskIp = true
        settings.destinations = []
        settings.hangs = true
        settings.hangMs = 100
        settings.errors = true
        settings.rejections = true
        settings.exits = true
        settings.appStart = true
        settings.appStartMaxMs = 1_000
        settings.screens = true
        settings.screenMaxMs = 1_000
        settings.images = true
        settings.network = true
        settings.interactions = true
        settings.frames = true
        settings.slowFrameUs = 1_000
        settings.frozenFrameMs = 50
        settings.longTasks = true
        settings.longTaskMs = 16
        settings.breadcrumbLifecycle = true
        settings.breadcrumbNavigation = true
        settings.breadcrumbTouch = true
        settings.breadcrumbNetwork = true
        settings.breadcrumbConsole = true
        settings.breadcrumbSystem = true
        settings.deviceHints = true
        settings.backgroundUpload = true
        return settings
    }

    func test_every_setting_of_the_core_has_a_member_of_its_name() throws {
        // No call of a phone raises an alert, so its window is a setting of servers.
        let known = try schema()["properties"].members.keys.filter { $0 != "alertWindowMs" }.sorted()
        let offered = try Json.read(Data(full().json.utf8)).members.keys.sorted()
        XCTAssertEqual(offered, known)
        XCTAssertNoThrow(try full().validate())
    }

    func test_every_kind_of_destination_with_all_its_members_is_accepted() throws {
        var settings = RezMonitor.Settings()
        settings.folder = "/tmp/a"
        settings.destinations = [
            .rez(endpoint: "https://in.example.com", key: "k") { $0.purposes = [.monitoring] },
            .sentry(dsn: "https://k@o1.ingest.sentry.io/42") {
                $0.tracesSampleRate = 0.2
                $0.messagesAsLogs = true
                $0.analyticsAsLogs = true
            },
            .datadog(applicationId: "0190f2aa-7c1e-7a53-9b0e-3b6a3f0d9c11", clientToken: "t") {
                $0.purposes = RezMonitor.Purpose.allCases
                $0.endpoint = "https://relay.example.com"
                $0.site = "datadoghq.eu"
                $0.service = "shop"
                $0.sessionSampleRate = 0.2
                $0.logSampleRate = 0.2
                $0.forwardErrorsToLogs = true
                $0.maskUserInput = false
                $0.trackUserInteractions = false
                $0.trackResources = false
                $0.trackLongTasks = false
            },
            .mixpanel(token: "t") {
                $0.purposes = RezMonitor.Purpose.allCases
                $0.endpoint = "https://relay.example.com"
                $0.region = .india
                $0.errors = true
                $0.interactions = true
                $0.apiCalls = true
            },
            .ga4(measurementId: "G-1A2B3C4D5E", apiSecret: "s") {
                $0.purposes = RezMonitor.Purpose.allCases
                $0.region = .eu
                $0.interactions = false
                $0.apiCalls = true
            },
            .ga4(
                firebaseAppId: "1:1234567890:ios:321abc456def7890", appInstanceId: "0123456789abcdef0123456789abcdef",
                apiSecret: "s", name: "ga4-app"),
            .otlp(endpoint: nil, bearerToken: "t") {
                $0.purposes = RezMonitor.Purpose.allCases
                $0.headers = ["api-key": "a"]
                $0.logsEndpoint = "https://a.example.com/l"
                $0.tracesEndpoint = "https://a.example.com/t"
                $0.metricsEndpoint = "https://a.example.com/m"
                $0.signals = [.logs, .traces, .metrics]
                $0.encoding = .json
                $0.breadcrumbs = false
                $0.tracesSampleRate = 0.5
            },
        ]
        XCTAssertNoThrow(try settings.validate())
        let destinations = try Json.read(Data(settings.json.utf8))["destinations"].list
        let offered = Set(destinations.flatMap { $0.members.keys })
        let defined = try schema()["$defs"].members.values.flatMap { $0["properties"].members.keys }
        let written = try schema().json
        XCTAssertFalse(offered.isEmpty)
        for name in offered { XCTAssertTrue(defined.contains(name) || written.contains("\"\(name)\""), name) }
    }

    func test_the_defaults_of_this_layer_are_those_of_the_documentation() {
        let platform = PlatformSettings(RezMonitor.Settings())
        XCTAssertEqual(platform.hang, 2)
        XCTAssertEqual(platform.appStartMax, 60)
        XCTAssertTrue(platform.hangs && platform.errors && platform.network && platform.deviceHints)
    }
}
