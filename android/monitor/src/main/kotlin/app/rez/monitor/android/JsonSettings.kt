package app.rez.monitor.android

import android.content.Context
import app.rez.monitor.Facts
import app.rez.monitor.Settings
import app.rez.monitor.instrument.Exits
import app.rez.monitor.instrument.PlatformSettings
import app.rez.monitor.internal.Native
import app.rez.monitor.internal.json
import org.json.JSONObject

/** Settings and facts in JSON, completed with what Android knows. */
internal class JsonSettings(context: Context, settings: String, facts: String) {
    private val given = read(settings, "settings").plain().filterValues { it != null }
    private val known = Settings.Builder().apply {
        guarded("facts about the device are missing") { applyDefaults(context) }
        uncleanExits = Exits.uncleanExits(PlatformSettings(given).exits)
    }
    private val members: Map<String, Any?> = known.toMap() + given

    val settings: String = json(members)
    val platform: PlatformSettings = PlatformSettings(members)
    val facts: Facts = Facts().also { all ->
        known.facts { all.take(JSONObject(toMap())) }
        if (facts.isNotEmpty()) all.take(read(facts, "facts"))
    }

    /** Of an engine that hears the messages for a developer only if the settings ask for them. */
    fun build(): Settings {
        Native.check(settings)?.let { throw IllegalArgumentException(it) }
        val logger = if (members["debug"] == true) DeveloperLog.before(null) else null
        return Settings(settings, json(facts.toMap()), null, null, logger)
    }
}

/** Reads an object. The message of the parser has the text in it, and so the keys: it is not passed on. */
internal fun read(text: String, what: String): JSONObject = try {
    JSONObject(text)
} catch (_: Throwable) {
    throw IllegalArgumentException("$what: no JSON object")
}
