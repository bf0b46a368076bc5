//! Answers to the one event a stopped route tries now and then.

use super::super::bisect::{Bisect, End};
use super::super::state::{StopKind, Suspect};
use super::super::wait::Why;
use super::{Decider, Step};
use crate::destination::{Action, RowOutcome};
use crate::reason::Reason;
use crate::store::RowEnd;

impl Decider<'_> {
    /// An answer to the one event a stopped route tries now and then.
    pub(super) fn probe(&mut self, action: Action, quiet: Option<Why>) -> Step {
        match action {
            // The service is in trouble: that says nothing about key and address.
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
                    // Another event was accepted: those refused alone are tried once more, since the server may have
                    // refused everything in their time.
                    let probed = self.attempt.rows.first().map(|(seq, _)| *seq);
                    self.state.convicted = stop.suspects;
                    self.state.convicted.retain(|suspect| Some(suspect.seq) != probed);
                }
                Step::Settle(outcomes.into_iter().map(|outcome| self.end(outcome)).collect())
            }
            Action::Split if self.attempt.spec.at_most_once => {
                self.state.probe_failed(self.attempt.at);
                self.all(&RowEnd::Dropped(Reason::Rejected))
            }
            Action::Split => {
                let why = self.refusal();
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
                let step = self.uncertain(what, quiet);
                // The probes have their own schedule.
                self.state.hold = hold;
                if step == Step::Retry { Step::Release } else { step }
            }
        }
    }

    /// What is said of an endpoint that refuses everything.
    pub(super) fn refusal(&self) -> String {
        let said = if self.note.is_empty() { String::new() } else { format!(": {}", self.note) };
        format!("the endpoint refuses every event (status {}){said}", self.status)
    }

    /// Of the events that were refused alone: those that had been refused alone before an accepted one are guilty. Once
    /// their batch has ended, nothing is held against the others any more.
    pub(super) fn sentence(&mut self, bisect: &Bisect, ends: &mut [RowEnd]) {
        let rows = self.attempt.rows.iter().zip(&bisect.ends).zip(ends);
        for (((seq, _), known), end) in rows {
            let Some(at) = self.state.convicted.iter().position(|suspect| suspect.seq == *seq) else { continue };
            if let End::Alone { status, note, .. } = known {
                *end = RowEnd::Dead { reason: Reason::Poison, status: *status, note: note.clone() };
            }
            if *known != End::Open {
                self.state.convicted.remove(at);
            }
        }
    }

    /// The events that were refused alone and are not known to be guilty.
    pub(super) fn suspects(&self, bisect: &Bisect, ends: &[RowEnd]) -> Vec<Suspect> {
        let rows = self.attempt.rows.iter().zip(&bisect.ends).zip(ends);
        rows.filter_map(|(((seq, _), known), end)| match (known, end) {
            (_, RowEnd::Dead { .. }) => None,
            (End::Alone { status, note, .. }, _) => Some(Suspect { seq: *seq, status: *status, note: note.clone() }),
            _ => None,
        })
        .collect()
    }

    /// The batch was accepted or refused row by row: nothing is held against its rows any more.
    pub(super) fn acquit(&mut self) {
        let rows = self.attempt.rows;
        self.state.convicted.retain(|suspect| !rows.iter().any(|(seq, _)| *seq == suspect.seq));
    }
}
