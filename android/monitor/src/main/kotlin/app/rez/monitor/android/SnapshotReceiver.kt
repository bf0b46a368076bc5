package app.rez.monitor.android

import android.content.BroadcastReceiver
import android.content.Context
import android.content.Intent
import android.content.pm.ApplicationInfo
import app.rez.monitor.RezMonitor
import java.io.File
import kotlin.concurrent.thread

/**
 * Makes a copy of the queue for a developer's computer, in a debuggable build, on request of `adb`:
 *
 * ```
 * adb shell am broadcast -n <package>/app.rez.monitor.android.SnapshotReceiver -a app.rez.monitor.SNAPSHOT
 * ```
 *
 * The result is 1 and the folder of the copy, which `adb exec-out run-as <package>` can read; 0 if there is none. The manifest allows
 * only callers with the permission `DUMP`, which the shell has and apps have not.
 */
public class SnapshotReceiver : BroadcastReceiver() {
    override fun onReceive(context: Context, intent: Intent) {
        guarded("the snapshot was not made") {
            val isDebuggable = context.applicationInfo.flags and ApplicationInfo.FLAG_DEBUGGABLE != 0
            if (!isDebuggable || intent.action != ACTION || !RezMonitor.isInitialized) return@guarded
            val result = goAsync()
            thread(isDaemon = true, name = "rez-monitor-snapshot") {
                val copy = guarded("the snapshot was not made", null) { copy(context) }
                guarded("the end of the snapshot was not taken") {
                    result.setResult(if (copy == null) 0 else 1, copy?.path, null)
                    result.finish()
                }
            }
        }
    }

    /** The database is closed meanwhile: closing a file of an open one would release its locks. */
    private fun copy(context: Context): File {
        val to = File(context.cacheDir, "rez-monitor-snapshot")
        to.deleteRecursively()
        RezMonitor.host.suspendStorage()
        try {
            check(queueFolder(context).copyRecursively(to, overwrite = true))
        } finally {
            RezMonitor.host.resumeStorage()
        }
        return to
    }

    internal companion object {
        const val ACTION = "app.rez.monitor.SNAPSHOT"
    }
}
