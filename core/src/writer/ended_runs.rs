//! The runs before this one: how each ended, and the state that an event about its end still needs.
//!
//! A run ends in the fold when the record of the next one is read. What it was until then is known only at that moment.

use super::batch::Batch;
use super::row_json::RowJson;
use super::scope_keys::{CLOSED, CONDITIONS, ENDED, FOREGROUND, RELEASE, SESSION, UNCLEAN};
use super::stamp::Stamper;
use crate::event::decode::Body;
use crate::exit::{LastCrash, LastRun, RunEnd};
use crate::id::EventId;
use crate::json::split::{member, text};
use crate::kind::{Kind, Purpose};
use crate::limits;
use crate::row::Run;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// The clocks of the system that tell of an exit and of the start of a process may differ by so much, in milliseconds.
const CLOCKS_MS: i64 = 60_000;

/// A run that ended.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct EndedRun {
    pub(super) run: Run,
    /// The last time at which it is known to have lived.
    pub(super) seen_ms: i64,
    pub(super) end: RunEnd,
    pub(super) crash: Option<LastCrash>,
    /// The event that tells of its end, if it is not the crash.
    pub(super) event: Option<EventId>,
    /// Monitoring was denied: nothing is recorded of its end, not even after a grant.
    pub(super) is_denied: bool,
    /// It ended in the foreground, and it is decided whether that is recorded.
    pub(super) is_decided: bool,
}

/// The state at the end of a run that had neither a crash nor `close`.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct StateAtEnd {
    /// Id of the run.
    pub(super) run: String,
    /// Members of the row of an event about its end: session, view, user, trail and so on.
    pub(super) row: Value,
}

/// The place of the run whose end the system reports. `pid` 0 = not known, of the report or of the run.
pub(super) fn place_of(runs: &[EndedRun], pid: u32, at_ms: i64) -> Option<usize> {
    let is_process = |run: &EndedRun| match (run.run.pid, pid) {
        (own, told) if own != 0 && told != 0 => own == told,
        _ => run.end != RunEnd::Closed,
    };
    let began = |place: usize| runs.get(place).map(|run| run.run.wall_ms);
    let fits = |place: usize, slack_ms: i64| {
        let begun = began(place).is_some_and(|began| began <= at_ms.saturating_add(slack_ms));
        begun && began(place + 1).is_none_or(|next| at_ms <= next.saturating_add(CLOCKS_MS))
    };
    let of_process = || (0..runs.len()).rev().filter(|place| runs.get(*place).is_some_and(is_process));
    let exact =
        of_process().find(|place| fits(*place, 0)).or_else(|| of_process().find(|place| fits(*place, CLOCKS_MS)));
    // A clock that was set back: the process itself is certain enough, since so few are remembered.
    exact.or_else(|| of_process().find(|place| pid != 0 && runs.get(*place).is_some_and(|run| run.run.pid == pid)))
}

impl Stamper {
    /// The app came to the foreground or left it.
    pub(super) fn foreground(&mut self, foreground: bool, at_ms: i64, batch: &mut Batch) {
        self.keep(FOREGROUND, Some(json!({"foreground": foreground, "at_ms": at_ms}).to_string()), batch);
    }

    /// The runs before this one, oldest first.
    pub(super) fn ended_runs(&self) -> Vec<EndedRun> {
        self.scope.get(ENDED).and_then(|json| serde_json::from_str(json).ok()).unwrap_or_default()
    }

    pub(super) fn keep_ended_runs(&mut self, runs: &[EndedRun], batch: &mut Batch) {
        self.keep(ENDED, serde_json::to_string(runs).ok(), batch);
        self.ends_changed = true;
    }

    /// How the run before this one ended; `None` if there was none.
    pub(crate) fn last_run(&self) -> Option<LastRun> {
        self.ended_runs().pop().map(|run| LastRun { ended: run.end, crash: run.crash })
    }

    /// The runs of whose end nothing was recorded, though they ended in the foreground: id and last sign of life.
    pub(crate) fn unexplained_runs(&self) -> Vec<(String, i64)> {
        let runs = self.ended_runs().into_iter().filter(|run| !run.is_decided);
        // One that was reported meanwhile has its event.
        runs.filter(|run| run.end == RunEnd::Abnormal && run.event.is_none())
            .map(|run| (run.run.id, run.seen_ms))
            .collect()
    }

    /// Whether an earlier run has an end that is not decided.
    pub(crate) fn has_open_ends(&self) -> bool {
        self.scope.contains_key(UNCLEAN) || self.ended_runs().iter().any(|run| !run.is_decided)
    }

    /// All ends are recorded that the engine records by itself: their states are not needed any more.
    pub(super) fn decide_ends(&mut self, batch: &mut Batch) {
        let mut runs = self.ended_runs();
        runs.iter_mut().for_each(|run| run.is_decided = true);
        self.keep_ended_runs(&runs, batch);
        self.keep_states(&[], batch);
    }

    pub(super) fn states_at_end(&self) -> Vec<StateAtEnd> {
        self.scope.get(UNCLEAN).and_then(|json| serde_json::from_str(json).ok()).unwrap_or_default()
    }

