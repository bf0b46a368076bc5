package app.rez.monitor

import java.util.UUID

/** What became of an event when it was recorded. */
public sealed class Outcome {
    /** The event is on its way: it survives the process being killed. */
    public class Recorded internal constructor(private val high: Long, private val low: Long) : Outcome() {
        /** The id of the event, a UUID, as `rezq` and [RezMonitor.why] use it. */
        public val id: String
            get() = UUID(high, low).toString()

        override fun equals(other: Any?): Boolean = other is Recorded && high == other.high && low == other.low

        override fun hashCode(): Int = high.hashCode() * 31 + low.hashCode()

        override fun toString(): String = "Recorded($id)"
    }

    /** The event was refused. Once the engine is open, each refusal is counted by its reason. */
    public class Dropped internal constructor(
        /** One of the reasons of `docs/guide/reasons.md`: `consent`, `sampled`, `ring_full`. `store_unavailable`: nothing is open. */
        public val reason: String,
    ) : Outcome() {
        override fun equals(other: Any?): Boolean = other is Dropped && reason == other.reason

        override fun hashCode(): Int = reason.hashCode()

        override fun toString(): String = "Dropped($reason)"
    }

    /** The id of the event, or `null` if it was refused. */
    public val idOrNull: String?
        get() = (this as? Recorded)?.id

    /** Whether it was recorded. */
    public val isRecorded: Boolean
        get() = this is Recorded
}

/** Where the error that ends the process is. */
public enum class Durability {
    /** On the disk. */
    SYNCED,

    /** In memory that survives the process being killed, not a power failure. */
    IN_RING,

    /** Refused. */
    DROPPED,
}
