import Foundation
internal import RezMonitorCore

extension RezMonitor {
    /// Records an error that the app handled, with the stack of the call and the last 100 breadcrumbs.
    ///
    /// ```swift
    /// RezMonitor.capture(error) { event in
    ///     event.severity = .high
    ///     event.tags = ["payment": "card"]
    /// }
    /// ```
    ///
    /// At most 10 errors with the same fingerprint are stored in 60 s; further ones are counted.
    ///
    /// - Parameters:
    ///   - error: the error.
    ///   - attributes: the app's own attributes.
    ///   - configure: changes the event before it is recorded.
    @discardableResult
    public static func capture(
        _ error: any Error, attributes: Attributes = [:], configure: (inout ErrorEvent) -> Void = { _ in }
    ) -> Outcome {
        guard isStarted else { return .closed }
        var event = ErrorEvent(error)
        event.attributes = attributes
        configure(&event)
        return captureError(event)
    }

    /// Records an error of which the app knows the parts.
    @discardableResult
    public static func captureError(_ event: ErrorEvent) -> Outcome {
        Engine.record { RezMonitorCore.error(handle: $0, event: event.core) }
    }

    /// Records the error that ends the process, and waits for the disk.
    ///
    /// - Parameters:
    ///   - event: the error.
    ///   - wait: seconds to wait for the disk; never longer than 0.5.
    @discardableResult
    public static func captureFatal(_ event: ErrorEvent, wait: TimeInterval = 0.5) -> Durability {
        Engine.call(or: .closed) { handle in
            Durability(RezMonitorCore.fatal(handle: handle, event: event.core, waitMs: wait.milliseconds))
        }
    }

    /// Records a message.
    ///
    /// - Parameters:
    ///   - text: the text.
    ///   - level: how important it is.
    ///   - attributes: the app's own attributes.
    ///   - options: what it carries in addition.
    @discardableResult
    public static func captureMessage(
        _ text: String, level: Level = .info, attributes: Attributes = [:], options: EventOptions = EventOptions()
    ) -> Outcome {
        Engine.record { handle in
            RezMonitorCore.message(handle: handle, text: text, level: level.core, extras: options.core(attributes))
        }
    }

    /// Records feedback of a user about the app.
    ///
    /// - Parameters:
    ///   - message: the text.
    ///   - name: the name of the user, if given.
    ///   - email: the address for a reply, if given. Sent as given.
    ///   - about: the id of the event that it is about; one that is no id is ignored.
    @discardableResult
    public static func captureFeedback(
        _ message: String, name: String? = nil, email: String? = nil, about: String? = nil
    ) -> Outcome {
        Engine.record { handle in
            let event = RezMonitorCore.Feedback(message: message, name: name, email: email, about: about)
            return RezMonitorCore.feedback(handle: handle, event: event)
        }
    }

    /// Records that the main thread did not respond. The library does so itself while the setting `hangs` is true.
    ///
    /// - Parameters:
    ///   - duration: how long, in seconds.
    ///   - frames: the stack of the main thread, outermost frame first.
    ///   - threads: the other threads.
    ///   - language: what the frames were written in.
    ///   - attributes: the app's own attributes.
    ///   - options: what it carries in addition.
    @discardableResult
    public static func captureHang(
        duration: TimeInterval, frames: [Frame] = [], threads: [ThreadInfo] = [], language: Language? = nil,
        attributes: Attributes = [:], options: EventOptions = EventOptions()
    ) -> Outcome {
        Engine.record { handle in
            RezMonitorCore.hang(
                handle: handle, durationUs: duration.microseconds, stack: frames.map(\.core),
                otherThreads: threads.map(\.core), language: language?.core, extras: options.core(attributes))
        }
    }

    /// Records that the system ended an earlier process.
    ///
    /// - Parameters:
    ///   - cause: the name of the cause: `low_memory`, `watchdog`.
    ///   - message: more about it.
    ///   - attributes: the app's own attributes.
    ///   - options: what it carries in addition.
    @discardableResult
    public static func captureAppExit(
        cause: String, message: String = "", attributes: Attributes = [:], options: EventOptions = EventOptions()
    ) -> Outcome {
        Engine.record { handle in
            RezMonitorCore.appExit(handle: handle, cause: cause, message: message, extras: options.core(attributes))
        }
    }

    /// Adds a breadcrumb: what happened before an error. The last 100 of the run are attached to each error.
    public static func addBreadcrumb(_ breadcrumb: Breadcrumb) {
        Engine.change { handle in
            if Hot.breadcrumb(handle, breadcrumb) == nil {
                RezMonitorCore.breadcrumb(handle: handle, crumb: breadcrumb.core)
            }
        }
    }

    /// Adds a breadcrumb of a category and a message.
    ///
    /// - Parameters:
    ///   - category: a dotted name: `ui.click`.
    ///   - message: what happened.
    ///   - level: how important it is.
    ///   - data: more about it.
    public static func addBreadcrumb(
        category: String, message: String, level: Level = .info, data: Attributes = [:]
    ) {
        addBreadcrumb(Breadcrumb(category: category, message: message, level: level, data: data))
    }
}
