package app.rez.monitor

import app.rez.monitor.internal.Engine
import app.rez.monitor.internal.Guard
import app.rez.monitor.internal.Recorder
import app.rez.monitor.internal.public
import app.rez.monitor.internal.ApiCall as CoreApiCall

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
 * [finish] or [fail] ends and records it. [close] without one of them, and so a `use` that throws, records it as failed. All functions
 * may be called from any thread, and do nothing after the end.
 */
public class ApiCall internal constructor(engine: Engine?, call: CoreApiCall?) : AutoCloseable {
    private val guard = Guard(engine, call)

    /** Its span. `null` after its end. */
    public val trace: TraceContext?
        get() = guard.call(null) { it.context()?.public() }

    /** The trace headers to send; empty if the host is not in [Settings.Builder.traceTargets]. */
    public val headers: Map<String, String>
        get() = guard.call(emptyMap()) { call -> call.headers().associate { it.name to it.value } }

    /** Sets the bytes of the body of the request. */
    public fun requestBytes(bytes: Long): Unit = guard.call(Unit) { it.requestBytes(bytes.coerceAtLeast(0).toULong()) }

    /** Ends and records it: a response came. [bytes]: of its body. */
    @JvmOverloads
    public fun finish(status: Int, bytes: Long = 0): Outcome = guard.end(Recorder.CLOSED) {
        it.finish(status.coerceIn(0, 0xffff).toUShort(), bytes.coerceAtLeast(0).toULong()).public()
    }

    /** Ends and records it: no response came. [error]: why, without personal data. */
    public fun fail(error: String): Outcome = guard.end(Recorder.CLOSED) { it.fail(error).public() }

    /** Ends it without a record. */
    public fun cancel(): Unit = guard.end(Unit) { it.cancel() }

    /** Records it as failed, unless it has ended. */
    override fun close() {
        fail("closed without a response")
    }
}
