internal import RezMonitorCore

extension RezMonitor {
    /// Records an analytics event. It needs the consent to analytics.
    ///
    /// ```swift
    /// RezMonitor.logEvent("add_to_cart", ["item_id": "SKU-17", "value": 499.5])
    /// ```
    ///
    /// - Parameters:
    ///   - name: the name.
    ///   - attributes: its parameters.
    ///   - options: what it carries in addition, such as the destinations that receive it.
    @discardableResult
    public static func logEvent(
        _ name: String, _ attributes: Attributes = [:], options: EventOptions = EventOptions()
    ) -> Outcome {
        Engine.call(or: .closed) { handle in
            Hot.event(handle, name, attributes, options)
                ?? Outcome(RezMonitorCore.track(handle: handle, name: name, extras: options.core(attributes)))
        }
    }

    /// Records a view of a screen as an analytics event. ``trackScreenLoad(_:)`` measures its load.
    ///
    /// - Parameters:
    ///   - name: the name of the screen.
    ///   - className: the class or view, if it differs from the name.
    ///   - attributes: the app's own attributes.
    ///   - options: what it carries in addition.
    @discardableResult
    public static func logScreenView(
        _ name: String, className: String? = nil, attributes: Attributes = [:], options: EventOptions = EventOptions()
    ) -> Outcome {
        Engine.record { handle in
            RezMonitorCore.screenView(
                handle: handle, name: name, class: className, extras: options.core(attributes))
        }
    }

    /// Records an interaction of the user with a component, such as `tap` of `PayButton`.
    ///
    /// - Parameters:
    ///   - action: what the user did.
    ///   - component: the label of the component, never a text that the user typed.
    ///   - attributes: the app's own attributes.
    ///   - options: what it carries in addition.
    @discardableResult
    public static func trackInteraction(
        _ action: String, component: String, attributes: Attributes = [:], options: EventOptions = EventOptions()
    ) -> Outcome {
        Engine.record { handle in
            RezMonitorCore.interaction(
                handle: handle, action: action, component: component, extras: options.core(attributes))
        }
    }

    /// Records revenue.
    @discardableResult
    public static func logRevenue(_ revenue: Revenue) -> Outcome {
        Engine.record { RezMonitorCore.revenue(handle: $0, event: revenue.core) }
    }

    /// Records a value of a metric.
    ///
    /// ```swift
    /// RezMonitor.recordMetric("retries", .counter(1))
    /// ```
    @discardableResult
    public static func recordMetric(_ name: String, _ value: Metric) -> Outcome {
        Engine.record { RezMonitorCore.metric(handle: $0, name: name, value: value.core) }
    }

    /// Records an entry of the app's log. Entries below the setting `logLevel` are refused.
    ///
    /// - Parameters:
    ///   - level: the level.
    ///   - text: the text.
    ///   - logger: the name of the logger.
    ///   - attributes: the app's own attributes.
    @discardableResult
    public static func log(
        _ level: Level, _ text: String, logger: String? = nil, attributes: Attributes = [:]
    ) -> Outcome {
        log(LogEntry(level: level, text: text, logger: logger, attributes: attributes))
    }

    /// Records an entry of the app's log with all that it can carry.
    @discardableResult
    public static func log(_ entry: LogEntry) -> Outcome {
        Engine.record { RezMonitorCore.log(handle: $0, entry: entry.core) }
    }

    /// Records the numbers of slow, frozen and all frames drawn on a screen.
    @discardableResult
    public static func recordFrames(
        screen: String, slow: Int, frozen: Int, total: Int, attributes: Attributes = [:],
        options: EventOptions = EventOptions()
    ) -> Outcome {
        Engine.record { handle in
            RezMonitorCore.frameCounts(
                handle: handle, screen: screen, slow: UInt32(clamping: slow), frozen: UInt32(clamping: frozen),
                total: UInt32(clamping: total), extras: options.core(attributes))
        }
    }

    /// Starts the time of an analytics event; the next ``logEvent(_:_:options:)`` of this name carries the duration.
    public static func timeEvent(_ name: String) {
        Engine.change { RezMonitorCore.timeEvent(handle: $0, name: name) }
    }
}
