//! The run itself: the collector and the shop around a life of the app after another.

use super::bars::Bars;
use super::child::{App, CRASHED, Line, Next, Orders};
use super::script::Script;
use super::tally::Acknowledged;
use crate::collector::{Fault, Running, Switches, What};
use crate::terminal::{CliError, count};
use std::time::{Duration, Instant};

/// How long nothing may happen before the run is given up.
const STUCK: Duration = Duration::from_secs(120);

/// How often the bars and the clock are looked at while the pipe is quiet.
const LOOK: Duration = Duration::from_millis(50);

/// What a busy collector tells a client to wait, in seconds.
const RETRY_AFTER: &str = "1";

/// A run in progress.
pub(super) struct Stage<'a> {
    pub(super) orders: &'a Orders,
    pub(super) collector: &'a Running,
    pub(super) bars: &'a Bars,
    pub(super) acknowledged: Acknowledged,
    pub(super) kills: u64,
    pub(super) crashes: u64,
    /// The visit the next life begins with.
    visit: u64,
    phase: Phase,
    looked: Instant,
}

/// How far the script is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Phase {
    Connected,
    Offline,
    OfflineAgain,
    Back,
}

/// How a life of the app ended.
enum End {
    Killed,
    Exited,
}

impl<'a> Stage<'a> {
    /// A run that has not begun.
    pub(super) fn new(orders: &'a Orders, collector: &'a Running, bars: &'a Bars) -> Stage<'a> {
        Stage {
            orders,
            collector,
            bars,
            acknowledged: Acknowledged::default(),
            kills: 0,
            crashes: 0,
            visit: 0,
            phase: Phase::Connected,
            looked: Instant::now(),
        }
    }

    /// Plays the script to its end: the app has closed its queue cleanly.
    pub(super) fn play(&mut self) -> Result<(), CliError> {
        self.bars.phase("the network is up, the app records and delivers");
        loop {
            let mut app = App::start(self.orders, self.visit, self.acknowledged.len(), self.crashes > 0)?;
            let mut closed = false;
            let mut crashing = None;
            match self.live(&mut app, &mut closed, &mut crashing)? {
                End::Killed => {
                    self.kills = self.kills.saturating_add(1);
                    self.bars.phase(format!(
                        "SIGKILL after {} events; the app starts again",
                        count(self.acknowledged.len())
                    ));
                }
                End::Exited => match (app.wait(), crashing) {
                    (Some(0), _) if closed => return Ok(()),
                    (Some(CRASHED), Some(visit)) => {
                        self.crashes = self.crashes.saturating_add(1);
                        self.visit = self.visit.max(visit.saturating_add(1));
                        self.bars.phase("the app crashed by its own fault and starts again");
                    }
                    (code, _) => {
                        let how = code.map_or("a signal".to_owned(), |code| format!("exit code {code}"));
                        let what = format!("the demo's app ended with {how} in visit {}", self.visit);
                        return Err(CliError::finding(
                            what,
                            "what it said stands above; repeat the run with the same --seed",
                        ));
                    }
                },
            }
        }
    }

    /// One life: until the pipe is closed.
    fn live(&mut self, app: &mut App, closed: &mut bool, crashing: &mut Option<u64>) -> Result<End, CliError> {
        let mut last = Instant::now();
        let mut end = End::Exited;
        loop {
            match app.next(LOOK) {
                Next::Line(line) => {
                    last = Instant::now();
                    match line {
                        Line::Recorded(id, kind) => self.acknowledged.add(id, kind),
                        Line::Refused(reason) => self.acknowledged.refuse(reason),
                        Line::Visited(visit) => self.visit = visit.saturating_add(1),
                        Line::Crashing(visit) => *crashing = Some(visit),
                        Line::Flushing(how) => self.bars.phase(format!("the app flushes what is left {how}")),
                        Line::Closed => *closed = true,
                    }
                    if matches!(end, End::Exited) && self.turn(app) {
                        end = End::Killed;
                    }
                }
                Next::Quiet => {}
                Next::Ended => return Ok(end),
            }
            if last.elapsed() > STUCK {
                let what = format!("the demo's app has said nothing for {} s", STUCK.as_secs());
                return Err(CliError::finding(what, "repeat the run with the same --seed; --keep DIR keeps its files"));
            }
            if self.looked.elapsed() > LOOK {
                self.looked = Instant::now();
                self.bars.at(self.acknowledged.len(), self.collector.arrived().unwrap_or(0));
            }
        }
    }

    /// Does what the script wants at this point; true if the app was killed.
    fn turn(&mut self, app: &mut App) -> bool {
        let script: &Script = &self.orders.script;
        let recorded = self.acknowledged.len();
        match self.phase {
            Phase::Connected if recorded >= script.cut_at => {
                self.collector.set_network(false);
                self.phase = Phase::Offline;
                self.bars.phase("the network is gone, the app goes on recording");
            }
            Phase::Offline if recorded >= script.kill_at => {
                self.phase = Phase::OfflineAgain;
                // Any instant will do, but the same one for the same seed, as far as the system allows.
                std::thread::sleep(script.kill_delay);
                app.kill();
                return true;
            }
            Phase::OfflineAgain if recorded >= script.back_at => {
                let busy = What::Status { code: 503, retry_after: Some(RETRY_AFTER.to_owned()), body: String::new() };
                let faults = [Fault::once(busy).times(script.busy), Fault::once(What::DropAnswer)];
                self.collector.set_switches(Switches { faults: faults.into(), ..Switches::default() });
                self.collector.set_network(true);
                self.phase = Phase::Back;
                self.bars.phase("the network is back; the collector first says 503, then loses an answer");
            }
            _ => {}
        }
        false
    }

    /// Whether every act of the script was played.
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

    /// Stands in for the app: tells of 20 events a visit, crashes where it is told, closes at the end.
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

    fn play(ending: &str) -> (Result<(), CliError>, u64, u64, u64, bool, String) {
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
        let orders = Orders {
            program,
            folder: app.clone(),
            collector: String::new(),
            shop: String::new(),
            seed: 1,
            script: Script::new(1, 1000),
            destinations: Vec::new(),
        };
        let bars = Bars::new(1000, false);
        let mut stage = Stage::new(&orders, &collector, &bars);
        let played = stage.play();
        let complete = stage.complete() && collector.network_up() && !collector.switches().faults.is_empty();
        let lives = std::fs::read_to_string(app.with_extension("lives")).unwrap();
        (played, stage.acknowledged.len(), stage.kills, stage.crashes, complete, lives)
    }

    #[test]
    fn the_app_is_killed_once_crashes_once_and_goes_on_where_it_was() {
        let (played, acknowledged, kills, crashes, complete, lives) = play("echo closed");
        played.unwrap();
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
        // What was promised is not told twice: the next life begins with the count so far.
        let script = Script::new(1, 1000);
        assert!(lives[1].1 >= script.kill_at && lives[2].1 >= script.crash_at, "{lives:?}");
    }

    #[test]
    fn an_app_that_ends_without_closing_is_a_finding() {
        let (played, ..) = play("exit 3");
        let error = played.unwrap_err();
        assert_eq!(error.exit, crate::terminal::Exit::Finding);
        assert!(error.to_string().contains("exit code 3"), "{error}");
        assert!(play("exit 0").0.is_err());
    }
}
