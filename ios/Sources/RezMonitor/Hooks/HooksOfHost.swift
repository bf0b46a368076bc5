internal import RezMonitorCore

/// The hooks of the app as the core calls them. What they throw, the core answers; nothing of it leaves the library.
enum HooksOfHost {
    static func make(_ settings: RezMonitor.Settings, _ logger: FaceLogger) -> Hooks {
        Hooks(
            transport: Sender(transport: settings.transport ?? RezMonitor.URLSessionTransport()),
            beforeSend: settings.beforeSend.map(Filter.init),
            logger: logger.isUsed ? Listener(logger: logger) : nil
        )
    }

    private final class Sender: HostTransport {
        let transport: any RezMonitor.Transport

        init(transport: any RezMonitor.Transport) {
            self.transport = transport
        }

        func send(request: HostRequest, call: HostCall) throws {
            OwnRequests.add(request.url)
            let headers = request.headers.map { RezMonitor.Header(name: $0.name, value: $0.value) }
            let request = RezMonitor.TransportRequest(url: request.url, headers: headers, body: request.body)
            try transport.send(request, call: RezMonitor.TransportCall(call))
        }
    }

    private final class Filter: BeforeSend {
        let hook: @Sendable (RezMonitor.PendingEvent) throws -> RezMonitor.PendingEvent?

        init(_ hook: @escaping @Sendable (RezMonitor.PendingEvent) throws -> RezMonitor.PendingEvent?) {
            self.hook = hook
        }

        func beforeSend(kind: String, rowJson: String) throws -> String? {
            try hook(RezMonitor.PendingEvent(kind: kind, json: rowJson))?.json
        }
    }

    private final class Listener: HostLogger {
        let logger: FaceLogger

        init(logger: FaceLogger) {
            self.logger = logger
        }

        func log(level: String, code: String, text: String) throws {
            logger.log(RezMonitor.LogMessage.Level(rawValue: level) ?? .info, code, text)
        }
    }
}
