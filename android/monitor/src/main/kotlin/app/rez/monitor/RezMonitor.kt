package app.rez.monitor

import app.rez.monitor.android.Bridge
import app.rez.monitor.internal.*
import kotlin.concurrent.thread
import kotlin.coroutines.resume
import kotlin.coroutines.suspendCoroutine
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds
import kotlin.time.TimeSource

/**
 * Monitors an app: errors, durations, logs and analytics go into one durable queue on the device, and from there to every backend that
 * the app names.
 *
 * ```
 * RezMonitor.init {
 *     folder = File(filesDir, "rez")
 *     app = "shop"
 *     release = "shop@1.4.0+52"
 *     consentMonitoring = Consent.GRANTED
 *     destinations { sentry(dsn) }
 * }
 * RezMonitor.captureException(error)
 * ```
 *
 * All functions may be called from any thread, and none throws. Before [init], after [close], and if the library cannot be loaded, they
 * do nothing. An event is recorded in less than a microsecond; a call that is not an event (user, tags, consent) takes tens of
 * microseconds, and waits for the start of the library if it is among the first: up to 100 ms on a phone.
 */
public object RezMonitor {
    /** The profile of the user. */
    @JvmStatic
    public val people: People = People()

    /** Numbers of the app, and the durations that were measured. */
    @JvmStatic
    public val metrics: Metrics = Metrics()

    /** The log of the app. */
    @JvmStatic
    public val logger: Logs = Logs(null)

    /** Views that the app names itself. */
    @JvmStatic
    public val views: Views = Views()

    /** Properties that every later analytics event carries. */
    @JvmStatic
    public val superProperties: SuperProperties = SuperProperties()

    /** What the platform tells the engine. */
    @JvmStatic
    public val host: Host = Host()

    /** Whether an engine is open. */
    @JvmStatic
    public val isInitialized: Boolean
        get() = Recorder.engine != null

    /**
     * Opens the engine: at most a millisecond, or three at the first run, besides loading the library. Call it once, as early as
     * possible; a second call changes nothing. Wrong settings, an unusable library or a second call are a sentence in the log.
     *
     * @return whether this call has opened it.
     */
    @JvmStatic
    public fun init(configure: Settings.Builder.() -> Unit): Boolean = try {
        init(Settings.Builder().apply(configure).build())
    } catch (reason: Throwable) {
        Log.once("not opened, nothing is recorded: ${reason.message ?: reason}")
        false
    }

    /** The same with settings that were built before. */
    @JvmStatic
    public fun init(settings: Settings): Boolean = open(settings) { Log.once("not opened, nothing is recorded: $it") }

    /** The same; [failed] gets what the library says about an engine that it cannot open. */
    internal fun open(settings: Settings, failed: (String) -> Unit): Boolean = try {
        synchronized(this) {
            if (Recorder.engine != null) {
                Log.once("init was called twice; the first call counts")
                return false
            }
            Recorder.engine = Engine.open(settings, failed)
            setMapping()
            Recorder.engine != null
        }
    } catch (reason: Throwable) {
        Log.disabled("not opened", reason)
        false
    }

    /** Erasing the user erases contexts too, and the build is still the same. By JNI: the main thread, which may call [init], does not wait for JNA. */
    private fun setMapping() {
        Recorder.engine?.settings?.mappingDocument?.let { Recorder.batch(it) }
    }

    /** Ends the session, sends what it can in at most [timeout], and closes. [init] may be called again. */
    @JvmStatic
    @JvmOverloads
    public fun close(timeout: Duration = 2.seconds) {
        val engine = synchronized(this) { Recorder.engine.also { Recorder.engine = null } }
        engine?.call(Unit) { close(it, timeout.millis()) }
    }

    private inline fun <T> call(or: T, call: (ULong) -> T): T = Recorder.engine?.call(or, call) ?: or

