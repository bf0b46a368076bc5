package app.rez.monitor

import app.rez.monitor.internal.Recorder
import app.rez.monitor.internal.TextPair
import app.rez.monitor.internal.Timing
import app.rez.monitor.internal.TimingKind
import app.rez.monitor.internal.attrs
import app.rez.monitor.internal.common
import app.rez.monitor.internal.core
import app.rez.monitor.internal.micros
import app.rez.monitor.internal.timing
import kotlin.time.Duration

/** How the app was started. */
public enum class AppStartKind {
    /** The process was started. */
    COLD,

    /** The process was there already. */
    WARM,
}

/** Call 1 of the hot record: a duration that the app has measured. */
internal fun record(
    kind: TimingKind,
    name: String,
    duration: Duration,
    method: String?,
    status: Int?,
    attributes: Map<String, Any?>,
    configure: (TimingOptions.() -> Unit)?,
): Outcome {
    val options = if (configure == null) NO_OPTIONS else TimingOptions().with(configure)
    return Recorder.submit(
        isFull = false,
        encode = {
            begin(1)
            u8(kind.ordinal)
            i64(duration.micros())
            text(name)
            text(4, method)
            if (status != null) {
                bit(5)
                u16(status.coerceIn(0, 0xffff))
            }
            val sent = options.requestBytes
            val received = options.responseBytes
            if (sent != null || received != null) {
                bit(6)
                i64((sent ?: 0).coerceAtLeast(0))
                i64((received ?: 0).coerceAtLeast(0))
            }
            text(7, options.error)
            text(8, options.endpoint)
            options.startedMillis?.let { at ->
                bit(9)
                i64(at)
            }
            options.initialDisplay?.let { initial ->
                bit(10)
                i64(initial.micros())
            }
            pairs(11, options.requestHeaders)
            pairs(12, options.responseHeaders)
            common(attributes, options)
        },
        generated = { timing(it, generated(kind, name, duration, method, status, attributes, options)) },
    )
}

private val NO_OPTIONS = TimingOptions()

private fun generated(
    kind: TimingKind,
    name: String,
    duration: Duration,
    method: String?,
    status: Int?,
    attributes: Map<String, Any?>,
    options: TimingOptions,
) = Timing(
    kind,
    name,
    duration.micros(),
    method,
    options.startedMillis,
    options.atMillis,
    options.initialDisplay?.micros(),
    status?.coerceIn(0, 0xffff)?.toUShort(),
    options.requestBytes,
    options.responseBytes,
    options.error,
    options.endpoint,
    options.requestHeaders.map { (key, value) -> TextPair(key, value) },
    options.responseHeaders.map { (key, value) -> TextPair(key, value) },
    options.trace?.core(),
    attrs(attributes),
    options.targets,
)
