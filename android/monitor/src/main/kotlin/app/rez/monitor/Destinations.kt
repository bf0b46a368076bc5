package app.rez.monitor

/**
 * Where events are sent. The name of a destination is its identity across starts: letters, digits, `-`, `_`, `.`.
 *
 * Each vendor receives events while the user consents to the purposes of the destination.
 */
public class Destinations internal constructor() {
    internal val all = mutableListOf<Map<String, Any>>()

    private fun add(kind: String, name: String, vararg members: Pair<String, Any?>) {
        val own = members.mapNotNull { (member, value) -> value(value)?.let { member to it } }
        all += mapOf("kind" to kind, "name" to name) + own
    }

    private fun value(value: Any?): Any? = when (value) {
        is Collection<*> -> value.map { if (it is Enum<*>) it.name.lowercase() else it }.ifEmpty { null }
        is Map<*, *> -> value.ifEmpty { null }
        is Enum<*> -> value.name.lowercase()
        else -> value
    }

    /** The team's own backend. [endpoint]: its base address; [key]: its write key. */
    @JvmOverloads
    public fun rez(endpoint: String, key: String, name: String = "rez", configure: Rez.() -> Unit = {}) {
        val options = Rez().apply(configure)
        add("rez", name, "endpoint" to endpoint, "key" to key, "purposes" to options.purposes)
    }

    /** Sentry. [dsn]: the DSN of the project. It receives what has the purpose monitoring. */
    @JvmOverloads
    public fun sentry(dsn: String, name: String = "sentry", configure: Sentry.() -> Unit = {}) {
        val options = Sentry().apply(configure)
        add(
            "sentry", name,
            "dsn" to dsn,
            "tracesSampleRate" to options.tracesSampleRate,
            "messagesAsLogs" to options.messagesAsLogs,
            "analyticsAsLogs" to options.analyticsAsLogs,
        )
    }

    /** Datadog RUM and logs. [applicationId]: the id of the RUM application. */
    @JvmOverloads
    public fun datadog(
        applicationId: String,
        clientToken: String,
        name: String = "datadog",
        configure: Datadog.() -> Unit = {},
    ) {
        val options = Datadog().apply(configure)
        add(
            "datadog", name,
            "applicationId" to applicationId,
            "key" to clientToken,
            "purposes" to options.purposes,
            "endpoint" to options.endpoint,
            "site" to options.site,
            "service" to options.service,
            "sessionSampleRate" to options.sessionSampleRate,
            "logSampleRate" to options.logSampleRate,
            "forwardErrorsToLogs" to options.forwardErrorsToLogs,
            "maskUserInput" to options.maskUserInput,
            "trackUserInteractions" to options.trackUserInteractions,
            "trackResources" to options.trackResources,
            "trackLongTasks" to options.trackLongTasks,
        )
    }

    /** Mixpanel. [token]: the token of the project. */
    @JvmOverloads
    public fun mixpanel(token: String, name: String = "mixpanel", configure: Mixpanel.() -> Unit = {}) {
        val options = Mixpanel().apply(configure)
        add(
            "mixpanel", name,
            "key" to token,
            "purposes" to options.purposes,
            "endpoint" to options.endpoint,
            "region" to options.region,
            "errors" to options.errors,
            "interactions" to options.interactions,
            "apiCalls" to options.apiCalls,
        )
    }

    /** Google Analytics 4, to a web stream. [measurementId]: `G-1A2B3C4D5E`. */
    @JvmOverloads
    public fun ga4Web(measurementId: String, apiSecret: String, name: String = "ga4", configure: Ga4.() -> Unit = {}) {
        ga4(name, Ga4().apply(configure), "measurementId" to measurementId, "key" to apiSecret)
    }

    /** Google Analytics 4, to an app stream. [appInstanceId]: the id that the Firebase SDK in the same app made. */
    @JvmOverloads
    public fun ga4App(
        firebaseAppId: String,
        appInstanceId: String,
        apiSecret: String,
        name: String = "ga4",
        configure: Ga4.() -> Unit = {},
    ) {
        val stream = arrayOf("firebaseAppId" to firebaseAppId, "appInstanceId" to appInstanceId, "key" to apiSecret)
        ga4(name, Ga4().apply(configure), *stream)
    }

    private fun ga4(name: String, options: Ga4, vararg stream: Pair<String, Any?>) {
        add(
            "ga4", name, *stream,
            "purposes" to options.purposes,
            "endpoint" to options.endpoint,
            "region" to options.region,
            "interactions" to options.interactions,
            "apiCalls" to options.apiCalls,
        )
    }

