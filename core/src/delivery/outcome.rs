//! What a request's end means for its rows and its route: the table of the design, as a pure function.

mod probe;

use super::backoff;
use super::bisect::{Bisect, Cause, End, reason};
use super::state::{RouteState, StopKind};
use super::wait::{At, Why};
use crate::destination::{Action, Backoff, Limit, RouteSpec, RowOutcome, Verdict};
use crate::kind::Kind;
use crate::limits;
use crate::reason::Reason;
use crate::store::RowEnd;
use std::time::Duration;

/// How long rows stay aside that look guilty but are not proven so.
const ASIDE: Duration = Duration::from_secs(3600);

/// The batch a request was about.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Attempt<'a> {
    /// The route.
    pub(crate) spec: &'a RouteSpec,
    /// Id of the batch in flight.
    pub(crate) batch: &'a str,
    /// All rows in flight, in order; while halving, more than the request carried.
    pub(crate) rows: &'a [(u64, Kind)],
    /// Clocks now.
    pub(crate) at: At<'a>,
    /// 64 even bits for the next wait.
    pub(crate) random: u64,
}

/// How a request ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    /// The server answered, and the destination read it.
    Answered(u16, Verdict),
    /// The request could not be built for these rows.
    Unbuildable(String),
    /// No byte left.
    NotSent(String),
    /// It may have arrived.
    Ambiguous(String),
}

/// What the store is to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Settle the batch: one end per row in flight.
    Settle(Vec<RowEnd>),
    /// Keep it in flight; the same request again.
    Retry,
    /// Queue its rows again; they are cut anew.
    Release,
}

/// What to do and what to write into the receipt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Decision {
    /// For the store.
    pub(crate) step: Step,
    /// HTTP status, 0 = none.
    pub(crate) status: u16,
    /// For the receipt.
    pub(crate) note: String,
}

/// Judges the end of a request and moves the route's state.
pub(crate) fn decide(state: &mut RouteState, attempt: Attempt<'_>, end: Ended) -> Decision {
    let (status, verdict, quiet) = match end {
        Ended::Answered(status, verdict) => (status, verdict, None),
        Ended::Unbuildable(what) => (0, Verdict { note: Some(what), ..Verdict::of(Action::Split) }, None),
        Ended::NotSent(what) => (0, Verdict::of(Action::Ambiguous(what)), Some(Why::Unreachable)),
        Ended::Ambiguous(what) => (0, Verdict::of(Action::Ambiguous(what)), None),
    };
    state.last_status = status;
    let note = verdict.note.unwrap_or_default();
    let mut decider = Decider { state, attempt, status, note, back_off: verdict.back_off };
    let action = match verdict.action {
        Action::Settle(outcomes) if outcomes.len() != decider.sent_rows() => {
            Action::Ambiguous("the answer does not account for all events".into())
        }
        action => action,
    };
    let caps_sank = verdict.caps.is_some_and(|caps| {
        let before = decider.state.cut(attempt.spec);
        decider.state.caps = Some(caps);
        let after = decider.state.cut(attempt.spec);
        after.max_events < before.max_events || after.max_bytes < before.max_bytes
    });
    let step = if decider.state.stop.is_some() {
        decider.probe(action, quiet)
    } else if decider.state.bisect.is_some() {
        decider.part(action, quiet)
    } else if caps_sank && action == Action::Split && attempt.rows.len() > 1 && !attempt.spec.at_most_once {
        // Cut by the server's own caps the rows may well be fine.
        Step::Release
    } else {
        decider.whole(action, quiet)
    };
    if let Some(bounds) = verdict.back_off.filter(|_| decider.state.stop.is_none()) {
        decider.fail_within(bounds, Why::Outage);
    }
    let step = decider.apply_limits(&verdict.limits, step);
    let Decider { status, note, .. } = decider;
    Decision { step, status, note }
}

struct Decider<'a> {
    state: &'a mut RouteState,
    attempt: Attempt<'a>,
    status: u16,
    note: String,
    /// The service is in trouble although the rows are settled.
    back_off: Option<Backoff>,
}

