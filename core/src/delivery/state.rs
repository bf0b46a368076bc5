//! What a route remembers across restarts: kept as JSON beside its cursor, written in the same transaction as the
//! settlement it follows from.

use super::bisect::Bisect;
use super::wait::{At, Wait, Why};
use crate::destination::{Caps, Limit, RouteSpec};
use crate::kind::Kind;
use crate::limits;
use crate::row::Lost;
use crate::store::Cut;
use std::time::Duration;

/// First wait between probes of a stopped route, doubled up to [`PROBE_MOST`].
pub(crate) const PROBE_FIRST: Duration = Duration::from_secs(3600);

/// Longest wait between probes.
pub(crate) const PROBE_MOST: Duration = Duration::from_secs(24 * 3600);

/// Suspects that are remembered while a route refuses everything: enough to find one innocent event among bad ones.
const SUSPECTS: usize = 16;

/// Bytes of a request that are not row JSON, per request and per event: what a server's cap in bytes leaves for rows.
const ENVELOPE_BYTES: (usize, usize) = (16 * 1024, 300);

/// The persisted half of a route.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub(crate) struct RouteState {
    /// Endpoint and key this state is about, in hex.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) key: String,
    /// Nothing is sent until it ends.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) hold: Option<Wait>,
    /// Failures in a row.
    pub(crate) failures: u32,
    /// 5xx answers to the batch in flight.
    pub(crate) outages: u32,
    /// Status of the last answer, 0 = none.
    pub(crate) last_status: u16,
    /// Kinds the server does not want for a while.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) limits: Vec<KindLimit>,
    /// The route is stopped.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) stop: Option<Stop>,
    /// A batch is being halved.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) bisect: Option<Bisect>,
    /// The hour in which bisect requests are counted, and how many there were.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) budget: Option<(Wait, u32)>,
    /// Events refused alone before another one was accepted: refused alone once more, they are at fault.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) convicted: Vec<Suspect>,
    /// Caps the server announced.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) caps: Option<Caps>,
    /// The server refused compression.
    pub(crate) uncompressed: bool,
    /// Digest of the losses the server knows.
    pub(crate) reported: u32,
    /// The losses it was told, where it adds reports up.
    #[serde(skip_serializing_if = "Option::is_none")]
    told: Option<Told>,
}

/// Cumulative losses as of the last report.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
struct Told {
    epoch: u64,
    /// Reason, kind, count.
    counts: Vec<(String, Option<String>, u64)>,
}

/// A kind the server does not want for a while.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct KindLimit {
    kind: String,
    hold: Wait,
}

/// Why nothing but probes is sent.
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
    /// Which of the two.
    pub(crate) kind: StopKind,
    /// What the server said.
    pub(crate) why: String,
    /// One hour from the last probe on: a new start probes at once, but not more often.
    last: Wait,
    /// When the next probe is due.
    pub(crate) next: Wait,
    /// Probes without success since the stop or the start.
    probes: u32,
    /// Events refused alone.
    #[serde(default)]
    pub(crate) suspects: Vec<Suspect>,
}

/// An event that was refused alone.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct Suspect {
    /// Its row.
    pub(crate) seq: u64,
    /// The status it got.
    pub(crate) status: u16,
    /// What the server said.
    pub(crate) note: String,
}

impl RouteState {
    /// The state from its JSON, brought to the present boot and key. JSON of another shape counts as none: the worst
    /// that follows is one request too early.
    pub(crate) fn load(text: Option<&str>, key_hash: u64, at: At<'_>) -> RouteState {
        let mut state: RouteState = text.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
        let key = format!("{key_hash:016x}");
        if state.key != key {
            // What one endpoint or key was refused for says nothing about another one.
            state = RouteState { key, ..RouteState::default() };
        }
        if let Some(stop) = &mut state.stop {
            // At start one probe, at most hourly.
            stop.last.rebase(at);
            stop.next = stop.last.clone();
            stop.probes = 0;
        }
        let holds = [state.hold.as_mut(), state.budget.as_mut().map(|(hold, _)| hold)];
        holds.into_iter().flatten().for_each(|hold| hold.rebase(at));
        state.limits.iter_mut().for_each(|limit| limit.hold.rebase(at));
        state
    }

    /// For the store.
    pub(crate) fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Forgets what is over.
    pub(crate) fn tidy(&mut self, at: At<'_>) {
        self.hold.take_if(|hold| hold.over(at));
        self.limits.retain(|limit| !limit.hold.over(at));
        self.budget.take_if(|(hold, _)| hold.over(at));
    }

    /// Waits at least this long; a longer wait already there stays.
    pub(crate) fn hold_for(&mut self, at: At<'_>, wait: Duration, why: Why) {
        let hold = Wait::new(at, wait, why);
        if self.hold.as_ref().is_none_or(|old| old.remaining(at) < hold.remaining(at)) {
            self.hold = Some(hold);
        }
    }

    /// A limit of the server: for some kinds, or for the whole route. A longer one already there stays.
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

    /// The kinds that must wait.
    pub(crate) fn limited(&self, at: At<'_>) -> Vec<Kind> {
        let live = self.limits.iter().filter(|limit| !limit.hold.over(at));
        live.filter_map(|limit| Kind::parse(&limit.kind)).collect()
    }

