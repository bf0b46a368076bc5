package app.rez.monitor.internal

import java.util.Collections
import java.util.concurrent.ConcurrentHashMap

/** What the face itself has to say: one sentence to the error stream, once per text. */
internal object Log {
    private val said: MutableSet<String> = Collections.newSetFromMap(ConcurrentHashMap())

    fun once(sentence: String) {
        // A text that changes with each call must not fill the memory.
        if (said.size < 64 && said.add(sentence)) System.err.println("rez-monitor: $sentence")
    }

    /** Nothing is recorded from now on. */
    fun disabled(what: String, reason: Throwable) {
        once("$what, nothing is recorded: ${text(reason)}")
    }

    fun text(reason: Throwable): String = try {
        // The exceptions of the library are a sentence that names the value.
        val own = reason is CallException || reason is OpenException
        (if (own) reason.message.orEmpty().removePrefix("text=") else reason.toString()).lineSequence().first()
    } catch (_: Throwable) {
        reason.javaClass.name
    }
}
