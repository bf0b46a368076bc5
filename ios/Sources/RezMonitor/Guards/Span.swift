internal import RezMonitorCore

extension RezMonitor {
    /// A span in progress. It ends once: a later end does nothing. Released without an end, it is recorded as cancelled.
    public final class Span: Sendable {
        private let core: RezMonitorCore.Span?

        init(_ core: RezMonitorCore.Span?) {
            self.core = core
        }

        /// Its ids; `nil` after its end, or without an engine.
        public var trace: TraceContext? { core?.context().map(TraceContext.init) }

        /// Begins a span inside this one.
        ///
        /// - Parameters:
        ///   - name: a name of low cardinality.
        ///   - operation: the operation: `task`, `db.query`.
        public func startChild(_ name: String, operation: String = "task") -> Span {
            Span(core?.child(name: name, op: operation))
        }

        /// Sets an attribute.
        public func setAttribute(_ name: String, _ value: AttributeValue) {
            core?.attr(name: name, value: value.core)
        }

        /// Sets how it ended. Default: ok.
        public func setStatus(_ status: SpanStatus) {
            core?.status(status: status.core)
        }

        /// Ends and records it.
        @discardableResult
        public func finish() -> Outcome {
            core.map { Outcome($0.finish()) } ?? .closed
        }

        /// Ends it; it is recorded as cancelled.
        public func cancel() {
            core?.cancel()
        }
    }
}
