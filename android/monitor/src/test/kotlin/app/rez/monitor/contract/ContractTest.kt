package app.rez.monitor.contract

import app.rez.monitor.*
import app.rez.monitor.internal.Recorder
import app.rez.monitor.testaccess.testClock
import com.fasterxml.jackson.databind.JsonNode
import com.fasterxml.jackson.databind.node.ArrayNode
import com.fasterxml.jackson.databind.node.ObjectNode
import org.junit.jupiter.api.AfterEach
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.DynamicTest
import org.junit.jupiter.api.DynamicTest.dynamicTest
import org.junit.jupiter.api.TestFactory
import java.io.File
import java.util.concurrent.ConcurrentLinkedQueue
import java.util.zip.CRC32
import kotlin.time.Duration.Companion.seconds

/** The contract vectors through the public API: the rows of the queue, and the requests that every vendor receives, to the byte. */
class ContractTest {
    @AfterEach
    fun close() {
        RezMonitor.close()
        realClock()
    }

    @TestFactory
    fun `every vector gives the expected rows and requests`(): List<DynamicTest> = vectors().map { (name, vector) ->
        dynamicTest(name) {
            for (vendor in VENDORS) {
                val world = World(vector, vendor)
                try {
                    world.play(isHot = true)
                    assertEquals(expectedRows(name), world.rows(), "rows")
                    assertEquals(expectedRequests(vendor, name), world.requests(), vendor.name)
                } finally {
                    world.close()
                }
            }
        }
    }

    @TestFactory
    fun `every vector gives the same rows through the generated calls`(): List<DynamicTest> = vectors().map { (name, vector) ->
        dynamicTest(name) {
            val world = World(vector, VENDORS.first())
            try {
                world.play(isHot = false)
                assertEquals(expectedRows(name), world.rows())
            } finally {
                world.close()
            }
        }
    }

    private fun vectors(): List<Pair<String, JsonNode>> {
        val files = CONTRACT.listFiles { file -> file.extension == "json" }!!.sorted()
        assertTrue(files.size >= 150) { "${files.size} vectors" }
        return files.map { it.nameWithoutExtension to JSON.readTree(it) }
    }

    private fun expectedRows(name: String): JsonNode {
        val expected = JSON.readTree(CONTRACT.resolve("expected/rows/$name.json"))
        expected["rows"].forEach { (it as ObjectNode).remove("crc32") }
        return expected
    }

    /** Without the names of the routes, which a transport does not know. */
    private fun expectedRequests(vendor: Vendor, name: String): List<Shown> =
        JSON.readTree(CONTRACT.resolve("expected/${vendor.name}/$name.json")).properties().flatMap { it.value }.map { request ->
            val headers = request["headers"].properties().associate { it.key to it.value.asText() }
            Shown(request["url"].asText(), headers.toSortedMap().toString(), request["bytes"].asInt(), request["crc32"].asText())
        }.sorted()
}

private val CONTRACT = File(System.getProperty("rez.contract"))

/** A request as the expected files show it: length and checksum of the body before compression. */
data class Shown(val url: String, val headers: String, val bytes: Int, val crc32: String) : Comparable<Shown> {
    override fun compareTo(other: Shown) = toString().compareTo(other.toString())
}

/** An engine for one vector: a new folder, a manual clock, counted ids. */
private class World(private val vector: JsonNode, private val vendor: Vendor) {
    private val folder = newFolder()
    private val sent = ConcurrentLinkedQueue<HttpRequest>()

    fun play(isHot: Boolean) {
        testClock(1_795_400_000_000, 1_000_000)
        check(RezMonitor.init { configure() })
        Recorder.engine!!.recordBy(jni = isHot)
        val calls = Calls()
        vector["calls"].forEach { calls.make(it) }
        check(RezMonitor.persist(LIMIT))
    }

    private fun Settings.Builder.configure() {
        val config = vector.path("config")
        folder = this@World.folder.resolve("app")
        app = "rezapp"
        release = config.text("release") ?: "rezapp@2.4.1+77"
        dist = config.text("dist") ?: "77"
        environment = config.text("environment") ?: "ci"
        os = config.text("os") ?: "Android 15"
        device = config.text("device") ?: "Pixel 9"
        sessions = config.path("sessions").asBoolean(false)
        val consent = { purpose: String -> config.path("consent").text(purpose)?.let { word<Consent>(it) } ?: Consent.GRANTED }
        consentMonitoring = consent("monitoring")
        consentAnalytics = consent("analytics")
        config["facts"]?.let { facts { read(it) } }
        config["mask_user"]?.let { maskUser = it.asBoolean() }
        logLevel = config.text("log_level")?.let { word<Level>(it) }
        traceTargets = config.texts("trace_targets")
        recordedHeaders = config.texts("recorded_headers")
        config["sample"]?.let { rates -> sampleRates = rates.properties().associate { it.key to it.value.asDouble() } }
        transport = HttpTransport { request, call ->
            val (status, body) = vendor.respond(request)
            sent += request
            call.respond(status, mapOf("content-type" to "application/json"), body.toByteArray())
        }
    }

    fun rows(): JsonNode = rows(folder.resolve("app"))

    fun requests(): List<Shown> {
        check(RezMonitor.addDestinations { vendor.add(this, vector.path("destinations").path(vendor.name)) })
        rest(vector.path("kept").path(vendor.name).asLong(0))
        // A flush also reports losses without events.
        check(RezMonitor.flushBlocking(LIMIT).isStored)
        return sent.map { show(it) }.sorted()
    }

    /** Waits until only [kept] rows are left. */
    private fun rest(kept: Long) {
        var (last, since) = -1L to System.nanoTime()
        waitUntil("only $kept rows are left") {
            val routes = JSON.readTree(RezMonitor.status().json)["routes"].filter { it["destination"].asText() == vendor.name }
            val waiting = routes.sumOf { route -> route["waiting"].sumOf { it.asLong() } }
            val isStill = routes.size == vendor.routes && routes.none { it["in_flight"].asBoolean() }
            if (isStill && waiting == kept) return@waitUntil true
            if (waiting != last) {
                last = waiting
                since = System.nanoTime()
            }
            val stalls = isStill && waiting > kept && System.nanoTime() - since > STALL.inWholeNanoseconds
            // A timer that a route waits for never ends, since the clock stands still.
            if (stalls && routes.any { it.has("held") && !it["held"].isNull }) RezMonitor.flushBlocking(LIMIT)
            false
        }
    }

    fun close() {
        RezMonitor.close(5.seconds)
        folder.deleteRecursively()
    }

    private fun show(request: HttpRequest): Shown {
        val body = plain(request)
        val crc32 = CRC32().apply { update(body) }.value.toString(16).padStart(8, '0')
        return Shown(request.url, request.headers.toSortedMap().toString(), body.size, crc32)
    }
}

/** Without progress for this long, a route waits for a timer. */
private val STALL = 2.seconds
