//! The app process of the demo.
//!
//! It records the events of a shopping app, and prints the id of each recorded event. Output is flushed in small chunks
//! of whole lines, so that a kill loses at most the last few acknowledgements.

use super::child::{CRASHED, Line};
use super::engine::Engine;
use super::target::Target;
use super::visit::Customer;
use crate::client::Client;
use crate::terminal::{CliError, Exit};
use std::io::{self, BufWriter, Stdout, Write};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// Number of lines after which output is flushed.
const CHUNK: u32 = 16;

/// Limit of the time to drain the queue before the app closes.
const DRAIN: Duration = Duration::from_secs(60);

/// Interval between two flushes while events are left.
const FLUSH_INTERVAL: Duration = Duration::from_millis(50);

#[derive(Debug, clap::Args)]
pub(crate) struct AppArgs {
    /// Folder of the queue
    #[arg(long)]
    pub(super) folder: PathBuf,
    /// Base URL of the collector
    #[arg(long)]
    pub(super) collector: String,
    /// Address of the shop
    #[arg(long)]
    shop: SocketAddr,
    #[arg(long)]
    seed: u64,
    /// Number of the first visit
    #[arg(long)]
    visit: u64,
    /// Events recorded by earlier runs
    #[arg(long)]
    recorded: u64,
    /// Events to record in all runs
    #[arg(long)]
    events: u64,
    /// Crash in the first visit after this many events
    #[arg(long)]
    crash_at: u64,
    /// Pause between two visits in microseconds
    #[arg(long)]
    pause_us: u64,
    /// Size cap of the queue in bytes
    #[arg(long)]
    pub(super) cap_bytes: u64,
    /// Destinations beside the collector
    #[arg(long = "destination")]
    pub(super) destinations: Vec<Target>,
}

/// The pipe to the demo. If the demo is gone, the app exits.
pub(super) struct Pipe {
    to: BufWriter<Stdout>,
    unflushed: u32,
    recorded: u64,
}

impl Pipe {
    /// Writes a line. Acknowledgements are buffered; other lines are flushed at once.
    pub(super) fn write(&mut self, line: &Line) {
        self.recorded = self.recorded.saturating_add(u64::from(matches!(line, Line::Recorded(..))));
        self.unflushed = self.unflushed.saturating_add(1);
        let mut written = writeln!(self.to, "{line}");
        if self.unflushed >= CHUNK || !matches!(line, Line::Recorded(..)) {
            self.unflushed = 0;
            written = written.and_then(|()| self.to.flush());
        }
        if written.is_err() {
            std::process::exit(i32::from(Exit::CannotOpen as u8));
        }
    }
}

/// Runs the app: visits until enough events are recorded, then a clean close.
pub(crate) fn run_app(args: &AppArgs) -> Result<Exit, CliError> {
    let mut pipe = Pipe { to: BufWriter::new(io::stdout()), unflushed: 0, recorded: args.recorded };
    let mut engine = Engine::open(args, &mut pipe)?;
    let mut shop = Client::new(args.shop);
    let origin = format!("http://{}", args.shop);
    let mut visit = args.visit;
    while engine.pipe().recorded < args.events {
        Customer::new(&mut shop, &origin, &mut engine, args.seed, visit).shop();
        if engine.pipe().recorded >= args.crash_at {
            engine.pipe().write(&Line::Crashing(visit));
            engine.crash();
            std::process::exit(CRASHED);
        }
        engine.pipe().write(&Line::Visited(visit));
        visit = visit.saturating_add(1);
        std::thread::sleep(Duration::from_micros(args.pause_us));
    }
    engine.pipe().write(&Line::Flushing(String::new()));
    let deadline = Instant::now() + DRAIN;
    while let Some(left) = engine.flush() {
        if Instant::now() > deadline {
            break;
        }
        engine.pipe().write(&Line::Flushing(left));
        std::thread::sleep(FLUSH_INTERVAL);
    }
    let pipe = engine.close();
    pipe.write(&Line::Closed);
    Ok(Exit::Done)
}
