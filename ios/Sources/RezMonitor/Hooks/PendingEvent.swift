import Foundation

extension RezMonitor {
    /// An event before it is stored, as the hook ``RezMonitor/Settings/beforeSend`` sees it.
    public struct PendingEvent: Sendable {
        /// The kind: `error`, `api_call`, `analytics` and the like.
        public let kind: String

        /// The event as JSON (`docs/guide/record.md`). Returned unchanged, nothing is parsed.
        public var json: String

        /// The members of ``json``. Reading parses it; a change writes it again. If it is no JSON object, there are none.
        public var fields: Attributes {
            get { (try? JSONDecoder().decode(Attributes.self, from: Data(json.utf8))) ?? [:] }
            set {
                let encoder = JSONEncoder()
                encoder.outputFormatting = [.withoutEscapingSlashes]
                // A number that is not finite cannot be written; the event then remains as it was.
                guard let data = try? encoder.encode(newValue) else { return }
                json = String(decoding: data, as: UTF8.self)
            }
        }
    }
}
