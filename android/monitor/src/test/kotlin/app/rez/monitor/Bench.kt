package app.rez.monitor

import app.rez.monitor.internal.HotRecord
import app.rez.monitor.internal.Native
import app.rez.monitor.internal.Recorder
import org.junit.jupiter.api.Test
import java.io.File
import java.lang.management.ManagementFactory
import java.util.concurrent.TimeUnit
import kotlin.time.Duration.Companion.milliseconds

/**
 * `cargo xtask bench --kotlin`: the cost of calls, each in a process of its own under the compiler that a phone uses (C2), the one that it
 * starts with (C1), and none. Not run by `mvn test`.
 */
class Bench {
    @Test
    fun bench() {
        for ((name, option) in listOf("c2" to null, "c1" to "-XX:TieredStopAtLevel=1", "interpreter" to "-Xint")) {
            println(run("calls", name, option))
        }
        val starts = List(7) { run("start", "c2", null).split(' ').map { it.toDouble() } }
        for ((index, name) in listOf("kotlin_open_main_thread_ms", "kotlin_first_control_call_ms").withIndex()) {
            println("%-52s %8.2f ms".format(name, starts.map { it[index] }.sorted()[starts.size / 2]))
        }
    }

    private fun run(program: String, name: String, option: String?): String {
        val java = File(System.getProperty("java.home"), "bin/java").path
        val library = "app.rez.monitor.library"
        val command = listOfNotNull(
            java, option, "-D$library=${System.getProperty(library)}", "-cp", System.getProperty("java.class.path"),
            "app.rez.monitor.BenchKt", program, name,
        )
        val process = ProcessBuilder(command).redirectErrorStream(true).start()
        val output = process.inputStream.bufferedReader().readText().trim()
        check(process.waitFor(5, TimeUnit.MINUTES) && process.exitValue() == 0) { output }
        return output
    }
}

/** Fewer than the ring holds, so that no call is refused. */
private const val BURST = 1_500
private const val BATCH = 15
private const val CALLS = 300

/** A generated call takes a hundred times as long. */
private const val GENERATED_ROUNDS = 4
private val ATTRIBUTES = mapOf("cache" to "miss", "retries" to 1)

fun main(arguments: Array<String>) {
    val folder = newFolder()
    if (arguments[0] == "start") start(folder) else calls(folder, arguments[1])
    folder.deleteRecursively()
}

private fun start(folder: File) {
    val begin = System.nanoTime()
    check(RezMonitor.init { basics(folder.resolve("q")) })
    val opened = System.nanoTime()
    RezMonitor.setTag("store", "pune")
    val called = System.nanoTime()
    RezMonitor.close()
    println("${(opened - begin) / 1e6} ${(called - opened) / 1e6}")
}

private fun calls(folder: File, compiler: String) {
    fun line(name: String, rounds: Int = if (compiler == "interpreter") 4 else 60, call: () -> Outcome?) {
        repeat(rounds / 2) { burst(call) }
        val samples = (0 until rounds).flatMap { burst(call) }.sorted()
        val (p50, p99) = samples[samples.size / 2] to samples[samples.size * 99 / 100]
        println("%-52s %8.0f ns  p99 %8.0f ns  %5d bytes allocated".format("${name}_${compiler}_p50", p50, p99, allocated(call)))
    }
    val timing = {
        RezMonitor.trackApiCall("GET", "https://api.rezapp.com/bills/42", 120.milliseconds, 200, ATTRIBUTES)
    }
    check(RezMonitor.init { basics(folder.resolve("q")); capBytes = 1L shl 30 })
    // From here on JNA is loaded.
    RezMonitor.setTag("a", "b")
    line("kotlin_record_timing", call = timing)
    line("kotlin_breadcrumb") {
        RezMonitor.addBreadcrumb("Pay", "ui.click", ATTRIBUTES)
        null
    }
    val guard = { RezMonitor.trackScreenLoad("Home").finish() }
    line("kotlin_screen_load_guard", call = guard)
    Recorder.engine!!.recordBy(jni = false)
    line("kotlin_record_timing_generated", GENERATED_ROUNDS, timing)
    line("kotlin_screen_load_guard_generated", GENERATED_ROUNDS, guard)
    Recorder.engine!!.recordBy(jni = true)
    // With a byte too many, a record is encoded, crosses and is decoded, and the engine is not called.
    line("kotlin_crossing_and_codec") {
        val record = HotRecord.take()
        record.encodeTiming()
        record.u8(0)
        check(Native.submit(Recorder.engine!!.handle, record.bytes, record.size) == -1)
        record.release()
        null
    }
    line("kotlin_encode") {
        HotRecord.take().apply { encodeTiming() }.release()
        null
    }
    RezMonitor.close()
}

/** The record of `kotlin_record_timing`. */
private fun HotRecord.encodeTiming() {
    begin(1)
    u8(2)
    i64(120_000)
    text("https://api.rezapp.com/bills/42")
    text(4, "GET")
    bit(5)
    u16(200)
    attrs(3, ATTRIBUTES)
}

/** Nanoseconds per call, one value for each batch. */
private fun burst(call: () -> Outcome?): List<Double> {
    val times = ArrayList<Double>(BURST / BATCH)
    repeat(BURST / BATCH) {
        val begin = System.nanoTime()
        repeat(BATCH) { call() }
        times += (System.nanoTime() - begin) / BATCH.toDouble()
    }
    check(call() !is Outcome.Dropped)
    RezMonitor.persist(LIMIT)
    return times
}

private fun allocated(call: () -> Outcome?): Long {
    val threads = ManagementFactory.getThreadMXBean() as com.sun.management.ThreadMXBean
    val before = threads.currentThreadAllocatedBytes
    repeat(CALLS) { call() }
    return (threads.currentThreadAllocatedBytes - before) / CALLS
}