    private inline fun attempt(call: (ULong) -> Unit): Boolean = Recorder.engine?.attempt(call) ?: false

    // Errors and messages

    /**
     * Records an exception with its causes, its suppressed exceptions, the thread of the call, and the breadcrumbs before it.
     *
     * ```
     * RezMonitor.captureException(error, mapOf("order" to 42)) { severity = Severity.HIGH }
     * ```
     */
    @JvmStatic
    @JvmOverloads
    public fun captureException(
        error: Throwable,
        attributes: Map<String, Any?> = emptyMap(),
        configure: (ErrorOptions.() -> Unit)? = null,
    ): Outcome = try {
        val options = ErrorOptions().with(configure)
        options.take(error, Thread.currentThread())
        captureError(typeOf(error), messageOf(error), attributes, options)
    } catch (reason: Throwable) {
        Recorder.failed(reason)
    }

    /** Records an error that is no exception of this language. */
    @JvmStatic
    @JvmOverloads
    public fun captureError(
        type: String,
        message: String,
        attributes: Map<String, Any?> = emptyMap(),
        configure: (ErrorOptions.() -> Unit)? = null,
    ): Outcome = captureError(type, message, attributes, ErrorOptions().with(configure))

    private fun captureError(type: String, message: String, attributes: Map<String, Any?>, options: ErrorOptions): Outcome =
        Recorder.submit(
            options.isFull,
            encode = { error(type, message, attributes, options) },
            generated = { error(it, errorEvent(type, message, attributes, options)) },
        )

    /**
     * Records the exception that ends the process, for a handler of uncaught exceptions. Waits for the disk at most [timeout], and never
     * longer than 500 ms.
     */
    @JvmStatic
    @JvmOverloads
    public fun captureFatal(
        error: Throwable,
        attributes: Map<String, Any?> = emptyMap(),
        timeout: Duration = 500.milliseconds,
        thread: Thread = Thread.currentThread(),
        configure: (ErrorOptions.() -> Unit)? = null,
    ): Durability = try {
        val options = ErrorOptions().apply { isHandled = false }.with(configure)
        options.take(error, thread)
        Recorder.fatal(typeOf(error), messageOf(error), attributes, options, timeout)
    } catch (reason: Throwable) {
        Recorder.failed(reason)
        Durability.DROPPED
    }

    /** The same for an error that is no exception of this language. */
    @JvmStatic
    @JvmOverloads
    public fun captureFatal(
        type: String,
        message: String,
        attributes: Map<String, Any?> = emptyMap(),
        timeout: Duration = 500.milliseconds,
        configure: (ErrorOptions.() -> Unit)? = null,
    ): Durability {
        val options = ErrorOptions().apply { isHandled = false }.with(configure)
        return Recorder.fatal(type, message, attributes, options, timeout)
    }

    /** Records a message. */
    @JvmStatic
    @JvmOverloads
    public fun captureMessage(
        message: String,
        level: Level = Level.INFO,
        attributes: Map<String, Any?> = emptyMap(),
        configure: (ScopedOptions.() -> Unit)? = null,
    ): Outcome {
        val options = scoped(configure)
        return Recorder.submit(
            options.isFull,
            encode = {
                begin(6)
                u8(level.ordinal)
                text(message)
                common(attributes, options)
            },
            generated = { message(it, message, level.core(), options.core(attributes)) },
        )
    }

    /** Adds a breadcrumb. The last 100 are attached to each error. [category]: a dotted name, `ui.click`. [type]: `http`, `user` .. */
    @JvmStatic
    @JvmOverloads
    public fun addBreadcrumb(
        message: String,
        category: String = "",
        data: Map<String, Any?> = emptyMap(),
        level: Level = Level.INFO,
        type: String = "default",
        atMillis: Long? = null,
    ) {
        val engine = Recorder.engine ?: return
        val handle = engine.hot
        val hot = if (handle == 0L) null else Recorder.hot(handle) {
            begin(2)
            u8(level.ordinal)
            text(type)
            text(category)
            text(message)
            if (atMillis != null) {
                bit(0)
                i64(atMillis)
            }
            attrs(3, data)
        }
        if (hot == null) {
            engine.call(Unit) { breadcrumb(it, Breadcrumb(type, category, message, level.core(), attrs(data), atMillis)) }
        }
    }

