package app.rez.monitor.internal

import app.rez.monitor.ErrorCause
import app.rez.monitor.ErrorOptions
import app.rez.monitor.Language
import app.rez.monitor.StackFrame
import app.rez.monitor.ThreadSnapshot
import java.util.Collections
import java.util.IdentityHashMap

/** What the engine keeps is less; a stack overflow has a thousand frames. */
internal const val FRAMES = 64
private const val CAUSES = 16

/** Packages of the platform and the language. Every other frame is the app's own. */
private val PLATFORM = arrayOf(
    "java.", "javax.", "jdk.", "sun.", "com.sun.", "kotlin.", "kotlinx.", "android.", "androidx.", "com.android.", "dalvik.",
    "libcore.",
)

/** Takes frames, causes and the thread from an exception, as far as the app has not set them. */
internal fun ErrorOptions.take(error: Throwable, thread: Thread) {
    language = language ?: Language.JAVA
    if (frames.isEmpty() && stack == null) frames = frames(error)
    if (causes.isEmpty()) causes = causes(error)
    if (threads.isEmpty()) threads = listOf(snapshot(thread))
}

internal fun typeOf(error: Throwable): String = error.javaClass.name

/** The message; an exception of the app may throw here. */
internal fun messageOf(error: Throwable): String = try {
    error.message.orEmpty()
} catch (_: Throwable) {
    ""
}

@Suppress("DEPRECATION") // `threadId` is of Java 19.
private fun snapshot(thread: Thread) = ThreadSnapshot(thread.id, thread.name, isCrashed = true, isMain = thread.name == "main")

private fun frames(error: Throwable): List<StackFrame> {
    val all = error.stackTrace
    return List(minOf(all.size, FRAMES)) { index -> frame(all[minOf(all.size, FRAMES) - 1 - index]) }
}

internal fun frame(element: StackTraceElement): StackFrame {
    val name = element.className
    return StackFrame(
        function = element.methodName,
        module = name,
        file = element.fileName.orEmpty(),
        line = element.lineNumber.coerceAtLeast(0),
        isInApp = PLATFORM.none { name.startsWith(it) },
    )
}

/** Causes and suppressed exceptions, each after the one that it belongs to. A cycle ends at its first repetition. */
private fun causes(error: Throwable): List<ErrorCause> {
    val seen = Collections.newSetFromMap(IdentityHashMap<Throwable, Boolean>())
    seen.add(error)
    val found = ArrayList<ErrorCause>()
    val open = ArrayDeque(listOf(error to 0))
    while (open.isNotEmpty()) {
        val (owner, number) = open.removeFirst()
        val parts = listOfNotNull(owner.cause?.let { it to "cause" }) +
            owner.suppressed.mapIndexed { index, one -> one to "suppressed[$index]" }
        for ((part, source) in parts) {
            if (found.size == CAUSES || !seen.add(part)) continue
            found += ErrorCause(typeOf(part), messageOf(part), frames(part), number, source)
            open.addLast(part to found.size)
        }
    }
    return found
}
