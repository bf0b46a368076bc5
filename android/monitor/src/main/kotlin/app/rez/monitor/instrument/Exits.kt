package app.rez.monitor.instrument

import android.app.ActivityManager
import android.app.Application
import android.app.ApplicationExitInfo
import android.content.Context
import android.os.Build
import app.rez.monitor.RezMonitor
import app.rez.monitor.android.HostThread
import app.rez.monitor.android.guarded
import app.rez.monitor.android.processName
import app.rez.monitor.android.queueFolder
import java.io.File
import java.io.IOException

/**
 * Imports why the system ended earlier processes of this name, each once. From API 30 on; the system remembers 16. An uncaught exception
 * is not imported: it was recorded when it happened.
 */
internal class Exits(private val application: Application, host: HostThread) : AutoCloseable {
    /** The time of the last one that was imported. */
    private val mark: File = queueFolder(application).let { File(it.parentFile, "${it.name}-exits") }

    init {
        if (Build.VERSION.SDK_INT >= 30) host.post { import() }
    }

    private fun import() {
        val manager = application.getSystemService(Context.ACTIVITY_SERVICE) as? ActivityManager ?: return
        val last = if (mark.isFile) mark.readText().trim().toLongOrNull() else null
        val exits = manager.getHistoricalProcessExitReasons(application.packageName, 0, 0)
            .filter { it.processName == processName(application) }
            .sortedBy { it.timestamp }
        // An exit before the first start with this library says nothing about this release.
        val new = if (last == null) emptyList() else exits.filter { it.timestamp > last }
        val newest = exits.lastOrNull()?.timestamp ?: 0
        if (last == null || newest > last) note(newest)
        for (exit in new) record(exit)
    }

    /** Before the records: on a full disk every start would import the same exits. Throws if it cannot be noted. */
    private fun note(newest: Long) {
        val fresh = File(mark.parentFile, "${mark.name}.new")
        fresh.writeText(newest.toString())
        if (!fresh.renameTo(mark)) throw IOException("${mark.name} cannot be replaced")
    }

    private fun record(exit: ApplicationExitInfo) {
        val cause = CAUSES[exit.reason] ?: return
        val attributes = buildMap<String, Any?> {
            put("importance", exit.importance)
            put("status", exit.status)
            put("pss_kb", exit.pss)
            put("rss_kb", exit.rss)
            if (exit.reason == ApplicationExitInfo.REASON_ANR) trace(exit)?.let { put("main_thread", it) }
        }
        RezMonitor.captureAppExit(cause, exit.description.orEmpty(), attributes) { atMillis = exit.timestamp }
    }

    /** The stack of the main thread in the dump of all threads. That of a native crash is a binary tombstone, which is not read. */
    private fun trace(exit: ApplicationExitInfo): String? = guarded("the stack of an exit was not read", null) {
        val lines = exit.traceInputStream?.bufferedReader()?.use { reader ->
            reader.lineSequence().dropWhile { !it.startsWith("\"main\"") }.takeWhile { it.isNotBlank() }.take(LINES).toList()
        }
        lines?.joinToString("\n")?.ifEmpty { null }
    }

    override fun close() = Unit

    private companion object {
        const val LINES = 64

        /** Those that are a fault. The others are the user, the system at work, or an exception that was recorded. */
        val CAUSES: Map<Int, String> = mapOf(
            2 to "signaled",
            3 to "low_memory",
            5 to "native_crash",
            6 to "anr",
            7 to "initialization_failure",
            9 to "excessive_resource_usage",
        )
    }
}
