import Foundation

/// The addresses to which the engine sends through a transport. An instrument of its session leaves them out: a record of a
/// request would make the next request.
enum OwnRequests {
    /// More than destinations have routes.
    private static let most = 256
    private static let known = Locked<Set<URL>>([])

    static func add(_ address: String) {
        guard let url = URL(string: address) else { return }
        known.with { known in
            if known.count < most { known.insert(url) }
        }
    }

    static func contains(_ url: URL) -> Bool {
        known.with { $0.contains(url.absoluteURL) }
    }
}
