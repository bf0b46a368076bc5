package app.rez.monitor.internal

import app.rez.monitor.Settings

/** A batch document with the mapping of the build, of which the engine makes an image of each error. `null`: the build names none. */
internal val Settings.mappingDocument: String?
    get() = mappingId?.let { uuid ->
        val image = mapOf("type" to "proguard", "uuid" to uuid.lowercase())
        val change = mapOf("scope" to "context", "name" to "debug_images", "value" to mapOf("mapping" to image))
        json(mapOf("v" to 1, "items" to listOf(change)))
    }
