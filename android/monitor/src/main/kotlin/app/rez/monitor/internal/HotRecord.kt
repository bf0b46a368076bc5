package app.rez.monitor.internal

/**
 * Writes hot record version 1 (`bindings/uniffi/src/hot.rs`) into an array that each thread keeps.
 *
 * A record that does not fit into [MOST] bytes has [fits] `false`; its caller uses the generated call. Half of a surrogate pair becomes
 * `?`, as in the generated call.
 */
internal class HotRecord {
    var bytes = ByteArray(LEAST)
        private set
    var size = 0
        private set
    var fits = true
        private set
    private var bits = 0
    private var isUsed = false

    /** Starts a record of this call. */
    fun begin(call: Int): HotRecord {
        size = HEAD
        bits = 0
        fits = true
        bytes[0] = VERSION
        bytes[1] = call.toByte()
        // The last record's id is there.
        bytes[2] = 0
        bytes[3] = 0
        return this
    }

    /** Says that a part in brackets is there. */
    fun bit(bit: Int) {
        bits = bits or (1 shl bit)
        bytes[2] = bits.toByte()
        bytes[3] = (bits shr 8).toByte()
    }

    /** A copy of the record, for a generated call. */
    fun written(): ByteArray = bytes.copyOf(size)

    /** The id that the library wrote over the record, as two halves. */
    fun idHigh(): Long = big(0)

    fun idLow(): Long = big(8)

    private fun big(at: Int): Long {
        var value = 0L
        for (index in at until at + 8) value = value shl 8 or (bytes[index].toLong() and 0xff)
        return value
    }

    private fun room(more: Int): Boolean {
        if (size + more <= bytes.size) return true
        if (fits && size + more <= MOST) {
            bytes = bytes.copyOf((bytes.size * 2).coerceIn(size + more, MOST))
            return true
        }
        // What is written from now on is not used.
        fits = false
        size = HEAD
        return more <= LEAST - HEAD
    }

    fun u8(value: Int) {
        if (room(1)) bytes[size++] = value.toByte()
    }

    fun u16(value: Int) {
        if (!room(2)) return
        put16(size, value)
        size += 2
    }

    private fun put16(at: Int, value: Int) {
        bytes[at] = value.toByte()
        bytes[at + 1] = (value shr 8).toByte()
    }

    fun u32(value: Int) {
        u16(value)
        u16(value shr 16)
    }

    fun i64(value: Long) {
        if (!room(8)) return
        val bytes = bytes
        var rest = value
        for (at in size until size + 8) {
            bytes[at] = rest.toByte()
            rest = rest shr 8
        }
        size += 8
    }

    fun f64(value: Double) = i64(value.toRawBits())

    fun text(value: String) {
        val length = value.length
        if (length > MOST || !room(2 + length)) {
            fits = false
            return
        }
        val bytes = bytes
        var at = size + 2
        for (index in 0 until length) {
            val unit = value[index].code
            if (unit >= 0x80) return encoded(value)
            bytes[at++] = unit.toByte()
        }
        put16(size, length)
        size = at
    }

    private fun encoded(value: String) {
        val utf8 = value.toByteArray(Charsets.UTF_8)
        if (!room(2 + utf8.size) || utf8.size > MOST) {
            fits = false
            return
        }
        put16(size, utf8.size)
        utf8.copyInto(bytes, size + 2)
        size += 2 + utf8.size
    }

    fun text(bit: Int, value: String?) {
        if (value == null) return
        bit(bit)
        text(value)
    }

    fun texts(bit: Int, values: List<String>) {
        if (values.isEmpty()) return
        bit(bit)
        counted(values) { text(it) }
    }

    fun pairs(bit: Int, values: Map<String, String>) {
        if (values.isEmpty()) return
        bit(bit)
        counted(values.entries) {
            text(it.key)
            text(it.value)
        }
    }

    /** A count in one byte and the elements. Another thread may change the collection meanwhile. */
    inline fun <T> counted(values: Iterable<T>, write: (T) -> Unit) {
        var count = 0
        u8(0)
        val at = size - 1
        for (value in values) {
            if (++count > 255) fits = false
            if (!fits) return
            write(value)
        }
        if (fits) bytes[at] = count.toByte()
    }

    fun attrs(bit: Int, values: Map<String, Any?>) {
        if (values.isEmpty()) return
        bit(bit)
        counted(values.entries) {
            text(it.key)
            value(it.value, 1)
        }
    }

    private fun value(value: Any?, depth: Int) {
        when (value) {
            null -> u8(0)
            is String -> {
                u8(6)
                text(value)
            }
            is Boolean -> u8(if (value) 2 else 1)
            is Int -> number(value.toLong())
            is Long -> number(value)
            is Double -> {
                u8(5)
                f64(value)
            }
            is Map<*, *> -> elements(8, depth, value.entries) {
                text(it.key.toString())
                value(it.value, depth + 1)
            }
            is List<*> -> elements(7, depth, value) { value(it, depth + 1) }
            else -> value(plain(value), depth)
        }
    }

    private fun number(value: Long) {
        u8(3)
        i64(value)
    }

    private inline fun <T> elements(kind: Int, depth: Int, values: Iterable<T>, write: (T) -> Unit) {
        if (depth >= DEPTH) return u8(0)
        u8(kind)
        u16(0)
        val at = size - 2
        var count = 0
        for (value in values) {
            if (++count > 0xffff) fits = false
            if (!fits) return
            write(value)
        }
        if (fits) put16(at, count)
    }

    fun trace(bit: Int, trace: app.rez.monitor.TraceContext?) {
        if (trace == null) return
        bit(bit)
        i64(trace.high)
        i64(trace.low)
        i64(trace.span)
        i64(trace.parent)
        u8(if (trace.isSampled == null) 0 else if (trace.isSampled) 2 else 1)
    }

    companion object {
        private const val VERSION: Byte = 1
        private const val HEAD = 4
        private const val LEAST = 4 * 1024
        private const val MOST = 40 * 1024

        /** The library reads lists and maps less deep than this; the engine keeps fewer levels. */
        const val DEPTH = 8

        private val ofThread = object : ThreadLocal<HotRecord>() {
            override fun initialValue() = HotRecord()
        }

        /** Writes and uses a record. */
        inline fun <T> use(use: HotRecord.() -> T): T {
            val record = take()
            return try {
                record.use()
            } finally {
                record.release()
            }
        }

        /** The record of this thread; another one inside a `toString()` that records. */
        fun take(): HotRecord {
            val record = ofThread.get()
            val free = if (record.isUsed) HotRecord() else record
            free.isUsed = true
            return free
        }
    }

    fun release() {
        isUsed = false
    }
}
