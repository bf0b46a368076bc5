package app.rez.monitor

import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import java.util.concurrent.ConcurrentHashMap
import java.util.concurrent.atomic.LongAdder
import java.util.concurrent.locks.LockSupport
import kotlin.concurrent.thread

/** Many threads record at a high rate. */
class LoadTest : EngineTest() {
    @Test
    fun `what eight threads record at 20,000 a second for ten seconds is there once`() {
        check(RezMonitor.init { basics(queue); capBytes = CAP })
        val start = System.nanoTime()
        val ids = List(THREADS) { ArrayList<String>(PER_THREAD) }
        val refused = ConcurrentHashMap<Outcome, LongAdder>()
        val threads = List(THREADS) { number ->
            thread {
                for (n in 0 until PER_THREAD) {
                    val due = start + n * SECONDS * 1_000_000_000L / PER_THREAD
                    while (System.nanoTime() < due) LockSupport.parkNanos(due - System.nanoTime())
                    val outcome = RezMonitor.logEvent("event", mapOf("thread" to number, "n" to n))
                    val id = outcome.idOrNull
                    if (id != null) ids[number] += id else refused.computeIfAbsent(outcome) { LongAdder() }.increment()
                }
            }
        }
        threads.forEach { it.join() }
        val seconds = (System.nanoTime() - start) / 1e9
        check(RezMonitor.persist(LIMIT))
        val recorded = ids.flatten()
        val stored = rows(queue)["rows"].map { it["id"].asText() }
        println("recorded ${recorded.size} in ${"%.1f".format(seconds)} s, refused $refused, cap ${CAP shr 20} MiB")
        assertEquals(THREADS * PER_THREAD, recorded.size + refused.values.sumOf { it.toInt() })
        // How many a busy machine refuses is its own affair. The ring holds these in any case.
        assertTrue(refused.keys.all { it == Outcome.Dropped("ring_full") }) { "$refused" }
        assertTrue(recorded.size >= IN_RING) { "$refused" }
        assertEquals(recorded.size, stored.size)
        assertEquals(recorded.toSet(), stored.toSet())
        assertEquals(stored.size, stored.toSet().size)
    }

    private companion object {
        const val THREADS = 8
        const val SECONDS = 10L
        const val PER_THREAD = 25_000
        const val IN_RING = 1_000
        const val CAP = 1L shl 30
    }
}
