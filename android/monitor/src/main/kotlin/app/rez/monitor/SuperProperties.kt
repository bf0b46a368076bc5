package app.rez.monitor

import app.rez.monitor.internal.Recorder
import app.rez.monitor.internal.attrs
import app.rez.monitor.internal.clearSuper
import app.rez.monitor.internal.setSuper
import app.rez.monitor.internal.unsetSuper

/** Properties that every later event of analytics, revenue, screen views and interactions carries: 64, together 8 KiB. */
public class SuperProperties internal constructor() {
    /** Sets properties. [targets]: only events with these targets carry them. */
    @JvmOverloads
    public fun register(properties: Map<String, Any?>, targets: List<String> = emptyList()): Unit = set(properties, false, targets)

    /** Sets those that have no value yet. */
    @JvmOverloads
    public fun registerOnce(properties: Map<String, Any?>, targets: List<String> = emptyList()): Unit =
        set(properties, true, targets)

    private fun set(properties: Map<String, Any?>, once: Boolean, targets: List<String>) {
        Recorder.engine?.call(Unit) { setSuper(it, attrs(properties), once, targets) }
    }

    /** Removes one. */
    public fun unregister(name: String) {
        Recorder.engine?.call(Unit) { unsetSuper(it, name) }
    }

    /** Removes all. */
    public fun clear() {
        Recorder.engine?.call(Unit) { clearSuper(it) }
    }
}
