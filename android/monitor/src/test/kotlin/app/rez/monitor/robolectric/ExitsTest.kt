package app.rez.monitor.robolectric

import android.app.ActivityManager
import android.app.ApplicationExitInfo
import android.os.Build
import app.rez.monitor.*
import app.rez.monitor.android.Bridge
import app.rez.monitor.android.JsonSettings
import app.rez.monitor.instrument.Exits
import com.fasterxml.jackson.databind.JsonNode
import java.io.File
import org.json.JSONObject
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertNull
import org.junit.Assert.assertThrows
import org.junit.Assert.assertTrue
import org.junit.Test
import org.robolectric.Shadows.shadowOf
import org.robolectric.shadows.ShadowActivityManager.ApplicationExitInfoBuilder
import org.robolectric.util.ReflectionHelpers

class ExitsTest : AndroidTest() {
    private val mark: File
        get() = folder.resolveSibling("${folder.name}-exits")

    /** All runs of a test have this process. */
    private val pid = ProcessHandle.current().pid().toInt()

    private fun exit(reason: Int, at: Long, process: String = application.packageName, trace: String? = null) {
        val info = ApplicationExitInfoBuilder.newBuilder()
            .setProcessName(process)
            .setPid(pid)
            .setReason(reason)
            .setTimestamp(at)
            .setDescription("said by the system")
            .setTraceInputStream(trace?.byteInputStream())
            .build()
        shadowOf(application.getSystemService(ActivityManager::class.java)).addApplicationExitInfo(info)
    }

    /** The first start, which sets the mark. */
    private fun install() {
        start()
        settle()
        stop()
    }

    /** Starts again, and returns what has become of exits. */
    private fun again(configure: Settings.Builder.() -> Unit = {}): List<Pair<String, Long>> {
        start(configure)
        settle()
        return imported().also { stop() }
    }

    private fun imported() = (rows("app_exit") + rows("crash")).sortedBy { it["wall_ms"].asLong() }
        .map { cause(it["json"]) to it["wall_ms"].asLong() }

    private fun cause(json: JsonNode) = json.path("cause").asText().ifEmpty { json["type"].asText() }

    @Test
    fun `exits of earlier processes are told once, at their own time, and those before the first start not at all`() {
        val now = System.currentTimeMillis()
        exit(ApplicationExitInfo.REASON_LOW_MEMORY, now - 90_000)
        assertEquals("before the first start", emptyList<Any>(), again())
        exit(ApplicationExitInfo.REASON_ANR, now - 60_000, trace = "\"main\" prio=5\n  at a.B.c(B.kt:7)\n\n\"other\" prio=5\n")
        exit(ApplicationExitInfo.REASON_USER_REQUESTED, now - 40_000)
        exit(ApplicationExitInfo.REASON_ANR, now - 20_000, process = "${application.packageName}:other")
        repeat(2) { assertEquals(listOf("anr" to now - 60_000), again()) }
        start()
        val anr = rows("app_exit").first()["json"]
        assertEquals("said by the system", anr["message"].asText())
        assertTrue(anr["attrs"]["main_thread"].asText().contains("a.B.c"))
    }

    @Test
    fun `every reason of the system that is a fault has its cause, and the others are no event`() {
        install()
        val causes = mapOf(
            2 to "signaled", 3 to "low_memory", 4 to "crash", 5 to "native_crash", 6 to "anr",
            7 to "initialization_failure", 9 to "excessive_resource_usage",
        )
        val expected = mutableListOf<Pair<String, Long>>()
        var last = 0L
        // 99: of a system that is newer than this library. Each is the exit of the run of the one before.
        for (reason in (0..16) + 99) {
            val at = maxOf(System.currentTimeMillis(), last + 1).also { last = it }
            exit(reason, at)
            causes[reason]?.let { expected += it to at }
            assertEquals(expected, again())
        }
    }

    @Test
    fun `a process that dies before it has moved the mark leaves one event, which the next one does not repeat`() {
        install()
        val before = mark.readText()
        val at = System.currentTimeMillis() - 60_000
        exit(ApplicationExitInfo.REASON_LOW_MEMORY, at)
        repeat(3) {
            assertEquals(listOf("low_memory" to at), again())
            assertEquals("the mark moves after the record", at.toString(), mark.readText())
            mark.writeText(before)
        }
    }

