internal import RezMonitorCore

extension RezMonitor {
    /// Sets the user of later events; `nil` after a logout. It erases nothing; ``forgetUser()`` does.
    public static func setUser(_ user: User?) {
        Engine.change { RezMonitorCore.setUser(handle: $0, user: user?.core) }
    }

    /// Sets a tag of later events; `nil` removes it.
    public static func setTag(_ name: String, _ value: String?) {
        Engine.change { RezMonitorCore.setTag(handle: $0, name: name, value: value) }
    }

    /// Sets a context of later events; `nil` removes it. A second call replaces the whole context.
    public static func setContext(_ name: String, _ value: Attributes?) {
        Engine.change { RezMonitorCore.setContext(handle: $0, name: name, value: value?.core) }
    }

    /// Says that a feature flag was evaluated. The last 100 are on errors and views.
    public static func setFlag(_ name: String, _ value: AttributeValue) {
        Engine.change { RezMonitorCore.setFlag(handle: $0, name: name, value: value.core) }
    }

    /// Sets properties that every later analytics event, revenue, screen view and interaction carries.
    ///
    /// - Parameters:
    ///   - properties: at most 64, of at most 8 KiB in all.
    ///   - once: true to set only those that have no value yet.
    ///   - targets: the destinations whose events carry them. Empty: all.
    public static func setSuperProperties(_ properties: Attributes, once: Bool = false, targets: [String] = []) {
        Engine.change { RezMonitorCore.setSuper(handle: $0, attrs: properties.core, once: once, targets: targets) }
    }

    /// Removes a super property.
    public static func unsetSuperProperty(_ name: String) {
        Engine.change { RezMonitorCore.unsetSuper(handle: $0, name: name) }
    }

    /// Removes all super properties.
    public static func clearSuperProperties() {
        Engine.change { RezMonitorCore.clearSuper(handle: $0) }
    }

    /// Starts a view that the app names itself. One view at a time: it ends an earlier one.
    ///
    /// - Parameters:
    ///   - key: identifies the view until it stops.
    ///   - name: the name that people see.
    ///   - attributes: the attributes of the view.
    @discardableResult
    public static func startView(key: String, name: String, attributes: Attributes = [:]) -> Outcome {
        Engine.record { RezMonitorCore.startView(handle: $0, key: key, name: name, attrs: attributes.core) }
    }

    /// Ends the view of this key.
    @discardableResult
    public static func stopView(key: String) -> Outcome {
        Engine.record { RezMonitorCore.stopView(handle: $0, key: key) }
    }

    /// Measures from the start of the current view until now. A view has at most 32 names.
    public static func addViewTiming(_ name: String) {
        Engine.change { RezMonitorCore.viewTiming(handle: $0, name: name) }
    }

    /// Adds attributes to the current view, of at most 4 KiB.
    public static func addViewAttributes(_ attributes: Attributes) {
        Engine.change { RezMonitorCore.viewAttributes(handle: $0, attrs: attributes.core) }
    }

    /// Says whether the app is in the foreground. On iOS the library does so itself.
    public static func setForeground(_ isForeground: Bool) {
        Engine.change { RezMonitorCore.setForeground(handle: $0, foreground: isForeground) }
    }

    /// Ends the session and starts a new one.
    public static func startNewSession() {
        Engine.change { RezMonitorCore.newSession(handle: $0) }
    }

    /// Replaces the last known conditions of the device, which errors, crashes and hangs carry.
    public static func setConditions(_ conditions: Conditions) {
        Engine.change { RezMonitorCore.setConditions(handle: $0, conditions: conditions.core) }
    }

    /// Replaces the facts about the device and the app, for events from now on. A run accepts 100 changes.
    ///
    /// - Returns: whether they were accepted. If not, the logger hears why.
    @discardableResult
    public static func setFacts(_ facts: Facts) -> Bool {
        Engine.checked("setFacts") { try RezMonitorCore.setFacts(handle: $0, json: facts.json) }
    }

    /// Sets the release of events from now on, after an update that was loaded while the app runs.
    ///
    /// - Parameters:
    ///   - release: the release, as in the settings.
    ///   - dist: the build number.
    /// - Returns: whether they were accepted. If not, the logger hears why.
    @discardableResult
    public static func setRelease(_ release: String, dist: String? = nil) -> Bool {
        Engine.checked("setRelease") { try RezMonitorCore.setRelease(handle: $0, release: release, dist: dist) }
    }

    /// Says what the app knows about the network. While the setting `deviceHints` is true, the library does so itself.
    public static func setNetwork(_ network: NetworkState) {
        Engine.change { RezMonitorCore.setNetwork(handle: $0, network: network.core) }
    }

    /// Says whether the system saves power. While the setting `deviceHints` is true, the library does so itself.
    public static func setPower(_ power: PowerState) {
        Engine.change { RezMonitorCore.setPower(handle: $0, power: power.core) }
    }
}
