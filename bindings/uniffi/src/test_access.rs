//! What tests of the bindings need and no app may have: a clock and ids that a test controls, and a switch that makes the core panic
//! behind every call.

use rez_monitor::test_access;
use std::path::Path;
use std::time::Duration;

pub(crate) use test_access::{panic_if_asked, prepare};

/// While this is true, the core panics behind every call.
#[uniffi::export]
pub fn test_panic(panics: bool) {
    test_access::set_panics(panics);
}

/// Engines that are opened from now on have this clock, which only [`test_advance`] moves, and the counted ids of the contract
/// vectors. `None`: the clock and the ids of the system.
#[uniffi::export]
pub fn test_clock(wall_ms: Option<i64>, mono_ms: i64) {
    test_access::set_clock(wall_ms, mono_ms);
}

/// Advances the clock.
#[uniffi::export]
pub fn test_advance(ms: u64) {
    test_access::advance(Duration::from_millis(ms));
}

/// The rows and runs of a closed or open queue as JSON, as `expected/rows` of a contract vector has them.
#[uniffi::export]
#[must_use]
pub fn test_rows(folder: String) -> String {
    test_access::rows(Path::new(&folder))
}
