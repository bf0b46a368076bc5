import Foundation

@testable import RezMonitor

#if canImport(Darwin)
import Darwin
#else
import Glibc
#endif

/// An HTTP server on this device. It keeps every request, and answers one request for each connection.
final class LoopbackServer: Sendable {
    struct Request: Sendable {
        let method: String
        let path: String
        let headers: [String: String]
        let body: Data
    }

    struct Response: Sendable {
        var status = 200
        var headers: [String: String] = [:]
        var body = Data()
    }

    private let socket: Int32
    private let kept = Locked<[Request]>([])
    private let isStopped = Locked(false)
    let port: UInt16

    var requests: [Request] { kept.with { $0 } }
    var address: String { "http://127.0.0.1:\(port)" }

    init(_ respond: @escaping @Sendable (Request) -> Response) throws {
        #if canImport(Darwin)
        let listener = Darwin.socket(AF_INET, SOCK_STREAM, 0)
        #else
        let listener = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        #endif
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isBound = withUnsafeMutableBytes(of: &address) { bytes in
            guard let name = bytes.baseAddress?.assumingMemoryBound(to: sockaddr.self) else { return false }
            return bind(listener, name, size) == 0 && listen(listener, 64) == 0
                && getsockname(listener, name, &size) == 0
        }
        guard isBound else { throw Wrong("no socket") }
        socket = listener
        port = UInt16(bigEndian: address.sin_port)
        let thread = Thread { [kept] in
            while true {
                let connection = accept(listener, nil, nil)
                if connection < 0 { return }
                Thread { Self.serve(connection, kept, respond) }.start()
            }
        }
        thread.start()
    }

    func stop() {
        let wasStopped = isStopped.with { stopped in
            defer { stopped = true }
            return stopped
        }
        // Closed once: later the number can belong to another file.
        if wasStopped { return }
        shutdown(socket, Int32(SHUT_RDWR))
        close(socket)
    }

    private static func serve(
        _ connection: Int32, _ kept: Locked<[Request]>, _ respond: (Request) -> Response
    ) {
        defer { close(connection) }
        guard let request = read(connection) else { return }
        kept.with { $0.append(request) }
        let response = respond(request)
        var head = "HTTP/1.1 \(response.status) x\r\nConnection: close\r\nContent-Length: \(response.body.count)\r\n"
        for (name, value) in response.headers { head += "\(name): \(value)\r\n" }
        let bytes = Array((head + "\r\n").utf8) + Array(response.body)
        var sent = 0
        while sent < bytes.count {
            let count = bytes[sent...].withUnsafeBytes {
                send(connection, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            if count <= 0 { return }
            sent += count
        }
    }

    private static func read(_ connection: Int32) -> Request? {
        var data = Data()
        var piece = [UInt8](repeating: 0, count: 64 * 1024)
        let end = Data("\r\n\r\n".utf8)
        while true {
            if let head = data.range(of: end) {
                let lines = String(decoding: data[..<head.lowerBound], as: UTF8.self).components(separatedBy: "\r\n")
                let words = lines[0].components(separatedBy: " ")
                let pairs = lines.dropFirst().compactMap { line -> (String, String)? in
                    guard let colon = line.firstIndex(of: ":") else { return nil }
                    let value = line[line.index(after: colon)...].trimmingCharacters(in: .whitespaces)
                    return (line[..<colon].lowercased(), value)
                }
                let headers = Dictionary(pairs) { one, _ in one }
                let body = data[head.upperBound...]
                if body.count >= Int(headers["content-length"] ?? "0") ?? 0, words.count == 3 {
                    return Request(method: words[0], path: words[1], headers: headers, body: Data(body))
                }
            }
            let count = recv(connection, &piece, piece.count, 0)
            if count <= 0 { return nil }
            data.append(contentsOf: piece[..<count])
        }
    }
}
