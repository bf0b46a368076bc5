package app.rez.monitor.android

import android.content.Context
import android.os.Handler
import android.os.Looper
import app.rez.monitor.Conditions
import app.rez.monitor.Consent
import app.rez.monitor.Durability
import app.rez.monitor.Purpose
import app.rez.monitor.RezMonitor
import app.rez.monitor.addDestinationsSoon
import app.rez.monitor.instrument.Instruments
import app.rez.monitor.internal.AddFrom
import app.rez.monitor.internal.Engine
import app.rez.monitor.internal.ExitReports
import app.rez.monitor.internal.LastRun
import app.rez.monitor.internal.Library
import app.rez.monitor.internal.Log
import app.rez.monitor.internal.Recorder
import app.rez.monitor.internal.addDestinations
import app.rez.monitor.internal.checkInspects
import app.rez.monitor.internal.core
import app.rez.monitor.internal.flush
import app.rez.monitor.internal.json
import app.rez.monitor.internal.pauseDestination
import app.rez.monitor.internal.persist
import app.rez.monitor.internal.removeDestination
import app.rez.monitor.internal.resumeDestination
import app.rez.monitor.internal.setConditions
import app.rez.monitor.internal.setFacts
import app.rez.monitor.internal.setRelease
import app.rez.monitor.internal.inspect
import app.rez.monitor.internal.testCrash
import app.rez.monitor.internal.whyJson
import app.rez.monitor.load
import app.rez.monitor.start
import java.security.SecureRandom
import kotlin.time.Duration.Companion.milliseconds

/**
 * The engine for a layer in another language over this one, such as React Native: what is structured is JSON. An app in Kotlin does
 * not need it.
 *
 * No function throws. One that returns a text about its success returns an empty text, or a sentence about what is wrong. A time to wait
 * is in milliseconds; the calling thread blocks meanwhile.
 */
public object Bridge {
    private const val NOT_OPEN = "REZ Monitor is not open: call open first"
    private const val UNUSABLE = "the native library cannot be used; the error stream has the reason"
    private const val SEED_BYTES = 16
    private const val EXCEPTION = "exception"

    private val random by lazy { SecureRandom() }

    /**
     * Opens the engine, or joins the one that is open: then only the destinations of the settings are used.
     *
     * [settings]: `docs/guide/configure.md` in `camelCase`. [facts]: `docs/guide/device.md`, or empty. Both are completed with what
     * Android knows, as by `RezMonitor.init(context)`. May be called from any thread; it takes about a millisecond.
     *
     * @return `{"seed": "<32 hexadecimal digits>", "joined": false}`, or `{"error": "<sentence>"}`.
     */
    @JvmStatic
    public fun open(context: Context, settings: String, facts: String): String = try {
        load()
        if (Library.isLoaded) join(context, JsonSettings(context, settings, facts)) else error(UNUSABLE)
    } catch (reason: Throwable) {
        error(sentence(reason))
    }

    private fun join(context: Context, wanted: JsonSettings): String {
        val settings = wanted.build()
        var reason = UNUSABLE
        val isOpened = synchronized(Instruments) {
            start(context, settings, wanted.platform, wanted.facts) { reason = it }.also {
                if (!it) addDestinationsSoon(settings.json)
            }
        }
        return if (RezMonitor.isInitialized) json(mapOf("seed" to seed(), "joined" to !isOpened)) else error(reason)
    }

    /** Not that of the engine, which is not to be had before JNA is loaded. Any 128 random bits are as good. */
    private fun seed(): String {
        val bytes = ByteArray(SEED_BYTES).also { random.nextBytes(it) }
        return bytes.joinToString("") { (it.toInt() and 0xff).toString(16).padStart(2, '0') }
    }

    /** Records a document of `docs/guide/batch.md`. `false`: at least one event was refused, and counted. */
    @JvmStatic
    public fun recordBatch(json: String): Boolean = RezMonitor.recordBatch(json)

    /** The same; the last event ends the process. Returns when it is on the disk, after 500 ms at most. */
    @JvmStatic
    public fun recordFatal(json: String): Boolean = RezMonitor.recordFatal(json) != Durability.DROPPED

