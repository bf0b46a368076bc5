package app.rez.monitor.robolectric

import android.content.pm.ProviderInfo
import android.os.Bundle
import android.os.StrictMode
import app.rez.monitor.*
import app.rez.monitor.android.MonitorProvider
import app.rez.monitor.android.queueFolder
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertTrue
import org.junit.Test
import org.robolectric.Robolectric
import org.robolectric.Shadows.shadowOf
import org.robolectric.shadows.ShadowApplication
import java.io.File
import kotlin.concurrent.thread

class StartTest : AndroidTest() {
    private fun provide(vararg data: Pair<String, Any>) {
        val info = shadowOf(application.packageManager).getInternalMutablePackageInfo(application.packageName)
        info.versionName = "1.4.0"
        info.longVersionCode = 52
        info.applicationInfo!!.metaData = Bundle().apply {
            for ((name, value) in data) if (value is Boolean) putBoolean(name, value) else putString(name, value.toString())
        }
        Robolectric.buildContentProvider(MonitorProvider::class.java).create(ProviderInfo().apply { authority = "rez" })
    }

    @Test
    fun `the provider starts the engine with the settings of the manifest`() {
        provide(
            "app.rez.monitor.auto_start" to true,
            "app.rez.monitor.environment" to "staging",
            "app.rez.monitor.consent_monitoring" to "granted",
            "app.rez.monitor.sentry_dsn" to "https://key@o1.ingest.sentry.io/42",
        )
        assertTrue(RezMonitor.isInitialized)
        settle()
        RezMonitor.captureError("Probe", "x")
        check(RezMonitor.persist(LIMIT))
        val queue = rows(folder)
        val run = queue["runs"].last()
        assertEquals("org.robolectric.default@1.4.0+52", run["release"].asText())
        assertEquals("staging", run["environment"].asText())
        assertEquals(listOf("sentry"), JSON.readTree(RezMonitor.status().json)["routes"].map { it["destination"].asText() })
    }

    @Test
    fun `the provider starts nothing that the manifest does not ask for`() {
        provide("app.rez.monitor.sentry_dsn" to "https://key@o1.ingest.sentry.io/42")
        assertFalse(RezMonitor.isInitialized)
        assertFalse(folder.exists())
    }

    @Test
    fun `a wrong value in the manifest starts with the default, and a wrong setting starts nothing`() {
        provide("app.rez.monitor.auto_start" to true, "app.rez.monitor.hangs" to "perhaps")
        assertTrue(RezMonitor.isInitialized)
        stop()
        provide("app.rez.monitor.auto_start" to true, "app.rez.monitor.sentry_dsn" to "no address")
        assertFalse(RezMonitor.isInitialized)
    }

    @Test
    fun `a start by hand after the provider adds its destinations and keeps the rest`() {
        provide("app.rez.monitor.auto_start" to true, "app.rez.monitor.environment" to "first")
        assertFalse(start { environment = "second"; destinations { mixpanel("T0K3N") } })
        waitUntil("the destination was added") {
            JSON.readTree(RezMonitor.status().json)["routes"].any { it["destination"].asText() == "mixpanel" }
        }
        settle()
        RezMonitor.captureError("Probe", "x")
        check(RezMonitor.persist(LIMIT))
        assertEquals(listOf("first"), rows(folder)["runs"].map { it["environment"].asText() }.distinct())
    }

    @Test
    fun `the folder is in the folder without backup, and each process has its own`() {
        assertEquals(File(application.noBackupFilesDir, "rez-monitor"), folder)
        ShadowApplication.setProcessName("${application.packageName}:remote")
        try {
            assertEquals(File(application.noBackupFilesDir, "rez-monitor-remote"), queueFolder(application))
            assertTrue(start())
            assertTrue(RezMonitor.captureError("Probe", "in another process").isRecorded)
            assertEquals(1, rows("error").size)
        } finally {
            ShadowApplication.setProcessName(application.packageName)
        }
    }

    @Test
    fun `a start leaves the policy of StrictMode as it was`() {
        val before = StrictMode.getThreadPolicy()
        StrictMode.setThreadPolicy(StrictMode.ThreadPolicy.Builder().detectAll().penaltyDeath().build())
        try {
            val own = StrictMode.getThreadPolicy().toString()
            assertTrue(start())
            assertEquals(own, StrictMode.getThreadPolicy().toString())
        } finally {
            StrictMode.setThreadPolicy(before)
        }
    }

    @Test
    fun `a start on a background thread records like one on the main thread`() {
        var isOpened = false
        thread { isOpened = start() }.join(LIMIT.inWholeMilliseconds)
        assertTrue(isOpened)
        val activity = Robolectric.buildActivity(MainActivity::class.java).setup()
        activity.get().window.decorView.viewTreeObserver.dispatchOnDraw()
        settle()
        assertEquals(listOf("MainActivity"), rows("screen_load").map { it["json"]["name"].asText() })
    }

    @Test
    fun `a folder that cannot be used leaves the app working and the events in memory`() {
        folder.parentFile!!.mkdirs()
        folder.writeText("a file where the folder must be")
        assertTrue(start())
        settle()
        assertTrue(RezMonitor.captureError("Probe", "x").isRecorded)
        assertFalse(RezMonitor.persist(kotlin.time.Duration.ZERO))
    }

    @Test
    fun `the facts say what device and app it is`() {
        start()
        RezMonitor.captureError("Probe", "x")
        check(RezMonitor.persist(LIMIT))
        val facts = rows(folder)["runs"].last()["facts"]
        assertEquals("Android", facts["os_name"].asText())
        assertEquals("15", facts["os_version"].asText())
        assertEquals(application.packageName, facts["app_id"].asText())
        assertEquals(android.os.Build.MODEL, facts["model"].asText())
        assertEquals(java.util.TimeZone.getDefault().id, facts["time_zone"].asText())
        assertTrue(facts["screen_width_px"].asInt() > 0)
    }

    @Test
    fun `settings that throw start nothing`() {
        assertFalse(RezMonitor.init(application) { error("a fault of the app") })
        assertFalse(RezMonitor.isInitialized)
    }
}
