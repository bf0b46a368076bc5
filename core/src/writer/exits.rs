//! Events about the end of an earlier run: they become a row of that run, or an addition to the row that tells of it already.

use super::batch::{Batch, Op};
use super::ended_runs::EndedRun;
use super::row_json::RowJson;
use super::scope_keys::{PREVIOUS, TOLD};
use super::stamp::Stamper;
use crate::event::decode::Body;
use crate::event::field::Field;
use crate::exit::{LastCrash, RunEnd};
use crate::id::EventId;
use crate::kind::Kind;
use crate::limits;
use crate::reason::Reason;
use crate::support_code;
use serde_json::{Value, json};

/// An exit and the start of its process are told by two clocks of the system, which may differ by so much, in milliseconds.
const CLOCKS_MS: i64 = 60_000;

impl Stamper {
    /// An event that tells of the end of an earlier run. `None` if it is another one, or its run is not known.
    pub(super) fn exit(&mut self, kind: Kind, id: EventId, body: &Body<'_>, batch: &mut Batch) -> Option<()> {
        let pid = body.i64(Field::Pid);
        let own = body.str(Field::EndedRun);
        if pid.is_none() && own.is_none() {
            return None;
        }
        let (at_ms, _) = body.time();
        if let Some(pid) = pid
            && !self.tell_once(pid, at_ms, batch)
        {
            batch.ops.push(Op::Drop(Some(kind), Reason::Collapsed));
            return Some(());
        }
        let mut runs = self.ended_runs();
        let found = runs.iter_mut().rfind(|run| match own {
            Some(own) => run.id == own,
            None => run.is_ended_by(pid.unwrap_or(0), at_ms),
        });
        let run = found?;
        let known = run.crash.as_ref().map(|crash| (crash.id, Kind::Crash)).or(run.event.map(|id| (id, Kind::AppExit)));
        match known {
            Some((event, lane)) => {
                // Nobody reported it but the engine, which had nothing to add.
                if own.is_none() {
                    batch.ops.push(Op::Amend { id: event, kind: lane, report: self.report(body) });
                }
                batch.ops.push(Op::Drop(Some(kind), Reason::Collapsed));
            }
            None => self.exit_row(run, (kind, id, at_ms), body, batch),
        }
        let (ended, crashed) = (run.id.clone(), run.end == RunEnd::Crashed);
        self.keep_ended_runs(&runs, batch);
        if crashed {
            self.set_status_of(&ended, "crashed", batch);
        }
        Some(())
    }

    /// An exit that is no fault.
    pub(super) fn no_fault(&mut self, body: &Body<'_>, batch: &mut Batch) {
        let (pid, at_ms) = (body.i64(Field::Pid).unwrap_or(0), body.time().0);
        let mut runs = self.ended_runs();
        let Some(run) = runs.iter_mut().rfind(|run| run.is_ended_by(pid, at_ms)) else { return };
        if run.crash.is_some() || run.event.is_some() {
            return;
        }
        run.settled = true;
        if run.end != RunEnd::Closed {
            run.end = RunEnd::Exited;
        }
        let id = run.id.clone();
        self.drop_state(&id, batch);
        self.keep_ended_runs(&runs, batch);
        self.set_status_of(&id, "exited", batch);
    }

    /// The runs of whose end nothing was recorded, though they ended in the foreground: id and last sign of life.
    pub(crate) fn unexplained_runs(&self) -> Vec<(String, i64)> {
        let runs = self.ended_runs().into_iter();
        runs.filter(|run| run.end == RunEnd::Abnormal && !run.settled).map(|run| (run.id, run.seen_ms)).collect()
    }

