package app.rez.monitor.instrument

import android.app.Application
import app.rez.monitor.Facts
import app.rez.monitor.android.HostThread
import app.rez.monitor.android.guarded

/**
 * What the Android layer observes. Each source is a class whose constructor begins and whose `close` ends; one that fails to begin does
 * not stop the others.
 */
internal class Instruments private constructor(
    application: Application,
    settings: PlatformSettings,
    /** What was said about the device; a layer in JavaScript may add to it. */
    val facts: Facts,
) : AutoCloseable {
    /** Tests wait for it. */
    val host: HostThread = HostThread()
    private val begun = ArrayList<AutoCloseable>()

    init {
        HttpSettings.isRecorded = settings.network
        HttpSettings.isBreadcrumb = settings.breadcrumbNetwork
        val device = begin(true) { DeviceState(application, host) }
        begin(settings.errors) { UncaughtExceptions() }
        begin(true) { Foreground(application, settings, host, device) }
        begin(settings.appStart) { AppStart(application, settings) }
        begin(settings.screens) { Screens(application, settings, host) }
        begin(settings.frames) { Frames(application, settings, host) }
        begin(settings.hangs) { Hangs(application, settings) }
        begin(settings.deviceHints) { NetworkState(application, settings, host, device) }
        begin(settings.deviceHints) { PowerState(application, settings, host, device) }
        begin(true) { Memory(application, settings, facts, host, device) }
        begin(settings.exits) { Exits(application, host) }
    }

    private fun <T : AutoCloseable> begin(isWanted: Boolean, source: () -> T): T? =
        if (isWanted) guarded("a part of the Android layer has not begun", null) { source().also { begun += it } } else null

    override fun close() {
        begun.asReversed().forEach { source -> guarded("a part of the Android layer has not ended") { source.close() } }
        host.close()
    }

    companion object {
        /** Of the engine that is open. */
        @Volatile
        var current: Instruments? = null
            private set

        fun install(application: Application, settings: PlatformSettings, facts: Facts) {
            synchronized(this) {
                uninstall()
                current = Instruments(application, settings, facts)
            }
        }

        fun uninstall() {
            synchronized(this) {
                current?.close()
                current = null
            }
        }
    }
}
