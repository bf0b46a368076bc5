import Foundation
import XCTest

@testable import RezMonitor

#if canImport(FoundationNetworking)
import FoundationNetworking
#endif

/// Calls of the app through `URLSession`, against a real server.
final class URLSessionTests: Monitored {
    private var server: LoopbackServer!
    /// Lets the server respond to `/slow`.
    private let release = DispatchSemaphore(value: 0)
    private let recorder = Recorder(Entry.rez.accept)

    override func setUpWithError() throws {
        try super.setUpWithError()
        server = try LoopbackServer { [release] request in
            switch request.path {
            case "/slow":
                release.wait()
                return LoopbackServer.Response()
            case "/moved": return LoopbackServer.Response(status: 302, headers: ["Location": "/elsewhere"])
            case "/other-host":
                return LoopbackServer.Response(status: 302, headers: ["Location": Self.otherHost(of: request)])
            case "/missing": return LoopbackServer.Response(status: 404)
            default: return LoopbackServer.Response(body: Data("hello".utf8))
            }
        }
    }

    override func tearDown() {
        super.tearDown()
        server.stop()
    }

    /// The same server by another name.
    private static func otherHost(of request: LoopbackServer.Request) -> String {
        let host = request.headers["host"] ?? ""
        return "http://\(host.replacingOccurrences(of: "127.0.0.1", with: "localhost"))/elsewhere"
    }

    private func events() async throws -> [Json] {
        let result = await RezMonitor.flush(timeout: 60)
        XCTAssertTrue(result.isComplete, "\(result)")
        return Self.events(try recorder.sent())
    }

    func test_a_call_is_recorded_with_its_status_and_bytes_and_without_its_query() async throws {
        start { $0.transport = recorder }
        let url = try XCTUnwrap(URL(string: server.address + "/orders/17?user=42"))
        let (data, _) = try await URLSession.shared.rezData(from: url)
        XCTAssertEqual(data, Data("hello".utf8))
        let events = try await events()
        XCTAssertEqual(events.map { $0["kind"].text }, ["api_call"])
        let text = events.map(\.json).joined()
        XCTAssertTrue(text.contains("/orders/{id}"), text)
        XCTAssertTrue(text.contains("200"), text)
        XCTAssertFalse(text.contains("user=42"), text)
    }

    func test_a_call_that_fails_is_recorded_and_one_that_is_cancelled_is_not() async throws {
        start { $0.transport = recorder }
        let missing = try XCTUnwrap(URL(string: server.address + "/missing"))
        _ = try await URLSession.shared.rezData(from: missing)
        let ended = expectation(description: "the task has ended")
        let slow = URLRequest(url: try XCTUnwrap(URL(string: server.address + "/slow")))
        let task = URLSession.shared.rezDataTask(with: slow) { _, _, _ in ended.fulfill() }
        task.resume()
        waitForSlow()
        task.cancel()
        await fulfillment(of: [ended], timeout: 60)
        release.signal()
        server.stop()
        await XCTAssertThrowsErrorAsync(try await URLSession.shared.rezData(from: missing))
        RezMonitor.capture(CocoaError(.fileNoSuchFile))
        let events = try await events()
        XCTAssertEqual(events.filter { $0["kind"] == "api_call" }.count, 2)
        let text = events.map(\.json).joined()
        XCTAssertTrue(text.contains("\"category\":\"http\""), text)
        XCTAssertFalse(text.contains("/slow"), "what is not recorded leaves no breadcrumb: \(text)")
    }

    func test_only_an_allowed_host_receives_trace_headers() async throws {
        for (path, target) in [("/a", "127.0.0.1"), ("/b", "api.shop.example")] {
            start {
                $0.transport = recorder
                $0.traceTargets = [target]
            }
            _ = try await URLSession.shared.rezData(from: try XCTUnwrap(URL(string: server.address + path)))
            await RezMonitor.close(timeout: 0)
        }
        XCTAssertNotNil(server.requests.first { $0.path == "/a" }?.headers["traceparent"])
        XCTAssertNil(server.requests.first { $0.path == "/b" }?.headers["traceparent"])
    }

