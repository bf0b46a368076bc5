package app.rez.monitor.instrument

import android.app.Application
import android.content.BroadcastReceiver
import android.content.Context
import android.content.Intent
import android.content.IntentFilter
import android.os.BatteryManager
import android.os.Build
import android.os.PowerManager
import app.rez.monitor.Power
import app.rez.monitor.RezMonitor
import app.rez.monitor.android.HostThread
import app.rez.monitor.android.guarded

/** Passes on the battery saver, the level of the battery and whether it is charged. */
internal class PowerState(
    private val application: Application,
    private val settings: PlatformSettings,
    host: HostThread,
    private val device: DeviceState?,
) : AutoCloseable {
    private val manager = application.getSystemService(Context.POWER_SERVICE) as PowerManager
    private var isSaving: Boolean? = null

    /** The system calls it on the host thread. */
    private val receiver = object : BroadcastReceiver() {
        override fun onReceive(context: Context, intent: Intent) = guarded("the state of the battery was not read") {
            if (intent.action == Intent.ACTION_BATTERY_CHANGED) battery(intent) else saver()
        }
    }

    init {
        val filter = IntentFilter(PowerManager.ACTION_POWER_SAVE_MODE_CHANGED)
        filter.addAction(Intent.ACTION_BATTERY_CHANGED)
        // Both come from the system only.
        if (Build.VERSION.SDK_INT >= 33) {
            application.registerReceiver(receiver, filter, null, host.handler, Context.RECEIVER_NOT_EXPORTED)
        } else {
            application.registerReceiver(receiver, filter, null, host.handler)
        }
        host.post { saver() }
    }

    private fun saver() {
        val isSaving = manager.isPowerSaveMode
        if (isSaving == this.isSaving) return
        val isChange = this.isSaving != null
        this.isSaving = isSaving
        RezMonitor.host.setPower(if (isSaving) Power.LOW else Power.NORMAL)
        device?.setLowPower(isSaving)
        if (isChange && settings.breadcrumbSystem) {
            RezMonitor.addBreadcrumb(if (isSaving) "battery saver on" else "battery saver off", "device.battery")
        }
    }

    private fun battery(intent: Intent) {
        val (level, scale) = intent.getIntExtra(BatteryManager.EXTRA_LEVEL, -1) to intent.getIntExtra(BatteryManager.EXTRA_SCALE, -1)
        val share = if (level >= 0 && scale > 0) level.toDouble() / scale else null
        val plugged = intent.getIntExtra(BatteryManager.EXTRA_PLUGGED, -1)
        device?.setBattery(share, if (plugged >= 0) plugged > 0 else null)
    }

    override fun close() = application.unregisterReceiver(receiver)
}
