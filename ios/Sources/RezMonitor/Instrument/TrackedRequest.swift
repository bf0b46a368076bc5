import Foundation

#if canImport(FoundationNetworking)
import FoundationNetworking
#endif

/// A request of the app that is measured, from the call to the response.
struct TrackedRequest: Sendable {
    /// The request with the trace headers that its host may receive.
    let request: URLRequest
    private let headers: TraceHeaders?
    private let call: RezMonitor.APICall?
    private let crumbs: Bool

    init(_ request: URLRequest, parent: RezMonitor.TraceContext? = nil) {
        guard let engine = Engine.current, engine.platform.network, let url = request.url,
            !OwnRequests.contains(url)
        else {
            (self.request, headers, call, crumbs) = (request, nil, nil, false)
            return
        }
        let call = RezMonitor.trackAPICall(
            method: request.httpMethod ?? "GET", url: url.absoluteString, parent: parent)
        if let body = request.httpBody { call.setRequestBytes(Int64(body.count)) }
        headers = call.trace.map(TraceHeaders.init)
        self.request = headers?.replaced(in: request) ?? request
        (self.call, crumbs) = (call, engine.platform.breadcrumbNetwork)
    }

    /// Makes the task of the request.
    func task(
        in session: URLSession, _ ended: @escaping @Sendable (Data?, URLResponse?, (any Error)?) -> Void
    ) -> URLSessionDataTask {
        let task = session.dataTask(with: request) { data, response, error in
            self.ended(response, bytes: data?.count ?? 0, error)
            ended(data, response, error)
        }
        if let headers { task.delegate = headers }
        return task
    }

    private func ended(_ response: URLResponse?, bytes: Int, _ error: (any Error)?) {
        guard let call else { return }
        let status = (response as? HTTPURLResponse)?.statusCode
        let outcome: RezMonitor.Outcome
        if let status {
            outcome = call.finish(status: status, responseBytes: Int64(bytes))
        } else if (error as? URLError)?.code == .cancelled {
            // The app gave it up, so it says nothing about the server.
            return call.cancel()
        } else {
            outcome = call.fail(error: (error as? URLError).map { "URLError \($0.code.rawValue)" } ?? "no response")
        }
        if crumbs, outcome.id != nil { addBreadcrumb(status) }
    }

    private func addBreadcrumb(_ status: Int?) {
        let method = request.httpMethod ?? "GET"
        let address = request.url.map(Self.withoutQuery) ?? ""
        var data: RezMonitor.Attributes = ["method": .string(method), "url": .string(address)]
        if let status { data["status_code"] = .int(Int64(status)) }
        RezMonitor.addBreadcrumb(
            .init(category: "http", message: "\(method) \(address)", type: "http", data: data))
    }

    private static func withoutQuery(_ url: URL) -> String {
        guard var parts = URLComponents(url: url, resolvingAgainstBaseURL: true) else { return "" }
        parts.query = nil
        parts.fragment = nil
        parts.user = nil
        parts.password = nil
        return parts.string ?? ""
    }
}
