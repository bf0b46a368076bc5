extension RezMonitor {
    /// Where events are sent.
    ///
    /// ```swift
    /// settings.destinations = [
    ///     .sentry(dsn: "https://key@o1.ingest.sentry.io/42"),
    ///     .datadog(applicationId: id, clientToken: token) { $0.site = "datadoghq.eu" },
    /// ]
    /// ```
    ///
    /// The name is the identity of a destination across starts: letters, digits, `-`, `_`, `.`, 1 to 64 bytes. Events name it
    /// in their `targets`. A key, a token and a DSN are never printed.
    public struct Destination: Sendable {
        /// The name.
        public let name: String
        let kind: String
        let members: [String: String]
        let options: any Encodable & Sendable

        init<Options: Encodable & Sendable>(
            _ kind: String, _ name: String, _ members: [String: String], _ options: Options,
            _ configure: (inout Options) -> Void
        ) {
            var options = options
            configure(&options)
            self.name = name
            self.kind = kind
            self.members = members
            self.options = options
        }
    }
}

extension RezMonitor.Destination {
    /// The team's own backend.
    ///
    /// - Parameters:
    ///   - endpoint: the base address: https, or http to this device.
    ///   - key: the write key.
    ///   - name: the name of the destination.
    ///   - configure: sets what differs from the defaults.
    public static func rez(
        endpoint: String, key: String, name: String = "rez", configure: (inout RezOptions) -> Void = { _ in }
    ) -> RezMonitor.Destination {
        RezMonitor.Destination("rez", name, ["endpoint": endpoint, "key": key], RezOptions(), configure)
    }

    /// Sentry.
    ///
    /// - Parameters:
    ///   - dsn: the DSN of the project.
    ///   - name: the name of the destination.
    ///   - configure: sets what differs from the defaults.
    public static func sentry(
        dsn: String, name: String = "sentry", configure: (inout SentryOptions) -> Void = { _ in }
    ) -> RezMonitor.Destination {
        RezMonitor.Destination("sentry", name, ["dsn": dsn], SentryOptions(), configure)
    }

    /// Datadog: RUM events and logs.
    ///
    /// - Parameters:
    ///   - applicationId: the id of the RUM application.
    ///   - clientToken: the client token.
    ///   - name: the name of the destination.
    ///   - configure: sets what differs from the defaults.
    public static func datadog(
        applicationId: String, clientToken: String, name: String = "datadog",
        configure: (inout DatadogOptions) -> Void = { _ in }
    ) -> RezMonitor.Destination {
        let members = ["applicationId": applicationId, "key": clientToken]
        return RezMonitor.Destination("datadog", name, members, DatadogOptions(), configure)
    }

    /// Mixpanel.
    ///
    /// - Parameters:
    ///   - token: the token of the project.
    ///   - name: the name of the destination.
    ///   - configure: sets what differs from the defaults.
    public static func mixpanel(
        token: String, name: String = "mixpanel", configure: (inout MixpanelOptions) -> Void = { _ in }
    ) -> RezMonitor.Destination {
        RezMonitor.Destination("mixpanel", name, ["key": token], MixpanelOptions(), configure)
    }

    /// Google Analytics 4 with the data stream of an app.
    ///
    /// - Parameters:
    ///   - firebaseAppId: the Firebase id of the app.
    ///   - appInstanceId: the instance id that the Firebase SDK in the same app made.
    ///   - apiSecret: the secret of the Measurement Protocol.
    ///   - name: the name of the destination.
    ///   - configure: sets what differs from the defaults.
    public static func ga4(
        firebaseAppId: String, appInstanceId: String, apiSecret: String, name: String = "ga4",
        configure: (inout GA4Options) -> Void = { _ in }
    ) -> RezMonitor.Destination {
        let members = ["firebaseAppId": firebaseAppId, "appInstanceId": appInstanceId, "key": apiSecret]
        return RezMonitor.Destination("ga4", name, members, GA4Options(), configure)
    }

    /// Google Analytics 4 with a web data stream.
    ///
    /// - Parameters:
    ///   - measurementId: the id of the web stream: `G-1A2B3C4D5E`.
    ///   - apiSecret: the secret of the Measurement Protocol.
    ///   - name: the name of the destination.
    ///   - configure: sets what differs from the defaults.
    public static func ga4(
        measurementId: String, apiSecret: String, name: String = "ga4",
        configure: (inout GA4Options) -> Void = { _ in }
    ) -> RezMonitor.Destination {
        RezMonitor.Destination(
            "ga4", name, ["measurementId": measurementId, "key": apiSecret], GA4Options(), configure)
    }

    /// OpenTelemetry: logs, traces and metrics over HTTP.
    ///
    /// - Parameters:
    ///   - endpoint: the base address, to which `/v1/logs` and the like are added; `nil` if each signal has its own.
    ///   - bearerToken: sent as `Authorization: Bearer`; `nil` for none.
    ///   - name: the name of the destination.
    ///   - configure: sets what differs from the defaults.
    public static func otlp(
        endpoint: String?, bearerToken: String? = nil, name: String = "otlp",
        configure: (inout OTLPOptions) -> Void = { _ in }
    ) -> RezMonitor.Destination {
        let members = ["endpoint": endpoint, "key": bearerToken].compactMapValues { $0 }
        return RezMonitor.Destination("otlp", name, members, OTLPOptions(), configure)
    }
}

extension RezMonitor.Destination: Encodable {
    private struct Key: CodingKey {
        let stringValue: String
        let intValue: Int? = nil

        init(stringValue: String) {
            self.stringValue = stringValue
        }

        init?(intValue: Int) {
            nil
        }
    }

    /// Encodes the destination as an element of `destinations` in `docs/guide/configure.md`.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Key.self)
        try container.encode(name, forKey: Key(stringValue: "name"))
        try container.encode(kind, forKey: Key(stringValue: "kind"))
        for (member, value) in members {
            try container.encode(value, forKey: Key(stringValue: member))
        }
        try options.encode(to: encoder)
    }
}
