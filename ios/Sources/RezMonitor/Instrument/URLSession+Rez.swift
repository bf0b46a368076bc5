import Foundation

#if canImport(FoundationNetworking)
import FoundationNetworking
#endif

extension URLSession {
    /// Makes a data task that is measured, as `dataTask(with:completionHandler:)` makes one.
    ///
    /// The call is recorded when the response is complete, inside the screen that is loading, and as a breadcrumb without its
    /// query. Hosts in the setting `traceTargets` receive trace headers; no other host does, not even after a redirect. A task
    /// that is cancelled is not recorded. Requests of this library are never recorded.
    ///
    /// The task has a delegate of this library, which checks the host of a redirect and then asks the delegate of the session.
    /// An app that sets another delegate of the task removes the trace headers at a redirect itself.
    ///
    /// - Parameters:
    ///   - request: the request.
    ///   - parent: the span in which it lies. Default: the screen that is loading.
    ///   - completionHandler: is called on the queue of the session, with what the session gives.
    /// - Returns: the task, which is not resumed yet. The time begins with this call.
    public func rezDataTask(
        with request: URLRequest, parent: RezMonitor.TraceContext? = nil,
        completionHandler: @escaping @Sendable (Data?, URLResponse?, (any Error)?) -> Void
    ) -> URLSessionDataTask {
        TrackedRequest(request, parent: parent).task(in: self, completionHandler)
    }

    /// Loads data and measures the call; see ``rezDataTask(with:parent:completionHandler:)``.
    ///
    /// - Parameters:
    ///   - request: the request.
    ///   - parent: the span in which it lies. Default: the screen that is loading.
    /// - Throws: what `data(for:)` throws; `URLError.cancelled` if the Swift task is cancelled.
    public func rezData(
        for request: URLRequest, parent: RezMonitor.TraceContext? = nil
    ) async throws -> (Data, URLResponse) {
        // `data(for:delegate:)` does not ask its delegate on Linux.
        let running = Locked<URLSessionTask?>(nil)
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let task = rezDataTask(with: request, parent: parent) { data, response, error in
                    if let error { return continuation.resume(throwing: error) }
                    guard let response else { return continuation.resume(throwing: URLError(.badServerResponse)) }
                    continuation.resume(returning: (data ?? Data(), response))
                }
                running.with { $0 = task }
                task.resume()
                // It may have been cancelled before the task was there.
                if Task.isCancelled { task.cancel() }
            }
        } onCancel: {
            running.with { $0 }?.cancel()
        }
    }

    /// Loads the data of a URL and measures the call; see ``rezDataTask(with:parent:completionHandler:)``.
    public func rezData(from url: URL) async throws -> (Data, URLResponse) {
        try await rezData(for: URLRequest(url: url))
    }
}
