import Foundation
internal import RezMonitorCore

/// The crashes in a payload of MetricKit: `MXDiagnosticPayload.jsonRepresentation()`.
///
/// What is missing or of another type is left out; what is no payload has no crash. No memory of the process is in a report.
enum CrashDiagnostics {
    /// Crashes of a payload that are read, and frames of a crash.
    private static let most = 64
    /// Of the payload down to a stack, and of so many frames.
    private static let levels = 10 + 2 * most

    /// - Parameter received: the time of a crash whose payload has none.
    static func reports(_ json: Data, received: Date) -> [ExitReport] {
        let shallow = ShallowJSON.cut(json, levels: levels)
        guard let payload = try? JSONDecoder().decode(Members.self, from: shallow) else { return [] }
        let at = payload.text("timeStampEnd").flatMap(time) ?? received
        return payload.objects("crashDiagnostics").prefix(most).map { report($0, at) }
    }

    private static func report(_ crash: Members, _ at: Date) -> ExitReport {
        let about = crash.object("diagnosticMetaData")
        let why = about.text("terminationReason") ?? ""
        var attributes: Members = [:]
        for (name, member) in [
            ("signal", "signal"), ("exception_type", "exceptionType"), ("exception_code", "exceptionCode"),
        ] {
            if let number = about.whole(member) { attributes[name] = .int(Int64(number)) }
        }
        for (name, member) in [
            ("termination_reason", "terminationReason"), ("app_version", "appVersion"),
            ("app_build", "appBuildVersion"), ("os_version", "osVersion"), ("region", "virtualMemoryRegionInfo"),
        ] {
            attributes[name] = about.text(member).map { .string($0) }
        }
        let frames = CallStack.attributed(crash.object("callStackTree"), most: most)
        if !frames.isEmpty { attributes["stack"] = .string(frames.joined(separator: "\n")) }
        return ExitReport(
            pid: about.whole("pid").flatMap { UInt32(exactly: $0) } ?? 0,
            atMs: at.wallMilliseconds,
            reason: isWatchdog(why) ? .anr : .nativeCrash,
            description: [kind(about), why].filter { !$0.isEmpty }.joined(separator: ": "),
            attrs: attributes.core
        )
    }

    /// What the watchdog of the system says about an app that did not respond ("ate bad food").
    private static func isWatchdog(_ why: String) -> Bool { why.lowercased().contains("0x8badf00d") }

    private static func kind(_ about: Members) -> String {
        let exception = about.whole("exceptionType").flatMap { machExceptions[$0] }
        let signal = about.whole("signal").flatMap { signals[$0] }
        return [exception, signal].compactMap { $0 }.joined(separator: " ")
    }

    /// `mach/exception_types.h`.
    private static let machExceptions = [
        1: "EXC_BAD_ACCESS", 2: "EXC_BAD_INSTRUCTION", 3: "EXC_ARITHMETIC", 4: "EXC_EMULATION", 5: "EXC_SOFTWARE",
        6: "EXC_BREAKPOINT", 10: "EXC_CRASH", 11: "EXC_RESOURCE", 12: "EXC_GUARD",
    ]

    /// `signal.h` of Darwin, whose numbers are not those of Linux.
    private static let signals = [
        4: "SIGILL", 5: "SIGTRAP", 6: "SIGABRT", 8: "SIGFPE", 9: "SIGKILL", 10: "SIGBUS", 11: "SIGSEGV", 12: "SIGSYS",
        15: "SIGTERM",
    ]

    /// `2026-11-29 10:00:00`, in UTC.
    private static func time(_ text: String) -> Date? {
        let format = DateFormatter()
        format.locale = Locale(identifier: "en_US_POSIX")
        format.timeZone = TimeZone(secondsFromGMT: 0)
        format.dateFormat = "yyyy-MM-dd HH:mm:ss"
        return format.date(from: text)
    }
}
