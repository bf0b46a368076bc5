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
mod completions;
mod diff;
mod drops;
mod files;
mod list;
mod mcp;
mod plan;
mod ring;
mod serve;
mod show;
mod status;
mod tail;
mod tell;
mod timeline;
mod tui;

use crate::collector::{Collector, CollectorError, Options};
use crate::demo;
use crate::source::{AdbError, ExpoError, RemoteError, SourceError};
use crate::terminal::{CliError, Exit, Output, printable};
use clap::{CommandFactory, Parser, Subcommand};
use serde::Serialize;
use serde_json::Value;
use std::io::IsTerminal;
use std::net::SocketAddr;
use std::path::PathBuf;
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
    /// Run a local collector that receives batches from apps on this machine
    Collect(CollectArgs),
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
    /// Examine a queue; each finding comes with what mends it
    Doctor(files::DoctorArgs),
    /// Bring the rows of a damaged queue back, as an export
    Salvage(files::SalvageArgs),
    /// Print what waits in the ring, and the state that outlives the queue
    Ring(ring::RingArgs),
    /// Run a query over a queue, read-only
    Sql(files::SqlArgs),
    /// Write a queue to one file, without personal data
    Export(files::ExportArgs),
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

#[derive(Debug, clap::Args)]
#[command(after_help = "\
POST /v1/batch      receive a batch
GET  /v1/events     stored events; kind=, since=<id>, limit=, format=json|ndjson
GET  /v1/counts     events by kind, duplicates, batches, reported losses
GET  /v1/gaps       sequence numbers that have not arrived
GET  /v1/switches   simulated faults; POST replaces them, {} clears them")]
struct CollectArgs {
    /// Port on 127.0.0.1; 0 picks a free port. The first line of output is the address
    #[arg(long, default_value_t = 0, value_name = "PORT")]
    port: u16,
    /// SQLite file for received events
    #[arg(long, default_value = "collector.sqlite", value_name = "FILE")]
    db: PathBuf,
    /// Write key that apps must send; without it, every key is accepted
    #[arg(long, value_name = "KEY")]
    key: Option<String>,
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
        Command::Collect(args) => collect(args, output),
        Command::Status(args) => status::run(&args, output),
        Command::List(args) => list::list(&args, output),
        Command::Tail(args) => tail::run(&args, output),
        Command::Show(args) => show::show(&args, output),
        Command::Why(args) => show::why(&args, output),
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
        Command::Doctor(args) => files::doctor(&args, output),
        Command::Salvage(args) => files::salvage(&args, output),
        Command::Ring(args) => ring::ring(&args, output),
        Command::Sql(args) => files::sql(&args, output),
        Command::Export(args) => files::export(&args, output),
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

fn collect(args: CollectArgs, output: &mut Output) -> Result<Exit, CliError> {
    let address: SocketAddr = ([127, 0, 0, 1], args.port).into();
    let running = Collector::start(Options { address, key: args.key, ..Options::new(args.db) })?;
    output.line(&format!("http://{}", running.address()));
    output.line(&format!("file {}", running.db().display()));
    running.wait();
    Ok(Exit::Done)
}

impl From<CollectorError> for CliError {
    fn from(error: CollectorError) -> CliError {
        let hint = match &error {
            CollectorError::Db { .. } => "check that the folder exists and is writable, or pass another file with --db",
            _ => "",
        };
        CliError::open(error, hint)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_definition_is_valid() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_collector_that_cannot_start_reports_the_cause_and_a_remedy() {
        let db = PathBuf::from("/nowhere/at/all/c.sqlite");
        let error = collect(CollectArgs { port: 0, db, key: None }, &mut Output::discard()).unwrap_err();
        assert_eq!(error.exit, Exit::CannotOpen);
        let text = error.to_string();
        assert!(text.contains("/nowhere/at/all/c.sqlite") && text.contains("--db"), "{text}");
        let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = taken.local_addr().unwrap().port();
        let folder = tempfile::tempdir().unwrap();
        let args = CollectArgs { port, db: folder.path().join("c.sqlite"), key: None };
        let text = collect(args, &mut Output::discard()).unwrap_err().to_string();
        assert!(text.contains(&port.to_string()) && text.contains("another port"), "{text}");
    }
}
