package app.rez.monitor.internal

import java.util.concurrent.ConcurrentHashMap

/**
 * The addresses to which the engine sends through a client of the app. An instrument of that client leaves them out: a record of a
 * request would make the next request.
 */
internal object OwnRequests {
    /** More than destinations have routes. */
    private const val MOST = 256
    private val known = ConcurrentHashMap.newKeySet<String>()

    fun add(address: String) {
        if (known.size < MOST) known += address
    }

    /** [isSame]: whether an address is the one of a request, by the rules of the client. */
    fun contains(isSame: (String) -> Boolean): Boolean = known.any(isSame)
}
