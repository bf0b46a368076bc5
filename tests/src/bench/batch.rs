//! What a batch of a language without pointers costs: its caller, and the writer that decodes it.

use super::record::{monitor, syscalls};
use super::{Line, Result, Scale, Times};
use rez_monitor::Monitor;
use rez_monitor::bench::Documents;
use serde_json::{Value, json};
use std::hint::black_box;
use std::path::Path;
use std::sync::LazyLock;
use std::time::Duration;

const WAIT: Duration = Duration::from_secs(20);

/// Events in the document.
const EVENTS: u16 = 100;

/// Batches between two folds for [`syscalls`]: less than half of the ring, at which a caller wakes the writer.
pub const CALLS: usize = 10;

/// A batch that wakes nobody: no errors.
static PLAIN: LazyLock<String> = LazyLock::new(|| document(&items(false)));

/// One event of a face.
fn event(n: u16, errors: bool) -> Value {
    let at_ms = 1_795_000_000_000_i64 + i64::from(n);
    let id = format!("019f0c1e-7c1e-7a53-9b0e-{n:012x}");
    let mut event = match n % 20 {
        0 if errors && n.is_multiple_of(50) => {
            json!({"kind": "error", "type": "TypeError", "message": format!("undefined {n}"),
            "frames": vec![json!({"function": "pay", "file": "cart.tsx", "line": 42, "column": 7, "in_app": true}); 10]})
        }
        0 | 1 => json!({"kind": "screen_load", "name": "Cart", "duration_us": 812_000, "initial_us": 200_000}),
        2..8 => {
            json!({"kind": "api_call", "method": "GET", "url": format!("https://api.example.com/v1/products/{n}?page=2"),
            "duration_us": 120_250.5, "status": 200, "request_bytes": 312, "response_bytes": 20_480})
        }
        8 | 9 => json!({"kind": "message", "message": format!("cart {n} was restored"), "level": "info"}),
        10 | 11 => json!({"kind": "interaction", "action": "tap", "component": "PayButton"}),
        12 => json!({"kind": "metric", "name": "cache_hits", "type": "counter", "value": 3}),
        _ => json!({"kind": "analytics", "name": "add_to_cart",
            "attrs": {"order": "RZ-1042", "items": 3, "total": 1499.5, "member": true, "note": "for Priya \"tomorrow\""}}),
    };
    event["id"] = id.into();
    event["at_ms"] = at_ms.into();
    event
}

fn items(errors: bool) -> String {
    let items: Vec<String> = (0..EVENTS).map(|n| event(n, errors).to_string()).collect();
    items.join(",")
}

fn document(items: &str) -> String {
    format!(r#"{{"v":1,"items":[{items}]}}"#)
}

/// Records one batch, for the count of system calls.
pub fn record(monitor: &Monitor) {
    black_box(monitor.record_batch(black_box(&PLAIN)));
}

pub fn run(scale: Scale, folder: &Path, say: &mut dyn FnMut(Line)) -> Result<()> {
    let items = items(true);
    let document = document(&items);
    let mut documents = Documents::open(&folder.join("documents"))?;
    documents.prepare(r#"{"scope":"user","id":"u-42"},{"scope":"tag","name":"flavour","value":"beta"}"#);
    documents.decode(0);
    let [mut decode, mut floor] = [Times::new(), Times::new()];
    let mut rows = 0;
    for _ in 0..scale.of(2_000, 200) {
        documents.prepare(&items);
        rows = decode.time(|| documents.decode(EVENTS));
        floor.time(|| black_box(serde_json::from_str::<Value>(black_box(&document))).is_ok());
    }
    let us = |times: &mut Times| times.quantile(0.5) / 1_000.0;
    say(Line::new("record_batch_100", us(&mut decode), "us", 250.0)
        .floor("serde_json to a Value", us(&mut floor))
        .note(format!("decode and stamp on the writer, {rows} rows of {} bytes of JSON", document.len())));

    let monitor = monitor(&folder.join("batch"))?;
    let mut call = Times::new();
    for _ in 0..scale.of(200, 40) {
        call.time(|| black_box(monitor.record_batch(black_box(&document))));
        monitor.persist(WAIT)?;
    }
    let before = crate::allocations();
    for _ in 0..CALLS {
        black_box(monitor.record_batch(black_box(&document)));
    }
    let made = crate::allocations() - before;
    monitor.persist(WAIT)?;
    say(Line::new("record_batch_100_caller_p50", us(&mut call), "us", 50.0));
    say(Line::new("record_batch_allocations", made as f64 / CALLS as f64, "per call", 0.0)
        .note(format!("{made} in {CALLS} calls, on the caller's thread")));
    monitor.close(WAIT);
    say(syscalls(folder, "record_batch_syscalls", "batch", CALLS)?);
    Ok(())
}