    /// Both ways to make a call.
    private func call(_ request: URLRequest, in session: URLSession = .shared) async throws -> [URLResponse] {
        let (_, response) = try await session.rezData(for: request)
        let other: URLResponse? = await withCheckedContinuation { continuation in
            session.rezDataTask(with: request) { _, response, _ in continuation.resume(returning: response) }.resume()
        }
        return [response, try XCTUnwrap(other)]
    }

    func test_a_redirect_to_a_host_that_is_not_allowed_carries_no_trace_headers() async throws {
        start {
            $0.transport = recorder
            $0.traceTargets = ["127.0.0.1"]
            $0.traceStyles = [.w3c, .datadog]
        }
        var request = URLRequest(url: try XCTUnwrap(URL(string: server.address + "/other-host")))
        request.setValue("kept", forHTTPHeaderField: "X-Of-The-App")
        _ = try await call(request)
        let (first, second) = (requests("/other-host"), requests("/elsewhere"))
        XCTAssertEqual([first.count, second.count], [2, 2])
        for request in first { XCTAssertNotNil(request.headers["traceparent"]) }
        for request in second {
            XCTAssertEqual(request.headers["x-of-the-app"], "kept")
            XCTAssertEqual(request.headers.keys.filter { $0.contains("trace") || $0.hasPrefix("x-datadog") }, [])
        }
    }

    func test_a_redirect_to_an_allowed_host_carries_trace_headers() async throws {
        start {
            $0.transport = recorder
            $0.traceTargets = ["localhost"]
        }
        _ = try await call(URLRequest(url: try XCTUnwrap(URL(string: server.address + "/other-host"))))
        XCTAssertEqual(requests("/other-host").compactMap { $0.headers["traceparent"] }.count, 0)
        XCTAssertEqual(requests("/elsewhere").compactMap { $0.headers["traceparent"] }.count, 2)
    }

    func test_a_header_of_the_app_is_kept_at_a_redirect() async throws {
        start {
            $0.transport = recorder
            $0.traceTargets = ["127.0.0.1"]
        }
        var request = URLRequest(url: try XCTUnwrap(URL(string: server.address + "/other-host")))
        request.setValue("of the app", forHTTPHeaderField: "traceparent")
        _ = try await call(request)
        XCTAssertEqual(requests("/elsewhere").map { $0.headers["traceparent"] }, ["of the app", "of the app"])
    }

    func test_the_delegate_of_the_session_decides_on_a_redirect() async throws {
        final class Refuses: NSObject, URLSessionTaskDelegate {
            func urlSession(
                _ session: URLSession, task: URLSessionTask, willPerformHTTPRedirection response: HTTPURLResponse,
                newRequest request: URLRequest, completionHandler: @escaping @Sendable (URLRequest?) -> Void
            ) {
                completionHandler(nil)
            }
        }
        start { $0.transport = recorder }
        let session = URLSession(configuration: .ephemeral, delegate: Refuses(), delegateQueue: nil)
        defer { session.invalidateAndCancel() }
        let url = try XCTUnwrap(URL(string: server.address + "/other-host"))
        let responses = try await call(URLRequest(url: url), in: session)
        XCTAssertEqual(responses.map { ($0 as? HTTPURLResponse)?.statusCode }, [302, 302])
        XCTAssertEqual(requests("/elsewhere").count, 0)
    }

