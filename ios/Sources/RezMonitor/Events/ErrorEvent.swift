import Foundation
internal import RezMonitorCore

extension RezMonitor {
    /// An error or a crash with all that can be said about it.
    ///
    /// ``RezMonitor/capture(_:attributes:configure:)`` makes one from a Swift error and lets the app change it.
    public struct ErrorEvent: Sendable, Hashable {
        /// The type: `PaymentError`.
        public var type: String
        /// The message.
        public var message: String
        /// Whether the app handled it. Default: true.
        public var handled: Bool?
        /// How bad it is for the user. Default: medium.
        public var severity: Severity?
        /// The level. Default: derived from the severity.
        public var level: Level?
        /// The app's code of the error.
        public var code: String?
        /// Who caught it: `NSSetUncaughtExceptionHandler`.
        public var mechanism: String?
        /// The parts of the fingerprint, by which errors are grouped. Empty: derived.
        public var fingerprint: [String] = []
        /// What its frames were written in.
        public var language: Language?
        /// The stack as text, if there are no frames.
        public var stack: String?
        /// Stack frames, outermost first; the innermost 50 are kept.
        public var frames: [Frame] = []
        /// What caused it; at most 10.
        public var causes: [Cause] = []
        /// Whether it is a group of errors.
        public var isGroup = false
        /// The threads at that moment; at most 64.
        public var threads: [ThreadInfo] = []
        /// Named contexts: each value is a dictionary.
        public var context: Attributes = [:]
        /// The app's own attributes.
        public var attributes: Attributes = [:]
        /// Tags of this error alone; texts.
        public var tags: Attributes = [:]
        /// The user of this error alone.
        public var user: User?
        /// The destinations that receive it, by their names. Empty: all.
        public var targets: [String] = []
        /// The span in which it happened.
        public var trace: TraceContext?
        /// When it happened. Default: now.
        public var date: Date?
        /// The conditions at that moment.
        public var conditions: Conditions?

        /// Makes an error of a type and a message; the other members are set afterwards.
        public init(type: String, message: String) {
            self.type = type
            self.message = message
        }
    }
}

extension RezMonitor.ErrorEvent {
    var core: RezMonitorCore.ErrorEvent {
        RezMonitorCore.ErrorEvent(
            kind: type,
            message: message,
            handled: handled,
            severity: severity?.core,
            level: level?.core,
            code: code,
            mechanism: mechanism,
            fingerprints: fingerprint,
            language: language?.core,
            stack: stack,
            frames: frames.map(\.core),
            causes: causes.map(\.core),
            group: isGroup,
            threads: threads.map(\.core),
            context: context.core,
            attrs: attributes.core,
            tags: tags.core,
            user: user?.core,
            targets: targets,
            trace: trace?.core,
            atMs: date?.wallMilliseconds,
            conditions: conditions?.core
        )
    }
}
