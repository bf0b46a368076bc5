//! Runs the app until it closes cleanly, and injects the faults of the script.

use super::bars::Bars;
use super::child::{App, AppOptions, CRASHED, Line, Next};
use super::script::Script;
use super::tally::Acknowledged;
use crate::collector::{Fault, Running, Switches, What};
use crate::terminal::{CliError, count};
use std::time::{Duration, Instant};

/// Limit of the time without output of the app.
const STALL_LIMIT: Duration = Duration::from_secs(120);

/// Interval of progress updates, and of checks for a stalled app.
const UPDATE_INTERVAL: Duration = Duration::from_millis(50);

/// `Retry-After` of the 503 responses, in seconds.
const RETRY_AFTER: &str = "1";

/// A demo run.
pub(super) struct Runner<'a> {
    pub(super) options: &'a AppOptions,
    pub(super) collector: &'a Running,
    pub(super) bars: &'a Bars,
    pub(super) acknowledged: Acknowledged,
    pub(super) kills: u64,
    pub(super) crashes: u64,
    /// The first visit of the next app run.
    visit: u64,
    phase: Phase,
    updated: Instant,
}

/// The progress of the script.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Phase {
    Connected,
    Offline,
    OfflineAgain,
    Back,
}

/// How a run of the app ended.
enum End {
    Killed,
    Exited,
}

impl<'a> Runner<'a> {
    /// Returns a run that has not started.
    pub(super) fn new(options: &'a AppOptions, collector: &'a Running, bars: &'a Bars) -> Runner<'a> {
        Runner {
            options,
            collector,
            bars,
            acknowledged: Acknowledged::default(),
            kills: 0,
            crashes: 0,
            visit: 0,
            phase: Phase::Connected,
            updated: Instant::now(),
        }
    }

    /// Runs the app, again after each crash and kill, until it has closed its queue.
    pub(super) fn run(&mut self) -> Result<(), CliError> {
        self.bars.phase("network up: the app records and delivers");
        loop {
            let mut app = App::start(self.options, self.visit, self.acknowledged.len(), self.crashes > 0)?;
            let mut closed = false;
            let mut crashing = None;
            match self.follow(&mut app, &mut closed, &mut crashing)? {
                End::Killed => {
                    self.kills = self.kills.saturating_add(1);
                    self.bars
                        .phase(format!("SIGKILL after {} events: the app restarts", count(self.acknowledged.len())));
                }
                End::Exited => match (app.wait(), crashing) {
                    (Some(0), _) if closed => return Ok(()),
                    (Some(CRASHED), Some(visit)) => {
                        self.crashes = self.crashes.saturating_add(1);
                        self.visit = self.visit.max(visit.saturating_add(1));
                        self.bars.phase("the app crashed and restarts");
                    }
                    (code, _) => {
                        let how = code.map_or("a signal".to_owned(), |code| format!("exit code {code}"));
                        let what = format!("the demo app ended with {how} in visit {}", self.visit);
                        return Err(CliError::finding(
                            what,
                            "see its error output above; repeat the run with the same --seed",
                        ));
                    }
                },
            }
        }
    }

    /// Reads the output of one app run until the pipe is closed.
    fn follow(&mut self, app: &mut App, closed: &mut bool, crashing: &mut Option<u64>) -> Result<End, CliError> {
        let mut last = Instant::now();
        let mut end = End::Exited;
        loop {
            match app.next(UPDATE_INTERVAL) {
                Next::Line(line) => {
                    last = Instant::now();
                    match line {
                        Line::Recorded(id, kind) => self.acknowledged.add(id, kind),
                        Line::Refused(reason) => self.acknowledged.refuse(reason),
                        Line::Visited(visit) => self.visit = visit.saturating_add(1),
                        Line::Crashing(visit) => *crashing = Some(visit),
                        Line::Flushing(how) => self.bars.phase(format!("the app flushes the queue {how}")),
                        Line::Closed => *closed = true,
                    }
                    if matches!(end, End::Exited) && self.inject(app) {
                        end = End::Killed;
                    }
                }
                Next::Quiet => {}
                Next::Ended => return Ok(end),
            }
            if last.elapsed() > STALL_LIMIT {
                let what = format!("the demo app printed nothing for {} s", STALL_LIMIT.as_secs());
                return Err(CliError::finding(
                    what,
                    "repeat the run with the same --seed, and with --keep DIR to keep the files",
                ));
            }
            if self.updated.elapsed() > UPDATE_INTERVAL {
                self.updated = Instant::now();
                self.bars.update(self.acknowledged.len(), self.collector.arrived().unwrap_or(0));
            }
        }
    }

    /// Injects the next fault when it is due. Returns true if the app was killed.
    fn inject(&mut self, app: &mut App) -> bool {
        let script: &Script = &self.options.script;
        let recorded = self.acknowledged.len();
        match self.phase {
            Phase::Connected if recorded >= script.cut_at => {
                self.collector.set_network(false);
                self.phase = Phase::Offline;
                self.bars.phase("network down: the app keeps recording");
            }
            Phase::Offline if recorded >= script.kill_at => {
                self.phase = Phase::OfflineAgain;
                // A random time, the same one for the same seed as far as the system allows.
                std::thread::sleep(script.kill_delay);
                app.kill();
                return true;
            }
            Phase::OfflineAgain if recorded >= script.back_at => {
                let busy = What::Status { code: 503, retry_after: Some(RETRY_AFTER.to_owned()), body: String::new() };
                let faults = [Fault::once(busy).times(script.busy), Fault::once(What::DropResponse)];
                self.collector.set_switches(Switches { faults: faults.into(), ..Switches::default() });
                self.collector.set_network(true);
                self.phase = Phase::Back;
                self.bars.phase("network up: the collector responds with 503, then loses a response");
            }
            _ => {}
        }
        false
    }

    /// Returns true if every fault was injected.
    pub(super) fn complete(&self) -> bool {
        self.phase == Phase::Back && self.kills > 0 && self.crashes > 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collector::{Collector, Options};
    use std::io::Write;
    use std::process::{Command, Stdio};

    /// Replaces the app: acknowledges 20 events per visit, crashes once, and closes at the end.
    const APP: &str = r#"#!/bin/sh
shift
while [ $# -gt 0 ]; do
  case "$1" in
    --visit) visit=$2 ;; --recorded) n=$2 ;; --events) events=$2 ;; --crash-at) crash=$2 ;; --folder) folder=$2 ;;
  esac
  shift 2
