//! The command line of `rezq`.
//!
//! | exit code | meaning |
//! | --- | --- |
//! | 0 | success |
//! | 1 | a fault was found: a lost event, a duplicate, or a balance that does not hold |
//! | 2 | the command line is invalid |
//! | 3 | a file, folder or port cannot be opened |
//! | 4 | the queue is damaged; the readable part was printed |

mod queue;

use crate::collector::{Collector, CollectorError, Options};
use crate::demo;
use crate::terminal::{CliError, Exit, Output};
use clap::{Parser, Subcommand};
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
    Status(queue::StatusArgs),
    /// Print the rows of a queue, newest last
    List(queue::ListArgs),
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
    match Cli::try_parse() {
        Ok(cli) => match run(cli, &mut output) {
            Ok(exit) => exit.into(),
            Err(error) => {
                eprintln!("rezq: {error}");
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
        Command::Status(args) => queue::status(&args, output),
        Command::List(args) => queue::list(&args, output),
        Command::DemoApp(args) => demo::run_app(&args),
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
    use clap::CommandFactory;

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
