import Foundation

#if canImport(os)
import os
#endif

/// Where messages for developers go: to the app's logger, or else to the console; nowhere while `debug` is false.
struct FaceLogger: Sendable {
    private let sink: (@Sendable (RezMonitor.LogMessage) -> Void)?

    init(_ settings: RezMonitor.Settings) {
        guard settings.debug == true else {
            sink = nil
            return
        }
        let listener = settings.logger ?? Self.console
        sink = { message in
            DeveloperLog.add(message)
            listener(message)
        }
    }

    /// Whether somebody hears.
    var isUsed: Bool { sink != nil }

    func log(_ level: RezMonitor.LogMessage.Level, _ code: String, _ text: String) {
        sink?(RezMonitor.LogMessage(level: level, code: code, text: text))
    }

    private static let console: @Sendable (RezMonitor.LogMessage) -> Void = { message in
        #if canImport(os)
        let log = Logger(subsystem: "app.rez.monitor", category: message.code)
        switch message.level {
        case .error: log.error("\(message.description, privacy: .public)")
        case .warning: log.warning("\(message.description, privacy: .public)")
        case .info: log.info("\(message.description, privacy: .public)")
        }
        #else
        FileHandle.standardError.write(Data((message.description + "\n").utf8))
        #endif
    }
}
