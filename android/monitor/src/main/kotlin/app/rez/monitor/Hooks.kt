package app.rez.monitor

/**
 * Sends requests with the HTTP client of the app.
 *
 * The order of calls for one request:
 * - [send], once, on a thread of the engine. It returns at once; the request runs on a thread of the app.
 * - one of [HttpCall.respond], [HttpCall.notSent], [HttpCall.ambiguous], from any thread. A second one is ignored.
 *
 * The request follows no redirect, keeps no cookie, repeats nothing and gives up connecting after 10 s. If [send] throws, or none of
 * the three is called and the [HttpCall] is collected, the server may have received the request, and the engine treats it so.
 *
 * [send] must not block. It may call [RezMonitor]; events that it records are refused as `reentrant`.
 */
public fun interface HttpTransport {
    /** Starts a request. */
    public fun send(request: HttpRequest, call: HttpCall)
}

/** A POST request, to be sent as it is. */
public class HttpRequest internal constructor(
    /** Absolute URL. */
    public val url: String,
    /** Headers; each name at most once. */
    public val headers: Map<String, String>,
    /** The body. */
    public val body: ByteArray,
)

/** A request that the app is sending. Its functions may be called from any thread and never throw. The first call counts. */
public class HttpCall internal constructor(call: app.rez.monitor.internal.HostCall) {
    private val call = java.util.concurrent.atomic.AtomicReference(call)

    private inline fun end(end: (app.rez.monitor.internal.HostCall) -> Unit) {
        try {
            call.getAndSet(null)?.use(end)
        } catch (reason: Throwable) {
            app.rez.monitor.internal.Log.once("the end of a request was not taken: ${reason.javaClass.name}")
        }
    }

    /** The server has responded. The engine reads the first 64 KiB of [body], and `retry-after`, `date` and the like of [headers]. */
    public fun respond(status: Int, headers: Map<String, String>, body: ByteArray): Unit = end {
        it.respond(app.rez.monitor.internal.hostResponse(status, headers, body))
    }

    /** No byte was sent: the server has certainly not received the request. [cause] is for `status()`. */
    public fun notSent(cause: String): Unit = end { it.notSent(cause) }

    /** The server may have received the request. [cause] is for `status()`. */
    public fun ambiguous(cause: String): Unit = end { it.ambiguous(cause) }
}

/**
 * Changes or drops an event before it is stored.
 *
 * Called once per event, in order, on a thread of the engine. It must return within a second, must not throw and must not record:
 * after an exception or a longer wait, this event and all later ones of the run are dropped as `hook_failed`.
 */
public fun interface BeforeSend {
    /** Returns the event to store (JSON, as [row], which may be returned unchanged), or `null` to drop it. [kind]: `error`, `log` .. */
    public fun beforeSend(kind: String, row: String): String?
}

/**
 * Hears what a developer must know (`docs/guide/logger.md`): a key that a server refuses, a value that was cut.
 *
 * Used while [Settings.Builder.debug] is true. Called on a thread of its own, one message at a time; it may block. If it throws, it is
 * not called again. An event that it records is refused as `reentrant`.
 */
public fun interface MonitorLogger {
    /** [level] is `error`, `warning` or `info`, [code] one of the list in the guide, [text] one or two sentences. */
    public fun log(level: String, code: String, text: String)
}
