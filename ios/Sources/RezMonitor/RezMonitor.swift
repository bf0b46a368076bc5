/// REZ Monitor: errors, timings and analytics events of an app, stored on the device and sent when there is a network.
///
/// ```swift
/// RezMonitor.start { settings in
///     settings.release = "shop@1.4.0+52"
///     settings.consentMonitoring = .granted
///     settings.destinations = [.sentry(dsn: "https://key@o1.ingest.sentry.io/42")]
/// }
/// RezMonitor.capture(error)
/// ```
///
/// A process has one engine. All names of this library are members of this type, so that `User` or `Level` of an app never
/// collide with ours; a call such as `RezMonitor.setUser(.init(id: "u-42"))` needs no longer name.
///
/// - Threads: every call may be made from any thread, also from callbacks of this library. No call that records waits for
///   the disk or the network, except ``captureFatal(_:wait:)``.
/// - Errors: no call ends the app. Before ``start(_:)`` and after ``close(timeout:)`` a call does nothing and returns
///   ``Outcome/dropped(reason:)`` with `store_unavailable`. Only ``why(_:timeout:)`` and ``Settings/validate()`` throw.
/// - Units: a duration is a `TimeInterval` in seconds, because `Swift.Duration` needs iOS 16. A setting in milliseconds has
///   the ending `Ms`, and a size in bytes the ending `Bytes`.
public enum RezMonitor {}
