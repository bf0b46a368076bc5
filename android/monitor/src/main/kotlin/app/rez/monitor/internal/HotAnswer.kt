package app.rez.monitor.internal

import app.rez.monitor.TraceContext

/** Reads the answer to the beginning of a guard (`bindings/uniffi/src/hot/guards.rs`). */
internal class HotAnswer(private val bytes: ByteArray) {
    private var at = 0

    fun begun(way: Way): Begun {
        val number = i64()
        val trace = TraceContext(i64(), i64(), i64(), i64(), listOf(null, false, true)[u8()])
        val count = u8()
        if (count == 0) return Begun(way, number, trace, emptyMap())
        val headers = LinkedHashMap<String, String>()
        repeat(count) { headers[text()] = text() }
        return Begun(way, number, trace, headers)
    }

    private fun u8(): Int = bytes[at++].toInt() and 0xff

    private fun i64(): Long {
        var value = 0L
        for (index in at + 7 downTo at) value = value shl 8 or (bytes[index].toLong() and 0xff)
        at += 8
        return value
    }

    private fun text(): String {
        val length = u8() or (u8() shl 8)
        at += length
        return String(bytes, at - length, length, Charsets.UTF_8)
    }
}
