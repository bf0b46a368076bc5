import Foundation

#if canImport(FoundationNetworking)
import FoundationNetworking
#endif

/// The trace headers of one call. As the delegate of its task it checks the host of each redirect, since the session copies all
/// headers to the next request.
final class TraceHeaders: NSObject, URLSessionTaskDelegate, Sendable {
    private let trace: RezMonitor.TraceContext
    /// Names of the headers that were added. What the app has set is never changed.
    private let added = Locked<[String]>([])

    init(_ trace: RezMonitor.TraceContext) {
        self.trace = trace
    }

    /// The request with the trace headers that its host may receive, and with none that another host has received.
    func replaced(in request: URLRequest) -> URLRequest {
        var request = request
        let allowed = RezMonitor.traceHeaders(for: trace, url: request.url?.absoluteString ?? "")
        added.with { added in
            for name in added { request.setValue(nil, forHTTPHeaderField: name) }
            let new = allowed.filter { request.value(forHTTPHeaderField: $0.name) == nil }
            for header in new { request.setValue(header.value, forHTTPHeaderField: header.name) }
            added = new.map(\.name)
        }
        return request
    }

    /// The delegate of the session, which the session does not ask once the task has one, decides on the redirect.
    func urlSession(
        _ session: URLSession, task: URLSessionTask, willPerformHTTPRedirection response: HTTPURLResponse,
        newRequest request: URLRequest, completionHandler: @escaping @Sendable (URLRequest?) -> Void
    ) {
        let request = replaced(in: request)
        guard let delegate = session.delegate as? any URLSessionTaskDelegate else { return completionHandler(request) }
        #if canImport(FoundationNetworking)
        delegate.urlSession(
            session, task: task, willPerformHTTPRedirection: response, newRequest: request,
            completionHandler: completionHandler)
        #else
        let asked: Void? = delegate.urlSession?(
            session, task: task, willPerformHTTPRedirection: response, newRequest: request,
            completionHandler: completionHandler)
        if asked == nil { completionHandler(request) }
        #endif
    }
}