    /** [purpose]: `monitoring`, `analytics`. [consent]: `granted`, `denied`, `pending`. `false`: an unknown word, or nothing is open. */
    @JvmStatic
    public fun setConsent(purpose: String, consent: String): Boolean {
        val about = word<Purpose>(purpose) ?: return false
        val decision = word<Consent>(consent) ?: return false
        return done { RezMonitor.setConsent(about, decision) }
    }

    /** As [RezMonitor.forgetUser]. Whether an engine is open. */
    @JvmStatic
    public fun forgetUser(): Boolean = done { RezMonitor.forgetUser() }

    /** Ends the session and starts a new one. Whether an engine is open. */
    @JvmStatic
    public fun newSession(): Boolean = done { RezMonitor.host.newSession() }

    /** Adds to the facts that Android knows; a member that is absent or null stays. A run accepts 100 changes. */
    @JvmStatic
    public fun setFacts(json: String): String = answer { handle ->
        val facts = Instruments.current?.facts ?: app.rez.monitor.Facts()
        synchronized(facts) {
            facts.take(read(json, "facts"))
            setFacts(handle, json(facts.toMap()))
        }
    }

    /** Replaces the last known conditions, until Android has new ones. */
    @JvmStatic
    public fun setConditions(json: String): String = answer { handle ->
        val conditions = Conditions().apply { take(read(json, "conditions")) }
        setConditions(handle, conditions.core())
    }

    /** Sets the release of later events. An empty [dist] is none. */
    @JvmStatic
    public fun setRelease(release: String, dist: String): String = answer { setRelease(it, release, dist.ifEmpty { null }) }

    /** Adds the `destinations` of settings. [from]: `oldest` or `now`. */
    @JvmStatic
    public fun addDestinations(settings: String, from: String): String {
        val start = word<app.rez.monitor.AddFrom>(from) ?: return "addDestinations: `$from`: use oldest or now"
        return answer { addDestinations(it, settings, AddFrom.entries[start.ordinal]) }
    }

    /** As [RezMonitor.removeDestination]. */
    @JvmStatic
    public fun removeDestination(name: String): String = answer { removeDestination(it, name) }

    /** As [RezMonitor.pauseDestination]. */
    @JvmStatic
    public fun pauseDestination(name: String): String = answer { pauseDestination(it, name) }

    /** As [RezMonitor.resumeDestination]. */
    @JvmStatic
    public fun resumeDestination(name: String): String = answer { resumeDestination(it, name) }

    /** The trace headers of a request as an object. [trace]: as in `docs/guide/batch.md`. `{}` for a host that is no target. */
    @JvmStatic
    public fun traceHeaders(trace: String, url: String): String = guarded("trace headers were not made", "{}") {
        val context = trace(read(trace, "trace"))
        if (context == null) "{}" else json(RezMonitor.traceHeaders(context, url))
    }

    /** `{"status": <as rezq status --json>, "lines": [<sentence>]}`; empty if nothing is open. */
    @JvmStatic
    public fun status(): String {
        val status = RezMonitor.status()
        return if (status.json.isEmpty()) "" else """{"status":${status.json},"lines":${json(status.lines)}}"""
    }

    /** The durations of this run in microseconds: a list of `{"name", "last", "count", "p50", "p95", "p99"}`. */
    @JvmStatic
    public fun metrics(): String = json(
        RezMonitor.metrics.durations().map {
            mapOf(
                "name" to it.name, "last" to it.lastMicros, "count" to it.count,
                "p50" to it.p50Micros, "p95" to it.p95Micros, "p99" to it.p99Micros,
            )
        },
    )

    /** Clears them. Whether an engine is open. */
    @JvmStatic
    public fun clearMetrics(): Boolean = done { RezMonitor.metrics.clearDurations() }

    /**
     * What the engine had to say to a developer since the last call, at most 100: a list of `{"level", "code", "text"}`.
     * Nothing in a release build.
     */
    @JvmStatic
    public fun takeLog(): String = json(DeveloperLog.take())

