package app.rez.monitor.android

import android.content.Context
import android.content.pm.PackageManager
import android.os.Bundle
import app.rez.monitor.Consent
import app.rez.monitor.Settings
import app.rez.monitor.internal.Log
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds

/**
 * The settings in the meta-data of the manifest: `app.rez.monitor.` and the name of the setting as in `docs/guide/configure.md`. A list
 * is separated by commas. A value of another type is an error in the log, and the default counts.
 */
internal class ManifestSettings private constructor(private val data: Bundle) {
    fun applyTo(settings: Settings.Builder) = with(settings) {
        text("app")?.let { app = it }
        text("release")?.let { release = it }
        text("dist")?.let { dist = it }
        environment = text("environment") ?: environment
        flag("debug")?.let { debug = it }
        inspector = flag("inspector")
        testMode = flag("test_mode")
        testSeed = number("test_seed")
        nativeCrashes = flag("native_crashes")
        mappingId = text("mapping_id")
        consentMonitoring = consent("consent_monitoring")
        consentAnalytics = consent("consent_analytics")
        traceTargets = list("trace_targets")
        recordedHeaders = list("recorded_headers")
        capBytes = number("cap_bytes")
        sessions = flag("sessions")
        sessionBackground = millis("session_background_ms")
        maskUser = flag("mask_user")
        maskIp = flag("mask_ip")
        hangs = flag("hangs")
        hang = millis("hang_ms")
        errors = flag("errors")
        exits = flag("exits")
        appStart = flag("app_start")
        appStartMax = millis("app_start_max_ms")
        screens = flag("screens")
        screenMax = millis("screen_max_ms")
        network = flag("network")
        frames = flag("frames")
        frozenFrame = millis("frozen_frame_ms")
        breadcrumbLifecycle = flag("breadcrumb_lifecycle")
        breadcrumbNavigation = flag("breadcrumb_navigation")
        breadcrumbNetwork = flag("breadcrumb_network")
        breadcrumbSystem = flag("breadcrumb_system")
        deviceHints = flag("device_hints")
        backgroundUpload = flag("background_upload")
        destinations {
            text("sentry_dsn")?.let { sentry(it) }
            both("rez_endpoint", "rez_key") { endpoint, key -> rez(endpoint, key) }
            both("datadog_application_id", "datadog_client_token") { id, token ->
                datadog(id, token) { site = text("datadog_site") ?: site }
            }
            text("mixpanel_token")?.let { mixpanel(it) }
            both("ga4_measurement_id", "ga4_api_secret") { id, secret -> ga4Web(id, secret) }
            text("otlp_endpoint")?.let { otlp(it) }
        }
    }

    @Suppress("DEPRECATION") // The type of a value is what the manifest compiler took it for: `42` is a number, `true` a boolean.
    private fun value(name: String): Any? = data.get(PREFIX + name)

    private fun text(name: String): String? = value(name)?.toString()?.trim()?.ifEmpty { null }

    private fun flag(name: String): Boolean? = read(name, "true or false") { it.toBooleanStrictOrNull() }

    private fun number(name: String): Long? = read(name, "a whole number") { it.toLongOrNull() }

    private fun millis(name: String): Duration? = number(name)?.milliseconds

    private fun consent(name: String): Consent? =
        read(name, "pending, granted or denied") { word -> Consent.entries.find { it.name.equals(word, ignoreCase = true) } }

    private fun list(name: String): List<String> = text(name)?.split(',')?.map { it.trim() }?.filter { it.isNotEmpty() }.orEmpty()

    private fun <T> read(name: String, wanted: String, parse: (String) -> T?): T? {
        val text = text(name) ?: return null
        return parse(text).also { if (it == null) Log.once("manifest: `$PREFIX$name`: use $wanted") }
    }

    private fun both(first: String, second: String, use: (String, String) -> Unit) {
        val (one, two) = text(first) to text(second)
        if (one != null && two != null) return use(one, two)
        if (one != null || two != null) Log.once("manifest: `$PREFIX$first` and `$PREFIX$second` go together")
    }

    companion object {
        const val PREFIX = "app.rez.monitor."

        /** The settings, if the manifest has `app.rez.monitor.auto_start` with the value true. */
        fun read(context: Context): ManifestSettings? {
            val info = context.packageManager.getApplicationInfo(context.packageName, PackageManager.GET_META_DATA)
            val settings = ManifestSettings(info.metaData ?: return null)
            return settings.takeIf { it.flag("auto_start") == true }
        }
    }
}
