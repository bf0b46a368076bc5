package app.rez.monitor.robolectric

import app.rez.monitor.*
import app.rez.monitor.instrument.UncaughtExceptions
import com.facebook.react.common.JavascriptException
import org.junit.Assert.assertEquals
import org.junit.Assert.assertSame
import org.junit.Assert.assertThrows
import org.junit.Assert.assertTrue
import org.junit.Test

class CrashTest : AndroidTest() {
    private val seen = ArrayList<Throwable>()

    private fun crash(error: Throwable) {
        Thread.getDefaultUncaughtExceptionHandler()!!.uncaughtException(Thread.currentThread(), error)
    }

    @Test
    fun `an uncaught exception is one crash after the next start, and the handler before ours is called`() {
        Thread.setDefaultUncaughtExceptionHandler { _, error ->
            seen += error
            // The next handler fails as well, which is the same end of the process.
            if (seen.size == 1) crash(OutOfMemoryError("while it dies"))
        }
        start()
        val error = IllegalStateException("no cart", NullPointerException("cart"))
        crash(error)
        assertSame(error, seen.first())
        assertEquals(2, seen.size)
        stop()
        start()
        val crash = rows("crash").single()["json"]
        assertEquals("java.lang.IllegalStateException", crash["type"].asText())
        assertEquals("UncaughtExceptionHandler", crash["mechanism"].asText())
        assertEquals(false, crash["handled"].asBoolean(true))
        assertTrue(crash["frames"].any { it["module"].asText().contains("CrashTest") })
    }

    @Test
    fun `an exception after one that the next handler has survived is recorded too`() {
        Thread.setDefaultUncaughtExceptionHandler { _, error ->
            seen += error
            if (seen.size == 2) throw IllegalArgumentException("a fault of the next handler")
        }
        start()
        crash(IllegalStateException("survived"))
        assertThrows(IllegalArgumentException::class.java) { crash(IllegalStateException("survived as well")) }
        crash(UnsupportedOperationException("the end"))
        assertEquals(3, seen.size)
        assertEquals(listOf("survived", "survived as well", "the end"), rows("crash").map { it["json"]["message"].asText() })
    }

    @Test
    fun `the exception with which React Native ends the process is left to its JavaScript`() {
        Thread.setDefaultUncaughtExceptionHandler { _, error -> seen += error }
        start()
        crash(JavascriptException("undefined is not a function"))
        crash(RuntimeException("wrapped", JavascriptException("undefined is not a function")))
        assertEquals(2, seen.size)
        assertEquals(0, rows("crash").size)
        // It was none of ours: the next one counts.
        crash(IllegalStateException("a real one"))
        assertEquals(1, rows("crash").size)
    }

    @Test
    fun `a handler that another library keeps calling records nothing after the end`() {
        start()
        val ours = Thread.getDefaultUncaughtExceptionHandler() as UncaughtExceptions
        Thread.setDefaultUncaughtExceptionHandler { thread, error -> ours.uncaughtException(thread, error) }
        app.rez.monitor.instrument.Instruments.uninstall()
        assertTrue(Thread.getDefaultUncaughtExceptionHandler() !is UncaughtExceptions)
        assertEquals(0, rows("crash").size)
    }
}
