package app.rez.monitor

import app.rez.monitor.internal.Recorder
import com.fasterxml.jackson.databind.JsonNode
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import kotlin.random.Random
import kotlin.time.Duration.Companion.microseconds

/** Values of attributes: of every type, and of types that misbehave; the same by JNI and by the generated calls. */
class AttributesTest {
    private class Rude {
        override fun toString(): String = throw IllegalStateException("rude")
    }

    private class Recording {
        override fun toString(): String = RezMonitor.logEvent("inside", mapOf("deep" to 1)).isRecorded.toString()
    }

    private fun attrs(values: Map<String, Any?>, isHot: Boolean = true): JsonNode = rowsOf {
        Recorder.engine!!.recordBy(jni = isHot)
        assertTrue(RezMonitor.logEvent("e", values).isRecorded)
    }.last()["json"]["attrs"]

    private fun both(values: Map<String, Any?>): JsonNode = attrs(values).also { assertEquals(it, attrs(values, isHot = false)) }

    @Test
    fun `values of every type are recorded`() {
        val values = mapOf(
            "null" to null, "boolean" to true, "byte" to 1.toByte(), "short" to 2.toShort(), "int" to 3, "long" to 4L, "float" to 0.1f,
            "double" to 0.5, "big" to 12.toBigInteger(), "text" to "t", "chars" to StringBuilder("c"), "enum" to Level.INFO,
            "list" to listOf(1, null), "set" to setOf("a"), "array" to arrayOf("a"), "ints" to intArrayOf(1), "map" to mapOf("k" to mapOf(1 to 2)),
            "unsigned" to 7u, "duration" to 5.microseconds,
        )
        val expected = """{"null":null,"boolean":true,"byte":1,"short":2,"int":3,"long":4,"float":0.1,"double":0.5,"big":12.0,"text":"t",
            "chars":"c","enum":"INFO","list":[1,null],"set":["a"],"array":["a"],"ints":[1],"map":{"k":{"1":2}},"unsigned":7,"duration":"5us"}"""
        assertEquals(JSON.readTree(expected), both(values))
    }

    @Test
    fun `half of a surrogate pair becomes a replacement`() {
        assertEquals(JSON.readTree("""{"a?":"x?y","emoji":"😀"}"""), both(mapOf("a\uD800" to "x\uDC00y", "emoji" to "😀")))
        val rows = rowsOf {
            RezMonitor.setUser(User("\uD800", "\uDFFF"))
            RezMonitor.setTag("\uD83D", "\uD83D")
            RezMonitor.trackScreenLoad("a\uD800").finish()
            assertTrue(RezMonitor.captureMessage("m\uD800") { tags = mapOf("\uDC00" to "\uDC00") }.isRecorded)
        }
        assertEquals(2, rows.size)
    }

    @Test
    fun `a value that throws, contains itself or records is recorded`() {
        assertEquals(JSON.readTree("""{"rude":"${Rude::class.java.name}"}"""), both(mapOf("rude" to Rude())))
        val cycle = mutableMapOf<String, Any?>()
        cycle["self"] = cycle
        both(cycle)
        val rows = rowsOf { assertTrue(RezMonitor.logEvent("outside", mapOf("a" to Recording(), "b" to 2)).isRecorded) }
        assertEquals(listOf("inside", "outside"), rows.map { it["json"]["name"].asText() })
        assertEquals(JSON.readTree("""{"a":"true","b":2}"""), rows[1]["json"]["attrs"])
    }

    @Test
    fun `a map that another thread changes is recorded or refused`() {
        val map = HashMap<String, Any?>((1..200).associate { "k$it" to it })
        val rows = rowsOf {
            val changes = kotlin.concurrent.thread {
                repeat(20_000) { map["k${it % 300}"] = if (map.size > 100) null else it }
            }
            while (changes.isAlive) RezMonitor.logEvent("e", map)
            assertTrue(RezMonitor.logEvent("after").isRecorded)
        }
        assertEquals("after", rows.last()["json"]["name"].asText())
    }

