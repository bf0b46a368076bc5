package app.rez.monitor.android

import android.app.ActivityManager
import android.content.Context
import android.content.pm.ApplicationInfo
import android.content.pm.PackageInfo
import android.content.res.Configuration
import android.os.Build
import app.rez.monitor.Facts
import app.rez.monitor.Settings
import java.util.TimeZone

/** The settings that Android knows, and the facts. The app may replace each. */
internal fun Settings.Builder.applyDefaults(context: Context) {
    folder = queueFolder(context)
    app = context.packageName
    os = "Android ${Build.VERSION.RELEASE}"
    device = Build.MODEL
    debug = context.applicationInfo.flags and ApplicationInfo.FLAG_DEBUGGABLE != 0
    val info = packageInfo(context)
    if (info != null) {
        dist = build(info)
        release = "${context.packageName}@${info.versionName ?: "0"}+${build(info)}"
    }
    facts { read(context, info) }
}

/**
 * What holds for a run (`docs/guide/device.md`). Left out: `storage_bytes`, which reads the disk; `rooted`, which only guesses; `family`,
 * which Android has not.
 */
internal fun Facts.read(context: Context, info: PackageInfo? = packageInfo(context)) {
    manufacturer = Build.MANUFACTURER
    brand = Build.BRAND
    model = Build.MODEL
    architecture = Build.SUPPORTED_ABIS.firstOrNull()
    osName = "Android"
    osVersion = Build.VERSION.RELEASE
    osBuild = Build.DISPLAY
    isEmulator = isEmulator()
    memoryBytes = memory(context)?.totalMem
    val metrics = context.resources.displayMetrics
    screenWidthPx = metrics.widthPixels
    screenHeightPx = metrics.heightPixels
    density = metrics.density.toDouble()
    locale = locale(context.resources.configuration)
    timeZone = TimeZone.getDefault().id
    appId = context.packageName
    appVersion = info?.versionName
    appBuild = info?.let { build(it) }
    installSource = guarded("the source of the installation is not known", null) { installer(context) }
    startKind = if (isForegroundProcess()) "cold" else null
}

internal fun locale(configuration: Configuration): String = configuration.locales[0].toLanguageTag()

internal fun memory(context: Context): ActivityManager.MemoryInfo? {
    val manager = context.getSystemService(Context.ACTIVITY_SERVICE) as? ActivityManager ?: return null
    return ActivityManager.MemoryInfo().also { manager.getMemoryInfo(it) }
}

private fun packageInfo(context: Context): PackageInfo? = guarded("the version of the app is not known", null) {
    context.packageManager.getPackageInfo(context.packageName, 0)
}

private fun build(info: PackageInfo): String =
    @Suppress("DEPRECATION") if (Build.VERSION.SDK_INT >= 28) info.longVersionCode.toString() else info.versionCode.toString()

private fun installer(context: Context): String? = if (Build.VERSION.SDK_INT >= 30) {
    context.packageManager.getInstallSourceInfo(context.packageName).installingPackageName
} else {
    @Suppress("DEPRECATION") context.packageManager.getInstallerPackageName(context.packageName)
}

/** The names that the emulators of Android Studio give to the hardware. */
private fun isEmulator(): Boolean =
    Build.HARDWARE == "ranchu" || Build.HARDWARE == "goldfish" || Build.FINGERPRINT.startsWith("generic") ||
        Build.PRODUCT.startsWith("sdk_")
