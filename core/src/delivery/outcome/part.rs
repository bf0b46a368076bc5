//! Responses to a part of a batch that is bisected, and the result of the bisect.

use super::super::bisect::{Bisect, Cause, RowResult};
use super::super::state::StopKind;
use super::super::wait::Why;
use super::{Decider, Step};
use crate::destination::Action;
use crate::limits;
use crate::reason::Reason;
use crate::store::RowEnd;

impl Decider<'_> {
    /// Begins to bisect the whole batch.
    pub(super) fn begin_bisect(&mut self, cause: Cause) -> Step {
        let rows = self.attempt.rows.len();
        if rows == 0 {
            return Step::Settle(Vec::new());
        }
        let mut bisect = Bisect::new(self.attempt.batch, rows, cause);
        if rows == 1 {
            bisect.refused(self.status, &self.note);
            return self.finish(bisect);
        }
        if self.take_bisect_request() {
            self.state.bisect = Some(bisect);
        }
        Step::Retry
    }

    /// Takes one of the bisect requests of this hour. If none is left, the route waits for the next hour.
    pub(super) fn take_bisect_request(&mut self) -> bool {
        if self.state.take_bisect_request(self.attempt.at) {
            return true;
        }
        let wait = self.state.bisect_wait(self.attempt.at);
        self.state.hold_for(self.attempt.at, wait, Why::BisectBudget);
        false
    }

    /// A response to the current part.
    pub(super) fn part(&mut self, action: Action) -> Step {
        let Some(mut bisect) = self.state.bisect.take() else { return Step::Retry };
        if self.is_unclear(&action) && (self.exhausted || bisect.cause == Cause::Unclear) {
            return self.unclear_part(bisect, action);
        }
        let action = match action {
            Action::Outage(_) if bisect.cause == Cause::Outage => Action::Split,
            Action::Outage(wait) if bisect.cause == Cause::Trial => {
                // The single event failed as well: an outage, not poison.
                self.wait(wait);
                self.state.outages = 0;
                return Step::Retry;
            }
            Action::Uncompressed if self.state.uncompressed => Action::Split,
            action => action,
        };
        match action {
            Action::Settle(outcomes) => {
                self.succeed();
                bisect.settle_part(outcomes);
                self.go_on(bisect)
            }
            Action::Split => {
                if bisect.cause == Cause::Trial {
                    bisect.cause = Cause::Refused;
                }
                bisect.refused(self.status, &self.note);
                self.go_on(bisect)
            }
            Action::Stop(why) => {
                self.note.clone_from(&why);
                let step = Step::Settle(bisect.known());
                self.state.stop(self.attempt.at, StopKind::Refused, why, Vec::new());
                step
            }
            Action::Keep(wait) => {
                self.wait(wait);
                self.keep_part(bisect)
            }
            Action::Outage(wait) => {
                self.wait(wait);
                self.state.outages = self.state.outages.saturating_add(1);
                if self.state.outages < limits::OUTAGES_BEFORE_BISECT {
                    return self.keep_part(bisect);
                }
                // This part must not block the rows behind the batch: park what is not known yet.
                self.state.outages = 0;
                let later = self.park();
                let park = |(result, end)| if is_open(result) { later.clone() } else { end };
                Step::Settle(bisect.results.iter().zip(bisect.known()).map(park).collect())
            }
            Action::NewBatchId => {
                if let Some(part) = bisect.current() {
                    part.salt = part.salt.saturating_add(1);
                }
                self.fail(Why::Outage);
                self.keep_part(bisect)
            }
            Action::Uncompressed => {
                self.state.uncompressed = true;
                self.keep_part(bisect)
            }
            Action::Ambiguous(what) => {
                // The results of the other parts belong to this batch, so it stays.
                self.uncertain(what);
                self.keep_part(bisect)
            }
        }
    }

    /// A response that cannot be understood, to a part of a batch that got too many of them: it counts as a refusal.
    fn unclear_part(&mut self, mut bisect: Bisect, action: Action) -> Step {
        if let Action::Ambiguous(what) = action {
            self.note = what;
        }
        bisect.cause = Cause::Unclear;
        if self.lost && !bisect.lost_too_often() {
            // One broken connection is no evidence against the events.
            self.fail(Why::NoResponse);
            return self.keep_part(bisect);
        }
        bisect.refused(self.status, &self.note);
        self.go_on(bisect)
    }

    fn keep_part(&mut self, bisect: Bisect) -> Step {
        self.state.bisect = Some(bisect);
        Step::Retry
    }

    /// Sends the next part, or ends the bisect.
    fn go_on(&mut self, mut bisect: Bisect) -> Step {
        if bisect.current().is_some() && self.state.take_bisect_request(self.attempt.at) {
            return self.keep_part(bisect);
        }
        self.finish(bisect)
    }

    /// All parts were sent, or the requests of this hour are used up. A row is poison only if another event of the same
    /// bisect was accepted. If none was, the endpoint refuses everything, and no row is dead-lettered.
    fn finish(&mut self, bisect: Bisect) -> Step {
        self.state.unclear = None;
        let mut ends = bisect.known();
        self.dead_letter_repeated(&bisect, &mut ends);
        let is_dead = |end: &RowEnd| matches!(end, RowEnd::Dead { .. });
        let undecided = |(result, end): (&RowResult, &RowEnd)| is_open(result) && !is_dead(end);
        if bisect.accepted == 0 && bisect.results.iter().zip(&ends).any(undecided) {
            if bisect.cause == Cause::Unclear {
                return self.settle_ambiguous(&bisect, ends);
            }
            let suspects = self.suspects(&bisect, &ends);
            self.state.stop(self.attempt.at, StopKind::RefusesEverything, self.refusal_message(), suspects);
            return Step::Settle(ends);
        }
        let wait = self.state.bisect_wait(self.attempt.at);
        for (result, end) in bisect.results.iter().zip(&mut ends) {
            match result {
                _ if is_dead(end) => {}
                RowResult::Alone { status, note, after } if bisect.is_poison(*status, *after) => {
                    *end = RowEnd::Dead { reason: Reason::Poison, status: *status, note: note.clone() };
                }
                RowResult::Alone { .. } => *end = self.park(),
                RowResult::Open => *end = self.later(wait),
                _ => {}
            }
        }
        Step::Settle(ends)
    }

    /// No row is to blame, and each may have arrived: settles all of them, so that the route continues with the next
    /// batch.
    fn settle_ambiguous(&mut self, bisect: &Bisect, ends: Vec<RowEnd>) -> Step {
        self.note = format!("may have arrived: {}", self.note);
        let settle = |(result, end)| if is_open(result) { RowEnd::Dropped(Reason::Ambiguous) } else { end };
        Step::Settle(bisect.results.iter().zip(ends).map(settle).collect())
    }
}

/// Whether no response decided about this row.
fn is_open(result: &RowResult) -> bool {
    matches!(result, RowResult::Open | RowResult::Alone { .. })
}
