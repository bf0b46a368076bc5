package app.rez.monitor

import app.rez.monitor.internal.Library
import java.io.File
import java.util.concurrent.TimeUnit
import kotlin.time.Duration.Companion.seconds

/** Programs that a test runs in a process of their own. The first argument is the program, the second a folder. */
fun main(arguments: Array<String>) {
    val folder = File(arguments[1])
    when (arguments[0]) {
        "record" -> {
            val opened = RezMonitor.init { basics(folder) }
            RezMonitor.setUser(User("u-1"))
            println("opened $opened, ${RezMonitor.logEvent("one").isRecorded}, stored ${RezMonitor.persist(LIMIT)}")
            RezMonitor.close()
        }
        "load" -> {
            // The second argument is the name of the machine.
            arguments[1].takeIf { it.isNotEmpty() }?.let { System.setProperty("java.vm.name", it) }
            println("loaded ${Library.isLoaded}, JNA opens ${System.getProperty("uniffi.component.rezmonitor.libraryOverride")}")
        }
        "until-killed" -> {
            RezMonitor.init { basics(folder) }
            var count = 0
            while (true) {
                val outcome = RezMonitor.logEvent("event", mapOf("n" to count++))
                // The line is written after `logEvent` has returned: what is read of it was recorded.
                outcome.idOrNull?.let { println(it) }
                System.out.flush()
            }
        }
        "shutdown" -> {
            Runtime.getRuntime().addShutdownHook(
                Thread {
                    val opened = RezMonitor.init { basics(folder) }
                    RezMonitor.setTag("a", "b")
                    println("opened $opened, ${RezMonitor.logEvent("late").isRecorded}")
                    RezMonitor.captureFatal(IllegalStateException("late"))
                    RezMonitor.close(1.seconds)
                },
            )
        }
        "early" -> {
            val opened = RezMonitor.init { basics(folder) }
            val event = RezMonitor.trackScreenLoad("Home").use { load ->
                load.initialDisplay()
                RezMonitor.trackApiCall("GET", "https://api.example.com/cart").finish(200)
                RezMonitor.startSpan("parse").use { it.setAttribute("items", 3) }
                RezMonitor.logEvent("early")
            }
            val fatal = RezMonitor.captureFatal(IllegalStateException("end"))
            println("opened $opened, ${event.isRecorded}, ${fatal != Durability.DROPPED}")
            System.out.flush()
            Runtime.getRuntime().halt(0)
        }
        "folder" -> {
            RezMonitor.init { basics(folder) }
            RezMonitor.logEvent("other process")
            RezMonitor.persist(LIMIT)
            println(JSON.readTree(RezMonitor.status().json)["folder"].asText())
            RezMonitor.close()
        }
    }
}

/** A process of this class path and library. */
class Child(program: String, folder: File, vararg properties: Pair<String, String>) {
    private val defaults = listOf("app.rez.monitor.library", "uniffi.component.rezmonitor.libraryOverride")
    private val errors = File.createTempFile("rez-kotlin", ".log").also { it.deleteOnExit() }

    val process: Process = run {
        val java = File(System.getProperty("java.home"), "bin/java").path
        val set = defaults.associateWith { System.getProperty(it) } + properties
        val options = set.filterValues { it.isNotEmpty() }.map { (name, value) -> "-D$name=$value" }
        val command = listOf(java) + options + listOf("-cp", System.getProperty("java.class.path"), "app.rez.monitor.ChildKt")
        ProcessBuilder(command + program + folder.path).redirectError(errors).start()
    }

    /** Standard output, standard error, exit code. */
    fun end(): Triple<String, String, Int> {
        val output = process.inputStream.bufferedReader().readText()
        check(process.waitFor(LIMIT.inWholeSeconds, TimeUnit.SECONDS)) { "the process does not end" }
        return Triple(output.trim(), errors.readText(), process.exitValue())
    }
}
