//! The closed list of what the engine logs.

/// How serious a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum LogLevel {
    /// Nothing is wrong yet.
    Info,
    /// Something was lost or changed, or will be.
    Warning,
    /// Nothing is delivered or stored until it is mended.
    Error,
}

impl LogLevel {
    /// The spelling: `info`, `warning`, `error`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            LogLevel::Info => "info",
            LogLevel::Warning => "warning",
            LogLevel::Error => "error",
        }
    }
}

/// Declares the codes from one table: number of rows, of spellings, levels, meanings and advice cannot differ.
macro_rules! codes {
    ($($name:ident $spelling:literal $level:ident $meaning:literal $advice:literal)*) => {
        /// What a message of the [`crate::Logger`] is about. New codes can be added in any version.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum LogCode {
            $(#[doc = $meaning] $name,)*
        }

        impl LogCode {
            /// All codes.
            pub const ALL: &[LogCode] = &[$(LogCode::$name,)*];

            /// The spelling, for filters: `route_stopped` and so on. It does not change between versions.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(LogCode::$name => $spelling,)* }
            }

            /// How serious a message with this code is.
            #[must_use]
            pub fn level(self) -> LogLevel {
                match self { $(LogCode::$name => LogLevel::$level,)* }
            }

            /// What happened, in a sentence.
            #[must_use]
            pub fn meaning(self) -> &'static str {
                match self { $(LogCode::$name => $meaning,)* }
            }

            /// What to do, in a sentence. It ends every message with this code.
            #[must_use]
            pub fn advice(self) -> &'static str {
                match self { $(LogCode::$name => $advice,)* }
            }
        }
    };
}

codes! {
    RouteStopped "route_stopped" Error
        "A destination refuses the key or the address, or every event: its route sends one probe after 1 h, 2 h, up to 24 h."
        "Check key and address of the destination; its events are kept meanwhile."
    Unreachable "unreachable" Warning
        "A destination could not be reached for five minutes while the host did not report the device as offline."
        "Check the address, and that the network allows it; events are kept and sent later."
    EventsRefused "events_refused" Warning
        "A destination did not take events, and they are not sent to it again."
        "See `why` for an event, or `rezq list`, for the response."
    ValueChanged "value_changed" Warning
        "A destination does not accept a value of the configuration and sends it in another form."
        "Change the value if the vendor must show it as it is."
    ValueCut "value_cut" Warning
        "Values of an event were cut or left out because of a limit."
        "Record less; docs/guide/record.md lists the limits."
    TooLarge "too_large" Warning
        "An event was dropped because it is too large even after its values were cut."
        "Record less in one event; a row has at most 64 KiB."
    Malformed "malformed" Warning
        "A record could not be read and was dropped."
        "If it came in a batch, correct the item. Otherwise, if no power failure or kill came before it, report it as a fault of the library."
    RingFull "ring_full" Warning
        "Events were refused because more was recorded than could be stored."
        "Record less at once."
    Reentrant "reentrant" Warning
        "Events were refused because they were recorded inside a hook or logger of this library."
        "Do not record there."
    HookFailed "hook_failed" Error
        "The `before_send` hook panicked or took longer than a second: all events of this run are dropped from now on."
        "Correct the hook: it must return within a second and must not panic."
    ConsentPending "consent_pending" Info
        "The user has not decided about a purpose for a minute: events of it are stored and not sent."
        "Call `set_consent` with the answer."
    NoDestination "no_destination" Info
        "No destination is declared: events are stored and not sent."
        "Declare one in the configuration, or call `add_destination`."
    NoTransport "no_transport" Error
        "There is no HTTP client: nothing is sent."
        "Enable the feature `transport-reqwest`, or pass a transport to the configuration."
    UnknownTarget "unknown_target" Warning
        "An event is meant for a destination that is not declared."
        "Correct the name, or declare the destination; the event is kept for it for 7 days."
    DiskFull "disk_full" Error
        "The disk is full: the least important events are given up first, then recording waits in the ring."
        "Recording continues by itself when there is room."
    Evicted "evicted" Warning
        "Stored events were given up because the queue reached its size cap."
        "Raise `cap_bytes`, record less, or see why nothing is delivered."
    StoreUnavailable "store_unavailable" Error
        "The queue cannot be used: events stay in the ring, which holds about 3,900 of them."
        "Check the folder; it is tried again every minute."
    Quarantined "quarantined" Warning
        "The queue was damaged and was replaced; its readable events are recovered in the background."
        "Nothing to do; if it happens often, another program changes the files."
    CrashLoop "crash_loop" Error
        "The last starts died while the queue was being opened: it was set aside."
        "Send the folder `quarantine` with a report of the fault."
    ErasureBlocked "erasure_blocked" Warning
        "Erased data is still in the log of the queue, because another program reads the queue."
        "End the program that has queue.db open; the erasure is tried again every second."
    FolderInUse "folder_in_use" Info
        "Another process uses the folder: this one uses the next free one beside it."
        "Give each process a folder of its own."
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_code_has_a_spelling_of_its_own_and_two_whole_sentences() {
        let spellings: BTreeSet<&str> = LogCode::ALL.iter().map(|code| code.as_str()).collect();
        assert_eq!(spellings.len(), LogCode::ALL.len());
        for code in LogCode::ALL {
            assert!(code.as_str().bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'), "{code:?}");
            for sentence in [code.meaning(), code.advice()] {
                assert!(
                    sentence.ends_with('.') && sentence.starts_with(|c: char| c.is_ascii_uppercase()),
                    "{sentence}"
                );
            }
        }
    }
}
