import Foundation
import RezMonitor
import RezMonitorCore

// What a call costs its caller, in the form of the lines of `cargo xtask bench`. Run it in the release configuration against a
// release build of the library: `cargo xtask bench --swift`.

/// The events between two waits for the disk: about a third of the ring.
let burst = 1_000
let isQuick = CommandLine.arguments.contains("--quick")
let bursts = isQuick ? 10 : 60

func now() -> UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
}

/// Sorted nanoseconds of a call, without the cost of reading the clock.
func measure(_ call: (Int) -> Bool) -> (times: [Double], refused: Int) {
    let clock = (0..<20_000).map { _ in Double(now().distance(to: now())) }.sorted()[10_000]
    var times: [Double] = []
    var refused = 0
    times.reserveCapacity(bursts * burst)
    for _ in 0..<bursts {
        for number in 0..<burst {
            let began = now()
            let isRecorded = call(number)
            times.append(max(0, Double(now() - began) - clock))
            refused += isRecorded ? 0 : 1
        }
        RezMonitor.persistAndWait(timeout: 60)
    }
    return (times.sorted(), refused)
}

func say(_ name: String, _ measured: (times: [Double], refused: Int), floor: Double?, target: Double?, _ note: String) {
    func number(_ value: Double) -> String { String(format: "%.0f", value) }
    let p50 = measured.times[measured.times.count / 2]
    let p99 = measured.times[measured.times.count * 99 / 100]
    let columns = [
        name.padding(toLength: 30, withPad: " ", startingAt: 0), number(p50) + " ns",
        floor.map { "generated_call " + number($0) } ?? "-", target.map(number) ?? "-",
        target.map { p50 <= $0 ? "yes" : "NO" } ?? "-",
        "p99 \(number(p99)) ns; \(measured.refused) refused; \(note)",
    ]
    print(columns.joined(separator: " | "))
}

let folder = FileManager.default.temporaryDirectory.appendingPathComponent("rez-bench-\(UUID().uuidString)")
var settings = RezMonitor.Settings()
settings.folder = folder.path
settings.app = "bench"
settings.release = "bench@1.0.0+1"
settings.consentMonitoring = .granted
settings.consentAnalytics = .granted
settings.sessions = false
settings.hangs = false
RezMonitor.start(settings: settings)
RezMonitor.persistAndWait(timeout: 60)

let five: RezMonitor.Attributes = [
    "order": "RZ-1042", "items": 3, "total": 1499.5, "member": true, "store": "pune-04",
]
let two: RezMonitor.Attributes = ["order": "RZ-1042", "items": 3]

func timing(_ attributes: RezMonitor.Attributes) -> RezMonitor.Timing {
    var timing = RezMonitor.Timing.apiCall(
        method: "GET", url: "https://api.example.com/v1/products/42", duration: 0.12)
    timing.status = 200
    timing.requestBytes = 312
    timing.responseBytes = 20_480
    timing.attributes = attributes
    return timing
}

/// The generated call with a record that is made before: the least that the face can add to.
func generated(_ attributes: [RezMonitorCore.Attr]) -> RezMonitorCore.Timing {
    RezMonitorCore.Timing(
        kind: .apiCall, name: "https://api.example.com/v1/products/42", durationUs: 120_000, method: "GET",
        startedMs: nil, atMs: nil, initialUs: nil, status: 200, requestBytes: 312, responseBytes: 20_480, error: nil,
        endpoint: nil, requestHeaders: [], responseHeaders: [], trace: nil, attrs: attributes, targets: [])
}

let coreTwo: [RezMonitorCore.Attr] = [
    Attr(name: "items", value: .int(value: 3)), Attr(name: "order", value: .text(value: "RZ-1042")),
]
// A handle that is not known: the call crosses and comes back, and nothing is recorded.
let crossing = measure { _ in
    _ = RezMonitorCore.timing(handle: 0, event: generated(coreTwo))
    return true
}
say("swift_crossing", crossing, floor: nil, target: nil, "the generated call with 2 attributes, nothing recorded")
let floor = crossing.times[crossing.times.count / 2]

let byFace = measure { _ in RezMonitor.recordTiming(timing(two)).id != nil }
say("swift_record_timing", byFace, floor: floor, target: 1_000, "an API call with 2 attributes")
let withFive = measure { _ in RezMonitor.recordTiming(timing(five)).id != nil }
say("swift_record_timing_5", withFive, floor: floor, target: 1_500, "an API call with 5 attributes")
let crumbs = measure { _ in
    RezMonitor.addBreadcrumb(category: "ui.click", message: "Pay")
    return true
}
say("swift_breadcrumb", crumbs, floor: nil, target: 1_000, "no data")
let bare = measure { _ in RezMonitor.logEvent("login").id != nil }
say("swift_log_event", bare, floor: nil, target: 1_000, "no attributes")

RezMonitor.closeAndWait(timeout: 0)
try? FileManager.default.removeItem(at: folder)
