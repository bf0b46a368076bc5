import Foundation

extension RezMonitor {
    /// Sends the requests of the library with an HTTP client of the app.
    ///
    /// The order of the calls:
    ///
    /// - ``send(_:call:)`` starts a request, on a thread of the library. It returns at once.
    ///   - The request runs on a thread of the app. It follows no redirect, keeps no cookie, repeats nothing and gives up
    ///     connecting after 10 s.
    ///   - It ends with one call of ``TransportCall/respond(_:)``, ``TransportCall/notSent(_:)`` or
    ///     ``TransportCall/ambiguous(_:)``. A second one is ignored.
    /// - If `send` throws, or the call is released without an end, the library treats the request as sent without a
    ///   response: it may have arrived.
    ///
    /// An implementation must not wait inside `send`. An event that it records there is refused as `reentrant`, so that no
    /// request is the reason for another. On its own threads it must not record anything for each request.
    public protocol Transport: Sendable {
        /// Starts a request.
        func send(_ request: TransportRequest, call: TransportCall) throws
    }

    /// An HTTP request, to be sent as it is, by POST, once.
    public struct TransportRequest: Sendable, Hashable {
        /// Absolute URL.
        public let url: String
        /// Each name at most once.
        public let headers: [Header]
        /// The body.
        public let body: Data
    }

    /// The response of a server.
    public struct TransportResponse: Sendable, Hashable {
        /// HTTP status.
        public var status: Int
        /// Headers, of which the library reads `retry-after`, `date` and the rate limits of vendors.
        public var headers: [Header]
        /// The body, of which the library reads the first 64 KiB.
        public var body: Data

        /// Makes a response.
        public init(status: Int, headers: [Header] = [], body: Data = Data()) {
            self.status = status
            self.headers = headers
            self.body = body
        }
    }

    /// An HTTP header.
    public struct Header: Sendable, Hashable {
        /// The name.
        public let name: String
        /// The value.
        public let value: String

        /// Makes a header.
        public init(name: String, value: String) {
            self.name = name
            self.value = value
        }
    }
}
