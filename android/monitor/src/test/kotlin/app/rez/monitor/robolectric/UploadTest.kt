package app.rez.monitor.robolectric

import android.app.job.JobInfo
import android.app.job.JobParameters
import android.app.job.JobScheduler
import app.rez.monitor.*
import app.rez.monitor.android.UploadService
import app.rez.monitor.contract.VENDORS
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertTrue
import org.junit.Test
import org.robolectric.Robolectric
import org.robolectric.Shadows.shadowOf
import org.robolectric.shadow.api.Shadow
import org.robolectric.shadows.ShadowApplication
import java.util.concurrent.ConcurrentLinkedQueue

class UploadTest : AndroidTest() {
    private val jobs: JobScheduler
        get() = application.getSystemService(JobScheduler::class.java)!!

    @Volatile
    private var isReachable = false
    private val sent = ConcurrentLinkedQueue<HttpRequest>()

    private fun open(configure: Settings.Builder.() -> Unit = {}) = start {
        transport = HttpTransport { request, call ->
            if (isReachable) {
                sent += request
                val (status, body) = VENDORS.first().respond(request)
                call.respond(status, mapOf("content-type" to "application/json"), body.toByteArray())
            } else {
                call.notSent("no network in this test")
            }
        }
        destinations { rez("https://in.example.com", "write-key") }
        configure()
    }

    private fun leave() {
        Robolectric.buildActivity(MainActivity::class.java).setup().pause().stop()
        settle()
    }

    @Test
    fun `what is left in the background is delivered by a job of the system`() {
        open()
        RezMonitor.captureError("Probe", "x")
        leave()
        val job = jobs.allPendingJobs.single()
        assertEquals(JobInfo.NETWORK_TYPE_ANY, job.networkType)
        assertTrue(job.minLatencyMillis > 0)
        isReachable = true
        // A job soon after a failed attempt makes none, and asks to be repeated.
        waitUntil("the job has delivered") {
            val service = Robolectric.buildService(UploadService::class.java).create().get()
            assertTrue(service.onStartJob(Shadow.newInstanceOf(JobParameters::class.java)))
            waitUntil("the job is finished") { shadowOf(service).isJobFinished }
            !shadowOf(service).isRescheduleNeeded
        }
        assertTrue(sent.isNotEmpty())
    }

    @Test
    fun `a job that leaves something is repeated later`() {
        open()
        RezMonitor.captureError("Probe", "x")
        val service = Robolectric.buildService(UploadService::class.java).create().get()
        assertTrue(service.onStartJob(Shadow.newInstanceOf(JobParameters::class.java)))
        waitUntil("the job is finished") { shadowOf(service).isJobFinished }
        assertTrue(shadowOf(service).isRescheduleNeeded)
        assertTrue(service.onStopJob(Shadow.newInstanceOf(JobParameters::class.java)))
    }

    @Test
    fun `the job is taken back when everything was delivered, and when the app returns to the foreground`() {
        open()
        isReachable = true
        RezMonitor.captureError("Probe", "x")
        leave()
        waitUntil("the job was taken back") {
            settle()
            jobs.allPendingJobs.isEmpty()
        }
        assertTrue(sent.isNotEmpty())
        isReachable = false
        RezMonitor.captureError("Probe", "y")
        leave()
        assertEquals(1, jobs.allPendingJobs.size)
        Robolectric.buildActivity(MainActivity::class.java).setup()
        settle()
        assertEquals(0, jobs.allPendingJobs.size)
    }

    @Test
    fun `a second process of the app neither schedules the job of the first nor takes it back`() {
        ShadowApplication.setProcessName("${application.packageName}:remote")
        try {
            open()
            RezMonitor.captureError("Probe", "x")
            leave()
            assertEquals(0, jobs.allPendingJobs.size)
            stop()
            ShadowApplication.setProcessName(application.packageName)
            open()
            RezMonitor.captureError("Probe", "x")
            leave()
            assertEquals(1, jobs.allPendingJobs.size)
            stop()
            ShadowApplication.setProcessName("${application.packageName}:remote")
            open()
            Robolectric.buildActivity(MainActivity::class.java).setup()
            settle()
            assertEquals(1, jobs.allPendingJobs.size)
        } finally {
            ShadowApplication.setProcessName(application.packageName)
        }
    }

    @Test
    fun `the job does nothing without an engine, and none is scheduled if the setting is off`() {
        val service = Robolectric.buildService(UploadService::class.java).create().get()
        assertFalse(service.onStartJob(Shadow.newInstanceOf(JobParameters::class.java)))
        open { backgroundUpload = false }
        leave()
        assertEquals(0, jobs.allPendingJobs.size)
    }
}
