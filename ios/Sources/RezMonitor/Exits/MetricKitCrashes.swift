#if canImport(MetricKit)
import Foundation
import MetricKit
internal import RezMonitorCore

/// Takes the crash reports of MetricKit, which the system delivers soon after the start of the app.
@available(iOS 15.0, macOS 12.0, visionOS 1.0, *)
final class MetricKitCrashes: NSObject, MXMetricManagerSubscriber {
    /// In order, and not on a thread of the system: storing a report waits for the disk.
    private static let queue = DispatchQueue(label: "app.rez.monitor.exits", qos: .utility)

    /// The system tells nobody that it has no report. Who asks for the last crash waits for this long; the engine waits longer, and what
    /// comes later is taken too.
    private static let patience: TimeInterval = 3

    static func follow() -> Undo {
        let subscriber = MetricKitCrashes()
        ExitReports.expect()
        MXMetricManager.shared.add(subscriber)
        // Those that could not be recorded when they came. The engine counts each once. The report about the last run may still come, so
        // they end no wait.
        queue.async { Self.tell(MXMetricManager.shared.pastDiagnosticPayloads) }
        let giveUp = DispatchWorkItem { ExitReports.settle() }
        queue.asyncAfter(deadline: .now() + patience, execute: giveUp)
        nonisolated(unsafe) let (followed, waiting) = (subscriber, giveUp)
        return {
            waiting.cancel()
            MXMetricManager.shared.remove(followed)
            ExitReports.settle()
        }
    }

    /// - Returns: whether there was a crash among them.
    @discardableResult
    private static func tell(_ payloads: [MXDiagnosticPayload]) -> Bool {
        let received = Date()
        let sorted = payloads.sorted { $0.timeStampEnd < $1.timeStampEnd }
        let crashes = sorted.flatMap { CrashDiagnostics.reports($0.jsonRepresentation(), received: received) }
        if !crashes.isEmpty { ExitReports.tell(crashes) }
        return !crashes.isEmpty
    }

    func didReceive(_ payloads: [MXDiagnosticPayload]) {
        nonisolated(unsafe) let payloads = payloads
        Self.queue.async {
            if Self.tell(payloads) { ExitReports.settle() }
        }
    }
}
#endif
