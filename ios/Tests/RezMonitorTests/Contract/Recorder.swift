import Foundation

@testable import RezMonitor

/// A request with its body before compression.
struct Sent: Sendable {
    let url: String
    let headers: [String: String]
    let plain: Data

    init(_ request: RezMonitor.TransportRequest) throws {
        url = request.url
        headers = Dictionary(request.headers.map { ($0.name, $0.value) }) { one, _ in one }
        guard headers.count == request.headers.count else { throw Wrong("a header is there twice") }
        plain = headers["Content-Encoding"] == "gzip" ? try Bytes.gunzip(request.body) : request.body
    }

    /// Whether it is the request that is written down. The content cannot differ if length and checksum are equal.
    func equals(_ written: Json) -> Bool {
        written["url"].text == url && written["headers"].members.mapValues(\.text) == headers.mapValues(Optional.some)
            && written["bytes"].int == Int64(plain.count) && written["crc32"].text == Bytes.crc32(plain)
    }

    var shown: String {
        "\(url) \(headers) \(plain.count) bytes: \(String(decoding: plain.prefix(2_000), as: UTF8.self))"
    }
}

/// A host transport that responds to each request as the vendor does to a valid one, and keeps the request.
final class Recorder: RezMonitor.Transport {
    private let accept: @Sendable (Sent) -> (Int, Json?)
    private let kept = Locked<[Sent]>([])
    private let problem = Locked<String?>(nil)

    init(_ accept: @escaping @Sendable (Sent) -> (Int, Json?)) {
        self.accept = accept
    }

    func send(_ request: RezMonitor.TransportRequest, call: RezMonitor.TransportCall) throws {
        do {
            let sent = try Sent(request)
            let (status, body) = accept(sent)
            kept.with { $0.append(sent) }
            call.respond(
                RezMonitor.TransportResponse(
                    status: status, headers: [RezMonitor.Header(name: "content-type", value: "application/json")],
                    body: Data((body?.json ?? "").utf8)))
        } catch {
            problem.with { $0 = "\(error)" }
            throw error
        }
    }

    func sent() throws -> [Sent] {
        if let problem = problem.with({ $0 }) { throw Wrong(problem) }
        return kept.with { $0 }
    }
}
