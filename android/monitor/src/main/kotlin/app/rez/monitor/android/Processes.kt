package app.rez.monitor.android

import android.app.ActivityManager
import android.app.Application
import android.content.Context
import android.os.Build
import java.io.File

/** The name of this process: the package, or `package:name` for another process of the app. */
internal fun processName(context: Context): String {
    val known = if (Build.VERSION.SDK_INT >= 28) Application.getProcessName() else processNameBefore28()
    return known?.ifEmpty { null } ?: context.packageName
}

/** What `Application.getProcessName` returns since API 28. The hidden function is there since API 18. */
private fun processNameBefore28(): String? = guarded("the name of the process is not known", null) {
    Class.forName("android.app.ActivityThread").getMethod("currentProcessName").invoke(null) as? String
}

/**
 * The folder of the queue: in `noBackupFilesDir`, one per process. The path is put together here because `Context.getNoBackupFilesDir`
 * reads the disk, which StrictMode reports on the main thread.
 */
internal fun queueFolder(context: Context): File {
    val process = processName(context)
    val suffix = process.removePrefix(context.packageName).filter { it.isLetterOrDigit() || it in "._-" }
    val name = if (suffix.isEmpty()) "rez-monitor" else "rez-monitor-$suffix"
    return File(File(context.applicationInfo.dataDir, "no_backup"), name)
}

/** Whether the process was started for something that the user sees. One call to the system, no file. */
internal fun isForegroundProcess(): Boolean = guarded("the importance of the process is not known", false) {
    val state = ActivityManager.RunningAppProcessInfo()
    ActivityManager.getMyMemoryState(state)
    state.importance == ActivityManager.RunningAppProcessInfo.IMPORTANCE_FOREGROUND
}
