package app.rez.monitor.instrument

import android.app.Application
import android.content.res.Configuration
import android.os.StatFs
import app.rez.monitor.Connection
import app.rez.monitor.Orientation
import app.rez.monitor.RezMonitor
import app.rez.monitor.android.HostThread
import app.rez.monitor.android.guarded
import app.rez.monitor.android.memory

/** The conditions of the device as last heard; every change is passed on whole. Changed on the host thread only. */
internal class DeviceState(
    private val application: Application,
    private val host: HostThread,
) : AutoCloseable {
    private var isForeground: Boolean? = null
    private var connection: Connection? = null
    private var isMetered: Boolean? = null
    private var battery: Double? = null
    private var isCharging: Boolean? = null
    private var isLowPower: Boolean? = null

    init {
        host.post { pass() }
    }

    fun setForeground(isForeground: Boolean) {
        this.isForeground = isForeground
        pass()
    }

    fun setNetwork(connection: Connection, isMetered: Boolean?) {
        if (connection == this.connection && isMetered == this.isMetered) return
        this.connection = connection
        this.isMetered = isMetered
        pass()
    }

    fun setBattery(level: Double?, isCharging: Boolean?) {
        if (level == battery && isCharging == this.isCharging) return
        battery = level
        this.isCharging = isCharging
        pass()
    }

    fun setLowPower(isLowPower: Boolean) {
        this.isLowPower = isLowPower
        pass()
    }

    /** Reads memory, storage and orientation, which nobody reports, and passes all on. */
    fun pass() {
        val freeMemory = guarded("the free memory is not known", null) { memory(application)?.availMem }
        val freeStorage = guarded("the free storage is not known", null) { StatFs(application.applicationInfo.dataDir).availableBytes }
        RezMonitor.host.setConditions {
            freeMemoryBytes = freeMemory
            freeStorageBytes = freeStorage
            battery = this@DeviceState.battery
            isCharging = this@DeviceState.isCharging
            isLowPower = this@DeviceState.isLowPower
            orientation = when (application.resources.configuration.orientation) {
                Configuration.ORIENTATION_PORTRAIT -> Orientation.PORTRAIT
                Configuration.ORIENTATION_LANDSCAPE -> Orientation.LANDSCAPE
                else -> null
            }
            connection = this@DeviceState.connection
            isMetered = this@DeviceState.isMetered
            isForeground = this@DeviceState.isForeground
        }
    }

    override fun close() = Unit
}
