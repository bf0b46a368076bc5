import Foundation

/// The checkout, whose contract vectors the tests read. `cargo xtask swift` says where it is.
enum Checkout {
    static let root = URL(fileURLWithPath: ProcessInfo.processInfo.environment["REZ_CHECKOUT"] ?? "../..")

    static var contract: URL { root.appendingPathComponent("tests/contract") }
}

/// A folder that is removed at the end of a test.
final class TemporaryFolder {
    let url: URL

    init() throws {
        url = FileManager.default.temporaryDirectory.appendingPathComponent("rez-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    }

    deinit {
        try? FileManager.default.removeItem(at: url)
    }
}
