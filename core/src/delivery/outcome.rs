//! What the end of a request means for its rows and its route: the table of responses in `docs/guide/delivery.md`, as a
//! pure function of the route's state and the verdict.
//!
//! | file | idea |
//! | --- | --- |
//! | this one | responses to a whole batch |
//! | `part` | responses to a part of a batch that is bisected, and the result of the bisect |
//! | `probe` | responses to the single event that a stopped route sends from time to time |
//! | `suspects` | events that were refused alone before the endpoint accepted anything |

mod part;
mod probe;
mod suspects;

use super::backoff;
use super::bisect::{Bisect, Cause};
use super::state::{RouteState, StopKind};
use super::wait::{At, Why};
use crate::destination::{Action, Backoff, Limit, RouteSpec, RowOutcome, Verdict};
use crate::kind::Kind;
use crate::limits;
use crate::reason::Reason;
use crate::store::RowEnd;
use std::time::Duration;

/// How long rows are parked that are probably poison but not proven to be.
const PARK: Duration = Duration::from_secs(3600);

/// The same for a route whose requests have one event each: no other event of a request shows that the server works, and an alert that
/// waits for an hour after a short outage is no alert.
const PARK_ONE: Duration = Duration::from_secs(5 * 60);

/// The batch a request was about.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Attempt<'a> {
    /// The route.
    pub(crate) spec: &'a RouteSpec,
    /// Id of the batch in flight.
    pub(crate) batch: &'a str,
    /// All rows in flight, in order. During a bisect the request carries only some of them.
    pub(crate) rows: &'a [(u64, Kind)],
    /// An earlier attempt may have reached the server under the same batch id.
    pub(crate) resend: bool,
    /// The clocks now.
    pub(crate) at: At<'a>,
    /// 64 random bits for the next wait.
    pub(crate) random: u64,
}

/// How a request ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum RequestEnd {
    /// The server responded with this status, and the destination gave this verdict.
    Responded(u16, Verdict),
    /// Something on the network path responded in the server's place (see [`crate::destination::intercepted`]).
    Intercepted(u16, String),
    /// The request could not be built from these rows.
    Unbuildable(String),
    /// No byte was sent.
    NotSent(String),
    /// There was no response; the request may have arrived.
    Lost(String),
}

/// What the store is to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Settle the batch: one end per row in flight.
    Settle(Vec<RowEnd>),
    /// Keep the batch in flight and send the same request again.
    Retry,
    /// Queue its rows again; a new batch is selected.
    Release,
}

/// What to do, and what to write into the receipt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Decision {
    /// For the store.
    pub(crate) step: Step,
    /// HTTP status, 0 = none.
    pub(crate) status: u16,
    /// For the receipt.
    pub(crate) note: String,
    /// The server accepted the request, and with it the report of losses in it.
    pub(crate) acknowledged: bool,
    /// The server will never accept this request. Not so after a limit or an outage.
    pub(crate) refused: bool,
}

/// Decides what the end of a request means, and updates the route's state.
pub(crate) fn decide(state: &mut RouteState, attempt: Attempt<'_>, end: RequestEnd) -> Decision {
    let ambiguous = |what| Verdict::of(Action::Ambiguous(what));
    let lost = matches!(end, RequestEnd::Lost(_));
    state.cause = match &end {
        RequestEnd::NotSent(what) | RequestEnd::Lost(what) | RequestEnd::Intercepted(_, what) => what.clone(),
        RequestEnd::Responded(..) | RequestEnd::Unbuildable(_) => String::new(),
    };
    let (status, verdict, unreachable) = match end {
        RequestEnd::Responded(status, verdict) => (status, verdict, None),
        RequestEnd::Unbuildable(what) => (0, Verdict { note: Some(what), ..Verdict::of(Action::Split) }, None),
        RequestEnd::Intercepted(status, what) => (status, ambiguous(what), Some(Why::Intercepted)),
        RequestEnd::NotSent(what) => (0, ambiguous(what), Some(Why::Unreachable)),
        RequestEnd::Lost(what) => (0, ambiguous(what), None),
    };
    state.last_status = status;
    let note = verdict.note.unwrap_or_default();
    let early = state.hold.as_ref().is_some_and(|hold| !hold.over(attempt.at));
    let back_off = verdict.back_off;
    let mut decider = Decider { state, attempt, status, note, back_off, unreachable, lost, exhausted: false, early };
    let action = match verdict.action {
        Action::Settle(outcomes) if outcomes.len() != decider.sent_rows() => {
            Action::Ambiguous("the response does not account for all events".into())
        }
        action => action,
    };
    decider.count_unclear(&action);
    let acknowledged = (200..300).contains(&status) && matches!(action, Action::Settle(_));
    let caps_lowered = verdict.caps.is_some_and(|caps| {
        let before = decider.state.lease_limits(attempt.spec);
        decider.state.caps = Some(caps);
        let after = decider.state.lease_limits(attempt.spec);
        after.max_events < before.max_events || after.max_bytes < before.max_bytes
    });
    let step = if decider.state.stop.is_some() {
        decider.probe(action)
    } else if decider.state.bisect.is_some() {
        decider.part(action)
    } else if caps_lowered && action == Action::Split && attempt.rows.len() > 1 && !attempt.spec.at_most_once {
        // The refusal may be about the size alone: a batch within the server's caps is sent first. It counts as a bisect
        // request, because a faulty server can lower its caps again and again.
        decider.take_bisect_request();
        Step::Release
    } else {
        decider.whole(action)
    };
    if let Some(bounds) = verdict.back_off.filter(|_| decider.state.stop.is_none()) {
        decider.fail_within(bounds, Why::Outage);
    }
    let step = decider.apply_limits(&verdict.limits, step);
    let Decider { status, note, back_off, .. } = decider;
    let later = back_off.is_some() || status == 429;
    let refused = !acknowledged && !later && matches!(step, Step::Settle(_));
    Decision { step, status, note, acknowledged, refused }
}

