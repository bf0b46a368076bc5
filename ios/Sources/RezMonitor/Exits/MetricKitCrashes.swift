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
        // Those that could not be recorded when they came. The engine counts each once.
        subscriber.didReceive(MXMetricManager.shared.pastDiagnosticPayloads)
        let giveUp = DispatchWorkItem { ExitReports.settle() }
        queue.asyncAfter(deadline: .now() + patience, execute: giveUp)
        nonisolated(unsafe) let (followed, waiting) = (subscriber, giveUp)
        return {
            waiting.cancel()
            MXMetricManager.shared.remove(followed)
            ExitReports.settle()
        }
    }

    private static func tell(_ crashes: [ExitReport]) {
        ExitReports.tell(crashes)
        ExitReports.settle()
    }

    func didReceive(_ payloads: [MXDiagnosticPayload]) {
        let received = Date()
        let all = payloads.sorted { $0.timeStampEnd < $1.timeStampEnd }.map { $0.jsonRepresentation() }
        Self.queue.async {
            let crashes = all.flatMap { CrashDiagnostics.reports($0, received: received) }
            if !crashes.isEmpty { Self.tell(crashes) }
        }
    }
}
#endif