    /** Records feedback of the user about the app. [aboutId]: the id of the event it is about. [email] is sent as given. */
    @JvmStatic
    @JvmOverloads
    public fun captureFeedback(
        message: String,
        name: String? = null,
        email: String? = null,
        aboutId: String? = null,
    ): Outcome = call(Recorder.CLOSED) { feedback(it, Feedback(message, name, email, aboutId)).public() }

    // What later events carry

    /** Sets the user of later events; `null` after a logout. Erases nothing: see [forgetUser]. */
    @JvmStatic
    public fun setUser(user: User?): Unit = call(Unit) { setUser(it, user?.core()) }

    /** Sets a tag of later events; without a value it is removed. */
    @JvmStatic
    public fun setTag(name: String, value: String?): Unit = call(Unit) { setTag(it, name, value) }

    /** Sets a context of later errors and messages, which replaces the one of this name; without a value it is removed. */
    @JvmStatic
    public fun setContext(name: String, value: Map<String, Any?>?): Unit =
        call(Unit) { setContext(it, name, value?.let { map -> attrs(map) }) }

    /** A feature flag was evaluated. The last 100 are on errors and screens. */
    @JvmStatic
    public fun setFlag(name: String, value: Any?): Unit = call(Unit) { setFlag(it, name, attrValue(value)) }

    // Durations

    /** Begins a screen load, which is the screen of later events. The end of `use`, or [ScreenLoad.finish], records it. */
    @JvmStatic
    public fun trackScreenLoad(name: String): ScreenLoad = ScreenLoad(Recorder.engine, name)

    /** Records a screen load that the app has measured. */
    @JvmStatic
    @JvmOverloads
    public fun trackScreenLoad(
        name: String,
        duration: Duration,
        attributes: Map<String, Any?> = emptyMap(),
        configure: (TimingOptions.() -> Unit)? = null,
    ): Outcome = record(TimingKind.SCREEN_LOAD, name, duration, null, null, attributes, configure)

    /** Begins an HTTP call, inside [parent] or else inside the screen that is loading. [ApiCall.finish] records it. */
    @JvmStatic
    @JvmOverloads
    public fun trackApiCall(method: String, url: String, parent: TraceContext? = null): ApiCall =
        ApiCall(Recorder.engine, method, url, parent)

    /** Records an HTTP call that the app has measured. [status]: `null` if no response came. */
    @JvmStatic
    @JvmOverloads
    public fun trackApiCall(
        method: String,
        url: String,
        duration: Duration,
        status: Int?,
        attributes: Map<String, Any?> = emptyMap(),
        configure: (TimingOptions.() -> Unit)? = null,
    ): Outcome = record(TimingKind.API_CALL, url, duration, method, status, attributes, configure)

    /** Records an image that was fetched and decoded. */
    @JvmStatic
    @JvmOverloads
    public fun trackImageLoad(
        url: String,
        duration: Duration,
        attributes: Map<String, Any?> = emptyMap(),
        configure: (TimingOptions.() -> Unit)? = null,
    ): Outcome = record(TimingKind.IMAGE_LOAD, url, duration, null, null, attributes, configure)

    /** Records the start of the app, from the start of the process to its first frame. */
    @JvmStatic
    @JvmOverloads
    public fun trackAppStart(
        kind: AppStartKind,
        duration: Duration,
        attributes: Map<String, Any?> = emptyMap(),
        configure: (TimingOptions.() -> Unit)? = null,
    ): Outcome = record(TimingKind.APP_START, kind.name.lowercase(), duration, null, null, attributes, configure)

