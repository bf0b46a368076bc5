package app.rez.monitor.instrument

import android.app.Application
import android.content.Context
import android.net.ConnectivityManager
import android.net.NetworkCapabilities
import android.os.Build
import app.rez.monitor.Connection
import app.rez.monitor.Network
import app.rez.monitor.RezMonitor
import app.rez.monitor.android.HostThread

/** Passes on whether there is a network, what kind, and whether its bytes cost: it is metered, or abroad. */
internal class NetworkState(
    application: Application,
    private val settings: PlatformSettings,
    private val host: HostThread,
    private val device: DeviceState?,
) : AutoCloseable {
    private val manager = application.getSystemService(Context.CONNECTIVITY_SERVICE) as ConnectivityManager
    private var last: Connection? = null

    private val callback = object : ConnectivityManager.NetworkCallback() {
        override fun onCapabilitiesChanged(network: android.net.Network, capabilities: NetworkCapabilities) {
            host.post { pass(connection(capabilities), isMetered(capabilities)) }
        }

        override fun onLost(network: android.net.Network) {
            host.post { pass(Connection.NONE, null) }
        }
    }

    init {
        // Without a network there is no callback until there is one.
        if (manager.activeNetwork == null) host.post { pass(Connection.NONE, null) }
        manager.registerDefaultNetworkCallback(callback)
    }

    private fun pass(connection: Connection, isMetered: Boolean?) {
        RezMonitor.host.setNetwork(if (connection == Connection.NONE) Network.OFFLINE else Network.ONLINE)
        device?.setNetwork(connection, isMetered)
        if (connection != last && last != null && settings.breadcrumbSystem) {
            RezMonitor.addBreadcrumb(connection.name.lowercase(), "device.connectivity", mapOf("metered" to isMetered))
        }
        last = connection
    }

    private fun isMetered(capabilities: NetworkCapabilities): Boolean {
        val isRoaming = Build.VERSION.SDK_INT >= 28 && !capabilities.hasCapability(NetworkCapabilities.NET_CAPABILITY_NOT_ROAMING)
        return isRoaming || !capabilities.hasCapability(NetworkCapabilities.NET_CAPABILITY_NOT_METERED)
    }

    private fun connection(capabilities: NetworkCapabilities): Connection =
        TRANSPORTS.firstOrNull { (transport, _) -> capabilities.hasTransport(transport) }?.second ?: Connection.OTHER

    override fun close() = manager.unregisterNetworkCallback(callback)

    private companion object {
        /** A VPN also has the transport below it, which is the one that counts. */
        val TRANSPORTS: List<Pair<Int, Connection>> = listOf(
            NetworkCapabilities.TRANSPORT_WIFI to Connection.WIFI,
            NetworkCapabilities.TRANSPORT_CELLULAR to Connection.CELLULAR,
            NetworkCapabilities.TRANSPORT_ETHERNET to Connection.ETHERNET,
            NetworkCapabilities.TRANSPORT_BLUETOOTH to Connection.BLUETOOTH,
        )
    }
}
