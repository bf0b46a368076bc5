package app.rez.monitor

import app.rez.monitor.internal.Log
import kotlin.time.Duration

/**
 * What an event may carry in addition to its attributes.
 *
 * ```
 * RezMonitor.logEvent("add_to_cart", mapOf("item" to "A-7")) { targets = listOf("ga4") }
 * ```
 */
public open class EventOptions internal constructor() {
    /** The destinations that receive it, by their names. Empty: all that accept its kind. */
    public var targets: List<String> = emptyList()

    /** The span in which it happened. Default: the screen that is loading, if any. */
    public var trace: TraceContext? = null

    /** When it happened, in milliseconds since 1970. Default: now. */
    public var atMillis: Long? = null
}

/** A scope of its own for one event. Each member makes the call slower, tens of microseconds instead of less than one. */
public open class ScopedOptions internal constructor() : EventOptions() {
    /** Tags of this event alone. */
    public var tags: Map<String, Any?> = emptyMap()

    /** The user of this event alone. */
    public var user: User? = null

    /** Contexts of a message or an error, by name. A value that is a map becomes a context of its own at Sentry. */
    public var contexts: Map<String, Any?> = emptyMap()

    /** The state of the device at that moment, of an error, a hang or an exit. Default: the last known one. */
    public var conditions: Conditions? = null

    /** Whether it needs the generated call. */
    internal open val isFull: Boolean
        get() = tags.isNotEmpty() || user != null || contexts.isNotEmpty() || conditions != null
}

/** What a timing may carry in addition to its name and duration. */
public class TimingOptions internal constructor() : EventOptions() {
    /** When it started, in milliseconds since 1970. Default: the end minus the duration. */
    public var startedMillis: Long? = null

    /** The time until the first frame of a screen. */
    public var initialDisplay: Duration? = null

    /** Bytes of the body of the request. */
    public var requestBytes: Long? = null

    /** Bytes of the body of the response. */
    public var responseBytes: Long? = null

    /** Why there was no response, without personal data. */
    public var error: String? = null

    /** The name under which durations of a call are counted. Default: a template of the URL. */
    public var endpoint: String? = null

    /** Headers of the request; only those in [Settings.Builder.recordedHeaders] are recorded. */
    public var requestHeaders: Map<String, String> = emptyMap()

    /** Headers of the response; the same. */
    public var responseHeaders: Map<String, String> = emptyMap()
}

/** What an error may carry in addition to its type and message. */
public class ErrorOptions internal constructor() : ScopedOptions() {
    /** How bad it is for the user. */
    public var severity: Severity = Severity.MEDIUM

    /** Default: derived from [severity]. */
    public var level: Level? = null

    /** The app's code of the error. */
    public var code: String? = null

    /** Who caught it: `UncaughtExceptionHandler`. */
    public var mechanism: String? = null

    /** Whether the app handled it. */
    public var isHandled: Boolean = true

    /** The parts of the fingerprint, by which errors are grouped; `{{ default }}` is the derived one. Empty: derived. */
    public var fingerprint: List<String> = emptyList()

    /** What its frames were written in. `captureException` sets it to [Language.JAVA]. */
    public var language: Language? = null

    /** The stack as text, if it cannot be read. Frames take precedence. */
    public var stack: String? = null

    /** Stack frames, outermost first; the innermost 50 are kept. `captureException` takes them from the exception. */
    public var frames: List<StackFrame> = emptyList()

    /** What caused it; 10 are kept. `captureException` takes them from the exception, suppressed ones included. */
    public var causes: List<ErrorCause> = emptyList()

    /** Whether it is a group of errors, such as JavaScript's `AggregateError`. */
    public var isGroup: Boolean = false

    /** The threads at that moment; 64 are kept. Default for `captureException`: the thread of the call. */
    public var threads: List<ThreadSnapshot> = emptyList()

    override val isFull: Boolean
        get() = super.isFull || level != null || fingerprint.isNotEmpty() || stack != null || isGroup ||
            language != Language.JAVA || threads.size > 1 || threads.any { !it.isCrashed || it.frames.isNotEmpty() } ||
            frames.any { it.address != 0L || it.language != null } || causes.any { it.isFull }
}

/** An app's lambda may throw; what it has set until then is used. */
internal fun <T : EventOptions> T.with(configure: (T.() -> Unit)?): T {
    try {
        configure?.invoke(this)
    } catch (reason: Throwable) {
        Log.once("the options of an event have failed: ${Log.text(reason)}")
    }
    return this
}
