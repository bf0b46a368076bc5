package app.rez.monitor

/** The crash of the run before this one, from [RezMonitor.lastCrash]. */
public class LastCrash internal constructor(
    /** Id of its event, for [RezMonitor.why]. */
    public val id: String,
    /** `SIGSEGV`, `TypeError`, `java.lang.IllegalStateException`. */
    public val type: String,
    /** What reported it: `signal`, `exit_report`, `UncaughtExceptionHandler` .. */
    public val mechanism: String?,
    /** When it happened, in milliseconds since 1970. */
    public val atMillis: Long,
    /** Milliseconds from the start of its run. `null` if the clock was changed meanwhile. */
    public val sinceStartMillis: Long?,
    /** The support code of its session, for the user to read to support. `null` without a session. */
    public val supportCode: String?,
) {
    override fun toString(): String = listOfNotNull(type, mechanism, supportCode).joinToString()
}
