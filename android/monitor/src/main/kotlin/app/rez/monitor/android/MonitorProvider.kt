package app.rez.monitor.android

import android.content.ContentProvider
import android.content.ContentValues
import android.database.Cursor
import android.net.Uri
import app.rez.monitor.RezMonitor
import app.rez.monitor.init

/**
 * Starts the engine before `Application.onCreate`, if the manifest of the app asks for it:
 *
 * ```
 * <meta-data android:name="app.rez.monitor.auto_start" android:value="true" />
 * <meta-data android:name="app.rez.monitor.sentry_dsn" android:value="https://key@o1.ingest.sentry.io/42" />
 * ```
 *
 * `docs/guide/android.md` lists the names. The system makes it in the main process only; another process calls [RezMonitor.init].
 * It holds no data.
 */
public class MonitorProvider : ContentProvider() {
    override fun onCreate(): Boolean {
        guarded("the settings of the manifest were not read") {
            val context = context ?: return@guarded
            val settings = ManifestSettings.read(context) ?: return@guarded
            RezMonitor.init(context) { settings.applyTo(this) }
        }
        return true
    }

    override fun query(
        uri: Uri,
        projection: Array<out String>?,
        selection: String?,
        selectionArgs: Array<out String>?,
        sortOrder: String?,
    ): Cursor? = null

    override fun getType(uri: Uri): String? = null

    override fun insert(uri: Uri, values: ContentValues?): Uri? = null

    override fun delete(uri: Uri, selection: String?, selectionArgs: Array<out String>?): Int = 0

    override fun update(uri: Uri, values: ContentValues?, selection: String?, selectionArgs: Array<out String>?): Int = 0
}
