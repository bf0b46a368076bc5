package app.rez.monitor.internal

import java.util.concurrent.CountDownLatch
import java.util.concurrent.TimeUnit
import kotlin.time.TimeSource

/** What the system says about earlier processes, on its way to the engine. On a JVM nobody reports anything. */
internal object ExitReports {
    @Volatile
    private var pending: CountDownLatch? = null

    /** The platform layer is going to report. */
    fun expect() {
        pending = CountDownLatch(1)
    }

    /** It has reported, or is not going to. */
    fun settle() {
        pending?.countDown()
    }

    /**
     * How the run before this one ended, after at most [waitMs]. If the engine itself knows of no crash, the answer waits for the report of
     * the system. Throws what the generated call throws.
     */
    fun lastRunOnceReported(handle: ULong, waitMs: Long): LastRun? {
        val begun = TimeSource.Monotonic.markNow()
        val known = lastRun(handle, waitMs)
        if (known == null || known.ended == RunEnd.CRASHED || known.ended == RunEnd.CLOSED) return known
        await(waitMs - begun.elapsedNow().inWholeMilliseconds)
        // What was known before is not waited for.
        return lastRun(handle, 0)
    }

    private fun await(waitMs: Long) {
        try {
            pending?.await(waitMs, TimeUnit.MILLISECONDS)
        } catch (_: InterruptedException) {
            Thread.currentThread().interrupt()
        }
    }
}
