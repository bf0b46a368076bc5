//! `rezq collect`: the local collector, and its page.

use super::check;
use crate::collector::{Collector, CollectorError, Options, ReceivedError, Rules};
use crate::source::Collected;
use crate::terminal::{CliError, EndSignal, Exit, Output};
use crate::web::Server;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::Arc;

#[derive(Debug, clap::Args)]
#[command(after_help = "\
POST /v1/batch      receive a batch of our own protocol
POST /api/PROJECT/envelope/, /track, /engage, /groups, /import, /v1/logs, /v1/traces, /v1/metrics
                    receive what the libraries of Sentry, Mixpanel and OpenTelemetry send
GET  /test/all      how many events arrived, how many are good and bad
GET  /test/good     accepted events; /test/bad the others, and why; filters: kind=, where=, install=, ..
POST /test/reset    forget everything
GET  /v1/events     stored events; kind=, since=<id>, limit=, format=json|ndjson
GET  /v1/counts     events by kind, duplicates, batches, reported losses
GET  /v1/gaps       sequence numbers that have not arrived
GET  /v1/switches   simulated faults; POST replaces them, {} clears them

docs/guide/collector.md describes them.")]
pub(super) struct Args {
    /// Port on 127.0.0.1; 0 picks a free port. The first line of output is the address
    #[arg(long, default_value_t = 0, value_name = "PORT")]
    port: u16,
    /// SQLite file for received events
    #[arg(long, default_value = crate::received::FILE, value_name = "FILE")]
    db: PathBuf,
    /// Write key that apps must send; without it, every key is accepted
    #[arg(long, value_name = "KEY")]
    key: Option<String>,
    /// Tracking plan that arriving events are checked against
    #[arg(long, value_name = "FILE")]
    plan: Option<PathBuf>,
    /// Serve the inspector's page of what arrives, and open it in the browser
    #[arg(long)]
    open: bool,
}

pub(super) fn run(args: Args, output: &mut Output) -> Result<Exit, CliError> {
    let address: SocketAddr = ([127, 0, 0, 1], args.port).into();
    let plan = args.plan.as_deref().map(check::read).transpose()?;
    let rules = plan.map(|plan| Arc::new(plan) as Arc<dyn Rules>);
    let running = Collector::start(Options { address, key: args.key, rules, ..Options::new(args.db) })?;
    output.line(&format!("http://{}", running.address()));
    output.line(&format!("file {}", running.db().display()));
    if !args.open {
        running.wait();
        return Ok(Exit::Done);
    }
    let source = Collected::open(&running.db()).map_err(CollectorError::from)?;
    let server = Server::start(([127, 0, 0, 1], 0).into(), Arc::new(source))?;
    let end = EndSignal::new()?;
    output.line(&format!("page {}", server.url()));
    if has_display() {
        show(server.url());
    }
    end.wait();
    server.stop();
    running.stop();
    Ok(Exit::Done)
}

/// Whether somebody can see a browser here.
fn has_display() -> bool {
    cfg!(any(target_os = "macos", windows))
        || ["DISPLAY", "WAYLAND_DISPLAY"]
            .iter()
            .any(|name| std::env::var_os(name).is_some_and(|value| !value.is_empty()))
}

/// Opens an address in the user's browser. The address is printed already, so a failure needs no word.
fn show(url: &str) {
    let (program, before): (&str, &[&str]) = if cfg!(target_os = "macos") {
        ("open", &[])
    } else if cfg!(windows) {
        // The empty text is the title of the window that `start` could open.
        ("cmd", &["/C", "start", ""])
    } else {
        ("xdg-open", &[])
    };
    let command = Command::new(program)
        .args(before)
        .arg(url)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    if let Ok(mut child) = command {
        // Collects the exit code, so that no process of it is left.
        std::thread::spawn(move || child.wait());
    }
}

impl From<CollectorError> for CliError {
    fn from(error: CollectorError) -> CliError {
        let hint = match &error {
            CollectorError::File(ReceivedError::Db { .. }) => {
                "check that the folder exists and is writable, or pass another file with --db"
            }
            _ => "",
        };
        CliError::open(error, hint)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(port: u16, db: PathBuf) -> Args {
        Args { port, db, key: None, plan: None, open: false }
    }

    #[test]
    fn a_collector_that_cannot_start_reports_the_cause_and_a_remedy() {
        let db = PathBuf::from("/nowhere/at/all/c.sqlite");
        let error = run(args(0, db), &mut Output::discard()).unwrap_err();
        assert_eq!(error.exit, Exit::CannotOpen);
        let text = error.to_string();
        assert!(text.contains("/nowhere/at/all/c.sqlite") && text.contains("--db"), "{text}");
        let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = taken.local_addr().unwrap().port();
        let folder = tempfile::tempdir().unwrap();
        let text = run(args(port, folder.path().join("c.sqlite")), &mut Output::discard()).unwrap_err().to_string();
        assert!(text.contains(&port.to_string()) && text.contains("another port"), "{text}");
        let missing = Args { plan: Some("/nowhere/plan.json".into()), ..args(0, folder.path().join("d.sqlite")) };
        let error = run(missing, &mut Output::discard()).unwrap_err();
        assert!(error.to_string().contains("/nowhere/plan.json"), "{error}");
        assert!(!folder.path().join("d.sqlite").exists(), "nothing is created before the plan is read");
    }
}
