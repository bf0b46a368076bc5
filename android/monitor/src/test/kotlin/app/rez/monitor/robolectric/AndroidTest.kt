package app.rez.monitor.robolectric

import android.app.Application
import android.os.Looper
import app.rez.monitor.*
import app.rez.monitor.android.queueFolder
import app.rez.monitor.instrument.Instruments
import com.fasterxml.jackson.databind.JsonNode
import org.junit.After
import org.junit.Before
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment
import org.robolectric.Shadows.shadowOf
import org.robolectric.annotation.Config
import java.io.File
import java.util.concurrent.CountDownLatch
import java.util.concurrent.TimeUnit

/** A test with Android's framework, the real library and a real queue in the data folder of the app. */
@RunWith(RobolectricTestRunner::class)
@Config(sdk = [35], manifest = Config.NONE)
abstract class AndroidTest {
    protected val application: Application
        get() = RuntimeEnvironment.getApplication()

    protected val folder: File
        get() = queueFolder(application)

    private var handler: Thread.UncaughtExceptionHandler? = null

    @Before
    fun begin() {
        handler = Thread.getDefaultUncaughtExceptionHandler()
    }

    @After
    fun end() {
        Instruments.uninstall()
        RezMonitor.close()
        Thread.setDefaultUncaughtExceptionHandler(handler)
        folder.parentFile!!.deleteRecursively()
    }

    /** Everything is consented; sessions make rows of their own. */
    protected fun start(configure: Settings.Builder.() -> Unit = {}): Boolean = RezMonitor.init(application) {
        consentMonitoring = Consent.GRANTED
        consentAnalytics = Consent.GRANTED
        sessions = false
        configure()
    }

    /** Ends the process as far as the library can see. */
    protected fun stop() {
        Instruments.uninstall()
        RezMonitor.close()
    }

    /** Runs what waits for the main thread, and waits for what the host thread has to do. */
    protected fun settle() {
        shadowOf(Looper.getMainLooper()).idle()
        val done = CountDownLatch(1)
        Instruments.current!!.host.post { done.countDown() }
        check(done.await(LIMIT.inWholeSeconds, TimeUnit.SECONDS)) { "the host thread hangs" }
    }

    protected fun rows(kind: String? = null): List<JsonNode> {
        check(RezMonitor.persist(LIMIT))
        return rows(folder)["rows"]?.filter { kind == null || it["kind"].asText() == kind }.orEmpty()
    }

    /** The conditions that an error of this moment carries. */
    protected fun conditions(): JsonNode {
        settle()
        val id = RezMonitor.captureError("Probe", "what is known now").idOrNull
        return rows("error").single { it["id"].asText() == id }["json"].path("conditions")
    }

    /** The texts of the breadcrumbs that an error of this moment carries. */
    protected fun breadcrumbs(): List<String> {
        settle()
        val id = RezMonitor.captureError("Probe", "what happened before").idOrNull
        return rows("error").single { it["id"].asText() == id }["json"].path("trail").map { it["message"].asText() }
    }
}