struct Decider<'a> {
    state: &'a mut RouteState,
    attempt: Attempt<'a>,
    status: u16,
    note: String,
    /// The service has an outage although the rows are settled.
    back_off: Option<Backoff>,
    /// The server did not receive the request, for this reason.
    unreachable: Option<Why>,
    /// There was no response.
    lost: bool,
    /// The batch has been sent often enough without a response that can be understood.
    exhausted: bool,
    /// A flush ignored the wait after the last failure. Several flushes in one short outage must not count as several outages.
    early: bool,
}

impl Decider<'_> {
    /// Rows the request carried.
    fn sent_rows(&mut self) -> usize {
        let part = self.state.bisect.as_mut().and_then(Bisect::current);
        part.map_or(self.attempt.rows.len(), |part| part.to - part.from)
    }

    /// Whether the request may have arrived and its result is unknown.
    fn is_unclear(&self, action: &Action) -> bool {
        self.unreachable.is_none() && matches!(action, Action::Ambiguous(_) | Action::NewBatchId)
    }

    fn count_unclear(&mut self, action: &Action) {
        // A stopped route has the schedule of its probes; an at-most-once route settles after the first attempt.
        if !self.is_unclear(action) || self.state.stop.is_some() || self.attempt.spec.at_most_once {
            return;
        }
        if let Some(oldest) = self.attempt.rows.iter().map(|(seq, _)| *seq).min() {
            self.exhausted = self.state.count_unclear(self.attempt.at, oldest);
        }
    }

    /// The limits apply from now on. A batch in flight that contains a limited kind is selected again without it.
    fn apply_limits(&mut self, limits: &[Limit], step: Step) -> Step {
        limits.iter().for_each(|limit| self.state.limit(self.attempt.at, limit));
        let limited = |kind: &Kind| limits.iter().any(|limit| limit.kinds.contains(kind));
        let contains_limited = self.attempt.rows.iter().any(|(_, kind)| limited(kind));
        if step == Step::Retry && contains_limited && self.state.bisect.is_none() { Step::Release } else { step }
    }

    fn succeed(&mut self) {
        if self.back_off.is_some() {
            return;
        }
        self.state.failures = 0;
        self.state.outages = 0;
        self.state.hold = None;
        self.state.unclear = None;
    }

    /// One more failure in a row: back off.
    fn fail(&mut self, why: Why) {
        self.fail_within(self.attempt.spec.backoff, why);
    }

    fn fail_within(&mut self, bounds: Backoff, why: Why) {
        self.state.failures = self.state.failures.saturating_add(1);
        let wait = backoff::wait(bounds, self.state.failures, self.attempt.random);
        self.state.hold_for(self.attempt.at, wait, why);
    }

    /// The server asks to try later, and may have said when.
    fn wait(&mut self, wait: Option<Duration>) {
        match wait {
            Some(wait) => {
                self.state.failures = self.state.failures.saturating_add(1);
                // `Retry-After: 0` must not cause a loop.
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

    /// Sends the rows again: the same batch, or, where the server cannot have received any part of it, whatever is most
    /// important by then. So the rows of a batch do not wait for an outage to end while more important ones are evicted. An
    /// at-most-once route selects kept rows again, so that no batch is left in state `sending`.
    fn again(&self) -> Step {
        let never_sent = self.unreachable == Some(Why::Unreachable) && !self.attempt.resend;
        if never_sent || self.attempt.spec.at_most_once { Step::Release } else { Step::Retry }
    }

    fn all(&self, end: &RowEnd) -> Step {
        Step::Settle(vec![end.clone(); self.attempt.rows.len()])
    }

    /// No response that can be understood, or an unreachable server.
    fn uncertain(&mut self, what: String) -> Step {
        self.fail(self.unreachable.unwrap_or(Why::NoResponse));
        if self.unreachable.is_none() && self.attempt.spec.at_most_once {
            self.note = format!("may have arrived: {what}");
            return self.all(&RowEnd::Dropped(Reason::Ambiguous));
        }
        self.note = what;
        self.again()
    }

    /// A response to a whole batch.
    fn whole(&mut self, action: Action) -> Step {
        match action {
            Action::Settle(outcomes) => {
                self.succeed();
                self.clear_suspects();
                if self.back_off.is_none()
                    && !outcomes.is_empty()
                    && outcomes.iter().all(|outcome| *outcome == RowOutcome::Keep)
                {
                    // All rows are kept: wait before the next attempt.
                    self.fail(Why::Outage);
                }
                let mut ends: Vec<RowEnd> = outcomes.into_iter().map(|outcome| self.end(outcome)).collect();
                if self.back_off.is_some() {
                    self.park_kept(&mut ends);
                }
                Step::Settle(ends)
            }
            Action::Split if self.attempt.spec.at_most_once => self.all(&RowEnd::Dropped(Reason::Rejected)),
            Action::Split => self.begin_bisect(Cause::Refused),
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
            Action::NewBatchId if self.exhausted => {
                self.note = "the server refused every batch id".into();
                self.begin_bisect(Cause::Unclear)
            }
            Action::NewBatchId => {
                if self.state.failures > 0 {
                    self.fail(Why::Outage);
                } else {
                    self.state.failures = 1;
                }
                Step::Release
            }
            Action::Uncompressed if self.state.uncompressed => self.whole(Action::Split),
            Action::Uncompressed => {
                self.state.uncompressed = true;
                self.again()
            }
            Action::Ambiguous(what) if self.exhausted => {
                self.note = what;
                self.begin_bisect(Cause::Unclear)
            }
            Action::Ambiguous(what) => self.uncertain(what),
        }
    }

    /// 5xx. After some of them on the same batch, one of its events is tried alone; a batch of one event is parked, so
    /// that it does not block the rest.
    fn outage(&mut self) -> Step {
        if self.early {
            return self.again();
        }
        self.state.outages = self.state.outages.saturating_add(1);
        let rows = self.attempt.rows.len();
        // The batch of an at-most-once route is not bisected.
        let whole = self.attempt.spec.at_most_once && rows > 1;
        if whole || self.state.outages < limits::OUTAGES_BEFORE_BISECT {
            return self.again();
        }
        self.state.outages = 0;
        match rows {
            0 => Step::Retry,
            1 if self.attempt.spec.max_events == 1 => {
                let later = self.later(self.state.pace.wait(PARK_ONE));
                self.all(&later)
            }
            1 => {
                let later = self.park();
                self.all(&later)
            }
            rows => {
                if self.state.take_bisect_request(self.attempt.at) {
                    self.state.bisect = Some(Bisect::trial(self.attempt.batch, rows, self.attempt.random));
                }
                Step::Retry
            }
        }
    }

    /// 5xx, and the destination settled the batch nevertheless. The rows it keeps are sent before all others of their
    /// lane, so that after some such responses they are parked. Of several, a random half is: if one row is to blame, the next request
    /// is without it in half of the cases, and those that are parked with it are fewer each time.
    fn park_kept(&mut self, ends: &mut [RowEnd]) {
        let kept = ends.iter().filter(|end| **end == RowEnd::Keep).count();
        if kept == 0 || self.early {
            return;
        }
        self.state.outages = self.state.outages.saturating_add(1);
        if self.state.outages < limits::OUTAGES_BEFORE_BISECT {
            return;
        }
        self.state.outages = 0;
        let later = self.park();
        let mut bits = self.attempt.random;
        for end in ends.iter_mut().filter(|end| **end == RowEnd::Keep) {
            bits = bits.rotate_left(1);
            if kept == 1 || bits & 1 == 1 {
                end.clone_from(&later);
            }
        }
    }

    /// The row is probably poison: it must not hold up the others.
    fn park(&self) -> RowEnd {
        self.later(self.state.pace.wait(PARK))
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
}
