package app.rez.monitor

import app.rez.monitor.internal.Engine
import app.rez.monitor.internal.Guard
import app.rez.monitor.internal.apiCall

/**
 * An HTTP call in progress, from [RezMonitor.trackApiCall].
 *
 * ```
 * RezMonitor.trackApiCall("GET", url).use { call ->
 *     val response = client.get(url, call.headers)
 *     call.finish(response.status, response.size)
 * }
 * ```
 *
 * [finish] or [fail] ends and records it. What the app forgets without them is given up, unrecorded, when a later one begins. [close] without one of them, and so a `use` that throws, records it as failed. All functions
 * may be called from any thread, and do nothing after the end.
 */
public class ApiCall internal constructor(engine: Engine?, method: String, url: String, parent: TraceContext?) : AutoCloseable {
    private val guard = Guard(engine) { apiCall(method, url, parent) }

    @Volatile
    private var sent = 0L

    /** Its span. `null` after its end. */
    public val trace: TraceContext?
        get() = guard.trace

    /** The trace headers to send; empty if the host is not in [Settings.Builder.traceTargets]. */
    public val headers: Map<String, String>
        get() = guard.headers

    /** Sets the bytes of the body of the request. */
    public fun requestBytes(bytes: Long) {
        sent = bytes.coerceAtLeast(0)
    }

    /** Ends and records it: a response came. [bytes]: of its body. */
    @JvmOverloads
    public fun finish(status: Int, bytes: Long = 0): Outcome =
        guard.end(Guard.FINISHED, status.coerceIn(0, 0xffff), sent, bytes.coerceAtLeast(0))

    /** Ends and records it: no response came. [error]: why, without personal data. */
    public fun fail(error: String): Outcome = guard.end(Guard.FAILED, sent = sent, error = error)

    /** Ends it without a record. */
    public fun cancel() {
        guard.end(Guard.CANCELLED)
    }

    /** Records it as failed, unless it has ended. */
    override fun close() {
        fail("closed without a response")
    }
}
