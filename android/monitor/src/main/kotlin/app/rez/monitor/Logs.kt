package app.rez.monitor

import app.rez.monitor.internal.LogEntry
import app.rez.monitor.internal.Recorder
import app.rez.monitor.internal.attrs
import app.rez.monitor.internal.common
import app.rez.monitor.internal.core
import app.rez.monitor.internal.log

/**
 * The log of the app. Entries below [Settings.Builder.logLevel] are refused.
 *
 * ```
 * RezMonitor.logger.info("cart loaded", mapOf("items" to 3))
 * ```
 */
public class Logs internal constructor(private val name: String?) {
    /** The same log under the name of a logger. */
    public fun named(logger: String): Logs = Logs(logger)

    /** Records an entry with [Level.TRACE]. */
    @JvmOverloads
    public fun trace(text: String, attributes: Map<String, Any?> = emptyMap()): Outcome = log(Level.TRACE, text, attributes)

    /** Records an entry with [Level.DEBUG]. */
    @JvmOverloads
    public fun debug(text: String, attributes: Map<String, Any?> = emptyMap()): Outcome = log(Level.DEBUG, text, attributes)

    /** Records an entry with [Level.INFO]. */
    @JvmOverloads
    public fun info(text: String, attributes: Map<String, Any?> = emptyMap()): Outcome = log(Level.INFO, text, attributes)

    /** Records an entry with [Level.WARNING]. */
    @JvmOverloads
    public fun warn(text: String, attributes: Map<String, Any?> = emptyMap()): Outcome = log(Level.WARNING, text, attributes)

    /** Records an entry with [Level.ERROR]. [RezMonitor.captureException] records an exception. */
    @JvmOverloads
    public fun error(text: String, attributes: Map<String, Any?> = emptyMap()): Outcome = log(Level.ERROR, text, attributes)

    /** Records an entry with [Level.FATAL]. */
    @JvmOverloads
    public fun fatal(text: String, attributes: Map<String, Any?> = emptyMap()): Outcome = log(Level.FATAL, text, attributes)

    /** Records an entry. */
    @JvmOverloads
    public fun log(
        level: Level,
        text: String,
        attributes: Map<String, Any?> = emptyMap(),
        configure: (EventOptions.() -> Unit)? = null,
    ): Outcome {
        val options = EventOptions().with(configure)
        return Recorder.submit(
            isFull = false,
            encode = {
                begin(7)
                u8(level.ordinal)
                text(text)
                text(4, name)
                common(attributes, options)
            },
            generated = {
                val entry = LogEntry(
                    level.core(), text, name, attrs(attributes), options.targets, options.trace?.core(), options.atMillis,
                )
                log(it, entry)
            },
        )
    }
}
