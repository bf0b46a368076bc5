package app.rez.monitor.contract

import app.rez.monitor.*
import app.rez.monitor.testaccess.testAdvance
import com.fasterxml.jackson.databind.JsonNode
import kotlin.time.Duration
import kotlin.time.Duration.Companion.microseconds
import kotlin.time.Duration.Companion.milliseconds

/** Makes the calls of a vector through the public API. `tests/contract/README.md` lists them with their arguments. */
class Calls {
    private val screens = HashMap<String, ScreenLoad>()
    private val calls = HashMap<String, ApiCall>()
    private val spans = HashMap<String, Span>()
    private var last: String? = null

    fun make(call: JsonNode) {
        val outcome = if (call.verb in NO_EVENT) noEvent(call) else event(call)
        val refused = call.text("refused")
        when (outcome) {
            null -> Unit
            is Outcome.Recorded -> {
                check(refused == null) { "recorded, not $refused: $call" }
                last = outcome.id
            }
            is Outcome.Dropped -> check(outcome.reason == refused) { "$outcome: $call" }
        }
    }

    private fun event(call: JsonNode): Outcome? {
        val attributes = call.attrs("attrs")
        val scoped: ScopedOptions.() -> Unit = { scope(call) }
        return when (call.verb) {
            "timing" -> timing(call)
            "error" -> RezMonitor.captureError(call.text("type")!!, call.text("message")!!, attributes) { error(call) }
            "fatal" -> {
                val (type, message) = call.text("type")!! to call.text("message")!!
                val durability = RezMonitor.captureFatal(type, message, attributes, 500.milliseconds) { error(call) }
                check((durability == Durability.DROPPED) == call.has("refused")) { "$durability: $call" }
                null
            }
            "message" -> RezMonitor.captureMessage(call.text("text")!!, call.level() ?: Level.INFO, attributes, scoped)
            "track" -> RezMonitor.logEvent(call.text("name")!!, attributes, scoped.takeIf { call.size() > 2 })
            "screen_view" -> RezMonitor.logScreenView(call.text("name")!!, call.text("class"), attributes, scoped)
            "interaction" -> {
                RezMonitor.trackInteraction(call.text("action")!!, call.text("component")!!, attributes, scoped)
            }
            "frames" -> {
                val count = { name: String -> call.path(name).asInt() }
                RezMonitor.trackFrames(call.text("name")!!, count("slow"), count("frozen"), count("total"), attributes, scoped)
            }
            "hang" -> {
                val language = call.text("language")?.let { word<Language>(it) }
                RezMonitor.captureHang(call.micros("duration_us"), call.frames(), call.threads(), language, attributes, scoped)
            }
            "app_exit" -> RezMonitor.captureAppExit(call.text("cause")!!, call.text("message").orEmpty(), attributes, scoped)
            "revenue" -> RezMonitor.trackRevenue(
                call["amount"].asDouble(),
                call.text("currency").orEmpty(),
                call.text("transaction_id"),
                (call["items"]?.value() as List<*>?).orEmpty(),
                attributes,
                call.texts("targets"),
            )
            "people" -> people(call)
            "log" -> {
                val log = call.text("logger")?.let { RezMonitor.logger.named(it) } ?: RezMonitor.logger
                log.log(call.level() ?: Level.INFO, call.text("text")!!, attributes) { options(call) }
            }
            "metric" -> {
                val (name, value) = call.text("name")!! to call["value"].asDouble()
                when (call.text("type")) {
                    "counter" -> RezMonitor.metrics.count(name, value)
                    "gauge" -> RezMonitor.metrics.gauge(name, value)
                    else -> RezMonitor.metrics.distribution(name, value)
                }
            }
            "feedback" -> {
                val about = if (call.text("about") == "last") last else null
                RezMonitor.captureFeedback(call.text("message")!!, call.text("name"), call.text("email"), about)
            }
            "record_span" -> recordSpan(call, attributes)
            "start_view" -> RezMonitor.views.start(call.text("key")!!, call.text("name")!!, attributes)
            "stop_view" -> RezMonitor.views.stop(call.text("key")!!)
            "finish_screen" -> screens.remove(call.text("of"))!!.finish()
            "finish_call", "fail_call" -> {
                val ended = calls.remove(call.text("of"))!!
                ended.requestBytes(call.path("request_bytes").asLong())
                call.text("error")?.let { ended.fail(it) } ?: ended.finish(call["status"].asInt(), call.path("bytes").asLong())
            }
            "finish_span" -> spans.remove(call.text("of"))!!.finish()
            else -> error("unknown call $call")
        }
    }

    private fun timing(call: JsonNode): Outcome {
        val (duration, attributes) = call.micros("duration_us") to call.attrs("attrs")
        val configure: TimingOptions.() -> Unit = {
            options(call)
            startedMillis = call.long("started_ms")
            if (call.has("initial_us")) initialDisplay = call.micros("initial_us")
            if (call.has("request_bytes") && call.has("response_bytes")) {
                requestBytes = call.long("request_bytes")
                responseBytes = call.long("response_bytes")
            }
            error = call.text("error")
            endpoint = call.text("endpoint")
            requestHeaders = call.attrs("request_headers").mapValues { it.value as String }
            responseHeaders = call.attrs("response_headers").mapValues { it.value as String }
        }
        return when (call.text("kind")) {
            "screen_load" -> RezMonitor.trackScreenLoad(call.text("name")!!, duration, attributes, configure)
            "app_start" -> RezMonitor.trackAppStart(word(call.text("type")!!), duration, attributes, configure)
            "api_call" -> {
                val status = call["status"]?.asInt()
                RezMonitor.trackApiCall(call.text("method")!!, call.text("url")!!, duration, status, attributes, configure)
            }
            "image_load" -> RezMonitor.trackImageLoad(call.text("url")!!, duration, attributes, configure)
            else -> RezMonitor.trackLongTask(call.text("name")!!, duration, attributes, configure)
        }
    }

