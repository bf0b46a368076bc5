//! Words of the core, under their own names.

use rez_monitor as core;

macro_rules! words {
    ($($(#[$doc:meta])* $name:ident = $core:path { $($(#[$of:meta])* $word:ident),+ $(,)? })+) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Enum)]
        pub enum $name {
            $($(#[$of])* $word),+
        }

        impl std::convert::From<$name> for $core {
            fn from(word: $name) -> Self {
                match word {
                    $($name::$word => <$core>::$word),+
                }
            }
        }
    )+};
}

words! {
    /// How important a message, breadcrumb or log entry is.
    Level = core::Level {
        /// Finer than debug.
        Trace,
        /// For developers.
        Debug,
        /// The normal course.
        Info,
        /// Something may be wrong.
        Warning,
        /// Something is wrong.
        Error,
        /// The app cannot go on.
        Fatal,
    }
    /// How bad an error is for the user.
    Severity = core::Severity {
        /// Hardly noticed.
        Low,
        /// The default.
        Medium,
        /// A function failed.
        High,
        /// The app is of no use.
        Critical,
    }
    /// Why an earlier process ended.
    ExitReason = core::ExitReason {
        /// An exception that nothing caught.
        Crash,
        /// A signal of native code.
        NativeCrash,
        /// The main thread did not respond.
        Anr,
        /// The system had no memory left.
        LowMemory,
        /// A signal that another process sent.
        Signaled,
        /// It did not start in time.
        InitializationFailure,
        /// It used too much of a resource.
        ExcessiveResourceUsage,
        /// No fault.
        Other,
    }
    /// What the frames of a stack were written in.
    Language = core::Language {
        /// JavaScript.
        Javascript,
        /// Java, Kotlin.
        Java,
        /// C, C++, Rust.
        Native,
        /// Swift, Objective-C.
        Cocoa,
    }
    /// What a timing measures.
    TimingKind = core::TimingKind {
        /// A screen from navigation to display.
        ScreenLoad,
        /// Process start to first screen.
        AppStart,
        /// An HTTP exchange.
        ApiCall,
        /// An image fetched and decoded.
        ImageLoad,
        /// The main thread was busy for a long time.
        LongTask,
    }
    /// How a span ended.
    SpanStatus = core::SpanStatus {
        /// Its work is done.
        Ok,
        /// Its work failed.
        Error,
        /// Its work was given up.
        Cancelled,
    }
    /// What a user can consent to.
    Purpose = core::Purpose {
        /// Errors, crashes, timing: keeping the app working.
        Monitoring,
        /// What users do.
        Analytics,
    }
    /// The user's decision about a purpose.
    Consent = core::Consent {
        /// Not decided: events are stored and not sent.
        Pending,
        /// Granted.
        Granted,
        /// Denied: nothing is stored.
        Denied,
    }
    /// What the host knows about the network.
    Network = core::Network {
        /// There is none.
        Offline,
        /// There is one.
        Online,
        /// Not known.
        Unknown,
    }
    /// What the host knows about power.
    Power = core::Power {
        /// As usual.
        Normal,
        /// The system saves power.
        Low,
    }
    /// How the device is held.
    Orientation = core::Orientation {
        /// Upright.
        Portrait,
        /// Sideways.
        Landscape,
    }
    /// What the device is connected with.
    Connection = core::Connection {
        /// Nothing.
        None,
        /// Wi-Fi.
        Wifi,
        /// A mobile network.
        Cellular,
        /// A cable.
        Ethernet,
        /// Bluetooth.
        Bluetooth,
        /// Another kind of connection.
        Other,
    }
    /// Generation of the mobile network.
    CarrierTechnology = core::CarrierTechnology {
        /// GPRS, EDGE, CDMA.
        G2,
        /// UMTS, HSPA, EV-DO.
        G3,
        /// LTE.
        G4,
        /// NR.
        G5,
    }
    /// From where a destination that is added receives rows.
    AddFrom = core::From {
        /// From the oldest row that is stored.
        Oldest,
        /// From now on.
        Now,
    }
}