    /** Records that a thread with an event loop was busy for long. */
    @JvmStatic
    @JvmOverloads
    public fun trackLongTask(
        name: String,
        duration: Duration,
        attributes: Map<String, Any?> = emptyMap(),
        configure: (TimingOptions.() -> Unit)? = null,
    ): Outcome = record(TimingKind.LONG_TASK, name, duration, null, null, attributes, configure)

    /** Records the numbers of slow, frozen and all frames drawn on a screen. */
    @JvmStatic
    @JvmOverloads
    public fun trackFrames(
        screen: String,
        slow: Int,
        frozen: Int,
        total: Int,
        attributes: Map<String, Any?> = emptyMap(),
        configure: (ScopedOptions.() -> Unit)? = null,
    ): Outcome = call(Recorder.CLOSED) {
        val counts = listOf(slow, frozen, total).map { count -> count.coerceAtLeast(0).toUInt() }
        frameCounts(it, screen, counts[0], counts[1], counts[2], scoped(configure).core(attributes)).public()
    }

    /** Records that the main thread did not respond. [stack]: its stack, outermost frame first. */
    @JvmStatic
    @JvmOverloads
    public fun captureHang(
        duration: Duration,
        stack: List<StackFrame>,
        threads: List<ThreadSnapshot> = emptyList(),
        language: Language? = Language.JAVA,
        attributes: Map<String, Any?> = emptyMap(),
        configure: (ScopedOptions.() -> Unit)? = null,
    ): Outcome = call(Recorder.CLOSED) { handle ->
        val (frames, others) = stack.map { it.core() } to threads.map { it.core() }
        hang(handle, duration.micros(), frames, others, language(language), scoped(configure).core(attributes)).public()
    }

    /** Records that the system ended an earlier process. [cause]: the platform's name of it, `low_memory`, `anr`. */
    @JvmStatic
    @JvmOverloads
    public fun captureAppExit(
        cause: String,
        message: String = "",
        attributes: Map<String, Any?> = emptyMap(),
        configure: (ScopedOptions.() -> Unit)? = null,
    ): Outcome = call(Recorder.CLOSED) { appExit(it, cause, message, scoped(configure).core(attributes)).public() }

    // Traces

    /** Begins a span, inside [parent] or as the root of a trace. [op]: the operation, `task`, `db.query`. */
    @JvmStatic
    @JvmOverloads
    public fun startSpan(name: String, op: String = "task", parent: TraceContext? = null): Span =
        Span(Recorder.engine, name, op, parent, isChild = false)

    /** Records a span that the app has measured. [EventOptions.trace] is the span itself, from [newTrace]; [endedMillis] is its end. */
    @JvmStatic
    @JvmOverloads
    public fun recordSpan(
        name: String,
        op: String,
        duration: Duration,
        status: SpanStatus = SpanStatus.OK,
        startedMillis: Long? = null,
        endedMillis: Long? = null,
        attributes: Map<String, Any?> = emptyMap(),
        configure: (EventOptions.() -> Unit)? = null,
    ): Outcome = call(Recorder.CLOSED) {
        val options = EventOptions().with(configure)
        val how = app.rez.monitor.internal.SpanStatus.entries[status.ordinal]
        val span = SpanEvent(
            name, op, duration.micros(), startedMillis, endedMillis, how, options.trace?.core(), attrs(attributes), options.targets,
        )
        recordSpan(it, span).public()
    }

    /** A span for an app that measures on its own: inside [parent], or the root of a new trace. `null` if nothing is open. */
    @JvmStatic
    @JvmOverloads
    public fun newTrace(parent: TraceContext? = null): TraceContext? = call(null) { newTrace(it, parent?.core())?.public() }

    /** The trace headers of a request to [url]; empty if its host is not in [Settings.Builder.traceTargets]. [trace]: the call's span. */
    @JvmStatic
    public fun traceHeaders(trace: TraceContext, url: String): Map<String, String> = call(emptyMap()) { handle ->
        traceHeaders(handle, trace.core(), url).associate { it.name to it.value }
    }

