//! Events about the end of an earlier run: they become a row of that run, or an addition to the row that tells of it already.

use super::batch::{Batch, Op};
use super::ended_runs::{EndedRun, place_of};
use super::row_json::RowJson;
use super::scope_keys::REPORTED;
use super::stamp::Stamper;
use crate::event::decode::Body;
use crate::event::field::Field;
use crate::exit::{LastCrash, RunEnd};
use crate::hash::stable_hash;
use crate::id::EventId;
use crate::kind::Kind;
use crate::limits;
use crate::reason::Reason;
use crate::support_code::support_code;
use serde_json::{Value, json};

/// What the system or the engine tells of an end.
struct Exit {
    kind: Kind,
    id: EventId,
    at_ms: i64,
    /// The system reports it, not the engine by itself.
    is_reported: bool,
}

impl Stamper {
    /// Handles an event that tells of the end of an earlier run. `false` = it is another one.
    pub(super) fn handle_exit(&mut self, kind: Kind, id: EventId, body: &Body<'_>, batch: &mut Batch) -> bool {
        if !matches!(kind, Kind::Crash | Kind::AppExit) {
            return false;
        }
        let Some(at_ms) = body.i64(Field::ExitMs) else { return false };
        let own = body.str(Field::EndedRun);
        let exit = Exit { kind, id, at_ms, is_reported: own.is_none() };
        if let Err(reason) = self.exit(&exit, own, body, batch) {
            batch.ops.push(Op::Drop(Some(kind), reason));
        }
        true
    }

    fn exit(&mut self, exit: &Exit, own: Option<&str>, body: &Body<'_>, batch: &mut Batch) -> Result<(), Reason> {
        let pid = pid_of(body);
        if exit.is_reported && !self.remember_report(pid, exit, body, batch) {
            return Err(Reason::Collapsed);
        }
        let mut runs = self.ended_runs();
        let place = match own {
            Some(own) => runs.iter().rposition(|run| run.run.id == own),
            None => place_of(&runs, pid, exit.at_ms),
        };
        // Nothing is known of its user, its release and its session, and those of the present run are wrong.
        let run = place.and_then(|place| runs.get_mut(place)).ok_or(Reason::Malformed)?;
        if run.is_denied {
            return Err(Reason::Consent);
        }
        let crash = run.crash.as_ref().map(|crash| (crash.id, Kind::Crash));
        let result = match crash.or(run.event.map(|id| (id, Kind::AppExit))) {
            Some((row, kind)) => {
                if exit.is_reported {
                    batch.ops.push(Op::Amend { id: row, kind, report: self.report(body) });
                }
                if exit.kind == Kind::Crash && run.crash.is_none() {
                    // Its event stays what it is, and the run has crashed.
                    run.crashed(&Exit { id: row, ..*exit }, body, None);
                }
                Err(Reason::Collapsed)
            }
            None => self.exit_row(run, exit, body, batch),
        };
        let (ended, has_crashed) = (run.run.id.clone(), run.end == RunEnd::Crashed);
        self.keep_ended_runs(&runs, batch);
        if has_crashed {
            self.sessions_crashed(&ended, exit.at_ms, batch);
        }
        result
    }

    /// An exit that is no fault.
    pub(super) fn exit_without_fault(&mut self, body: &Body<'_>, batch: &mut Batch) {
        let mut runs = self.ended_runs();
        let place = body.i64(Field::ExitMs).and_then(|at_ms| place_of(&runs, pid_of(body), at_ms));
        let Some(run) = place.and_then(|place| runs.get_mut(place)) else { return };
        if run.crash.is_some() || run.event.is_some() || run.end == RunEnd::Closed {
            return;
        }
        run.end = RunEnd::Exited;
        let id = run.run.id.clone();
        self.take_state(&id, batch);
        self.keep_ended_runs(&runs, batch);
        self.sessions_exited(&id, batch);
    }

