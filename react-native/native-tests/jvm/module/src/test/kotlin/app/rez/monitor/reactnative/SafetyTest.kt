package app.rez.monitor.reactnative

import android.content.Context
import android.content.ContextWrapper
import com.facebook.react.bridge.Promise
import com.facebook.react.bridge.PromiseImpl
import java.lang.reflect.Method
import java.util.concurrent.CountDownLatch
import java.util.concurrent.TimeUnit
import org.json.JSONObject
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertNull
import org.junit.Assert.assertTrue
import org.junit.Test

/** What may go wrong in the native half never reaches JavaScript as an exception, nor ends a thread. */
class SafetyTest : ModuleTest() {
    private val methods: List<Method> =
        NativeRezMonitorSpec::class.java.declaredMethods.filter { java.lang.reflect.Modifier.isAbstract(it.modifiers) }

    /** Calls a method with arguments of its types; a promise is waited for. */
    private fun call(method: Method, text: String?): Any? {
        var answer: Any? = null
        fun arguments(promise: Promise?) = method.parameterTypes.map { type ->
            when (type) {
                String::class.java -> text
                Double::class.javaPrimitiveType -> Double.NaN
                Boolean::class.javaPrimitiveType -> true
                else -> promise
            }
        }.toTypedArray()
        if (Promise::class.java in method.parameterTypes) {
            answer = answer { method.invoke(module, *arguments(it)) }
        } else {
            answer = method.invoke(module, *arguments(null))
        }
        return answer
    }

    @Test
    fun `every method of the specification is a method of the module`() {
        assertEquals(26, methods.size)
        for (method in methods) RezMonitorModule::class.java.getDeclaredMethod(method.name, *method.parameterTypes)
    }

    @Test
    fun `every method answers without an engine, for null, for no JSON and for long texts`() {
        for (method in methods.filter { it.name != "open" }) {
            for (text in listOf(null, "", "{", "\u0000\ud800", "x".repeat(100_000))) {
                val answer = call(method, text)
                assertTrue("${method.name} has answered $answer", answer is String || answer == false)
            }
        }
    }

    @Test
    fun `every method answers with an engine, for null, for no JSON and for long texts`() {
        open(with(team("team")))
        for (method in methods.filter { it.name !in setOf("close", "open") }) {
            for (text in listOf(null, "", "{", "\u0000\ud800", "x".repeat(100_000))) {
                val answer = call(method, text)
                assertTrue("${method.name} has answered $answer", answer is String || answer is Boolean)
            }
        }
    }

    @Test
    fun `what needs an engine says so before the first open`() {
        for (sentence in listOf(module.setFacts("{}"), module.removeDestination("x"), answer { module.persist(1.0, it) })) {
            assertTrue(sentence, "not open" in sentence)
        }
        assertTrue("not open" in JSONObject(answer { module.flush(1.0, it) }).getString("error"))
        assertEquals("", module.status())
        assertEquals("[]", module.metrics())
        assertEquals("", answer { module.close(1.0, it) })
    }

    @Test
    fun `a context that throws is a sentence`() {
        for (fault in listOf(IllegalStateException("no package"), LinkageError("no class"), StackOverflowError())) {
            val broken = object : ContextWrapper(application) {
                override fun getPackageName(): String = throw fault
                override fun getApplicationContext(): Context = throw fault
            }
            assertTrue(JSONObject(NativeCalls(broken).open("{}", "")).has("error"))
        }
    }

    @Test
    fun `a fault in a body is the answer of that body`() {
        assertFalse(NativeCalls.caught({ false }) { throw OutOfMemoryError("x") })
        val answer = NativeCalls.caught(NativeCalls::error) { throw NoClassDefFoundError("a \"quoted\" name") }
        assertTrue("a \"quoted\" name" in JSONObject(answer).getString("error"))
    }

    @Test
    fun `a fault in the work of a promise resolves it, and the thread goes on`() {
        val sentence = answer { promise -> NativeCalls.later({ promise.resolve(it) }, NativeCalls::sentence) { throw LinkageError("x") } }
        assertTrue(sentence, "LinkageError" in sentence)
        assertTrue("not open" in answer { module.persist(1.0, it) })
    }

    @Test
    fun `a promise that throws harms no later one`() {
        val uncaught = CountDownLatch(1)
        Thread.setDefaultUncaughtExceptionHandler { _, _ -> uncaught.countDown() }
        module.persist(1.0, PromiseImpl({ error("JavaScript is gone") }, null))
        module.persist(1.0, null)
        assertTrue("not open" in answer { module.persist(1.0, it) })
        assertFalse(uncaught.await(0, TimeUnit.SECONDS))
    }

    @Test
    fun `the package offers one lazy TurboModule under the name of the specification`() {
        val offered = RezMonitorPackage().getReactModuleInfoProvider().getReactModuleInfos()
        val info = offered.getValue("RezMonitor")
        assertEquals(1, offered.size)
        assertTrue(info.isTurboModule)
        assertFalse(info.needsEagerInit)
        assertEquals(RezMonitorModule::class.java.name, info.className)
        val context = com.facebook.react.bridge.BridgeReactContext(application)
        assertEquals("RezMonitor", RezMonitorPackage().getModule("RezMonitor", context)!!.name)
        assertNull(RezMonitorPackage().getModule("Another", context))
    }
}
