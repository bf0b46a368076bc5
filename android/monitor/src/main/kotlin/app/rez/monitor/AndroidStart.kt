@file:JvmName("RezMonitorAndroid")

package app.rez.monitor

import android.app.Application
import android.content.Context
import android.os.StrictMode
import app.rez.monitor.android.DeveloperLog
import app.rez.monitor.android.applyDefaults
import app.rez.monitor.android.guarded
import app.rez.monitor.instrument.Exits
import app.rez.monitor.instrument.Instruments
import app.rez.monitor.instrument.PlatformSettings
import app.rez.monitor.internal.AddFrom
import app.rez.monitor.internal.Library
import app.rez.monitor.internal.Log
import app.rez.monitor.internal.Recorder
import app.rez.monitor.internal.addDestinations

/**
 * Opens the engine on Android and records what the settings ask for: app start, screens, frames, hangs, uncaught exceptions, exits, and
 * the state of the device. Call it in `Application.onCreate`, or let the provider of the manifest do it
 * (`docs/guide/android.md`).
 *
 * ```
 * import app.rez.monitor.init
 *
 * RezMonitor.init(this) {
 *     consentMonitoring = Consent.GRANTED
 *     destinations { sentry(dsn) }
 * }
 * ```
 *
 * Before [configure] runs, these settings have a value: folder (one per process, in `noBackupFilesDir`), app (the package), release
 * (`package@version+build`), dist, os, device, debug (true in a debuggable build) and the facts of `docs/guide/device.md`.
 *
 * If an engine is open already, the first call keeps storage, hooks and instruments, and this one adds its destinations.
 *
 * May be called from any thread and never throws. On the main thread it does what [RezMonitor.init] does, and asks the system about
 * package, memory and importance; it reads no file besides those of the engine.
 *
 * @return whether this call has opened the engine.
 */
@JvmName("init")
public fun RezMonitor.init(context: Context, configure: Settings.Builder.() -> Unit): Boolean =
    guarded("not opened, nothing is recorded", false) {
        load()
        val builder = Settings.Builder()
        guarded("facts about the device are missing", Unit) { builder.applyDefaults(context) }
        builder.configure()
        val isHeard = builder.logger != null
        if (builder.debug) builder.logger = DeveloperLog.before(builder.logger)
        var facts = Facts()
        builder.facts { facts = this }
        val platform = PlatformSettings(builder)
        builder.uncleanExits = builder.uncleanExits ?: Exits.uncleanExits(platform.exits)
        val settings = builder.build()
        synchronized(Instruments) {
            if (!start(context, settings, platform, facts) { Log.once("not opened, nothing is recorded: $it") }) {
                if (isInitialized) addLater(settings, isHeard)
                return@guarded false
            }
        }
        true
    }

/** Opens the engine and begins the instruments, unless one is open. Whether it has. Call it with the lock of [Instruments]. */
internal fun start(
    context: Context,
    settings: Settings,
    platform: PlatformSettings,
    facts: Facts,
    failed: (String) -> Unit,
): Boolean {
    if (RezMonitor.isInitialized || !RezMonitor.open(settings, failed)) return false
    val application = context as? Application ?: context.applicationContext as? Application
    if (application == null) {
        Log.once("the context has no application yet: only what the app records itself is recorded")
    } else {
        Instruments.install(application, platform, facts)
    }
    return true
}

/** Reads the library, which an app that uses StrictMode on its main thread cannot avoid. */
internal fun load() {
    val policy = StrictMode.allowThreadDiskReads()
    try {
        Library.isLoaded
    } finally {
        StrictMode.setThreadPolicy(policy)
    }
}

private fun addLater(settings: Settings, hasLogger: Boolean) {
    if (settings.transport != null || settings.beforeSend != null || hasLogger) {
        Log.once("the engine is open already: transport, beforeSend and logger of a second init are not used")
    }
    addDestinationsSoon(settings.json)
}

/** Adds the destinations of settings that were checked. The caller may be the main thread, which does not wait for JNA. */
internal fun addDestinationsSoon(settings: String) {
    Recorder.engine?.soon { handle ->
        try {
            addDestinations(handle, settings, AddFrom.OLDEST)
        } catch (reason: Throwable) {
            Log.once("the destinations of a second init were not added: ${Log.text(reason)}")
        }
    }
}
