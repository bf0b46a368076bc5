package app.rez.monitor.internal

import java.io.File

/** Loads the library, once. */
internal object Library {
    /** Whether the library is there and is the one for this code. Loads it at the first call; never throws. */
    val isLoaded: Boolean by lazy(LazyThreadSafetyMode.SYNCHRONIZED) {
        try {
            load()
            Native.nonce() != 0L
        } catch (reason: Throwable) {
            Log.disabled("the library cannot be loaded", reason)
            false
        }
    }

    private fun load() {
        val path = System.getProperty("app.rez.monitor.library") ?: find()
        if (path == null) {
            System.loadLibrary("rezmonitor")
            return
        }
        System.load(path)
        // JNA must open the same file.
        if (System.getProperty(JNA_PATH) == null) System.setProperty(JNA_PATH, path)
    }

    private const val JNA_PATH = "uniffi.component.rezmonitor.libraryOverride"

    /** On a desktop JVM, JNA does not search where `loadLibrary` does. */
    private fun find(): String? {
        // On Android it does, and the caller may be the main thread, which is to read no folder.
        if (System.getProperty("java.vm.name") == "Dalvik") return null
        val folders = System.getProperty("java.library.path").orEmpty().split(File.pathSeparatorChar)
        val name = System.mapLibraryName("rezmonitor")
        return folders.map { File(it, name) }.firstOrNull { it.isAbsolute && it.isFile }?.path
    }
}
