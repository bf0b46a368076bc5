package app.rez.monitor.instrument

/** What the settings say about HTTP calls. Beside the Android layer, because the instruments of HTTP clients also run without Android. */
internal object HttpSettings {
    @Volatile
    var isRecorded: Boolean = true

    @Volatile
    var isBreadcrumb: Boolean = true
}