impl Decider<'_> {
    /// Rows the request carried.
    fn sent_rows(&mut self) -> usize {
        let part = self.state.bisect.as_mut().and_then(Bisect::current);
        part.map_or(self.attempt.rows.len(), |part| part.to - part.from)
    }

    /// The limits count from now on. A batch that waits in flight and holds a limited kind is cut anew without it.
    fn apply_limits(&mut self, limits: &[Limit], step: Step) -> Step {
        limits.iter().for_each(|limit| self.state.limit(self.attempt.at, limit));
        let limited = |kind: &Kind| limits.iter().any(|limit| limit.kinds.contains(kind));
        let hit = self.attempt.rows.iter().any(|(_, kind)| limited(kind));
        if step == Step::Retry && hit && self.state.bisect.is_none() { Step::Release } else { step }
    }

    fn succeed(&mut self) {
        if self.back_off.is_some() {
            return;
        }
        self.state.failures = 0;
        self.state.outages = 0;
        self.state.hold = None;
    }

    /// One more failure in a row: wait.
    fn fail(&mut self, why: Why) {
        self.fail_within(self.attempt.spec.backoff, why);
    }

    fn fail_within(&mut self, bounds: Backoff, why: Why) {
        self.state.failures = self.state.failures.saturating_add(1);
        let wait = backoff::wait(bounds, self.state.failures, self.attempt.random);
        self.state.hold_for(self.attempt.at, wait, why);
    }

    /// The server said "later", perhaps for how long.
    fn wait(&mut self, wait: Option<Duration>) {
        match wait {
            Some(wait) => {
                self.state.failures = self.state.failures.saturating_add(1);
                // "Now" from a server that just refused is no invitation to a loop.
                let least = self.attempt.spec.backoff.first;
                self.state.hold_for(
                    self.attempt.at,
                    wait.clamp(least, limits::RETRY_AFTER.max(least)),
                    Why::RetryAfter,
                );
            }
            None if self.status == 429 => self.fail(Why::RateLimit),
            None => self.fail(Why::Outage),
        }
    }

    /// Kept rows of a route that may not repeat a request are cut anew, so that nothing is left in state `sending`.
    fn again(&self) -> Step {
        if self.attempt.spec.at_most_once { Step::Release } else { Step::Retry }
    }

    fn all(&self, end: &RowEnd) -> Step {
        Step::Settle(vec![end.clone(); self.attempt.rows.len()])
    }

    /// A fate nobody knows, or no byte sent (`quiet`).
    fn uncertain(&mut self, what: String, quiet: Option<Why>) -> Step {
        self.fail(quiet.unwrap_or(Why::NoAnswer));
        if quiet.is_none() && self.attempt.spec.at_most_once {
            self.note = format!("may have arrived: {what}");
            return self.all(&RowEnd::Dropped(Reason::Ambiguous));
        }
        self.note = what;
        self.again()
    }

    /// An answer to a whole batch.
    fn whole(&mut self, action: Action, quiet: Option<Why>) -> Step {
        match action {
            Action::Settle(outcomes) => {
                self.succeed();
                self.acquit();
                if self.back_off.is_none()
                    && !outcomes.is_empty()
                    && outcomes.iter().all(|outcome| *outcome == RowOutcome::Keep)
                {
                    // Kept without any progress: not again at once.
                    self.fail(Why::Outage);
                }
                Step::Settle(outcomes.into_iter().map(|outcome| self.end(outcome)).collect())
            }
            Action::Split if self.attempt.spec.at_most_once => self.all(&RowEnd::Dropped(Reason::Rejected)),
            Action::Split => self.begin_bisect(),
            Action::Keep(wait) => {
                self.wait(wait);
                self.again()
            }
            Action::Outage(wait) => {
                self.wait(wait);
                self.outage()
            }
            Action::Stop(why) => {
                self.note.clone_from(&why);
                self.state.stop(self.attempt.at, StopKind::Refused, why, Vec::new());
                Step::Release
            }
            Action::NewBatchId => {
                if self.state.failures > 0 {
                    self.fail(Why::Outage);
                } else {
                    self.state.failures = 1;
                }
                Step::Release
            }
            Action::Uncompressed if self.state.uncompressed => self.whole(Action::Split, quiet),
            Action::Uncompressed => {
                self.state.uncompressed = true;
                self.again()
            }
            Action::Ambiguous(what) => self.uncertain(what, quiet),
        }
    }

    /// 5xx. After some of them on the same batch one of its events is tried alone; a single one is put aside for an
    /// hour, so that it cannot hold up the rest.
    fn outage(&mut self) -> Step {
        self.state.outages = self.state.outages.saturating_add(1);
        if self.attempt.spec.at_most_once || self.state.outages < limits::OUTAGES_BEFORE_BISECT {
            return self.again();
        }
        self.state.outages = 0;
        match self.attempt.rows.len() {
            0 => Step::Retry,
            1 => {
                let later = self.later(ASIDE);
                self.all(&later)
            }
            rows => {
                if self.state.take_bisect_request(self.attempt.at) {
                    self.state.bisect = Some(Bisect::trial(self.attempt.batch, rows));
                }
                Step::Retry
            }
        }
    }

    fn later(&self, wait: Duration) -> RowEnd {
        let wait = i64::try_from(wait.as_millis()).unwrap_or(i64::MAX);
        RowEnd::Later { until_wall_ms: Some(self.attempt.at.wall_ms.saturating_add(wait)) }
    }

    fn end(&self, outcome: RowOutcome) -> RowEnd {
        match outcome {
            RowOutcome::Delivered => RowEnd::Delivered,
            RowOutcome::Dropped(reason) => RowEnd::Dropped(reason),
            RowOutcome::Dead(reason, note) => RowEnd::Dead { reason, status: self.status, note },
            RowOutcome::Keep => RowEnd::Keep,
        }
    }

    /// The whole batch was refused.
    fn begin_bisect(&mut self) -> Step {
        let rows = self.attempt.rows.len();
        if rows == 0 {
            return Step::Settle(Vec::new());
        }
        let mut bisect = Bisect::new(self.attempt.batch, rows);
        if rows == 1 {
            bisect.refused(self.status, &self.note);
            return self.finish(bisect);
        }
        if self.state.take_bisect_request(self.attempt.at) {
            self.state.bisect = Some(bisect);
        } else {
            let wait = self.state.bisect_wait(self.attempt.at);
            self.state.hold_for(self.attempt.at, wait, Why::BisectBudget);
        }
        Step::Retry
    }

    /// An answer to a part of a batch being halved.
    fn part(&mut self, action: Action, quiet: Option<Why>) -> Step {
        let Some(mut bisect) = self.state.bisect.take() else { return Step::Retry };
        let action = match action {
            Action::Outage(_) if bisect.cause == Cause::Outage => Action::Split,
            Action::Outage(wait) if bisect.cause == Cause::Trial => {
                // The one event alone fared no better: an outage, not poison.
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
                bisect.answered(outcomes);
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
                let step = Step::Settle(self.known(&bisect));
                self.state.stop(self.attempt.at, StopKind::Refused, why, Vec::new());
                step
            }
            Action::Keep(wait) | Action::Outage(wait) => {
                self.wait(wait);
                self.keep_part(bisect)
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
                let step = self.uncertain(what, quiet);
                self.state.bisect = Some(bisect);
                step
            }
        }
    }

    fn keep_part(&mut self, bisect: Bisect) -> Step {
        self.state.bisect = Some(bisect);
        Step::Retry
    }

    /// The next part, or the end.
    fn go_on(&mut self, mut bisect: Bisect) -> Step {
        if bisect.current().is_some() && self.state.take_bisect_request(self.attempt.at) {
            return self.keep_part(bisect);
        }
        self.finish(bisect)
    }

    /// What is certain of the rows; the others are queued again.
    fn known(&self, bisect: &Bisect) -> Vec<RowEnd> {
        let known = |end: &End| match end {
            End::Delivered => RowEnd::Delivered,
            End::Dropped(text) => RowEnd::Dropped(reason(text)),
            End::Dead(text, note) => RowEnd::Dead { reason: reason(text), status: 200, note: note.clone() },
            End::Open | End::Alone { .. } | End::Keep => RowEnd::Keep,
        };
        bisect.ends.iter().map(known).collect()
    }

    /// Everything is tried, or the hour is used up. Guilt needs an accepted event in the same bisect; without any, the
    /// endpoint refuses everything, and nobody is dead-lettered for that.
    fn finish(&mut self, bisect: Bisect) -> Step {
        let mut ends = self.known(&bisect);
        self.sentence(&bisect, &mut ends);
        let dead = |end: &RowEnd| matches!(end, RowEnd::Dead { .. });
        let open = |(known, end): (&End, &RowEnd)| (*known == End::Open || known.is_alone()) && !dead(end);
        if bisect.accepted == 0 && bisect.ends.iter().zip(&ends).any(open) {
            let suspects = self.suspects(&bisect, &ends);
            self.state.stop(self.attempt.at, StopKind::RefusesEverything, self.refusal(), suspects);
            return Step::Settle(ends);
        }
        let wait = self.state.bisect_wait(self.attempt.at);
        for (known, end) in bisect.ends.iter().zip(&mut ends) {
            match known {
                _ if dead(end) => {}
                End::Alone { status, note, after } if bisect.guilty(*after) => {
                    *end = RowEnd::Dead { reason: Reason::Poison, status: *status, note: note.clone() };
                }
                End::Alone { .. } => *end = self.later(ASIDE),
                End::Open => *end = self.later(wait),
                _ => {}
            }
        }
        Step::Settle(ends)
    }
}
