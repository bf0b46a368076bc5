package app.rez.monitor.internal

/**
 * The functions of the library that are called by JNI (`bindings/uniffi/src/hot/jni.rs`): the calls that happen often, and those that
 * must work before JNA is loaded.
 */
internal object Native {
    /** Room for the text of an error. */
    private const val ERROR_BYTES = 1_002

    /** The number of this copy of the library; the generated `nonce()` must return the same. */
    @JvmStatic external fun nonce(): Long

    /** Whether settings are valid. */
    @JvmStatic private external fun check(settings: ByteArray, error: ByteArray): Boolean

    /** The handle, or 0. [hooks]: 1 transport, 2 before-send, 4 logger. */
    @JvmStatic private external fun open(settings: ByteArray, facts: ByteArray?, hooks: Int, error: ByteArray): Long

    /** Closes an engine, as the generated call does. */
    @JvmStatic external fun close(handle: Long, waitMs: Long)

    /** 0: the id is in the first 16 bytes of [record]; 1: no id; -1: malformed; else -2 minus the number of the reason. */
    @JvmStatic external fun submit(handle: Long, record: ByteArray, length: Int): Int

    /** 1 on the disk, 2 in the ring, 0 refused. */
    @JvmStatic external fun fatal(handle: Long, record: ByteArray, length: Int, waitMs: Long): Int

    /** Whether every event of a batch document (`docs/guide/batch.md`) was recorded. */
    @JvmStatic external fun batch(handle: Long, json: ByteArray): Boolean

    /** Records a document whose last event ends the process. The answer is that of [fatal]. */
    @JvmStatic external fun batchFatal(handle: Long, json: ByteArray, waitMs: Long): Int

    /** Begins a guard (calls 10 to 12). The length of the answer in [record], or 0. */
    @JvmStatic external fun guardBegin(handle: Long, record: ByteArray, length: Int): Int

    /** Marks a moment of a screen load: 1 the first frame, 2 the full content. */
    @JvmStatic external fun guardMark(guard: Long, mark: Int)

    /** Sets attributes of a span (call 14). */
    @JvmStatic external fun guardSet(guard: Long, record: ByteArray, length: Int)

    /** Ends a guard (call 13). The answer is that of [submit]. */
    @JvmStatic external fun guardEnd(guard: Long, record: ByteArray, length: Int): Int

    /** What is wrong with settings; `null` if nothing. */
    fun check(settings: String): String? {
        val error = ByteArray(ERROR_BYTES)
        return if (check(settings.toByteArray(), error)) null else text(error)
    }

    /** The handle of an engine; [failed] gets the reason if there is none. */
    inline fun open(settings: String, facts: String?, hooks: Int, failed: (String) -> Long): Long {
        val error = ByteArray(ERROR_BYTES)
        val handle = open(settings.toByteArray(), facts?.toByteArray(), hooks, error)
        return if (handle == 0L) failed(text(error)) else handle
    }

    private fun text(error: ByteArray): String {
        val length = (error[0].toInt() and 0xff) or (error[1].toInt() and 0xff shl 8)
        return String(error, 2, length.coerceAtMost(error.size - 2), Charsets.UTF_8)
    }
}
