extension RezMonitor {
    /// What is recorded of a run that ended without a crash and without ``RezMonitor/close(timeout:)``.
    public enum UncleanExits: String, Sendable, Hashable, Encodable, CaseIterable {
        /// An `app_exit`, if it was in the foreground: most often the app had no memory left.
        case recorded
        /// The same, after the platform layer has told what the system remembers.
        case awaitReport = "await_report"
        /// Nothing: a debugger ends an app as it likes.
        case ignored
    }
}
