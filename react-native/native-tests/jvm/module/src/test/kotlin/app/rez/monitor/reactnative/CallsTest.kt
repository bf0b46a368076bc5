package app.rez.monitor.reactnative

import org.json.JSONArray
import org.json.JSONObject
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertNull
import org.junit.Assert.assertTrue
import org.junit.Test

class CallsTest : ModuleTest() {
    private fun event() = JSONObject(row()!!.getString("json"))

    @Test
    fun `a batch is on the disk after persist`() {
        open()
        assertTrue(module.recordBatch(error(ID)))
        assertEquals("declined", event().getString("message"))
    }

    @Test
    fun `a batch with a refused event returns false, and is counted`() {
        open()
        assertFalse(module.recordBatch("no JSON"))
        assertFalse(module.recordBatch(""))
        persisted()
        val refused = JSONObject(module.status()).getJSONObject("status").getJSONArray("refused").toString()
        assertTrue(refused, "malformed" in refused)
    }

    @Test
    fun `a fatal error is there after the next open`() {
        open()
        assertTrue(module.recordFatal(error(ID)))
        assertEquals("", answer { module.close(2_000.0, it) })
        assertFalse(open().getBoolean("joined"))
        assertEquals("crash", row()!!.getString("kind"))
    }

    @Test
    fun `consent is stored, and an unknown word is refused`() {
        open()
        assertTrue(module.setConsent("monitoring", "denied"))
        assertFalse(module.recordBatch(error(ID)))
        assertTrue(module.setConsent("monitoring", "granted"))
        assertTrue(module.recordBatch(error(ID)))
        for ((purpose, consent) in listOf("Monitoring" to "granted", "monitoring" to "yes", "" to "", "marketing" to "denied")) {
            assertFalse("$purpose $consent", module.setConsent(purpose, consent))
        }
    }

    @Test
    fun `forgetting the user erases what is stored`() {
        open()
        module.recordBatch(error(ID))
        persisted()
        assertTrue(module.forgetUser())
        assertNull(row())
    }

    @Test
    fun `the life cycle and sessions answer whether an engine is open`() {
        assertFalse(module.setForeground(true))
        assertFalse(module.newSession())
        open()
        assertTrue(module.setForeground(false))
        assertTrue(module.newSession())
    }

    @Test
    fun `conditions of JavaScript are on the next error`() {
        open("""{"release": "shop@1", "consentMonitoring": "granted", "sessions": false, "deviceHints": false}""")
        persisted()
        val all = """{"battery": 0.5, "charging": true, "connection": "wifi", "carrier_technology": "4g", "orientation": "landscape",
            "low_power": false, "metered": true, "foreground": true, "free_memory_bytes": 5, "free_storage_bytes": 6, "unknown": 1}"""
        assertEquals("", module.setConditions(all))
        module.recordBatch(error(ID))
        val conditions = event().getJSONObject("conditions")
        val wanted = JSONObject(all)
        wanted.keys().asSequence().filter { it != "unknown" }.forEach { assertEquals(it, wanted[it].toString(), conditions[it].toString()) }
        assertTrue("conditions: no JSON object" in module.setConditions("5"))
    }

    @Test
    fun `facts and release are accepted, or answered by a sentence`() {
        open(facts = """{"framework": {"name": "react_native", "version": "0.83.6"}, "locale": 5}""")
        assertEquals("", module.setFacts("""{"locale": "hi-IN", "density": 2.5, "memory_bytes": 8000000000}"""))
        assertEquals("", module.setRelease("shop@2", ""))
        assertEquals("", module.setRelease("shop@2", "53"))
        assertTrue(module.setFacts("[").startsWith("facts: "))
        assertTrue("release" in module.setRelease("", ""))
    }

    @Test
    fun `destinations are added, paused, resumed and removed`() {
        open()
        assertEquals("", module.addDestinations(with(team("a")), "oldest"))
        assertEquals("", module.addDestinations("""{"destinations": [${team("b")}]}""", "now"))
        assertEquals(setOf("a", "b"), destinations().toSet())
        assertEquals("", module.pauseDestination("a"))
        assertEquals("", module.resumeDestination("a"))
        assertEquals("", module.removeDestination("a"))
        assertEquals(listOf("b"), destinations())
        assertTrue("oldest or now" in module.addDestinations(SETTINGS, "later"))
        assertTrue("kind" in module.addDestinations("""{"destinations": [{"name": "c"}]}""", "now"))
        assertTrue(module.pauseDestination("").isNotEmpty())
        assertTrue(module.resumeDestination("a b").isNotEmpty())
    }

