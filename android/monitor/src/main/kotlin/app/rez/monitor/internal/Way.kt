package app.rez.monitor.internal

import app.rez.monitor.Outcome
import app.rez.monitor.TraceContext

/** What is known of a guard from its beginning. */
internal class Begun(val way: Way, val number: Long, val trace: TraceContext, val headers: Map<String, String>)

/** The way that the records of this engine take. */
internal fun wayInto(engine: Engine): Way {
    // Another thread can change it meanwhile.
    val hot = engine.hot
    return if (hot != 0L) Jni(hot) else Generated(engine)
}

/** A way of guards into the library. A guard that has begun on one ends on it. */
internal interface Way {
    fun begin(record: HotRecord): Begun?
    fun mark(number: Long, mark: Int)
    fun set(number: Long, record: HotRecord)
    fun end(number: Long, record: HotRecord): Outcome
}

/** By JNI, which does not wait for JNA. */
private class Jni(private val handle: Long) : Way {
    override fun begin(record: HotRecord) =
        if (Native.guardBegin(handle, record.bytes, record.size) == 0) null else HotAnswer(record.bytes).begun(this)

    override fun mark(number: Long, mark: Int) = Native.guardMark(number, mark)

    override fun set(number: Long, record: HotRecord) = Native.guardSet(number, record.bytes, record.size)

    override fun end(number: Long, record: HotRecord) =
        Recorder.answer(record, Native.guardEnd(number, record.bytes, record.size))
}

/** By the generated calls. */
private class Generated(private val engine: Engine) : Way {
    override fun begin(record: HotRecord): Begun? {
        val answer = engine.call(ByteArray(0)) { guardBegin(it, record.written()) }
        return if (answer.isEmpty()) null else HotAnswer(answer).begun(this)
    }

    override fun mark(number: Long, mark: Int) = engine.call(Unit) { guardMark(number.toULong(), mark.toUByte()) }

    override fun set(number: Long, record: HotRecord) = engine.call(Unit) { guardSet(number.toULong(), record.written()) }

    override fun end(number: Long, record: HotRecord) =
        engine.call(Recorder.CLOSED) { guardEnd(number.toULong(), record.written()).public() }
}
