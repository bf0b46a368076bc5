package app.rez.monitor

import app.rez.monitor.internal.Engine
import app.rez.monitor.internal.Guard
import app.rez.monitor.internal.screen

/**
 * A screen that is loading, from [RezMonitor.trackScreenLoad].
 *
 * ```
 * RezMonitor.trackScreenLoad("Home").use { load ->
 *     show()
 *     load.initialDisplay()
 *     fill()
 * }
 * ```
 *
 * [close] ends and records it, and so does the end of `use`. What the app forgets without it is cancelled when a later one begins. All functions may
 * be called from any thread, and do nothing after the end.
 */
public class ScreenLoad internal constructor(engine: Engine?, name: String) : AutoCloseable {
    private val guard = Guard(engine) { screen(name) }

    /** Its span, for calls inside it. `null` after its end. */
    public val trace: TraceContext?
        get() = guard.trace

    /** The first frame was shown. Only the first call counts. */
    public fun initialDisplay(): Unit = guard.mark(1)

    /** Everything was shown. Only the first call counts. */
    public fun fullDisplay(): Unit = guard.mark(2)

    /** Ends and records it. */
    public fun finish(): Outcome = guard.end(Guard.FINISHED)

    /** Ends it without a record. */
    public fun cancel() {
        guard.end(Guard.CANCELLED)
    }

    /** [finish], unless it has ended. */
    override fun close() {
        finish()
    }
}
