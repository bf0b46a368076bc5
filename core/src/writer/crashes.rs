//! The crash of the run that is being folded: one per run, with its time since the start and since the last screen.

use super::batch::{Batch, Op};
use super::row_json::RowJson;
use super::scope_keys::{CRASHED, SESSION};
use super::stamp::Stamper;
use crate::event::decode::Body;
use crate::event::field::Field;
use crate::exit::LastCrash;
use crate::id::EventId;
use crate::json::split::member;
use crate::kind::Kind;
use crate::limits;
use crate::reason::Reason;
use crate::support_code::support_code;
use serde::{Deserialize, Serialize};

/// The crash of a run.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Crashed {
    #[serde(flatten)]
    pub(super) crash: LastCrash,
    /// Its row was stored: the app's hook has not dropped it.
    is_stored: bool,
}

impl Stamper {
    /// The crash of the run that is being folded.
    pub(super) fn crashed(&self) -> Option<Crashed> {
        serde_json::from_str(self.scope.get(CRASHED)?).ok()
    }

    /// Adds a crash that another source has reported before to its row. `false` = it is another crash.
    pub(super) fn collapse_same_crash(&self, body: &Body<'_>, batch: &mut Batch) -> bool {
        let Some(Crashed { crash: first, is_stored: true }) = self.crashed() else { return false };
        let apart_ms = u128::from(body.time().0.abs_diff(first.at_ms));
        // One source that reports twice has seen the app survive the first.
        let is_other = body.str(Field::Mechanism) != first.mechanism.as_deref();
        if apart_ms > limits::SAME_CRASH.as_millis() || !is_other {
            return false;
        }
        batch.ops.push(Op::Amend { id: first.id, kind: Kind::Crash, report: self.report(body) });
        batch.ops.push(Op::Drop(Some(Kind::Crash), Reason::Collapsed));
        true
    }

    /// Adds to the row of a crash when it happened in its run.
    pub(super) fn crash_times(&self, body: &Body<'_>, object: &mut RowJson) {
        if let Some(ms) = self.since_start_ms(body) {
            object.number("since_start_ms", ms);
        }
        if let Some(ms) = self.screens.shown_ms(body) {
            object.number("since_screen_ms", ms);
        }
    }

    fn since_start_ms(&self, body: &Body<'_>) -> Option<i64> {
        let start_ms = self.run.as_ref()?.mono_ms;
        body.time().1.div_euclid(1_000).checked_sub(start_ms).filter(|ms| *ms >= 0)
    }

    /// The run has crashed, and this is the event.
    pub(super) fn set_crashed(&mut self, id: EventId, body: &Body<'_>, batch: &mut Batch) {
        let session = self.scope.get(SESSION).and_then(|session| member(session, "id"));
        let kind = self.rules.text(body.str(Field::Type).unwrap_or("Error"));
        let mechanism = body.str(Field::Mechanism).map(|name| self.rules.text(name).into_owned());
        let crash = LastCrash {
            id,
            kind: kind.get(..kind.floor_char_boundary(limits::NAME_BYTES)).unwrap_or_default().to_owned(),
            mechanism,
            at_ms: body.time().0,
            since_start_ms: self.since_start_ms(body),
            support_code: session.and_then(|id| support_code(id.trim_matches('"'))).map(str::to_owned),
        };
        self.keep_crashed(&Crashed { crash, is_stored: true }, batch);
    }

    /// The app's hook has dropped the row of the crash.
    pub(super) fn crash_was_dropped(&mut self, batch: &mut Batch) {
        if let Some(crashed) = self.crashed() {
            self.keep_crashed(&Crashed { is_stored: false, ..crashed }, batch);
        }
    }

    fn keep_crashed(&mut self, crashed: &Crashed, batch: &mut Batch) {
        self.keep(CRASHED, serde_json::to_string(crashed).ok(), batch);
    }

    /// What a crash changes of the run that is being folded.
    pub(super) fn before_crash(&self) -> [(&'static str, Option<String>); 2] {
        [CRASHED, SESSION].map(|key| (key, self.scope.get(key).cloned()))
    }

    /// Takes back what a crash has changed: it was that of another run.
    pub(super) fn take_back(&mut self, before: [(&'static str, Option<String>); 2], batch: &mut Batch) {
        for (key, value) in before {
            if self.scope.get(key) != value.as_ref() {
                self.keep(key, value, batch);
            }
        }
    }
}