    /** Reads the header `traceparent` of a server or a deep link, to continue its trace. `null` if it is invalid. */
    @JvmStatic
    public fun fromTraceparent(header: String): TraceContext? =
        call(null) { app.rez.monitor.internal.fromTraceparent(header)?.public() }

    // Analytics

    /** Records an analytics event. */
    @JvmStatic
    @JvmOverloads
    public fun logEvent(
        name: String,
        attributes: Map<String, Any?> = emptyMap(),
        configure: (ScopedOptions.() -> Unit)? = null,
    ): Outcome {
        val options = scoped(configure)
        return Recorder.submit(
            options.isFull,
            encode = {
                begin(3)
                text(name)
                common(attributes, options)
            },
            generated = { track(it, name, options.core(attributes)) },
        )
    }

    /** Records that a screen was viewed. [screenClass]: the class or component, if it differs from the name. */
    @JvmStatic
    @JvmOverloads
    public fun logScreenView(
        name: String,
        screenClass: String? = null,
        attributes: Map<String, Any?> = emptyMap(),
        configure: (ScopedOptions.() -> Unit)? = null,
    ): Outcome {
        val options = scoped(configure)
        return Recorder.submit(
            options.isFull,
            encode = {
                begin(4)
                text(name)
                text(4, screenClass)
                common(attributes, options)
            },
            generated = { screenView(it, name, screenClass, options.core(attributes)) },
        )
    }

    /** Records an interaction of the user with a component: [action] `tap`, [component] `PayButton`. Never what the user typed. */
    @JvmStatic
    @JvmOverloads
    public fun trackInteraction(
        action: String,
        component: String,
        attributes: Map<String, Any?> = emptyMap(),
        configure: (ScopedOptions.() -> Unit)? = null,
    ): Outcome {
        val options = scoped(configure)
        return Recorder.submit(
            options.isFull,
            encode = {
                begin(5)
                text(action)
                text(component)
                common(attributes, options)
            },
            generated = { interaction(it, action, component, options.core(attributes)) },
        )
    }

    /**
     * Records revenue. [amount]: in units of the currency. [currency]: ISO 4217 code; empty if the app has one that needs no code.
     * [items]: what was bought, a map each.
     */
    @JvmStatic
    @JvmOverloads
    public fun trackRevenue(
        amount: Double,
        currency: String,
        transactionId: String? = null,
        items: List<Any?> = emptyList(),
        attributes: Map<String, Any?> = emptyMap(),
        targets: List<String> = emptyList(),
    ): Outcome = call(Recorder.CLOSED) {
        val bought = items.map { item -> attrValue(item) }
        revenue(it, Revenue(amount, currency, transactionId, bought, attrs(attributes), targets)).public()
    }

    /** Starts the time of an analytics event; its next [logEvent] carries the duration. In memory. */
    @JvmStatic
    public fun timeEvent(name: String): Unit = call(Unit) { timeEvent(it, name) }

    // Consent

    /** Stores the decision of the user. It is in force when this returns; a denied purpose is erased. */
    @JvmStatic
    public fun setConsent(purpose: Purpose, consent: Consent): Unit = call(Unit) {
        val (about, decision) = purpose.ordinal to consent.ordinal
        setConsent(it, app.rez.monitor.internal.Purpose.entries[about], app.rez.monitor.internal.Consent.entries[decision])
        setMapping()
    }

    /** Erases everything that was recorded so far, and makes a new id of the installation. */
    @JvmStatic
    public fun forgetUser(): Unit = call(Unit) {
        forgetUser(it)
        setMapping()
    }

    // Delivery

