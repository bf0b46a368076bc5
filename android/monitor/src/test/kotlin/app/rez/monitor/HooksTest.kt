package app.rez.monitor

import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import java.util.concurrent.ConcurrentLinkedQueue
import java.util.concurrent.CountDownLatch
import java.util.concurrent.atomic.AtomicInteger
import kotlin.concurrent.thread
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds
import kotlin.time.measureTime

/** Hooks of the app that throw, hang, lie or call back. */
class HooksTest : EngineTest() {
    private fun init(configure: Settings.Builder.() -> Unit) {
        check(RezMonitor.init { basics(queue); configure() })
    }

    private fun Settings.Builder.toTeam(transport: HttpTransport) {
        this.transport = transport
        destinations { rez("https://in.example.com", "key", "team") }
    }

    private fun left(): Long = RezMonitor.flushBlocking(LIMIT).destinations.single().left

    @Test
    fun `a request reaches the transport of the app, and its answer the engine`() {
        val requests = ConcurrentLinkedQueue<HttpRequest>()
        init {
            toTeam { request, call ->
                requests += request
                thread { call.respond(200, emptyMap(), """{"accepted":1}""".toByteArray()) }
            }
        }
        assertTrue(RezMonitor.logEvent("opened").isRecorded)
        assertEquals(0, left())
        assertTrue(RezMonitor.flushBlocking(LIMIT).isComplete)
        assertEquals("https://in.example.com/v1/batch", requests.first().url)
    }

    @Test
    fun `a transport that throws loses nothing`() {
        val count = AtomicInteger()
        init {
            toTeam { _, _ ->
                count.incrementAndGet()
                throw IllegalStateException("broken")
            }
        }
        RezMonitor.logEvent("opened")
        assertEquals(1, left())
        assertTrue(count.get() >= 1)
        assertEquals(1, rows(queue)["rows"].size())
    }

    @Test
    fun `a transport that hangs stops neither recording nor close`() {
        val (isCalled, mayReturn) = CountDownLatch(1) to CountDownLatch(1)
        init {
            toTeam { _, _ ->
                isCalled.countDown()
                mayReturn.await()
            }
        }
        try {
            assertTrue(RezMonitor.persist(LIMIT))
            RezMonitor.logEvent("first")
            thread(isDaemon = true) { RezMonitor.flushBlocking(LIMIT) }
            waitUntil("the transport was called") { isCalled.count == 0L }
            assertTrue(RezMonitor.logEvent("second").isRecorded)
            assertTrue(RezMonitor.persist(LIMIT))
            val duration = measureTime { RezMonitor.close(500.milliseconds) }
            assertTrue(duration < 30.seconds) { "$duration" }
        } finally {
            mayReturn.countDown()
        }
    }

    @Test
    fun `an answer that is nonsense, or comes twice, loses nothing and crashes nothing`() {
        init {
            toTeam { _, call ->
                call.respond(-7, mapOf("" to "\uD800", "retry-after" to "soon"), ByteArray(100_000) { -1 })
                call.respond(200, emptyMap(), ByteArray(0))
                call.notSent("twice")
                call.ambiguous("three times")
            }
        }
        RezMonitor.logEvent("opened")
        assertEquals(1, left())
    }

    @Test
    fun `a transport may call back, and what it records is refused or recorded without a deadlock`() {
        val outcomes = ConcurrentLinkedQueue<Outcome>()
        init {
            toTeam { _, call ->
                outcomes += RezMonitor.logEvent("inside")
                RezMonitor.setUser(User("u-1"))
                RezMonitor.status()
                call.notSent("no network")
            }
        }
        RezMonitor.logEvent("opened")
        RezMonitor.flushBlocking(LIMIT)
        waitUntil("the transport was called") { outcomes.isNotEmpty() }
    }

    @Test
    fun `before-send changes and drops events`() {
        init {
            beforeSend = BeforeSend { kind, row ->
                if ("secret" in row) null else row.replace("opened", "changed").also { assertEquals("analytics", kind) }
            }
        }
        RezMonitor.logEvent("opened")
        RezMonitor.logEvent("secret")
        assertTrue(RezMonitor.persist(LIMIT))
        val names = rows(queue)["rows"].map { it["json"]["name"].asText() }
        assertEquals(listOf("changed"), names)
    }

    @Test
    fun `after a before-send that throws, every event of the run is dropped as hook_failed`() {
        init { beforeSend = BeforeSend { _, _ -> throw NoSuchElementException("broken") } }
        RezMonitor.logEvent("one")
        RezMonitor.logEvent("two")
        assertTrue(RezMonitor.persist(LIMIT))
        assertEquals(0, rows(queue)["rows"].size())
    }

    @Test
    fun `a before-send that sleeps longer than a second drops the event and does not stop recording`() {
        val mayReturn = CountDownLatch(1)
        init {
            beforeSend = BeforeSend { _, row ->
                mayReturn.await()
                row
            }
        }
        try {
            assertTrue(RezMonitor.logEvent("one").isRecorded)
            assertTrue(RezMonitor.persist(LIMIT))
            assertEquals(0, rows(queue)["rows"].size())
        } finally {
            mayReturn.countDown()
        }
    }

    @Test
    fun `a before-send that records gets its event refused`() {
        val outcomes = ConcurrentLinkedQueue<Outcome>()
        init {
            beforeSend = BeforeSend { _, row ->
                outcomes += RezMonitor.logEvent("inside")
                row
            }
        }
        RezMonitor.logEvent("one")
        assertTrue(RezMonitor.persist(LIMIT))
        assertEquals(1, rows(queue)["rows"].size())
        assertEquals("reentrant", (outcomes.single() as Outcome.Dropped).reason)
    }

    @Test
    fun `a logger hears, and one that throws is not called again`() {
        val heard = ConcurrentLinkedQueue<String>()
        init {
            debug = true
            logger = MonitorLogger { level, code, text ->
                heard += "$level $code $text"
                throw IllegalStateException("broken")
            }
            destinations { rez("https://in.example.com", "key", "team") }
            transport = HttpTransport { _, call -> call.respond(401, emptyMap(), ByteArray(0)) }
        }
        RezMonitor.logEvent("one") { targets = listOf("nobody") }
        RezMonitor.flushBlocking(LIMIT)
        waitUntil("the logger was called") { heard.isNotEmpty() }
        assertFalse(heard.first().isBlank())
    }
}
