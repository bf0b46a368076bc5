package app.rez.monitor

import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Assumptions.assumeTrue
import org.junit.jupiter.api.Test
import java.io.File
import java.util.concurrent.TimeUnit

/** What the thread that opens and records asks of the system, as `strace` sees it in a JVM of its own. */
class MainThreadTest {
    @Test
    fun `opening makes a folder, locks it and maps the ring, and recording asks nothing`() {
        assumeTrue(File("/usr/bin/strace").canExecute(), "strace is not installed")
        val folder = newFolder()
        val trace = folder.resolve("trace")
        val command = listOf("strace", "-f", "-qq", "-o", trace.path, File(System.getProperty("java.home"), "bin/java").path) +
            listOf("app.rez.monitor.library", "uniffi.component.rezmonitor.libraryOverride").map { "-D$it=${System.getProperty(it)}" } +
            listOf("-XX:TieredStopAtLevel=1", "-cp", System.getProperty("java.class.path"), "app.rez.monitor.MainThreadProbe", folder.path)
        val child = ProcessBuilder(command).redirectErrorStream(true).redirectOutput(folder.resolve("output")).start()
        assertTrue(child.waitFor(3, TimeUnit.MINUTES)) { "the JVM under strace has not ended" }
        assumeTrue("ptrace" !in folder.resolve("output").readText().lowercase(), "this system allows no trace")
        assertEquals(0, child.exitValue()) { folder.resolve("output").readText() }
        val lines = trace.readLines()
        val between = { from: String, to: String -> calls(lines, from, to) }
        val opening = between("rez-begin-open", "rez-end-open")
        val unexpected = opening.filter { it.substringBefore('(') !in OF_OPEN && it.substringBefore('(') !in OF_THE_JVM }
        assertEquals(emptyList<String>(), unexpected)
        assertTrue(opening.any { it.startsWith("mmap") && "MAP_SHARED" in it }) { opening.joinToString("\n") }
        val recording = between("rez-begin-record", "rez-end-record").filter { it.substringBefore('(') !in OF_THE_JVM }
        assertEquals(emptyList<String>(), recording)
        folder.deleteRecursively()
    }

    /** The calls of the thread that looked for both names, between the two. */
    private fun calls(lines: List<String>, from: String, to: String): List<String> {
        val begin = lines.indexOfFirst { from in it }
        val thread = lines[begin].substringBefore(' ')
        val own = lines.drop(begin + 1).takeWhile { to !in it }.filter { it.substringBefore(' ') == thread }
        return own.map { it.substringAfter(' ').trim() }.filterNot { it.startsWith("<...") || it.startsWith("+++") || it.startsWith("---") }
    }

    private companion object {
        /** Folder, lock, ring. */
        val OF_OPEN = setOf(
            "mkdir", "openat", "open", "close", "flock", "fcntl", "fallocate", "ftruncate", "fstat", "stat", "lstat", "newfstatat", "statx",
            "pread64", "pwrite64", "read", "write", "lseek", "fsync", "fdatasync", "unlink", "rename", "getrandom", "access", "faccessat",
            "readlink", "getcwd", "getdents64", "chmod", "fchmod", "fstatfs", "statfs", "getpid", "uname", "sysinfo",
        )

        /** Memory, locks and threads. */
        val OF_THE_JVM = setOf(
            "mmap", "munmap", "mprotect", "madvise", "futex", "clone", "clone3", "sched_yield", "rt_sigprocmask", "sched_getaffinity",
            "gettid", "prlimit64", "set_robust_list", "brk", "mincore", "restart_syscall", "rseq", "membarrier",
        )
    }
}

/** Opens and records once before it is watched, so that the classes are loaded. */
object MainThreadProbe {
    @JvmStatic
    fun main(arguments: Array<String>) {
        val folder = File(arguments[0])
        fun open(name: String) = check(RezMonitor.init { basics(folder.resolve(name)) })
        fun record() {
            check(RezMonitor.captureException(IllegalStateException("probe"), mapOf("order" to 42)).isRecorded)
            RezMonitor.addBreadcrumb("a tap", "ui.click")
            check(RezMonitor.logEvent("probe", mapOf("step" to 1)).isRecorded)
        }
        val mark = { name: String -> File("/rez-$name").exists() }
        repeat(2) {
            open("before")
            repeat(50) { record() }
            RezMonitor.close()
        }
        mark("begin-open")
        open("watched")
        mark("end-open")
        // The start of the library, and the page faults of the first records.
        check(RezMonitor.persist(LIMIT))
        record()
        mark("begin-record")
        record()
        mark("end-record")
        RezMonitor.close()
    }
}
