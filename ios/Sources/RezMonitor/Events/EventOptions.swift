import Foundation
internal import RezMonitorCore

extension RezMonitor {
    /// What an event may carry beside its own arguments.
    ///
    /// ```swift
    /// RezMonitor.logEvent("login", ["method": "otp"], options: .init(targets: ["ga4"]))
    /// ```
    public struct EventOptions: Sendable, Hashable {
        /// The destinations that receive it, by their names. Empty: all that accept its kind.
        public var targets: [String]
        /// The span in which it happened.
        public var trace: TraceContext?
        /// When it happened. Default: now.
        public var date: Date?
        /// Tags of this event alone; texts.
        public var tags: Attributes = [:]
        /// The user of this event alone.
        public var user: User?
        /// Named contexts of a message: each value is a dictionary.
        public var context: Attributes = [:]
        /// The conditions at that moment, of a hang or an exit.
        public var conditions: Conditions?

        /// Makes options of what is most used; the other members are set afterwards.
        public init(targets: [String] = [], trace: TraceContext? = nil, date: Date? = nil) {
            self.targets = targets
            self.trace = trace
            self.date = date
        }
    }
}

extension RezMonitor.EventOptions {
    func core(_ attributes: RezMonitor.Attributes) -> Extras {
        Extras(
            attrs: attributes.core,
            context: context.core,
            tags: tags.core,
            user: user?.core,
            targets: targets,
            trace: trace?.core,
            atMs: date?.wallMilliseconds,
            conditions: conditions?.core
        )
    }
}
