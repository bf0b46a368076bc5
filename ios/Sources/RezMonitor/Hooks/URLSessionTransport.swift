import Foundation

#if canImport(FoundationNetworking)
import FoundationNetworking
#endif

extension RezMonitor {
    /// Sends requests with a `URLSession` of its own: no cache, no cookies, no redirects, no credentials of the app.
    ///
    /// It uses the proxy and the trusted roots of the system, and App Transport Security.
    public final class URLSessionTransport: Transport {
        private let session: URLSession

        /// Makes a transport.
        ///
        /// - Parameter timeout: seconds without a byte of the server after which a request ends.
        public init(timeout: TimeInterval = 30) {
            let configuration = URLSessionConfiguration.ephemeral
            configuration.httpShouldSetCookies = false
            configuration.httpCookieAcceptPolicy = .never
            configuration.httpCookieStorage = nil
            configuration.urlCache = nil
            configuration.urlCredentialStorage = nil
            configuration.requestCachePolicy = .reloadIgnoringLocalCacheData
            configuration.timeoutIntervalForRequest = timeout
            configuration.timeoutIntervalForResource = 2 * timeout
            session = URLSession(configuration: configuration, delegate: NoRedirects(), delegateQueue: nil)
        }

        deinit {
            // A session with a delegate lives until it is invalidated. Requests in flight end first.
            session.finishTasksAndInvalidate()
        }

        /// Starts a request.
        public func send(_ request: TransportRequest, call: TransportCall) throws {
            guard let url = URL(string: request.url) else {
                return call.notSent("the URL cannot be parsed")
            }
            var outgoing = URLRequest(url: url)
            outgoing.httpMethod = "POST"
            outgoing.httpBody = request.body
            for header in request.headers {
                outgoing.setValue(header.value, forHTTPHeaderField: header.name)
            }
            let task = session.dataTask(with: outgoing) { body, response, error in
                if let response = response as? HTTPURLResponse {
                    call.respond(TransportResponse(response, body: body))
                } else {
                    Self.end(call, with: error)
                }
            }
            task.resume()
        }

        private static func end(_ call: TransportCall, with error: (any Error)?) {
            guard let error = error as? URLError else {
                return call.ambiguous("the request ended without a response")
            }
            let cause = "URLSession error \(error.code.rawValue)"
            if beforeTheFirstByte.contains(error.code) {
                call.notSent(cause)
            } else {
                call.ambiguous(cause)
            }
        }

        /// Errors that happen before a byte of the request is sent.
        private static let beforeTheFirstByte: Set<URLError.Code> = [
            .badURL, .unsupportedURL, .cannotFindHost, .cannotConnectToHost, .dnsLookupFailed, .notConnectedToInternet,
            .internationalRoamingOff, .callIsActive, .dataNotAllowed, .secureConnectionFailed,
            .serverCertificateHasBadDate, .serverCertificateUntrusted, .serverCertificateHasUnknownRoot,
            .serverCertificateNotYetValid, .clientCertificateRejected, .clientCertificateRequired,
            .appTransportSecurityRequiresSecureConnection,
        ]
    }
}

extension RezMonitor.TransportResponse {
    init(_ response: HTTPURLResponse, body: Data?) {
        let headers = response.allHeaderFields.compactMap { name, value in
            (name as? String).map { RezMonitor.Header(name: $0, value: String(describing: value)) }
        }
        // The core reads 1 MiB of it and knows that there was more.
        self.init(status: response.statusCode, headers: headers, body: body ?? Data())
    }
}

/// Answers every redirect with the response itself, so that no key is sent to another host.
private final class NoRedirects: NSObject, URLSessionTaskDelegate {
    func urlSession(
        _ session: URLSession, task: URLSessionTask, willPerformHTTPRedirection response: HTTPURLResponse,
        newRequest request: URLRequest, completionHandler: @escaping @Sendable (URLRequest?) -> Void
    ) {
        completionHandler(nil)
    }
}