    /** A server of OpenTelemetry. [endpoint]: its base address; `null` if each signal has its own. */
    @JvmOverloads
    public fun otlp(endpoint: String?, name: String = "otlp", configure: Otlp.() -> Unit = {}) {
        val options = Otlp().apply(configure)
        add(
            "otlp", name,
            "endpoint" to endpoint,
            "key" to options.bearerToken,
            "purposes" to options.purposes,
            "headers" to options.headers,
            "logsEndpoint" to options.logsEndpoint,
            "tracesEndpoint" to options.tracesEndpoint,
            "metricsEndpoint" to options.metricsEndpoint,
            "signals" to options.signals,
            "encoding" to options.encoding,
            "breadcrumbs" to options.breadcrumbs,
            "tracesSampleRate" to options.tracesSampleRate,
        )
    }

    /** Options of the team's own backend. */
    public class Rez internal constructor() {
        /** What it receives. Default: both purposes. */
        public var purposes: Set<Purpose> = emptySet()
    }

    /** Options of Sentry. */
    public class Sentry internal constructor() {
        /** Share of the traces whose transactions are sent, 0 to 1. Default: 1. */
        public var tracesSampleRate: Double? = null

        /** Send messages as log entries instead of issues. Default: `false`. */
        public var messagesAsLogs: Boolean? = null

        /** Send analytics events as log entries. Default: `false`. */
        public var analyticsAsLogs: Boolean? = null
    }

    /** Options of Datadog. */
    public class Datadog internal constructor() {
        /** What it receives. Default: [Purpose.MONITORING]. */
        public var purposes: Set<Purpose> = emptySet()

        /** A relay of the team. Default: the intake of the [site]. */
        public var endpoint: String? = null

        /** The Datadog site. Default: `datadoghq.com`. */
        public var site: String? = null

        /** The tag `service`. Default: the app's name. */
        public var service: String? = null

        /** Share of sessions that are sent to RUM, 0 to 1. Default: 1. */
        public var sessionSampleRate: Double? = null

        /** Share of logs that are sent, 0 to 1. Default: 1. */
        public var logSampleRate: Double? = null

        /** Send errors to the logs as well. Default: `false`. */
        public var forwardErrorsToLogs: Boolean? = null

        /** Remove user input from actions. Default: `true`. */
        public var maskUserInput: Boolean? = null

        /** Send interactions as actions. Default: `true`. */
        public var trackUserInteractions: Boolean? = null

        /** Send API calls and image loads as resources. Default: `true`. */
        public var trackResources: Boolean? = null

        /** Send long tasks. Default: `true`. */
        public var trackLongTasks: Boolean? = null
    }

    /** Options of Mixpanel. */
    public class Mixpanel internal constructor() {
        /** What it receives. Default: [Purpose.ANALYTICS]. */
        public var purposes: Set<Purpose> = emptySet()

        /** A relay of the team. Default: Mixpanel in [region]. */
        public var endpoint: String? = null

        /** Where the data is stored: `us`, `eu` or `in`. Default: `us`. */
        public var region: String? = null

        /** Send errors and crashes; requires the purpose monitoring. Default: `false`. */
        public var errors: Boolean? = null

        /** Send interactions. Default: `false`. */
        public var interactions: Boolean? = null

        /** Send API calls; requires the purpose monitoring. Default: `false`. */
        public var apiCalls: Boolean? = null
    }

    /** Options of Google Analytics 4. */
    public class Ga4 internal constructor() {
        /** What it receives. Default: [Purpose.ANALYTICS]. */
        public var purposes: Set<Purpose> = emptySet()

        /** A relay of the team. Default: Google in [region]. */
        public var endpoint: String? = null

        /** Where the data is stored: `us` or `eu`. Default: `us`. */
        public var region: String? = null

        /** Send interactions. Default: `true`. */
        public var interactions: Boolean? = null

        /** Send API calls; requires the purpose monitoring. Default: `false`. */
        public var apiCalls: Boolean? = null
    }

    /** Options of a server of OpenTelemetry. */
    public class Otlp internal constructor() {
        /** What it receives. Default: [Purpose.MONITORING]. */
        public var purposes: Set<Purpose> = emptySet()

        /** Sent as `authorization: Bearer`. Default: none. */
        public var bearerToken: String? = null

        /** Headers of every request; at most 32. Default: none. */
        public var headers: Map<String, String> = emptyMap()

        /** The complete address of the logs. Default: the endpoint and `/v1/logs`. */
        public var logsEndpoint: String? = null

        /** The complete address of the traces. Default: the endpoint and `/v1/traces`. */
        public var tracesEndpoint: String? = null

        /** The complete address of the metrics. Default: the endpoint and `/v1/metrics`. */
        public var metricsEndpoint: String? = null

        /** The signals that are sent: `logs`, `traces`, `metrics`. Default: all. */
        public var signals: Set<String> = emptySet()

        /** The encoding of the bodies: `protobuf` or `json`. Default: `protobuf`. */
        public var encoding: String? = null

        /** Send the breadcrumbs of an error as log records. Default: `true`. */
        public var breadcrumbs: Boolean? = null

        /** Share of the traces whose transactions are sent, 0 to 1. Default: 1. */
        public var tracesSampleRate: Double? = null
    }
}
