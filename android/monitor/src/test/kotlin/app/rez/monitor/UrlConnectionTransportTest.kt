package app.rez.monitor

import mockwebserver3.MockResponse
import mockwebserver3.MockWebServer
import mockwebserver3.SocketEffect
import org.junit.jupiter.api.AfterEach
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.BeforeEach
import org.junit.jupiter.api.Test
import java.net.ServerSocket

/** Requests of the engine over `HttpURLConnection` to a server in this process. */
class UrlConnectionTransportTest {
    private val server = MockWebServer()

    @BeforeEach
    fun begin() = server.start()

    @AfterEach
    fun end() {
        RezMonitor.close()
        server.close()
    }

    private fun flush(port: Int = server.port): FlushedDestination {
        val folder = newFolder()
        check(
            RezMonitor.init {
                basics(folder.resolve("q"))
                transport = UrlConnectionTransport()
                destinations { otlp("http://127.0.0.1:$port") { encoding = "json" } }
            },
        )
        RezMonitor.captureError("Probe", "x")
        return RezMonitor.flushBlocking(LIMIT).destinations.single().also { folder.deleteRecursively() }
    }

    private fun answer(response: MockResponse) {
        server.dispatcher = object : mockwebserver3.Dispatcher() {
            override fun dispatch(request: mockwebserver3.RecordedRequest) = response
        }
    }

    @Test
    fun `a response settles the events, and the request arrives as the engine made it`() {
        answer(MockResponse.Builder().code(200).setHeader("content-type", "application/json").body("{}").build())
        val flushed = flush()
        assertEquals(0, flushed.left)
        assertTrue(flushed.delivered > 0)
        val request = server.takeRequest()
        assertEquals("POST", request.method)
        assertEquals("gzip", request.headers["content-encoding"])
        assertEquals(request.headers["content-length"], request.body!!.size.toString())
    }

    @Test
    fun `an error of the server keeps the events, and Retry-After is heard`() {
        answer(MockResponse.Builder().code(429).setHeader("Retry-After", "120").body("slow down").build())
        val held = flush().held!!
        assertEquals("retry_after", held.code)
        assertTrue(held.untilMillis!! > System.currentTimeMillis() + 60_000)
    }

    @Test
    fun `a redirect is not followed`() {
        answer(MockResponse.Builder().code(302).setHeader("Location", "http://127.0.0.1:${server.port}/other").build())
        val flushed = flush()
        assertTrue(flushed.left > 0)
        val paths = List(server.requestCount) { server.takeRequest().url.encodedPath }
        assertTrue(paths.isNotEmpty() && "/other" !in paths) { paths.toString() }
    }

    @Test
    fun `a server that cannot be reached has not got the request`() {
        val closed = ServerSocket(0).use { it.localPort }
        val held = flush(closed).held!!
        assertEquals("unreachable", held.code)
    }

    @Test
    fun `a connection that ends before the response leaves it open whether the request arrived`() {
        answer(MockResponse.Builder().onResponseStart(SocketEffect.CloseSocket()).build())
        val flushed = flush()
        assertTrue(flushed.left > 0)
        assertEquals("no_answer", flushed.held!!.code)
    }

    @Test
    fun `a long response is read to its end`() {
        fun delivered(body: String): Long {
            answer(MockResponse.Builder().code(200).setHeader("content-type", "application/json").body(body).build())
            return flush().delivered.also { RezMonitor.close() }
        }
        fun refusal(pad: Int) =
            """{"pad": "${"x".repeat(pad)}", "partialSuccess": {"rejectedLogRecords": "1", "errorMessage": "no"}}"""
        val refused = delivered(refusal(0))
        assertTrue(refused < delivered("{}"))
        assertEquals(refused, delivered(refusal(500_000)))
    }

    @Test
    fun `a body without end is cut where the engine stops reading`() {
        answer(MockResponse.Builder().code(200).body("x".repeat(2_000_000)).build())
        // No response of this protocol; what matters is that it ends.
        flush()
        assertTrue(server.requestCount > 0)
    }
}
