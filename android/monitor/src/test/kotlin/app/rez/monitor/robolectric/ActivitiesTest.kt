package app.rez.monitor.robolectric

import android.os.Looper
import android.os.Process
import android.view.FrameMetrics
import android.view.View
import app.rez.monitor.*
import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.junit.Test
import org.robolectric.Robolectric
import org.robolectric.Shadows.shadowOf
import org.robolectric.android.controller.ActivityController
import org.robolectric.shadows.FrameMetricsBuilder
import org.robolectric.shadows.ShadowSystemClock
import org.robolectric.util.ReflectionHelpers
import java.time.Duration
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds

class ActivitiesTest : AndroidTest() {
    private fun processStartedNow() {
        ReflectionHelpers.setStaticField(Process::class.java, "sStartElapsedRealtime", android.os.SystemClock.elapsedRealtime())
    }

    /** Until the first frame, after this time on the main thread. */
    private fun show(after: Duration = Duration.ofMillis(250)): ActivityController<MainActivity> {
        val controller = Robolectric.buildActivity(MainActivity::class.java).create().start()
        ShadowSystemClock.advanceBy(after)
        controller.resume().visible()
        controller.get().window.decorView.viewTreeObserver.dispatchOnDraw()
        settle()
        return controller
    }

    private fun ActivityController<MainActivity>.leave() {
        pause().stop()
        settle()
    }

    @Test
    fun `the first activity of a new process is a cold start, and the next first one a warm start`() {
        processStartedNow()
        ShadowSystemClock.advanceBy(Duration.ofMillis(500))
        start()
        val first = show()
        first.leave()
        first.destroy()
        show(Duration.ofMillis(40))
        val starts = rows("app_start").map { it["json"]["type"].asText() to it["json"]["duration_us"].asLong() }
        assertEquals(listOf("cold", "warm"), starts.map { it.first })
        // Robolectric's clock stands still, but for what showing a window takes.
        assertTrue("$starts", starts[0].second in 750_000..1_000_000)
        assertTrue("$starts", starts[1].second in 40_000..290_000)
    }

    @Test
    fun `an activity that is opened from one that was there before the engine is no start`() {
        processStartedNow()
        val early = Robolectric.buildActivity(MainActivity::class.java).setup()
        start()
        ShadowSystemClock.advanceBy(Duration.ofSeconds(40))
        early.pause()
        val second = show()
        early.stop().destroy()
        assertEquals(0, rows("app_start").size)
        second.leave()
        second.destroy()
        show()
        assertEquals(listOf("warm"), rows("app_start").map { it["json"]["type"].asText() })
    }

    @Test
    fun `the first frame is seen on a system that forgets the listeners of a view without a window`() {
        start()
        val controller = Robolectric.buildActivity(MainActivity::class.java).create().start().resume()
        // As API 24 and 25 do when the view gets its window.
        ReflectionHelpers.setField(View::class.java, controller.get().window.decorView, "mFloatingTreeObserver", null)
        controller.visible()
        controller.get().window.decorView.viewTreeObserver.dispatchOnDraw()
        settle()
        assertEquals(1, rows("screen_load").size)
    }

    @Test
    fun `a start that takes longer than the maximum is not recorded`() {
        processStartedNow()
        start { appStartMax = 1.seconds }
        show(Duration.ofMillis(1_500))
        assertEquals(0, rows("app_start").size)
        assertEquals(1, rows("screen_load").size)
    }

    @Test
    fun `an activity is a screen load until its first frame, and the screen of later events`() {
        start()
        show()
        assertEquals(listOf("MainActivity"), rows("screen_load").map { it["json"]["name"].asText() })
        RezMonitor.captureError("Probe", "x")
        assertEquals("MainActivity", rows("error").last()["json"]["view"]["name"].asText())
        assertTrue("MainActivity" in breadcrumbs())
    }

    @Test
    fun `an activity that leaves before its first frame is no screen load`() {
        start()
        Robolectric.buildActivity(MainActivity::class.java).create().start().resume().pause().stop().destroy()
        settle()
        assertEquals(0, rows("screen_load").size)
    }

    @Test
    fun `settings switch off what they name`() {
        processStartedNow()
        start {
            appStart = false
            screens = false
            frames = false
        }
        show()
        assertEquals(0, rows().size)
    }

    @Test
    fun `the foreground is a session with its breadcrumbs`() {
        start { sessions = true }
        val activity = show()
        activity.leave()
        assertEquals(listOf("foreground", "MainActivity", "background"), breadcrumbs())
        assertEquals(false, conditions()["foreground"].asBoolean())
        assertTrue(rows("session").isNotEmpty())
    }

    @Test
    fun `an engine that is opened while an activity is in front notices that it leaves`() {
        val early = Robolectric.buildActivity(MainActivity::class.java).setup()
        start()
        val second = show()
        early.stop()
        settle()
        assertTrue(conditions()["foreground"].asBoolean())
        second.leave()
        assertEquals(false, conditions()["foreground"].asBoolean())
        assertEquals(listOf("foreground", "MainActivity", "background"), breadcrumbs())
    }

    @Test
    fun `slow and frozen frames are counted per visit of a screen`() {
        start()
        val activity = show()
        val window = shadowOf(activity.get().window)
        fun frame(millis: Long, isFirst: Boolean = false) = window.reportOnFrameMetricsAvailable(
            FrameMetricsBuilder()
                .setMetric(FrameMetrics.DRAW_DURATION, millis * 1_000_000)
                .setMetric(FrameMetrics.FIRST_DRAW_FRAME, if (isFirst) 1 else 0)
                .build(),
        )
        frame(900, isFirst = true)
        repeat(7) { frame(8) }
        repeat(2) { frame(20) }
        frame(701)
        activity.leave()
        val counts = rows("frames").single()["json"]
        val numbers = listOf("slow_frames", "frozen_frames", "total_frames").map { counts[it].asInt() }
        assertEquals("MainActivity" to listOf(2, 1, 10), counts["name"].asText() to numbers)
        // A visit without a frame is not recorded.
        activity.start().resume().pause()
        settle()
        assertEquals(1, rows("frames").size)
    }

    @Test
    fun `a main thread that does not respond is recorded once, with its stack and the others`() {
        start { hang = 100.milliseconds }
        Robolectric.buildActivity(MainActivity::class.java).create().start()
        waitUntil("the hang was recorded") { rows("hang").isNotEmpty() }
        val hang = rows("hang").single()["json"]
        assertTrue(hang["duration_us"].asLong() >= 100_000)
        assertTrue(hang["frames"].any { it["function"].asText() == "waitUntil" })
        assertTrue(hang["threads"].any { it["name"].asText() == "rez-monitor-host" })
        shadowOf(Looper.getMainLooper()).idle()
    }
}
