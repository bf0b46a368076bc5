//! What tests of the bindings need and no app may have: a clock and ids that a test controls, and a core that panics.

use rez_monitor::{Clock, ConfigBuilder};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

static PANICS: AtomicBool = AtomicBool::new(false);
static CLOCK: Mutex<Option<Clock>> = Mutex::new(None);

/// While this is true, the core panics behind every call.
#[uniffi::export]
pub fn test_panic(panics: bool) {
    PANICS.store(panics, Ordering::SeqCst);
}

pub(crate) fn panic_if_asked() {
    if PANICS.load(Ordering::SeqCst) {
        // Not `panic!`: nothing is printed for each of many calls.
        std::panic::resume_unwind(Box::new("a test has asked for it"));
    }
}

/// Engines that are opened from now on have this clock, which only [`test_advance`] moves, and the counted ids of the contract
/// vectors. `None`: the clock and the ids of the system.
#[uniffi::export]
pub fn test_clock(wall_ms: Option<i64>, mono_ms: i64) {
    *CLOCK.lock().unwrap_or_else(PoisonError::into_inner) = wall_ms.map(|wall_ms| Clock::manual(wall_ms, mono_ms));
}

/// Advances the clock.
#[uniffi::export]
pub fn test_advance(ms: u64) {
    if let Some(clock) = &*CLOCK.lock().unwrap_or_else(PoisonError::into_inner) {
        clock.advance(Duration::from_millis(ms));
    }
}

/// The key of the ids, as `tests/contract/README.md` says.
const KEY: [u8; 16] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15];

pub(crate) fn prepare(config: ConfigBuilder) -> ConfigBuilder {
    match &*CLOCK.lock().unwrap_or_else(PoisonError::into_inner) {
        Some(clock) => config.clock(clock.clone()).counted_ids(KEY),
        None => config,
    }
}

/// The rows and runs of a closed or open queue as JSON, as `expected/rows` of a contract vector has them.
#[uniffi::export]
#[must_use]
pub fn test_rows(folder: String) -> String {
    use rez_monitor::inspect::{Filter, Reader};
    use serde_json::{Value, json};
    let read = || -> Option<Value> {
        let reader = Reader::open(std::path::Path::new(&folder)).ok()?;
        let rows = reader.list(&Filter::default()).ok()?;
        let runs = reader.runs().ok()?;
        let rows: Vec<Value> = rows
            .iter()
            .map(|listed| {
                let row = &listed.row;
                json!({
                    "seq": row.seq, "id": row.id.to_string(), "kind": row.kind.as_str(), "run": row.run,
                    "wall_ms": row.wall_ms, "mono_ms": row.mono_ms, "targets": row.targets,
                    "json": serde_json::from_str::<Value>(&row.json).unwrap_or_default(),
                })
            })
            .collect();
        Some(json!({"runs": runs.iter().map(|run| json!(run)).collect::<Vec<_>>(), "rows": rows}))
    };
    read().map(|value| value.to_string()).unwrap_or_default()
}
