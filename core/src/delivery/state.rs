//! The state of a route that survives restarts. It is stored as JSON beside the route's cursor, in the same transaction
//! as the settlement that changed it.

use super::bisect::Bisect;
use super::pace::Pace;
use super::wait::{At, Wait, Why};
use crate::destination::{Caps, Limit, RouteSpec};
use crate::kind::Kind;
use crate::limits;
use crate::row::Lost;
use crate::sorted::sort_by_key;
use crate::store::LeaseLimits;
use std::time::Duration;

/// First wait between probes of a stopped route, doubled up to [`PROBE_MOST`].
pub(crate) const PROBE_FIRST: Duration = Duration::from_secs(3600);

/// Longest wait between probes.
pub(crate) const PROBE_MOST: Duration = Duration::from_secs(24 * 3600);

/// Suspects kept while a route refuses everything: enough to find one good event among bad ones.
const SUSPECTS: usize = 16;

/// Bytes of a request that are not row JSON, per request and per event; the rest of a server's cap in bytes is for
/// rows.
const ENVELOPE_BYTES: (usize, usize) = (16 * 1024, 300);

/// The persisted part of a route.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub(crate) struct RouteState {
    /// Hash of the endpoint and key that this state belongs to, in hex.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) key: String,
    /// How long waits of our own choice are. Not persisted.
    #[serde(skip)]
    pub(crate) pace: Pace,
    /// Nothing is sent until it ends.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) hold: Option<Wait>,
    /// Failures in a row.
    pub(crate) failures: u32,
    /// 5xx responses to the batch in flight, or to the rows that are kept after them.
    pub(crate) outages: u32,
    /// Status of the last response, 0 = none.
    pub(crate) last_status: u16,
    /// Why the last request got no response of the server, in the words of the transport. Not persisted.
    #[serde(skip)]
    pub(crate) cause: String,
    /// Kinds the server does not want for a while.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) limits: Vec<KindLimit>,
    /// The route is stopped and sends only probes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) stop: Option<Stop>,
    /// A batch is being bisected.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) bisect: Option<Bisect>,
    /// The hour in which bisect requests are counted, and their number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) budget: Option<(Wait, u32)>,
    /// Events that were refused alone before another one was accepted. Refused alone once more, they are dead-lettered.
    #[serde(rename = "convicted", skip_serializing_if = "Vec::is_empty")]
    pub(crate) refused_alone: Vec<Suspect>,
    /// Caps the server announced.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) caps: Option<Caps>,
    /// The server refused compression.
    pub(crate) uncompressed: bool,
    /// Attempts on the batch in flight that got no response that can be understood.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) unclear: Option<Unclear>,
    /// Digest of the losses that were reported.
    pub(crate) reported: u32,
    /// The losses that were reported, where the server adds reports up.
    #[serde(skip_serializing_if = "Option::is_none")]
    reported_counts: Option<ReportedCounts>,
}

/// Attempts on one batch that got no response that can be understood.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct Unclear {
    /// The oldest row of the batch. It identifies the batch when its rows are selected again under another id.
    oldest: u64,
    /// Attempts so far.
    attempts: u32,
    /// Ends [`limits::UNCLEAR_AGE`] after the first attempt.
    age: Wait,
}

/// Cumulative losses as of the last report.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
struct ReportedCounts {
    epoch: u64,
    /// Reason, kind, count.
    counts: Vec<(String, Option<String>, u64)>,
}

/// A kind the server does not want for a while.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct KindLimit {
    pub(super) kind: String,
    pub(super) hold: Wait,
}

/// Why a route sends only probes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum StopKind {
    /// The key or the address is wrong.
    Refused,
    /// The endpoint refused every event of a bisect.
    RefusesEverything,
}

/// A stopped route and its probes.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct Stop {
    /// Why.
    pub(crate) kind: StopKind,
    /// The server's message.
    pub(crate) why: String,
    /// Ends one hour after the last probe: a new process may probe then, but not earlier.
    last: Wait,
    /// When the next probe is due.
    pub(crate) next: Wait,
    /// Failed probes since the stop or the start of the process.
    probes: u32,
    /// Events refused alone.
    #[serde(default)]
    pub(crate) suspects: Vec<Suspect>,
}

/// An event that was refused when it was sent alone.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct Suspect {
    /// Its row.
    pub(crate) seq: u64,
    /// The status of the refusal.
    pub(crate) status: u16,
    /// The server's message.
    pub(crate) note: String,
}

