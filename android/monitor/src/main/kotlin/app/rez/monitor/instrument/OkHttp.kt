@file:JvmName("OkHttpMonitor")

package app.rez.monitor.instrument

import app.rez.monitor.RezMonitor
import app.rez.monitor.android.guarded
import app.rez.monitor.internal.OwnRequests
import okhttp3.Call
import okhttp3.EventListener
import okhttp3.HttpUrl.Companion.toHttpUrlOrNull
import okhttp3.Interceptor
import okhttp3.OkHttpClient
import okhttp3.Request
import okhttp3.Response
import java.io.IOException

/**
 * A client that shares everything with this one, and whose calls are recorded with duration, status and size. A call to a host in
 * `traceTargets` carries trace headers; after a redirect, each host is checked again.
 *
 * ```
 * val client = OkHttpClient().monitored()
 * ```
 *
 * The requests of [RezMonitor] itself, if this client is its transport, are neither recorded nor given headers. An event listener of this client is kept; with
 * OkHttp 4, which cannot combine two, it takes the place of ours, and the body is not measured.
 */
public fun OkHttpClient.monitored(): OkHttpClient = newBuilder()
    .addInterceptor(MonitorInterceptor())
    .addNetworkInterceptor(MonitorInterceptor())
    .eventListenerFactory(MonitorEventListener.Factory(eventListenerFactory))
    .build()

/**
 * Records calls. Add one as interceptor, which measures until the headers of the response, and one as network interceptor, which adds
 * the trace headers of each request. With a [MonitorEventListener] the measurement ends with the body.
 */
public class MonitorInterceptor : Interceptor {
    @Throws(IOException::class)
    override fun intercept(chain: Interceptor.Chain): Response =
        if (chain.connection() == null) measured(chain) else chain.proceed(withHeaders(chain.request()))

    private fun measured(chain: Interceptor.Chain): Response {
        val request = chain.request()
        val call = begin(chain) ?: return chain.proceed(request)
        val response = try {
            chain.proceed(request.newBuilder().tag(MeasuredCall::class.java, call).build())
        } catch (reason: Throwable) {
            call.fail(if (chain.call().isCanceled()) "cancelled" else reason.javaClass.simpleName)
            throw reason
        }
        call.responded(response.code, response.body?.contentLength() ?: 0)
        return response
    }

    private fun begin(chain: Interceptor.Chain): MeasuredCall? = quiet(null) {
        if (!HttpSettings.isRecorded || !RezMonitor.isInitialized) return@quiet null
        val request = chain.request()
        if (OwnRequests.contains { it.toHttpUrlOrNull() == request.url }) return@quiet null
        val call = MeasuredCall(request.method, request.url, MonitorEventListener.of(chain.call()))
        call.requestBytes(request.body?.contentLength() ?: 0)
        call
    }

    private fun withHeaders(request: Request): Request = quiet(request) {
        val trace = request.tag(MeasuredCall::class.java)?.trace ?: return@quiet request
        val headers = RezMonitor.traceHeaders(trace, request.url.toString()).filterKeys { request.header(it) == null }
        if (headers.isEmpty()) return@quiet request
        request.newBuilder().apply { headers.forEach { (name, value) -> header(name, value) } }.build()
    }
}

/**
 * Measures calls until the end of the body of the response. It works together with [MonitorInterceptor].
 *
 * The order of what OkHttp calls, of which only the end is needed:
 * - `callStart`
 * - the interceptors, `requestBodyEnd`, `responseBodyEnd` .. once per request, also after redirects
 * - `callEnd` or `callFailed`, once; neither if the body is never closed, and then the call is not recorded
 */
public class MonitorEventListener private constructor() : EventListener() {
    @Volatile
    private var measured: MeasuredCall? = null

    @Volatile
    private var bytes = 0L

    /** Two interceptors of the app may make one call into two. */
    internal fun begin(call: MeasuredCall) {
        measured?.end(bytes)
        bytes = 0
        measured = call
    }

    override fun requestBodyEnd(call: Call, byteCount: Long) {
        quiet(Unit) { measured?.requestBytes(byteCount) }
    }

    override fun responseBodyEnd(call: Call, byteCount: Long) {
        bytes = byteCount
    }

    override fun callEnd(call: Call) {
        quiet(Unit) { measured?.end(bytes) }
    }

    override fun callFailed(call: Call, ioe: IOException) {
        quiet(Unit) { measured?.fail(if (call.isCanceled()) "cancelled" else ioe.javaClass.simpleName) }
    }

    /** [next]: the listener that the client has already. */
    public class Factory @JvmOverloads constructor(private val next: EventListener.Factory? = null) : EventListener.Factory {
        override fun create(call: Call): EventListener {
            val other = next?.create(call)?.takeIf { it !== EventListener.NONE }
            return quiet(other ?: EventListener.NONE) {
                val own = MonitorEventListener()
                val both = if (other == null) own else plus.invoke(own, other) as EventListener
                synchronized(open) { open[call] = own }
                both
            }
        }
    }

    internal companion object {
        /** By its name: React Native's OkHttp 4 has it not, and its apps compile this file. */
        private val plus by lazy { EventListener::class.java.getMethod("plus", EventListener::class.java) }

        /** Listeners of calls in progress. A call that is given up goes with its collection. */
        private val open = java.util.WeakHashMap<Call, MonitorEventListener>()

        fun of(call: Call): MonitorEventListener? = synchronized(open) { open.remove(call) }
    }
}

/** The app's request must not fail because of us, not even with the `Error` of another OkHttp. */
internal inline fun <T> quiet(or: T, work: () -> T): T = guarded("an HTTP call was not recorded", or, work)
