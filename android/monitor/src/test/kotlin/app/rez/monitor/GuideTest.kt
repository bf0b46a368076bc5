package app.rez.monitor

import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import java.io.File

private val said = ArrayList<String>()

private fun startInSafeMode() = said.add("safe mode")

private fun saySorry(supportCode: String?) = said.add("sorry $supportCode")

// Shown in docs/guide/crashes.md.
suspend fun lookBack() {
    val crash = RezMonitor.lastCrash() ?: return
    if ((crash.sinceStartMillis ?: Long.MAX_VALUE) < 5_000) startInSafeMode() else saySorry(crash.supportCode)
}
// Until here.

/** The code of the guide about crashes is this file's, and does what the guide says. */
class GuideTest : EngineTest() {
    @Test
    fun `the guide shows the function that is compiled here`() {
        val android = File(System.getProperty("rez.android"))
        val shown = android.resolve("../docs/guide/crashes.md").readText().substringAfter("```kotlin\n").substringBefore("```")
        val source = android.resolve("monitor/src/test/kotlin/app/rez/monitor/GuideTest.kt").readText()
        assertEquals(source.substringAfter("crashes.md.\n").substringBefore("// Until here."), shown)
    }

    @Test
    fun `an app that has crashed right after its start begins in safe mode, and one that has not crashed is told nothing`() {
        realClock()
        said.clear()
        assertNull(runBlocking { RezMonitor.crashedLastRun(LIMIT) })
        assertNull(RezMonitor.lastCrashBlocking(LIMIT))
        for (expected in listOf(emptyList(), listOf("safe mode"))) {
            RezMonitor.init { basics(queue) }
            runBlocking { lookBack() }
            assertEquals(expected, said)
            RezMonitor.captureFatal(IllegalStateException("no cart"))
            RezMonitor.close()
        }
        RezMonitor.init { basics(queue) }
        assertEquals(true, runBlocking { RezMonitor.crashedLastRun(LIMIT) })
        val crash = RezMonitor.lastCrashBlocking(LIMIT)!!
        assertEquals("java.lang.IllegalStateException", crash.type)
        assertTrue(crash.id.length == 36 && crash.type in crash.toString())
    }
}
