package app.rez.monitor.contract

import app.rez.monitor.*
import com.fasterxml.jackson.databind.JsonNode
import java.io.ByteArrayInputStream
import java.util.zip.GZIPInputStream

/** A vendor: how the vectors configure it, and how it responds to a valid request. `tests/src/contract/destinations.rs` is the same. */
class Vendor(
    val name: String,
    val routes: Int,
    val add: Destinations.(JsonNode) -> Unit,
    val respond: (HttpRequest) -> Pair<Int, String>,
)

private val BOTH = setOf(Purpose.MONITORING, Purpose.ANALYTICS)

private fun JsonNode.flag(name: String): Boolean? = this[name]?.asBoolean()

private fun JsonNode.rate(name: String): Double? = this[name]?.asDouble()

private fun JsonNode.purposes() = if (flag("analytics") == true) BOTH else setOf(Purpose.MONITORING)

val VENDORS: List<Vendor> = listOf(
    Vendor("rez", 1, { rez("https://in.example.com", "write-key") { purposes = BOTH } }) { request ->
        val body = app.rez.monitor.JSON.readTree(plain(request))
        200 to """{"batch_id":${body["batch_id"]},"accepted":${body["events"].size()}}"""
    },
    Vendor("ga4", 1, { options ->
        val all: Destinations.Ga4.() -> Unit = {
            if (options.flag("all") == true) {
                purposes = BOTH
                apiCalls = true
            }
        }
        if (options.flag("app") == true) {
            val (firebase, instance) = "1:1234567890:android:321abc456def7890" to "0123456789abcdef0123456789abcdef"
            ga4App(firebase, instance, "s3cret", configure = all)
        } else {
            ga4Web("G-1A2B3C4D5E", "s3cret", configure = all)
        }
    }) { 204 to "" },
    Vendor("mixpanel", 3, { options ->
        mixpanel("T0K3N") {
            if (options.flag("all") == true) {
                purposes = BOTH
                errors = true
                interactions = true
                apiCalls = true
            }
        }
    }) { request ->
        if ("/import" in request.url) {
            200 to """{"code":200,"num_records_imported":${app.rez.monitor.JSON.readTree(plain(request)).size()},"status":"OK"}"""
        } else {
            200 to """{"error":null,"status":1}"""
        }
    },
    Vendor("sentry", 1, { options ->
        sentry("https://0123456789abcdef@o1.ingest.sentry.io/42") {
            tracesSampleRate = options.rate("traces_sample_rate")
            messagesAsLogs = options.flag("messages_as_logs")
            analyticsAsLogs = options.flag("analytics_as_logs")
        }
    }) { 200 to """{"id":"0123456789abcdef0123456789abcdef"}""" },
    Vendor("datadog", 2, { options ->
        datadog("0190f2aa-7c1e-7a53-9b0e-3b6a3f0d9c11", "pub-token") {
            purposes = options.purposes()
            forwardErrorsToLogs = options.flag("forward_errors_to_logs")
            maskUserInput = options.flag("mask_user_input")
            trackResources = options.flag("track_resources")
            sessionSampleRate = options.rate("session_sample_rate")
        }
    }) { 202 to "{}" },
    Vendor("otlp", 3, { options ->
        otlp("https://otlp.example.com") {
            tracesSampleRate = options.rate("traces_sample_rate")
            headers = mapOf("api-key" to "secret")
            purposes = options.purposes()
            breadcrumbs = options.flag("breadcrumbs")
            encoding = if (options.flag("json") == true) "json" else null
        }
    }) { 200 to """{"partialSuccess":{}}""" },
)

/** The body before compression. */
fun plain(request: HttpRequest): ByteArray =
    if (request.headers["Content-Encoding"] == "gzip") {
        GZIPInputStream(ByteArrayInputStream(request.body)).readBytes()
    } else {
        request.body
    }
