package app.rez.monitor

import app.rez.monitor.internal.Recorder
import app.rez.monitor.internal.core
import app.rez.monitor.internal.json
import app.rez.monitor.internal.millis
import app.rez.monitor.internal.newSession
import app.rez.monitor.internal.resume
import app.rez.monitor.internal.setConditions
import app.rez.monitor.internal.setFacts
import app.rez.monitor.internal.setForeground
import app.rez.monitor.internal.setNetwork
import app.rez.monitor.internal.setPower
import app.rez.monitor.internal.setRelease
import app.rez.monitor.internal.suspend
import kotlin.time.Duration
import kotlin.time.Duration.Companion.seconds

/**
 * What the platform tells the engine. The Android layer calls it; another platform, such as a desktop app, calls it itself. No
 * function throws; one that returns `false` has its reason in the log.
 */
public class Host internal constructor() {
    /** Replaces the facts about device, system and app, for later events. A run accepts 100 changes. */
    public fun setFacts(configure: Facts.() -> Unit): Boolean =
        Recorder.engine?.attempt { setFacts(it, json(Facts().apply(configure).toMap())) } ?: false

    /** The same for facts that are there. */
    internal fun setFacts(facts: Facts): Boolean =
        Recorder.engine?.attempt { setFacts(it, json(facts.toMap())) } ?: false

    /** Replaces the last known conditions of the device. */
    public fun setConditions(configure: Conditions.() -> Unit) {
        Recorder.engine?.call(Unit) { setConditions(it, Conditions().apply(configure).core()) }
    }

    /** Passes what is known about the network. It delays sending, and never stops it. */
    public fun setNetwork(network: Network) {
        Recorder.engine?.call(Unit) { setNetwork(it, app.rez.monitor.internal.Network.entries[network.ordinal]) }
    }

    /** Passes what is known about power. It delays sending, and never stops it. */
    public fun setPower(power: Power) {
        Recorder.engine?.call(Unit) { setPower(it, app.rez.monitor.internal.Power.entries[power.ordinal]) }
    }

    /** The app came to the foreground, or left it. */
    public fun setForeground(isForeground: Boolean) {
        Recorder.engine?.call(Unit) { setForeground(it, isForeground) }
    }

    /** Ends the session and starts a new one. */
    public fun newSession() {
        Recorder.engine?.call(Unit) { newSession(it) }
    }

    /** Sets the release of later events, after an update of a bundle while the app runs. */
    @JvmOverloads
    public fun setRelease(release: String, dist: String? = null): Boolean =
        Recorder.engine?.attempt { setRelease(it, release, dist) } ?: false

    /** Prepares for the system suspending the process. Recording continues in memory that survives a kill. Waits at most [timeout]. */
    @JvmOverloads
    public fun suspendStorage(timeout: Duration = 2.seconds) {
        Recorder.engine?.call(Unit) { suspend(it, timeout.millis()) }
    }

    /** Continues after [suspendStorage]. */
    public fun resumeStorage() {
        Recorder.engine?.call(Unit) { resume(it) }
    }
}
