package app.rez.monitor.instrument

import android.app.Activity
import android.app.Application
import android.os.Debug
import android.os.Handler
import android.os.Looper
import app.rez.monitor.RezMonitor
import app.rez.monitor.android.guarded
import app.rez.monitor.internal.stackOf
import app.rez.monitor.internal.snapshot
import java.util.concurrent.CountDownLatch
import java.util.concurrent.TimeUnit
import kotlin.concurrent.thread
import kotlin.time.Duration.Companion.nanoseconds

/**
 * Records when the main thread has not responded for the setting `hang_ms`, once per hang, while it lasts: the system may end the process
 * before it is over. Runs while an activity is visible; otherwise the thread waits without a timer.
 */
internal class Hangs(application: Application, private val settings: PlatformSettings) : Activities(application) {
    private val main = Handler(Looper.getMainLooper())
    private val lock = Object()
    private val visible = activitySet()
    private var isEnded = false

    init {
        observe()
        thread(isDaemon = true, name = "rez-monitor-hangs") { guarded("hangs are not recorded any more") { watch() } }
    }

    override fun started(activity: Activity) = synchronized(lock) {
        visible += activity
        lock.notifyAll()
    }

    override fun stopped(activity: Activity) {
        synchronized(lock) { visible -= activity }
    }

    override fun close() {
        super.close()
        synchronized(lock) {
            isEnded = true
            lock.notifyAll()
        }
    }

    private fun watch() {
        val limit = settings.hang.inWholeMilliseconds
        while (awaitVisible(limit / 2)) {
            val response = CountDownLatch(1)
            val asked = System.nanoTime()
            main.post { response.countDown() }
            if (response.await(limit, TimeUnit.MILLISECONDS)) continue
            // A developer looks at a breakpoint.
            if (!Debug.isDebuggerConnected()) record(asked)
            response.await()
        }
    }

    /** Waits between two looks, and longer while nothing is visible. `false`: ended. */
    private fun awaitVisible(pauseMillis: Long): Boolean = synchronized(lock) {
        if (!isEnded) lock.wait(pauseMillis.coerceAtLeast(1))
        while (!isEnded && visible.isEmpty()) lock.wait()
        !isEnded
    }

    private fun record(asked: Long) {
        val all = Thread.getAllStackTraces()
        val thread = Looper.getMainLooper().thread
        val stack = all[thread] ?: thread.stackTrace
        val others = all.filter { (other, _) -> other !== thread && other !== Thread.currentThread() }
            .map { (other, frames) -> snapshot(other, frames) }
        RezMonitor.captureHang((System.nanoTime() - asked).nanoseconds, stackOf(stack), others)
    }
}
