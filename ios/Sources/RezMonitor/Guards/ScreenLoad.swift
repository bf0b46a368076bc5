internal import RezMonitorCore

extension RezMonitor {
    /// A screen load in progress. It ends once: a later end does nothing. Released without an end, it is cancelled.
    public final class ScreenLoad: Sendable {
        private let core: RezMonitorCore.ScreenLoad?

        init(_ core: RezMonitorCore.ScreenLoad?) {
            self.core = core
        }

        /// Its span, for events and calls that belong to it; `nil` after its end, or without an engine.
        public var trace: TraceContext? { core?.context().map(TraceContext.init) }

        /// The first frame was shown.
        public func initialDisplay() {
            core?.initialDisplay()
        }

        /// Everything was shown.
        public func fullDisplay() {
            core?.fullDisplay()
        }

        /// Ends and records it.
        @discardableResult
        public func finish() -> Outcome {
            core.map { Outcome($0.finish()) } ?? .closed
        }

        /// Ends it without a record.
        public func cancel() {
            core?.cancel()
        }
    }
}
