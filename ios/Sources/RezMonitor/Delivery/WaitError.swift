internal import RezMonitorCore

extension RezMonitor {
    /// Why a call that waits has failed. The text says it in one sentence.
    public enum WaitError: Error, Sendable, Hashable, CustomStringConvertible {
        /// It has not finished in time. The work continues in the background.
        case timeout(String)
        /// The queue cannot be used now; see ``RezMonitor/status()``. Events are kept in memory meanwhile.
        case unavailable(String)
        /// Nothing was started, or it is closed.
        case closed(String)
        /// A value is wrong. The text names it and what to use.
        case wrongValue(String)

        /// The sentence.
        public var text: String {
            switch self {
            case .timeout(let text), .unavailable(let text), .closed(let text), .wrongValue(let text): text
            }
        }

        /// The sentence.
        public var description: String { text }
    }
}

typealias WaitError = RezMonitor.WaitError

extension RezMonitor.WaitError {
    static let notStarted = RezMonitor.WaitError.closed("REZ Monitor is not started, or it is closed")

    init(_ error: any Error) {
        switch error as? CallError {
        case .Timeout(let text): self = .timeout(text)
        case .Unavailable(let text): self = .unavailable(text)
        case .Closed(let text): self = .closed(text)
        case .Wrong(let text): self = .wrongValue(text)
        case nil: self = .unavailable(String(describing: error))
        }
    }
}
