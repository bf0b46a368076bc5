package app.rez.monitor.robolectric

import android.content.Intent
import android.content.pm.ApplicationInfo
import app.rez.monitor.*
import app.rez.monitor.android.SnapshotReceiver
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertTrue
import org.junit.Test
import java.io.File

class SnapshotTest : AndroidTest() {
    private val copy: File
        get() = File(application.cacheDir, "rez-monitor-snapshot")

    private fun ask() {
        application.registerReceiver(SnapshotReceiver(), android.content.IntentFilter(SnapshotReceiver.ACTION))
        application.sendOrderedBroadcast(Intent(SnapshotReceiver.ACTION), null)
        settle()
    }

    @Test
    fun `a debuggable app gives a copy of its queue, and records on`() {
        application.applicationInfo.flags = application.applicationInfo.flags or ApplicationInfo.FLAG_DEBUGGABLE
        start()
        RezMonitor.captureError("Probe", "before")
        ask()
        waitUntil("the copy is there") { rows(copy)["rows"]?.size() == 1 }
        RezMonitor.captureError("Probe", "after")
        waitUntil("the engine records again") { rows("error").size == 2 }
        assertEquals("before", rows(copy)["rows"][0]["json"]["message"].asText())
    }

    @Test
    fun `an app of a store gives none`() {
        application.applicationInfo.flags = application.applicationInfo.flags and ApplicationInfo.FLAG_DEBUGGABLE.inv()
        assertTrue(start())
        ask()
        assertFalse(copy.exists())
    }
}
