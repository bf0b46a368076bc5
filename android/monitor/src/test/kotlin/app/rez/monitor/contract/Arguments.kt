package app.rez.monitor.contract

import app.rez.monitor.*
import com.fasterxml.jackson.databind.JsonNode
import kotlin.time.Duration
import kotlin.time.Duration.Companion.microseconds

/** The arguments of a call, from the JSON of a vector to the types of the API. */

val JsonNode.verb: String
    get() = this["do"].asText()

fun JsonNode.text(name: String): String? = this[name]?.takeIf { it.isTextual }?.asText()

fun JsonNode.long(name: String): Long? = this[name]?.takeIf { it.isIntegralNumber }?.asLong()

fun JsonNode.micros(name: String): Duration = this[name].asLong().microseconds

fun JsonNode.texts(name: String): List<String> = this[name]?.filter { it.isTextual }?.map { it.asText() }.orEmpty()

/** Members in ascending order of their names: most languages do not keep the order of a file. */
fun JsonNode.attrs(name: String): Map<String, Any?> = this[name]?.takeIf { it.isObject }?.members().orEmpty()

private fun JsonNode.members(): Map<String, Any?> = properties().associate { it.key to it.value.value() }.toSortedMap()

fun JsonNode.value(): Any? = when {
    isNull -> null
    isBoolean -> asBoolean()
    isIntegralNumber -> asLong()
    isNumber -> asDouble()
    isTextual -> asText()
    isArray -> map { it.value() }
    else -> members()
}

inline fun <reified T : Enum<T>> word(word: String): T = enumValueOf(word.uppercase())

inline fun <reified T : Enum<T>> wordOrNull(word: String?): T? = enumValues<T>().find { it.name.lowercase() == word }

fun JsonNode.level(): Level? = text("level")?.let { word<Level>(it) }

fun EventOptions.options(call: JsonNode) {
    targets = call.texts("targets")
    atMillis = call.long("at_ms")
    trace = call.text("traceparent")?.let { RezMonitor.newTrace(RezMonitor.fromTraceparent(it)!!) } ?: call["trace"]?.let {
        TraceContext.of(it.text("trace_id")!!, it.text("span_id")!!, it.text("parent"), it["sampled"]?.asBoolean())!!
    }
}

fun ScopedOptions.scope(call: JsonNode) {
    options(call)
    tags = call.attrs("tags")
    user = call["user"]?.takeIf { it.isObject }?.user()
    contexts = call.attrs("context")
    conditions = call["conditions"]?.let { Conditions().apply { read(it) } }
}

fun ErrorOptions.error(call: JsonNode) {
    scope(call)
    severity = wordOrNull<Severity>(call.text("severity")) ?: Severity.MEDIUM
    level = call.level()
    code = call.text("code")
    mechanism = call.text("mechanism")
    isHandled = call["handled"]?.asBoolean() ?: true
    fingerprint = call.text("fingerprint")?.let { listOf(it) } ?: call.texts("fingerprint")
    language = wordOrNull<Language>(call.text("language"))
    stack = call.text("stack")
    frames = call.frames()
    causes = call["causes"]?.map {
        ErrorCause(
            it.text("type").orEmpty(),
            it.text("message").orEmpty(),
            it.frames(),
            it.path("parent").asInt(),
            it.text("source") ?: "cause",
            it.path("group").asBoolean(),
        )
    }.orEmpty()
    isGroup = call.path("group").asBoolean()
    threads = call.threads()
}

fun JsonNode.frames(): List<StackFrame> = this["frames"]?.map {
    StackFrame(
        it.text("function").orEmpty(),
        it.text("module").orEmpty(),
        it.text("file").orEmpty(),
        it.path("line").asInt(),
        it.path("column").asInt(),
        it.path("in_app").asBoolean(),
        it.path("address").asLong(),
        wordOrNull<Language>(it.text("language")),
    )
}.orEmpty()

fun JsonNode.threads(): List<ThreadSnapshot> = this["threads"]?.map {
    val (crashed, main) = it.path("crashed").asBoolean() to it.path("main").asBoolean()
    ThreadSnapshot(it.path("id").asLong(), it.text("name").orEmpty(), crashed, main, it.frames())
}.orEmpty()

fun JsonNode.user(): User = User(text("id"), text("email"), text("username"), attrs("extra"))

/** A number that no `Long` holds is one that no device has. */
private fun JsonNode.bytes(name: String): Long? = this[name]?.takeIf { it.isNumber }?.asLong()

private fun JsonNode.flag(name: String): Boolean? = this[name]?.takeIf { it.isBoolean }?.asBoolean()

fun Conditions.read(json: JsonNode) {
    freeMemoryBytes = json.bytes("free_memory_bytes")
    freeStorageBytes = json.bytes("free_storage_bytes")
    battery = json["battery"]?.takeIf { it.isNumber }?.asDouble()
    isCharging = json.flag("charging")
    isLowPower = json.flag("low_power")
    orientation = wordOrNull<Orientation>(json.text("orientation"))
    connection = wordOrNull<Connection>(json.text("connection"))
    carrierTechnology = json.text("carrier_technology")?.let { word -> wordOrNull<CarrierTechnology>("g" + word.take(1)) }
        ?.takeIf { json.text("carrier_technology") in setOf("2g", "3g", "4g", "5g") }
    isMetered = json.flag("metered")
    isForeground = json.flag("foreground")
}

fun Facts.read(json: JsonNode) {
    manufacturer = json.text("manufacturer")
    brand = json.text("brand")
    model = json.text("model")
    family = json.text("family")
    architecture = json.text("architecture")
    memoryBytes = json.bytes("memory_bytes")
    storageBytes = json.bytes("storage_bytes")
    screenWidthPx = json.long("screen_width_px")?.toInt()
    screenHeightPx = json.long("screen_height_px")?.toInt()
    density = json["density"]?.takeIf { it.isNumber }?.asDouble()
    isEmulator = json.flag("emulator")
    isRooted = json.flag("rooted")
    locale = json.text("locale")
    timeZone = json.text("time_zone")
    osName = json.text("os_name")
    osVersion = json.text("os_version")
    osBuild = json.text("os_build")
    appVersion = json.text("app_version")
    appBuild = json.text("app_build")
    appId = json.text("app_id")
    installSource = json.text("install_source")
    startKind = json.text("start_kind")
    frameworkName = json["framework"]?.text("name")
    frameworkVersion = json["framework"]?.text("version")
}
