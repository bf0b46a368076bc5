package app.rez.monitor

import app.rez.monitor.internal.Engine
import app.rez.monitor.internal.Guard
import app.rez.monitor.internal.Recorder
import app.rez.monitor.internal.attrValue
import app.rez.monitor.internal.public
import app.rez.monitor.internal.Span as CoreSpan
import app.rez.monitor.internal.SpanStatus as CoreStatus

/**
 * A span of the app in progress, from [RezMonitor.startSpan].
 *
 * ```
 * RezMonitor.startSpan("checkout", "task").use { span ->
 *     span.startChild("load cart", "db.query").use { cart.load() }
 *     span.setAttribute("items", cart.size)
 * }
 * ```
 *
 * [finish] and [close] end and record it. What ends without them is recorded as cancelled when it is collected. All functions may be
 * called from any thread, and do nothing after the end.
 */
public class Span internal constructor(engine: Engine?, span: CoreSpan?) : AutoCloseable {
    private val guard = Guard(engine, span)

    /** Its ids. `null` after its end. */
    public val trace: TraceContext?
        get() = guard.call(null) { it.context()?.public() }

    /** Begins a span inside this one. */
    @JvmOverloads
    public fun startChild(name: String, op: String = "task"): Span = Span(guard.engine, guard.call(null) { it.child(name, op) })

    /** Sets an attribute: null, a text, number or boolean, or a list or map of them. */
    public fun setAttribute(name: String, value: Any?): Unit = guard.call(Unit) { it.attr(name, attrValue(value)) }

    /** Sets how it ended. Default: [SpanStatus.OK]. */
    public fun setStatus(status: SpanStatus): Unit = guard.call(Unit) { it.status(CoreStatus.entries[status.ordinal]) }

    /** Ends and records it. */
    public fun finish(): Outcome = guard.end(Recorder.CLOSED) { it.finish().public() }

    /** Ends it, and records it as cancelled. */
    public fun cancel(): Unit = guard.end(Unit) { it.cancel() }

    /** [finish], unless it has ended. */
    override fun close() {
        finish()
    }
}
