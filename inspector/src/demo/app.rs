//! The app that the demo kills: one life of it.
//!
//! It records what the guide's app would and says on its standard output what it was promised, in small chunks, so
//! that a kill loses at most the last words and never shows half an id.

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

/// Lines after which the pipe is flushed.
const CHUNK: u32 = 16;

/// How long the app waits for its queue to drain before it closes.
const DRAIN: Duration = Duration::from_secs(60);

/// Pause before another flush while something holds the queue up.
const AGAIN: Duration = Duration::from_millis(50);

#[derive(Debug, clap::Args)]
pub(crate) struct AppArgs {
    /// Folder of the queue
    #[arg(long)]
    pub(super) folder: PathBuf,
    /// Base address of the collector
    #[arg(long)]
    pub(super) collector: String,
    /// Address of the shop
    #[arg(long)]
    shop: SocketAddr,
    #[arg(long)]
    seed: u64,
    /// First visit to make
    #[arg(long)]
    visit: u64,
    /// Events that earlier lives were promised
    #[arg(long)]
    recorded: u64,
    /// Events to record by all lives
    #[arg(long)]
    events: u64,
    /// The app crashes in the first visit after so many events
    #[arg(long)]
    crash_at: u64,
    /// Pause between visits
    #[arg(long)]
    pause_us: u64,
    /// Size cap of the queue
    #[arg(long)]
    pub(super) cap_bytes: u64,
    /// Destinations beside the collector
    #[arg(long = "destination")]
    pub(super) destinations: Vec<Target>,
}

/// Tells the demo what happens. The demo may be gone: then there is nobody to work for.
pub(super) struct Pipe {
    to: BufWriter<Stdout>,
    unflushed: u32,
    recorded: u64,
}

impl Pipe {
    /// One line; on the pipe at once or with the next few.
    pub(super) fn tell(&mut self, line: &Line) {
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

/// One life of the app: visits until enough is recorded, then a clean end.
pub(crate) fn run_app(args: &AppArgs) -> Result<Exit, CliError> {
    let mut pipe = Pipe { to: BufWriter::new(io::stdout()), unflushed: 0, recorded: args.recorded };
    let mut engine = Engine::open(args, &mut pipe)?;
    let mut shop = Client::new(args.shop);
    let origin = format!("http://{}", args.shop);
    let mut visit = args.visit;
    while engine.pipe().recorded < args.events {
        Customer::new(&mut shop, &origin, &mut engine, args.seed, visit).shop();
        if engine.pipe().recorded >= args.crash_at {
            engine.pipe().tell(&Line::Crashing(visit));
            engine.crash();
            std::process::exit(CRASHED);
        }
        engine.pipe().tell(&Line::Visited(visit));
        visit = visit.saturating_add(1);
        std::thread::sleep(Duration::from_micros(args.pause_us));
    }
    engine.pipe().tell(&Line::Flushing(String::new()));
    let deadline = Instant::now() + DRAIN;
    while let Some(left) = engine.flush() {
        if Instant::now() > deadline {
            break;
        }
        engine.pipe().tell(&Line::Flushing(left));
        std::thread::sleep(AGAIN);
    }
    let pipe = engine.close();
    pipe.tell(&Line::Closed);
    Ok(Exit::Done)
}
