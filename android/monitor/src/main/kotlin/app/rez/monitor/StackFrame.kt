package app.rez.monitor

/**
 * A frame of a stack. What is not known is empty or 0.
 *
 * @property function the function.
 * @property module the class, package or library.
 * @property file the file.
 * @property line the line, from 1.
 * @property column the column, from 1.
 * @property isInApp whether it is the app's own code.
 * @property address the address of the instruction.
 * @property language what it was written in, if that differs from the error.
 */
public class StackFrame @JvmOverloads constructor(
    public val function: String = "",
    public val module: String = "",
    public val file: String = "",
    public val line: Int = 0,
    public val column: Int = 0,
    public val isInApp: Boolean = false,
    public val address: Long = 0,
    public val language: Language? = null,
)

/**
 * An error that caused another one.
 *
 * @property type the type: `java.net.SocketTimeoutException`.
 * @property message the message.
 * @property frames stack frames, outermost first.
 * @property parent what it caused: 0 the error itself, else the number of an earlier cause, from 1.
 * @property source the member that held it: `cause`, `suppressed[0]`.
 * @property isGroup whether it is a group of errors.
 */
public class ErrorCause @JvmOverloads constructor(
    public val type: String,
    public val message: String,
    public val frames: List<StackFrame> = emptyList(),
    public val parent: Int = 0,
    public val source: String = "cause",
    public val isGroup: Boolean = false,
) {
    internal val isFull: Boolean
        get() = isGroup || parent !in 0..255 || frames.any { it.address != 0L || it.language != null }
}

/**
 * A thread that ran when an error happened.
 *
 * @property id its number.
 * @property name its name.
 * @property isCrashed whether the error happened on it.
 * @property isMain whether it is the main thread.
 * @property frames its stack, outermost frame first; not needed for the crashed one, whose stack is that of the error.
 */
public class ThreadSnapshot @JvmOverloads constructor(
    public val id: Long,
    public val name: String = "",
    public val isCrashed: Boolean = false,
    public val isMain: Boolean = false,
    public val frames: List<StackFrame> = emptyList(),
)