    /** Adds destinations, or replaces those of their names. `false`: a setting is wrong; the log names it. */
    @JvmStatic
    @JvmOverloads
    public fun addDestinations(from: AddFrom = AddFrom.OLDEST, configure: Destinations.() -> Unit): Boolean = attempt {
        val settings = json(mapOf("destinations" to Destinations().apply(configure).all))
        addDestinations(it, settings, app.rez.monitor.internal.AddFrom.entries[from.ordinal])
    }

    /** Removes a destination. Its events are kept for 7 days in case it is added again. */
    @JvmStatic
    public fun removeDestination(name: String): Unit = call(Unit) { removeDestination(it, name) }

    /** Pauses a destination, also over restarts: what is recorded meanwhile is never sent there. `false`: the name is invalid. */
    @JvmStatic
    public fun pauseDestination(name: String): Boolean = attempt { pauseDestination(it, name) }

    /** Ends the pause of a destination. `false`: the name is invalid. */
    @JvmStatic
    public fun resumeDestination(name: String): Boolean = attempt { resumeDestination(it, name) }

    /**
     * Stores everything recorded so far, then sends until nothing is left, a request fails or [timeout] ends. Does not block the
     * thread; cancelling the coroutine does not end the work, which ends with [timeout].
     */
    public suspend fun flush(timeout: Duration = 5.seconds): FlushReport = waiting("flush", NOT_STORED) { flushBlocking(timeout) }

    /** [flush] for a thread that may wait; never the main thread. */
    @JvmStatic
    @JvmOverloads
    public fun flushBlocking(timeout: Duration = 5.seconds): FlushReport = call(NOT_STORED) { handle ->
        val all = flush(handle, timeout.millis()).map {
            val held = it.held?.let { held -> Held(held.code, held.why, held.untilMs, held.failures.toInt()) }
            FlushedDestination(it.destination, it.delivered.toLong(), it.left.toLong(), held, it.text)
        }
        FlushReport(all, true)
    }

    private val NOT_STORED = FlushReport(emptyList(), false)

    /** Runs [work], which blocks, on a thread of its own; [or] is the answer if the system has no thread left. */
    private suspend fun <T> waiting(name: String, or: T, work: () -> T): T = suspendCoroutine { waiting ->
        try {
            thread(isDaemon = true, name = "rez-monitor-$name") { waiting.resume(work()) }
        } catch (reason: Throwable) {
            Log.once("$name could not be started: ${Log.text(reason)}")
            waiting.resume(or)
        }
    }

    /** Waits at most [timeout] until everything recorded so far is on the disk. Whether it is. Never on the main thread. */
    @JvmStatic
    @JvmOverloads
    public fun persist(timeout: Duration = 5.seconds): Boolean = attempt { persist(it, timeout.millis()) }

    /** The state of the engine: what is stored, what waits for which destination and why. */
    @JvmStatic
    public fun status(): Status = call(Status("", emptyList())) { Status(statusJson(it), statusLines(it)) }

    /**
     * The support code of the current session: six characters for the user to read to a tester or to support. It is the end of the
     * session's id. `null` without a session.
     */
    @JvmStatic
    public val supportCode: String?
        get() = call(null) { supportCode(it) }

    /** What became of an event. Waits at most [timeout]; `null` if that is too short, or [id] is no id. Never on the main thread. */
    @JvmStatic
    @JvmOverloads
    public fun why(id: String, timeout: Duration = 5.seconds): Fate? =
        call(null) { Fate(whyJson(it, id, timeout.millis())) }

    // The last crash

    /**
     * Whether the run before this one crashed, whatever reported it: an exception, a signal of native code, JavaScript, or the system
     * (`ApplicationExitInfo`, from API 30 on). A run that the system ended has not crashed. `null`: it is not known, because there was no
     * run before, nothing is open, or [timeout] is too short: the queue is read on a thread of the library. On API 30 and later, the answer
     * about a run that ended without a crash and without [close] waits for the system's list of exits.
     *
     * Does not block the thread; cancelling the coroutine does not end the work.
     */
    public suspend fun crashedLastRun(timeout: Duration = 5.seconds): Boolean? =
        waiting("last-run", null) { crashedLastRunBlocking(timeout) }

