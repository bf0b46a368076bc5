package app.rez.monitor.instrument

import android.app.Activity
import android.app.Application
import app.rez.monitor.RezMonitor
import app.rez.monitor.android.HostThread
import app.rez.monitor.android.UploadService
import app.rez.monitor.android.isForegroundProcess
import kotlin.concurrent.thread

/**
 * Tells the engine whether an activity is visible, on which sessions depend, and lets the system deliver what the app leaves behind.
 *
 * The engine is not suspended in the background: Android stops no process for a lock on a file of its own, and events that a service
 * records are to be stored.
 */
internal class Foreground(
    private val application: Application,
    private val settings: PlatformSettings,
    private val host: HostThread,
    private val device: DeviceState?,
) : Activities(application) {
    private val visible = activitySet()

    @Volatile
    private var isForeground = false

    init {
        observe()
        // An engine that is opened late, with an activity in front, hears of no start.
        if (isForegroundProcess()) host.post { device?.setForeground(true) }
    }

    override fun started(activity: Activity) {
        visible += activity
        if (!isForeground) change(true)
    }

    override fun stopped(activity: Activity) {
        val isKnown = visible.remove(activity)
        // After a rotation the same activity starts again at once.
        if (visible.isEmpty() && (isForeground || !isKnown) && !activity.isChangingConfigurations) change(false)
    }

    private fun change(to: Boolean) {
        isForeground = to
        if (settings.breadcrumbLifecycle) {
            RezMonitor.addBreadcrumb(if (to) "foreground" else "background", "app.lifecycle")
        }
        host.post {
            RezMonitor.host.setForeground(to)
            device?.setForeground(to)
            if (settings.backgroundUpload) upload(to)
        }
    }

    /** Sends now, and lets the system start the app once more if that leaves something. */
    private fun upload(isForeground: Boolean) {
        if (isForeground) return UploadService.cancel(application)
        UploadService.schedule(application)
        thread(isDaemon = true, name = "rez-monitor-upload") {
            if (RezMonitor.flushBlocking().isComplete) host.post { if (!this.isForeground) UploadService.cancel(application) }
        }
    }
}
