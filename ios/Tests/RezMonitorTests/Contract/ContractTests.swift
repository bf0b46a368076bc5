import Foundation
import XCTest

@testable import RezMonitor

/// Every contract vector through the public API: the rows that it stores, and the bytes that each destination receives.
final class ContractTests: XCTestCase {
    func test_every_vector_has_the_expected_rows_and_requests_at_rez() throws {
        try run(.rez)
    }

    func test_every_vector_has_the_expected_rows_and_requests_at_ga4() throws {
        try run(.ga4)
    }

    func test_every_vector_has_the_expected_rows_and_requests_at_mixpanel() throws {
        try run(.mixpanel)
    }

    func test_every_vector_has_the_expected_rows_and_requests_at_sentry() throws {
        try run(.sentry)
    }

    func test_every_vector_has_the_expected_rows_and_requests_at_datadog() throws {
        try run(.datadog)
    }

    func test_every_vector_has_the_expected_rows_and_requests_at_otlp() throws {
        try run(.otlp)
    }

    func test_a_changed_byte_is_detected() throws {
        let (written, found): (Json, Json) = (["a": [1, 2]], ["a": [1, 3]])
        XCTAssertEqual(difference(written, found), "at /a/1 there is 3, written down is 2")
        XCTAssertEqual(Bytes.crc32(Data("123456789".utf8)), "cbf43926")
    }

    private func run(_ entry: Entry) throws {
        let vectors = try Vector.all()
        XCTAssertGreaterThan(vectors.count, 100)
        for vector in vectors {
            do {
                let world = try World(vector, entry)
                defer { world.close() }
                let rows = difference(try Self.withoutChecksums(vector.expected("rows")), try world.rows())
                if let rows { XCTFail("\(vector.name): rows: \(rows)") }
                let sent = try world.requests(entry, vector)
                compare(sent, try vector.expected(entry.name), vector.name, entry.name)
            } catch {
                RezMonitor.closeAndWait(timeout: 1)
                XCTFail("\(vector.name): \(error)")
            }
        }
        print("note: \(vectors.count) contract vectors at \(entry.name): rows and requests")
    }

    /// Requests of one route have an order; those of different routes have none.
    private func compare(_ sent: [Sent], _ expected: Json, _ vector: String, _ destination: String) {
        var left = sent
        for (route, requests) in expected.members {
            var after = -1
            for (number, written) in requests.list.enumerated() {
                guard let at = left.firstIndex(where: { $0.equals(written) }) else {
                    let near = left.first { $0.url == written["url"].text } ?? left.first
                    XCTFail(
                        "\(vector): \(route) request \(number): sent \(near?.shown ?? "nothing"), written \(written.json)"
                    )
                    return
                }
                XCTAssertGreaterThanOrEqual(at, after, "\(vector): \(route): the order differs")
                left.remove(at: at)
                after = at
            }
        }
        for request in left {
            XCTFail("\(vector): \(destination): not written down: \(request.shown)")
        }
    }

    /// The core does not say the checksum of a row to a face.
    private static func withoutChecksums(_ rows: Json) -> Json {
        guard case .dictionary(var all) = rows else { return rows }
        all["rows"] = .array(
            rows["rows"].list.map { row in
                guard case .dictionary(var members) = row else { return row }
                members["crc32"] = nil
                return .dictionary(members)
            })
        return .dictionary(all)
    }
}
