//! When a route is due, apart from its waits: counts of rows, timers, and the host's hints about the device.

use super::pace::Pace;
use crate::limits;
use crate::phrases::HeldCode;
use std::time::Duration;

/// The state of the network, as reported by the host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Network {
    /// There is no network. This delays requests and never stops them: the host may be wrong.
    Offline,
    /// There is a network.
    Online,
    /// Not known; treated as online.
    #[default]
    Unknown,
}

/// The power state, as reported by the host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Power {
    /// No restriction.
    #[default]
    Normal,
    /// Power saving: lanes 2 and 3 wait for at most 24 h.
    Low,
}

/// A hint about the device. It delays requests and never stops them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hint {
    /// The network.
    Network(Network),
    /// The power state.
    Power(Power),
}

impl Hint {
    /// What it is about: the last hint about the same counts.
    pub(crate) fn about(self) -> &'static str {
        match self {
            Hint::Network(_) => "network",
            Hint::Power(_) => "power",
        }
    }
}

/// The state of the app and the device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Conditions {
    /// The app is in the foreground.
    pub(crate) foreground: bool,
    /// See [`Network`].
    pub(crate) network: Network,
    /// See [`Power`].
    pub(crate) power: Power,
    /// See [`Pace`].
    pub(crate) pace: Pace,
}

/// What a `flush()` waits for on a route.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Flush {
    /// Nothing.
    #[default]
    No,
    /// Until no row can be sent.
    Rows,
    /// All rows are sent; until the losses are reported.
    Losses,
}

/// What waits on a route, as far as this process knows, and how urgent it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Trigger {
    /// Rows per lane since the route was last empty.
    pub(crate) counts: [u64; 4],
    /// When the first of them was stored, by the monotonic clock.
    pub(crate) since: Option<i64>,
    /// Send everything now (start, background, network returned, batch to be sent again).
    pub(crate) drain: bool,
    /// The last request took every row that the route wants, and no row was stored since: what is left is parked, or unwanted
    /// and not yet passed over.
    pub(crate) took_everything: bool,
    /// Whether a `flush()` waits for this route; it ignores hints and timers.
    pub(crate) flush: Flush,
    /// When the losses may have changed, by the monotonic clock; `None` = they are reported.
    pub(crate) losses: Option<i64>,
    /// When losses were last compared or reported, by the monotonic clock.
    pub(crate) losses_at: Option<i64>,
    /// When the last request started, by the monotonic clock.
    pub(crate) last_request: Option<i64>,
    /// When a flush last sent a request in spite of a wait, by the monotonic clock.
    pub(crate) ignored_wait: Option<i64>,
}

/// Why a route that may send does not send yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Delay {
    /// It collects more rows until the batch timer ends.
    Batch,
    /// Immediate requests have a minimum interval.
    Spacing,
    /// The host reports that there is no network.
    Offline,
    /// The host reports power saving.
    LowPower,
}

impl Delay {
    /// Its code in `status()`.
    pub(crate) fn code(self) -> HeldCode {
        match self {
            Delay::Batch => HeldCode::Batch,
            Delay::Spacing => HeldCode::Spacing,
            Delay::Offline => HeldCode::Offline,
            Delay::LowPower => HeldCode::LowPower,
        }
    }
}

impl Trigger {
    /// New rows in the store.
    pub(crate) fn rows(&mut self, counts: [u64; 4], mono_ms: i64) {
        for (have, more) in self.counts.iter_mut().zip(counts) {
            *have = have.saturating_add(more);
        }
        if counts != [0; 4] {
            self.took_everything = false;
            self.since.get_or_insert(mono_ms);
        }
        self.losses.get_or_insert(mono_ms);
    }

    /// Sends everything now.
    pub(crate) fn drain(&mut self, mono_ms: i64) {
        self.drain = true;
        self.since.get_or_insert(mono_ms);
    }

    /// A request takes every row that the route wants: rows that come now obey the timers.
    pub(crate) fn take_everything(&mut self) {
        self.drain = false;
        self.took_everything = true;
    }