    @Test
    fun `any record is the same by JNI and by the generated call`() {
        val seed = System.nanoTime()
        fun rows(isHot: Boolean): List<JsonNode> {
            app.rez.monitor.testaccess.testClock(1_795_400_000_000, 1_000_000)
            return rowsOf({ recordedHeaders = listOf("x-cache") }) {
                Recorder.engine!!.recordBy(jni = isHot)
                val random = Random(seed)
                repeat(150) { random.record() }
            }
        }
        try {
            val (hot, generated) = rows(true) to rows(false)
            assertTrue(hot.size > 100) { "${hot.size}" }
            for ((one, other) in hot.zip(generated)) assertEquals(other, one) { "seed $seed" }
            assertEquals(generated.size, hot.size)
        } finally {
            realClock()
        }
    }
}

private fun Random.text(): String {
    val units = listOf("a", "Z", "/", "é", "€", "😀", "\uD800", "\u0000", "\"", " ", "0")
    return List(nextInt(12)) { units.random(this) }.joinToString("")
}

private fun Random.value(depth: Int = 0): Any? = when (nextInt(if (depth < 3) 9 else 7)) {
    0 -> null
    1 -> nextBoolean()
    2 -> nextInt()
    3 -> nextLong()
    4 -> listOf(0.0, -1.5, Double.NaN, Double.POSITIVE_INFINITY, 1e300, nextDouble()).random(this)
    5, 6 -> text()
    7 -> List(nextInt(5)) { value(depth + 1) }
    else -> values(depth + 1)
}

private fun Random.values(depth: Int = 0): Map<String, Any?> =
    List(nextInt(6)) { "k" + text() to value(depth) }.toMap()

private fun Random.options(options: EventOptions) {
    if (nextBoolean()) options.targets = listOf("ga4", "team")
    if (nextBoolean()) options.atMillis = 1_795_399_000_000 + nextInt(1_000_000)
    if (nextBoolean()) {
        val ids = List(4) { nextLong().toULong().toString(16).padStart(16, '0') }
        val parent = ids[3].takeIf { nextBoolean() }
        options.trace = TraceContext.of(ids[0] + ids[1], ids[2], parent, listOf(null, true, false).random(this))
    }
}

/** One call of those that have a hot record. */
private fun Random.record() {
    val values = values()
    val scoped: ScopedOptions.() -> Unit = { options(this) }
    when (nextInt(8)) {
        0 -> RezMonitor.logEvent("e" + text(), values, scoped)
        1 -> RezMonitor.captureMessage("m" + text(), Level.entries.random(this), values, scoped)
        2 -> RezMonitor.logScreenView("s" + text(), text().takeIf { nextBoolean() }, values, scoped)
        3 -> RezMonitor.trackInteraction("tap", text(), values, scoped)
        4 -> RezMonitor.addBreadcrumb(text(), text(), values, Level.entries.random(this))
        5 -> RezMonitor.logger.log(Level.entries.random(this), text(), values) { options(this) }
        6 -> {
            val status = nextInt(100, 600).takeIf { nextBoolean() }
            RezMonitor.trackApiCall("GET", "https://a.example/" + text(), nextInt(-5, 9_000_000).microseconds, status, values) {
                options(this)
                if (nextBoolean()) requestBytes = nextLong(-9, 1_000_000)
                if (nextBoolean()) responseBytes = nextLong(-9, 1_000_000)
                if (nextBoolean()) error = text()
                if (nextBoolean()) endpoint = "/" + text()
                if (nextBoolean()) startedMillis = 1_795_399_000_000
                if (nextBoolean()) responseHeaders = mapOf("X-Cache" to text())
            }
        }
        else -> {
            val frames = List(nextInt(4)) { StackFrame(text(), text(), text(), nextInt(9_999), nextInt(99), nextBoolean()) }
            RezMonitor.captureError("T" + text(), text(), values) {
                options(this)
                language = Language.JAVA
                severity = Severity.entries.random(this@record)
                isHandled = nextBoolean()
                if (nextBoolean()) code = text()
                if (nextBoolean()) mechanism = text()
                this.frames = frames
                causes = List(nextInt(3)) { ErrorCause("C" + text(), text(), frames, it, "cause") }
                if (nextBoolean()) threads = listOf(ThreadSnapshot(nextLong(1, 999), text(), isCrashed = true, isMain = nextBoolean()))
            }
        }
    }
}
