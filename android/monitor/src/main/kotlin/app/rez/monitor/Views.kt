package app.rez.monitor

import app.rez.monitor.internal.Recorder
import app.rez.monitor.internal.attrs
import app.rez.monitor.internal.public
import app.rez.monitor.internal.startView
import app.rez.monitor.internal.stopView
import app.rez.monitor.internal.viewAttributes
import app.rez.monitor.internal.viewTiming

/** Views that the app names itself, as with Datadog's `startView`. One at a time. */
public class Views internal constructor() {
    /** Starts a view, which ends the one before. [key] identifies it: `checkout/2`. */
    @JvmOverloads
    public fun start(key: String, name: String = key, attributes: Map<String, Any?> = emptyMap()): Outcome =
        Recorder.engine?.call(Recorder.CLOSED) { startView(it, key, name, attrs(attributes)).public() } ?: Recorder.CLOSED

    /** Ends it. */
    public fun stop(key: String): Outcome =
        Recorder.engine?.call(Recorder.CLOSED) { stopView(it, key).public() } ?: Recorder.CLOSED

    /** Measures from the start of the current view until now. At most 32 names. */
    public fun addTiming(name: String) {
        Recorder.engine?.call(Unit) { viewTiming(it, name) }
    }

    /** Adds attributes to the current view. At most 4 KiB. */
    public fun addAttributes(attributes: Map<String, Any?>) {
        Recorder.engine?.call(Unit) { viewAttributes(it, attrs(attributes)) }
    }
}
