internal import RezMonitorCore

extension RezMonitor {
    /// The user of the app.
    public struct User: Sendable, Hashable {
        /// The app's id of the user.
        public var id: String?
        /// The address. Sent as given, unless the setting `maskUser` masks it.
        public var email: String?
        /// The name. Sent as given, unless the setting `maskUser` masks it.
        public var username: String?
        /// Other properties.
        public var extra: Attributes

        /// Makes a user of what is known.
        public init(id: String? = nil, email: String? = nil, username: String? = nil, extra: Attributes = [:]) {
            self.id = id
            self.email = email
            self.username = username
            self.extra = extra
        }
    }
}

extension RezMonitor.User {
    var core: RezMonitorCore.User {
        RezMonitorCore.User(id: id, email: email, username: username, extra: extra.core)
    }
}
