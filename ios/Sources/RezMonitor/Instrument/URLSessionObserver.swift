#if canImport(Darwin)
import Foundation

extension RezMonitor {
    /// Measures all tasks of a session by their task metrics: make it the delegate of the session. Requests of this library are
    /// not recorded.
    ///
    /// ```swift
    /// let session = URLSession(configuration: .default, delegate: RezMonitor.URLSessionObserver(), delegateQueue: nil)
    /// ```
    ///
    /// Do not use `rezData(for:)` with such a session: the call would be recorded twice.
    ///
    /// A delegate of the app inherits from it and calls `super`. It adds no trace headers, which a delegate cannot do:
    /// `URLSession.rezData(for:)` adds them.
    open class URLSessionObserver: NSObject, URLSessionTaskDelegate, @unchecked Sendable {
        /// Records the task.
        open func urlSession(
            _ session: URLSession, task: URLSessionTask, didFinishCollecting metrics: URLSessionTaskMetrics
        ) {
            guard let engine = Engine.current, engine.platform.network,
                let request = task.originalRequest, let url = request.url,
                !OwnRequests.contains(url)
            else { return }
            var timing = Timing.apiCall(
                method: request.httpMethod ?? "GET", url: url.absoluteString, duration: metrics.taskInterval.duration)
            timing.ended = metrics.taskInterval.end
            timing.requestBytes = task.countOfBytesSent
            timing.responseBytes = task.countOfBytesReceived
            if let response = task.response as? HTTPURLResponse {
                timing.status = response.statusCode
            } else if let error = task.error as? URLError {
                guard error.code != .cancelled else { return }
                timing.error = "URLError \(error.code.rawValue)"
            }
            RezMonitor.recordTiming(timing)
        }
    }
}
#endif