    /// The first event about the end of a run.
    fn exit_row(&mut self, run: &mut EndedRun, exit: &Exit, body: &Body<'_>, batch: &mut Batch) -> Result<(), Reason> {
        let state = self.take_state(&run.run.id, batch).unwrap_or_else(|| json!({}));
        let mut object = RowJson::new(self.rules);
        body.fields.iter().for_each(|(field, value)| object.field(*field, *value, ""));
        if let Some(ms) = run.since_start_ms(exit).filter(|_| exit.kind == Kind::Crash) {
            object.number("since_start_ms", ms);
        }
        let session = state.get("session").and_then(Value::as_str).map(str::to_owned);
        let json = joined(&object.finish(), state).ok_or(Reason::TooLarge)?;
        match exit.kind {
            Kind::Crash => run.crashed(exit, body, session.as_deref()),
            _ => run.event = Some(exit.id),
        }
        // The clock of the boot in which it ran.
        let mono_ms = run.run.mono_ms.saturating_add(exit.at_ms.saturating_sub(run.run.wall_ms));
        let of = Some(Box::new(run.run.clone()));
        let Exit { kind, id, at_ms, .. } = *exit;
        batch.ops.push(Op::Row { id, kind, run: of, wall_ms: at_ms, mono_ms, targets: body.targets(), json });
        Ok(())
    }

    /// A later report of a crash or an exit, as an element of `reports`.
    pub(super) fn report(&self, body: &Body<'_>) -> String {
        let mut object = RowJson::new(self.rules);
        object.number("at_ms", body.i64(Field::ExitMs).unwrap_or(body.time().0));
        for (field, value) in &body.fields {
            if matches!(field, Field::Cause | Field::Type | Field::Message | Field::Mechanism | Field::Attrs) {
                object.field(*field, *value, "");
            }
        }
        object.finish()
    }

    /// Remembers a report; `false` if it came before.
    fn remember_report(&mut self, pid: u32, exit: &Exit, body: &Body<'_>, batch: &mut Batch) -> bool {
        let words = [Field::Cause, Field::Message].map(|field| body.str(field).unwrap_or_default());
        let report = (pid, exit.at_ms, stable_hash(&words));
        let known = self.scope.get(REPORTED).and_then(|json| serde_json::from_str::<Vec<(u32, i64, u64)>>(json).ok());
        let mut known = known.unwrap_or_default();
        if known.contains(&report) {
            return false;
        }
        known.push(report);
        known.drain(..known.len().saturating_sub(limits::EXIT_REPORTS));
        self.keep(REPORTED, Some(json!(known).to_string()), batch);
        true
    }
}

impl EndedRun {
    fn since_start_ms(&self, exit: &Exit) -> Option<i64> {
        exit.at_ms.checked_sub(self.run.wall_ms).filter(|ms| *ms >= 0)
    }

    /// The run has crashed, as this event tells.
    fn crashed(&mut self, exit: &Exit, body: &Body<'_>, session: Option<&str>) {
        self.end = RunEnd::Crashed;
        self.crash = Some(LastCrash {
            id: exit.id,
            kind: body.str(Field::Type).unwrap_or("crash").to_owned(),
            mechanism: body.str(Field::Mechanism).map(str::to_owned),
            at_ms: exit.at_ms,
            since_start_ms: self.since_start_ms(exit),
            support_code: session.and_then(support_code).map(str::to_owned),
        });
    }
}

fn pid_of(body: &Body<'_>) -> u32 {
    body.i64(Field::Pid).and_then(|pid| pid.try_into().ok()).unwrap_or(0)
}

/// The row of an event with the state of its run. The oldest breadcrumbs give way; `None` if it does not fit without any.
fn joined(row: &str, mut state: Value) -> Option<String> {
    let row = row.strip_suffix('}')?;
    loop {
        let json = match state.to_string() {
            members if members.len() > 2 => format!("{row},{}", members.strip_prefix('{')?),
            _ => format!("{row}}}"),
        };
        if json.len() <= limits::ROW_BYTES {
            return Some(json);
        }
        let trail = state.get_mut("trail").and_then(Value::as_array_mut).filter(|trail| !trail.is_empty())?;
        // Half of them at a time: this runs once for a report of unusual size.
        trail.drain(..trail.len().div_ceil(2));
    }
}
