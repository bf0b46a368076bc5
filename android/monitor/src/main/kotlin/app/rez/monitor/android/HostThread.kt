package app.rez.monitor.android

import android.os.Handler
import android.os.HandlerThread

/**
 * The thread on which the Android layer calls the engine in order. Calls other than records wait for the start of the library and go
 * through JNA, so none of them is made on the main thread.
 */
internal class HostThread : AutoCloseable {
    private val thread = HandlerThread("rez-monitor-host").apply { start() }

    /** For callbacks of the system, so that they do not run on the main thread either. */
    val handler: Handler = Handler(thread.looper)

    fun post(work: () -> Unit) {
        handler.post { guarded("the state of the platform was not passed on", work) }
    }

    /** The returned action takes it back. */
    fun postDelayed(delayMillis: Long, work: () -> Unit): () -> Unit {
        val later = Runnable { guarded("the state of the platform was not passed on", work) }
        handler.postDelayed(later, delayMillis)
        return { handler.removeCallbacks(later) }
    }

    override fun close() {
        thread.quitSafely()
    }
}
