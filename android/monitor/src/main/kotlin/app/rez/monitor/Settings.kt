package app.rez.monitor

import app.rez.monitor.internal.Library
import app.rez.monitor.internal.Native
import app.rez.monitor.internal.json
import java.io.File
import kotlin.time.Duration

private val UUID = Regex("[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")

/** The configuration of [RezMonitor]. [Settings.Builder] makes it. */
public class Settings internal constructor(
    internal val json: String,
    internal val facts: String?,
    internal val transport: HttpTransport?,
    internal val beforeSend: BeforeSend?,
    internal val logger: MonitorLogger?,
    internal val mappingId: String? = null,
) {
    /**
     * Collects the settings. `null`, an empty list or an empty map is the default.
     *
     * [folder], [app] and [release] are required. `docs/guide/configure.md` is the table of all settings.
     */
    public class Builder {
        /** Where the queue is stored: private to the app, on internal storage, excluded from backup, one per process. */
        public var folder: File? = null

        /** The app's name, on every event. 1 to 200 bytes. */
        public var app: String? = null

        /** The app's version, sent as given: `shop@1.4.0+52`. 1 to 200 bytes. */
        public var release: String? = null

        /** The build number. Default: none. */
        public var dist: String? = null

        /** `production`, `staging` and so on. Default: none. */
        public var environment: String? = null

        /** Operating system and version: `Android 15`. Default: the name of the system. */
        public var os: String? = null

        /** The device model. Default: none. */
        public var device: String? = null

        /** Whether the [logger] is used. Default: `false`. */
        public var debug: Boolean = false

        /**
         * Whether a debug screen may read the queue and let requests fail, see [RezMonitor.inspect]. The last 1,000 events then stay in
         * memory. Default: the value of [debug].
         */
        public var inspector: Boolean? = null

        /**
         * Test mode, for builds of testers and UI tests: each event is sent at once, and no wait of the engine's own choice is longer than
         * a second. Default: `false`; while [debug] or [inspector] is on, what the environment variable `REZ_TEST` says.
         */
        public var testMode: Boolean? = null

        /**
         * In test mode: the number from which the ids of installation, runs and sessions are made, so that a test that begins with an empty
         * folder sees the same ones each time. 0 to 2^53 - 1. Default: none.
         */
        public var testSeed: Long? = null

        /**
         * Signals that end the process, such as `SIGSEGV`, become a crash at the next start. It is for libraries of native code; exceptions
         * are recorded without it. Default: `false`.
         */
        public var nativeCrashes: Boolean? = null

        /**
         * The UUID that the build has given to its mapping of R8 or ProGuard, as Sentry's Gradle plugin does. Sentry then finds the mapping
         * of an error. Default: none. The id that R8 itself makes is in the frames, and needs no setting.
         */
        public var mappingId: String? = null

        /**
         * What is recorded of a run that ended without a crash and without [RezMonitor.close]. Default: [UncleanExits.RECORDED]; the
         * Android layer sets [UncleanExits.AWAIT_REPORT] from API 30 on if [exits] is on, and [UncleanExits.IGNORED] while a debugger is
         * attached.
         */
        public var uncleanExits: UncleanExits? = null

        /** Consent to [Purpose.MONITORING] until [RezMonitor.setConsent] is called for the first time. Default: pending. */
        public var consentMonitoring: Consent? = null

        /** Consent to [Purpose.ANALYTICS] until [RezMonitor.setConsent] is called for the first time. Default: pending. */
        public var consentAnalytics: Consent? = null

        /** A screen load that takes longer is slow. 0 to 1 hour. Default: 3 seconds. */
        public var slowScreen: Duration? = null

        /** An API call that takes longer is slow. 0 to 1 hour. Default: 5 seconds. */
        public var slowApi: Duration? = null

        /** An image load that takes longer is slow. 0 to 1 hour. Default: 2 seconds. */
        public var slowImage: Duration? = null

        /** Share of sessions in which a kind is recorded, 0 to 1, by its name: `"frames" to 0.1`. Default: 1 for every kind. */
        public var sampleRates: Map<String, Double> = emptyMap()

        /** The lowest level of log entries that are recorded. Default: [Level.INFO]. */
        public var logLevel: Level? = null

        /** Maximum size of the queue in bytes, 1 MiB to 1 TiB. Default: 20 MiB. */
        public var capBytes: Long? = null

        /** Maximum age of an event, 1 hour to 400 days. Default: 14 days; crashes are kept for 30 days. */
        public var maxAge: Duration? = null

        /** Hosts that receive trace headers: `api.rezapp.com`, `*.rezapp.com`. At most 256. Default: none. */
        public var traceTargets: List<String> = emptyList()

        /** Which trace headers are sent. Default: [TraceStyle.W3C]. */
        public var traceStyles: List<TraceStyle> = emptyList()

        /** Names of HTTP headers whose values are recorded with an API call; never one that carries credentials. At most 64. */
        public var recordedHeaders: List<String> = emptyList()

        /** Whether sessions are recorded. Default: `true`. */
        public var sessions: Boolean? = null

        /** How long the app may be in the background before its session ends, 0 to 24 hours. Default: 30 seconds. */
        public var sessionBackground: Duration? = null

        /** Mask e-mail and name of the user. Default: `false`. */
        public var maskUser: Boolean? = null

        /** Mask IP addresses in text. Default: `false`. */
        public var maskIp: Boolean? = null

        /** Record when the main thread does not respond. Default: `true`. */
        public var hangs: Boolean? = null

        /** Time without a response of the main thread that is a hang, 100 ms to 1 hour. Default: 5 seconds. */
        public var hang: Duration? = null

        /** Record uncaught exceptions. Default: `true`. */
        public var errors: Boolean? = null

        /** Record promise rejections that nobody handles, in JavaScript. Default: `true`. */
        public var rejections: Boolean? = null

        /** Import why the system ended earlier processes, from API 30 on. Default: `true`. */
        public var exits: Boolean? = null

        /** Record the app start. Default: `true`. */
        public var appStart: Boolean? = null

        /** An app start that takes longer is not recorded, 1 second to 1 hour. Default: 60 seconds. */
        public var appStartMax: Duration? = null

        /** Record screen loads from navigation. Default: `true`. */
        public var screens: Boolean? = null

        /** A screen load that takes longer is cancelled, 1 second to 1 hour. Default: 30 seconds. */
        public var screenMax: Duration? = null

        /** Record image loads of the components of the platform. Default: `true`. */
        public var images: Boolean? = null

        /** Record HTTP calls of the clients that are instrumented. Default: `true`. */
        public var network: Boolean? = null

        /** Record taps: the label of the component, never a text or an input. Default: `true`. */
        public var interactions: Boolean? = null

        /** Record slow and frozen frames. Default: `true`. */
        public var frames: Boolean? = null

        /** A frame that takes longer is slow, 1 ms to 1 second. Default: 16,667 microseconds. */
        public var slowFrame: Duration? = null

        /** A frame that takes longer is frozen, 50 ms to 1 minute. Default: 700 ms. */
        public var frozenFrame: Duration? = null

        /** Record when the main thread or the JavaScript thread is busy for long. Default: `true`. */
        public var longTasks: Boolean? = null

        /** A task that takes longer is long, 16 ms to 1 hour. Default: 100 ms. */
        public var longTask: Duration? = null

        /** Breadcrumbs: the app enters the foreground or the background. Default: `true`. */
        public var breadcrumbLifecycle: Boolean? = null

        /** Breadcrumbs: the user navigates. Default: `true`. */
        public var breadcrumbNavigation: Boolean? = null

        /** Breadcrumbs: taps. Default: `true`. */
        public var breadcrumbTouch: Boolean? = null

        /** Breadcrumbs: HTTP calls, without query. Default: `true`. */
        public var breadcrumbNetwork: Boolean? = null

        /** Breadcrumbs: console output, in JavaScript. Default: `true`. */
        public var breadcrumbConsole: Boolean? = null

        /** Breadcrumbs: low memory, connectivity, battery, orientation. Default: `true`. */
        public var breadcrumbSystem: Boolean? = null

        /** Tell the engine about network and power, so that it waits for a better moment. Default: `true`. */
        public var deviceHints: Boolean? = null

        /** Let the system deliver what is left when the app is gone. Default: `true`. */
        public var backgroundUpload: Boolean? = null

        /** The HTTP client of the app. Default: the one of the library, if this build has one. */
        public var transport: HttpTransport? = null

        /** Changes or drops each event before it is stored. Default: none. */
        public var beforeSend: BeforeSend? = null

        /** Hears what a developer must know, while [debug] is true. Default: none. */
        public var logger: MonitorLogger? = null

        private val destinations = Destinations()
        private var facts: Facts? = null

        /** Where events are sent; at most 32. Default: nowhere, and events are kept until a destination is added. */
        public fun destinations(configure: Destinations.() -> Unit) {
            destinations.configure()
        }

        /** Facts about device, system and app. Default: none. */
        public fun facts(configure: Facts.() -> Unit) {
            facts = (facts ?: Facts()).apply(configure)
        }

        /**
         * Checks the settings.
         *
         * @throws IllegalArgumentException one sentence with the name of a wrong setting, its value and what to use. Keys, tokens and
         * addresses are not in it. If the library cannot be loaded, nothing is checked, and [RezMonitor.init] does nothing.
         */
        public fun build(): Settings {
            mappingId?.let { require(UUID.matches(it)) { "mappingId: use the UUID of the mapping, 8-4-4-4-12 hexadecimal digits" } }
            val text = json(toMap())
            if (Library.isLoaded) Native.check(text)?.let { throw IllegalArgumentException(it) }
            return Settings(text, facts?.toMap()?.let(::json), transport, beforeSend, logger, mappingId)
        }

        internal fun toMap(): Map<String, Any> = buildMap {
            fun add(name: String, value: Any?) {
                when (value) {
                    null -> Unit
                    is Enum<*> -> put(name, value.name.lowercase())
                    is Collection<*> -> if (value.isNotEmpty()) put(name, value)
                    is Map<*, *> -> if (value.isNotEmpty()) put(name, value)
                    else -> put(name, value)
                }
            }
            add("folder", folder?.absolutePath)
            add("app", app)
            add("release", release)
            add("dist", dist)
            add("environment", environment)
            add("os", os)
            add("device", device)
            add("debug", debug)
            add("inspector", inspector)
            add("testMode", testMode)
            add("testSeed", testSeed)
            add("nativeCrashes", nativeCrashes)
            add("uncleanExits", uncleanExits)
            add("consentMonitoring", consentMonitoring)
            add("consentAnalytics", consentAnalytics)
            add("slowScreenMs", slowScreen?.inWholeMilliseconds)
            add("slowApiMs", slowApi?.inWholeMilliseconds)
            add("slowImageMs", slowImage?.inWholeMilliseconds)
            add("sampleRates", sampleRates)
            add("logLevel", logLevel)
            add("capBytes", capBytes)
            add("maxAgeMs", maxAge?.inWholeMilliseconds)
            add("traceTargets", traceTargets)
            add("traceStyles", traceStyles.map { it.name.lowercase() })
            add("recordedHeaders", recordedHeaders)
            add("sessions", sessions)
            add("sessionBackgroundMs", sessionBackground?.inWholeMilliseconds)
            add("maskUser", maskUser)
            add("maskIp", maskIp)
            add("hangs", hangs)
            add("hangMs", hang?.inWholeMilliseconds)
            add("errors", errors)
            add("rejections", rejections)
            add("exits", exits)
            add("appStart", appStart)
            add("appStartMaxMs", appStartMax?.inWholeMilliseconds)
            add("screens", screens)
            add("screenMaxMs", screenMax?.inWholeMilliseconds)
            add("images", images)
            add("network", network)
            add("interactions", interactions)
            add("frames", frames)
            add("slowFrameUs", slowFrame?.inWholeMicroseconds)
            add("frozenFrameMs", frozenFrame?.inWholeMilliseconds)
            add("longTasks", longTasks)
            add("longTaskMs", longTask?.inWholeMilliseconds)
            add("breadcrumbLifecycle", breadcrumbLifecycle)
            add("breadcrumbNavigation", breadcrumbNavigation)
            add("breadcrumbTouch", breadcrumbTouch)
            add("breadcrumbNetwork", breadcrumbNetwork)
            add("breadcrumbConsole", breadcrumbConsole)
            add("breadcrumbSystem", breadcrumbSystem)
            add("deviceHints", deviceHints)
            add("backgroundUpload", backgroundUpload)
            add("destinations", destinations.all)
        }
    }
}

/**
 * The same as [Settings.Builder] in one expression.
 *
 * @throws IllegalArgumentException as [Settings.Builder.build].
 */
public fun Settings(configure: Settings.Builder.() -> Unit): Settings = Settings.Builder().apply(configure).build()
