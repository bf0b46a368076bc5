package app.rez.monitor.robolectric

import android.app.Application
import android.content.ComponentCallbacks2
import android.content.Context
import android.content.Intent
import android.content.res.Configuration
import android.net.ConnectivityManager
import android.net.NetworkCapabilities
import android.os.BatteryManager
import android.os.PowerManager
import app.rez.monitor.*
import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.junit.Test
import org.robolectric.Shadows.shadowOf
import org.robolectric.shadows.ShadowNetwork
import org.robolectric.shadows.ShadowNetworkCapabilities
import java.util.concurrent.atomic.AtomicInteger
import kotlin.time.Duration.Companion.seconds

class DeviceTest : AndroidTest() {
    private fun callbacks() = shadowOf(application.getSystemService(ConnectivityManager::class.java)).networkCallbacks

    private fun network(transport: Int, vararg capabilities: Int) {
        val all = ShadowNetworkCapabilities.newInstance()
        shadowOf(all).addTransportType(transport)
        // What Android sets by itself.
        for (own in listOf(NetworkCapabilities.NET_CAPABILITY_NOT_METERED, NetworkCapabilities.NET_CAPABILITY_NOT_ROAMING)) {
            shadowOf(all).removeCapability(own)
        }
        capabilities.forEach { shadowOf(all).addCapability(it) }
        callbacks().forEach { it.onCapabilitiesChanged(ShadowNetwork.newInstance(7), all) }
    }

    @Test
    fun `the connection and whether it costs are on errors`() {
        start()
        network(
            NetworkCapabilities.TRANSPORT_WIFI,
            NetworkCapabilities.NET_CAPABILITY_NOT_METERED,
            NetworkCapabilities.NET_CAPABILITY_NOT_ROAMING,
        )
        conditions().let { assertEquals("wifi" to false, it["connection"].asText() to it["metered"].asBoolean()) }
        network(NetworkCapabilities.TRANSPORT_CELLULAR, NetworkCapabilities.NET_CAPABILITY_NOT_METERED)
        conditions().let { assertEquals("cellular" to true, it["connection"].asText() to it["metered"].asBoolean()) }
        callbacks().forEach { it.onLost(ShadowNetwork.newInstance(7)) }
        conditions().let { assertEquals("none", it["connection"].asText()) }
        assertEquals(listOf("cellular", "none"), breadcrumbs())
    }

    @Test
    fun `a network that returns is a reason to send`() {
        val sent = AtomicInteger()
        start {
            transport = HttpTransport { _, call ->
                sent.incrementAndGet()
                call.notSent("no network in this test")
            }
            destinations { sentry("https://key@o1.ingest.sentry.io/42") }
        }
        callbacks().forEach { it.onLost(ShadowNetwork.newInstance(7)) }
        settle()
        RezMonitor.trackScreenLoad("Home", 1.seconds)
        network(NetworkCapabilities.TRANSPORT_WIFI, NetworkCapabilities.NET_CAPABILITY_NOT_METERED)
        waitUntil("it is sent") { sent.get() > 0 }
    }

    @Test
    fun `the battery, the battery saver and free memory are on errors`() {
        start()
        // What was so at the start is no change.
        settle()
        application.sendStickyBroadcast(
            Intent(Intent.ACTION_BATTERY_CHANGED)
                .putExtra(BatteryManager.EXTRA_LEVEL, 35)
                .putExtra(BatteryManager.EXTRA_SCALE, 100)
                .putExtra(BatteryManager.EXTRA_PLUGGED, BatteryManager.BATTERY_PLUGGED_USB),
        )
        shadowOf(application.getSystemService(Context.POWER_SERVICE) as PowerManager).setIsPowerSaveMode(true)
        application.sendBroadcast(Intent(PowerManager.ACTION_POWER_SAVE_MODE_CHANGED))
        settle()
        val conditions = conditions()
        assertEquals(0.35, conditions["battery"].asDouble(), 0.001)
        assertEquals(true, conditions["charging"].asBoolean())
        assertEquals(true, conditions["low_power"].asBoolean())
        assertTrue(conditions.has("free_storage_bytes"))
        assertTrue("battery saver on" in breadcrumbs())
    }

    @Test
    fun `a lack of memory, a turn and another language are noticed`() {
        start()
        settle()
        callbacksOf(application).forEach { it.onTrimMemory(ComponentCallbacks2.TRIM_MEMORY_UI_HIDDEN) }
        callbacksOf(application).forEach { it.onTrimMemory(ComponentCallbacks2.TRIM_MEMORY_BACKGROUND) }
        val turned = Configuration(application.resources.configuration).apply {
            orientation = Configuration.ORIENTATION_LANDSCAPE
            setLocale(java.util.Locale.forLanguageTag("hi-IN"))
        }
        callbacksOf(application).forEach { it.onConfigurationChanged(turned) }
        assertEquals(listOf("low memory", "landscape"), breadcrumbs())
        assertEquals("hi-IN", rows(folder)["runs"].last()["facts"]["locale"].asText())
    }

    /** The application itself passes them on to what is registered there. */
    private fun callbacksOf(application: Application): List<ComponentCallbacks2> = listOf(application)
}
