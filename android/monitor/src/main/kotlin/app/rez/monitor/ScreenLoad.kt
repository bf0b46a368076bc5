package app.rez.monitor

import app.rez.monitor.internal.Engine
import app.rez.monitor.internal.Guard
import app.rez.monitor.internal.Recorder
import app.rez.monitor.internal.public
import app.rez.monitor.internal.ScreenLoad as CoreScreenLoad

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
 * [close] ends and records it, and so does the end of `use`. What ends without it is cancelled when it is collected. All functions may
 * be called from any thread, and do nothing after the end.
 */
public class ScreenLoad internal constructor(engine: Engine?, load: CoreScreenLoad?) : AutoCloseable {
    private val guard = Guard(engine, load)

    /** Its span, for calls inside it. `null` after its end. */
    public val trace: TraceContext?
        get() = guard.call(null) { it.context()?.public() }

    /** The first frame was shown. Only the first call counts. */
    public fun initialDisplay(): Unit = guard.call(Unit) { it.initialDisplay() }

    /** Everything was shown. Only the first call counts. */
    public fun fullDisplay(): Unit = guard.call(Unit) { it.fullDisplay() }

    /** Ends and records it. */
    public fun finish(): Outcome = guard.end(Recorder.CLOSED) { it.finish().public() }

    /** Ends it without a record. */
    public fun cancel(): Unit = guard.end(Unit) { it.cancel() }

    /** [finish], unless it has ended. */
    override fun close() {
        finish()
    }
}
