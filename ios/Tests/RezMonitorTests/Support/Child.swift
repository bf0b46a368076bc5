import Foundation

/// A process of the program `Probe`, which SwiftPM builds beside the tests.
final class Child {
    private let process = Process()
    private let input = Pipe()
    private let output = Pipe()
    private var rest = ""

    init(_ arguments: [String], environment: [String: String] = [:]) throws {
        process.executableURL = Self.folder.appendingPathComponent("Probe")
        process.arguments = arguments
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { _, new in new }
        process.standardInput = input
        process.standardOutput = output
        try process.run()
    }

    private static var folder: URL {
        URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent()
    }

    /// Reads lines until one is `last`, or the process ends.
    func lines(until last: String) -> [String] {
        var lines: [String] = []
        while let line = nextLine() {
            lines.append(line)
            if line == last { break }
        }
        return lines
    }

    private func nextLine() -> String? {
        while true {
            if let end = rest.firstIndex(of: "\n") {
                let line = String(rest[..<end])
                rest = String(rest[rest.index(after: end)...])
                return line
            }
            let data = output.fileHandleForReading.availableData
            if data.isEmpty { return nil }
            rest += String(decoding: data, as: UTF8.self)
        }
    }

    var pid: UInt32 { UInt32(process.processIdentifier) }

    func kill() {
        Foundation.kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
    }

    /// Ends its input and returns its exit code.
    func end() -> Int32 {
        try? input.fileHandleForWriting.close()
        process.waitUntilExit()
        return process.terminationStatus
    }
}
