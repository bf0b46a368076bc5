package app.rez.monitor.internal

import app.rez.monitor.Outcome
import app.rez.monitor.TraceContext
import java.util.concurrent.atomic.AtomicBoolean

/**
 * A screen load, HTTP call or span in progress: a number of the engine. It begins and ends by JNI, without waiting for JNA, or by the
 * generated call where records go that way. After its end every call is the answer of a closed engine.
 */
internal class Guard(val engine: Engine?, begin: HotRecord.() -> Unit) {
    private val way: Way? = engine?.let { of ->
        // Another thread can change it meanwhile.
        val hot = of.hot
        if (hot != 0L) Jni(hot) else Generated(of)
    }
    private val begun: Begun? = way?.let { way -> attempt(null) { record { begin(); way.begin(this) } } }
    private val isOver = AtomicBoolean(begun == null)
    private val leash: Leash?

    init {
        Leash.endAbandoned()
        val (way, begun, isOver) = Triple(way, begun, isOver)
        // Not if it ends at the same moment.
        val cancel = { number: Long -> if (isOver.compareAndSet(false, true)) way?.cancel(number) }
        leash = if (way == null || begun == null) null else Leash(this) { cancel(begun.number) }
    }

    val trace: TraceContext?
        get() = if (isOver.get()) null else begun?.trace

    val headers: Map<String, String>
        get() = if (isOver.get()) emptyMap() else begun?.headers.orEmpty()

    fun mark(mark: Int): Unit = change { way, number -> way.mark(number, mark) }

    fun set(name: String, value: Any?): Unit = change { way, number ->
        record {
            attribute(name, value)
            if (!fits) attribute(name, TOO_LARGE)
            if (fits) way.set(number, this)
        }
    }

    fun end(
        how: Int,
        status: Int = 0,
        sent: Long = 0,
        received: Long = 0,
        error: String = "",
    ): Outcome {
        val (way, begun) = way to begun
        if (way == null || begun == null || !isOver.compareAndSet(false, true)) return Recorder.CLOSED
        leash?.release()
        return attempt(Recorder.CLOSED) {
            record {
                ended(how, status, sent, received, error)
                way.end(begun.number, this)
            }
        }
    }

    private inline fun change(change: (Way, Long) -> Unit) {
        val (way, begun) = way to begun
        if (way != null && begun != null && !isOver.get()) attempt(Unit) { change(way, begun.number) }
    }

    companion object {
        const val FINISHED = 0
        const val FAILED = 1
        const val CANCELLED = 2

        private const val TOO_LARGE = "[too large]"

        private inline fun <T> record(use: HotRecord.() -> T): T {
            val record = HotRecord.take()
            return try {
                record.use()
            } finally {
                record.release()
            }
        }

        private inline fun <T> attempt(or: T, call: () -> T): T = try {
            call()
        } catch (reason: Throwable) {
            Recorder.failed(reason)
            or
        }

        /** Ends a guard that the app has forgotten. */
        private fun Way.cancel(number: Long): Unit = attempt(Unit) {
            record {
                ended(CANCELLED, 0, 0, 0, "")
                end(number, this)
            }
        }
    }
}

/** What is known of a guard from its beginning. */
internal class Begun(val number: Long, val trace: TraceContext, val headers: Map<String, String>)

/** A way into the library. */
private interface Way {
    fun begin(record: HotRecord): Begun?
    fun mark(number: Long, mark: Int)
    fun set(number: Long, record: HotRecord)
    fun end(number: Long, record: HotRecord): Outcome
}

private class Jni(private val handle: Long) : Way {
    override fun begin(record: HotRecord) =
        if (Native.guardBegin(handle, record.bytes, record.size) == 0) null else HotAnswer(record.bytes).begun()

    override fun mark(number: Long, mark: Int) = Native.guardMark(number, mark)

    override fun set(number: Long, record: HotRecord) = Native.guardSet(number, record.bytes, record.size)

    override fun end(number: Long, record: HotRecord) =
        Recorder.answer(record, Native.guardEnd(number, record.bytes, record.size))
}

private class Generated(private val engine: Engine) : Way {
    override fun begin(record: HotRecord): Begun? {
        val answer = engine.call(ByteArray(0)) { guardBegin(it, record.written()) }
        return if (answer.isEmpty()) null else HotAnswer(answer).begun()
    }

    override fun mark(number: Long, mark: Int) = engine.call(Unit) { guardMark(number.toULong(), mark.toUByte()) }

    override fun set(number: Long, record: HotRecord) = engine.call(Unit) { guardSet(number.toULong(), record.written()) }

    override fun end(number: Long, record: HotRecord) =
        engine.call(Recorder.CLOSED) { guardEnd(number.toULong(), record.written()).public() }
}