impl RouteState {
    /// Reads the state from its JSON and converts it to the present boot. JSON that cannot be read, and the state of
    /// another key, count as no state: the worst consequence is one request too early.
    pub(crate) fn load(text: Option<&str>, key_hash: u64, pace: Pace, at: At<'_>) -> RouteState {
        let mut state: RouteState = text.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
        let key = format!("{key_hash:016x}");
        if state.key != key {
            // The refusals of one endpoint or key say nothing about another one.
            state = RouteState { key, ..RouteState::default() };
        }
        if let Some(stop) = &mut state.stop {
            // A new process probes once, at most hourly.
            stop.last.rebase(at);
            stop.next = stop.last.clone();
            stop.probes = 0;
        }
        let unclear = state.unclear.as_mut().map(|unclear| &mut unclear.age);
        let holds = [state.hold.as_mut(), state.budget.as_mut().map(|(hold, _)| hold), unclear];
        holds.into_iter().flatten().for_each(|hold| hold.rebase(at));
        state.limits.iter_mut().for_each(|limit| limit.hold.rebase(at));
        state.set_pace(pace, at);
        state
    }

    /// In test mode, waits of our own choice that another run began end now.
    fn set_pace(&mut self, pace: Pace, at: At<'_>) {
        self.pace = pace;
        if pace == Pace::Test {
            self.hold.take_if(|hold| hold.why.is_our_choice());
            self.budget = None;
            if let Some(stop) = &mut self.stop {
                stop.next = Wait::new(at, Duration::ZERO, Why::Probe);
            }
        }
    }

    /// The JSON for the store.
    pub(crate) fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Whether the rows in flight must stay while no request is running. Otherwise they may be evicted.
    pub(crate) fn pins_batch(&self) -> bool {
        self.bisect.as_ref().is_some_and(Bisect::has_results)
    }

    /// Removes waits and limits that are over.
    pub(crate) fn tidy(&mut self, at: At<'_>) {
        self.hold.take_if(|hold| hold.over(at));
        self.limits.retain(|limit| !limit.hold.over(at));
        self.budget.take_if(|(hold, _)| hold.over(at));
    }

    /// Waits at least this long, in test mode as long as its [`Pace`] allows; a longer wait is kept.
    pub(crate) fn hold_for(&mut self, at: At<'_>, wait: Duration, why: Why) {
        let wait = if why.is_our_choice() { self.pace.wait(wait) } else { wait };
        let hold = Wait::new(at, wait, why);
        if self.hold.as_ref().is_none_or(|old| old.remaining(at) < hold.remaining(at)) {
            self.hold = Some(hold);
        }
    }

    /// Applies a limit of the server to some kinds or to the whole route; a longer one is kept.
    pub(crate) fn limit(&mut self, at: At<'_>, limit: &Limit) {
        let wait = limit.wait.min(limits::RETRY_AFTER);
        if limit.kinds.is_empty() {
            self.hold_for(at, wait, Why::RetryAfter);
        }
        for kind in &limit.kinds {
            let hold = Wait::new(at, wait, Why::Parked);
            let longer = |old: &KindLimit| old.kind == kind.as_str() && old.hold.remaining(at) >= hold.remaining(at);
            if !self.limits.iter().any(longer) {
                self.limits.retain(|old| old.kind != kind.as_str());
                self.limits.push(KindLimit { kind: kind.as_str().to_owned(), hold });
            }
        }
    }

    /// The kinds under a limit.
    pub(crate) fn limited(&self, at: At<'_>) -> Vec<Kind> {
        let live = self.limits.iter().filter(|limit| !limit.hold.over(at));
        live.filter_map(|limit| Kind::parse(&limit.kind)).collect()
    }

    /// When the first limit ends, by the monotonic clock.
    pub(crate) fn limited_until(&self, at: At<'_>) -> Option<i64> {
        self.limits.iter().map(|limit| limit.hold.ends_mono(at)).min()
    }

    /// The part of these cumulative losses that a request reports.
    pub(crate) fn unreported(&self, spec: &RouteSpec, epoch: u64, lost: &[Lost]) -> Vec<Lost> {
        let reported = self.reported_counts.as_ref().filter(|old| spec.adds_losses && old.epoch == epoch);
        let known = |lost: &Lost| {
            let same = |entry: &&(String, Option<String>, u64)| {
                entry.0 == lost.reason.as_str() && entry.1.as_deref() == lost.kind.map(Kind::as_str)
            };
            reported.and_then(|old| old.counts.iter().find(same)).map_or(0, |entry| entry.2)
        };
        let rest = lost.iter().map(|lost| Lost { count: lost.count.saturating_sub(known(lost)), ..*lost });
        rest.filter(|lost| !spec.adds_losses || lost.count > 0).collect()
    }

    /// The server acknowledged the report of these cumulative losses.
    pub(crate) fn set_reported(&mut self, spec: &RouteSpec, epoch: u64, lost: &[Lost]) {
        self.reported = digest(lost);
        let entry =
            |lost: &Lost| (lost.reason.as_str().to_owned(), lost.kind.map(|kind| kind.as_str().to_owned()), lost.count);
        self.reported_counts =
            spec.adds_losses.then(|| ReportedCounts { epoch, counts: lost.iter().map(entry).collect() });
    }

