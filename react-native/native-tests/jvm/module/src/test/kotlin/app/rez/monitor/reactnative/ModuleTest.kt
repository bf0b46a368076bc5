package app.rez.monitor.reactnative

import android.app.Application
import app.rez.monitor.RezMonitor
import com.facebook.react.bridge.BridgeReactContext
import com.facebook.react.bridge.PromiseImpl
import java.io.File
import java.util.concurrent.LinkedBlockingQueue
import java.util.concurrent.TimeUnit
import kotlin.time.Duration
import org.json.JSONObject
import org.junit.After
import org.junit.Assert.assertEquals
import org.junit.Before
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment
import org.robolectric.annotation.Config

/** A test of the module with Android's framework, React Native's classes and the real library. */
@RunWith(RobolectricTestRunner::class)
@Config(sdk = [35], manifest = Config.NONE)
abstract class ModuleTest {
    protected val application: Application
        get() = RuntimeEnvironment.getApplication()

    /** The folder without backup, which is of each test. */
    private val folder: File
        get() = File(application.applicationInfo.dataDir, "no_backup")

    protected val module: RezMonitorModule by lazy { newModule() }

    private var handler: Thread.UncaughtExceptionHandler? = null

    protected fun newModule() = RezMonitorModule(BridgeReactContext(application))

    @Before
    fun begin() {
        handler = Thread.getDefaultUncaughtExceptionHandler()
    }

    @After
    fun end() {
        // The sources of this application must not hear the next one.
        val instruments = Class.forName("app.rez.monitor.instrument.Instruments")
        val companion = instruments.getField("Companion").get(null)
        companion.javaClass.getMethod("uninstall").invoke(companion)
        RezMonitor.close(Duration.ZERO)
        Thread.setDefaultUncaughtExceptionHandler(handler)
        folder.deleteRecursively()
    }

    /** The answer of a method that returns a promise. */
    protected fun answer(call: (PromiseImpl) -> Unit): String {
        val answers = LinkedBlockingQueue<String>()
        call(PromiseImpl({ answers += it[0] as String }, { answers += "rejected: ${it.toList()}" }))
        return checkNotNull(answers.poll(LIMIT_MS, TimeUnit.MILLISECONDS)) { "the promise is not settled" }
    }

    protected fun open(settings: String = SETTINGS, facts: String = ""): JSONObject = JSONObject(module.open(settings, facts))

    protected fun persisted() = assertEquals("", answer { module.persist(LIMIT_MS.toDouble(), it) })

    /** The names of the destinations. The status has them later. */
    protected fun destinations(): List<String> {
        val flushed = JSONObject(answer { module.flush(LIMIT_MS.toDouble(), it) }).getJSONArray("destinations")
        return (0 until flushed.length()).map { flushed.getJSONObject(it).getString("destination") }
    }

    /** What is stored of the event [ID]; `null` if nothing is. */
    protected fun row(): JSONObject? {
        persisted()
        return JSONObject(answer { module.why(ID, LIMIT_MS.toDouble(), it) }).optJSONObject("row")
    }

    protected companion object {
        /** The machine may be busy. */
        const val LIMIT_MS = 60_000L

        const val SETTINGS = """{"release": "shop@1", "consentMonitoring": "granted", "consentAnalytics": "granted", "sessions": false}"""

        fun with(destinations: String) = SETTINGS.dropLast(1) + """, "destinations": [$destinations]}"""

        /** Nothing listens there. */
        fun team(name: String) = """{"name": "$name", "kind": "rez", "endpoint": "http://127.0.0.1:9", "key": "S3CRET"}"""

        fun error(id: String) = """{"v": 1, "items": [{"kind": "error", "id": "$id", "type": "PaymentError", "message": "declined"}]}"""

        const val ID = "019f0c1e-7c1e-7a53-9b0e-3b6a3f0d9c11"
    }
}
