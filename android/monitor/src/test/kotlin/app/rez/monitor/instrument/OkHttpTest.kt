package app.rez.monitor.instrument

import app.rez.monitor.*
import com.fasterxml.jackson.databind.JsonNode
import mockwebserver3.MockResponse
import mockwebserver3.MockWebServer
import mockwebserver3.SocketEffect
import okhttp3.Call
import okhttp3.EventListener
import okhttp3.MediaType.Companion.toMediaType
import okhttp3.OkHttpClient
import okhttp3.Request
import okhttp3.RequestBody.Companion.toRequestBody
import org.junit.jupiter.api.AfterEach
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.BeforeEach
import org.junit.jupiter.api.Test
import java.io.IOException
import java.util.concurrent.CopyOnWriteArrayList

/** Calls of an OkHttp client to a server in this process. */
class OkHttpTest {
    private val server = MockWebServer()
    private val client = OkHttpClient().monitored()

    @BeforeEach
    fun begin() = server.start()

    @AfterEach
    fun end() {
        HttpSettings.isRecorded = true
        server.close()
    }

    private fun answer(code: Int = 200, body: String = "hello", location: String? = null) {
        val response = MockResponse.Builder().code(code).body(body)
        server.enqueue((if (location == null) response else response.setHeader("Location", location)).build())
    }

    private fun url(host: String, path: String = "/v1/cart?token=s3cret") = "http://$host:${server.port}$path"

    private fun get(url: String) = client.newCall(Request.Builder().url(url).build()).execute().use { it.body.string() }

    private fun calls(targets: List<String> = listOf("localhost"), use: () -> Unit): List<JsonNode> =
        rowsOf({ traceTargets = targets }) { use() }.filter { it["kind"].asText() == "api_call" }.map { it["json"] }

    @Test
    fun `a call is recorded with method, status, duration and bytes, and its trace is in the headers`() {
        answer(201)
        val calls = calls {
            val body = "0123456789".toRequestBody("text/plain".toMediaType())
            client.newCall(Request.Builder().url(url("localhost")).post(body).build()).execute().use { it.body.string() }
        }
        val call = calls.single()
        assertEquals("POST", call["method"].asText())
        assertEquals(201, call["status"].asInt())
        assertEquals(10, call["request_bytes"].asInt())
        assertEquals(5, call["response_bytes"].asInt())
        assertTrue(call["duration_us"].asLong() > 0)
        assertTrue("s3cret" !in call.toString())
        val header = server.takeRequest().headers["traceparent"]!!
        assertEquals(call["trace"]["trace_id"].asText() to call["trace"]["span_id"].asText(), header.split("-").let { it[1] to it[2] })
    }

    @Test
    fun `a host that is not allowed gets no headers, and neither does one behind a redirect`() {
        answer(302, location = url("127.0.0.1", "/elsewhere"))
        answer()
        answer()
        val calls = calls {
            get(url("localhost"))
            get(url("127.0.0.1"))
        }
        assertEquals(listOf(200, 200), calls.map { it["status"].asInt() })
        val headers = List(3) { server.takeRequest().headers["traceparent"] }
        assertTrue(headers[0] != null)
        assertNull(headers[1])
        assertNull(headers[2])
    }

    @Test
    fun `a header that the app has set is kept`() {
        answer()
        calls { client.newCall(Request.Builder().url(url("localhost")).header("traceparent", "own").build()).execute().close() }
        assertEquals("own", server.takeRequest().headers["traceparent"])
    }

    @Test
    fun `a call without a response is recorded with its error, which the app still gets`() {
        server.enqueue(MockResponse.Builder().onRequestStart(SocketEffect.CloseSocket()).build())
        val once = client.newBuilder().retryOnConnectionFailure(false).build()
        val calls = calls {
            assertThrows(IOException::class.java) { once.newCall(Request.Builder().url(url("localhost")).build()).execute() }
        }
        assertTrue(calls.single()["error"].asText().isNotEmpty())
        assertTrue(calls.single()["status"] == null || calls.single()["status"].isNull)
    }

    @Test
    fun `the requests of the engine itself are neither recorded nor given headers`() {
        server.dispatcher = object : mockwebserver3.Dispatcher() {
            override fun dispatch(request: mockwebserver3.RecordedRequest) = MockResponse.Builder().code(202).body("{}").build()
        }
        val own = HttpTransport { request, call ->
            val body = request.body.toRequestBody("application/json".toMediaType())
            val built = Request.Builder().url(request.url).post(body)
            request.headers.forEach { (name, value) -> built.header(name, value) }
            client.newCall(built.build()).enqueue(object : okhttp3.Callback {
                override fun onFailure(call1: Call, e: IOException) = call.ambiguous("x")

                override fun onResponse(call1: Call, response: okhttp3.Response) = response.use { call.respond(it.code, emptyMap(), it.body.bytes()) }
            })
        }
        val rows = rowsOf({
            traceTargets = listOf("localhost")
            transport = own
            destinations { otlp("http://localhost:${server.port}") { encoding = "json" } }
        }) {
            RezMonitor.captureError("Probe", "x")
            RezMonitor.flushBlocking(LIMIT)
        }
        assertTrue(server.requestCount > 0)
        assertNull(server.takeRequest().headers["traceparent"])
        assertEquals(emptyList<JsonNode>(), rows.filter { it["kind"].asText() == "api_call" })
    }

    @Test
    fun `a call leaves a breadcrumb without its query`() {
        answer()
        val crumbs = rowsOf {
            get(url("localhost"))
            RezMonitor.captureError("Probe", "x")
        }.single { it["kind"].asText() == "error" }["json"]["trail"]
        val crumb = crumbs.single()
        assertEquals("GET ${url("localhost", "/v1/cart")}", crumb["message"].asText())
        assertTrue("s3cret" !in crumb.toString())
    }

    @Test
    fun `without an engine and with the setting off, calls work and nothing is recorded`() {
        answer()
        assertEquals("hello", get(url("localhost")))
        answer()
        HttpSettings.isRecorded = false
        assertEquals(emptyList<JsonNode>(), calls { get(url("localhost")) })
    }

    @Test
    fun `the listener of the client is kept, and a body that nobody closes leaves no record`() {
        val heard = CopyOnWriteArrayList<String>()
        val listener = object : EventListener() {
            override fun callStart(call: Call) {
                heard += "start"
            }

            override fun callEnd(call: Call) {
                heard += "end"
            }
        }
        val both = OkHttpClient.Builder().eventListener(listener).build().monitored()
        answer()
        assertEquals(1, calls { both.newCall(Request.Builder().url(url("localhost")).build()).execute().use { it.body.string() } }.size)
        assertEquals(listOf("start", "end"), heard)
    }

    @Test
    fun `the interceptor alone measures until the headers of the response`() {
        val plain = OkHttpClient.Builder().addInterceptor(MonitorInterceptor()).build()
        answer()
        val call = calls { plain.newCall(Request.Builder().url(url("localhost")).build()).execute().use { it.body.string() } }.single()
        assertEquals(200 to 5, call["status"].asInt() to call["response_bytes"].asInt())
        assertNull(server.takeRequest().headers["traceparent"])
    }
}
