package app.rez.monitor.instrument

import app.rez.monitor.Settings
import kotlin.time.Duration
import kotlin.time.Duration.Companion.microseconds
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds

/**
 * The settings of the platform layer with Android's defaults. A test compares them with the table in `docs/guide/configure.md`, which
 * the core writes.
 */
internal class PlatformSettings(given: Settings.Builder) {
    val hangs: Boolean = given.hangs ?: true
    val hang: Duration = given.hang ?: 5.seconds
    val errors: Boolean = given.errors ?: true
    val exits: Boolean = given.exits ?: true
    val appStart: Boolean = given.appStart ?: true
    val appStartMax: Duration = given.appStartMax ?: 60.seconds
    val screens: Boolean = given.screens ?: true
    val screenMax: Duration = given.screenMax ?: 30.seconds
    val network: Boolean = given.network ?: true
    val frames: Boolean = given.frames ?: true
    val slowFrame: Duration = given.slowFrame ?: 16_667.microseconds
    val frozenFrame: Duration = given.frozenFrame ?: 700.milliseconds
    val breadcrumbLifecycle: Boolean = given.breadcrumbLifecycle ?: true
    val breadcrumbNavigation: Boolean = given.breadcrumbNavigation ?: true
    val breadcrumbNetwork: Boolean = given.breadcrumbNetwork ?: true
    val breadcrumbSystem: Boolean = given.breadcrumbSystem ?: true
    val deviceHints: Boolean = given.deviceHints ?: true
    val backgroundUpload: Boolean = given.backgroundUpload ?: true
}
