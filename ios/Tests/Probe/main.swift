import Foundation
import RezMonitor

// A process that a test starts and kills.
//
//   Probe record <folder> <count>   records events, prints each that is stored, then waits for the end of its input
//   Probe hold <folder>             starts, prints `started`, then waits for the end of its input

let arguments = CommandLine.arguments

/// Prints a line at once; `print` keeps lines until the buffer is full, and a killed process loses them.
@Sendable func say(_ line: String) {
    FileHandle.standardOutput.write(Data((line + "\n").utf8))
}

RezMonitor.start { settings in
    settings.app = "probe"
    settings.release = "probe@1"
    settings.folder = arguments[2]
    settings.consentAnalytics = .granted
    settings.sessions = false
    settings.debug = true
    settings.logger = { say("log \($0.code)") }
}
say(RezMonitor.isStarted ? "started" : "not started")

if arguments[1] == "record" {
    for number in 0..<(Int(arguments[3]) ?? 0) {
        if RezMonitor.logEvent("probe", ["number": .int(Int64(number))]).id != nil { say("recorded \(number)") }
    }
    say("done")
}
while readLine() != nil {}
