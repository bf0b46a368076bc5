import Foundation
internal import RezMonitorCore

extension RezMonitor {
    /// For a layer in another language over this one, such as React Native. An app does not need it.
    public enum Bridge {
        /// Records a batch document (`docs/guide/batch.md`).
        ///
        /// - Returns: false if at least one event was refused. Refused events are counted; do not repeat them.
        @discardableResult
        public static func recordBatch(_ json: String) -> Bool {
            Engine.call(or: false) { RezMonitorCore.recordBatch(handle: $0, json: json) }
        }

        /// Records a batch document whose last event ends the process.
        ///
        /// - Parameters:
        ///   - json: the document.
        ///   - wait: seconds to wait for the disk; never longer than 0.5.
        @discardableResult
        public static func recordFatal(_ json: String, wait: TimeInterval = 0.5) -> Durability {
            Engine.call(or: .closed) { handle in
                Durability(RezMonitorCore.recordFatal(handle: handle, json: json, waitMs: wait.milliseconds))
            }
        }

        /// 16 bytes from which a layer makes ids of traces, spans and events; empty if nothing is started.
        public static func idSeed() -> Data {
            Engine.call(or: Data()) { RezMonitorCore.idSeed(handle: $0) }
        }
    }
}
