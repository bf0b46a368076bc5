//! `rezq assert`: an assertion about events, for scripts of Maestro, Detox and Appium.

use super::args::{SourceArg, done, milliseconds};
use super::line;
use super::list::events_table;
use crate::assertion::Assertion;
use crate::source::{Ask, Event, Query};
use crate::terminal::{CliError, Exit, Output};
use serde_json::json;
use std::time::{Duration, Instant};

/// Between two counts.
const INTERVAL: Duration = Duration::from_millis(100);

/// Events that a failure shows.
const SHOWN: usize = 5;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    source: SourceArg,
    /// Such as 'count(kind=api_call, name="/pay") == 1'
    #[arg(value_name = "ASSERTION")]
    assertion: String,
    /// How long to wait until it holds, such as 10s
    #[arg(long, value_name = "TIME", value_parser = milliseconds, default_value = "0s")]
    within: i64,
    /// How long it must go on to hold, such as 2s: that nothing comes twice, or at all
    #[arg(long, value_name = "TIME", value_parser = milliseconds, default_value = "0s")]
    stays: i64,
    /// Count only what was stored after the latest mark
    #[arg(long)]
    since_mark: bool,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args, output: &mut Output) -> Result<Exit, CliError> {
    let assertion = Assertion::parse(&args.assertion).map_err(|error| CliError::usage(error, ""))?;
    let source = args.source.open()?;
    let ask = Ask(&*source);
    let find = |conditions: &str, limit: usize| {
        let filter = (!conditions.is_empty()).then(|| ("where", conditions.to_owned()));
        ask.list(&Query {
            filter: filter.into_iter().collect(),
            since_mark: args.since_mark,
            limit,
            ..Query::default()
        })
    };
    let time = |ms: i64| Duration::from_millis(ms.unsigned_abs());
    let end = Instant::now() + time(args.within);
    let mut held_since = None;
    let found = loop {
        let found = find(&assertion.conditions, 0)?.events;
        let now = Instant::now();
        let is_decided = if assertion.holds(found.len() as u64) {
            now.duration_since(*held_since.get_or_insert(now)) >= time(args.stays)
        } else {
            // What held once and no longer does is no longer waited for.
            held_since.is_some() || now >= end
        };
        if is_decided {
            break found;
        }
        std::thread::sleep(INTERVAL);
    };
    let count = found.len() as u64;
    let holds = assertion.holds(count);
    if args.json {
        output.line(&line("assertion", &json!({"assertion": args.assertion, "holds": holds, "count": count}), &[]));
    } else if holds {
        output.line(&format!("✓ {assertion}"));
    } else {
        output.line(&format!("✗ {assertion}: {count} found"));
        show(&found, output);
        for (place, left_out) in assertion.each.iter().enumerate().filter(|_| found.is_empty()) {
            let others = assertion.each.iter().enumerate().filter(|(other, _)| *other != place);
            let others: Vec<&str> = others.map(|(_, condition)| condition.as_str()).collect();
            let near = find(&others.join(", "), SHOWN)?.events;
            if !near.is_empty() && !others.is_empty() {
                output.line(&format!("\nwithout {left_out}:"));
                show(&near, output);
            }
        }
    }
    Ok(match done(&*source) {
        Exit::Done if holds => Exit::Done,
        Exit::Done => Exit::Finding,
        damaged => damaged,
    })
}

fn show(events: &[Event], output: &mut Output) {
    if events.is_empty() {
        return;
    }
    output.line(events_table(events.iter().take(SHOWN).rev()).trim_end());
    if events.len() > SHOWN {
        output.line(&format!("and {} more", events.len() - SHOWN));
    }
}
