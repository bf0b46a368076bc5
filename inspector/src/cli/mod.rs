//! The program `rezq`: what it understands, and what its exit codes mean.
//!
//! | code | meaning |
//! | --- | --- |
//! | 0 | done, nothing found |
//! | 1 | done, something found: a loss, a double, a balance that does not hold |
//! | 2 | the command line is wrong |
//! | 3 | something cannot be opened |
//! | 4 | the queue is damaged; what could be read was shown |

mod error;
mod human;
mod output;
mod queue;

pub(crate) use error::{CliError, Exit};
pub(crate) use human::{bytes, count, millis};
pub(crate) use output::Output;

use crate::collector::{Collector, CollectorError, Options};
use crate::demo;
use clap::{Parser, Subcommand};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

/// Asks REZ Monitor's queue what became of every event.
#[derive(Debug, Parser)]
#[command(name = "rezq", version, about, disable_help_subcommand = true)]
#[command(
    after_help = "Exit codes: 0 done, 1 something found, 2 wrong command line, 3 cannot open, 4 damaged but readable."
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Shows the whole product at work: an app, a shop, a dead network, a killed process, and every event accounted for
    Demo(demo::Args),
    /// Runs the desk collector: takes batches from apps on this machine and answers questions about them
    Collect(CollectArgs),
    /// Shows the balance of a queue, what waits and why
    Status(queue::StatusArgs),
    /// Shows the rows of a queue, the newest last
    List(queue::ListArgs),
    /// The app that the demo kills
    #[command(hide = true)]
    DemoApp(demo::AppArgs),
}

#[derive(Debug, clap::Args)]
#[command(after_help = "\
POST /v1/batch      the batch protocol
GET  /v1/events     stored events; kind=, since=<id>, limit=, format=json|ndjson
GET  /v1/counts     events by kind, duplicates, batches, losses
GET  /v1/gaps       numbers that have not arrived
GET  /v1/switches   what the collector is told to do wrong; POST replaces it, {} turns all off")]
struct CollectArgs {
    /// Port on 127.0.0.1; 0 = any free one. The address is the first line printed
    #[arg(long, default_value_t = 0, value_name = "PORT")]
    port: u16,
    /// File for what arrives
    #[arg(long, default_value = "collector.sqlite", value_name = "FILE")]
    db: PathBuf,
    /// Write key that apps must send; without it any is taken
    #[arg(long, value_name = "KEY")]
    key: Option<String>,
}

/// Runs the program with the arguments of the process.
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
            // Clap prints help and version to stdout and everything else to stderr.
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
        let fix = match &error {
            CollectorError::Db { .. } => {
                "check that the folder exists and can be written, or name another file with --db"
            }
            _ => "",
        };
        CliError::open(error, fix)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_collector_that_cannot_start_says_what_where_and_what_to_do() {
        let db = PathBuf::from("/nowhere/at/all/c.sqlite");
        let error = collect(CollectArgs { port: 0, db, key: None }, &mut Output::nowhere()).unwrap_err();
        assert_eq!(error.exit, Exit::CannotOpen);
        let text = error.to_string();
        assert!(text.contains("/nowhere/at/all/c.sqlite") && text.contains("--db"), "{text}");
        let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = taken.local_addr().unwrap().port();
        let folder = tempfile::tempdir().unwrap();
        let args = CollectArgs { port, db: folder.path().join("c.sqlite"), key: None };
        let text = collect(args, &mut Output::nowhere()).unwrap_err().to_string();
        assert!(text.contains(&port.to_string()) && text.contains("another port"), "{text}");
    }
}
