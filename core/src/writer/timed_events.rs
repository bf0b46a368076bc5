//! Timed events: the time from `time_event` to the next event of that name.
//!
//! The timers are in memory: they end with the process, as an event that was never recorded would have no end.

use crate::limits;
use std::collections::BTreeMap;

/// The running timers, by the name of their event.
#[derive(Debug, Default)]
pub(super) struct Timers(BTreeMap<String, i64>);

impl Timers {
    /// Starts the timer of this event, or starts it again. Beyond the limit, the timer that was started first is dropped.
    pub(super) fn start(&mut self, name: &str, mono_us: i64) {
        self.0.insert(name.to_owned(), mono_us);
        if self.0.len() > limits::TIMED_EVENTS
            && let Some(oldest) = self.0.iter().min_by_key(|(_, started)| **started).map(|(name, _)| name.clone())
        {
            self.0.remove(&oldest);
        }
    }

    /// Ends the timer of this event and returns its microseconds.
    pub(super) fn end(&mut self, name: &str, mono_us: i64) -> Option<i64> {
        // Most apps have none.
        let started = if self.0.is_empty() { None } else { self.0.remove(name) };
        started.map(|started| mono_us.saturating_sub(started).max(0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timer_ends_once_and_a_second_start_begins_anew() {
        let mut timers = Timers::default();
        assert_eq!(timers.end("checkout", 5), None);
        timers.start("checkout", 10);
        timers.start("checkout", 20);
        assert_eq!(timers.end("checkout", 50), Some(30));
        assert_eq!(timers.end("checkout", 60), None);
        timers.start("checkout", 100);
        assert_eq!(timers.end("checkout", 40), Some(0), "an event that is dated before its start");
    }

    #[test]
    fn of_ten_thousand_timers_the_last_hundred_run() {
        let mut timers = Timers::default();
        (0..10_000).for_each(|n| timers.start(&format!("event {n}"), n));
        assert_eq!(timers.0.len(), limits::TIMED_EVENTS);
        assert_eq!(timers.end("event 9899", 10_000), None);
        assert_eq!(timers.end("event 9900", 10_000), Some(100));
    }
}
