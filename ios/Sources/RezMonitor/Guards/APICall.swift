internal import RezMonitorCore

extension RezMonitor {
    /// An HTTP call in progress. It ends once: a later end does nothing. Released without an end, it is not recorded.
    public final class APICall: Sendable {
        private let core: RezMonitorCore.ApiCall?

        init(_ core: RezMonitorCore.ApiCall?) {
            self.core = core
        }

        /// Its span; `nil` after its end, or without an engine.
        public var trace: TraceContext? { core?.context().map(TraceContext.init) }

        /// The trace headers to send with the request. Empty unless the host is in the setting `traceTargets`.
        public var headers: [Header] { core?.headers().map { Header(name: $0.name, value: $0.value) } ?? [] }

        /// Sets the number of bytes of the request.
        public func setRequestBytes(_ bytes: Int64) {
            core?.requestBytes(bytes: UInt64(clamping: bytes))
        }

        /// Ends and records it: a response came.
        ///
        /// - Parameters:
        ///   - status: the HTTP status.
        ///   - responseBytes: the bytes received.
        @discardableResult
        public func finish(status: Int, responseBytes: Int64 = 0) -> Outcome {
            let (status, bytes) = (UInt16(clamping: status), UInt64(clamping: responseBytes))
            return core.map { Outcome($0.finish(status: status, bytes: bytes)) } ?? .closed
        }

        /// Ends and records it: no response came.
        ///
        /// - Parameter error: why.
        @discardableResult
        public func fail(error: String) -> Outcome {
            core.map { Outcome($0.fail(error: error)) } ?? .closed
        }

        /// Ends it without a record.
        public func cancel() {
            core?.cancel()
        }
    }
}
