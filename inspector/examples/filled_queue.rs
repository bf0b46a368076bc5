//! Fills a queue for measurements: `filled_queue FOLDER ROWS`. See "Commands on a large queue" in `docs/bench.md`.
//!
//! One user, one session, six kinds, one destination that nobody has reached yet.

// An example ends with the first thing that goes wrong.
#![allow(clippy::expect_used, missing_docs)]

use rez_monitor::destination::Rez;
use rez_monitor::{Clock, Config, Consent, Hint, Monitor, Network, Purpose};
use serde_json::{Value, json};
use std::time::Duration;

const WAIT: Duration = Duration::from_secs(60);

/// Holds all rows.
const CAP_BYTES: u64 = 1 << 30;

/// Events of one document, fewer than the ring holds.
const BATCH: u64 = 250;

/// 2026-01-05T09:00:00Z.
const START_MS: i64 = 1_767_603_600_000;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next().expect("pass an empty folder");
    let rows: u64 = arguments.next().and_then(|rows| rows.parse().ok()).expect("pass the number of rows");
    let clock = Clock::manual(START_MS, 5_000_000);
    let team = Rez::builder("https://in.shop.example", "key").purposes(&Purpose::ALL).build().expect("a destination");
    let config = Config::builder(folder, "shop", "shop@1.4.0+77")
        .destination("team", team)
        .consent(Purpose::Monitoring, Consent::Granted)
        .consent(Purpose::Analytics, Consent::Granted)
        .cap_bytes(CAP_BYTES)
        .clock(clock.clone())
        .inspector(true);
    let monitor = Monitor::open(config.build().expect("a configuration")).expect("the queue opens");
    monitor.hint(Hint::Network(Network::Offline));
    record(&monitor, &[json!({"scope": "user", "id": "u-4711", "email": "asha@example.com"})]);
    for first in (0..rows).step_by(BATCH as usize) {
        let items: Vec<Value> = (first..rows.min(first + BATCH)).map(item).collect();
        clock.advance(Duration::from_millis(100 * items.len() as u64));
        record(&monitor, &items);
        monitor.persist(WAIT).expect("the rows are stored");
    }
    monitor.close(WAIT);
}

fn record(monitor: &Monitor, items: &[Value]) {
    assert!(monitor.record_batch(&json!({"v": 1, "items": items}).to_string()), "an event was refused");
}

fn item(n: u64) -> Value {
    match n % 6 {
        0 => json!({"kind": "screen_load", "name": format!("Screen{}", n % 40), "duration_us": 300_000 + n % 9_000}),
        1 | 2 => {
            json!({"kind": "api_call", "method": "GET", "url": format!("https://api.shop.example/products/{}", n % 900),
            "status": if n % 50 == 1 { 503 } else { 200 }, "duration_us": 90_000 + n % 70_000, "response_bytes": n % 40_000})
        }
        3 => json!({"kind": "interaction", "action": "tap", "component": format!("Button{}", n % 60)}),
        4 => {
            json!({"kind": "log", "message": format!("step {n} of the order o-{}", n % 700), "level": "info", "logger": "shop"})
        }
        _ => json!({"kind": "analytics", "name": if n % 12 == 5 { "purchase" } else { "view_item" },
            "attrs": {"price": n as f64 / 4.0, "item": format!("sku-{}", n % 5_000), "currency": "INR", "n": n}}),
    }
}
