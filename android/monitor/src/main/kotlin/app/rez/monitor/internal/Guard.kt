package app.rez.monitor.internal

import java.util.concurrent.atomic.AtomicReference

/** A guard of the engine until its end, which frees it. After that every call is the answer of a closed engine. */
internal class Guard<T : AutoCloseable>(val engine: Engine?, guard: T?) {
    private val guard = AtomicReference(guard)

    fun current(): T? = guard.get()

    fun taken(): T? = guard.getAndSet(null)

    inline fun <R> call(or: R, call: (T) -> R): R {
        val guard = current() ?: return or
        return engine?.call(or) { call(guard) } ?: or
    }

    inline fun <R> end(or: R, end: (T) -> R): R {
        val guard = taken() ?: return or
        return engine?.call(or) { guard.use(end) } ?: or
    }
}