    func test_a_call_ends_when_its_task_is_cancelled() async throws {
        start { $0.transport = recorder }
        let slow = try XCTUnwrap(URL(string: server.address + "/slow"))
        let running = Task { try await URLSession.shared.rezData(from: slow) }
        waitForSlow()
        running.cancel()
        let early = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            return try await URLSession.shared.rezData(from: slow)
        }
        for result in [await running.result, await early.result] {
            XCTAssertThrowsError(try result.get()) { error in
                XCTAssertEqual((error as? URLError)?.code, .cancelled, "\(error)")
            }
        }
        release.signal()
        release.signal()
        let events = try await events()
        XCTAssertEqual(events.count, 0)
    }

    /// Waits until the server has the request.
    private func waitForSlow() {
        XCTAssertTrue(waitUntil { !requests("/slow").isEmpty })
    }

    private func requests(_ path: String) -> [LoopbackServer.Request] {
        server.requests.filter { $0.path == path }
    }

    func test_a_call_is_a_breadcrumb_of_a_later_error_without_its_query() async throws {
        start { $0.transport = recorder }
        _ = try await URLSession.shared.rezData(from: try XCTUnwrap(URL(string: server.address + "/a?key=secret-1")))
        RezMonitor.capture(CocoaError(.fileNoSuchFile))
        let text = try await events().map(\.json).joined()
        XCTAssertTrue(text.contains("\"category\":\"http\""), text)
        XCTAssertFalse(text.contains("secret-1"), text)
    }

    func test_nothing_is_recorded_and_no_header_is_sent_while_the_setting_network_is_false() async throws {
        start {
            $0.transport = recorder
            $0.network = false
            $0.traceTargets = ["127.0.0.1"]
        }
        _ = try await URLSession.shared.rezData(from: try XCTUnwrap(URL(string: server.address + "/a")))
        XCTAssertNil(server.requests[0].headers["traceparent"])
        let events = try await events()
        XCTAssertEqual(events.count, 0)
    }

    func test_the_transport_of_the_library_sends_follows_no_redirect_and_is_not_recorded() async throws {
        let address = server.address
        start { $0.destinations = [.rez(endpoint: address, key: "write-key")] }
        RezMonitor.logEvent("sent")
        // The server answers no document of ours, so the event stays; what counts is what was sent.
        _ = await RezMonitor.flush(timeout: 10)
        let sent = try XCTUnwrap(server.requests.first)
        XCTAssertEqual(sent.method, "POST")
        XCTAssertEqual(Bytes.crc32(Data()), "00000000")
        XCTAssertTrue(try Bytes.gunzip(sent.body).contains("sent"))
        XCTAssertNil(sent.headers["cookie"])
        XCTAssertFalse(try server.requests.map { try Bytes.gunzip($0.body) }.contains { $0.contains("api_call") })
    }

    func test_a_transport_of_the_app_that_measures_its_requests_records_none_of_ours() async throws {
        let (address, recorder) = (server.address, recorder)
        start {
            $0.destinations = [.rez(endpoint: address, key: "write-key")]
            $0.transport = ClosureTransport { request, call in
                var outgoing = URLRequest(url: try XCTUnwrap(URL(string: request.url)))
                outgoing.httpMethod = "POST"
                outgoing.httpBody = request.body
                URLSession.shared.rezDataTask(with: outgoing) { _, _, _ in
                    // Responds as the backend does.
                    try? recorder.send(request, call: call)
                }.resume()
            }
        }
        RezMonitor.logEvent("sent")
        let first = try await events()
        XCTAssertEqual(first.count, 1)
        RezMonitor.capture(CocoaError(.fileNoSuchFile))
        let all = try await events()
        XCTAssertEqual(all.prefix(3).map { $0["kind"].text }, ["analytics", "error"])
        XCTAssertFalse(all.map(\.json).joined().contains("\"category\":\"http\""), "neither is there a breadcrumb")
        XCTAssertEqual(server.requests.count, 2)
    }

    func test_the_transport_says_whether_a_byte_was_sent() async throws {
        let address = server.address
        server.stop()
        start { $0.destinations = [.rez(endpoint: address, key: "write-key")] }
        RezMonitor.logEvent("kept")
        let result = await RezMonitor.flush(timeout: 20)
        XCTAssertEqual(result.destinations.map(\.left), [1])
        let held = try XCTUnwrap(result.destinations[0].held)
        XCTAssertTrue(["unreachable", "no_answer"].contains(held.code), "\(held)")
    }
}

extension Data {
    func contains(_ text: String) -> Bool {
        range(of: Data(text.utf8)) != nil
    }
}

func XCTAssertThrowsErrorAsync<Result>(
    _ body: @autoclosure () async throws -> Result, file: StaticString = #filePath, line: UInt = #line
) async {
    do {
        _ = try await body()
        XCTFail("nothing was thrown", file: file, line: line)
    } catch {}
}
