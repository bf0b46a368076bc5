package app.rez.monitor

import org.jetbrains.kotlin.abi.tools.AbiFilters
import org.jetbrains.kotlin.abi.tools.AbiTools
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import java.io.File

/** The public API, as an app sees it. `mvn test -Dtest=ApiTest -Drez.bless=1` writes `android/api/monitor.api` after a wanted change. */
class ApiTest {
    private val android = File(System.getProperty("rez.android"))
    private val classes = File(RezMonitor::class.java.protectionDomain.codeSource.location.toURI())

    private val dump = buildString {
        val files = classes.walk().filter { it.extension == "class" }.sortedBy { it.path }.toList()
        val filters = AbiFilters(emptySet(), setOf("app.rez.monitor.internal.**"), emptySet(), emptySet())
        AbiTools.getInstance(ApiTest::class.java.classLoader).printJvmDump(this, files, filters)
    }

    @Test
    fun `the public API is the one that is committed`() {
        val file = android.resolve("api/monitor.api")
        if (System.getProperty("rez.bless") == "1") file.writeText(dump)
        assertEquals(file.readText(), dump)
    }

    @Test
    fun `nothing that is generated is public`() {
        assertTrue("public final class app/rez/monitor/RezMonitor" in dump)
        assertFalse("app/rez/monitor/internal" in dump)
    }

    @Test
    fun `every public name has a comment`() {
        val sources = android.resolve("monitor/src/main/kotlin/app/rez/monitor").listFiles { file -> file.extension == "kt" }!!
        val declaration = Regex("^ *(?:@[A-Za-z]+ )*(?:override )?public (?!constructor)|^    [A-Z][A-Z_0-9]+,$")
        val without = sources.flatMap { file ->
            val lines = file.readLines()
            lines.indices.filter { declaration.containsMatchIn(lines[it]) && !isDocumented(lines, it) }
                .map { "${file.name}:${it + 1}: ${lines[it].trim()}" }
        }
        assertEquals(emptyList<String>(), without)
    }

    /** A comment before the annotations, or `@property` in the comment of the class. */
    private fun isDocumented(lines: List<String>, at: Int): Boolean {
        val before = (at - 1 downTo 0).first { !lines[it].trim().startsWith("@") }
        if (lines[before].trim().endsWith("*/")) return true
        val property = Regex("public val ([a-zA-Z]+): [^=]*( = .*)?,$").find(lines[at])?.groupValues?.get(1)
        val name = property ?: Regex("public companion object").find(lines[at])?.let { return true } ?: return false
        return (at downTo 0).any { lines[it].startsWith(" * @property $name ") }
    }
}
