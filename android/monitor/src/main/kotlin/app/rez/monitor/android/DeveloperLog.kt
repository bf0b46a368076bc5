package app.rez.monitor.android

import app.rez.monitor.MonitorLogger

/** The last messages of the engine for a developer, until a layer in JavaScript takes them. Only a debug build has any. */
internal object DeveloperLog {
    private const val MOST = 100
    private val messages = ArrayDeque<Map<String, String>>()

    /** Keeps what the engine says and passes it on to [logger]. */
    fun before(logger: MonitorLogger?): MonitorLogger = MonitorLogger { level, code, text ->
        synchronized(messages) {
            if (messages.size == MOST) messages.removeFirst()
            messages.addLast(mapOf("level" to level, "code" to code, "text" to text))
        }
        logger?.log(level, code, text)
    }

    fun take(): List<Map<String, String>> = synchronized(messages) { messages.toList().also { messages.clear() } }
}
