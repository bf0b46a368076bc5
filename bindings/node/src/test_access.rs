//! What tests need and no app may have: a clock and ids that a test controls, a switch that makes the core panic behind every call,
//! and the rows of a queue. Functions of the addon, beside its class.

use napi_derive::napi;
use rez_monitor::test_access;
use std::path::Path;
use std::time::Duration;

/// While this is true, the core panics behind every call.
#[napi]
pub fn test_panic(panics: bool) {
    test_access::set_panics(panics);
}

/// Engines that are opened from now on have this clock, which only `testAdvance` moves, and the counted ids of the contract vectors.
/// `null`: the clock and the ids of the system.
#[napi]
pub fn test_clock(wall_ms: Option<i64>, mono_ms: i64) {
    test_access::set_clock(wall_ms, mono_ms);
}

/// Advances the clock.
#[napi]
pub fn test_advance(ms: u32) {
    test_access::advance(Duration::from_millis(ms.into()));
}

/// The rows and runs of a closed or open queue as JSON, as `expected/rows` of a contract vector has them.
#[napi]
pub fn test_rows(folder: String) -> String {
    test_access::rows(Path::new(&folder))
}
