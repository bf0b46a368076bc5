package app.rez.monitor

import app.rez.monitor.internal.Engine
import app.rez.monitor.internal.Guard
import app.rez.monitor.internal.span

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
 * [finish] and [close] end and record it. What the app forgets without them is recorded as cancelled when a
 * later one begins. All functions may be
 * called from any thread, and do nothing after the end.
 */
public class Span internal constructor(
    engine: Engine?,
    name: String,
    op: String,
    parent: TraceContext?,
    isChild: Boolean,
) : AutoCloseable {
    private val guard = Guard(engine) { span(name, op, parent, isChild) }

    @Volatile
    private var status = SpanStatus.OK

    /** Its ids. `null` after its end. */
    public val trace: TraceContext?
        get() = guard.trace

    /** Begins a span inside this one. */
    @JvmOverloads
    public fun startChild(name: String, op: String = "task"): Span {
        val parent = trace
        return Span(if (parent == null) null else guard.engine, name, op, parent, isChild = true)
    }

    /** Sets an attribute: null, a text, number or boolean, or a list or map of them; of more than 40 KiB, the text `[too large]`. */
    public fun setAttribute(name: String, value: Any?): Unit = guard.set(name, value)

    /** Sets how it ended. Default: [SpanStatus.OK]. */
    public fun setStatus(status: SpanStatus) {
        this.status = status
    }

    /** Ends and records it. */
    public fun finish(): Outcome = guard.end(Guard.FINISHED, status.ordinal)

    /** Ends it, and records it as cancelled. */
    public fun cancel() {
        guard.end(Guard.CANCELLED)
    }

    /** [finish], unless it has ended. */
    override fun close() {
        finish()
    }
}
