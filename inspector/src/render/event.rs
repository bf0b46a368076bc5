//! Everything about one event.

use crate::source::Shown;
use crate::terminal::bytes;
use rez_monitor::inspect;
use serde_json::Value;

/// The event with its state, its reasons and all its fields.
pub(crate) fn event(shown: &Shown) -> String {
    let Shown { event, wall_ms, mono_ms, crc, .. } = shown;
    let mut out = format!("{}  {}\n", event.kind, event.name);
    let mut row = |name: &str, text: &str| out.push_str(&format!("  {name:<9} {text}\n"));
    row("id", &event.id);
    row("seq", &event.seq.to_string());
    row("lane", &event.lane);
    // What a vendor's library sent has no such clock.
    let boot = match mono_ms {
        0 => String::new(),
        ms => format!(", {:.3} s after the boot of the device", *ms as f64 / 1e3),
    };
    row("time", &format!("{}{boot}", inspect::time(*wall_ms)));
    row("size", &format!("{} of JSON, CRC-32 {crc}", bytes(event.bytes)));
    if let Some(session) = &event.session {
        row("session", session);
    }
    let fact = |name: &str| shown.run.get(name).and_then(Value::as_str).unwrap_or_default();
    if shown.run.is_object() {
        let facts = ["app", "release", "environment", "os", "device"].map(fact);
        let facts: Vec<&str> = facts.into_iter().filter(|fact| !fact.is_empty()).collect();
        row("run", &facts.join(", "));
    }
    for masked in &shown.masked {
        row("masked", &format!("{} has {}", masked.path, masked.what));
    }
    for (place, why) in shown.lines.iter().enumerate() {
        row(if place == 0 { "why" } else { "" }, why);
    }
    out.push('\n');
    out.push_str(&serde_json::to_string_pretty(&shown.json).unwrap_or_default());
    out
}
