package app.rez.monitor.internal

import java.util.concurrent.CountDownLatch
import java.util.concurrent.TimeUnit
import kotlin.time.TimeSource

/** Whether the platform layer has told the exits that the system remembers. On a JVM nobody tells any. */
internal object ExitsTold {
    @Volatile
    private var pending: CountDownLatch? = null

    /** They are going to be told. */
    fun expect() {
        pending = CountDownLatch(1)
    }

    /** They were told, or are not going to be. */
    fun settle() {
        pending?.countDown()
    }

    fun await(waitMs: Long) {
        try {
            pending?.await(waitMs, TimeUnit.MILLISECONDS)
        } catch (_: InterruptedException) {
            Thread.currentThread().interrupt()
        }
    }
}

/**
 * How the run before this one ended, after at most [waitMs]. If the engine itself knows of no crash, the answer waits for the exits that the
 * system remembers. Throws what the generated call throws.
 */
internal fun lastRunOnceTold(handle: ULong, waitMs: Long): LastRun? {
    val begun = TimeSource.Monotonic.markNow()
    val known = lastRun(handle, waitMs)
    if (known == null || known.ended == RunEnd.CRASHED || known.ended == RunEnd.CLOSED) return known
    fun left() = (waitMs - begun.elapsedNow().inWholeMilliseconds).coerceAtLeast(0)
    ExitsTold.await(left())
    return lastRun(handle, left())
}