    /// Counts an attempt that got no response that can be understood, on the batch with this oldest row. `true` if there
    /// were [`limits::UNCLEAR_ATTEMPTS`] of them and the first is [`limits::UNCLEAR_AGE`] old.
    pub(crate) fn count_unclear(&mut self, at: At<'_>, oldest: u64) -> bool {
        let start = || Unclear { oldest, attempts: 0, age: Wait::new(at, limits::UNCLEAR_AGE, Why::NoResponse) };
        let unclear = self.unclear.get_or_insert_with(start);
        if unclear.oldest != oldest {
            *unclear = start();
        }
        unclear.attempts = unclear.attempts.saturating_add(1);
        unclear.attempts >= limits::UNCLEAR_ATTEMPTS && unclear.age.over(at)
    }

    /// Takes one of the bisect requests of this hour. `false` if none is left.
    pub(crate) fn take_bisect_request(&mut self, at: At<'_>) -> bool {
        let hour = self.pace.wait(Duration::from_secs(3600));
        let hour = || (Wait::new(at, hour, Why::BisectBudget), 0);
        let (hold, used) = self.budget.get_or_insert_with(hour);
        if hold.over(at) {
            (*hold, *used) = hour();
        }
        let left = *used < limits::BISECT_REQUESTS_PER_HOUR;
        *used += u32::from(left);
        left
    }

    /// How long until there are bisect requests again.
    pub(crate) fn bisect_wait(&self, at: At<'_>) -> Duration {
        let left = self.budget.as_ref().map_or(0, |(hold, _)| hold.remaining(at));
        Duration::from_millis(u64::try_from(left).unwrap_or(0).max(1000))
    }

    /// Stops the route. The request that led to the stop counts as a probe.
    pub(crate) fn stop(&mut self, at: At<'_>, kind: StopKind, why: String, suspects: Vec<Suspect>) {
        let hour = Wait::new(at, self.pace.wait(PROBE_FIRST), Why::Probe);
        self.stop = Some(Stop { kind, why, last: hour.clone(), next: hour, probes: 0, suspects: Vec::new() });
        suspects.into_iter().for_each(|suspect| self.suspect(suspect));
        self.bisect = None;
        self.outages = 0;
        self.unclear = None;
        // Probes have a schedule of their own.
        self.hold = None;
    }

    /// Adds a suspect to a stopped route.
    pub(crate) fn suspect(&mut self, suspect: Suspect) {
        if let Some(stop) = &mut self.stop {
            stop.suspects.retain(|old| old.seq != suspect.seq);
            if stop.suspects.len() >= SUSPECTS {
                stop.suspects.remove(0);
            }
            stop.suspects.push(suspect);
        }
    }

    /// A probe failed: schedules the next one.
    pub(crate) fn probe_failed(&mut self, at: At<'_>) {
        if let Some(stop) = &mut self.stop {
            stop.probes = stop.probes.saturating_add(1);
            let factor = 1u32.checked_shl(stop.probes).unwrap_or(u32::MAX);
            let wait = |usual| Wait::new(at, self.pace.wait(usual), Why::Probe);
            stop.last = wait(PROBE_FIRST);
            stop.next = wait(PROBE_FIRST.saturating_mul(factor).min(PROBE_MOST));
        }
    }

    /// The limits of a batch: the route's caps, or the server's where they are lower.
    pub(crate) fn lease_limits(&self, spec: &RouteSpec) -> LeaseLimits {
        let mut limits = LeaseLimits {
            max_events: spec.max_events.clamp(1, limits::BATCH_MAX_EVENTS),
            max_bytes: spec.max_bytes.clamp(1, limits::BATCH_MAX_BYTES),
        };
        if let Some(caps) = self.caps {
            let usize_of = |n: u64| usize::try_from(n).unwrap_or(usize::MAX);
            if let Some(events) = caps.max_events {
                limits.max_events = limits.max_events.min(usize_of(events)).max(1);
            }
            if let Some(bytes) = caps.max_bytes {
                let (request, event) = ENVELOPE_BYTES;
                let bytes = usize_of(bytes);
                // Half of a small cap is for rows; of a large one everything but the envelopes.
                let rows = bytes.saturating_sub(request + event * limits.max_events).max(bytes / 2).max(1);
                limits.max_bytes = limits.max_bytes.min(rows);
            }
        }
        if self.stop.is_some() {
            limits.max_events = 1;
        }
        limits
    }
}

/// A digest of losses that does not depend on their order; 0 = no losses.
pub(crate) fn digest(lost: &[Lost]) -> u32 {
    let mut lines: Vec<_> = lost.iter().filter(|lost| lost.count > 0).collect();
    if lines.is_empty() {
        return 0;
    }
    sort_by_key(&mut lines, |lost| (lost.reason, lost.kind));
    let text = lines.iter().map(|lost| format!("{lost:?}")).collect::<String>();
    crc32fast::hash(text.as_bytes()).max(1)
}
