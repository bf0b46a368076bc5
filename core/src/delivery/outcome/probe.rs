//! Responses to the single event that a stopped route sends from time to time.

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
}
