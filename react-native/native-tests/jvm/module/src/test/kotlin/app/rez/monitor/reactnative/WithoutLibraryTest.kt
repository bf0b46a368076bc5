package app.rez.monitor.reactnative

import org.json.JSONObject
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertTrue
import org.junit.Test

/** The app has no native library for its processor. Runs in a process of its own, which is told a library that does not exist. */
class WithoutLibraryTest : ModuleTest() {
    @Test
    fun `an app without the native library hears a sentence, and every later call answers`() {
        val sentence = open().getString("error")
        assertTrue(sentence, "native library cannot be used" in sentence)
        assertFalse(module.recordBatch(error(ID)))
        assertFalse(module.recordFatal(error(ID)))
        assertEquals("", module.status())
        assertTrue(JSONObject(answer { module.flush(1.0, it) }).has("error"))
        assertEquals("", answer { module.close(1.0, it) })
    }
}
