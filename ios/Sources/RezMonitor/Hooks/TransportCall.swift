internal import RezMonitorCore

extension RezMonitor {
    /// A request that the app is sending. Its methods may be called from any thread; the first one ends it.
    public final class TransportCall: Sendable {
        private let call: HostCall

        init(_ call: HostCall) {
            self.call = call
        }

        /// The server has responded. A status outside 0 to 65535 ends the request as ``ambiguous(_:)``.
        public func respond(_ response: TransportResponse) {
            guard let status = UInt16(exactly: response.status) else {
                return call.ambiguous(cause: "the transport responded with a status that is no HTTP status")
            }
            let headers = response.headers.map { TextPair(name: $0.name, value: $0.value) }
            call.respond(response: HostResponse(status: status, headers: headers, body: response.body))
        }

        /// No byte was sent: the server has certainly not received the request.
        ///
        /// - Parameter cause: one sentence for ``RezMonitor/status()``.
        public func notSent(_ cause: String) {
            call.notSent(cause: cause)
        }

        /// The request may have arrived.
        ///
        /// - Parameter cause: one sentence for ``RezMonitor/status()``.
        public func ambiguous(_ cause: String) {
            call.ambiguous(cause: cause)
        }
    }
}
