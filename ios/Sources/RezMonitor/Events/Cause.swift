internal import RezMonitorCore

extension RezMonitor {
    /// An error that caused another one.
    public struct Cause: Sendable, Hashable {
        /// The type.
        public var type: String
        /// The message.
        public var message: String
        /// Its stack, outermost frame first.
        public var frames: [Frame]
        /// What it caused: 0 the error itself, else the number of an earlier cause, from 1.
        public var parent: UInt32
        /// The member that held it: `cause`, `errors[0]`.
        public var source: String
        /// Whether it is a group of errors.
        public var isGroup: Bool

        /// Makes a cause of the error itself.
        public init(
            type: String, message: String, frames: [Frame] = [], parent: UInt32 = 0, source: String = "cause",
            isGroup: Bool = false
        ) {
            self.type = type
            self.message = message
            self.frames = frames
            self.parent = parent
            self.source = source
            self.isGroup = isGroup
        }
    }
}

extension RezMonitor.Cause {
    var core: RezMonitorCore.Cause {
        RezMonitorCore.Cause(
            kind: type, message: message, frames: frames.map(\.core), parent: parent, source: source, group: isGroup
        )
    }
}
