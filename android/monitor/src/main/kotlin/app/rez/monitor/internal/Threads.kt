package app.rez.monitor.internal

import app.rez.monitor.StackFrame
import app.rez.monitor.ThreadSnapshot

/** The innermost frames of a stack, outermost first. */
internal fun stackOf(elements: Array<StackTraceElement>): List<StackFrame> = elements.take(FRAMES).map { frame(it) }.asReversed()

/** A thread that did not fail, with its stack. */
@Suppress("DEPRECATION") // `threadId` is of Java 19.
internal fun snapshot(thread: Thread, elements: Array<StackTraceElement>): ThreadSnapshot =
    ThreadSnapshot(thread.id, thread.name, frames = stackOf(elements))
