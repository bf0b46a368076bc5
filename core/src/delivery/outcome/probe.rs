//! Responses to the single event that a stopped route sends now and then.

use super::super::bisect::{Bisect, RowResult};
use super::super::state::{StopKind, Suspect};
use super::{Decider, Step};
use crate::destination::{Action, RowOutcome};
use crate::reason::Reason;
use crate::store::RowEnd;

impl Decider<'_> {
    /// A response to a probe.
    pub(super) fn probe(&mut self, action: Action) -> Step {
        match action {
            // An outage is no evidence about the key and the address.
            Action::Settle(outcomes) if self.back_off.is_some() => {
                self.state.probe_failed(self.attempt.at);
                Step::Settle(outcomes.into_iter().map(|outcome| self.end(outcome)).collect())
            }
            Action::Settle(outcomes) => {
                let stop = self.state.stop.take();
                self.succeed();
                if outcomes.contains(&RowOutcome::Delivered)
                    && let Some(stop) = stop
                {
                    // The events that were refused alone are sent once more: the server may have refused everything at
                    // that time.
                    let probed = self.attempt.rows.first().map(|(seq, _)| *seq);
                    self.state.refused_alone = stop.suspects;
                    self.state.refused_alone.retain(|suspect| Some(suspect.seq) != probed);
                }
                Step::Settle(outcomes.into_iter().map(|outcome| self.end(outcome)).collect())
            }
            Action::Split if self.attempt.spec.at_most_once => {
                self.state.probe_failed(self.attempt.at);
                self.all(&RowEnd::Dropped(Reason::Rejected))
            }
            Action::Split => {
                let why = self.refusal_message();
                if let Some(stop) = &mut self.state.stop {
                    (stop.kind, stop.why) = (StopKind::RefusesEverything, why);
                }
                if let Some((seq, _)) = self.attempt.rows.first() {
                    let note = self.note.clone();
                    self.state.suspect(Suspect { seq: *seq, status: self.status, note });
                }
                self.state.probe_failed(self.attempt.at);
                Step::Release
            }
            Action::Stop(why) => {
                self.note.clone_from(&why);
                if let Some(stop) = &mut self.state.stop {
                    (stop.kind, stop.why) = (StopKind::Refused, why);
                }
                self.state.probe_failed(self.attempt.at);
                Step::Release
            }
            Action::Uncompressed => {
                self.state.uncompressed = true;
                self.state.probe_failed(self.attempt.at);
                Step::Release
            }
            Action::Keep(wait) | Action::Outage(wait) => {
                self.state.probe_failed(self.attempt.at);
                if let Some(wait) = wait {
                    self.wait(Some(wait));
                }
                Step::Release
            }
            Action::NewBatchId => {
                self.state.probe_failed(self.attempt.at);
                Step::Release
            }
            Action::Ambiguous(what) => {
                self.state.probe_failed(self.attempt.at);
                let hold = self.state.hold.take();
                let step = self.uncertain(what);
                // Probes have a schedule of their own.
                self.state.hold = hold;
                if step == Step::Retry { Step::Release } else { step }
            }
        }
    }

    /// The message for an endpoint that refuses everything.
    pub(super) fn refusal_message(&self) -> String {
        let detail = if self.note.is_empty() { String::new() } else { format!(": {}", self.note) };
        format!("the endpoint refuses every event (status {}){detail}", self.status)
    }

    /// Dead-letters the events that were refused alone both now and before another event was accepted. The others of
    /// the batch are no longer suspects.
    pub(super) fn dead_letter_repeated(&mut self, bisect: &Bisect, ends: &mut [RowEnd]) {
        let rows = self.attempt.rows.iter().zip(&bisect.results).zip(ends);
        for (((seq, _), result), end) in rows {
            let Some(at) = self.state.refused_alone.iter().position(|suspect| suspect.seq == *seq) else { continue };
            if let RowResult::Alone { status, note, .. } = result {
                *end = RowEnd::Dead { reason: Reason::Poison, status: *status, note: note.clone() };
            }
            if *result != RowResult::Open {
                self.state.refused_alone.remove(at);
            }
        }
    }

    /// The events that were refused alone and are not dead-lettered.
    pub(super) fn suspects(&self, bisect: &Bisect, ends: &[RowEnd]) -> Vec<Suspect> {
        let rows = self.attempt.rows.iter().zip(&bisect.results).zip(ends);
        rows.filter_map(|(((seq, _), result), end)| match (result, end) {
            (_, RowEnd::Dead { .. }) => None,
            (RowResult::Alone { status, note, .. }, _) => {
                Some(Suspect { seq: *seq, status: *status, note: note.clone() })
            }
            _ => None,
        })
        .collect()
    }

    /// The batch was accepted or rejected row by row: its rows are no longer suspects.
    pub(super) fn clear_suspects(&mut self) {
        let rows = self.attempt.rows;
        self.state.refused_alone.retain(|suspect| !rows.iter().any(|(seq, _)| *seq == suspect.seq));
    }
}
