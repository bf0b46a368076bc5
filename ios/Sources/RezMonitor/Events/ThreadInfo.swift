internal import RezMonitorCore

extension RezMonitor {
    /// A thread that ran at the moment of an error or a hang.
    public struct ThreadInfo: Sendable, Hashable {
        /// Its number.
        public var id: UInt64
        /// Its name.
        public var name: String
        /// Whether the error happened on it.
        public var crashed: Bool
        /// Whether it is the main thread.
        public var isMain: Bool
        /// Its stack, outermost frame first.
        public var frames: [Frame]

        /// Makes a thread of what is known.
        public init(
            id: UInt64 = 0, name: String = "", crashed: Bool = false, isMain: Bool = false, frames: [Frame] = []
        ) {
            self.id = id
            self.name = name
            self.crashed = crashed
            self.isMain = isMain
            self.frames = frames
        }
    }
}

extension RezMonitor.ThreadInfo {
    var core: RezMonitorCore.ThreadInfo {
        RezMonitorCore.ThreadInfo(id: id, name: name, crashed: crashed, main: isMain, frames: frames.map(\.core))
    }
}
