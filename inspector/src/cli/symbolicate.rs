//! `rezq symbolicate`: errors and crashes with functions and lines.

use super::args::{SourceArg, done, event_id};
use super::line;
use crate::render;
use crate::source::{Ask, Event, Query};
use crate::symbols::{SearchError, Symbols};
use crate::terminal::{CliError, Exit, Output};
use rez_monitor::inspect;
use serde_json::json;
use std::path::PathBuf;

/// The kinds that have frames.
const KINDS: [&str; 3] = ["crash", "error", "hang"];

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    source: SourceArg,
    /// Id, start of the id, or sequence number [default: the newest error or crash]
    #[arg(value_name = "EVENT", conflicts_with_all = ["all", "last"])]
    event: Option<String>,
    /// All errors, crashes and hangs, newest first
    #[arg(long, conflicts_with = "last")]
    all: bool,
    /// The newest error, crash or hang
    #[arg(long)]
    last: bool,
    /// Files with debug information, and folders that are searched for them: programs and libraries with DWARF, mappings of R8,
    /// source maps
    #[arg(long, value_name = "PATH", required = true, num_args = 1..)]
    debug_files: Vec<PathBuf>,
    /// Print one JSON object per line: each event with its completed frames
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args, output: &mut Output) -> Result<Exit, CliError> {
    let source = args.source.open()?;
    let ask = Ask(&*source);
    let mut symbols = Symbols::open(&args.debug_files)?;
    symbols.notes().iter().for_each(|note| eprintln!("rezq: {}", crate::terminal::printable(note)));
    let mut is_complete = true;
    if args.all {
        let mut is_first = true;
        ask.each(&Query::default(), |event| {
            if KINDS.contains(&&event.kind[..]) {
                if !is_first && !args.json {
                    output.line("");
                }
                is_first = false;
                is_complete &= print(&mut symbols, event, args.json, output);
            }
        })?;
        if is_first && !args.json {
            output.line("no error, crash or hang");
        }
    } else {
        let id = match &args.event {
            Some(event) => event_id(ask, event)?,
            None => newest(ask)?,
        };
        let (shown, _) = ask.show(&id)?;
        is_complete = print(&mut symbols, Event { json: shown.json, ..shown.event }, args.json, output);
    }
    let exit = done(&*source);
    Ok(if exit == Exit::Done && !is_complete { Exit::Finding } else { exit })
}

fn newest(ask: Ask<'_>) -> Result<String, CliError> {
    let mut newest: Option<Event> = None;
    for kind in KINDS {
        let query = Query { filter: vec![("kind", kind.to_owned())], limit: 1, ..Query::default() };
        for event in ask.list(&query)?.events {
            if newest.as_ref().is_none_or(|known| event.seq > known.seq) {
                newest = Some(event);
            }
        }
    }
    newest
        .map(|event| event.id)
        .ok_or_else(|| CliError::finding("no error, crash or hang is in the queue", "`rezq list` prints its events"))
}

/// Prints an event. Whether all frames of the app that need a name have got one.
fn print(symbols: &mut Symbols, event: Event, json: bool, output: &mut Output) -> bool {
    let mut row = event.json;
    let outcome = symbols.name(&mut row);
    if json {
        let Event { id, seq, kind, wall_ms, .. } = event;
        let members = json!({
            "id": id, "seq": seq, "kind": kind, "wall_ms": wall_ms, "json": row,
            "named": outcome.named, "unnamed": outcome.unnamed, "problems": outcome.problems,
        });
        output.line(&line("symbolicated", &members, &[]));
        return outcome.unnamed == 0;
    }
    let head = render::thrown(&row);
    // A hang or another event without an exception has a name.
    output.line(&format!("{}  {}", event.kind, if head.is_empty() { &event.name } else { &head }));
    output.line(&format!("  id   {}", event.id));
    output.line(&format!("  time {}", inspect::time(event.wall_ms)));
    let stack = render::stack(&row);
    output.line(if stack.is_empty() { "  no frames" } else { &stack });
    outcome.problems.iter().for_each(|problem| output.line(&format!("  {problem}")));
    if outcome.named == 0 && outcome.problems.is_empty() && !stack.is_empty() {
        output.line("  nothing was named: no file belongs to these frames, or they have their names");
    }
    outcome.unnamed == 0
}

impl From<SearchError> for CliError {
    fn from(error: SearchError) -> CliError {
        CliError::open(error, "")
    }
}
