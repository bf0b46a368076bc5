import Foundation
import XCTest

@testable import RezMonitor

/// The life cycle from a source of the test, as UIKit is one.
final class LifecycleTests: Monitored {
    private final class Source: Lifecycle {
        private let changed = Locked<(@Sendable (Phase) -> Void)?>(nil)
        private let isActive: Bool

        /// - Parameter isActive: whether users see the app before somebody observes it.
        init(isActive: Bool = false) {
            self.isActive = isActive
        }

        func observe(
            _ changed: @escaping @Sendable (Phase) -> Void, isActive: @escaping @Sendable () -> Void
        ) -> Undo {
            self.changed.with { $0 = changed }
            if self.isActive { isActive() }
            return { self.changed.with { $0 = nil } }
        }

        func enter(_ phase: Phase) {
            changed.with { $0 }?(phase)
        }
    }

    /// While it is suspended, nothing can be written to the disk.
    private var isSuspended: Bool {
        if case .unavailable = RezMonitor.persistAndWait(timeout: 5) { true } else { false }
    }

    /// The durations of app starts that were recorded after `body`, with an app that started a second ago.
    private func appStarts(_ source: Source, _ body: () -> Void) async throws -> Int {
        let recorder = Recorder(Entry.rez.accept)
        var settings = RezMonitor.Settings()
        start {
            $0.transport = recorder
            settings = $0
        }
        let start = AppStart(began: Date(timeIntervalSinceNow: -1))
        let undo = LifecycleInstrument(PlatformSettings(settings), nil, start).follow(source)
        body()
        undo()
        let result = await RezMonitor.flush(timeout: 60)
        XCTAssertTrue(result.isComplete, "\(result)")
        return Self.events(try recorder.sent()).filter { $0["kind"] == "app_start" }.count
    }

    func test_the_start_of_the_app_is_recorded_once() async throws {
        let source = Source()
        let count = try await appStarts(source) {
            source.enter(.foreground)
            source.enter(.background)
            source.enter(.foreground)
        }
        XCTAssertEqual(count, 1)
    }

    func test_no_start_is_recorded_if_users_saw_the_app_before() async throws {
        let source = Source(isActive: true)
        let count = try await appStarts(source) {
            source.enter(.background)
            source.enter(.foreground)
        }
        XCTAssertEqual(count, 0)
    }

    /// A watchdog of a thread that responds at once, which counts its questions.
    private func watchdog(_ asked: Locked<Int>) -> HangWatchdog {
        HangWatchdog(
            threshold: 0.01,
            ask: { answer in
                asked.with { $0 += 1 }
                answer()
            },
            report: { _ in }
        )
    }

    func test_hangs_are_looked_for_only_while_users_see_the_app() {
        let asked = Locked(0)
        let watchdog = watchdog(asked)
        let instrument = LifecycleInstrument(PlatformSettings(RezMonitor.Settings()), watchdog)
        let source = Source()
        let undo = instrument.follow(source)
        watchdog.start()
        Thread.sleep(forTimeInterval: 0.2)
        XCTAssertEqual(asked.with { $0 }, 0, "the system may have started the app in the background")
        source.enter(.foreground)
        XCTAssertTrue(waitUntil { asked.with { $0 > 1 } })
        undo()
        watchdog.stop()
    }

    func test_hangs_are_looked_for_if_users_saw_the_app_before() {
        let asked = Locked(0)
        let watchdog = watchdog(asked)
        let undo = LifecycleInstrument(PlatformSettings(RezMonitor.Settings()), watchdog).follow(Source(isActive: true))
        watchdog.start()
        XCTAssertTrue(waitUntil { asked.with { $0 > 1 } })
        undo()
        watchdog.stop()
    }

    func test_the_background_sends_and_suspends_and_the_foreground_resumes() async throws {
        let recorder = Recorder(Entry.rez.accept)
        var settings = RezMonitor.Settings()
        start {
            $0.transport = recorder
            $0.sessions = true
            settings = $0
        }
        let source = Source()
        let undo = LifecycleInstrument(PlatformSettings(settings), nil).follow(source)
        source.enter(.foreground)
        RezMonitor.logEvent("seen")
        source.enter(.background)
        XCTAssertTrue(waitUntil { isSuspended }, "the background suspends")
        XCTAssertFalse(try recorder.sent().isEmpty, "the background sends before that")
        RezMonitor.logEvent("in the background")
        source.enter(.foreground)
        source.enter(.foreground)
        RezMonitor.logEvent("seen again")
        // The queue opens again in the background.
        var result = await RezMonitor.flush(timeout: 60)
        let end = Date(timeIntervalSinceNow: 60)
        while !result.isComplete, Date() < end { result = await RezMonitor.flush(timeout: 60) }
        XCTAssertTrue(result.isComplete, "\(result)")
        let names = Self.events(try recorder.sent()).compactMap { $0["name"].text ?? $0["fields"]["name"].text }
        for name in ["seen", "in the background", "seen again"] {
            XCTAssertTrue(try recorder.sent().contains { $0.plain.contains("\"\(name)\"") }, "\(name) of \(names)")
        }
        undo()
        source.enter(.background)
        XCTAssertNotNil(RezMonitor.logEvent("after").id)
    }
}
