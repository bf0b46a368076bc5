package app.rez.monitor.instrument

import android.app.ActivityManager
import android.app.Application
import android.app.ApplicationExitInfo
import android.content.Context
import android.os.Build
import android.os.Debug
import app.rez.monitor.UncleanExits
import app.rez.monitor.android.HostThread
import app.rez.monitor.android.guarded
import app.rez.monitor.android.processName
import app.rez.monitor.android.queueFolder
import app.rez.monitor.internal.ExitReason
import app.rez.monitor.internal.ExitReport
import app.rez.monitor.internal.ExitReports
import app.rez.monitor.internal.Recorder
import app.rez.monitor.internal.attrs
import app.rez.monitor.internal.persist
import app.rez.monitor.internal.reportExits
import java.io.File
import java.io.IOException

/**
 * Tells the engine why the system ended earlier processes of this name, each exit once. From API 30 on; the system remembers 16. The engine
 * makes one event of an exit and of what it knows itself of the run.
 */
internal class Exits(private val application: Application, host: HostThread) : AutoCloseable {
    /** The time of the last one that the engine has stored. */
    private val mark: File = queueFolder(application).let { File(it.parentFile, "${it.name}-exits") }

    init {
        if (isSupported) {
            ExitReports.expect()
            host.post { guarded("the exits of earlier processes were not told") { tell() }.also { ExitReports.settle() } }
        }
    }

    private fun tell() {
        val known = guarded("the exits of earlier processes are not known", null) { known() }
        val last = guarded("the last exit that was told is not known", TELL_ALL) { marked() }
        // An exit before the first start with this library says nothing about this release.
        val new = known.orEmpty().filter { last != null && it.timestamp > last }
        if (!told(new.mapNotNull { report(it) }) || known == null) return
        val newest = known.lastOrNull()?.timestamp ?: 0
        if (newest != last) note(newest)
    }

    private fun known(): List<ApplicationExitInfo> {
        val manager = application.getSystemService(Context.ACTIVITY_SERVICE) as ActivityManager
        return manager.getHistoricalProcessExitReasons(application.packageName, 0, 0)
            .filter { it.processName == processName(application) }
            .sortedBy { it.timestamp }
    }

    /** Whether they are on the disk. Also an empty list is told: the engine waits for it. */
    private fun told(reports: List<ExitReport>): Boolean {
        var isRecorded = false
        val isDone = Recorder.engine?.attempt { handle ->
            isRecorded = reportExits(handle, reports)
            if (isRecorded && reports.isNotEmpty()) persist(handle, PERSIST_MS)
        }
        return isDone == true && isRecorded
    }

    /** `null`: the system itself does not know why. */
    private fun report(exit: ApplicationExitInfo): ExitReport? {
        val reason = REASONS[exit.reason] ?: return null
        val attributes = buildMap<String, Any?> {
            put("importance", exit.importance)
            put("status", exit.status)
            put("pss_kb", exit.pss)
            put("rss_kb", exit.rss)
            if (exit.reason == ApplicationExitInfo.REASON_ANR) trace(exit)?.let { put("main_thread", it) }
        }
        val pid = exit.pid.coerceAtLeast(0).toUInt()
        return ExitReport(pid, exit.timestamp, reason, exit.description.orEmpty(), attrs(attributes))
    }

    /** The stack of the main thread in the dump of all threads. That of a native crash is a binary tombstone, which is not read. */
    private fun trace(exit: ApplicationExitInfo): String? = guarded("the stack of an exit was not read", null) {
        val lines = exit.traceInputStream?.bufferedReader()?.use { reader ->
            reader.lineSequence().dropWhile { !it.startsWith("\"main\"") }.takeWhile { it.isNotBlank() }.take(LINES).toList()
        }
        lines?.joinToString("\n")?.ifEmpty { null }
    }

    /**
     * `null` before the first start. A mark that cannot be read, and one of a clock that was set back since, let all be told: the engine counts each
     * once.
     */
    private fun marked(): Long? {
        if (!mark.isFile) return null
        return mark.readText().trim().toLongOrNull()?.takeIf { it <= System.currentTimeMillis() } ?: TELL_ALL
    }

    /** After the engine has stored them: a process that dies before tells them again, and the engine counts each once. */
    private fun note(newest: Long) {
        val fresh = File(mark.parentFile, "${mark.name}.new")
        fresh.outputStream().use {
            it.write(newest.toString().toByteArray())
            it.fd.sync()
        }
        if (!fresh.renameTo(mark)) throw IOException("${mark.name} cannot be replaced")
    }

    override fun close() = ExitReports.settle()

    companion object {
        private const val LINES = 64
        private const val PERSIST_MS = 5_000L
        private const val TELL_ALL = Long.MIN_VALUE

        private val isSupported: Boolean
            get() = Build.VERSION.SDK_INT >= 30

        /** Those that are known: a fault, or the user, an update, the system at work. */
        private val REASONS: Map<Int, ExitReason> = mapOf(
            2 to ExitReason.SIGNALED,
            3 to ExitReason.LOW_MEMORY,
            4 to ExitReason.CRASH,
            5 to ExitReason.NATIVE_CRASH,
            6 to ExitReason.ANR,
            7 to ExitReason.INITIALIZATION_FAILURE,
            9 to ExitReason.EXCESSIVE_RESOURCE_USAGE,
        ) + listOf(1, 8, 10, 11, 12, 13, 14, 15, 16).associateWith { ExitReason.OTHER }

        /** The setting of the engine: with [isImported] it waits for what is told here. `null`: its default. */
        fun uncleanExits(isImported: Boolean, isDebugged: Boolean = isDebugged()): UncleanExits? = when {
            isDebugged -> UncleanExits.IGNORED
            isImported && isSupported -> UncleanExits.AWAIT_REPORT
            else -> null
        }

        private fun isDebugged() = Debug.isDebuggerConnected() || Debug.waitingForDebugger()
    }
}
