//! Answers to the one event a stopped route tries now and then.

use super::super::hold::Why;
use super::super::state::{StopKind, Suspect};
use super::{Judge, Step};
use crate::destination::{Action, RowOutcome};
use crate::reason::Reason;
use crate::store::RowEnd;

impl Judge<'_> {
    /// An answer to the one event a stopped route tries now and then.
    pub(super) fn probe(&mut self, action: Action, quiet: Option<Why>) -> Step {
        match action {
            Action::Settle(outcomes) => {
                let stop = self.state.stop.take();
                self.succeed();
                if outcomes.contains(&RowOutcome::Delivered)
                    && let Some(stop) = stop
                {
                    // Another event was accepted: those refused alone are guilty after all.
                    let probed = self.tried.rows.first().map(|(seq, _)| *seq);
                    self.state.convicted = stop.suspects;
                    self.state.convicted.retain(|suspect| Some(suspect.seq) != probed);
                }
                Step::Settle(outcomes.into_iter().map(|outcome| self.end(outcome)).collect())
            }
            Action::Split if self.tried.spec.at_most_once => {
                self.state.probe_failed(self.tried.at);
                self.all(&RowEnd::Dropped(Reason::Rejected))
            }
            Action::Split => {
                let why = self.refusal();
                if let Some(stop) = &mut self.state.stop {
                    (stop.kind, stop.why) = (StopKind::RefusesEverything, why);
                }
                if let Some((seq, _)) = self.tried.rows.first() {
                    let note = self.note.clone();
                    self.state.suspect(Suspect { seq: *seq, status: self.status, note });
                }
                self.state.probe_failed(self.tried.at);
                Step::Release
            }
            Action::Stop(why) => {
                self.note.clone_from(&why);
                if let Some(stop) = &mut self.state.stop {
                    (stop.kind, stop.why) = (StopKind::Refused, why);
                }
                self.state.probe_failed(self.tried.at);
                Step::Release
            }
            Action::Uncompressed => {
                self.state.uncompressed = true;
                self.state.probe_failed(self.tried.at);
                Step::Release
            }
            Action::Keep(wait) | Action::Outage(wait) => {
                self.state.probe_failed(self.tried.at);
                if let Some(wait) = wait {
                    self.wait(Some(wait));
                }
                Step::Release
            }
            Action::NewBatchId => {
                self.state.probe_failed(self.tried.at);
                Step::Release
            }
            Action::Ambiguous(what) => {
                self.state.probe_failed(self.tried.at);
                let hold = self.state.hold.take();
                let step = self.uncertain(what, quiet);
                // The probes have their own schedule.
                self.state.hold = hold;
                if step == Step::Retry { Step::Release } else { step }
            }
        }
    }
}
