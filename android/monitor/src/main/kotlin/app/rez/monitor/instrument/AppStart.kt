package app.rez.monitor.instrument

import android.app.Activity
import android.app.Application
import android.os.Process
import android.os.SystemClock
import app.rez.monitor.AppStartKind
import app.rez.monitor.RezMonitor
import app.rez.monitor.android.isForegroundProcess
import kotlin.time.Duration.Companion.milliseconds

/**
 * The start of the app until its first frame. Cold: the process was started for an activity, from the start of the process. Warm: the
 * process was there without an activity, from the creation of the activity. A longer one than the setting `app_start_max_ms` is not
 * recorded.
 */
internal class AppStart(application: Application, private val settings: PlatformSettings) : Activities(application) {
    private val begunAt = SystemClock.elapsedRealtime()
    private var isProcessNew = isForegroundProcess()
    private val alive = activitySet()
    private var pending: Pair<AppStartKind, Long>? = null

    init {
        observe()
    }

    override fun created(activity: Activity) {
        val isFirst = alive.isEmpty()
        alive += activity
        if (!isFirst) return
        val now = SystemClock.elapsedRealtime()
        // An activity without a window may have started this one; it is the same start, unless it is long ago.
        pending?.let { (_, start) -> if ((now - start).milliseconds <= settings.appStartMax) return }
        pending = if (isProcessNew) AppStartKind.COLD to processStart() else AppStartKind.WARM to now
        isProcessNew = false
    }

    /** 0 on a system that does not know it; then the start of this class. */
    private fun processStart(): Long = Process.getStartElapsedRealtime().takeIf { it in 1..begunAt } ?: begunAt

    override fun resumed(activity: Activity) {
        if (pending != null) onNextFrame(activity) { record(it) }
    }

    private fun record(shownAt: Long) {
        val (kind, start) = pending ?: return
        pending = null
        val duration = (shownAt - start).milliseconds
        if (duration > settings.appStartMax) return
        val startedAt = System.currentTimeMillis() - (SystemClock.elapsedRealtime() - start)
        RezMonitor.trackAppStart(kind, duration) { startedMillis = startedAt }
    }

    /** One that was there before this class: what it opens is no start, and the start of the process is over. */
    override fun paused(activity: Activity) {
        if (alive.add(activity)) isProcessNew = false
    }

    override fun destroyed(activity: Activity) {
        alive -= activity
    }
}
