//! The schedule of faults, derived from the seed and the number of events.

use crate::seeded::Seeded;
use std::time::Duration;

/// Minimum number of events. With fewer, the phases would overlap.
pub(super) const MIN_EVENTS: u64 = 200;

/// Maximum number of events. Above it, the ids alone would fill the memory of a small machine.
pub(super) const MAX_EVENTS: u64 = 5_000_000;

/// Approximate number of events per visit.
const EVENTS_PER_VISIT: u64 = 20;

/// Minimum duration of the recording, so that faults hit a running app.
const MIN_DURATION: Duration = Duration::from_secs(3);

/// Maximum delay of the kill in microseconds: about two visits.
const KILL_DELAY_US: u64 = 20_000;

/// Size cap per event in bytes. An event takes about 1 KiB in the file while the network is down.
const QUEUE_BYTES_PER_EVENT: u64 = 2048;

/// The schedule, in numbers of acknowledged events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Script {
    /// Events to record.
    pub(super) events: u64,
    /// The network goes down.
    pub(super) cut_at: u64,
    /// The app is killed, [`Script::kill_delay`] later.
    pub(super) kill_at: u64,
    /// Delay of the kill.
    pub(super) kill_delay: Duration,
    /// The network comes back up, and the collector responds with 503.
    pub(super) back_at: u64,
    /// The app crashes in the first visit after this event.
    pub(super) crash_at: u64,
    /// Number of 503 responses.
    pub(super) busy: u32,
    /// Pause between two visits of the app.
    pub(super) pause: Duration,
    /// Size cap of the queue in bytes.
    pub(super) cap_bytes: u64,
}

impl Script {
    /// Returns the script of a run.
    pub(super) fn new(seed: u64, events: u64) -> Script {
        let mut numbers = Seeded::for_word(seed, "script");
        let mut within = |low: u64, high: u64| events.saturating_mul(numbers.between(low * 10, high * 10)) / 1000;
        let cut_at = within(25, 35);
        let kill_at = within(42, 58);
        let back_at = within(65, 72);
        let crash_at = within(80, 90);
        let visits = (events / EVENTS_PER_VISIT).max(1);
        let pause = MIN_DURATION / u32::try_from(visits).unwrap_or(u32::MAX);
        Script {
            events,
            cut_at,
            kill_at,
            kill_delay: Duration::from_micros(numbers.below(KILL_DELAY_US)),
            back_at,
            crash_at,
            busy: u32::try_from(numbers.between(1, 2)).unwrap_or(1),
            // Shorter pauses would only measure the resolution of the system timer.
            pause: if pause < Duration::from_millis(1) { Duration::ZERO } else { pause },
            cap_bytes: (20 * 1024 * 1024).max(events.saturating_mul(QUEUE_BYTES_PER_EVENT)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_phases_are_in_order_for_every_seed_and_repeat_with_it() {
        for seed in 0..200 {
            for events in [MIN_EVENTS, 5_000, 100_000, MAX_EVENTS] {
                let script = Script::new(seed, events);
                assert_eq!(script, Script::new(seed, events));
                let order = [0, script.cut_at, script.kill_at, script.back_at, script.crash_at, events];
                assert!(order.is_sorted_by(|a, b| a < b), "{script:?}");
            }
        }
        assert_ne!(Script::new(1, 5_000), Script::new(2, 5_000));
    }

    #[test]
    fn the_size_cap_grows_with_the_events() {
        assert_eq!(Script::new(1, 5_000).cap_bytes, 20 * 1024 * 1024);
        assert_eq!(Script::new(1, 100_000).cap_bytes, 100_000 * QUEUE_BYTES_PER_EVENT);
    }
}
