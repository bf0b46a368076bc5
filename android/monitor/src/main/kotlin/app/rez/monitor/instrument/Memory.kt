package app.rez.monitor.instrument

import android.app.Application
import android.content.ComponentCallbacks2
import android.content.res.Configuration
import app.rez.monitor.Facts
import app.rez.monitor.Level
import app.rez.monitor.RezMonitor
import app.rez.monitor.android.HostThread
import app.rez.monitor.android.guarded
import app.rez.monitor.android.locale

/** Hears that memory is short, that the device was turned, and that the user chose another language. */
internal class Memory(
    private val application: Application,
    private val settings: PlatformSettings,
    private val facts: Facts,
    private val host: HostThread,
    private val device: DeviceState?,
) : ComponentCallbacks2, AutoCloseable {
    private var orientation = application.resources.configuration.orientation
    private var language = locale(application.resources.configuration)

    init {
        application.registerComponentCallbacks(this)
    }

    override fun onTrimMemory(level: Int) = guarded("a lack of memory was not recorded") {
        // The app left the foreground: the life cycle has said so.
        if (level == ComponentCallbacks2.TRIM_MEMORY_UI_HIDDEN) return@guarded
        lowMemory(mapOf("level" to level))
    }

    @Deprecated("The system calls it on API 24 to 34.")
    override fun onLowMemory() = guarded("a lack of memory was not recorded") { lowMemory(emptyMap()) }

    private fun lowMemory(data: Map<String, Any?>) {
        if (settings.breadcrumbSystem) RezMonitor.addBreadcrumb("low memory", "device.memory", data, Level.WARNING)
        host.post { device?.pass() }
    }

    override fun onConfigurationChanged(configuration: Configuration) = guarded("a change of the device was not recorded") {
        if (configuration.orientation != orientation) {
            orientation = configuration.orientation
            val name = if (orientation == Configuration.ORIENTATION_LANDSCAPE) "landscape" else "portrait"
            if (settings.breadcrumbSystem) RezMonitor.addBreadcrumb(name, "device.orientation")
            host.post { device?.pass() }
        }
        if (locale(configuration) != language) {
            language = locale(configuration)
            facts.locale = language
            host.post { RezMonitor.host.setFacts(facts) }
        }
    }

    override fun close() = application.unregisterComponentCallbacks(this)
}
