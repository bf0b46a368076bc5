package app.rez.monitor.reactnative

import android.content.Context
import app.rez.monitor.RezMonitor
import app.rez.monitor.android.Bridge
import java.util.concurrent.LinkedBlockingQueue
import java.util.concurrent.ThreadPoolExecutor
import java.util.concurrent.TimeUnit
import org.json.JSONObject

/**
 * The methods of the module, without React Native's types.
 *
 * None throws: an exception would end the app. One that waits does so on a thread of its own, in the order of the calls, except `lastRun`, and passes its
 * answer to `resolve` there.
 */
internal class NativeCalls(private val context: Context) {
    fun open(settings: String?, facts: String?): String =
        caught(::error) { Bridge.open(context, settings.orEmpty(), facts.orEmpty()) }

    fun recordBatch(json: String?): Boolean = caught({ false }) { Bridge.recordBatch(json.orEmpty()) }

    fun recordFatal(json: String?): Boolean = caught({ false }) { Bridge.recordFatal(json.orEmpty()) }

    fun setConsent(purpose: String?, consent: String?): Boolean =
        caught({ false }) { Bridge.setConsent(purpose.orEmpty(), consent.orEmpty()) }

    fun forgetUser(): Boolean = caught({ false }) { Bridge.forgetUser() }

    /** The Android layer observes the life cycle itself. */
    fun setForeground(): Boolean = caught({ false }) { RezMonitor.isInitialized }

    fun newSession(): Boolean = caught({ false }) { Bridge.newSession() }

    fun setFacts(json: String?): String = caught(::sentence) { Bridge.setFacts(json.orEmpty()) }

    fun setConditions(json: String?): String = caught(::sentence) { Bridge.setConditions(json.orEmpty()) }

    fun setRelease(release: String?, dist: String?): String =
        caught(::sentence) { Bridge.setRelease(release.orEmpty(), dist.orEmpty()) }

    fun addDestinations(settings: String?, from: String?): String =
        caught(::sentence) { Bridge.addDestinations(settings.orEmpty(), from.orEmpty()) }

    fun removeDestination(name: String?): String = caught(::sentence) { Bridge.removeDestination(name.orEmpty()) }

    fun pauseDestination(name: String?): String = caught(::sentence) { Bridge.pauseDestination(name.orEmpty()) }

    fun resumeDestination(name: String?): String = caught(::sentence) { Bridge.resumeDestination(name.orEmpty()) }

    fun traceHeaders(trace: String?, url: String?): String = caught({ "{}" }) { Bridge.traceHeaders(trace.orEmpty(), url.orEmpty()) }

    fun status(): String = caught({ "" }) { Bridge.status() }

    fun metrics(): String = caught({ "[]" }) { Bridge.metrics() }

    fun clearMetrics(): Boolean = caught({ false }) { Bridge.clearMetrics() }

    fun takeLog(): String = caught({ "[]" }) { Bridge.takeLog() }

    fun persist(waitMs: Double, resolve: (String) -> Unit) = later(resolve, ::sentence) { Bridge.persist(waitMs.toLong()) }

    fun flush(waitMs: Double, resolve: (String) -> Unit) = later(resolve, ::error) { Bridge.flush(waitMs.toLong()) }

    fun why(id: String?, waitMs: Double, resolve: (String) -> Unit) =
        later(resolve, ::error) { Bridge.why(id.orEmpty(), waitMs.toLong()) }

    fun inspect(request: String?, waitMs: Double, resolve: (String) -> Unit) =
        later(resolve, ::error) { Bridge.inspect(request.orEmpty(), waitMs.toLong()) }

    fun lastRun(waitMs: Double, resolve: (String) -> Unit) = later(resolve, ::error, lookingBack) { Bridge.lastRun(waitMs.toLong()) }

    fun testCrash(kind: String?): String = caught(::sentence) { Bridge.testCrash(kind.orEmpty()) }

    fun close(waitMs: Double, resolve: (String) -> Unit) = later(resolve, ::sentence) { Bridge.close(waitMs.toLong()) }

    companion object {
        private const val KEEP_SECONDS = 10L

        /** One thread for all instances: after a reload of JavaScript the calls of the old one still come first. */
        private val background = oneThread("rez-monitor-js")

        /** Apart: this one waits for the system for seconds, and no other call depends on it. */
        private val lookingBack = oneThread("rez-monitor-js-last-run")

        private fun oneThread(name: String) =
            ThreadPoolExecutor(1, 1, KEEP_SECONDS, TimeUnit.SECONDS, LinkedBlockingQueue()) { work ->
                Thread(work, name).apply { isDaemon = true }
            }.apply { allowCoreThreadTimeOut(true) }

        /** Runs [call]; [failed] makes the answer from what it throws, also an `Error`. */
        inline fun <T> caught(failed: (Throwable) -> T, call: () -> T): T = try {
            call()
        } catch (reason: Throwable) {
            failed(reason)
        }

        fun later(
            resolve: (String) -> Unit,
            failed: (Throwable) -> String,
            on: ThreadPoolExecutor = background,
            call: () -> String,
        ) {
            val answer = { text: String -> caught({ }) { resolve(text) } }
            caught({ answer(failed(it)) }) { on.execute { answer(caught(failed, call)) } }
        }

        fun sentence(reason: Throwable): String = "the native module has failed: $reason; report it"

        fun error(reason: Throwable): String = JSONObject().put("error", sentence(reason)).toString()
    }
}
