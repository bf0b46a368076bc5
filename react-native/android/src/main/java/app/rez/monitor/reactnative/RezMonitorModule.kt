package app.rez.monitor.reactnative

import com.facebook.react.bridge.Promise
import com.facebook.react.bridge.ReactApplicationContext
import com.facebook.react.module.annotations.ReactModule

/**
 * The module `RezMonitor` of JavaScript. `src/specs/NativeRezMonitor.ts` says what each method does.
 *
 * Arguments are nullable so that a null reaches [NativeCalls], which catches: Kotlin would throw at the entry of the method.
 */
@ReactModule(name = NativeRezMonitorSpec.NAME)
class RezMonitorModule(context: ReactApplicationContext) : NativeRezMonitorSpec(context) {
    private val calls = NativeCalls(context)

    override fun open(settings: String?, facts: String?): String = calls.open(settings, facts)

    override fun recordBatch(json: String?): Boolean = calls.recordBatch(json)

    override fun recordFatal(json: String?): Boolean = calls.recordFatal(json)

    override fun setConsent(purpose: String?, consent: String?): Boolean = calls.setConsent(purpose, consent)

    override fun forgetUser(): Boolean = calls.forgetUser()

    override fun setForeground(foreground: Boolean): Boolean = calls.setForeground()

    override fun newSession(): Boolean = calls.newSession()

    override fun setFacts(json: String?): String = calls.setFacts(json)

    override fun setConditions(json: String?): String = calls.setConditions(json)

    override fun setRelease(release: String?, dist: String?): String = calls.setRelease(release, dist)

    override fun addDestinations(settings: String?, from: String?): String = calls.addDestinations(settings, from)

    override fun removeDestination(name: String?): String = calls.removeDestination(name)

    override fun pauseDestination(name: String?): String = calls.pauseDestination(name)

    override fun resumeDestination(name: String?): String = calls.resumeDestination(name)

    override fun traceHeaders(trace: String?, url: String?): String = calls.traceHeaders(trace, url)

    override fun status(): String = calls.status()

    override fun metrics(): String = calls.metrics()

    override fun clearMetrics(): Boolean = calls.clearMetrics()

    override fun takeLog(): String = calls.takeLog()

    override fun persist(waitMs: Double, promise: Promise?) = calls.persist(waitMs) { promise?.resolve(it) }

    override fun flush(waitMs: Double, promise: Promise?) = calls.flush(waitMs) { promise?.resolve(it) }

    override fun why(id: String?, waitMs: Double, promise: Promise?) = calls.why(id, waitMs) { promise?.resolve(it) }

    override fun inspect(request: String?, waitMs: Double, promise: Promise?) =
        calls.inspect(request, waitMs) { promise?.resolve(it) }

    override fun lastRun(waitMs: Double, promise: Promise?) = calls.lastRun(waitMs) { promise?.resolve(it) }

    override fun testCrash(kind: String?): String = calls.testCrash(kind)

    override fun close(waitMs: Double, promise: Promise?) = calls.close(waitMs) { promise?.resolve(it) }
}
