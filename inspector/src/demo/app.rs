//! The app process of the demo.
//!
//! It records the events of a shopping app, and prints the id of each recorded event. Output is flushed in small chunks
//! of whole lines, so that a kill loses at most the last few acknowledgements.

use super::args::AppArgs;
use super::child::{CRASHED, Line};
use super::engine::Engine;
use super::pipe::Pipe;
use super::visit::Customer;
use crate::client::Client;
use crate::terminal::{CliError, Exit};
use std::time::{Duration, Instant};

/// Limit of the time to drain the queue before the app closes.
const DRAIN: Duration = Duration::from_secs(60);

/// Interval between two flushes while events are left.
const FLUSH_INTERVAL: Duration = Duration::from_millis(50);

/// Runs the app: visits until enough events are recorded, then a clean close.
pub(crate) fn run_app(args: &AppArgs) -> Result<Exit, CliError> {
    let mut pipe = Pipe::new(args.recorded);
    let mut engine = Engine::open(args, &mut pipe)?;
    let mut shop = Client::new(args.shop);
    let origin = format!("http://{}", args.shop);
    let mut visit = args.visit;
    while engine.pipe().recorded() < args.events {
        Customer::new(&mut shop, &origin, &mut engine, args.seed, visit).shop();
        if engine.pipe().recorded() >= args.crash_at {
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
