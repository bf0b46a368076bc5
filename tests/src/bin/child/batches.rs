//! Records batch documents and acknowledges their events.

use super::{Args, acknowledge, flush, print_line};
use rez_monitor::{Monitor, Outcome};
use serde_json::{Value, json};
use std::time::Duration;

/// Records `n` events in documents of `batch`, with ids of their own; an accepted document acknowledges all its events.
pub fn batches(args: &Args, monitor: Monitor) {
    let (n, size) = (args.number("n", 0), args.number("batch", 1));
    let pause = Duration::from_micros(args.number("pause_us", 0));
    let ids = monitor.ids();
    print_line(&format!("folder {}", monitor.status().folder));
    for first in (0..n).step_by(usize::try_from(size).expect("a size")) {
        let serials: Vec<u64> = (first..(first + size).min(n)).collect();
        let events: Vec<_> = serials.iter().map(|serial| (*serial, ids.event_id(1_795_400_000_000))).collect();
        let items: Vec<Value> = events.iter().map(|(serial, id)| item(*serial, &id.to_string())).collect();
        if monitor.record_batch(&json!({"v": 1, "items": items}).to_string()) {
            events.iter().for_each(|(serial, id)| acknowledge(*serial, Outcome::Recorded(*id)));
        }
        std::thread::sleep(pause);
    }
    match args.text("end", "exit").as_str() {
        "close" => monitor.close(super::WAIT),
        "flush" => flush(args, &monitor),
        "wait" => loop {
            std::thread::sleep(super::WAIT);
        },
        _ => {}
    }
    print_line("done");
    std::process::exit(0);
}

fn item(serial: u64, id: &str) -> Value {
    let attrs = json!({"serial": serial, "fill": "x".repeat(60)});
    match serial % 4 {
        0 => json!({"kind": "analytics", "name": "bought", "id": id, "attrs": attrs}),
        1 => {
            json!({"kind": "api_call", "method": "GET", "url": "https://api.rezapp.com/products", "duration_us": 9_000,
            "id": id, "attrs": attrs})
        }
        2 => json!({"kind": "message", "message": format!("hello {serial}"), "id": id, "attrs": attrs}),
        _ => json!({"kind": "interaction", "action": "tap", "component": "Pay", "id": id, "attrs": attrs}),
    }
}
