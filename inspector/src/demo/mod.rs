//! `rezq demo`: runs an app through faults, and checks that no event is lost.
//!
//! The demo starts a shop, a collector, and an app in its own process. The network goes down, the app keeps recording,
//! is killed and restarts, crashes and restarts. The collector responds with 503, loses a response, then accepts
//! everything. At the end the demo looks for each event that the app acknowledged.

mod app;
mod args;
mod bars;
mod child;
mod engine;
mod folder;
mod pipe;
mod report;
mod runner;
mod script;
mod tally;
mod target;
mod visit;

pub(crate) use app::run_app;
pub(crate) use args::AppArgs;

use crate::collector::{Collector, Filter, Options};
use crate::shop::{Faults, Shop};
use crate::source::{self, Ask, Event, Query};
use crate::terminal::{CliError, Exit, Output};
use bars::Bars;
use child::AppOptions;
use folder::Folder;
use runner::Runner;
use script::{MAX_EVENTS, MIN_EVENTS, Script};
use std::io::IsTerminal;
use std::path::PathBuf;
use std::time::Instant;
use tally::Found;
use target::Target;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Seed of the run; the same seed repeats it [default: from the clock]
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Number of events to record
    #[arg(long, value_name = "N", default_value_t = 5_000, value_parser = clap::value_parser!(u64).range(MIN_EVENTS..=MAX_EVENTS))]
    events: u64,
    /// Print one JSON object instead of the summary
    #[arg(long)]
    json: bool,
    /// Keep DIR/app (the queue) and DIR/collector.sqlite; DIR must be new or empty
    #[arg(long, value_name = "DIR")]
    keep: Option<PathBuf>,
    /// Also send the events to this destination (http to this machine only); can be repeated: `sentry=<dsn>`,
    /// `otlp=<url>`, `mixpanel=<token>@<url>`, `datadog=<application>:<token>@<url>`, `ga4=<secret>:<stream>@<url>`
    #[arg(long = "destination", value_name = "NAME=ADDRESS")]
    destinations: Vec<Target>,
}

/// Runs the demo.
pub(crate) fn run(args: &Args, output: &mut Output) -> Result<Exit, CliError> {
    let started = Instant::now();
    target::check_distinct(&args.destinations).map_err(|error| CliError::usage(error, "give each destination once"))?;
    let seed = args.seed.unwrap_or_else(|| jiff::Timestamp::now().as_microsecond().unsigned_abs() % 1_000_000);
    let folder = match &args.keep {
        Some(path) => Folder::keep(path)?,
        None => Folder::temporary()?,
    };
    let collector = Collector::start(Options::new(folder.collector()))?;
    let shop = Shop::open(([127, 0, 0, 1], 0).into(), seed, Faults::USUAL)
        .map_err(|error| CliError::open(error, "check that loopback addresses can be bound"))?;
    let program = std::env::current_exe().map_err(|error| {
        CliError::open(format!("cannot determine the path of rezq: {error}"), "start rezq by its path")
    })?;
    let options = AppOptions {
        program,
        folder: folder.app(),
        collector: format!("http://{}", collector.address()),
        shop: shop.address().to_string(),
        seed,
        script: Script::new(seed, args.events),
        destinations: args.destinations.clone(),
    };
    let bars = Bars::new(args.events, !args.json && std::io::stderr().is_terminal());
    let mut runner = Runner::new(&options, &collector, &bars);
    let finished = runner.run();
    let Runner { ref acknowledged, kills, crashes, .. } = runner;
    let complete = runner.complete();
    bars.clear();
    finished?;

    let counts = collector.counts()?;
    let source = source::Folder::open(&folder.app())?;
    let ask = Ask(&source);
    let is_kept = |event: &Event| matches!(event.state.as_str(), "queued" | "dead");
    let found = Found {
        queued: ask.list(&Query::default())?.events.into_iter().filter(is_kept).map(|event| event.id).collect(),
        collected: collector.ids()?.into_iter().collect(),
        duplicates: counts.duplicates,
        queue: ask.overview(true)?,
    };
    let result = tally::Result::of(acknowledged, &found);
    let run = report::Run {
        seed,
        kills,
        crashes,
        seconds: started.elapsed().as_secs_f64(),
        batches: counts.batches,
        requests: shop.served(),
        refused: acknowledged.refused.clone(),
        cap_bytes: options.script.cap_bytes,
        kept: folder.kept().map(|path| path.display().to_string()),
    };
    if args.json {
        output.line(&report::json(&run, &result, &found.queue));
    } else {
        let mut events = Vec::new();
        for kind in ["screen_load", "api_call"] {
            events.extend(collector.events(&Filter { kind: Some(kind.to_owned()), limit: usize::MAX, since: None })?);
        }
        output.line(&report::text(&run, &result, &found.queue, &events));
    }
    shop.close();
    collector.stop();
    if !complete {
        return Err(CliError::finding("not every fault was injected: the app finished first", "increase --events"));
    }
    Ok(if result.success() { Exit::Done } else { Exit::Finding })
}