    /// Sets the rows that wait in the store.
    pub(crate) fn set_rows(&mut self, counts: [u64; 4], mono_ms: i64) {
        self.counts = counts;
        // Their age is not known here: they were stored while the request was in flight, or were parked.
        self.since = (counts != [0; 4]).then_some(mono_ms);
    }

    /// The store has no row for this route now.
    pub(crate) fn empty(&mut self) {
        self.counts = [0; 4];
        self.since = None;
        self.drain = false;
    }

    /// Whether anything may be waiting.
    pub(crate) fn any(&self) -> bool {
        self.drain || self.flush == Flush::Rows || self.counts != [0; 4]
    }

    /// Whether a flush ignored a wait less than [`limits::FLUSH_INTERVAL`] ago.
    pub(crate) fn flushed_recently(&self, pace: Pace, mono_ms: i64) -> bool {
        self.ignored_wait.is_some_and(|last| mono_ms < after(last, pace.wait(limits::FLUSH_INTERVAL)))
    }

    /// When to send, by the monotonic clock, and what it waits for; `None` = nothing to send. `immediate` is when the
    /// destination's last immediate request started.
    pub(crate) fn due(&self, conditions: Conditions, immediate: Option<i64>, mono_ms: i64) -> Option<(i64, Delay)> {
        if self.flush == Flush::Rows {
            return Some((mono_ms, Delay::Batch));
        }
        let since = self.since.unwrap_or(mono_ms);
        let pace = conditions.pace;
        let [crash, critical, normal, bulk] = self.counts;
        let urgent = (crash > 0 || critical > 0).then(|| {
            let last = immediate.filter(|_| pace.batches());
            let spaced = last.map_or(mono_ms, |last| after(last, limits::IMMEDIATE_INTERVAL));
            match conditions.network {
                Network::Offline if self.last_request.is_some() => {
                    let last = self.last_request.unwrap_or(since);
                    (spaced.max(after(last, pace.wait(limits::HINT_DELAY_CRITICAL))), Delay::Offline)
                }
                _ => (spaced, Delay::Spacing),
            }
        });
        let total = self.counts.iter().fold(0u64, |sum, count| sum.saturating_add(*count));
        let rest = (self.drain || normal > 0 || bulk > 0).then(|| {
            let delayed = after(since, pace.wait(limits::HINT_DELAY));
            if conditions.network == Network::Offline {
                (delayed, Delay::Offline)
            } else if conditions.power == Power::Low {
                (delayed, Delay::LowPower)
            } else if self.drain || !pace.batches() || (conditions.foreground && total >= limits::BATCH_EVENTS) {
                (mono_ms, Delay::Batch)
            } else if conditions.foreground {
                (after(since, limits::BATCH_INTERVAL), Delay::Batch)
            } else {
                (after(since, limits::BACKGROUND_INTERVAL), Delay::Batch)
            }
        });
        [urgent, rest].into_iter().flatten().min_by_key(|(when, _)| *when)
    }

    /// When to report losses in a request of their own, by the monotonic clock. If rows wait, their request reports the
    /// losses.
    pub(crate) fn losses_due(&self, conditions: Conditions, mono_ms: i64) -> Option<i64> {
        let since = self.losses?;
        if self.flush == Flush::Losses {
            return Some(mono_ms);
        }
        if self.any() {
            return None;
        }
        let delayed = conditions.network == Network::Offline || conditions.power == Power::Low;
        let wait = |usual| conditions.pace.wait(usual);
        let soon = after(since, wait(if delayed { limits::HINT_DELAY } else { limits::BATCH_INTERVAL }));
        Some(self.losses_at.map_or(soon, |last| soon.max(after(last, wait(limits::LOSSES_INTERVAL)))))
    }
}

fn after(from_ms: i64, wait: Duration) -> i64 {
    from_ms.saturating_add(i64::try_from(wait.as_millis()).unwrap_or(i64::MAX))
}
