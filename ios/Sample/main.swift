import Foundation
import RezMonitor

#if canImport(FoundationNetworking)
import FoundationNetworking
#endif

// The address of the team's backend; the shop's own API is on the same host here.
let backend = CommandLine.arguments.dropFirst().first ?? "http://127.0.0.1:8080"

struct PaymentDeclined: Error {}

RezMonitor.start { settings in
    settings.app = "shop"
    settings.release = "shop@1.4.0+52"
    settings.folder = CommandLine.arguments.dropFirst(2).first
    settings.consentMonitoring = .granted
    settings.destinations = [.rez(endpoint: backend, key: "write-key")]
}
RezMonitor.setUser(.init(id: "u-42"))

try await RezMonitor.trackScreenLoad("Cart") { screen in
    let cart = URL(string: backend + "/cart?user=42")!
    _ = try await URLSession.shared.rezData(from: cart)
    screen.initialDisplay()
}

RezMonitor.addBreadcrumb(category: "ui.click", message: "Pay")
RezMonitor.capture(PaymentDeclined(), attributes: ["order": "RZ-1042", "amount": 499.5])

let result = await RezMonitor.flush()
print(result.isComplete ? "everything was delivered" : RezMonitor.status().description)
await RezMonitor.close()
