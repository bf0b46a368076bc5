import Foundation

/// Checksums and decompression, which Foundation lacks on Linux.
enum Bytes {
    private static let table: [UInt32] = (0..<256).map { byte in
        (0..<8).reduce(UInt32(byte)) { sum, _ in sum & 1 == 1 ? 0xEDB8_8320 ^ (sum >> 1) : sum >> 1 }
    }

    static func crc32(_ data: Data) -> String {
        let sum = data.reduce(UInt32.max) { sum, byte in table[Int((sum ^ UInt32(byte)) & 0xFF)] ^ (sum >> 8) }
        let hex = String(~sum, radix: 16)
        return String(repeating: "0", count: 8 - hex.count) + hex
    }

    private typealias Open = @convention(c) (UnsafePointer<CChar>, UnsafePointer<CChar>) -> OpaquePointer?
    private typealias Read = @convention(c) (OpaquePointer, UnsafeMutableRawPointer, UInt32) -> Int32
    private typealias Close = @convention(c) (OpaquePointer) -> Int32

    /// Decompresses by the zlib of the system, which has no module.
    static func gunzip(_ data: Data) throws -> Data {
        guard let zlib = dlopen("libz.so.1", RTLD_NOW) ?? dlopen("libz.dylib", RTLD_NOW),
            let open = dlsym(zlib, "gzopen"), let read = dlsym(zlib, "gzread"), let close = dlsym(zlib, "gzclose")
        else { throw Wrong("this system has no zlib") }
        let folder = try TemporaryFolder()
        let file = folder.url.appendingPathComponent("body.gz")
        try data.write(to: file)
        guard let stream = unsafeBitCast(open, to: Open.self)(file.path, "rb") else { throw Wrong("gzopen") }
        defer { _ = unsafeBitCast(close, to: Close.self)(stream) }
        var plain = Data()
        var piece = [UInt8](repeating: 0, count: 64 * 1024)
        while true {
            let count = unsafeBitCast(read, to: Read.self)(stream, &piece, UInt32(piece.count))
            if count < 0 { throw Wrong("the body is no gzip") }
            if count == 0 { return plain }
            plain.append(contentsOf: piece[..<Int(count)])
        }
    }
}
