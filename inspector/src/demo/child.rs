//! The app as the demo sees it: a process that can be killed, and a pipe on which it says what was acknowledged.

use super::script::Script;
use super::target::Target;
use crate::terminal::CliError;
use std::fmt;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::str::FromStr;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

/// Exit code of the app when it crashes.
pub(super) const CRASHED: i32 = 70;

/// A line of output of the app.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Line {
    /// An event was acknowledged: id and kind.
    Recorded(String, String),
    /// An event was refused at the call: reason.
    Refused(String),
    /// All events of this visit are acknowledged.
    Visited(u64),
    /// The app is about to crash in this visit.
    Crashing(u64),
    /// The app flushes its queue; the text says why events are left.
    Flushing(String),
    /// The app closed its queue.
    Closed,
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Line::Recorded(id, kind) => write!(f, "recorded {id} {kind}"),
            Line::Refused(reason) => write!(f, "refused {reason}"),
            Line::Visited(visit) => write!(f, "visited {visit}"),
            Line::Crashing(visit) => write!(f, "crashing {visit}"),
            Line::Flushing(how) => write!(f, "flushing {how}"),
            Line::Closed => f.write_str("closed"),
        }
    }
}

impl FromStr for Line {
    type Err = ();

    fn from_str(line: &str) -> Result<Line, ()> {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        match word {
            "recorded" => {
                rest.split_once(' ').map(|(id, kind)| Line::Recorded(id.to_owned(), kind.to_owned())).ok_or(())
            }
            "refused" => Ok(Line::Refused(rest.to_owned())),
            "visited" => rest.parse().map(Line::Visited).map_err(|_| ()),
            "crashing" => rest.parse().map(Line::Crashing).map_err(|_| ()),
            "flushing" => Ok(Line::Flushing(rest.to_owned())),
            "closed" => Ok(Line::Closed),
            _ => Err(()),
        }
    }
}

/// Options of every app run.
#[derive(Clone, Debug)]
pub(super) struct AppOptions {
    /// The program to start: `rezq` itself.
    pub(super) program: PathBuf,
    /// Folder of the queue.
    pub(super) folder: PathBuf,
    /// Address of the collector.
    pub(super) collector: String,
    /// Address of the shop.
    pub(super) shop: String,
    /// The seed.
    pub(super) seed: u64,
    /// The script.
    pub(super) script: Script,
    /// Destinations beside the collector.
    pub(super) destinations: Vec<Target>,
}

/// A running app process.
#[derive(Debug)]
pub(super) struct App {
    process: Child,
    lines: Receiver<Line>,
}

/// The result of [`App::next`].
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// A line.
    Line(Line),
    /// No line within the time limit.
    Quiet,
    /// The pipe is closed: the process ended or is about to end.
    Ended,
}

impl App {
    /// Starts the app. `visit` is its first visit, `recorded` the number of events acknowledged so far.
    pub(super) fn start(options: &AppOptions, visit: u64, recorded: u64, crashed: bool) -> Result<App, CliError> {
        let mut command = Command::new(&options.program);
        command.arg("demo-app").arg("--folder").arg(&options.folder);
        for (name, value) in [("--collector", &options.collector), ("--shop", &options.shop)] {
            command.arg(name).arg(value);
        }
        for target in &options.destinations {
            command.arg("--destination").arg(target.text());
        }
        let script = &options.script;
        let crash_at = if crashed { u64::MAX } else { script.crash_at };
        for (name, number) in [
            ("--seed", options.seed),
            ("--visit", visit),
            ("--recorded", recorded),
            ("--events", script.events),
            ("--crash-at", crash_at),
            ("--pause-us", u64::try_from(script.pause.as_micros()).unwrap_or(0)),
            ("--cap-bytes", script.cap_bytes),
        ] {
            command.arg(name).arg(number.to_string());
        }
        let cannot = |error: std::io::Error| {
            CliError::open(
                format!("cannot start the demo app {}: {error}", options.program.display()),
                "check that the program is executable and that the system can start more processes and threads",
            )
        };
        let mut process = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().map_err(cannot)?;
        let pipe = process.stdout.take();
        let (to, lines) = channel();
        std::thread::Builder::new()
            .name("rez-demo-pipe".into())
            .spawn(move || {
                if let Some(pipe) = pipe {
                    read(BufReader::new(pipe), &to);
                }
            })
            .map_err(cannot)?;
        Ok(App { process, lines })
    }

    /// Waits for the next line, at most for `wait`.
    pub(super) fn next(&self, wait: Duration) -> Next {
        match self.lines.recv_timeout(wait) {
            Ok(line) => Next::Line(line),
            Err(RecvTimeoutError::Timeout) => Next::Quiet,
            Err(RecvTimeoutError::Disconnected) => Next::Ended,
        }
    }

    /// Sends SIGKILL. Lines that are already in the pipe can still be read.
    pub(super) fn kill(&mut self) {
        // Fails only if the process has ended.
        let _ = self.process.kill();
    }

    /// Waits for the end of the process. Returns its exit code, or `None` if a signal ended it.
    pub(super) fn wait(&mut self) -> Option<i32> {
        self.process.wait().ok().and_then(|status| status.code())
    }
}

impl Drop for App {
    fn drop(&mut self) {
        self.kill();
        let _ = self.process.wait();
    }
}

/// Sends complete lines only: a line truncated by a kill is not an acknowledgement.
fn read(mut pipe: impl BufRead, to: &Sender<Line>) {
    let mut line = String::new();
    while pipe.read_line(&mut line).is_ok_and(|bytes| bytes > 0) {
        let Some(whole) = line.strip_suffix('\n') else { return };
        if let Ok(line) = whole.parse()
            && to.send(line).is_err()
        {
            return;
        }
        line.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_is_parsed_as_it_was_written() {
        for line in [
            Line::Recorded("id".into(), "error".into()),
            Line::Refused("ring_full".into()),
            Line::Visited(7),
            Line::Crashing(8),
            Line::Flushing("3 left, backing off".into()),
            Line::Closed,
        ] {
            assert_eq!(line.to_string().parse(), Ok(line));
        }
        assert_eq!("recorded x".parse::<Line>(), Err(()));
        assert_eq!("visited x".parse::<Line>(), Err(()));
    }

    #[test]
    fn a_line_truncated_by_a_kill_is_ignored() {
        let (to, lines) = channel();
        read(&b"visited 1\nnonsense\nvisited 2\nvisited 3"[..], &to);
        drop(to);
        assert_eq!(lines.iter().collect::<Vec<_>>(), [Line::Visited(1), Line::Visited(2)]);
    }
}
