import Foundation

@testable import RezMonitor

/// A destination as the vectors use it, and the response of the vendor.
struct Entry: Sendable {
    let name: String
    let make: @Sendable (Json) -> RezMonitor.Destination
    let accept: @Sendable (Sent) -> (Int, Json?)

    static let rez = Entry(name: "rez") { _ in
        .rez(endpoint: "https://in.example.com", key: "write-key")
    } accept: { sent in
        let body = (try? Json.read(sent.plain)) ?? .null
        return (200, ["batch_id": body["batch_id"], "accepted": .int(Int64(body["events"].list.count))])
    }

    static let ga4 = Entry(name: "ga4") { options in
        let configure = { (ga4: inout RezMonitor.Destination.GA4Options) in
            if options["all"].bool == true {
                ga4.purposes = RezMonitor.Purpose.allCases
                ga4.apiCalls = true
            }
        }
        if options["app"].bool == true {
            return .ga4(
                firebaseAppId: "1:1234567890:android:321abc456def7890",
                appInstanceId: "0123456789abcdef0123456789abcdef", apiSecret: "s3cret", configure: configure)
        }
        return .ga4(measurementId: "G-1A2B3C4D5E", apiSecret: "s3cret", configure: configure)
    } accept: { _ in
        (204, nil)
    }

    static let mixpanel = Entry(name: "mixpanel") { options in
        .mixpanel(token: "T0K3N") { mixpanel in
            guard options["all"].bool == true else { return }
            mixpanel.purposes = RezMonitor.Purpose.allCases
            mixpanel.errors = true
            mixpanel.interactions = true
            mixpanel.apiCalls = true
        }
    } accept: { sent in
        guard sent.url.contains("/import") else { return (200, ["error": nil, "status": 1]) }
        let count = (try? Json.read(sent.plain))?.list.count ?? 0
        return (200, ["code": 200, "num_records_imported": .int(Int64(count)), "status": "OK"])
    }

    static let sentry = Entry(name: "sentry") { options in
        .sentry(dsn: "https://0123456789abcdef@o1.ingest.sentry.io/42") { sentry in
            sentry.tracesSampleRate = options["traces_sample_rate"].double
            sentry.messagesAsLogs = options["messages_as_logs"].bool
            sentry.analyticsAsLogs = options["analytics_as_logs"].bool
        }
    } accept: { _ in
        (200, ["id": "0123456789abcdef0123456789abcdef"])
    }

    static let datadog = Entry(name: "datadog") { options in
        .datadog(applicationId: "0190f2aa-7c1e-7a53-9b0e-3b6a3f0d9c11", clientToken: "pub-token") { datadog in
            if options["analytics"].bool == true { datadog.purposes = RezMonitor.Purpose.allCases }
            datadog.forwardErrorsToLogs = options["forward_errors_to_logs"].bool
            datadog.maskUserInput = options["mask_user_input"].bool
            datadog.trackResources = options["track_resources"].bool
            datadog.sessionSampleRate = options["session_sample_rate"].double
        }
    } accept: { _ in
        (202, [:])
    }

    static let otlp = Entry(name: "otlp") { options in
        .otlp(endpoint: "https://otlp.example.com") { otlp in
            otlp.headers = ["api-key": "secret"]
            if options["analytics"].bool == true { otlp.purposes = RezMonitor.Purpose.allCases }
            otlp.breadcrumbs = options["breadcrumbs"].bool
            otlp.encoding = options["json"].bool == true ? .json : .protobuf
            otlp.tracesSampleRate = options["traces_sample_rate"].double
        }
    } accept: { _ in
        (200, ["partialSuccess": [:]])
    }
}
