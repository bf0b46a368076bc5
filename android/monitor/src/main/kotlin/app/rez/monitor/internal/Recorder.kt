package app.rez.monitor.internal

import app.rez.monitor.Durability
import app.rez.monitor.ErrorOptions
import app.rez.monitor.EventOptions
import app.rez.monitor.Outcome
import app.rez.monitor.StackFrame
import app.rez.monitor.TraceContext
import kotlin.time.Duration

/** The engine that is open, and the way of a record: by JNI if it can, else by the generated call. */
internal object Recorder {
    @Volatile
    var engine: Engine? = null

    val CLOSED: Outcome = Outcome.Dropped("store_unavailable")
    val MALFORMED: Outcome = Outcome.Dropped("malformed")

    /** An answer of JNI `submit` that is no id. */
    private val NOTED: Outcome = Outcome.Recorded(0, 0)

    /** Reasons by their numbers (`core/src/reason.rs`). */
    val REASONS: List<Outcome> = listOf(
        "ring_full", "too_large", "malformed", "sampled", "filtered", "hook_failed", "consent", "collapsed", "reentrant", "forked",
        "store_unavailable", "disk_full", "evicted_bytes", "evicted_age", "expired", "rate_limited", "rejected", "poison", "ambiguous",
        "destination_removed", "corrupt_row", "corrupt_file", "carved_stale", "migration", "power_loss", "cleared_by_user", "log_level",
    ).map { Outcome.Dropped(it) }

    /** Records by JNI, unless the record needs [isFull] or does not fit. Never throws. */
    inline fun submit(
        isFull: Boolean,
        encode: HotRecord.() -> Unit,
        generated: (ULong) -> app.rez.monitor.internal.Outcome,
    ): Outcome {
        val engine = engine ?: return CLOSED
        val hot = engine.hot
        if (hot != 0L && !isFull) hot(hot, encode)?.let { return it }
        return engine.call(CLOSED) { generated(it).public() }
    }

    /** `null` if the record does not fit. */
    inline fun hot(handle: Long, encode: HotRecord.() -> Unit): Outcome? = try {
        HotRecord.use {
            encode()
            if (fits) answer(this, Native.submit(handle, bytes, size)) else null
        }
    } catch (reason: Throwable) {
        failed(reason)
    }

    fun answer(record: HotRecord, answer: Int): Outcome = when (answer) {
        0 -> Outcome.Recorded(record.idHigh(), record.idLow())
        1 -> NOTED
        -1 -> MALFORMED
        else -> REASONS.getOrElse(-2 - answer) { MALFORMED }
    }

    fun failed(reason: Throwable): Outcome {
        try {
            Log.once("an event could not be read: ${Log.text(reason)}")
        } catch (_: Throwable) {
            // Without memory there is no text either.
        }
        return MALFORMED
    }

    /** Records the error that ends the process. */
    fun fatal(type: String, message: String, attributes: Map<String, Any?>, options: ErrorOptions, wait: Duration): Durability {
        val engine = engine ?: return Durability.DROPPED
        val hot = engine.hot
        if (hot != 0L && !options.isFull) hotFatal(hot, wait) { error(type, message, attributes, options) }?.let { return it }
        return engine.call(Durability.DROPPED) {
            fatal(it, errorEvent(type, message, attributes, options), wait.millis()).public()
        }
    }
}

/** Records a batch document: by JNI, which does not wait for JNA. */
internal fun Recorder.batch(json: String): Boolean = byJni(false, { Native.batch(it, json.toByteArray()) }) { recordBatch(it, json) }

/** The same; the last event ends the process. */
internal fun Recorder.batchFatal(json: String, wait: Duration): Durability =
    byJni(Durability.DROPPED, { durability(Native.batchFatal(it, json.toByteArray(), wait.millis())) }) {
        recordFatal(it, json, wait.millis()).public()
    }

private inline fun <T> byJni(or: T, jni: (Long) -> T, generated: (ULong) -> T): T {
    val engine = Recorder.engine ?: return or
    val hot = engine.hot
    if (hot == 0L) return engine.call(or, generated)
    return try {
        jni(hot)
    } catch (reason: Throwable) {
        Recorder.failed(reason)
        or
    }
}

/** `null` if the record does not fit or cannot be made. */
private inline fun hotFatal(handle: Long, wait: Duration, encode: HotRecord.() -> Unit): Durability? = try {
    HotRecord.use {
        encode()
        if (fits) durability(Native.fatal(handle, bytes, size, wait.millis())) else null
    }
} catch (reason: Throwable) {
    Recorder.failed(reason)
    null
}

private fun durability(answer: Int): Durability = when (answer) {
    1 -> Durability.SYNCED
    2 -> Durability.IN_RING
    else -> Durability.DROPPED
}

/** The members that every call may have, which end a record. */
internal fun HotRecord.common(attributes: Map<String, Any?>, options: EventOptions) {
    options.atMillis?.let { at ->
        bit(0)
        i64(at)
    }
    trace(1, options.trace)
    texts(2, options.targets)
    attrs(3, attributes)
}

/** What the engine keeps of a name or an address is far shorter. */
private const val GUARD_CHARS = 4_096

/** Call 10. */
internal fun HotRecord.screen(name: String) {
    begin(10)
    text(name.take(GUARD_CHARS))
}

/** Call 11. */
internal fun HotRecord.apiCall(method: String, url: String, parent: TraceContext?) {
    begin(11)
    text(method.take(GUARD_CHARS))
    text(url.take(GUARD_CHARS))
    trace(1, parent)
}

/** Call 12. */
internal fun HotRecord.span(name: String, op: String, parent: TraceContext?, isChild: Boolean) {
    begin(12)
    text(name.take(GUARD_CHARS))
    text(op.take(GUARD_CHARS))
    trace(1, parent)
    if (isChild) bit(4)
}

/** Call 13. */
internal fun HotRecord.ended(how: Int, status: Int, sent: Long, received: Long, error: String) {
    begin(13)
    u8(how)
    u16(status)
    i64(sent)
    i64(received)
    text(error.take(GUARD_CHARS * 2 + 1))
}

/** Call 14. */
internal fun HotRecord.attribute(name: String, value: Any?) {
    begin(14)
    attrs(3, mapOf(name.take(GUARD_CHARS) to value))
}

/** Call 9. */
internal fun HotRecord.error(type: String, message: String, attributes: Map<String, Any?>, options: ErrorOptions) {
    begin(9)
    u8(options.severity.ordinal)
    text(type)
    text(message)
    text(4, options.code)
    text(5, options.mechanism)
    if (!options.isHandled) bit(6)
    if (options.frames.isNotEmpty()) {
        bit(7)
        frames(options.frames)
    }
    if (options.causes.isNotEmpty()) {
        bit(8)
        counted(options.causes) {
            u8(it.parent)
            text(it.source)
            text(it.type)
            text(it.message)
            frames(it.frames)
        }
    }
    options.threads.firstOrNull()?.let {
        bit(9)
        i64(it.id)
        text(it.name)
        u8(if (it.isMain) 1 else 0)
    }
    common(attributes, options)
}

private fun HotRecord.frames(frames: List<StackFrame>) = counted(frames) {
    text(it.function)
    text(it.module)
    text(it.file)
    u32(it.line.coerceAtLeast(0))
    u32(it.column.coerceAtLeast(0))
    u8(if (it.isInApp) 1 else 0)
}
