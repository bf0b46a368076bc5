//! The runs before this one: how each ended, and the state that an event about its end still needs.
//!
//! A run ends in the fold when the record of the next one is read. What it was until then is known only at that moment.

use super::batch::Batch;
use super::row_json::RowJson;
use super::scope_keys::{CLOSED, CONDITIONS, CRASHED, ENDED, FOREGROUND, SESSION, UNCLEAN};
use super::stamp::Stamper;
use crate::event::decode::Body;
use crate::exit::{LastCrash, LastRun, RunEnd};
use crate::id::EventId;
use crate::json::split::member;
use crate::kind::{Kind, Purpose};
use crate::limits;
use crate::row::Run;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// A run that ended.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct EndedRun {
    pub(super) id: String,
    pub(super) pid: u32,
    pub(super) began_ms: i64,
    /// The last time at which it is known to have lived.
    pub(super) seen_ms: i64,
    pub(super) end: RunEnd,
    pub(super) crash: Option<LastCrash>,
    /// The event that tells of its end, if it is not the crash.
    pub(super) event: Option<EventId>,
    /// Nothing is to be recorded of its end any more, unless the system reports it.
    pub(super) settled: bool,
}

/// The state at the end of a run that had neither a crash nor `close`.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Unclean {
    pub(super) run: Run,
    /// Members of the row of an event about its end: session, view, user, trail and so on.
    pub(super) row: Value,
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

    pub(super) fn unclean(&self) -> Vec<Unclean> {
        self.scope.get(UNCLEAN).and_then(|json| serde_json::from_str(json).ok()).unwrap_or_default()
    }

    /// The states of these runs are kept, the others are not needed any more.
    pub(super) fn keep_unclean(&mut self, states: &[Unclean], batch: &mut Batch) {
        let json = (!states.is_empty()).then(|| serde_json::to_string(states).ok()).flatten();
        if json.is_some() || self.scope.contains_key(UNCLEAN) {
            self.keep(UNCLEAN, json, batch);
        }
    }

    /// The run `before` has ended, since `next` begins. Called while the scope is still that of `before`. `denied` has a bit for each
    /// purpose that was denied when `next` began.
    pub(super) fn end_run(&mut self, before: &Run, next: &Run, denied: u8, batch: &mut Batch) -> RunEnd {
        let mut runs = self.ended_runs();
        let crash = self.crashed();
        let foreground = self.scope.get(FOREGROUND);
        let known = |name: &str| foreground.and_then(|json| member(json, name));
        let is_foreground = known("foreground").map(|value| value == "true");
        let changed_ms = known("at_ms").and_then(|ms| ms.parse().ok());
        let crumb_ms = self.crumbs.back().and_then(|crumb| member(crumb, "ts")?.parse().ok());
        let seen_ms = [changed_ms, crumb_ms].into_iter().flatten().fold(before.wall_ms, i64::max);
        let same = before.boot == next.boot && before.release == next.release;
        let end = match (&crash, self.scope.contains_key(CLOSED), is_foreground) {
            (Some(_), ..) => RunEnd::Crashed,
            (None, true, _) => RunEnd::Closed,
            (None, false, Some(false)) => RunEnd::Exited,
            (None, false, Some(true)) if same => RunEnd::Abnormal,
            (None, false, _) => RunEnd::Unknown,
        };
        let is_denied = self.is_denied(Purpose::Monitoring) || denied & Purpose::Monitoring.bit() != 0;
        if crash.is_none() && !self.scope.contains_key(CLOSED) && !is_denied {
            let mut states = self.unclean();
            states.push(Unclean { run: before.clone(), row: self.state_at_end() });
            states.drain(..states.len().saturating_sub(limits::UNCLEAN_RUNS));
            self.keep_unclean(&states, batch);
        }
        runs.push(EndedRun {
            id: before.id.clone(),
            pid: before.pid,
            began_ms: before.wall_ms,
            seen_ms,
            end,
            event: None,
            // What happened while monitoring was denied is not recorded later.
            settled: crash.is_some() || is_denied,
            crash,
        });
        runs.drain(..runs.len().saturating_sub(limits::ENDED_RUNS));
        self.keep_ended_runs(&runs, batch);
        end
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

    /// The crash of the run that is being folded.
    pub(super) fn crashed(&self) -> Option<LastCrash> {
        serde_json::from_str(self.scope.get(CRASHED)?).ok()
    }
}