    /** [crashedLastRun] for a thread that may wait; never the main thread. */
    @JvmStatic
    @JvmOverloads
    public fun crashedLastRunBlocking(timeout: Duration = 5.seconds): Boolean? =
        ended(timeout)?.let { it.ended == RunEnd.CRASHED }

    /**
     * The crash of the run before this one; `null` if it has not crashed or that is not known. The event itself is in the queue and is
     * sent without this call.
     *
     * ```
     * lifecycleScope.launch {
     *     val crash = RezMonitor.lastCrash() ?: return@launch
     *     if ((crash.sinceStartMillis ?: Long.MAX_VALUE) < 5_000) startInSafeMode() else saySorry(crash.supportCode)
     * }
     * ```
     *
     * Threads and [timeout] as for [crashedLastRun].
     */
    public suspend fun lastCrash(timeout: Duration = 5.seconds): LastCrash? = waiting("last-run", null) { lastCrashBlocking(timeout) }

    /** [lastCrash] for a thread that may wait; never the main thread. An app in safe mode waits here before it loads anything. */
    @JvmStatic
    @JvmOverloads
    public fun lastCrashBlocking(timeout: Duration = 5.seconds): LastCrash? = ended(timeout)?.crash?.public()

    private fun ended(timeout: Duration): LastRun? {
        val begun = TimeSource.Monotonic.markNow()
        val engine = Recorder.engine ?: return null
        if (!engine.awaitReady(timeout.millis())) return null
        return engine.call(null) { ExitReports.lastRunOnceReported(it, (timeout - begun.elapsedNow()).millis()) }
    }

    /**
     * Ends the process as [kind] says, for a debug screen: the next start shows what becomes of the crash. Needs
     * [Settings.Builder.inspector], and crashes of native code are reported with [Settings.Builder.nativeCrashes] only. They are sent to
     * every destination.
     *
     * @return why the app goes on, in a sentence. Empty after [TestCrash.EXCEPTION], which the main thread throws a moment later. The
     * other kinds do not return.
     */
    @JvmStatic
    public fun testCrash(kind: TestCrash): String = Bridge.testCrash(kind.name.lowercase())

    /**
     * Answers a request of a debug screen: lists events, shows one, sends, marks a moment, lets requests fail. Request and answer are
     * JSON objects of `docs/guide/inspect.md`; what is wrong is in the answer. Needs [Settings.Builder.inspector]. Waits at most
     * [timeout]. Never on the main thread.
     */
    @JvmStatic
    @JvmOverloads
    public fun inspect(request: String, timeout: Duration = 5.seconds): String = Bridge.inspect(request, timeout.millis())

    /** The version of the library; empty if it cannot be loaded. */
    @JvmStatic
    public val version: String
        get() = call("") { version() }

    // Batches, for a layer in JavaScript

    /** Records a batch document (`docs/guide/batch.md`). `false`: at least one event was refused, and counted. */
    @JvmStatic
    public fun recordBatch(json: String): Boolean = Recorder.batch(json)

    /** Records a batch document whose last event ends the process. Waits for the disk at most [timeout]. */
    @JvmStatic
    @JvmOverloads
    public fun recordFatal(json: String, timeout: Duration = 500.milliseconds): Durability = Recorder.batchFatal(json, timeout)

    /** 16 random bytes from which such a layer makes ids of its own; empty if nothing is open. */
    @JvmStatic
    public fun idSeed(): ByteArray = call(ByteArray(0)) { idSeed(it) }

    private fun scoped(configure: (ScopedOptions.() -> Unit)?): ScopedOptions =
        if (configure == null) NO_OPTIONS else ScopedOptions().with(configure)

    private val NO_OPTIONS = ScopedOptions()
}
