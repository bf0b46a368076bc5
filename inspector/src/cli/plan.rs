//! `rezq plan init`: a draft of a tracking plan.

use super::args::{SourceArg, done};
use super::check::Which;
use super::line;
use crate::files::{self, FileError};
use crate::plan;
use crate::source::Ask;
use crate::terminal::{CliError, Exit, Output, count};
use clap::Subcommand;
use serde_json::json;
use std::io::Write as _;
use std::path::{Path, PathBuf};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Draft a plan from what was recorded
    Init(InitArgs),
}

#[derive(Debug, clap::Args)]
struct InitArgs {
    #[command(flatten)]
    source: SourceArg,
    #[command(flatten)]
    which: Which,
    /// The file to write; without it, the plan goes to standard output
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args, output: &mut Output) -> Result<Exit, CliError> {
    let Command::Init(args) = &args.command;
    let source = args.source.open()?;
    let plan = plan::draft(Ask(&*source), &args.which.query())?;
    let events = plan.events.len() as u64;
    if events == 0 {
        return Err(args.which.none());
    }
    let text = serde_json::to_string_pretty(&plan).unwrap_or_default();
    if let Some(file) = &args.output {
        write(file, &text)?;
    }
    output.line(&match (&args.output, args.json) {
        (file, true) => line("plan", &json!({"file": file, "events": events, "plan": plan}), &[]),
        (None, false) => text,
        (Some(file), false) => {
            format!("{}: {} kinds and names; read it before you use it", file.display(), count(events))
        }
    });
    Ok(done(&*source))
}

/// Writes a new file.
fn write(file: &Path, text: &str) -> Result<(), CliError> {
    files::create(file, |mut new| {
        writeln!(new, "{text}").map_err(|error| CliError::from(FileError::unwritable(file, error)))
    })?;
    Ok(())
}
