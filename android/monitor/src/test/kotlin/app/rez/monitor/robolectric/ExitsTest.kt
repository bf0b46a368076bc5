package app.rez.monitor.robolectric

import android.app.ActivityManager
import android.app.ApplicationExitInfo
import app.rez.monitor.*
import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.junit.Test
import org.robolectric.Shadows.shadowOf
import org.robolectric.shadows.ShadowActivityManager.ApplicationExitInfoBuilder

class ExitsTest : AndroidTest() {
    private fun exit(reason: Int, at: Long, process: String = application.packageName, trace: String? = null) {
        val info = ApplicationExitInfoBuilder.newBuilder()
            .setProcessName(process)
            .setReason(reason)
            .setTimestamp(at)
            .setDescription("said by the system")
            .setTraceInputStream(trace?.byteInputStream())
            .build()
        shadowOf(application.getSystemService(ActivityManager::class.java)).addApplicationExitInfo(info)
    }

    private fun imported() = rows("app_exit").map { it["json"]["cause"].asText() to it["wall_ms"].asLong() }

    @Test
    fun `the end of an earlier process is imported once, at its own time, and a crash of the language not at all`() {
        val now = System.currentTimeMillis()
        exit(ApplicationExitInfo.REASON_LOW_MEMORY, now - 90_000)
        start()
        settle()
        assertEquals("before the first start", emptyList<Any>(), imported())
        stop()
        exit(ApplicationExitInfo.REASON_ANR, now - 60_000, trace = "\"main\" prio=5\n  at a.B.c(B.kt:7)\n\n\"other\" prio=5\n")
        exit(ApplicationExitInfo.REASON_CRASH, now - 50_000)
        exit(ApplicationExitInfo.REASON_USER_REQUESTED, now - 40_000)
        exit(ApplicationExitInfo.REASON_CRASH_NATIVE, now - 30_000)
        exit(ApplicationExitInfo.REASON_ANR, now - 20_000, process = "${application.packageName}:other")
        repeat(2) {
            start()
            settle()
            assertEquals(listOf("anr" to now - 60_000, "native_crash" to now - 30_000), imported())
            stop()
        }
        start()
        val anr = rows("app_exit").first()["json"]
        assertEquals("said by the system", anr["message"].asText())
        assertTrue(anr["attrs"]["main_thread"].asText().contains("a.B.c"))
    }

    @Test
    fun `an exit is not imported while the disk cannot note that it was`() {
        start()
        settle()
        stop()
        val at = System.currentTimeMillis() - 60_000
        exit(ApplicationExitInfo.REASON_LOW_MEMORY, at)
        // A folder in the place of the file: it cannot be written.
        val blocked = folder.resolveSibling("${folder.name}-exits.new").also { assertTrue(it.mkdirs()) }
        repeat(2) {
            start()
            settle()
            assertEquals(emptyList<Any>(), imported())
            stop()
        }
        assertTrue(blocked.delete())
        repeat(2) {
            start()
            settle()
            assertEquals(listOf("low_memory" to at), imported())
            stop()
        }
    }

    @Test
    fun `the setting switches it off`() {
        start()
        settle()
        stop()
        exit(ApplicationExitInfo.REASON_LOW_MEMORY, System.currentTimeMillis())
        start { exits = false }
        settle()
        assertEquals(emptyList<Any>(), imported())
    }
}