    @Test
    fun `a mark that is damaged or ahead of the clock lets all exits be told, each once`() {
        install()
        val at = System.currentTimeMillis() - 60_000
        exit(ApplicationExitInfo.REASON_LOW_MEMORY, at)
        for (text in listOf("", "x", "${Long.MAX_VALUE}")) {
            mark.writeText(text)
            assertEquals(text, listOf("low_memory" to at), again())
            assertEquals(at.toString(), mark.readText())
        }
    }

    @Test
    fun `a mark that cannot be written loses no exit and repeats none`() {
        install()
        val at = System.currentTimeMillis() - 60_000
        exit(ApplicationExitInfo.REASON_LOW_MEMORY, at)
        // A folder in the place of the file: it cannot be written.
        val blocked = folder.resolveSibling("${mark.name}.new").also { assertTrue(it.mkdirs()) }
        repeat(2) { assertEquals(listOf("low_memory" to at), again()) }
        assertTrue(blocked.delete())
        repeat(2) { assertEquals(listOf("low_memory" to at), again()) }
        assertEquals(at.toString(), mark.readText())
    }

    @Test
    fun `an exception that was recorded and the exit after it are one crash`() {
        install()
        start()
        settle()
        RezMonitor.captureFatal(IllegalStateException("no cart"))
        stop()
        exit(ApplicationExitInfo.REASON_CRASH, System.currentTimeMillis())
        start()
        settle()
        assertEquals(listOf("java.lang.IllegalStateException"), rows("crash").map { it["json"]["type"].asText() })
        assertEquals(emptyList<Any>(), rows("app_exit"))
        val crash = RezMonitor.lastCrashBlocking(LIMIT)!!
        assertEquals("java.lang.IllegalStateException", crash.type)
        assertEquals(rows("crash").single()["id"].asText(), crash.id)
        assertEquals(true, RezMonitor.crashedLastRunBlocking(LIMIT))
    }

    @Test
    fun `the setting switches it off`() {
        install()
        exit(ApplicationExitInfo.REASON_LOW_MEMORY, System.currentTimeMillis())
        assertEquals(emptyList<Any>(), again { exits = false })
    }

    @Test
    fun `the engine waits for exits only where they are told`() {
        assertEquals(UncleanExits.AWAIT_REPORT, Exits.uncleanExits(isImported = true))
        assertNull(Exits.uncleanExits(isImported = false))
        assertEquals(UncleanExits.IGNORED, Exits.uncleanExits(isImported = true, isDebugged = true))
        assertEquals("await_report", JSONObject(JsonSettings(application, "{}", "").settings)["uncleanExits"])
        val ignored = JsonSettings(application, """{"uncleanExits": "ignored"}""", "").settings
        assertEquals("ignored", JSONObject(ignored)["uncleanExits"])
        assertFalse(JSONObject(JsonSettings(application, """{"exits": false}""", "").settings).has("uncleanExits"))
    }

    @Test
    fun `before API 30 nothing is told and nothing is waited for`() {
        val level = Build.VERSION.SDK_INT
        ReflectionHelpers.setStaticField(Build.VERSION::class.java, "SDK_INT", 29)
        try {
            assertNull(Exits.uncleanExits(isImported = true))
            assertEquals(emptyList<Any>(), again())
            assertFalse(mark.exists())
        } finally {
            ReflectionHelpers.setStaticField(Build.VERSION::class.java, "SDK_INT", level)
        }
    }

    @Test
    fun `a test crash needs the inspector, and an exception is thrown on the main thread`() {
        assertTrue("not open" in RezMonitor.testCrash(TestCrash.FAULT))
        start { inspector = false }
        for (kind in TestCrash.entries) assertTrue("`inspector`" in RezMonitor.testCrash(kind))
        stop()
        start { inspector = true }
        assertTrue("fault, abort or panic" in Bridge.testCrash("ask"))
        assertEquals("", RezMonitor.testCrash(TestCrash.EXCEPTION))
        val thrown = assertThrows(IllegalStateException::class.java) { settle() }
        assertTrue("test crash" in thrown.message!!)
    }

    @Test
    fun `before the first start nothing is known of a last crash, and after a clean run there is none`() {
        assertNull(RezMonitor.crashedLastRunBlocking(LIMIT))
        start()
        settle()
        assertNull("no run before", RezMonitor.crashedLastRunBlocking(LIMIT))
        stop()
        start()
        settle()
        assertEquals(false, RezMonitor.crashedLastRunBlocking(LIMIT))
        assertNull(RezMonitor.lastCrashBlocking(LIMIT))
    }
}
