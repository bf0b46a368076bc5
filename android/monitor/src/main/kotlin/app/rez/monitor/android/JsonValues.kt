package app.rez.monitor.android

import app.rez.monitor.CarrierTechnology
import app.rez.monitor.Conditions
import app.rez.monitor.Connection
import app.rez.monitor.Facts
import app.rez.monitor.Orientation
import app.rez.monitor.TraceContext
import org.json.JSONArray
import org.json.JSONObject

/** Members of JSON objects as values of the face. What is absent, null or of another type is left out, as the engine does. */

internal fun JSONObject.plain(): Map<String, Any?> = keys().asSequence().associateWith { plain(get(it)) }

private fun plain(value: Any?): Any? = when (value) {
    is JSONObject -> value.plain()
    is JSONArray -> (0 until value.length()).map { plain(value[it]) }
    JSONObject.NULL -> null
    else -> value
}

private fun JSONObject.text(name: String): String? = opt(name) as? String

private fun JSONObject.number(name: String): Number? = opt(name) as? Number

private fun JSONObject.flag(name: String): Boolean? = opt(name) as? Boolean

/** Replaces the facts that the object has. */
internal fun Facts.take(from: JSONObject) {
    from.text("manufacturer")?.let { manufacturer = it }
    from.text("brand")?.let { brand = it }
    from.text("model")?.let { model = it }
    from.text("family")?.let { family = it }
    from.text("architecture")?.let { architecture = it }
    from.number("memory_bytes")?.let { memoryBytes = it.toLong() }
    from.number("storage_bytes")?.let { storageBytes = it.toLong() }
    from.number("screen_width_px")?.let { screenWidthPx = it.toInt() }
    from.number("screen_height_px")?.let { screenHeightPx = it.toInt() }
    from.number("density")?.let { density = it.toDouble() }
    from.flag("emulator")?.let { isEmulator = it }
    from.flag("rooted")?.let { isRooted = it }
    from.text("locale")?.let { locale = it }
    from.text("time_zone")?.let { timeZone = it }
    from.text("os_name")?.let { osName = it }
    from.text("os_version")?.let { osVersion = it }
    from.text("os_build")?.let { osBuild = it }
    from.text("app_version")?.let { appVersion = it }
    from.text("app_build")?.let { appBuild = it }
    from.text("app_id")?.let { appId = it }
    from.text("install_source")?.let { installSource = it }
    from.text("start_kind")?.let { startKind = it }
    val framework = from.optJSONObject("framework") ?: return
    framework.text("name")?.let { frameworkName = it }
    framework.text("version")?.let { frameworkVersion = it }
}

internal fun Conditions.take(from: JSONObject) {
    freeMemoryBytes = from.number("free_memory_bytes")?.toLong()
    freeStorageBytes = from.number("free_storage_bytes")?.toLong()
    battery = from.number("battery")?.toDouble()
    isCharging = from.flag("charging")
    isLowPower = from.flag("low_power")
    orientation = word<Orientation>(from.text("orientation"))
    connection = word<Connection>(from.text("connection"))
    carrierTechnology = from.text("carrier_technology")?.let { word<CarrierTechnology>("g${it.removeSuffix("g")}") }
    isMetered = from.flag("metered")
    isForeground = from.flag("foreground")
}

internal fun trace(from: JSONObject): TraceContext? =
    TraceContext.of(from.text("trace_id").orEmpty(), from.text("span_id").orEmpty(), from.text("parent"), from.flag("sampled"))

/** The entry of this name in lower case. */
internal inline fun <reified T : Enum<T>> word(name: String?): T? = enumValues<T>().find { it.name.lowercase() == name }
