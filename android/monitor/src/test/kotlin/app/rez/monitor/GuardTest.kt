package app.rez.monitor

import app.rez.monitor.internal.Recorder
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.params.ParameterizedTest
import org.junit.jupiter.params.provider.ValueSource

/** Screen loads, HTTP calls and spans in progress: by JNI, and by the generated calls. */
class GuardTest {
    private fun rows(jni: Boolean, use: () -> Unit) = rowsOf({ traceTargets = listOf("api.example.com") }) {
        Recorder.engine!!.recordBy(jni)
        use()
    }

    @ParameterizedTest
    @ValueSource(booleans = [true, false])
    fun `what the app forgets is given up when a later one begins`(jni: Boolean) {
        val rows = rows(jni) {
            RezMonitor.startSpan("forgotten")
            // The machine collects when it wants.
            waitUntil("the span is collected and ended") {
                System.gc()
                RezMonitor.trackApiCall("GET", "https://api.example.com").cancel()
                RezMonitor.persist(LIMIT)
                stored() > 0
            }
        }
        assertEquals(listOf("forgotten" to "cancelled"), rows.map { it["json"]["name"].asText() to it["json"]["status"].asText() })
    }

    private fun stored(): Int = JSON.readTree(RezMonitor.status().json)["accepted"].asInt()

    @ParameterizedTest
    @ValueSource(booleans = [true, false])
    fun `a guard of which nothing is left does nothing`(jni: Boolean) {
        val rows = rows(jni) {
            val load = RezMonitor.trackScreenLoad("Home")
            assertTrue(load.trace!!.traceId.length == 32)
            assertTrue(load.finish().isRecorded)
            assertNull(load.trace)
            load.initialDisplay()
            load.cancel()
            assertFalse(load.finish().isRecorded)
            val call = RezMonitor.trackApiCall("GET", "https://api.example.com/cart", parent = load.trace)
            assertTrue("traceparent" in call.headers)
            assertTrue(call.fail("no route").isRecorded)
            assertEquals(emptyMap<String, String>(), call.headers)
            val span = RezMonitor.startSpan("s")
            span.finish()
            assertNull(span.startChild("late").trace)
        }
        assertEquals(listOf("screen_load", "api_call", "span"), rows.map { it["kind"].asText() })
    }

    @ParameterizedTest
    @ValueSource(booleans = [true, false])
    fun `names, addresses and attributes of any size are recorded`(jni: Boolean) {
        val long = "\u20ac".repeat(200_000)
        val rows = rows(jni) {
            RezMonitor.trackScreenLoad(long).close()
            RezMonitor.trackApiCall(long, "https://api.example.com/$long").fail(long)
            RezMonitor.startSpan(long, long).use {
                it.setAttribute("long", long)
                it.setAttribute("list", List(100_000) { n -> n })
                it.setAttribute("\uD800", "half of a pair")
                it.setAttribute("small", 1)
                it.setAttribute("small", 2)
                it.setAttribute("broken", object { override fun toString(): String = throw IllegalStateException() })
                it.setStatus(SpanStatus.ERROR)
            }
        }
        assertEquals(listOf("screen_load", "api_call", "span"), rows.map { it["kind"].asText() })
        val span = rows[2]["json"]
        assertEquals("error", span["status"].asText())
        assertEquals(listOf("[too large]", "[too large]", "2"), listOf("long", "list", "small").map { span["attrs"][it].asText() })
    }
}
