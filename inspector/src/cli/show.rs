//! `rezq show` and `rezq why`: everything about one event.

use super::args::{SourceArg, done, event_id};
use super::line;
use crate::source::{Ask, Shown};
use crate::terminal::{CliError, Exit, Output, bytes};
use rez_monitor::inspect;
use serde_json::Value;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    source: SourceArg,
    /// Id, start of the id, or sequence number
    #[arg(value_name = "EVENT")]
    event: String,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

pub(super) fn show(args: &Args, output: &mut Output) -> Result<Exit, CliError> {
    let source = args.source.open()?;
    let ask = Ask(&*source);
    let (shown, answer) = ask.show(&event_id(ask, &args.event)?)?;
    output.line(&if args.json { line("shown", &answer, &[]) } else { text(&shown) });
    Ok(done(&*source))
}

/// Prints one sentence for each route.
pub(super) fn why(args: &Args, output: &mut Output) -> Result<Exit, CliError> {
    let source = args.source.open()?;
    let ask = Ask(&*source);
    let id = event_id(ask, &args.event)?;
    let answer = ask.raw(&serde_json::json!({"ask": "why", "id": id}))?;
    let lines = answer.get("lines").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    let text = || lines.collect::<Vec<_>>().join("\n");
    output.line(&if args.json { line("why", &answer, &[("id", id.into())]) } else { text() });
    let is_known = answer.get("known") != Some(&Value::Bool(false));
    Ok(if is_known { done(&*source) } else { Exit::Finding })
}

fn text(shown: &Shown) -> String {
    let Shown { event, wall_ms, mono_ms, crc, .. } = shown;
    let mut out = format!("{}  {}\n", event.kind, event.name);
    let mut row = |name: &str, text: &str| out.push_str(&format!("  {name:<9} {text}\n"));
    row("id", &event.id);
    row("seq", &event.seq.to_string());
    row("lane", &event.lane);
    row("time", &format!("{}, {:.3} s after the boot of the device", inspect::time(*wall_ms), *mono_ms as f64 / 1e3));
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
