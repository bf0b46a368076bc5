internal import RezMonitorCore

extension RezMonitor {
    /// What became of an event.
    public enum Outcome: Sendable, Hashable {
        /// The event is stored: it survives the process being killed. `id` finds it with ``RezMonitor/why(_:timeout:)``.
        case recorded(id: String)
        /// The event was refused, and the refusal is counted. `reason` is one of `docs/guide/reasons.md`.
        case dropped(reason: String)

        /// The id of the event; `nil` if it was refused.
        public var id: String? {
            if case .recorded(let id) = self { id } else { nil }
        }
    }

    /// Where a fatal error is.
    public enum Durability: Sendable, Hashable {
        /// On the disk.
        case synced(id: String)
        /// In memory that survives the process being killed, but not a power failure.
        case inRing(id: String)
        /// It was refused. `reason` is one of `docs/guide/reasons.md`.
        case dropped(reason: String)

        /// The id of the event; `nil` if it was refused.
        public var id: String? {
            switch self {
            case .synced(let id), .inRing(let id): id
            case .dropped: nil
            }
        }
    }
}

extension RezMonitor.Outcome {
    /// The answer without an engine.
    static let closed = RezMonitor.Outcome.dropped(reason: "store_unavailable")

    @inline(__always)
    init(_ outcome: RezMonitorCore.Outcome) {
        switch outcome {
        case .recorded(let id): self = .recorded(id: id)
        case .dropped(let reason): self = .dropped(reason: reason)
        }
    }
}

extension RezMonitor.Durability {
    /// The answer without an engine.
    static let closed = RezMonitor.Durability.dropped(reason: "store_unavailable")

    init(_ durability: RezMonitorCore.Durability) {
        switch durability {
        case .synced(let id): self = .synced(id: id)
        case .inRing(let id): self = .inRing(id: id)
        case .dropped(let reason): self = .dropped(reason: reason)
        }
    }
}