    @Test
    fun `only a host that is a target gets trace headers`() {
        open(SETTINGS.dropLast(1) + """, "traceTargets": ["api.shop.example"]}""")
        val trace = """{"trace_id": "4bf92f3577b34da6a3ce929d0e0e4736", "span_id": "00f067aa0ba902b7", "sampled": true}"""
        val headers = JSONObject(module.traceHeaders(trace, "https://api.shop.example/cart"))
        assertTrue("$headers", headers.getString("traceparent").startsWith("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-"))
        assertEquals("{}", module.traceHeaders(trace, "https://evil.example/?api.shop.example"))
        assertEquals("{}", module.traceHeaders("{}", "https://api.shop.example/cart"))
        assertEquals("{}", module.traceHeaders("no JSON", "https://api.shop.example/cart"))
    }

    @Test
    fun `the status has the JSON and the sentences`() {
        open()
        persisted()
        val status = JSONObject(module.status())
        assertEquals("ready", status.getJSONObject("status").getJSONObject("store").getString("state"))
        assertTrue(status.getJSONArray("lines").length() > 0)
    }

    @Test
    fun `durations are listed in microseconds until they are cleared`() {
        open()
        module.recordBatch("""{"v": 1, "items": [{"kind": "api_call", "method": "GET", "url": "https://x.example/a", "duration_us": 1500, "status": 200}]}""")
        persisted()
        val metric = JSONArray(module.metrics()).getJSONObject(0)
        assertEquals(setOf("name", "last", "count", "p50", "p95", "p99"), metric.keys().asSequence().toSet())
        assertEquals(1_500, metric.getInt("last"))
        assertTrue(module.clearMetrics())
        assertEquals("[]", module.metrics())
    }

    @Test
    fun `a developer reads what the engine says, once`() {
        open("""{"release": "shop@1", "consentMonitoring": "granted", "debug": true}""")
        module.recordBatch("no JSON")
        persisted()
        var log = JSONArray(module.takeLog())
        val end = System.nanoTime() + LIMIT_MS * 1_000_000
        // A thread of the engine says it.
        while (log.length() == 0 && System.nanoTime() < end) log = JSONArray(module.takeLog())
        val line = (0 until log.length()).map { log.getJSONObject(it) }.first { it.getString("code") == "malformed" }
        assertEquals("warning", line.getString("level"))
        assertTrue(line.getString("text").isNotEmpty())
    }

    @Test
    fun `a flush says what is left and why`() {
        open(with(team("team")))
        module.recordBatch(error(ID))
        val one = JSONObject(answer { module.flush(5_000.0, it) }).getJSONArray("destinations").getJSONObject(0)
        assertEquals("team", one.getString("destination"))
        assertEquals(0, one.getInt("delivered"))
        assertEquals(1, one.getInt("left"))
        assertEquals("unreachable", one.getJSONObject("held").getString("code"))
        assertTrue(one.getString("text").startsWith("team: 0 delivered, 1 left: "))
    }

    @Test
    fun `an id that is no id is answered by a sentence`() {
        open()
        assertTrue(JSONObject(answer { module.why("42", 1_000.0, it) }).getString("error").isNotEmpty())
    }

    @Test
    fun `the crash of the last run is told, and before the first run there is none`() {
        open()
        assertEquals("null", answer { module.lastRun(LIMIT_MS.toDouble(), it) })
        module.recordFatal(error(ID))
        answer { module.close(2_000.0, it) }
        open()
        val last = JSONObject(answer { module.lastRun(LIMIT_MS.toDouble(), it) })
        assertEquals("crashed", last.getString("ended"))
        assertEquals(ID, last.getJSONObject("crash").getString("id"))
    }

    @Test
    fun `a test crash without the inspector is a sentence`() {
        assertTrue("not open" in module.testCrash("fault"))
        open("""{"release": "shop@1", "consentMonitoring": "granted", "inspector": false}""")
        for (kind in listOf("exception", "fault", "abort", "panic")) assertTrue(kind, "`inspector`" in module.testCrash(kind))
        assertTrue("fault" in module.testCrash("nothing"))
    }

    @Test
    fun `promises are resolved in the order of the calls`() {
        open()
        val order = java.util.concurrent.LinkedBlockingQueue<Int>()
        repeat(20) { at -> module.persist(LIMIT_MS.toDouble(), com.facebook.react.bridge.PromiseImpl({ order += at }, { order += -1 })) }
        answer { module.close(0.0, it) }
        assertEquals((0 until 20).toList(), order.toList())
    }
}
