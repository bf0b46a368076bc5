package app.rez.monitor.internal

import app.rez.monitor.ErrorCause
import app.rez.monitor.ErrorOptions
import app.rez.monitor.ScopedOptions
import app.rez.monitor.StackFrame
import app.rez.monitor.ThreadSnapshot
import app.rez.monitor.Conditions as PublicConditions
import app.rez.monitor.Durability as PublicDurability
import app.rez.monitor.Outcome as PublicOutcome
import app.rez.monitor.TraceContext as PublicTrace
import app.rez.monitor.User as PublicUser
import java.util.UUID
import kotlin.time.Duration

/** From the types of the face to the generated ones, and back. Enumerations have the same entries in the same order. */

internal fun PublicTrace.core(): TraceContext = TraceContext(traceId, spanId, parentSpanId, isSampled)

internal fun TraceContext.public(): PublicTrace? = PublicTrace.of(traceId, spanId, parent, sampled)

internal fun PublicUser.core(): User = User(id, email, username, attrs(properties))

internal fun PublicConditions.core(): Conditions = Conditions(
    freeMemoryBytes?.toULong(),
    freeStorageBytes?.toULong(),
    battery,
    isCharging,
    isLowPower,
    orientation?.let { Orientation.entries[it.ordinal] },
    connection?.let { Connection.entries[it.ordinal] },
    carrierTechnology?.let { CarrierTechnology.entries[it.ordinal] },
    isMetered,
    isForeground,
)

internal fun app.rez.monitor.Level.core(): Level = Level.entries[ordinal]

private fun app.rez.monitor.Language.core(): Language = Language.entries[ordinal]

internal fun ScopedOptions.core(attributes: Map<String, Any?>): Extras = Extras(
    attrs(attributes),
    attrs(contexts),
    attrs(tags),
    user?.core(),
    targets,
    trace?.core(),
    atMillis,
    conditions?.core(),
)

internal fun StackFrame.core(): Frame = Frame(
    function,
    module,
    file,
    line.coerceAtLeast(0).toUInt(),
    column.coerceAtLeast(0).toUInt(),
    address.toULong(),
    isInApp,
    language?.core(),
)

internal fun ThreadSnapshot.core(): ThreadInfo = ThreadInfo(id.toULong(), name, isCrashed, isMain, frames.map { it.core() })

internal fun language(language: app.rez.monitor.Language?): Language? = language?.core()

private fun ErrorCause.core(): Cause =
    Cause(type, message, frames.map { it.core() }, parent.coerceAtLeast(0).toUInt(), source, isGroup)

internal fun errorEvent(type: String, message: String, attributes: Map<String, Any?>, options: ErrorOptions): ErrorEvent =
    ErrorEvent(
        type,
        message,
        options.isHandled,
        Severity.entries[options.severity.ordinal],
        options.level?.core(),
        options.code,
        options.mechanism,
        options.fingerprint,
        options.language?.core(),
        options.stack,
        options.frames.map { it.core() },
        options.causes.map { it.core() },
        options.isGroup,
        options.threads.map { it.core() },
        attrs(options.contexts),
        attrs(attributes),
        attrs(options.tags),
        options.user?.core(),
        options.targets,
        options.trace?.core(),
        options.atMillis,
        options.conditions?.core(),
    )

internal fun Outcome.public(): PublicOutcome = when (this) {
    is Outcome.Recorded -> UUID.fromString(id).let { PublicOutcome.Recorded(it.mostSignificantBits, it.leastSignificantBits) }
    is Outcome.Dropped -> PublicOutcome.Dropped(reason)
}

internal fun Durability.public(): PublicDurability = when (this) {
    is Durability.Synced -> PublicDurability.SYNCED
    is Durability.InRing -> PublicDurability.IN_RING
    is Durability.Dropped -> PublicDurability.DROPPED
}

internal fun LastCrash.public(): app.rez.monitor.LastCrash =
    app.rez.monitor.LastCrash(id, kind, mechanism, atMs, sinceStartMs, supportCode)

/** Microseconds; a negative duration is 0. */
internal fun Duration.micros(): Long = inWholeMicroseconds.coerceAtLeast(0)

internal fun Duration.millis(): Long = inWholeMilliseconds.coerceAtLeast(0)
