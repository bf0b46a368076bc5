import Foundation
import XCTest

@testable import RezMonitor

/// What the sources of network and power tell.
final class KnownConditionsTests: Monitored {
    func test_each_source_changes_its_part_and_each_change_is_one_breadcrumb() async throws {
        let recorder = Recorder(Entry.rez.accept)
        start { $0.transport = recorder }
        let conditions = KnownConditions(crumbs: true)
        conditions.change("device.network", "wifi") { $0.connection = .wifi }
        conditions.change("device.network", "wifi") { $0.connection = .wifi }
        conditions.change("device.power", "low power mode") { $0.lowPower = true }
        RezMonitor.capture(CocoaError(.fileNoSuchFile))
        let result = await RezMonitor.flush(timeout: 60)
        XCTAssertTrue(result.isComplete, "\(result)")
        let error = try XCTUnwrap(Self.events(try recorder.sent()).first).json
        XCTAssertEqual(error.components(separatedBy: "device.network").count, 2, error)
        XCTAssertTrue(error.contains("\"low_power\":true") && error.contains("\"connection\":\"wifi\""), error)
    }
}
