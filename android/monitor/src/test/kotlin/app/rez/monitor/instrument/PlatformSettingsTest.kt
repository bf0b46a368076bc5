package app.rez.monitor.instrument

import app.rez.monitor.Settings
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Test
import java.io.File
import kotlin.time.Duration

class PlatformSettingsTest {
    /** `| hang_ms | .. | 5000 on Android, 2000 on iOS | .. |` */
    private fun documented(): Map<String, String> {
        val guide = File(System.getProperty("rez.android"), "../docs/guide/configure.md").readLines()
        return guide.filter { it.startsWith("| `") }.map { it.split(" | ") }.filter { it.size == 4 }
            .associate { it[0].removePrefix("| ").trim('`') to it[2].substringBefore(' ').substringBefore(',') }
    }

    @Test
    fun `every default is the one that the guide documents for Android`() {
        val settings = PlatformSettings(Settings.Builder())
        val table = documented()
        val fields = PlatformSettings::class.java.declaredFields.filter { !it.isSynthetic }
        assertEquals(18, fields.size)
        for (field in fields) {
            field.isAccessible = true
            val snake = field.name.replace(Regex("[A-Z]")) { "_" + it.value.lowercase() }
            val (name, value) = when (val value = field.get(settings)) {
                // A duration is a `long` whose lowest bit is its unit.
                is Long -> duration(field.name, settings).let { time ->
                    if (snake == "slow_frame") "${snake}_us" to time.inWholeMicroseconds else "${snake}_ms" to time.inWholeMilliseconds
                }
                else -> snake to value
            }
            assertEquals(table[name], value.toString(), name)
        }
    }

    private fun duration(name: String, settings: PlatformSettings): Duration = when (name) {
        "hang" -> settings.hang
        "appStartMax" -> settings.appStartMax
        "screenMax" -> settings.screenMax
        "slowFrame" -> settings.slowFrame
        else -> settings.frozenFrame
    }
}
