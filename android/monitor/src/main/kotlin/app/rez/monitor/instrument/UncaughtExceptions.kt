package app.rez.monitor.instrument

import app.rez.monitor.RezMonitor
import app.rez.monitor.android.guarded
import java.util.concurrent.atomic.AtomicBoolean

/**
 * Records the exception that ends the process, then calls the handler before it, which is the system's or that of another library.
 *
 * React Native ends the process with a `JavascriptException` after its JavaScript has recorded the error: that one is ignored.
 */
internal class UncaughtExceptions : Thread.UncaughtExceptionHandler, AutoCloseable {
    private val next: Thread.UncaughtExceptionHandler? = Thread.getDefaultUncaughtExceptionHandler()

    /** Ended while another library has this handler as its next one. */
    @Volatile
    private var isEnded = false

    /** From the record until the next handler has returned, which it does not if it ends the process. */
    private val isHandling = AtomicBoolean()

    init {
        Thread.setDefaultUncaughtExceptionHandler(this)
    }

    override fun uncaughtException(thread: Thread, error: Throwable) {
        // An exception of a second thread, or of the next handler, is the same crash.
        val isFirst = guarded("the exception that ends the process was not read", false) {
            !isEnded && !isOfJavaScript(error) && isHandling.compareAndSet(false, true)
        }
        try {
            if (isFirst) record(thread, error)
        } finally {
            try {
                next?.uncaughtException(thread, error)
            } finally {
                if (isFirst) isHandling.set(false)
            }
        }
    }

    private fun record(thread: Thread, error: Throwable) {
        guarded("the exception that ends the process was not recorded") {
            RezMonitor.captureFatal(error, thread = thread) { mechanism = "UncaughtExceptionHandler" }
        }
    }

    private fun isOfJavaScript(error: Throwable): Boolean {
        var one: Throwable? = error
        repeat(CAUSES) {
            if (one?.javaClass?.name == JAVASCRIPT) return true
            one = one?.cause
        }
        return false
    }

    override fun close() {
        isEnded = true
        if (Thread.getDefaultUncaughtExceptionHandler() === this) Thread.setDefaultUncaughtExceptionHandler(next)
    }

    private companion object {
        const val JAVASCRIPT = "com.facebook.react.common.JavascriptException"

        /** A chain may be a circle. */
        const val CAUSES = 16
    }
}
