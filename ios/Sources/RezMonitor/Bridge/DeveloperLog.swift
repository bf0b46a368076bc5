/// The last messages for a developer, until a layer in another language takes them. Only while `debug` is true.
enum DeveloperLog {
    private static let most = 100
    private static let messages = Locked<[RezMonitor.LogMessage]>([])

    static func add(_ message: RezMonitor.LogMessage) {
        messages.with { messages in
            if messages.count == most { messages.removeFirst() }
            messages.append(message)
        }
    }

    static func take() -> [RezMonitor.LogMessage] {
        messages.with { messages in
            defer { messages = [] }
            return messages
        }
    }
}
