package app.rez.monitor

/** How important a message, breadcrumb or log entry is, from the least to the most important. */
public enum class Level {
    /** Finer than [DEBUG]. */
    TRACE,

    /** For developers. */
    DEBUG,

    /** The normal course. */
    INFO,

    /** Something may be wrong. */
    WARNING,

    /** Something is wrong. */
    ERROR,

    /** The app cannot go on. */
    FATAL,
}

/** How bad an error is for the user. */
public enum class Severity {
    /** Hardly noticed. */
    LOW,

    /** The default. */
    MEDIUM,

    /** A function failed. */
    HIGH,

    /** The app is of no use. */
    CRITICAL,
}

/** What the frames of a stack were written in. */
public enum class Language {
    /** JavaScript. */
    JAVASCRIPT,

    /** Java, Kotlin. */
    JAVA,

    /** C, C++, Rust. */
    NATIVE,

    /** Swift, Objective-C. */
    COCOA,
}

/** How a span ended. */
public enum class SpanStatus {
    /** Its work is done. */
    OK,

    /** Its work failed. */
    ERROR,

    /** Its work was given up. */
    CANCELLED,
}

/** What a user can consent to. */
public enum class Purpose {
    /** Errors, crashes, timing: keeping the app working. */
    MONITORING,

    /** What users do. */
    ANALYTICS,
}

/** The user's decision about a [Purpose]. */
public enum class Consent {
    /** Not decided: events are stored and not sent. */
    PENDING,

    /** Granted. */
    GRANTED,

    /** Denied: nothing is stored, and what is stored is erased. */
    DENIED,
}

/** What the app knows about the network. */
public enum class Network {
    /** There is none. */
    OFFLINE,

    /** There is one. */
    ONLINE,

    /** Not known. */
    UNKNOWN,
}

/** What the app knows about power. */
public enum class Power {
    /** As usual. */
    NORMAL,

    /** The system saves power. */
    LOW,
}

/** How the device is held. */
public enum class Orientation {
    /** Upright. */
    PORTRAIT,

    /** Sideways. */
    LANDSCAPE,
}

/** What the device is connected with. */
public enum class Connection {
    /** Nothing. */
    NONE,

    /** Wi-Fi. */
    WIFI,

    /** A mobile network. */
    CELLULAR,

    /** A cable. */
    ETHERNET,

    /** Bluetooth. */
    BLUETOOTH,

    /** Another kind of connection. */
    OTHER,
}

/** Generation of the mobile network. */
public enum class CarrierTechnology {
    /** GPRS, EDGE, CDMA. */
    G2,

    /** UMTS, HSPA, EV-DO. */
    G3,

    /** LTE. */
    G4,

    /** NR. */
    G5,
}

/** Which stored events a destination that is added at run time receives. */
public enum class AddFrom {
    /** Every event that is still stored, and later ones. */
    OLDEST,

    /** Later ones only. */
    NOW,
}

/** The trace headers of a request. */
public enum class TraceStyle {
    /** `traceparent` and `tracestate`, by W3C Trace Context. */
    W3C,

    /** `sentry-trace` and `baggage`. */
    SENTRY,

    /** `x-datadog-*`. */
    DATADOG,
}

/** What is recorded of a run that ended without a crash and without [RezMonitor.close]. */
public enum class UncleanExits {
    /** An `app_exit`, if it was in the foreground. */
    RECORDED,

    /** The same, after the platform layer has told what the system remembers. */
    AWAIT_REPORT,

    /** Nothing: a debugger ends an app as it likes. */
    IGNORED,
}

/** A crash that [RezMonitor.testCrash] makes. */
public enum class TestCrash {
    /** An exception of the main thread that nothing catches. */
    EXCEPTION,

    /** A write to memory that is not there: `SIGSEGV`. */
    FAULT,

    /** `SIGABRT`. */
    ABORT,

    /** A panic of Rust, which ends the process by `SIGABRT`. */
    PANIC,
}
