package app.rez.monitor

import app.rez.monitor.internal.Log
import java.io.ByteArrayOutputStream
import java.net.HttpURLConnection
import java.net.URL
import java.util.concurrent.Executors
import java.util.concurrent.ExecutorService

/**
 * Sends the requests of the engine with `HttpURLConnection`, the HTTP client of the platform: with its certificates, its proxy and its
 * network security configuration.
 *
 * ```
 * RezMonitor.init(this) { transport = UrlConnectionTransport() }
 * ```
 *
 * The library has an HTTP client of its own, unless it was built without it (`docs/guide/android.md`); then this transport, or one of
 * the app, is needed. Each request has a daemon thread of its own while it runs; there are as many as destinations have routes.
 *
 * It follows no redirect and repeats nothing. A failure before the connection is there counts as not sent, a later one as ambiguous.
 * A `CookieHandler` that the app has set as the default of the process also applies to these requests.
 */
public class UrlConnectionTransport : HttpTransport {
    private val threads: ExecutorService = Executors.newCachedThreadPool { work ->
        Thread(work, "rez-monitor-http").apply { isDaemon = true }
    }

    override fun send(request: HttpRequest, call: HttpCall) {
        threads.execute { exchange(request, call) }
    }

    private fun exchange(request: HttpRequest, call: HttpCall) {
        var connection: HttpURLConnection? = null
        var isConnected = false
        try {
            connection = open(request)
            connection.connect()
            isConnected = true
            connection.outputStream.use { it.write(request.body) }
            val status = connection.responseCode
            call.respond(status, headers(connection), body(connection, status))
        } catch (reason: Throwable) {
            val cause = reason.javaClass.simpleName
            if (isConnected) call.ambiguous(cause) else call.notSent(cause)
        } finally {
            disconnect(connection)
        }
    }

    private fun open(request: HttpRequest): HttpURLConnection {
        val connection = URL(request.url).openConnection() as HttpURLConnection
        connection.requestMethod = "POST"
        connection.connectTimeout = CONNECT_MS
        connection.readTimeout = READ_MS
        connection.instanceFollowRedirects = false
        connection.useCaches = false
        connection.doOutput = true
        // With a fixed length the body is sent once: without it the platform repeats a request by itself.
        connection.setFixedLengthStreamingMode(request.body.size)
        request.headers.forEach { (name, value) -> connection.setRequestProperty(name, value) }
        return connection
    }

    private fun headers(connection: HttpURLConnection): Map<String, String> = buildMap {
        for ((name, values) in connection.headerFields) if (name != null) put(name, values.joinToString(", "))
    }

    /** A byte more than the engine reads, so that it knows of a body that was cut. */
    private fun body(connection: HttpURLConnection, status: Int): ByteArray {
        val stream = (if (status >= 400) connection.errorStream else connection.inputStream) ?: return ByteArray(0)
        return stream.use { body ->
            val bytes = ByteArrayOutputStream()
            val part = ByteArray(PART_BYTES)
            while (bytes.size() <= BODY_BYTES) {
                val read = body.read(part, 0, part.size.coerceAtMost(BODY_BYTES + 1 - bytes.size()))
                if (read < 0) break
                bytes.write(part, 0, read)
            }
            bytes.toByteArray()
        }
    }

    private fun disconnect(connection: HttpURLConnection?) {
        try {
            connection?.disconnect()
        } catch (reason: Throwable) {
            Log.once("a connection was not closed: ${Log.text(reason)}")
        }
    }

    private companion object {
        const val CONNECT_MS = 10_000
        const val READ_MS = 30_000
        const val PART_BYTES = 8 * 1024

        /** `RESPONSE_BYTES` of the engine (`core/src/limits.rs`). */
        const val BODY_BYTES = 1024 * 1024
    }
}
