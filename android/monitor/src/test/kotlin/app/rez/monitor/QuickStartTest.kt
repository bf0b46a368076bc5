package app.rez.monitor

import com.sun.net.httpserver.HttpServer
import org.junit.jupiter.api.AfterEach
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Test
import sample.runSample
import java.io.File
import java.net.InetSocketAddress
import java.util.concurrent.ConcurrentLinkedQueue
import java.util.zip.GZIPInputStream

/** The sample, against a server of this process: what arrives is what the README shows. */
class QuickStartTest {
    private val folder = newFolder()
    private val received = ConcurrentLinkedQueue<String>()
    private val server = HttpServer.create(InetSocketAddress("127.0.0.1", 0), 0).apply {
        createContext("/") { exchange ->
            val body = exchange.requestBody.readBytes()
            val isZipped = exchange.requestHeaders.getFirst("Content-Encoding") == "gzip"
            val text = if (isZipped) GZIPInputStream(body.inputStream()).readBytes() else body
            val events = JSON.readTree(text)["events"]
            events?.forEach { received += it["kind"].asText() }
            val answer = """{"accepted":${events?.size() ?: 0}}""".toByteArray()
            exchange.sendResponseHeaders(200, answer.size.toLong())
            exchange.responseBody.use { it.write(answer) }
        }
        start()
    }

    @AfterEach
    fun close() {
        RezMonitor.close()
        server.stop(0)
        folder.deleteRecursively()
    }

    @Test
    fun `the quick start is the sample, and its events arrive`() {
        val android = File(System.getProperty("rez.android"))
        val sample = android.resolve("sample/Sample.kt").readText()
        val shown = android.resolve("README.md").readText().substringAfter("```kotlin\n").substringBefore("```")
        assertEquals(sample.substringAfter("package sample\n\n"), shown)
        runSample(folder, "http://127.0.0.1:${server.address.port}")
        waitUntil("everything arrived") { received.size >= 4 }
        val kinds = received.filter { it != "session" }
        assertEquals(listOf("api_call", "error", "interaction", "screen_load"), kinds.sorted())
    }
}
