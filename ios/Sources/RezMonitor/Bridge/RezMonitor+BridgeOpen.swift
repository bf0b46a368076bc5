import Foundation
internal import RezMonitorCore

extension RezMonitor.Bridge {
    /// The facts of the last open, which ``setFacts(_:)`` adds to.
    private static let facts = Locked<Members?>(nil)

    /// Starts the library, or joins what is started: then only the destinations of the settings are used.
    ///
    /// - Parameters:
    ///   - settings: JSON as in `docs/guide/configure.md`, in `camelCase`.
    ///   - facts: JSON as in `docs/guide/device.md`, or empty.
    ///
    ///   Both are completed with what the platform knows.
    /// - Returns: `{"seed": "<32 hexadecimal digits>", "joined": false}`, or `{"error": "<sentence>"}`.
    public static func open(settings: String, facts: String) -> String {
        guard let given = Members(json: settings) else { return failed("settings: no JSON object") }
        guard let added = facts.isEmpty ? [:] : Members(json: facts) else { return failed("facts: no JSON object") }
        guard Library.matches else { return failed(Library.mismatch) }
        var own = RezMonitor.Settings()
        own.exits = given.flag("exits")
        let members = (Members(json: own.completed().json) ?? [:]).replaced(by: given)
        let json = jsonText(members)
        if let wrong = checkSettings(json: json) { return failed(wrong) }
        let all = known.replaced(by: added)
        let typed = RezMonitor.Settings(platform: members)
        switch RezMonitor.begin(typed, json: json, facts: jsonText(all), FaceLogger(typed)) {
        case .opened:
            Self.facts.with { $0 = all }
            return opened(joined: false)
        case .wasOpen:
            let wrong = addDestinations(json, from: "oldest")
            return wrong.isEmpty ? opened(joined: true) : failed(wrong)
        case .failed(_, let text): return failed(text)
        }
    }

    private static var known: Members { Members(json: Device.facts.json) ?? [:] }

    private static func opened(joined: Bool) -> String {
        let seed = idSeed().map { byte in String(byte >> 4, radix: 16) + String(byte & 15, radix: 16) }.joined()
        return jsonText(["seed": .string(seed), "joined": .bool(joined)] as Members)
    }

    /// Adds to the facts that the platform knows; a member that is absent or null stays. A run accepts 100 changes.
    ///
    /// - Returns: an empty text, or what is wrong.
    public static func setFacts(_ json: String) -> String {
        guard let given = Members(json: json) else { return "facts: no JSON object" }
        let all = facts.with { facts in
            let all = (facts ?? known).replaced(by: given)
            facts = all
            return all
        }
        return answer { try RezMonitorCore.setFacts(handle: $0, json: jsonText(all)) }
    }
}
