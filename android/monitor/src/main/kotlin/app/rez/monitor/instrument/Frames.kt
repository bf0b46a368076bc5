package app.rez.monitor.instrument

import android.app.Activity
import android.app.Application
import android.view.FrameMetrics
import android.view.Window
import app.rez.monitor.RezMonitor
import app.rez.monitor.android.HostThread
import app.rez.monitor.android.guarded
import java.util.WeakHashMap
import kotlin.time.Duration.Companion.nanoseconds

/** Counts slow, frozen and all frames of an activity while it is in front. One event per activity and visit, and none without frames. */
internal class Frames(
    application: Application,
    private val settings: PlatformSettings,
    private val host: HostThread,
) : Activities(application) {
    private val counts = WeakHashMap<Activity, Counts>()

    init {
        observe()
    }

    override fun resumed(activity: Activity) {
        val window = activity.window ?: return
        val counting = counts.getOrPut(activity) { Counts() }
        // The system calls it on this thread, and copies the numbers for it.
        window.addOnFrameMetricsAvailableListener(counting, host.handler)
    }

    override fun paused(activity: Activity) {
        val counted = counts.remove(activity) ?: return
        val name = screenName(activity)
        host.post { counted.record(name) }
        activity.window?.removeOnFrameMetricsAvailableListener(counted)
    }

    /** Used on the host thread only. */
    private inner class Counts : Window.OnFrameMetricsAvailableListener {
        private var slow = 0
        private var frozen = 0
        private var total = 0

        override fun onFrameMetricsAvailable(window: Window, metrics: FrameMetrics, dropCountSinceLastInvocation: Int) =
            guarded("a frame was not counted") {
                // The first frame of a window contains its layout: the screen load measures it.
                if (metrics.getMetric(FrameMetrics.FIRST_DRAW_FRAME) == 1L) return@guarded
                val duration = metrics.getMetric(FrameMetrics.TOTAL_DURATION).nanoseconds
                total++
                if (duration > settings.frozenFrame) frozen++ else if (duration > settings.slowFrame) slow++
            }

        fun record(name: String) {
            if (total > 0) RezMonitor.trackFrames(name, slow, frozen, total)
        }
    }
}
