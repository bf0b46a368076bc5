package app.rez.monitor.internal

import java.lang.ref.PhantomReference
import java.lang.ref.ReferenceQueue
import java.util.concurrent.ConcurrentHashMap

/** Ends what the app has forgotten: [end] runs when a guard begins after [owner] was collected. It must not refer to [owner]. */
internal class Leash(owner: Any, private val end: () -> Unit) : PhantomReference<Any>(owner, forgotten) {
    init {
        held += this
    }

    /** The owner has ended itself. */
    fun release() {
        held -= this
    }

    companion object {
        private val forgotten = ReferenceQueue<Any>()

        /** A reference that is not reachable itself is never queued. */
        private val held: MutableSet<Leash> = ConcurrentHashMap.newKeySet()

        fun endAbandoned() {
            while (true) {
                val leash = forgotten.poll() as Leash? ?: return
                if (held.remove(leash)) leash.end()
            }
        }
    }
}
