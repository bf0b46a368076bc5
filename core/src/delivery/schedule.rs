//! When a route wants to send, before any hold: counts of waiting rows, and what the host says about the device.

use crate::limits;
use std::time::Duration;

/// What the host says about the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Network {
    /// There is none. Delays requests, never stops them: hosts are wrong about this at times.
    Offline,
    /// There is one.
    Online,
    /// Not known; counts as online.
    #[default]
    Unknown,
}

/// What the host says about energy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Power {
    /// Nothing special.
    #[default]
    Normal,
    /// The user or the system saves energy: lanes 2 and 3 wait for at most a day.
    Low,
}

/// A hint about the device: delays, never stops.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hint {
    /// About the network.
    Network(Network),
    /// About energy.
    Power(Power),
}

/// The state of app and device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Setting {
    /// The app is in the foreground.
    pub(crate) foreground: bool,
    /// See [`Network`].
    pub(crate) network: Network,
    /// See [`Power`].
    pub(crate) power: Power,
}

/// What `flush()` waits for on a route.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Flush {
    /// Nothing.
    #[default]
    No,
    /// Until the rows are gone.
    Rows,
    /// The rows are gone; until the losses are reported.
    Losses,
}

/// What waits on a route, as far as this run knows, and how urgent it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Trigger {
    /// Rows per lane that came since the route was last found empty.
    pub(crate) counts: [u64; 4],
    /// When the first of them came, by the monotonic clock.
    pub(crate) since: Option<i64>,
    /// Everything there is goes now (start, background, connectivity regained, something put aside is due).
    pub(crate) drain: bool,
    /// Whether `flush()` waits for this route: hints do not count then.
    pub(crate) flush: Flush,
    /// Since when the losses may have changed, by the monotonic clock; `None` = the server knows them.
    pub(crate) losses: Option<i64>,
    /// When losses were last looked at, by the monotonic clock.
    pub(crate) losses_at: Option<i64>,
    /// When the last request began, by the monotonic clock.
    pub(crate) tried: Option<i64>,
}

/// Why a route without a hold waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Delay {
    /// For more rows, or for their batch timer.
    Batch,
    /// For the few seconds between immediate requests.
    Spacing,
    /// The host says there is no network.
    Offline,
    /// The host says to save energy.
    LowPower,
}

impl Delay {
    /// For people.
    pub(crate) fn text(self) -> &'static str {
        match self {
            Delay::Batch => "collecting a batch",
            Delay::Spacing => "a request went out just now",
            Delay::Offline => "the host says there is no network",
            Delay::LowPower => "the host says to save energy",
        }
    }
}

impl Trigger {
    /// New rows in the store.
    pub(crate) fn rows(&mut self, counts: [u64; 4], mono_ms: i64) {
        for (have, more) in self.counts.iter_mut().zip(counts) {
            *have = have.saturating_add(more);
        }
        if counts != [0; 4] && self.since.is_none() {
            self.since = Some(mono_ms);
        }
        self.losses.get_or_insert(mono_ms);
    }

    /// Everything there is goes now.
    pub(crate) fn drain(&mut self, mono_ms: i64) {
        self.drain = true;
        self.since.get_or_insert(mono_ms);
    }

    /// What the store says is waiting now.
    pub(crate) fn left(&mut self, counts: [u64; 4], mono_ms: i64) {
        self.counts = counts;
        // Their own age is not known here; they came while the request was under way, or were parked.
        self.since = (counts != [0; 4]).then_some(mono_ms);
    }

    /// The store has nothing for this route now.
    pub(crate) fn empty(&mut self) {
        self.counts = [0; 4];
        self.since = None;
        self.drain = false;
    }

    /// Whether anything may be waiting.
    pub(crate) fn any(&self) -> bool {
        self.drain || self.flush == Flush::Rows || self.counts != [0; 4]
    }

    /// When to send, by the monotonic clock, and what it waits for; `None` = nothing to send.
    /// `immediate` = when the destination's last immediate request began.
    pub(crate) fn wish(&self, setting: Setting, immediate: Option<i64>, mono_ms: i64) -> Option<(i64, Delay)> {
        if self.flush == Flush::Rows {
            return Some((mono_ms, Delay::Batch));
        }
        let since = self.since.unwrap_or(mono_ms);
        let [crash, critical, normal, bulk] = self.counts;
        let urgent = (crash > 0 || critical > 0).then(|| {
            let spaced = immediate.map_or(mono_ms, |last| after(last, limits::IMMEDIATE_INTERVAL));
            match setting.network {
                Network::Offline if self.tried.is_some() => {
                    (spaced.max(after(self.tried.unwrap_or(since), limits::HINT_DELAY_CRITICAL)), Delay::Offline)
                }
                _ => (spaced, Delay::Spacing),
            }
        });
        let total = self.counts.iter().fold(0u64, |sum, count| sum.saturating_add(*count));
        let rest = (self.drain || normal > 0 || bulk > 0).then(|| {
            let delayed = after(since, limits::HINT_DELAY);
            if setting.network == Network::Offline {
                (delayed, Delay::Offline)
            } else if setting.power == Power::Low {
                (delayed, Delay::LowPower)
            } else if self.drain || (setting.foreground && total >= limits::BATCH_EVENTS) {
                (mono_ms, Delay::Batch)
            } else if setting.foreground {
                (after(since, limits::BATCH_INTERVAL), Delay::Batch)
            } else {
                (after(since, limits::BACKGROUND_INTERVAL), Delay::Batch)
            }
        });
        [urgent, rest].into_iter().flatten().min_by_key(|(when, _)| *when)
    }

    /// When to look whether losses are to be reported by themselves, by the monotonic clock. Where rows wait they go
    /// along with them.
    pub(crate) fn losses_due(&self, setting: Setting, mono_ms: i64) -> Option<i64> {
        let since = self.losses?;
        if self.flush == Flush::Losses {
            return Some(mono_ms);
        }
        if self.any() {
            return None;
        }
        let delayed = setting.network == Network::Offline || setting.power == Power::Low;
        let soon = after(since, if delayed { limits::HINT_DELAY } else { limits::BATCH_INTERVAL });
        Some(self.losses_at.map_or(soon, |last| soon.max(after(last, limits::LOSSES_INTERVAL))))
    }
}

fn after(from_ms: i64, wait: Duration) -> i64 {
    from_ms.saturating_add(i64::try_from(wait.as_millis()).unwrap_or(i64::MAX))
}