    private fun people(call: JsonNode): Outcome {
        val (name, value) = call.text("name").orEmpty() to call["value"]?.value()
        val people = RezMonitor.people
        return when (call.text("op")) {
            "set" -> people.set(name, value)
            "set_once" -> people.setOnce(name, value)
            "unset" -> people.unset(name)
            "append" -> people.append(name, value)
            "union" -> people.union(name, value as List<*>)
            "remove" -> people.remove(name, value)
            "increment" -> people.increment(name, call["by"].asDouble())
            else -> people.deleteUser()
        }
    }

    private fun recordSpan(call: JsonNode, attributes: Map<String, Any?>): Outcome {
        val status = call.text("status")?.let { word<SpanStatus>(it) } ?: SpanStatus.OK
        val duration = if (call.has("duration_us")) call.micros("duration_us") else Duration.ZERO
        val (start, end) = call.long("started_ms") to call.long("ended_ms")
        val (name, op) = call.text("name")!! to call.text("op")!!
        return RezMonitor.recordSpan(name, op, duration, status, start, end, attributes) { options(call) }
    }

    private fun noEvent(call: JsonNode): Outcome? {
        val name = call.text("name").orEmpty()
        when (call.verb) {
            "advance" -> testAdvance(call["ms"].asLong().toULong())
            "breadcrumb" -> RezMonitor.addBreadcrumb(
                call.text("message")!!,
                call.text("category")!!,
                call.attrs("data"),
                call.level() ?: Level.INFO,
                call.text("type") ?: "default",
                call.long("at_ms"),
            )
            "screen" -> screens[call.text("as")!!] = RezMonitor.trackScreenLoad(name)
            "initial_display" -> screens[call.text("of")]!!.initialDisplay()
            "full_display" -> screens[call.text("of")]!!.fullDisplay()
            "cancel_screen" -> screens.remove(call.text("of"))!!.cancel()
            "api_call" -> {
                calls[call.text("as")!!] = RezMonitor.trackApiCall(call.text("method")!!, call.text("url")!!, parent(call))
            }
            "span" -> {
                val within = spans[call.text("in")]
                val op = call.text("op")!!
                spans[call.text("as")!!] = within?.startChild(name, op) ?: RezMonitor.startSpan(name, op, parent(call))
            }
            "span_attr" -> spans[call.text("of")]!!.setAttribute(name, call["value"].value())
            "span_status" -> spans[call.text("of")]!!.setStatus(word(call.text("status")!!))
            "drop_span" -> spans.remove(call.text("of"))!!.cancel()
            "user" -> RezMonitor.setUser(if (call.path("clear").asBoolean()) null else call.user())
            "tag" -> RezMonitor.setTag(name, call.text("value"))
            "flag" -> RezMonitor.setFlag(name, call["value"].value())
            "context" -> RezMonitor.setContext(name, if (call.has("value")) call.attrs("value") else null)
            "super" -> {
                val (properties, targets) = call.attrs("attrs") to call.texts("targets")
                if (call.path("once").asBoolean()) {
                    RezMonitor.superProperties.registerOnce(properties, targets)
                } else {
                    RezMonitor.superProperties.register(properties, targets)
                }
            }
            "unset_super" -> RezMonitor.superProperties.unregister(name)
            "clear_super" -> RezMonitor.superProperties.clear()
            "time_event" -> RezMonitor.timeEvent(name)
            "view_timing" -> RezMonitor.views.addTiming(name)
            "view_attributes" -> RezMonitor.views.addAttributes(call.attrs("attrs"))
            "pause" -> check(RezMonitor.pauseDestination(name))
            "resume" -> check(RezMonitor.resumeDestination(name))
            "foreground" -> RezMonitor.host.setForeground(call["value"].asBoolean())
            "new_session" -> RezMonitor.host.newSession()
            "consent" -> RezMonitor.setConsent(word(call.text("purpose")!!), word(call.text("state")!!))
            "forget_user" -> RezMonitor.forgetUser()
            "facts" -> check(RezMonitor.host.setFacts { read(call["facts"]) })
            "set_release" -> check(RezMonitor.host.setRelease(call.text("release")!!, call.text("dist")))
            "conditions" -> RezMonitor.host.setConditions { call["conditions"]?.let { read(it) } }
        }
        return null
    }

    private fun parent(call: JsonNode): TraceContext? {
        call.text("traceparent")?.let { return RezMonitor.fromTraceparent(it)!! }
        val name = call.text("in") ?: return null
        return screens[name]?.trace ?: spans[name]?.trace ?: error("unknown span $name")
    }

    private companion object {
        val NO_EVENT = setOf(
            "advance", "breadcrumb", "screen", "initial_display", "full_display", "cancel_screen", "api_call", "span", "span_attr",
            "span_status", "drop_span", "user", "tag", "flag", "context", "super", "unset_super", "clear_super", "time_event",
            "view_timing", "view_attributes", "pause", "resume", "foreground", "new_session", "consent", "forget_user", "facts",
            "set_release", "conditions",
        )
    }
}
