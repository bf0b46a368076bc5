package app.rez.monitor.instrument

import android.app.Activity
import android.app.Application
import app.rez.monitor.Level
import app.rez.monitor.RezMonitor
import app.rez.monitor.android.HostThread
import java.util.WeakHashMap

/**
 * A screen load per activity, from its creation to its first frame, and a breadcrumb when it is in front.
 */
internal class Screens(
    application: Application,
    private val settings: PlatformSettings,
    private val host: HostThread,
) : Activities(application) {
    private val loading = WeakHashMap<Activity, Load>()

    init {
        observe()
    }

    override fun created(activity: Activity) {
        loading[activity] = Load(screenName(activity))
    }

    override fun resumed(activity: Activity) {
        val name = screenName(activity)
        if (settings.breadcrumbNavigation) {
            RezMonitor.addBreadcrumb(name, "navigation", mapOf("to" to name), Level.INFO, "navigation")
        }
        val load = loading[activity] ?: return
        onNextFrame(activity) { if (loading.remove(activity) === load) load.finish() }
    }

    override fun paused(activity: Activity) {
        loading.remove(activity)?.cancel()
    }

    override fun destroyed(activity: Activity) = paused(activity)

    private inner class Load(name: String) {
        private val load = RezMonitor.trackScreenLoad(name)
        private val forget = host.postDelayed(settings.screenMax.inWholeMilliseconds) { load.cancel() }

        fun finish() {
            forget()
            load.initialDisplay()
            load.finish()
        }

        fun cancel() {
            forget()
            load.cancel()
        }
    }
}
