import Foundation
internal import RezMonitorCore

extension RezMonitor {
    /// What ``RezMonitor/flush(timeout:)`` has done.
    public struct FlushResult: Sendable, Hashable {
        /// What it has done for each destination.
        public struct Destination: Sendable, Hashable {
            /// The name of the destination.
            public let name: String
            /// Events delivered.
            public let delivered: Int
            /// Events left.
            public let left: Int
            /// Why they wait; `nil` if nothing holds them.
            public let held: Held?
            /// The same in one sentence.
            public let text: String
        }

        /// Why events wait.
        public struct Held: Sendable, Hashable {
            /// One of the codes of `docs/guide/logger.md`.
            public let code: String
            /// Until when; `nil`: until something happens.
            public let until: Date?
            /// One sentence.
            public let why: String
            /// Failed requests in a row.
            public let failures: Int
        }

        /// The destinations, in the order in which they were declared.
        public let destinations: [Destination]
        /// Why it ended early; `nil` if it did not.
        public let error: WaitError?

        /// Whether nothing is left for any destination.
        public var isComplete: Bool { error == nil && destinations.allSatisfy { $0.left == 0 } }
    }
}

extension RezMonitor.FlushResult {
    init(_ flushed: [Flushed]) {
        destinations = flushed.map { one in
            Destination(
                name: one.destination,
                delivered: Int(clamping: one.delivered),
                left: Int(clamping: one.left),
                held: one.held.map { held in
                    Held(
                        code: held.code,
                        until: held.untilMs.map { Date(timeIntervalSince1970: Double($0) / 1_000) },
                        why: held.why,
                        failures: Int(held.failures)
                    )
                },
                text: one.text
            )
        }
        error = nil
    }

    init(failed error: RezMonitor.WaitError) {
        destinations = []
        self.error = error
    }
}
