//! What the tests of every binding need and no app may have: a clock and ids that a test controls, a core that panics, and the rows
//! of a queue.
//!
//! Not part of the API: only with the feature `bench-access`. The state is that of the process, since a binding opens its engines
//! from text and so cannot be given a clock.

use crate::inspect::{Filter, Reader};
use crate::{Clock, ConfigBuilder};
use serde_json::{Value, json};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

static PANICS: AtomicBool = AtomicBool::new(false);
static CLOCK: Mutex<Option<Clock>> = Mutex::new(None);

/// The key of the ids, as `tests/contract/README.md` says.
const KEY: [u8; 16] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15];

/// While this is true, [`panic_if_asked`] panics.
pub fn set_panics(panics: bool) {
    PANICS.store(panics, Ordering::SeqCst);
}

/// A binding calls this before each call of the core.
pub fn panic_if_asked() {
    if PANICS.load(Ordering::SeqCst) {
        // Not `panic!`: nothing is printed for each of many calls.
        std::panic::resume_unwind(Box::new("a test has asked for it"));
    }
}

/// Engines that are [prepared](prepare) from now on have this clock, which only [`advance`] moves, and the counted ids of the contract
/// vectors. `None`: the clock and the ids of the system.
pub fn set_clock(wall_ms: Option<i64>, mono_ms: i64) {
    *CLOCK.lock().unwrap_or_else(PoisonError::into_inner) = wall_ms.map(|wall_ms| Clock::manual(wall_ms, mono_ms));
}

/// Advances the clock.
pub fn advance(by: Duration) {
    if let Some(clock) = &*CLOCK.lock().unwrap_or_else(PoisonError::into_inner) {
        clock.advance(by);
    }
}

/// The configuration with the clock and the ids of the test, if there is one.
pub fn prepare(config: ConfigBuilder) -> ConfigBuilder {
    match &*CLOCK.lock().unwrap_or_else(PoisonError::into_inner) {
        Some(clock) => config.clock(clock.clone()).counted_ids(KEY),
        None => config,
    }
}

/// The rows and runs of a closed or open queue as JSON, as `expected/rows` of a contract vector has them; empty if it cannot be read.
#[must_use]
pub fn rows(folder: &Path) -> String {
    read(folder).map(|value| value.to_string()).unwrap_or_default()
}

fn read(folder: &Path) -> Option<Value> {
    let reader = Reader::open(folder).ok()?;
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
}