    /// The first event about the end of a run.
    fn exit_row(&mut self, run: &mut EndedRun, event: (Kind, EventId, i64), body: &Body<'_>, batch: &mut Batch) {
        let (kind, id, at_ms) = event;
        let state = self.drop_state(&run.id, batch);
        let mut object = RowJson::new(self.rules);
        self.exit_fields(body, &mut object);
        let since_start_ms = at_ms.checked_sub(run.began_ms).filter(|ms| *ms >= 0);
        if kind == Kind::Crash
            && let Some(ms) = since_start_ms
        {
            object.number("since_start_ms", ms);
        }
        run.settled = true;
        let session = state.as_ref().and_then(|state| state.row.get("session")?.as_str());
        match kind {
            Kind::Crash => {
                run.end = RunEnd::Crashed;
                run.crash = Some(LastCrash {
                    id,
                    kind: body.str(Field::Type).unwrap_or("crash").to_owned(),
                    mechanism: body.str(Field::Mechanism).map(str::to_owned),
                    at_ms,
                    since_start_ms,
                    support_code: session.and_then(support_code::support_code).map(str::to_owned),
                });
            }
            _ => run.event = Some(id),
        }
        let row = object.finish();
        let (state_run, state) = state.map(|state| (state.run, state.row)).unzip();
        let Some(json) = [state.as_ref(), None].into_iter().map(|state| joined(&row, state)).find(|json| fits(json))
        else {
            return batch.ops.push(Op::Drop(Some(kind), Reason::TooLarge));
        };
        // The clock of the boot in which it ran.
        let mono_ms = match &state_run {
            Some(run) => run.mono_ms.saturating_add(at_ms.saturating_sub(run.wall_ms)),
            None => body.time().1.div_euclid(1_000),
        };
        let run = state_run.map(Box::new);
        batch.ops.push(Op::Row { id, kind, run, wall_ms: at_ms, mono_ms, targets: body.targets(), json });
    }

    /// A later report of a crash or an exit, as an element of `reports`.
    pub(super) fn report(&self, body: &Body<'_>) -> String {
        let mut object = RowJson::new(self.rules);
        object.number("at_ms", body.time().0);
        for (field, value) in &body.fields {
            if matches!(field, Field::Cause | Field::Type | Field::Message | Field::Mechanism | Field::Attrs) {
                object.field(*field, *value, "");
            }
        }
        object.finish()
    }

    fn exit_fields(&self, body: &Body<'_>, object: &mut RowJson) {
        for (field, value) in &body.fields {
            object.field(*field, *value, "");
        }
    }

    /// Remembers an exit; `false` if it was told before.
    fn tell_once(&mut self, pid: i64, at_ms: i64, batch: &mut Batch) -> bool {
        let known = self.scope.get(TOLD).and_then(|json| serde_json::from_str::<Vec<(i64, i64)>>(json).ok());
        let mut known = known.unwrap_or_default();
        if known.contains(&(pid, at_ms)) {
            return false;
        }
        known.push((pid, at_ms));
        known.drain(..known.len().saturating_sub(2 * limits::ENDED_RUNS));
        self.keep(TOLD, Some(json!(known).to_string()), batch);
        true
    }

    /// Takes the state of a run.
    fn drop_state(&mut self, run: &str, batch: &mut Batch) -> Option<super::ended_runs::Unclean> {
        let mut states = self.unclean();
        let place = states.iter().position(|state| state.run.id == run)?;
        let state = states.remove(place);
        self.keep_unclean(&states, batch);
        Some(state)
    }

    /// Sets how the sessions of a run ended, as far as their end is not recorded yet.
    fn set_status_of(&mut self, run: &str, status: &str, batch: &mut Batch) {
        let mut sessions = self.previous();
        for session in &mut sessions {
            if session.get("run").and_then(Value::as_str) == Some(run) {
                session["status"] = json!(status);
            }
        }
        if !sessions.is_empty() {
            self.keep(PREVIOUS, Some(Value::Array(sessions).to_string()), batch);
        }
    }
}

impl EndedRun {
    /// Whether an exit that the system remembers is that of this run. `pid` 0 = not known.
    fn is_ended_by(&self, pid: i64, at_ms: i64) -> bool {
        let alive = self.began_ms <= at_ms.saturating_add(CLOCKS_MS);
        alive && if pid == 0 { self.end != RunEnd::Closed } else { i64::from(self.pid) == pid }
    }
}

/// The row of an event with the state of its run.
fn joined(row: &str, state: Option<&Value>) -> String {
    let state = state.map(Value::to_string).filter(|state| state.len() > 2);
    match (row.strip_suffix('}'), state.as_deref().and_then(|state| state.strip_prefix('{'))) {
        (Some(row), Some(state)) => format!("{row},{state}"),
        _ => row.to_owned(),
    }
}

fn fits(json: &str) -> bool {
    json.len() <= limits::ROW_BYTES
}
