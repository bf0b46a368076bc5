package sample

import app.rez.monitor.Consent
import app.rez.monitor.RezMonitor
import java.io.File
import kotlin.time.Duration.Companion.seconds
import kotlinx.coroutines.runBlocking

fun runSample(folder: File, server: String) {
    RezMonitor.init {
        this.folder = folder.resolve("rez")
        app = "shop"
        release = "shop@1.4.0+52"
        consentMonitoring = Consent.GRANTED
        consentAnalytics = Consent.GRANTED
        destinations { rez(endpoint = server, key = "write-key") }
    }
    RezMonitor.trackScreenLoad("Cart").use { screen ->
        RezMonitor.trackApiCall("GET", "https://api.shop.example/cart").use { call ->
            call.finish(status = 200, bytes = 5_120)
        }
        screen.initialDisplay()
    }
    RezMonitor.trackInteraction("tap", "PayButton")
    try {
        error("the cart is empty")
    } catch (error: IllegalStateException) {
        RezMonitor.captureException(error, mapOf("items" to 0))
    }
    runBlocking { println(RezMonitor.flush(5.seconds)) }
}
