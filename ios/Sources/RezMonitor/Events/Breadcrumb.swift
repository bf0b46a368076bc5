import Foundation
internal import RezMonitorCore

extension RezMonitor {
    /// What happened before an error. The last 100 of the run are attached to each error.
    public struct Breadcrumb: Sendable, Hashable {
        /// A dotted name: `ui.click`.
        public var category: String
        /// What happened.
        public var message: String
        /// `default`, `navigation`, `http`, `user` and the like.
        public var type: String
        /// The level.
        public var level: Level
        /// More about it.
        public var data: Attributes
        /// When it happened. Default: now.
        public var date: Date?

        /// Makes a breadcrumb.
        public init(
            category: String, message: String, type: String = "default", level: Level = .info, data: Attributes = [:],
            date: Date? = nil
        ) {
            self.category = category
            self.message = message
            self.type = type
            self.level = level
            self.data = data
            self.date = date
        }
    }
}

extension RezMonitor.Breadcrumb {
    var core: RezMonitorCore.Breadcrumb {
        RezMonitorCore.Breadcrumb(
            kind: type, category: category, message: message, level: level.core, data: data.core,
            atMs: date?.wallMilliseconds
        )
    }
}
