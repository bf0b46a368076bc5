import Foundation
import RezMonitor

// A target of its own in SwiftPM; in the same module with CocoaPods.
#if canImport(RezMonitorBridge)
import RezMonitorBridge
#endif

/// The methods of the module over the Swift library. `RezMonitorFactory` finds the class by its name.
@objc(RezMonitorImpl)
final class RezMonitorImpl: NSObject, RezMonitorNative {
    private typealias Bridge = RezMonitor.Bridge
    typealias Answer = (String) -> Void

    /// One queue for all instances: after a reload of JavaScript the calls of the old one still come first.
    private static let queue = DispatchQueue(label: "app.rez.monitor.reactnative", qos: .utility)

    /// Apart: this one waits for the system for seconds, and no other call depends on it.
    private static let lookingBack = DispatchQueue(label: "app.rez.monitor.reactnative.last-run", qos: .utility)

    /// Answers with what a call returns that blocks.
    private static func later(
        _ waitMs: Double, _ answer: @escaping Answer, on queue: DispatchQueue = RezMonitorImpl.queue,
        _ call: @escaping @Sendable (TimeInterval) -> String
    ) {
        // React Native's blocks may be called from any thread.
        nonisolated(unsafe) let answer = answer
        queue.async { answer(call(waitMs / 1_000)) }
    }

    func open(_ settings: String, facts: String) -> String { Bridge.open(settings: settings, facts: facts) }

    func recordBatch(_ json: String) -> Bool { Bridge.recordBatch(json) }

    func recordFatal(_ json: String) -> Bool {
        if case .dropped = Bridge.recordFatal(json) { false } else { true }
    }

    func setConsent(_ purpose: String, consent: String) -> Bool { Bridge.setConsent(purpose, consent) }

    func forgetUser() -> Bool { Bridge.forgetUser() }

    /// The library observes the life cycle itself.
    func setForeground(_ foreground: Bool) -> Bool { RezMonitor.isStarted }

    func startSession() -> Bool { Bridge.newSession() }

    func setFacts(_ json: String) -> String { Bridge.setFacts(json) }

    func setConditions(_ json: String) -> String { Bridge.setConditions(json) }

    func setRelease(_ release: String, dist: String) -> String { Bridge.setRelease(release, dist: dist) }

    func addDestinations(_ settings: String, from: String) -> String { Bridge.addDestinations(settings, from: from) }

    func removeDestination(_ name: String) -> String { Bridge.removeDestination(name) }

    func pauseDestination(_ name: String) -> String { Bridge.pauseDestination(name) }

    func resumeDestination(_ name: String) -> String { Bridge.resumeDestination(name) }

    func traceHeaders(_ trace: String, url: String) -> String { Bridge.traceHeaders(trace, url: url) }

    func status() -> String { Bridge.status() }

    func metrics() -> String { Bridge.metrics() }

    func clearMetrics() -> Bool { Bridge.clearMetrics() }

    func takeLog() -> String { Bridge.takeLog() }

    func persist(_ waitMs: Double, answer: @escaping Answer) { Self.later(waitMs, answer) { Bridge.persist(wait: $0) } }

    func flush(_ waitMs: Double, answer: @escaping Answer) { Self.later(waitMs, answer) { Bridge.flush(wait: $0) } }

    func why(_ event: String, waitMs: Double, answer: @escaping Answer) {
        Self.later(waitMs, answer) { Bridge.why(event, wait: $0) }
    }

    func inspect(_ request: String, waitMs: Double, answer: @escaping Answer) {
        Self.later(waitMs, answer) { Bridge.inspect(request, wait: $0) }
    }

    func lastRun(_ waitMs: Double, answer: @escaping Answer) {
        Self.later(waitMs, answer, on: Self.lookingBack) { Bridge.lastRun(wait: $0) }
    }

    func testCrash(_ kind: String) -> String { Bridge.testCrash(kind) }

    func close(_ waitMs: Double, answer: @escaping Answer) { Self.later(waitMs, answer) { Bridge.close(wait: $0) } }
}
