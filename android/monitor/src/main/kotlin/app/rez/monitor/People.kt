package app.rez.monitor

import app.rez.monitor.internal.AttrValue
import app.rez.monitor.internal.Recorder
import app.rez.monitor.internal.attrValue
import app.rez.monitor.internal.people
import app.rez.monitor.internal.public
import app.rez.monitor.internal.People as Change

/** The profile of the user, at destinations that have profiles. Values are null, texts, numbers, booleans, lists and maps of them. */
public class People internal constructor() {
    /** Sets a property. */
    public fun set(name: String, value: Any?): Outcome = change { Change.Set(name, attrValue(value)) }

    /** Sets properties, one call of [set] for each. Those after a fault of the map itself are not set. */
    public fun set(properties: Map<String, Any?>) {
        Recorder.engine?.call(Unit) { for ((name, value) in properties) set(name, value) }
    }

    /** Sets a property that has no value yet. */
    public fun setOnce(name: String, value: Any?): Outcome = change { Change.SetOnce(name, attrValue(value)) }

    /** Removes a property. */
    public fun unset(name: String): Outcome = change { Change.Unset(name) }

    /** Adds to a number. */
    @JvmOverloads
    public fun increment(name: String, by: Double = 1.0): Outcome = change { Change.Increment(name, by) }

    /** Appends to a list. */
    public fun append(name: String, value: Any?): Outcome = change { Change.Append(name, attrValue(value)) }

    /** Adds to a list what is not in it. */
    public fun union(name: String, values: List<Any?>): Outcome =
        change { Change.Union(name, (attrValue(values) as AttrValue.List).values) }

    /** Removes an element of a list. */
    public fun remove(name: String, value: Any?): Outcome = change { Change.Remove(name, attrValue(value)) }

    /** Deletes the profile at the destinations. [RezMonitor.forgetUser] erases the device. */
    public fun deleteUser(): Outcome = change { Change.Delete }

    private inline fun change(change: () -> Change): Outcome =
        Recorder.engine?.call(Recorder.CLOSED) { people(it, change()).public() } ?: Recorder.CLOSED
}
