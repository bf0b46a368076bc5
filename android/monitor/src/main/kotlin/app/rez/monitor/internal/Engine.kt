package app.rez.monitor.internal

import app.rez.monitor.Settings
import java.util.concurrent.CountDownLatch
import java.util.concurrent.TimeUnit
import kotlin.concurrent.thread
import kotlin.time.TimeSource

/**
 * An open engine. It records by JNI at once; every other call waits until JNA is loaded, which a thread of its own does meanwhile. So
 * all calls take effect in the order in which they are made.
 */
internal class Engine private constructor(opened: Long, val settings: Settings) {
    /** Names the engine to the copy of the library that generated calls use. */
    @Volatile
    var handle: Long = opened
        private set

    /** Names it to the copy that JNI uses; 0 if records do not go by JNI, as with two copies of the library. */
    @Volatile
    var hot: Long = opened
        private set

    /** Tests compare both ways. */
    fun recordBy(jni: Boolean) {
        hot = if (jni) handle else 0L
    }

    @Volatile
    private var hasFailed = false
    private val ready = CountDownLatch(1)

    /** What runs before the first generated call. Guarded by itself. */
    private val early = ArrayList<(ULong) -> Unit>()

    private fun prepare() {
        try {
            uniffiEnsureInitialized()
            if (nonce() == Native.nonce()) {
                setHooks(handle.toULong(), hooks(settings))
            } else {
                Log.once("two copies of the library are loaded: calls are slower; ship one copy")
                // A thread that sees 0 waits until this one has opened the other engine.
                val first = hot
                hot = 0L
                // The folder of the first engine, and what it has recorded, go to the second one.
                Native.close(first, CLOSE_MS)
                handle = open(settings.json, settings.facts, hooks(settings)).toLong()
                // The contexts of the first run are not those of this one.
                settings.mappingDocument?.let { recordBatch(handle.toULong(), it) }
            }
        } catch (reason: Throwable) {
            hot = 0L
            hasFailed = true
            Log.disabled("the library cannot be used", reason)
        } finally {
            synchronized(early) {
                if (!hasFailed) early.forEach { run(it) }
                early.clear()
                ready.countDown()
            }
        }
    }

    /**
     * Makes a generated call without waiting for JNA: now if it is loaded, else on the thread that loads it, before the calls that wait.
     * [work] reports what is wrong itself.
     */
    fun soon(work: (ULong) -> Unit) {
        synchronized(early) {
            if (ready.count > 0) {
                early += work
                return
            }
        }
        if (!hasFailed) run(work)
    }

    private fun run(work: (ULong) -> Unit) = try {
        work(handle.toULong())
    } catch (reason: Throwable) {
        Log.once("a call has failed: ${Log.text(reason)}")
    }

    /** Makes a generated call. Never throws: [or] is the answer if the library or an argument fails. */
    inline fun <T> call(or: T, call: (ULong) -> T): T = try {
        if (awaitReady()) call(handle.toULong()) else or
    } catch (reason: Throwable) {
        Log.once("a call has failed: ${Log.text(reason)}")
        or
    }

    /** The same for a call that can refuse its arguments or run out of time. Whether it was done. */
    inline fun attempt(call: (ULong) -> Unit): Boolean = call(false) { handle ->
        call(handle)
        true
    }

    fun awaitReady(): Boolean = awaitReady(Long.MAX_VALUE)

    /** Whether generated calls can be made, after at most [waitMs]. */
    fun awaitReady(waitMs: Long): Boolean {
        val begun = TimeSource.Monotonic.markNow()
        var isInterrupted = false
        while (ready.count > 0) {
            val left = waitMs - begun.elapsedNow().inWholeMilliseconds
            if (left <= 0) break
            try {
                ready.await(left, TimeUnit.MILLISECONDS)
            } catch (_: InterruptedException) {
                isInterrupted = true
            }
        }
        if (isInterrupted) Thread.currentThread().interrupt()
        return ready.count == 0L && !hasFailed
    }

    companion object {
        private const val CLOSE_MS = 2_000L

        /** A handle of no engine. */
        private const val NO_ENGINE = 0L

        /** Opens an engine. `null` if that is not possible; [failed] gets the reason, unless the log has it. */
        fun open(settings: Settings, failed: (String) -> Unit): Engine? {
            if (!Library.isLoaded) return null
            val handle = Native.open(settings.json, settings.facts, wanted(settings)) { reason ->
                failed(reason)
                0L
            }
            if (handle == 0L) return null
            val engine = Engine(handle, settings)
            // The first call of a native method looks it up in the loader, which JNA holds while it loads.
            Native.submit(NO_ENGINE, ByteArray(0), 0)
            Native.fatal(NO_ENGINE, ByteArray(0), 0, 0)
            Native.batch(NO_ENGINE, ByteArray(0))
            Native.batchFatal(NO_ENGINE, ByteArray(0), 0)
            Native.guardBegin(NO_ENGINE, ByteArray(0), 0)
            Native.guardMark(NO_ENGINE, 0)
            Native.guardSet(NO_ENGINE, ByteArray(0), 0)
            Native.guardEnd(NO_ENGINE, ByteArray(0), 0)
            thread(isDaemon = true, name = "rez-monitor-start") { engine.prepare() }
            return engine
        }
    }
}
