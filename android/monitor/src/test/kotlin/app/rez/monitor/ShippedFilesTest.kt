package app.rez.monitor

import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.w3c.dom.Element
import java.io.File
import javax.xml.parsers.DocumentBuilderFactory

/** What the AAR carries beside the classes names only what exists. */
class ShippedFilesTest {
    private val module = File(System.getProperty("rez.android"), "monitor")
    private val classes = File(module, "target/classes")

    @Test
    fun `every line of the baseline profile names a class or a method that exists`() {
        val lines = File(module, "src/main/baseline-prof.txt").readLines().filter { it.isNotBlank() && !it.startsWith("#") }
        assertTrue(lines.size > 50) { "${lines.size} lines" }
        for (line in lines) {
            val name = Regex("^[HSP]*L([\\w/$]+);").find(line)?.groupValues?.get(1)
            assertTrue(name != null && classFile(name).isFile) { "no such class: $line" }
            val method = line.substringAfter("->", "")
            if (method.isNotEmpty()) assertTrue(method in ClassFile(classFile(name!!)).methods) { "no such method: $line" }
        }
        for (needed in listOf("RezMonitor;->addBreadcrumb(", "internal/HotRecord;->text(", "internal/Native;->submit(")) {
            assertTrue(lines.any { "app/rez/monitor/$needed" in it }) { "not in the profile: $needed" }
        }
    }

    @Test
    fun `every component of the manifest is a class, and none is open to other apps`() {
        val factory = DocumentBuilderFactory.newInstance().apply { isNamespaceAware = true }
        val document = factory.newDocumentBuilder().parse(File(module, "src/main/AndroidManifest.xml"))
        val components = listOf("provider", "service", "receiver").flatMap { tag ->
            val found = document.getElementsByTagName(tag)
            List(found.length) { found.item(it) as Element }
        }
        assertEquals(3, components.size)
        for (component in components) {
            val name = component.android("name")
            assertTrue(classFile(name.replace('.', '/')).isFile) { "no such class: $name" }
            val isGuarded = component.android("permission").isNotEmpty()
            assertTrue(component.android("exported") == "false" || isGuarded) { "$name is open to other apps" }
        }
    }

    @Test
    fun `every class that the rules for R8 name exists`() {
        val own = Regex("""(?:class|interface) (app\.rez\.[\w.]+)(\*{0,2})""").findAll(rules()).map { it.groupValues[1] to it.groupValues[2] }.toList()
        assertTrue(own.size >= 4)
        for ((name, wild) in own) {
            val path = File(classes, name.replace('.', '/'))
            val exists = when {
                wild.isEmpty() -> File("${path.path}.class").isFile
                name.endsWith('.') -> path.isDirectory
                else -> path.parentFile.list().orEmpty().any { it.startsWith(path.name) }
            }
            assertTrue(exists) { "no such class: $name$wild" }
        }
    }

    @Test
    fun `the rules for R8 keep every class with native methods, which are bound by its name`() {
        val kept = Regex("""-keep class (app\.rez\.[\w.*]+) \{ \*; }""").findAll(rules()).map { it.groupValues[1] }.toList()
        val native = compiled().filterValues { it.hasNative }.keys
        assertTrue(native.any { it.endsWith("IntegrityCheckingUniffiLib") }) { "$native" }
        for (name in native) assertTrue(kept.any { matches(it, name) }) { "not kept: $name" }
    }

    @Test
    fun `the rules for R8 keep the name of every class of other libraries that the code compares by name`() {
        val kept = Regex("""-keepnames class ([\w.]+)""").findAll(rules()).map { it.groupValues[1] }.toSet()
        val compared = compiled().values.flatMap { it.texts }.filter { FOREIGN.matches(it) }.toSet()
        assertEquals(setOf("com.facebook.react.common.JavascriptException"), compared)
        assertEquals(compared, kept)
    }

    @Test
    fun `the Gradle build has the versions of the Maven build, which runs the tests`() {
        val gradle = File(module, "build.gradle.kts").readText() + File(module.parentFile, "build.gradle.kts").readText()
        val maven = File(module.parentFile, "pom.xml").readText()
        val version = { name: String -> Regex("<$name>(.*)</$name>").find(maven)!!.groupValues[1] }
        for (wanted in listOf(
            "net.java.dev.jna:jna:${version("jna.version")}@aar",
            "com.squareup.okhttp3:okhttp:${version("okhttp.version")}",
            "id(\"org.jetbrains.kotlin.android\") version \"${version("kotlin.version")}\"",
            "minSdk = 24",
            "useLegacyPackaging = false",
            "consumerProguardFiles(\"consumer-rules.pro\")",
            "explicitApi()",
        )) {
            assertTrue(wanted in gradle) { "not in the Gradle build: $wanted" }
        }
        assertTrue(File(module, "consumer-rules.pro").isFile)
    }

    private fun Element.android(name: String) = getAttributeNS("http://schemas.android.com/apk/res/android", name)

    private fun classFile(name: String) = File(classes, "$name.class")

    private fun rules() = File(module, "consumer-rules.pro").readText()

    /** Every class by its name. */
    private fun compiled(): Map<String, ClassFile> = classes.walk().filter { it.extension == "class" }
        .associate { it.relativeTo(classes).path.removeSuffix(".class").replace('/', '.') to ClassFile(it) }

    /** `*` does not cross a point, `**` does. */
    private fun matches(rule: String, name: String): Boolean {
        val parts = rule.split("**").map { part -> part.split('*').joinToString("[^.]*") { Regex.escape(it) } }
        return Regex(parts.joinToString(".*")).matches(name)
    }

    private companion object {
        /** The name of a class that is not the system's. */
        val FOREIGN = Regex("""(com|org|net|io)\.[\w.]+\.[A-Z]\w*""")
    }
}
