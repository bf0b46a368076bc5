package app.rez.monitor.internal

import app.rez.monitor.Outcome
import app.rez.monitor.TraceContext
import java.util.concurrent.atomic.AtomicBoolean

/**
 * A screen load, HTTP call or span in progress: a number of the engine. It begins and ends by JNI, without waiting for JNA, or by the
 * generated call where records go that way. After its end every call is the answer of a closed engine.
 */
internal class Guard(val engine: Engine?, begin: HotRecord.() -> Unit) {
    private val begun: Begun? = engine?.let { attempt(null) { HotRecord.use { begin(); wayInto(it).begin(this) } } }
    private val isOver = AtomicBoolean(begun == null)
    private val leash: Leash?

    init {
        Leash.endAbandoned()
        // Neither refers to this guard.
        val (begun, isOver) = begun to isOver
        leash = begun?.let { Leash(this) { if (isOver.compareAndSet(false, true)) it.cancel() } }
    }

    val trace: TraceContext?
        get() = open()?.trace

    val headers: Map<String, String>
        get() = open()?.headers.orEmpty()

    fun mark(mark: Int): Unit = attempt(Unit) { open()?.run { way.mark(number, mark) } }

    fun set(name: String, value: Any?): Unit = attempt(Unit) {
        open()?.run {
            HotRecord.use {
                attribute(name, value)
                if (!fits) attribute(name, TOO_LARGE)
                if (fits) way.set(number, this)
            }
        }
    }

    fun end(
        how: Int,
        status: Int = 0,
        sent: Long = 0,
        received: Long = 0,
        error: String = "",
    ): Outcome {
        if (begun == null || !isOver.compareAndSet(false, true)) return Recorder.CLOSED
        leash?.release()
        return attempt(Recorder.CLOSED) { begun.end { ended(how, status, sent, received, error) } }
    }

    private fun open(): Begun? = begun.takeUnless { isOver.get() }

    companion object {
        const val FINISHED = 0
        const val FAILED = 1
        const val CANCELLED = 2

        private const val TOO_LARGE = "[too large]"

        private inline fun <T> attempt(or: T, call: () -> T): T = try {
            call()
        } catch (reason: Throwable) {
            Recorder.failed(reason)
            or
        }

        /** Ends a guard that the app has forgotten. */
        private fun Begun.cancel() {
            attempt(Recorder.CLOSED) { end { ended(CANCELLED, 0, 0, 0, "") } }
        }

        private fun Begun.end(encode: HotRecord.() -> Unit): Outcome = HotRecord.use {
            encode()
            way.end(number, this)
        }
    }
}
