package app.rez.monitor

/**
 * Facts about device, system and app that hold for a whole run (`docs/guide/device.md`). What is `null` is not known.
 *
 * A text has at most 100 bytes. No fact may identify a person: do not put ids into facts.
 */
public class Facts {
    /** The manufacturer: `Google`. */
    public var manufacturer: String? = null

    /** The brand under which the device is sold. */
    public var brand: String? = null

    /** The model: `Pixel 9`. It replaces [Settings.Builder.device]. */
    public var model: String? = null

    /** The family of models. */
    public var family: String? = null

    /** The architecture of the processor: `arm64`. */
    public var architecture: String? = null

    /** Memory of the device, in bytes. */
    public var memoryBytes: Long? = null

    /** Internal storage of the device, in bytes. */
    public var storageBytes: Long? = null

    /** Width of the screen, in physical pixels. */
    public var screenWidthPx: Int? = null

    /** Height of the screen, in physical pixels. */
    public var screenHeightPx: Int? = null

    /** Physical pixels per logical pixel; 1 is 160 dpi on Android. */
    public var density: Double? = null

    /** Whether it is an emulator. */
    public var isEmulator: Boolean? = null

    /** Whether the system was changed to give every app all rights. */
    public var isRooted: Boolean? = null

    /** The language and region: `en-IN`. */
    public var locale: String? = null

    /** The time zone: `Asia/Kolkata`. */
    public var timeZone: String? = null

    /** The name of the system: `Android`. It replaces [Settings.Builder.os]. */
    public var osName: String? = null

    /** The version of the system: `15`. */
    public var osVersion: String? = null

    /** The build of the system. */
    public var osBuild: String? = null

    /** The version of the app as users see it. */
    public var appVersion: String? = null

    /** The build number of the app. */
    public var appBuild: String? = null

    /** The id of the app: `com.example.shop`. */
    public var appId: String? = null

    /** Who installed the app: `com.android.vending`. */
    public var installSource: String? = null

    /** `cold` or `warm`. */
    public var startKind: String? = null

    /** The name of the framework that the app is written with: `react_native`. */
    public var frameworkName: String? = null

    /** The version of that framework. */
    public var frameworkVersion: String? = null

    internal fun toMap(): Map<String, Any> = buildMap {
        fun add(name: String, value: Any?) {
            if (value != null) put(name, value)
        }
        add("manufacturer", manufacturer)
        add("brand", brand)
        add("model", model)
        add("family", family)
        add("architecture", architecture)
        add("memory_bytes", memoryBytes)
        add("storage_bytes", storageBytes)
        add("screen_width_px", screenWidthPx)
        add("screen_height_px", screenHeightPx)
        add("density", density)
        add("emulator", isEmulator)
        add("rooted", isRooted)
        add("locale", locale)
        add("time_zone", timeZone)
        add("os_name", osName)
        add("os_version", osVersion)
        add("os_build", osBuild)
        add("app_version", appVersion)
        add("app_build", appBuild)
        add("app_id", appId)
        add("install_source", installSource)
        add("start_kind", startKind)
        frameworkName?.let { name ->
            add("framework", mapOf("name" to name, "version" to frameworkVersion).filterValues { it != null })
        }
    }
}

/** Facts about the device that hold for a moment. They are attached to errors, crashes, hangs and exits. `null`: not known. */
public class Conditions {
    /** Memory that an app can still allocate, in bytes. */
    public var freeMemoryBytes: Long? = null

    /** Free internal storage, in bytes. */
    public var freeStorageBytes: Long? = null

    /** Level of the battery, 0 (empty) to 1 (full). */
    public var battery: Double? = null

    /** Whether the battery is being charged or is full on external power. */
    public var isCharging: Boolean? = null

    /** Whether the system saves power. */
    public var isLowPower: Boolean? = null

    /** How the device is held. */
    public var orientation: Orientation? = null

    /** What the device is connected with. */
    public var connection: Connection? = null

    /** Generation of the mobile network. */
    public var carrierTechnology: CarrierTechnology? = null

    /** Whether the user pays for the bytes of the connection, or has asked to save them. */
    public var isMetered: Boolean? = null

    /** Whether the app is in the foreground. */
    public var isForeground: Boolean? = null
}
