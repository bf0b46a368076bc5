package app.rez.monitor.instrument

import app.rez.monitor.Settings
import kotlin.time.Duration
import kotlin.time.Duration.Companion.microseconds
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds

/**
 * The settings of the platform layer, by their names in `camelCase`, with Android's defaults. A test compares them with the table in `docs/guide/configure.md`, which
 * the core writes.
 */
internal class PlatformSettings(given: Map<String, Any?>) {
    constructor(given: Settings.Builder) : this(given.toMap())

    val hangs: Boolean = given["hangs"] as? Boolean ?: true
    val hang: Duration = given.millis("hangMs") ?: 5.seconds
    val errors: Boolean = given["errors"] as? Boolean ?: true
    val exits: Boolean = given["exits"] as? Boolean ?: true
    val appStart: Boolean = given["appStart"] as? Boolean ?: true
    val appStartMax: Duration = given.millis("appStartMaxMs") ?: 60.seconds
    val screens: Boolean = given["screens"] as? Boolean ?: true
    val screenMax: Duration = given.millis("screenMaxMs") ?: 30.seconds
    val network: Boolean = given["network"] as? Boolean ?: true
    val frames: Boolean = given["frames"] as? Boolean ?: true
    val slowFrame: Duration = given.number("slowFrameUs")?.microseconds ?: 16_667.microseconds
    val frozenFrame: Duration = given.millis("frozenFrameMs") ?: 700.milliseconds
    val breadcrumbLifecycle: Boolean = given["breadcrumbLifecycle"] as? Boolean ?: true
    val breadcrumbNavigation: Boolean = given["breadcrumbNavigation"] as? Boolean ?: true
    val breadcrumbNetwork: Boolean = given["breadcrumbNetwork"] as? Boolean ?: true
    val breadcrumbSystem: Boolean = given["breadcrumbSystem"] as? Boolean ?: true
    val deviceHints: Boolean = given["deviceHints"] as? Boolean ?: true
    val backgroundUpload: Boolean = given["backgroundUpload"] as? Boolean ?: true
}

private fun Map<String, Any?>.number(name: String): Long? = (get(name) as? Number)?.toLong()

private fun Map<String, Any?>.millis(name: String): Duration? = number(name)?.milliseconds