    /// Takes the state of a run.
    pub(super) fn take_state(&mut self, run: &str, batch: &mut Batch) -> Option<Value> {
        let mut states = self.states_at_end();
        let place = states.iter().position(|state| state.run == run)?;
        let state = states.remove(place);
        self.keep_states(&states, batch);
        Some(state.row)
    }

    fn keep_states(&mut self, states: &[StateAtEnd], batch: &mut Batch) {
        let json = (!states.is_empty()).then(|| serde_json::to_string(states).ok()).flatten();
        if json.is_some() || self.scope.contains_key(UNCLEAN) {
            self.keep(UNCLEAN, json, batch);
        }
    }

    /// The run `before` has ended, since `next` begins. Called while the scope is still that of `before`. `denied` has a bit for each
    /// purpose that was denied when `next` began.
    pub(super) fn end_run(&mut self, before: &Run, next: &Run, denied: u8, batch: &mut Batch) -> RunEnd {
        let crash = self.crashed().map(|crashed| crashed.crash);
        let foreground = self.scope.get(FOREGROUND);
        let is_foreground = foreground.and_then(|json| member(json, "foreground")).map(|value| value == "true");
        let is_closed = self.scope.contains_key(CLOSED);
        let release = self.scope.get(RELEASE).map(|release| text(release));
        let is_same = before.boot == next.boot && release.is_none_or(|release| *release == next.release);
        let end = match (&crash, is_closed, is_foreground) {
            (Some(_), ..) => RunEnd::Crashed,
            (None, true, _) => RunEnd::Closed,
            (None, false, Some(false)) => RunEnd::Exited,
            (None, false, Some(true)) if is_same => RunEnd::Abnormal,
            (None, false, _) => RunEnd::Unknown,
        };
        let is_denied = self.is_denied(Purpose::Monitoring) || denied & Purpose::Monitoring.bit() != 0;
        if crash.is_none() && !is_closed && !is_denied {
            let mut states = self.states_at_end();
            states.push(StateAtEnd { run: before.id.clone(), row: self.state_at_end() });
            states.drain(..states.len().saturating_sub(limits::UNCLEAN_RUNS));
            self.keep_states(&states, batch);
        }
        let seen_ms = self.seen_ms(before);
        let is_decided = end != RunEnd::Abnormal || is_denied;
        let ended = EndedRun { run: before.clone(), seen_ms, end, crash, event: None, is_denied, is_decided };
        let mut runs = self.ended_runs();
        runs.push(ended);
        runs.drain(..runs.len().saturating_sub(limits::ENDED_RUNS));
        self.keep_ended_runs(&runs, batch);
        end
    }

    /// The last sign of life of a run: a breadcrumb, a screen, a change between foreground and background.
    pub(super) fn seen_ms(&self, run: &Run) -> i64 {
        let number = |json: &str, name: &str| member(json, name)?.parse().ok();
        let foreground = self.scope.get(FOREGROUND).and_then(|json| number(json, "at_ms"));
        let crumb = self.crumbs.back().and_then(|crumb| number(crumb, "ts"));
        [foreground, crumb, self.screens.started_ms()].into_iter().flatten().fold(run.wall_ms, i64::max)
    }

    /// What an event about the end of this run carries of its state.
    fn state_at_end(&mut self) -> Value {
        let nothing = Body::default();
        let mut object = RowJson::new(self.rules);
        if let Some(id) = self.scope.get(SESSION).and_then(|session| member(session, "id")) {
            object.json("session", id);
        }
        self.screens.stamp(Kind::AppExit, &nothing, &mut object);
        self.scope.get(CONDITIONS).into_iter().for_each(|json| object.json("conditions", json));
        self.stamp_scope(Kind::AppExit, &nothing, &mut object);
        let trail = self.trail(limits::ROW_BYTES.saturating_sub(object.len() + limits::EXIT_BYTES));
        object.json("trail", &trail);
        serde_json::from_str(&object.finish()).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(pid: u32, began_ms: i64) -> EndedRun {
        EndedRun {
            run: Run { pid, wall_ms: began_ms, ..Run::default() },
            seen_ms: began_ms,
            end: RunEnd::Unknown,
            crash: None,
            event: None,
            is_denied: false,
            is_decided: false,
        }
    }

    #[test]
    fn an_exit_belongs_to_the_run_of_its_process_or_of_its_time() {
        let runs = [run(7, 1_000), run(8, 500_000), run(7, 900_000)];
        // By process, and of a process id that was used twice by time.
        assert_eq!(place_of(&runs, 7, 400_000), Some(0));
        assert_eq!(place_of(&runs, 7, 950_000), Some(2));
        assert_eq!(place_of(&runs, 8, 899_000), Some(1));
        // By time alone: the next run began a second after the end.
        assert_eq!(place_of(&runs, 0, 499_000), Some(0));
        assert_eq!(place_of(&runs, 0, 2_000_000), Some(2));
        // The clock was set back.
        assert_eq!(place_of(&runs, 8, 10), Some(1));
        assert_eq!(place_of(&runs, 9, 950_000), None);
        assert_eq!(place_of(&[], 7, 1), None);
    }

    #[test]
    fn a_run_of_a_build_that_kept_no_process_is_found_by_time() {
        let runs = [run(0, 1_000), run(8, 500_000)];
        assert_eq!(place_of(&runs, 7, 400_000), Some(0));
    }
}
