package app.rez.monitor.instrument

import app.rez.monitor.Level
import app.rez.monitor.Outcome
import app.rez.monitor.RezMonitor
import app.rez.monitor.TraceContext
import okhttp3.HttpUrl

/** A call in progress: begun by the interceptor, ended by the listener if there is one. The first end counts. */
internal class MeasuredCall(private val method: String, private val url: HttpUrl, private val listener: MonitorEventListener?) {
    private val call = RezMonitor.trackApiCall(method, url.toString())
    private var status = 0

    val trace: TraceContext?
        get() = call.trace

    init {
        listener?.begin(this)
    }

    fun requestBytes(bytes: Long) {
        if (bytes > 0) call.requestBytes(bytes)
    }

    /** The headers of the response are there. [length] is what they promise, or -1. */
    fun responded(status: Int, length: Long) = quiet(Unit) {
        this.status = status
        if (listener == null) end(length)
    }

    fun end(bytes: Long) = ended(call.finish(status, bytes.coerceAtLeast(0)), mapOf("status" to status))

    fun fail(error: String) = quiet(Unit) { ended(call.fail(error), mapOf("error" to error)) }

    /** What is not recorded, such as our own requests, leaves no breadcrumb either. */
    private fun ended(outcome: Outcome, data: Map<String, Any?>) {
        if (!outcome.isRecorded || !HttpSettings.isBreadcrumb) return
        val address = url.newBuilder().username("").password("").query(null).fragment(null).build().toString()
        RezMonitor.addBreadcrumb("$method $address", "http", mapOf("method" to method, "url" to address) + data, Level.INFO, "http")
    }
}
