//! The phrases that the engine's own modules need while they work: why a route waits, counts, times. [`crate::sentences`]
//! builds its sentences from them. Of the engine, this module imports the calendar only.

use crate::calendar::{RANGE_MS, rfc3339};

/// Declares the codes and their phrases in one table.
macro_rules! held {
    ($($name:ident $spelling:literal $sentence:literal)*) => {
        /// Why a route sends nothing now.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum HeldCode {
            $(#[doc = concat!("`", $spelling, "`: ", $sentence, ".")] $name,)*
        }

        impl HeldCode {
            /// All codes.
            pub const ALL: &[HeldCode] = &[$(HeldCode::$name,)*];

            /// The spelling: `retry_after` and so on. It does not change between versions.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(HeldCode::$name => $spelling,)* }
            }

            /// What it means, as the beginning of a sentence.
            #[must_use]
            pub fn text(self) -> &'static str {
                match self { $(HeldCode::$name => $sentence,)* }
            }
        }
    };
}

held! {
    Unreachable "unreachable" "the server could not be reached"
    Intercepted "intercepted"
        "the server could not be reached: something else responded in its place (a captive portal?)"
    NoResponse "no_answer" "the last request got no response that can be understood"
    Outage "outage" "the server has an outage"
    RateLimit "rate_limit" "the server asked for fewer requests"
    RetryAfter "retry_after" "the server asked to wait"
    BisectBudget "bisect_budget" "too many requests to find a refused event in this hour"
    Stopped "stopped" "stopped"
    RefusesEverything "refuses_everything" "stopped, because the server refuses every event"
    Parked "parked" "some events are parked"
    Suspended "suspended" "suspended by the host"
    Paused "paused" "paused by the app"
    StoreUnavailable "store_unavailable" "the queue cannot be used now"
    Dormant "dormant" "the destination has not been declared"
    Batch "batch" "collecting a batch"
    Spacing "spacing" "a request was sent a few seconds ago"
    Offline "offline" "the host reports no network"
    LowPower "low_power" "the host reports power saving"
}

/// A time, as `2026-11-23T00:00:00.000Z`; outside the years 0 to 9999 its milliseconds.
#[must_use]
pub fn time(ms: i64) -> String {
    if (RANGE_MS.0..=RANGE_MS.1).contains(&ms) { rfc3339(ms) } else { ms.to_string() }
}

/// A number with separators: `1,200`.
#[must_use]
pub fn number(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// `1 event`, `1,200 events`.
pub(crate) fn events(n: u64) -> String {
    format!("{} {}", number(n), if n == 1 { "event" } else { "events" })
}

/// Another program keeps erased data readable.
pub(crate) const ERASURE_BLOCKED: &str = "erased data is still in the log of queue.db: another program reads the queue";
