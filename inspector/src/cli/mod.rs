//! The command line of `rezq`.
//!
//! | exit code | meaning |
//! | --- | --- |
//! | 0 | success |
//! | 1 | a fault was found: a lost event, a duplicate, or a balance that does not hold |
//! | 2 | the command line is invalid |
//! | 3 | a file, folder or port cannot be opened |
//! | 4 | the queue is damaged; the readable part was printed |

mod args;
mod assert;
mod check;
mod collect;
mod completions;
mod diff;
mod doctor;
mod drops;
mod export;
mod files;
mod list;
mod mcp;
mod opened;
mod plan;
mod ring;
mod serve;
mod show;
mod status;
mod symbolicate;
mod tail;
mod tell;
mod timeline;
mod tui;

use crate::demo;
use crate::source::{AdbError, ExpoError, RemoteError, SourceError};
use crate::terminal::{CliError, Exit, Output, printable};
use clap::{CommandFactory, Parser, Subcommand};
use serde::Serialize;
use serde_json::Value;
use std::io::IsTerminal;
use std::process::ExitCode;

/// Inspects a REZ Monitor queue, and runs the local collector and the demo
#[derive(Debug, Parser)]
#[command(name = "rezq", version, about, disable_help_subcommand = true)]
#[command(
    after_help = "Exit codes: 0 success, 1 fault found, 2 invalid command line, 3 cannot open, 4 damaged, partly readable"
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run an app through a network outage, a crash and a SIGKILL, then account for every event
    Demo(demo::Args),
    /// Run a local collector that receives events from apps on this machine
    Collect(collect::Args),
    /// Print the balance of a queue, and why each route waits
    Status(args::Common),
    /// Print the events of a queue, newest last
    List(list::Args),
    /// Print the newest events, and follow what is recorded and what becomes of it
    Tail(tail::Args),
    /// Print everything about an event
    Show(show::Args),
    /// Print what became of an event
    Why(show::Args),
    /// Print errors and crashes with functions and lines, from local files with debug information
    Symbolicate(symbolicate::Args),
    /// Print a session as a story: screens, calls, taps and errors with their durations
    Timeline(timeline::Args),
    /// Print the events that were lost, by day, route and reason
    Drops(args::Common),
    /// Print the events that a destination refused
    Dead(args::Common),
    /// Test an assertion about events
    Assert(assert::Args),
    /// Check events against a tracking plan
    Check(check::Args),
    /// Work with tracking plans
    Plan(plan::Args),
    /// Compare a queue with what a server received
    Diff(diff::Args),
    /// Show a queue in the terminal, as it changes; `rezq SOURCE` does the same
    Tui(tui::Args),
    /// Serve the inspector's page for a browser on this machine
    Serve(serve::Args),
    /// Let the app send what waits
    SendNow(args::Common),
    /// Name a moment, for --since-mark
    Mark(tell::MarkArgs),
    /// Let the app's requests fail
    Fault(tell::FaultArgs),
    /// Queue dead letters again
    Requeue(tell::EventsArgs),
    /// Delete events
    Drop(tell::EventsArgs),
    /// Examine a queue or a running app; each finding comes with what mends it
    Doctor(args::Common),
    /// Bring the rows of a damaged queue back, as an export
    Salvage(files::SalvageArgs),
    /// Print what waits in the ring, and the state that outlives the queue
    Ring(ring::RingArgs),
    /// Run a query over a queue, read-only
    Sql(files::SqlArgs),
    /// Write a queue to one file, without personal data
    Export(export::ExportArgs),
    /// Unpack an export into a folder
    Import(files::ImportArgs),
    /// Serve the commands that only read to coding agents, over the Model Context Protocol
    Mcp(mcp::Args),
    /// Print a script with which a shell completes commands and options
    Completions(completions::Args),
    /// The app process of the demo
    #[command(hide = true)]
    DemoApp(demo::AppArgs),
}

