import Foundation
internal import RezMonitorCore

extension RezMonitor {
    /// Starts the library. Call it once, as early as possible, from any thread; it returns in about a millisecond.
    ///
    /// ```swift
    /// RezMonitor.start { settings in
    ///     settings.release = "shop@1.4.0+52"
    ///     settings.consentMonitoring = .granted
    ///     settings.destinations = [.sentry(dsn: "https://key@o1.ingest.sentry.io/42")]
    /// }
    /// ```
    ///
    /// It never throws. If a setting is wrong, the logger hears its name and what to use, and nothing is recorded:
    /// ``Settings/validate()`` is the same check for a test. A folder that cannot be used is no error; see ``status()``.
    /// A second start is ignored, and the logger hears it: use ``addDestinations(_:from:)`` to add destinations.
    ///
    /// - Parameter configure: sets what differs from the defaults.
    public static func start(_ configure: (inout Settings) -> Void) {
        var settings = Settings()
        configure(&settings)
        start(settings: settings)
    }

    /// Starts the library with settings that were made before; see ``start(_:)``.
    ///
    /// - Parameter settings: what differs from the defaults.
    public static func start(settings: Settings) {
        let settings = settings.completed()
        let logger = FaceLogger(settings)
        switch begin(settings, json: settings.json, facts: (settings.facts ?? Device.facts).json, logger) {
        case .opened: break
        case .wasOpen:
            let text =
                "`start` was called again; the first settings are kept. Use `addDestinations` to add destinations"
            logger.log(.warning, "started_twice", text)
        case .failed(let code, let text): logger.log(.error, code, text)
        }
    }

    /// What a start has done.
    enum Begun {
        case opened
        case wasOpen
        /// The code of the message for the logger, and its text.
        case failed(String, String)
    }

    /// Opens the engine with these settings as JSON, unless one is open. Of `settings` it uses what is no JSON, and what this
    /// layer reads.
    static func begin(_ settings: Settings, json: String, facts: String, _ logger: FaceLogger) -> Begun {
        let isFirst = Engine.state.with { state in
            guard case .none = state else { return false }
            state = .starting
            return true
        }
        guard isFirst else { return .wasOpen }
        switch open(settings, json, facts, logger) {
        case .success(let engine):
            Engine.state.with { $0 = .running(engine) }
            engine.instruments.start()
            return .opened
        case .failure(let fault):
            Engine.state.with { $0 = .none }
            return .failed(fault.code, fault.text)
        }
    }

    /// Whether ``start(_:)`` has succeeded and nothing has closed it since.
    public static var isStarted: Bool { Engine.current != nil }

    /// The version of the library, as every request carries it.
    public static var version: String { Library.matches ? RezMonitorCore.version() : "" }

    private struct Fault: Error {
        let code: String
        let text: String
    }

    private static func open(
        _ settings: Settings, _ json: String, _ facts: String, _ logger: FaceLogger
    ) -> Result<Engine, Fault> {
        guard Library.matches else { return .failure(Fault(code: "library_mismatch", text: Library.mismatch)) }
        let platform = PlatformSettings(settings)
        do {
            let handle = try RezMonitorCore.open(
                settings: json,
                facts: facts,
                hooks: HooksOfHost.make(settings, logger)
            )
            let instruments = Instruments(platform)
            return .success(Engine(handle: handle, platform: platform, logger: logger, instruments: instruments))
        } catch OpenError.Settings(let text) {
            return .failure(Fault(code: "wrong_setting", text: "nothing is recorded: \(text)"))
        } catch OpenError.System(let text) {
            return .failure(Fault(code: "store_unavailable", text: "nothing is recorded: \(text)"))
        } catch {
            return .failure(Fault(code: "store_unavailable", text: "nothing is recorded: \(error)"))
        }
    }

    /// Ends the session, sends what it can, and closes. Later calls do nothing until the next ``start(_:)``.
    ///
    /// - Parameter timeout: seconds that sending may take. What is left is sent after the next start.
    public static func close(timeout: TimeInterval = 2) async {
        guard let engine = stop() else { return }
        await Engine.blocking { RezMonitorCore.close(handle: engine.handle, waitMs: timeout.milliseconds) }
    }

    /// The same as ``close(timeout:)``, for code that cannot wait otherwise: it blocks the thread for up to `timeout` seconds.
    public static func closeAndWait(timeout: TimeInterval = 2) {
        guard let engine = stop() else { return }
        RezMonitorCore.close(handle: engine.handle, waitMs: timeout.milliseconds)
    }

    private static func stop() -> Engine? {
        let engine: Engine? = Engine.state.with { state in
            guard case .running(let engine) = state else { return nil }
            state = .none
            return engine
        }
        engine?.instruments.stop()
        return engine
    }
}
