package app.rez.monitor

import app.rez.monitor.testaccess.testClock
import app.rez.monitor.testaccess.testRows
import com.fasterxml.jackson.databind.JsonNode
import com.fasterxml.jackson.databind.ObjectMapper
import org.junit.jupiter.api.AfterEach
import java.io.File
import java.nio.file.Files
import kotlin.time.Duration
import kotlin.time.Duration.Companion.seconds

val JSON: ObjectMapper = ObjectMapper()

/** The limit of every wait. The machine may be busy. */
val LIMIT: Duration = 60.seconds

fun newFolder(): File = Files.createTempDirectory("rez-kotlin").toFile().also { it.deleteOnExit() }

/** Tests with an engine, which each closes, in a folder of their own. */
abstract class EngineTest {
    protected val folder: File = newFolder()
    protected val queue: File = folder.resolve("q")

    @AfterEach
    fun close() {
        RezMonitor.close()
        folder.deleteRecursively()
    }
}

/** The rows and runs of a queue. */
fun rows(folder: File): JsonNode = JSON.readTree(testRows(folder.path).ifEmpty { "{}" })

fun realClock() = testClock(null, 0)

/** Settings of a test: everything consented, no sessions. */
fun Settings.Builder.basics(folder: File) {
    this.folder = folder
    app = "shop"
    release = "shop@1"
    consentMonitoring = Consent.GRANTED
    consentAnalytics = Consent.GRANTED
    sessions = false
}

/** Opens an engine, runs [use], persists and returns the rows. */
fun rowsOf(configure: Settings.Builder.() -> Unit = {}, use: (File) -> Unit): List<JsonNode> {
    val folder = newFolder()
    check(RezMonitor.init { basics(folder.resolve("q")); configure() })
    try {
        use(folder.resolve("q"))
        check(RezMonitor.persist(LIMIT))
        return rows(folder.resolve("q"))["rows"].toList()
    } finally {
        RezMonitor.close()
        folder.deleteRecursively()
    }
}

/** Waits until a condition holds. */
fun waitUntil(what: String, condition: () -> Boolean) {
    val end = System.nanoTime() + LIMIT.inWholeNanoseconds
    while (!condition()) {
        check(System.nanoTime() < end) { "did not happen: $what" }
        Thread.sleep(2)
    }
}