/// Runs `rezq` with the arguments of the process.
#[must_use]
pub fn main() -> ExitCode {
    let mut output = Output::stdout();
    let is_command = |word: &str| Cli::command().get_subcommands().any(|command| command.get_name() == word);
    let is_terminal = std::io::stdin().is_terminal() && std::io::stdout().is_terminal();
    let arguments = crate::tui::arguments(std::env::args_os().collect(), is_command, is_terminal);
    match Cli::try_parse_from(arguments) {
        Ok(cli) => match run(cli, &mut output) {
            Ok(exit) => exit.into(),
            Err(error) => {
                eprintln!("rezq: {}", printable(&error.to_string()));
                error.exit.into()
            }
        },
        Err(error) => {
            // Clap prints help and version to stdout, and errors to stderr.
            let _ = error.print();
            if error.use_stderr() { Exit::Usage.into() } else { Exit::Done.into() }
        }
    }
}

fn run(cli: Cli, output: &mut Output) -> Result<Exit, CliError> {
    match cli.command {
        Command::Demo(args) => demo::run(&args, output),
        Command::Collect(args) => collect::run(args, output),
        Command::Status(args) => status::run(&args, output),
        Command::List(args) => list::list(&args, output),
        Command::Tail(args) => tail::run(&args, output),
        Command::Show(args) => show::show(&args, output),
        Command::Why(args) => show::why(&args, output),
        Command::Symbolicate(args) => symbolicate::run(&args, output),
        Command::Timeline(args) => timeline::run(&args, output),
        Command::Drops(args) => drops::run(&args, output),
        Command::Dead(args) => list::dead(&args, output),
        Command::Assert(args) => assert::run(&args, output),
        Command::Check(args) => check::run(&args, output),
        Command::Plan(args) => plan::run(&args, output),
        Command::Diff(args) => diff::run(&args, output),
        Command::Tui(args) => tui::run(&args),
        Command::Serve(args) => serve::run(&args, output),
        Command::SendNow(args) => tell::send_now(&args, output),
        Command::Mark(args) => tell::mark(&args, output),
        Command::Fault(args) => tell::fault(&args, output),
        Command::Requeue(args) => tell::requeue(&args, output),
        Command::Drop(args) => tell::drop(&args, output),
        Command::Doctor(args) => doctor::run(&args, output),
        Command::Salvage(args) => files::salvage(&args, output),
        Command::Ring(args) => ring::ring(&args, output),
        Command::Sql(args) => files::sql(&args, output),
        Command::Export(args) => export::run(&args, output),
        Command::Import(args) => files::import(&args, output),
        Command::Mcp(args) => mcp::run(&args, output),
        Command::Completions(args) => completions::run(&args, &Cli::command(), output),
        Command::DemoApp(args) => demo::run_app(&args),
    }
}

/// Version of the lines that `--json` prints.
const LINES: u32 = 1;

/// One line of `--json`: the members of a record, the name of the line, and the version of the format.
fn line(name: &str, record: &impl Serialize, more: &[(&str, Value)]) -> String {
    let mut members = serde_json::Map::new();
    members.insert("line".to_owned(), name.into());
    members.insert("v".to_owned(), LINES.into());
    if let Ok(Value::Object(own)) = serde_json::to_value(record) {
        members.extend(own);
    }
    members.extend(more.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
    Value::Object(members).to_string()
}

impl From<SourceError> for CliError {
    fn from(error: SourceError) -> CliError {
        match error {
            SourceError::File(error) => error.into(),
            SourceError::Remote(error @ RemoteError::Address(_)) => CliError::usage(error, ""),
            SourceError::Adb(error @ AdbError::Argument(_)) => CliError::usage(error, ""),
            SourceError::Expo(error @ ExpoError::Argument(_)) => CliError::usage(error, ""),
            error @ SourceError::Refused(_) => CliError::finding(error, ""),
            error => CliError::open(error, ""),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_definition_is_valid() {
        Cli::command().debug_assert();
    }
}
