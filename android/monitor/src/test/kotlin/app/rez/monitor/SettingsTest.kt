package app.rez.monitor

import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import java.io.File
import kotlin.time.Duration.Companion.days
import kotlin.time.Duration.Companion.microseconds
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds

/** Every setting of the engine has a member of the builder, and every enumeration the words of the engine. */
class SettingsTest {
    private val schema = JSON.readTree(File(System.getProperty("rez.contract"), "schema/settings.camel.schema.json"))

    private fun all() = Settings.Builder().apply {
        folder = File("/tmp/rez")
        app = "shop"
        release = "shop@1"
        dist = "1"
        environment = "ci"
        os = "Android 15"
        device = "Pixel 9"
        debug = true
        inspector = true
        testMode = true
        testSeed = 7
        nativeCrashes = true
        uncleanExits = UncleanExits.AWAIT_REPORT
        consentMonitoring = Consent.GRANTED
        consentAnalytics = Consent.PENDING
        slowScreen = 1.seconds
        slowApi = 1.seconds
        slowImage = 1.seconds
        sampleRates = mapOf("frames" to 0.1)
        logLevel = Level.DEBUG
        capBytes = 1L shl 30
        maxAge = 30.days
        traceTargets = listOf("api.rezapp.com")
        traceStyles = listOf(TraceStyle.W3C, TraceStyle.SENTRY, TraceStyle.DATADOG)
        recordedHeaders = listOf("x-cache")
        sessions = false
        sessionBackground = 1.seconds
        maskUser = true
        maskIp = true
        hangs = false
        hang = 3.seconds
        errors = false
        rejections = false
        exits = false
        appStart = false
        appStartMax = 5.seconds
        screens = false
        screenMax = 5.seconds
        images = false
        network = false
        interactions = false
        frames = false
        slowFrame = 8_333.microseconds
        frozenFrame = 500.milliseconds
        longTasks = false
        longTask = 50.milliseconds
        breadcrumbLifecycle = false
        breadcrumbNavigation = false
        breadcrumbTouch = false
        breadcrumbNetwork = false
        breadcrumbConsole = false
        breadcrumbSystem = false
        deviceHints = false
        backgroundUpload = false
        destinations {
            val both = setOf(Purpose.MONITORING, Purpose.ANALYTICS)
            rez("https://in.example.com", "key", "team") { purposes = both }
            sentry("https://0123456789abcdef@o1.ingest.sentry.io/42") {
                tracesSampleRate = 0.5
                messagesAsLogs = true
                analyticsAsLogs = true
            }
            datadog("0190f2aa-7c1e-7a53-9b0e-3b6a3f0d9c11", "token") {
                purposes = both
                endpoint = "https://relay.example.com"
                site = "datadoghq.eu"
                service = "shop"
                sessionSampleRate = 0.5
                logSampleRate = 0.5
                forwardErrorsToLogs = true
                maskUserInput = false
                trackUserInteractions = false
                trackResources = false
                trackLongTasks = false
            }
            mixpanel("token") {
                purposes = both
                endpoint = "https://relay.example.com"
                region = "eu"
                errors = true
                interactions = true
                apiCalls = true
            }
            ga4Web("G-1A2B3C4D5E", "secret") {
                purposes = both
                endpoint = "https://relay.example.com"
                region = "eu"
                interactions = false
                apiCalls = true
            }
            ga4App("1:1234567890:android:321abc456def7890", "0123456789abcdef0123456789abcdef", "secret", "ga4-app")
            otlp("https://otlp.example.com") {
                purposes = both
                bearerToken = "token"
                headers = mapOf("a" to "b")
                logsEndpoint = "https://logs.example.com"
                tracesEndpoint = "https://traces.example.com"
                metricsEndpoint = "https://metrics.example.com"
                signals = setOf("logs", "traces")
                encoding = "json"
                breadcrumbs = false
                tracesSampleRate = 0.5
            }
        }
    }

    @Test
    fun `every setting has a member, and the engine takes all of them`() {
        val map = all().toMap()
        // No call of a phone raises an alert, so its window is a setting of servers.
        val settings = schema["properties"].fieldNames().asSequence().toSortedSet() - "alertWindowMs"
        assertEquals(settings, map.keys.toSortedSet())
        @Suppress("UNCHECKED_CAST")
        val destinations = map["destinations"] as List<Map<String, Any?>>
        val members = destinations.flatMap { it.keys }.toSortedSet()
        assertEquals(schema["\$defs"]["destination"]["properties"].fieldNames().asSequence().toSortedSet(), members)
        all().build()
    }

    @Test
    fun `every fact has a member`() {
        val facts = Facts().apply {
            manufacturer = "m"; brand = "b"; model = "m"; family = "f"; architecture = "a"; memoryBytes = 1; storageBytes = 1
            screenWidthPx = 1; screenHeightPx = 1; density = 1.0; isEmulator = true; isRooted = false; locale = "l"; timeZone = "t"
            osName = "o"; osVersion = "1"; osBuild = "b"; appVersion = "1"; appBuild = "1"; appId = "i"; installSource = "s"
            startKind = "cold"; frameworkName = "f"; frameworkVersion = "1"
        }
        val guide = File(System.getProperty("rez.contract"), "../../docs/guide/device.md").readText()
        val table = guide.substringAfter("<!-- generated by gen-docs from here -->").substringBefore("<!-- to here -->")
        val names = Regex("(?m)^\\| `([a-z_]+)`").findAll(table).map { it.groupValues[1] }
        assertEquals(names.toSortedSet(), facts.toMap().keys.toSortedSet())
    }

    @Test
    fun `a wrong setting is named with its value, and a key is not printed`() {
        fun message(configure: Settings.Builder.() -> Unit) =
            assertThrows(IllegalArgumentException::class.java) { all().apply(configure).build() }.message!!
        assertTrue("`sampleRates.frames` is 2" in message { sampleRates = mapOf("frames" to 2.0) })
        assertTrue("`capBytes` is 5" in message { capBytes = 5 })
        assertTrue("`folder`" in message { folder = null })
        val key = message { destinations { sentry("no-dsn-s3cret", "second") } }
        assertTrue("dsn" in key && "s3cret" !in key) { key }
    }

    @Test
    fun `enumerations have the entries of the generated ones in their order`() {
        val pairs = listOf(
            Level.entries to app.rez.monitor.internal.Level.entries,
            Severity.entries to app.rez.monitor.internal.Severity.entries,
            Language.entries to app.rez.monitor.internal.Language.entries,
            SpanStatus.entries to app.rez.monitor.internal.SpanStatus.entries,
            Purpose.entries to app.rez.monitor.internal.Purpose.entries,
            Consent.entries to app.rez.monitor.internal.Consent.entries,
            Network.entries to app.rez.monitor.internal.Network.entries,
            Power.entries to app.rez.monitor.internal.Power.entries,
            Orientation.entries to app.rez.monitor.internal.Orientation.entries,
            Connection.entries to app.rez.monitor.internal.Connection.entries,
            CarrierTechnology.entries to app.rez.monitor.internal.CarrierTechnology.entries,
            AddFrom.entries to app.rez.monitor.internal.AddFrom.entries,
        )
        for ((own, generated) in pairs) assertEquals(generated.map { it.name }, own.map { it.name })
    }
}
