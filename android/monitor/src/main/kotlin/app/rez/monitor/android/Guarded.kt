package app.rez.monitor.android

import app.rez.monitor.internal.Log

/** Runs what the platform calls. An exception of ours must not reach the app: it is a sentence in the log, and [or] the answer. */
internal inline fun <T> guarded(what: String, or: T, work: () -> T): T = try {
    work()
} catch (reason: Throwable) {
    Log.once("$what: ${Log.text(reason)}")
    or
}

/** The same for work without an answer. */
internal inline fun guarded(what: String, work: () -> Unit) {
    guarded(what, Unit, work)
}
