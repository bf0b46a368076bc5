package app.rez.monitor

import app.rez.monitor.internal.HotRecord
import app.rez.monitor.internal.Recorder
import kotlinx.coroutines.async
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withTimeout
import org.junit.jupiter.api.Assertions.assertDoesNotThrow
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertNotNull
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Assumptions.assumeTrue
import org.junit.jupiter.api.Test
import java.util.concurrent.atomic.AtomicReference
import kotlin.concurrent.thread
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds

/** The life of the engine, and calls with bad input. */
class RezMonitorTest : EngineTest() {
    /** Every function that an app can call. */
    private fun everything(): List<Any?> {
        val load = RezMonitor.trackScreenLoad("Home")
        val call = RezMonitor.trackApiCall("GET", "https://api.example.com/cart", load.trace)
        val span = RezMonitor.startSpan("parse")
        return listOf(
            RezMonitor.captureException(IllegalStateException("no cart", RuntimeException("cause"))),
            RezMonitor.captureException(Error()) { tags = mapOf("a" to 1) },
            RezMonitor.captureError("E", "m") { level = Level.WARNING },
            RezMonitor.captureMessage("hello", Level.WARNING, mapOf("a" to null)),
            RezMonitor.addBreadcrumb("Pay", "ui.click"),
            RezMonitor.captureFeedback("nice"),
            RezMonitor.setUser(User("u", properties = mapOf("plan" to "pro"))),
            RezMonitor.setTag("store", "pune"),
            RezMonitor.setContext("cart", mapOf("items" to 3)),
            RezMonitor.setFlag("new-cart", true),
            RezMonitor.trackScreenLoad("Home", 5.milliseconds),
            RezMonitor.trackApiCall("GET", "https://api.example.com", 5.milliseconds, 200),
            RezMonitor.trackImageLoad("https://img.example.com/1", 5.milliseconds),
            RezMonitor.trackAppStart(AppStartKind.COLD, 900.milliseconds),
            RezMonitor.trackLongTask("parse", 900.milliseconds),
            RezMonitor.trackFrames("Home", 1, 2, 300),
            RezMonitor.captureHang(6.seconds, listOf(StackFrame("f"))),
            RezMonitor.captureAppExit("anr"),
            RezMonitor.recordSpan("s", "task", 5.milliseconds),
            RezMonitor.newTrace(),
            RezMonitor.fromTraceparent("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
            RezMonitor.traceHeaders(TraceContext.of("0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331")!!, "https://a.b"),
            RezMonitor.logEvent("login", mapOf("method" to "otp")),
            RezMonitor.logScreenView("Home", "HomeActivity"),
            RezMonitor.trackInteraction("tap", "Pay"),
            RezMonitor.trackRevenue(1.5, "INR", "T-1", listOf(mapOf("id" to 1))),
            RezMonitor.timeEvent("login"),
            RezMonitor.people.set("plan", "pro"),
            RezMonitor.people.set(mapOf("a" to 1, "b" to null)),
            RezMonitor.people.setOnce("first", 1),
            RezMonitor.people.unset("first"),
            RezMonitor.people.increment("orders"),
            RezMonitor.people.append("list", 1),
            RezMonitor.people.union("list", listOf(1, 2)),
            RezMonitor.people.remove("list", 1),
            RezMonitor.people.deleteUser(),
            RezMonitor.metrics.count("retries"),
            RezMonitor.metrics.gauge("depth", 3.0),
            RezMonitor.metrics.distribution("size", 3.0),
            RezMonitor.metrics.durations(),
            RezMonitor.metrics.clearDurations(),
            RezMonitor.logger.info("hello"),
            RezMonitor.logger.named("cart").error("bad", mapOf("a" to 1)),
            RezMonitor.views.start("checkout"),
            RezMonitor.views.addTiming("hero"),
            RezMonitor.views.addAttributes(mapOf("a" to 1)),
            RezMonitor.views.stop("checkout"),
            RezMonitor.superProperties.register(mapOf("a" to 1)),
            RezMonitor.superProperties.registerOnce(mapOf("a" to 1)),
            RezMonitor.superProperties.unregister("a"),
            RezMonitor.superProperties.clear(),
            RezMonitor.host.setFacts { model = "Pixel 9" },
            RezMonitor.host.setConditions { battery = 0.5 },
            RezMonitor.host.setNetwork(Network.ONLINE),
            RezMonitor.host.setPower(Power.LOW),
            RezMonitor.host.setForeground(true),
            RezMonitor.host.newSession(),
            RezMonitor.host.setRelease("shop@2"),
            load.initialDisplay(), load.fullDisplay(), load.finish(), load.finish(), load.trace, load.close(),
            call.headers, call.requestBytes(5), call.finish(200, 5), call.fail("late"), call.close(),
            span.setAttribute("a", listOf(1, null)), span.setStatus(SpanStatus.ERROR), span.startChild("c").close(), span.close(),
            RezMonitor.recordBatch("""{"items":[{"kind":"analytics","name":"b"}]}"""),
            RezMonitor.recordBatch("no json"),
            RezMonitor.idSeed(),
            RezMonitor.status().lines,
            RezMonitor.supportCode,
            RezMonitor.why("no id"),
            RezMonitor.pauseDestination("ga4"),
            RezMonitor.resumeDestination("ga4"),
            RezMonitor.addDestinations { rez("https://in.example.com", "key") },
            RezMonitor.removeDestination("rez"),
            RezMonitor.persist(LIMIT),
            RezMonitor.flushBlocking(1.milliseconds),
            RezMonitor.host.suspendStorage(),
            RezMonitor.host.resumeStorage(),
            RezMonitor.setConsent(Purpose.ANALYTICS, Consent.GRANTED),
            RezMonitor.captureFatal(IllegalStateException("end")),
            RezMonitor.recordFatal("{}"),
            RezMonitor.forgetUser(),
            RezMonitor.version,
        )
    }

    @Test
    fun `every call works on an open engine`() {
        assertTrue(RezMonitor.init { basics(queue) })
        val answers = everything()
        assertTrue(answers.filterIsInstance<Outcome>().count { it.isRecorded } > 30) { "$answers" }
        assertEquals("0.1.0", RezMonitor.version)
    }

    @Test
    fun `before init and after close every call does nothing and throws nothing`() {
        assertTrue(everything().filterIsInstance<Outcome>().none { it.isRecorded })
        RezMonitor.init { basics(queue) }
        RezMonitor.close(LIMIT)
        val answers = everything()
        assertTrue(answers.filterIsInstance<Outcome>().none { it.isRecorded })
        assertFalse(RezMonitor.isInitialized)
        RezMonitor.close()
    }

    @Test
    fun `a map that another thread changes meanwhile, and memory that is gone, throw nothing`() {
        assertTrue(RezMonitor.init { basics(queue) })
        val changing = object : AbstractMap<String, Any?>() {
            override val entries: Set<Map.Entry<String, Any?>> get() = throw ConcurrentModificationException("changed")
        }
        assertDoesNotThrow { RezMonitor.people.set(changing) }
        val fatal = AtomicReference<Durability>()
        val outcome = AtomicReference<Outcome>()
        thread {
            // No record can be made on this thread.
            val records = HotRecord::class.java.getDeclaredField("ofThread").apply { isAccessible = true }
            @Suppress("UNCHECKED_CAST")
            (records.get(null) as ThreadLocal<HotRecord?>).set(null)
            fatal.set(runCatching { RezMonitor.captureFatal("Fatal", "no memory") }.getOrNull())
            outcome.set(runCatching { RezMonitor.logEvent("no memory") }.getOrNull())
        }.join()
        assertEquals(Outcome.Dropped("malformed"), outcome.get())
        assertTrue(fatal.get() != null && fatal.get() != Durability.DROPPED)
    }

    @Test
    fun `a second init changes nothing`() {
        val other = folder.resolve("other")
        assertTrue(RezMonitor.init { basics(queue) })
        assertFalse(RezMonitor.init { basics(other) })
        assertFalse(other.exists())
        assertTrue(RezMonitor.logEvent("a").isRecorded)
    }

    @Test
    fun `init may be called from a background thread, and again after close`() {
        val opened = AtomicReference<Boolean>()
        thread { opened.set(RezMonitor.init { basics(queue) }) }.join()
        assertTrue(opened.get())
        RezMonitor.logEvent("one")
        RezMonitor.close(LIMIT)
        assertTrue(RezMonitor.init { basics(queue) })
        RezMonitor.logEvent("two")
        assertTrue(RezMonitor.persist(LIMIT))
        assertEquals(2, rows(queue)["rows"].size())
    }

    @Test
    fun `wrong settings do not throw at init and throw at build with name and value`() {
        assertFalse(RezMonitor.init { })
        assertFalse(RezMonitor.init { basics(queue); sessionBackground = (-5).milliseconds })
        assertFalse(RezMonitor.init { error("the app's own mistake") })
        assertFalse(RezMonitor.isInitialized)
        val wrong = assertThrows(IllegalArgumentException::class.java) {
            Settings { basics(queue); sessionBackground = (-5).milliseconds }
        }
        assertEquals("settings: `sessionBackgroundMs` is -5: use a whole number from 0 to 86400000", wrong.message)
        assertTrue(RezMonitor.init(Settings { basics(queue) }))
    }

    @Test
    fun `the UUID of a mapping is an image of each error, and another text is refused`() {
        val uuid = "85314830-023F-4cf1-a267-535f4e37bb17"
        val row = rowsOf({ mappingId = uuid }) { RezMonitor.captureException(IllegalStateException("no cart")) }.single()
        val image = row["json"]["contexts"]["debug_images"]["mapping"]
        assertEquals("proguard" to uuid.lowercase(), image["type"].asText() to image["uuid"].asText())
        val wrong = assertThrows(IllegalArgumentException::class.java) { Settings { basics(queue); mappingId = "r8" } }
        assertEquals("mappingId: use the UUID of the mapping, 8-4-4-4-12 hexadecimal digits", wrong.message)
    }

    @Test
    fun `a folder that cannot be used keeps events in memory and says so`() {
        val file = folder.resolve("file").also { it.writeText("no folder") }
        assertTrue(RezMonitor.init { basics(file.resolve("q")) })
        assertTrue(RezMonitor.logEvent("a").isRecorded)
        waitUntil("the status says it") { JSON.readTree(RezMonitor.status().json)["store"].toString() != "\"ready\"" }
        assertFalse(RezMonitor.persist(200.milliseconds))
    }

    @Test
    fun `on a full volume the most important events are kept, and the rest is given up with a reason`() {
        val volume = folder.resolve("volume").also { it.mkdir() }
        val mount = runCatching { command("mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", volume.path) }
        assumeTrue(mount.getOrDefault(false), "a small volume can be mounted")
        try {
            val queue = volume.resolve("q")
            assertTrue(RezMonitor.init { basics(queue) })
            repeat(500) { RezMonitor.logEvent("before $it") }
            assertTrue(RezMonitor.persist(LIMIT))
            volume.resolve("others").outputStream().use { others -> runCatching { while (true) others.write(ByteArray(4096)) } }
            repeat(5_000) { RezMonitor.logEvent("event $it", mapOf("text" to "x".repeat(200))) }
            val error = RezMonitor.captureException(IllegalStateException("full"))
            assertTrue(error.isRecorded)
            RezMonitor.persist(LIMIT)
            RezMonitor.close()
            assertEquals(1, rows(queue)["rows"].count { it["kind"].asText() == "error" })
        } finally {
            RezMonitor.close()
            command("umount", volume.path)
        }
    }

    @Test
    fun `an exception carries frames, causes, suppressed exceptions and the thread`() {
        val error = IllegalStateException("no cart", RuntimeException("timeout")).apply {
            addSuppressed(java.io.IOException("close"))
        }
        val row = rowsOf { RezMonitor.captureException(error, mapOf("order" to 42)) { severity = Severity.HIGH } }.single()["json"]
        assertEquals("java.lang.IllegalStateException", row["type"].asText())
        assertEquals("no cart", row["message"].asText())
        assertEquals("java", row["language"].asText())
        assertEquals("high", row["severity"].asText())
        assertEquals(42, row["attrs"]["order"].asInt())
        val frames = row["frames"].toList()
        val own = frames.filter { it["module"]?.asText() == javaClass.name }
        assertTrue(own.isNotEmpty() && own.all { it["in_app"].asBoolean() && it["line"].asInt() > 0 }) { "$frames" }
        assertEquals(javaClass.name, frames.last { it["in_app"].asBoolean() }["module"].asText().substringBefore('$'))
        assertEquals(listOf("cause", "suppressed[0]"), row["causes"].map { it["source"].asText() })
        assertEquals(Thread.currentThread().name, row["threads"].single()["name"].asText())
    }

    @Test
    fun `an exception that is its own cause, or throws when it is read, is recorded`() {
        val (one, two) = RuntimeException("one") to RuntimeException("two")
        one.initCause(two)
        two.initCause(one)
        val rude = object : RuntimeException() {
            override val message: String
                get() = throw IllegalStateException("rude")
        }
        val rows = rowsOf {
            assertTrue(RezMonitor.captureException(one).isRecorded)
            assertTrue(RezMonitor.captureException(rude).isRecorded)
        }
        assertEquals(1, rows[0]["json"]["causes"].size())
    }

    @Test
    fun `a stack overflow is recorded with its innermost frames`() {
        fun deep(n: Int): Int = 1 + deep(n + 1)
        val error = assertThrows(StackOverflowError::class.java) { deep(0) }
        val row = rowsOf { assertTrue(RezMonitor.captureException(error).isRecorded) }.single()["json"]
        assertEquals(50, row["frames"].size())
    }

    @Test
    fun `a record of any size is recorded, by the generated call if it does not fit`() {
        val long = "x".repeat(100_000)
        val rows = rowsOf {
            assertTrue(RezMonitor.captureMessage("€".repeat(9_000), attributes = mapOf("a" to "b")).isRecorded)
            assertTrue(RezMonitor.captureMessage(long).isRecorded)
            assertTrue(RezMonitor.logEvent("many", (1..500).associate { "k$it" to it }).isRecorded)
            // The array of the thread is as it was.
            assertTrue(RezMonitor.logEvent("small", mapOf("a" to 1)).isRecorded)
        }
        assertEquals(4, rows.size)
        assertEquals("""{"a":1}""", rows[3]["json"]["attrs"].toString())
    }

    @Test
    fun `the support code is the end of the session's id, and test mode is in the status`() {
        rowsOf({
            sessions = true
            testMode = true
        }) {
            val status = JSON.readTree(RezMonitor.status().json)
            assertEquals(status["session"].asText().takeLast(6), RezMonitor.supportCode)
            assertTrue(status["test_mode"].asBoolean())
        }
        assertNull(RezMonitor.supportCode)
    }

    @Test
    fun `a debug screen lists events, and without the setting it is told how to switch them on`() {
        rowsOf({ inspector = true }) {
            val id = RezMonitor.logEvent("tapped_pay").idOrNull!!
            val listed = JSON.readTree(RezMonitor.inspect("""{"ask": "list"}""", LIMIT))
            assertEquals(listOf(id to "tapped_pay"), listed["events"].map { it["id"].asText() to it["name"].asText() })
            assertTrue(JSON.readTree(RezMonitor.inspect("no JSON")).has("error"))
            val endpoint = JSON.readTree(RezMonitor.inspect("""{"tell": "endpoint"}""", LIMIT))
            assertTrue(endpoint["url"].asText().startsWith("http://127.0.0.1:"), "$endpoint")
        }
        rowsOf { assertTrue("`inspector`" in RezMonitor.inspect("""{"ask": "list"}""")) }
        assertTrue(JSON.readTree(RezMonitor.inspect("{}")).has("error"))
    }

    @Test
    fun `flush suspends, and does not block its thread`() {
        RezMonitor.init {
            basics(queue)
            transport = HttpTransport { _, call -> thread { call.respond(200, emptyMap(), """{"accepted":1}""".toByteArray()) } }
            destinations { rez("https://in.example.com", "key", "team") }
        }
        RezMonitor.logEvent("a")
        runBlocking {
            val report = async { RezMonitor.flush(LIMIT) }
            withTimeout(LIMIT) { assertTrue(report.await().isComplete) }
        }
        assertNotNull(RezMonitor.why(RezMonitor.logEvent("b").idOrNull!!))
        assertNull(RezMonitor.why("no id"))
    }

    @Test
    fun `the reasons of refused records are those of the engine, in its order`() {
        val source = java.io.File(System.getProperty("rez.contract")).resolve("../../core/src/reason.rs").readText()
        val words = source.substringAfter("pub enum Reason {").substringBefore("\n}")
        val names = Regex("(?m)^    ([A-Z][A-Za-z]*)(?: = \\d+)?,").findAll(words).map { it.groupValues[1] }
        val snake = names.map { it.replace(Regex("(?<=.)([A-Z])"), "_$1").lowercase() }.toList()
        assertEquals(snake, Recorder.REASONS.map { (it as Outcome.Dropped).reason })
    }

    private fun command(vararg words: String): Boolean = ProcessBuilder(*words).start().waitFor() == 0
}
