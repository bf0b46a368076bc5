package app.rez.monitor

/** What a flush has done. */
public class FlushReport internal constructor(
    /** Per destination. Empty if nothing is open, or the time was too short to store everything. */
    public val destinations: List<FlushedDestination>,
    /** Whether everything that was recorded before is on the disk. */
    public val isStored: Boolean,
) {
    /** Whether nothing is left at any destination. */
    public val isComplete: Boolean
        get() = isStored && destinations.all { it.left == 0L }

    override fun toString(): String = if (isStored) destinations.joinToString() else "not stored in time"
}

/** What a flush has done for a destination. */
public class FlushedDestination internal constructor(
    /** Its configured name. */
    public val name: String,
    /** Events delivered. */
    public val delivered: Long,
    /** Events left. */
    public val left: Long,
    /** Why they wait; `null` if nothing holds them. */
    public val held: Held?,
    /** The same in one sentence. */
    public val text: String,
) {
    override fun toString(): String = text
}

/** Why events of a destination wait. */
public class Held internal constructor(
    /** One of the codes of `docs/guide/logger.md`: `unreachable`, `rate_limit`. */
    public val code: String,
    /** One sentence. */
    public val why: String,
    /** Until when, in milliseconds since 1970. `null`: until something happens. */
    public val untilMillis: Long?,
    /** Failed requests in a row. */
    public val failures: Int,
)

/** The state of the engine at one moment. */
public class Status internal constructor(
    /** In the form of `rezq status --json`; empty if nothing is open. */
    public val json: String,
    /** In sentences, for a developer. */
    public val lines: List<String>,
) {
    override fun toString(): String = lines.joinToString("\n")
}

/** What became of an event. */
public class Fate internal constructor(
    /** In the form of `rezq why --json`. */
    public val json: String,
) {
    override fun toString(): String = json
}

/** Durations that were recorded under one name in this run, in microseconds. */
public class DurationSummary internal constructor(
    /** `screen_<name>_load`, `api_<endpoint>`. */
    public val name: String,
    /** The last one. */
    public val lastMicros: Long,
    /** How many. */
    public val count: Long,
    /** Half of them are at most this long. */
    public val p50Micros: Long,
    /** 95 of 100 are at most this long. */
    public val p95Micros: Long,
    /** 99 of 100 are at most this long. */
    public val p99Micros: Long,
) {
    override fun toString(): String = "$name: $count, p50 $p50Micros us, p95 $p95Micros us, p99 $p99Micros us"
}
