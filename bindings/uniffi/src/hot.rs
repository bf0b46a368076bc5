//! The hot record: one event as bytes, for languages in which a generated call costs a hundred times the core's own work.
//!
//! A face writes a record into a byte array that it keeps per thread, and crosses once. The decoder borrows from the array,
//! allocates nothing for a record of at most 16 attributes without lists and maps, and calls the same typed call as the generated
//! function, so limits, rules and rows are the same.
//!
//! # Hot record, version 1
//!
//! Numbers are little-endian. A text is its length in bytes (`u16`) and UTF-8. A part in brackets is there if its bit is set.
//!
//! ```text
//! version u8 = 1 | call u8 | bits u16 | members of the call | common members
//!
//! call 1, timing:       kind u8 | duration_us u64 | name text | [4 method text] [5 status u16] [6 sent u64, received u64]
//!                       [7 error text] [8 endpoint text] [9 start_ms i64] [10 initial_us u64] [11 request headers] [12 response headers]
//! call 2, breadcrumb:   level u8 | kind text | category text | message text            (attrs are its data)
//! call 3, track:        name text
//! call 4, screen view:  name text | [4 class text]
//! call 5, interaction:  action text | component text
//! call 6, message:      level u8 | message text
//! call 7, log:          level u8 | message text | [4 logger text]
//! call 8, metric:       type u8 (0 counter, 1 gauge, 2 distribution) | value f64 | name text
//! call 9, error:        severity u8 | type text | message text | [4 code text] [5 mechanism text] [6 unhandled] [7 frames] [8 causes]
//!                       [9 thread]
//!
//! call 10, begin a screen load:   name text
//! call 11, begin an HTTP call:    method text | url text | [1 trace of its parent]
//! call 12, begin a span:          name text | op text | [1 trace of its parent] [4 its row belongs to that of the parent]
//! call 13, end one of them:       how u8 (0 finished, 1 failed, 2 cancelled) | status u16 (of a span 0 ok, 1 error, 2 cancelled)
//!                                 | sent u64 | received u64 | error text
//! call 14, set attributes:        [3 attrs]                             (of a span)
//!
//! common members:       [0 at_ms i64] [1 trace] [2 targets] [3 attrs]
//! trace:                id 2 x u64 (high, low) | span u64 | parent u64 (0 = none) | sampled u8 (0 unknown, 1 no, 2 yes)
//! targets:              n u8 | n texts
//! headers:              n u8 | n x (name text, value text)
//! attrs:                n u8 | n x (name text, value)
//! value:                0 null | 1 false | 2 true | 3 i64 | 5 f64 | 6 text | 7 n u16, n values | 8 n u16, n x (name text, value)
//! frames:               n u8 | n x (function text, module text, file text, line u32, column u32, in_app u8)
//! causes:               n u8 | n x (parent u8, source text, type text, message text, frames)
//! thread:               id u64 | name text | main u8                               (the one that it happened on)
//! ```
//!
//! Kinds of timings have the numbers of [`TIMINGS`], levels their places in [`rez_monitor::Level::ALL`]. `tests/contract/hot/v1.json` has records in this form,
//! which every encoder must write and this decoder must read.

mod c;
mod decode;
mod guards;
#[cfg(feature = "jni")]
mod jni;
mod reader;

#[cfg(feature = "jni")]
pub(crate) use jni::attach_thread;

use rez_monitor::{EventId, Reason, TimingKind};

/// A thread that calls the host's code. Only a Java virtual machine must know the thread.
#[cfg(not(feature = "jni"))]
pub(crate) fn attach_thread() {}

/// Version of the form.
pub(crate) const VERSION: u8 = 1;

/// Largest record: what does not fit is recorded by the generated call.
pub(crate) const RECORD_BYTES: usize = 40 * 1024;

/// The kinds of timings, by number.
pub const TIMINGS: [TimingKind; 5] =
    [TimingKind::ScreenLoad, TimingKind::AppStart, TimingKind::ApiCall, TimingKind::ImageLoad, TimingKind::LongTask];

/// What became of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Submitted {
    /// An event with this id.
    Recorded(EventId),
    /// A breadcrumb, which has no id.
    Noted,
    /// Refused, and counted.
    Dropped(Reason),
    /// Not a record of this version: nothing was recorded or counted.
    Malformed,
}

/// Records a hot record.
pub(crate) fn submit(handle: u64, record: &[u8]) -> Submitted {
    crate::engines::with(handle, Submitted::Dropped(Reason::StoreUnavailable), |monitor| {
        decode::submit(monitor, record)
    })
}

/// Records a hot record as the error that ends the process. Number of the answer: 1 synced, 2 in the ring, 0 refused.
pub(crate) fn fatal(handle: u64, record: &[u8], wait_ms: i64) -> u8 {
    crate::engines::with(handle, 0, |monitor| decode::fatal(monitor, record, crate::events::millis(wait_ms)))
}

/// Records a batch document whose last event ends the process. The answer is that of [`fatal`].
#[cfg(feature = "jni")]
pub(crate) fn fatal_batch(handle: u64, json: &str, wait_ms: i64) -> u8 {
    crate::engines::with(handle, 0, |monitor| {
        decode::number(monitor.record_fatal(json, crate::events::millis(wait_ms)))
    })
}

/// Begins a screen load, an HTTP call or a span (calls 10 to 12). Returns the number of the guard (`u64`), its trace and its trace
/// headers, both as in a record; empty if that is not possible. What is never ended stays in progress: end it with call 13.
#[uniffi::export]
#[must_use]
pub fn guard_begin(handle: u64, record: Vec<u8>) -> Vec<u8> {
    guards::begin(handle, &record)
}

/// Marks a moment of a screen load: 1 the first frame, 2 the full content.
#[uniffi::export]
pub fn guard_mark(guard: u64, mark: u8) {
    guards::mark(guard, mark);
}

/// Sets attributes of a span (call 14).
#[uniffi::export]
pub fn guard_set(guard: u64, record: Vec<u8>) {
    guards::set(guard, &record);
}

/// Ends a guard (call 13). The answer is that of [`submit_hot`]; without an id if it was cancelled.
#[uniffi::export]
#[must_use]
pub fn guard_end(guard: u64, record: Vec<u8>) -> crate::events::Outcome {
    answered(guards::end(guard, &record))
}

/// Records a hot record through the generated call: the oracle of the JNI function, and its stand-in where that cannot be used.
#[uniffi::export]
#[must_use]
pub fn submit_hot(handle: u64, record: Vec<u8>) -> crate::events::Outcome {
    answered(submit(handle, &record))
}

fn answered(submitted: Submitted) -> crate::events::Outcome {
    match submitted {
        Submitted::Recorded(id) => crate::events::Outcome::Recorded { id: id.to_string() },
        Submitted::Noted => crate::events::Outcome::Recorded { id: String::new() },
        Submitted::Dropped(reason) => crate::events::Outcome::Dropped { reason: reason.as_str().to_owned() },
        Submitted::Malformed => crate::events::Outcome::Dropped { reason: Reason::Malformed.as_str().to_owned() },
    }
}
