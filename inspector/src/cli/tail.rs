//! `rezq tail`: events as they are recorded, and what becomes of them.

use super::args::{FilterArgs, SourceArg, done, milliseconds};
use super::line;
use super::list::states;
use crate::source::{Ask, Event, Inspect, Page, Query};
use crate::terminal::{CliError, EndSignal, Exit, Output};
use rez_monitor::inspect;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// Between two looks. The look is one pragma while nothing changes.
const INTERVAL: Duration = Duration::from_millis(200);

/// Events whose state is followed, the newest ones.
const FOLLOWED: usize = 500;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    source: SourceArg,
    #[command(flatten)]
    filter: FilterArgs,
    /// Go on with what is recorded from now on, and with changes of state, until Ctrl+C
    #[arg(short, long)]
    follow: bool,
    /// End after this time, such as 10s
    #[arg(long = "for", value_name = "TIME", value_parser = milliseconds, requires = "follow")]
    time: Option<i64>,
    /// How many events to begin with
    #[arg(short = 'n', long, value_name = "N", default_value_t = 10)]
    lines: usize,
    /// Print one JSON object per line
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args, output: &mut Output) -> Result<Exit, CliError> {
    let source = args.source.open()?;
    let end = args.time.map(|ms| Instant::now() + Duration::from_millis(ms.unsigned_abs()));
    let mut tail = Tail { query: args.filter.query()?, json: args.json, states: BTreeMap::new() };
    let signal = EndSignal::new()?;
    let mut version = follow_version(&*source, args.follow)?;
    let first = tail.read(&*source)?;
    let skipped = first.events.len().saturating_sub(args.lines);
    tail.print(&first, skipped, output);
    while args.follow && end.is_none_or(|end| Instant::now() < end) {
        if signal.comes_within(INTERVAL) {
            break;
        }
        let now = follow_version(&*source, true)?;
        if now != version {
            version = now;
            let page = tail.read(&*source)?;
            tail.print(&page, 0, output);
        }
    }
    Ok(done(&*source))
}

fn follow_version(source: &dyn Inspect, follow: bool) -> Result<u64, CliError> {
    Ok(if follow { Ask(source).version()? } else { 0 })
}

struct Tail {
    query: Query,
    json: bool,
    /// By sequence number, the state that was printed last.
    states: BTreeMap<u64, String>,
}

impl Tail {
    fn read(&self, source: &dyn Inspect) -> Result<Page, CliError> {
        let query = Query { limit: FOLLOWED, json: self.json, ..self.query.clone() };
        Ok(Ask(source).list(&query)?)
    }

    /// Prints what is new or has another state, without the oldest `skipped`.
    fn print(&mut self, page: &Page, skipped: usize, output: &mut Output) {
        let is_gap = !self.states.is_empty() && page.before.is_some();
        if is_gap && page.events.iter().all(|event| !self.states.contains_key(&event.seq)) {
            let text = format!(
                "more than {FOLLOWED} events came since the last look; `rezq list` has those that are left out"
            );
            output.line(&if self.json { line("gap", &serde_json::json!({"text": text}), &[]) } else { text });
        }
        for (place, (event, raw)) in page.events.iter().zip(&page.raw).rev().enumerate() {
            let state = states(event);
            let before = self.states.insert(event.seq, state.clone());
            let is_new = before.is_none();
            if place < skipped || before.is_some_and(|before| before == state) {
                continue;
            }
            let what = if is_new { "event" } else { "state" };
            output.line(&if self.json { line(what, raw, &[]) } else { text(event, is_new, &state) });
        }
        while self.states.len() > 2 * FOLLOWED {
            self.states.pop_first();
        }
    }
}

fn text(event: &Event, is_new: bool, state: &str) -> String {
    let Event { kind, name, wall_ms, id, .. } = event;
    let short: String = id.chars().take(13).collect();
    match is_new {
        true => format!("{}  {kind:<12} {name}  [{short}]  {state}", inspect::time(*wall_ms)),
        false => format!("{:<24}  {kind:<12} {name}  [{short}]  → {state}", ""),
    }
}
