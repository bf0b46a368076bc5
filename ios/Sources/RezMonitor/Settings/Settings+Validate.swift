internal import RezMonitorCore

extension RezMonitor.Settings {
    /// Checks the settings without starting anything, for a test of the app.
    ///
    /// ``RezMonitor/start(_:)`` makes the same check, tells the logger and does nothing if a setting is wrong.
    ///
    /// - Throws: ``RezMonitor/SettingsError``, whose text names the setting, its value and what to use.
    public func validate() throws {
        guard Library.matches else { throw RezMonitor.SettingsError(text: Library.mismatch) }
        if let text = checkSettings(json: completed().json) {
            throw RezMonitor.SettingsError(text: text)
        }
    }
}

extension RezMonitor {
    /// A setting is wrong.
    public struct SettingsError: Error, Sendable, Hashable, CustomStringConvertible {
        /// One sentence with the name of the setting, its value and what to use.
        public let text: String

        /// The text.
        public var description: String { text }
    }
}
