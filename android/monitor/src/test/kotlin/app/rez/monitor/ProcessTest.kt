package app.rez.monitor

import app.rez.monitor.internal.ExitReason
import app.rez.monitor.internal.ExitReport
import app.rez.monitor.internal.ExitReports
import app.rez.monitor.internal.Recorder
import app.rez.monitor.internal.persist
import app.rez.monitor.internal.reportExits
import org.junit.jupiter.api.AfterEach
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import java.io.File
import kotlin.concurrent.thread
import kotlin.time.Duration.Companion.milliseconds

/** What needs a process of its own: a library that is missing or another one, a kill, the end of the machine, a second process. */
class ProcessTest {
    private val folder = newFolder()
    private val queue = folder.resolve("q")
    private val library = File(System.getProperty("app.rez.monitor.library"))

    @AfterEach
    fun close() {
        RezMonitor.close()
        folder.deleteRecursively()
    }

    private fun disabled(library: File, jna: File = library): String {
        val child = Child("record", queue, "app.rez.monitor.library" to library.path, JNA to jna.path)
        val (output, errors, code) = child.end()
        assertEquals("opened false, false, stored false" to 0, output to code) { errors }
        val own = errors.lines().filter { it.startsWith("rez-monitor: ") }
        assertTrue(own.isNotEmpty()) { errors }
        return own.first()
    }

    @Test
    fun `without the library nothing is recorded, and the log says so once`() {
        val line = disabled(folder.resolve("missing.so"))
        assertTrue(line.startsWith("rez-monitor: the library cannot be loaded, nothing is recorded: ")) { line }
    }

    @Test
    fun `with a file of another kind nothing is recorded`() {
        val text = folder.resolve("text.so").also { it.writeText("no library") }
        assertTrue("cannot be loaded" in disabled(text))
    }

    @Test
    fun `with a library of another version nothing is recorded`() {
        // `mov eax, 30; ret`: the version of the contract that the generated code expects.
        val bytes = library.readBytes()
        val old = byteArrayOf(0xb8.toByte(), 30, 0, 0, 0, 0xc3.toByte())
        val places = (0..bytes.size - old.size).filter { at -> old.indices.all { bytes[at + it] == old[it] } }
        assertTrue(places.isNotEmpty())
        places.forEach { bytes[it + 1] = 29 }
        val other = folder.resolve("other.so").also { it.writeBytes(bytes) }
        val child = Child("record", queue, "app.rez.monitor.library" to other.path, JNA to other.path)
        val (output, errors, code) = child.end()
        assertEquals(0, code)
        assertTrue("the library cannot be used, nothing is recorded: " in errors) { errors }
        assertTrue(output.endsWith("stored false")) { output }
    }

    @Test
    fun `the answer about a run that was killed waits for what the system says of it`() {
        realClock()
        val child = Child("until-killed", queue)
        assertTrue(child.process.inputStream.bufferedReader().readLine().isNotEmpty())
        child.process.destroyForcibly().waitFor()
        RezMonitor.init {
            basics(queue)
            uncleanExits = UncleanExits.AWAIT_REPORT
        }
        assertEquals(false, RezMonitor.crashedLastRunBlocking(LIMIT), "nobody tells anything")
        ExitReports.expect()
        assertEquals(false, RezMonitor.crashedLastRunBlocking(100.milliseconds), "nothing was told yet")
        val pid = child.process.pid().toUInt()
        thread {
            Recorder.engine!!.attempt { handle ->
                val exit = ExitReport(pid, System.currentTimeMillis(), ExitReason.NATIVE_CRASH, "said by the system", emptyList())
                reportExits(handle, listOf(exit))
                persist(handle, LIMIT.inWholeMilliseconds)
            }
            ExitReports.settle()
        }
        val crash = RezMonitor.lastCrashBlocking(LIMIT)!!
        assertEquals("native_crash" to "exit_report", crash.type to crash.mechanism)
        assertEquals(true, RezMonitor.crashedLastRunBlocking(LIMIT))
    }

    @Test
    fun `a desktop JVM searches the file for JNA, and Android leaves the search to the system`() {
        val path = arrayOf("java.library.path" to library.parent, "app.rez.monitor.library" to "", JNA to "")
        for ((machine, expected) in listOf("" to library.path, "Dalvik" to "null")) {
            val (output, errors, code) = Child("load", File(machine), *path).end()
            assertEquals("loaded true, JNA opens $expected" to 0, output to code) { errors }
        }
    }

    @Test
    fun `with two copies of the library every call uses the same one`() {
        val copy = library.copyTo(folder.resolve("copy.so"))
        val (output, errors, code) = Child("record", queue, JNA to copy.path).end()
        assertEquals("opened true, true, stored true" to 0, output to code) { errors }
        assertTrue("two copies of the library are loaded" in errors) { errors }
        // The engine of the first copy is closed before the second one opens the same folder.
        assertFalse(folder.resolve("q.1").exists())
        val names = rows(queue)["rows"].map { it["json"]["name"].asText() }
        assertEquals(listOf("one"), names)
    }

    @Test
    fun `events, guards and a crash are recorded while JNA is not loaded yet`() {
        // Opening a pipe waits for a writer, which never comes.
        val pipe = folder.resolve("pipe")
        assertEquals(0, ProcessBuilder("mkfifo", pipe.path).start().waitFor())
        val (output, errors, code) = Child("early", queue, JNA to pipe.path).end()
        assertEquals("opened true, true, true" to 0, output to code) { errors }
        check(RezMonitor.init { basics(queue) })
        check(RezMonitor.persist(LIMIT))
        val rows = rows(queue)["rows"].toList()
        assertEquals(listOf("api_call", "span", "analytics", "screen_load", "crash"), rows.map { it["kind"].asText() })
        assertEquals(listOf("Home"), rows.filter { it["kind"].asText() == "analytics" }.map { it["json"]["view"]["name"].asText() })
        assertTrue(rows[3]["json"].has("initial_us"))
    }

    @Test
    fun `what was recorded before a kill is there after it`() {
        val child = Child("until-killed", queue)
        val ids = ArrayList<String>()
        val reader = child.process.inputStream.bufferedReader()
        while (ids.size < 2_000) ids += reader.readLine()
        // By the handle: the process would also close its pipes.
        child.process.toHandle().destroyForcibly()
        reader.forEachLine { if (it.length == 36) ids += it }
        child.process.waitFor()
        check(RezMonitor.init { basics(queue) })
        check(RezMonitor.persist(LIMIT))
        val stored = rows(queue)["rows"].map { it["id"].asText() }.toSet()
        assertEquals(emptyList<String>(), ids.filter { it !in stored })
        assertEquals(stored.size, rows(queue)["rows"].size())
    }

    @Test
    fun `a machine that is shutting down records or does nothing`() {
        val (output, errors, code) = Child("shutdown", queue).end()
        assertEquals(0, code) { errors }
        assertTrue(output.startsWith("opened ")) { output + errors }
    }

    @Test
    fun `a second process uses the next folder`() {
        check(RezMonitor.init { basics(queue) })
        RezMonitor.logEvent("first process")
        check(RezMonitor.persist(LIMIT))
        val (output, errors, code) = Child("folder", queue).end()
        assertEquals(queue.path + ".1" to 0, output to code) { errors }
    }

    private companion object {
        const val JNA = "uniffi.component.rezmonitor.libraryOverride"
    }
}