done
echo "$visit $n" >> "$folder.lives"
while [ "$n" -lt "$events" ]; do
  i=0
  while [ $i -lt 20 ]; do
    echo "recorded $$-$visit-$i error"
    i=$((i+1)); n=$((n+1))
  done
  if [ ${#crash} -lt 10 ] && [ "$n" -ge "$crash" ]; then echo "crashing $visit"; exit 70; fi
  echo "visited $visit"
  visit=$((visit+1))
  sleep 0.01
done
ENDING
"#;

    fn run(ending: &str) -> (Result<(), CliError>, u64, u64, u64, bool, String) {
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("app.sh");
        // Written by another process: if this one had the file open for writing, a process that another test forks
        // meanwhile would inherit it, and the script could not be started ("text file busy").
        let mut writer = Command::new("sh");
        writer.args(["-c", "cat > \"$0\" && chmod 755 \"$0\""]).arg(&program).stdin(Stdio::piped());
        let mut writer = writer.spawn().unwrap();
        writer.stdin.take().unwrap().write_all(APP.replace("ENDING", ending).as_bytes()).unwrap();
        assert!(writer.wait().unwrap().success());
        let collector = Collector::start(Options::new(folder.path().join("c.sqlite"))).unwrap();
        let app = folder.path().join("app");
        let options = AppOptions {
            program,
            folder: app.clone(),
            collector: String::new(),
            shop: String::new(),
            seed: 1,
            script: Script::new(1, 1000),
            destinations: Vec::new(),
        };
        let bars = Bars::new(1000, false);
        let mut runner = Runner::new(&options, &collector, &bars);
        let result = runner.run();
        let complete = runner.complete() && collector.network_up() && !collector.switches().faults.is_empty();
        let lives = std::fs::read_to_string(app.with_extension("lives")).unwrap();
        (result, runner.acknowledged.len(), runner.kills, runner.crashes, complete, lives)
    }

    #[test]
    fn the_app_is_killed_once_crashes_once_and_continues_after_its_last_visit() {
        let (result, acknowledged, kills, crashes, complete, lives) = run("echo closed");
        result.unwrap();
        assert_eq!((kills, crashes, complete), (1, 1, true));
        assert!((1000..1100).contains(&acknowledged), "{acknowledged}");
        let lives: Vec<(u64, u64)> = lives
            .lines()
            .map(|line| line.split_once(' ').unwrap())
            .map(|(visit, n)| (visit.parse().unwrap(), n.parse().unwrap()))
            .collect();
        assert_eq!(lives[0], (0, 0));
        assert_eq!(lives.len(), 3);
        assert!(lives.is_sorted(), "{lives:?}");
        // The next run starts with the number of events acknowledged so far.
        let script = Script::new(1, 1000);
        assert!(lives[1].1 >= script.kill_at && lives[2].1 >= script.crash_at, "{lives:?}");
    }

    #[test]
    fn an_app_that_ends_without_closing_is_a_finding() {
        let (result, ..) = run("exit 3");
        let error = result.unwrap_err();
        assert_eq!(error.exit, crate::terminal::Exit::Finding);
        assert!(error.to_string().contains("exit code 3"), "{error}");
        assert!(run("exit 0").0.is_err());
    }
}