    /// When the first limit ends, by the monotonic clock.
    pub(crate) fn limited_until(&self, at: At<'_>) -> Option<i64> {
        self.limits.iter().map(|limit| limit.hold.ends_mono(at)).min()
    }

    /// What of these cumulative losses a request is to say.
    pub(crate) fn untold(&self, spec: &RouteSpec, epoch: u64, lost: &[Lost]) -> Vec<Lost> {
        let told = self.told.as_ref().filter(|told| spec.adds_losses && told.epoch == epoch);
        let known = |lost: &Lost| {
            let same = |entry: &&(String, Option<String>, u64)| {
                entry.0 == lost.reason.as_str() && entry.1.as_deref() == lost.kind.map(Kind::as_str)
            };
            told.and_then(|told| told.counts.iter().find(same)).map_or(0, |entry| entry.2)
        };
        let rest = lost.iter().map(|lost| Lost { count: lost.count.saturating_sub(known(lost)), ..*lost });
        rest.filter(|lost| !spec.adds_losses || lost.count > 0).collect()
    }

    /// The server knows these cumulative losses.
    pub(crate) fn tell(&mut self, spec: &RouteSpec, epoch: u64, lost: &[Lost]) {
        self.reported = digest(lost);
        let entry =
            |lost: &Lost| (lost.reason.as_str().to_owned(), lost.kind.map(|kind| kind.as_str().to_owned()), lost.count);
        self.told = spec.adds_losses.then(|| Told { epoch, counts: lost.iter().map(entry).collect() });
    }

    /// One bisect request, if the hour has one left.
    pub(crate) fn take_bisect_request(&mut self, at: At<'_>) -> bool {
        let hour = || (Wait::new(at, Duration::from_secs(3600), Why::BisectBudget), 0);
        let (hold, used) = self.budget.get_or_insert_with(hour);
        if hold.over(at) {
            (*hold, *used) = hour();
        }
        let left = *used < limits::BISECT_REQUESTS_PER_HOUR;
        *used += u32::from(left);
        left
    }

    /// How long until the hour has bisect requests again.
    pub(crate) fn bisect_wait(&self, at: At<'_>) -> Duration {
        let left = self.budget.as_ref().map_or(0, |(hold, _)| hold.remaining(at));
        Duration::from_millis(u64::try_from(left).unwrap_or(0).max(1000))
    }

    /// Stops the route. The request that led to it counts as a probe.
    pub(crate) fn stop(&mut self, at: At<'_>, kind: StopKind, why: String, suspects: Vec<Suspect>) {
        let hour = Wait::new(at, PROBE_FIRST, Why::Probe);
        self.stop = Some(Stop { kind, why, last: hour.clone(), next: hour, probes: 0, suspects: Vec::new() });
        suspects.into_iter().for_each(|suspect| self.suspect(suspect));
        self.bisect = None;
        self.outages = 0;
        // The probes have their own schedule.
        self.hold = None;
    }

    /// Remembers an event refused alone.
    pub(crate) fn suspect(&mut self, suspect: Suspect) {
        if let Some(stop) = &mut self.stop {
            stop.suspects.retain(|old| old.seq != suspect.seq);
            if stop.suspects.len() >= SUSPECTS {
                stop.suspects.remove(0);
            }
            stop.suspects.push(suspect);
        }
    }

    /// A probe brought nothing: the next one later.
    pub(crate) fn probe_failed(&mut self, at: At<'_>) {
        if let Some(stop) = &mut self.stop {
            stop.probes = stop.probes.saturating_add(1);
            let factor = 1u32.checked_shl(stop.probes).unwrap_or(u32::MAX);
            stop.last = Wait::new(at, PROBE_FIRST, Why::Probe);
            stop.next = Wait::new(at, PROBE_FIRST.saturating_mul(factor).min(PROBE_MOST), Why::Probe);
        }
    }

    /// What a cut takes now: the route's own caps, or the server's where they are lower.
    pub(crate) fn cut(&self, spec: &RouteSpec) -> Cut {
        let mut cut = Cut {
            max_events: spec.max_events.clamp(1, limits::CUT_EVENTS),
            max_bytes: spec.max_bytes.clamp(1, limits::CUT_BYTES),
        };
        if let Some(caps) = self.caps {
            let usize_of = |n: u64| usize::try_from(n).unwrap_or(usize::MAX);
            if let Some(events) = caps.max_events {
                cut.max_events = cut.max_events.min(usize_of(events)).max(1);
            }
            if let Some(bytes) = caps.max_bytes {
                let (request, event) = ENVELOPE_BYTES;
                let bytes = usize_of(bytes);
                // Half of a small cap is for rows; of a large one all but the envelopes.
                let rows = bytes.saturating_sub(request + event * cut.max_events).max(bytes / 2).max(1);
                cut.max_bytes = cut.max_bytes.min(rows);
            }
        }
        if self.stop.is_some() {
            cut.max_events = 1;
        }
        cut
    }
}

/// A digest of losses that is the same for the same losses in any order; 0 = none.
pub(crate) fn digest(lost: &[Lost]) -> u32 {
    let mut lines: Vec<_> = lost.iter().filter(|lost| lost.count > 0).collect();
    if lines.is_empty() {
        return 0;
    }
    lines.sort_by_key(|lost| (lost.reason, lost.kind));
    let text = lines.iter().map(|lost| format!("{lost:?}")).collect::<String>();
    crc32fast::hash(text.as_bytes()).max(1)
}