    /** Waits until everything recorded so far is on the disk. */
    @JvmStatic
    public fun persist(waitMs: Long): String = answer { persist(it, waitMs) }

    /** As [RezMonitor.flush]: `{"destinations": [{"destination", "delivered", "left", "held", "text"}]}`, or `{"error": "<sentence>"}`. */
    @JvmStatic
    public fun flush(waitMs: Long): String {
        var all = ""
        val wrong = answer { handle -> all = json(mapOf("destinations" to flush(handle, waitMs).map { flushed(it) })) }
        return if (wrong.isEmpty()) all else error(wrong)
    }

    /** What became of an event, as `rezq why --json`, or `{"error": "<sentence>"}`. */
    @JvmStatic
    public fun why(id: String, waitMs: Long): String {
        var fate = ""
        val wrong = answer { fate = whyJson(it, id, waitMs) }
        return if (wrong.isEmpty()) fate else error(wrong)
    }

    /** As [RezMonitor.inspect]. */
    @JvmStatic
    public fun inspect(request: String, waitMs: Long): String {
        var found = ""
        val wrong = answer { found = inspect(it, request, waitMs) }
        return if (wrong.isEmpty()) found else error(wrong)
    }

    /**
     * How the run before this one ended: `{"ended": "crashed", "crash": {"id", "type", "mechanism", "at_ms", "since_start_ms",
     * "support_code"}}`; `null` if there was none, or `{"error": "<sentence>"}`.
     */
    @JvmStatic
    public fun lastRun(waitMs: Long): String {
        var last: LastRun? = null
        val wrong = answer { last = ExitReports.lastRunOnceReported(it, waitMs) }
        return if (wrong.isEmpty()) last?.let { json(described(it)) } ?: "null" else error(wrong)
    }

    /** As [RezMonitor.testCrash]; [kind] in lower case. */
    @JvmStatic
    public fun testCrash(kind: String): String = answer { handle ->
        if (kind != EXCEPTION) return@answer testCrash(handle, kind)
        checkInspects(handle)
        Handler(Looper.getMainLooper()).post { throw IllegalStateException("a test crash of REZ Monitor") }
    }

    /** Ends the session, sends what it can, and closes. */
    @JvmStatic
    public fun close(waitMs: Long): String = guarded("not closed", "not closed; the log has the reason") {
        RezMonitor.close(waitMs.milliseconds)
        ""
    }

    private fun error(sentence: String): String = json(mapOf("error" to sentence))

    private fun sentence(reason: Throwable): String =
        if (reason is IllegalArgumentException) reason.message.orEmpty() else Log.text(reason)

    private inline fun done(call: () -> Unit): Boolean = RezMonitor.isInitialized && guarded("a call has failed", false) {
        call()
        true
    }

    private inline fun answer(call: (ULong) -> Unit): String {
        val engine: Engine = Recorder.engine ?: return NOT_OPEN
        if (!engine.awaitReady()) return UNUSABLE
        return try {
            call(engine.handle.toULong())
            ""
        } catch (reason: Throwable) {
            sentence(reason)
        }
    }
}

private fun flushed(one: app.rez.monitor.internal.Flushed): Map<String, Any?> {
    val held = one.held?.let {
        mapOf("code" to it.code, "until_ms" to it.untilMs, "why" to it.why, "failures" to it.failures.toInt())
            .filterValues { value -> value != null }
    }
    return mapOf(
        "destination" to one.destination,
        "delivered" to one.delivered.toLong(),
        "left" to one.left.toLong(),
        "held" to held,
        "text" to one.text,
    )
}

private fun described(last: LastRun): Map<String, Any?> = mapOf(
    "ended" to last.ended.name.lowercase(),
    "crash" to last.crash?.let {
        mapOf(
            "id" to it.id, "type" to it.kind, "mechanism" to it.mechanism,
            "at_ms" to it.atMs, "since_start_ms" to it.sinceStartMs, "support_code" to it.supportCode,
        )
    },
)
