//! The windows of alerts across runs. A service that starts again and again must not tell of one trouble at each start, and alerts that
//! a killed process left in the ring belong to the window that the first of them opened.
//!
//! Windows count by the monotonic clock, as all do. Stored, they have the wall clock, since a boot begins the other one anew.

use super::batch::Batch;
use super::dedup::{Dedup, OpenWindow};
use super::scope_keys::ALERTS;
use super::stamp::Stamper;
use crate::kind::Kind;
use crate::limits;
use crate::sorted::sort_by_key;
use std::cmp::Reverse;
use std::time::Duration;

impl Dedup {
    /// Nothing was seen in this run; `windows` are those that the one before has stored.
    pub(super) fn load(alert_window: Duration, windows: Option<&String>) -> Dedup {
        Dedup::new(alert_window, windows.and_then(|json| serde_json::from_str(json).ok()).unwrap_or_default())
    }

    /// The windows that are open, or have a count that the next alert has to tell. The latest ones.
    fn open_windows(&self) -> Vec<OpenWindow> {
        let (wall_ms, mono_us) = self.last_alert;
        let alerts = self.seen.iter().filter(|(_, seen)| seen.kind == Kind::Alert);
        let open = alerts.filter(|(_, seen)| !seen.is_over(mono_us) || seen.collapsed > 0);
        let mut open: Vec<OpenWindow> = open
            .map(|(fingerprint, seen)| {
                let age_ms = mono_us.saturating_sub(seen.since_us) / 1_000;
                OpenWindow(*fingerprint, wall_ms.saturating_sub(age_ms), seen.collapsed)
            })
            .collect();
        sort_by_key(&mut open, |window| Reverse((window.1, window.0)));
        open.truncate(limits::ALERT_WINDOWS);
        open.extend(&self.earlier);
        open
    }

    /// A run begins: its errors and messages are counted anew, and its alerts go on.
    pub(super) fn begin_run(&mut self) {
        let windows_changed = self.windows_changed;
        *self = Dedup { windows_changed, ..Dedup::new(self.alert_window, self.open_windows()) };
    }

    /// The alerts were erased, so the next one of each is the first.
    pub(super) fn forget_alerts(&mut self) {
        self.seen.retain(|_, seen| seen.kind != Kind::Alert);
        self.earlier.clear();
        self.windows_changed = false;
    }
}

impl Stamper {
    /// Stores the windows of alerts, once a batch.
    pub(super) fn keep_alert_windows(&mut self, batch: &mut Batch) {
        if std::mem::take(&mut self.dedup.windows_changed) {
            let windows = self.dedup.open_windows();
            let json = (!windows.is_empty()).then(|| serde_json::to_string(&windows).ok()).flatten();
            self.keep(ALERTS, json, batch);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::decode::Body;
    use crate::{Alert, AlertSeverity};

    const MINUTE_US: i64 = 60_000_000;

    fn admit(dedup: &mut Dedup, title: &str, wall_ms: i64, mono_us: i64) -> Result<u64, ()> {
        let mut buffer = [0u8; 1024];
        let len = Alert::new(AlertSeverity::Error, title).into_event().encode(&mut buffer, wall_ms, mono_us);
        dedup.admit(Kind::Alert, &Body::decode(&buffer[..len]).unwrap())
    }

    /// What the next process has of it.
    fn restarted(dedup: &Dedup) -> Dedup {
        let json = serde_json::to_string(&dedup.open_windows()).unwrap();
        Dedup::new(dedup.alert_window, serde_json::from_str(&json).unwrap())
    }

    #[test]
    fn one_alert_of_a_title_and_severity_is_stored_in_a_window_and_the_next_one_has_the_count() {
        let mut dedup = Dedup::default();
        assert_eq!(admit(&mut dedup, "down", 0, 0), Ok(0));
        for n in 1..1_000 {
            assert_eq!(admit(&mut dedup, "down", n, n * 1_000), Err(()));
        }
        assert_eq!(admit(&mut dedup, "slow", 1_000, 1_000_000), Ok(0), "another title");
        let mut buffer = [0u8; 1024];
        let len = Alert::new(AlertSeverity::Critical, "down").into_event().encode(&mut buffer, 1_000, 1_000_000);
        assert_eq!(dedup.admit(Kind::Alert, &Body::decode(&buffer[..len]).unwrap()), Ok(0), "another severity");
        assert_eq!(admit(&mut dedup, "down", 300_000, 5 * MINUTE_US), Ok(999));
        assert_eq!(admit(&mut dedup, "down", 300_001, 5 * MINUTE_US + 1), Err(()));
    }

    #[test]
    fn a_window_of_zero_collapses_nothing_and_another_window_is_kept_to() {
        let mut dedup = Dedup::new(Duration::ZERO, Vec::new());
        assert!((0..10).all(|n| admit(&mut dedup, "down", n, n) == Ok(0)));
        let mut dedup = Dedup::new(Duration::from_secs(1), Vec::new());
        assert_eq!(
            [0, 999_999, 1_000_000].map(|us| admit(&mut dedup, "down", us / 1_000, us)),
            [Ok(0), Err(()), Ok(1)]
        );
    }

    #[test]
    fn a_window_goes_on_in_the_next_process_after_a_boot_too() {
        let mut dedup = Dedup::default();
        assert_eq!(admit(&mut dedup, "down", 1_000_000, 70 * MINUTE_US), Ok(0));
        assert_eq!(admit(&mut dedup, "down", 1_001_000, 70 * MINUTE_US + 1_000_000), Err(()));
        let mut next = restarted(&dedup);
        // The device has booted: its monotonic clock begins anew.
        assert_eq!(admit(&mut next, "down", 1_200_000, 1_000), Err(()));
        let mut third = restarted(&next);
        assert_eq!(admit(&mut third, "down", 1_300_000, 9_000), Ok(2));
        assert_eq!(admit(&mut third, "down", 1_300_000, 9_000), Err(()));
    }

    #[test]
    fn a_run_that_begins_in_the_same_process_continues_windows_that_no_alert_has_touched_yet() {
        let mut dedup = Dedup::default();
        assert_eq!(admit(&mut dedup, "down", 0, 0), Ok(0));
        dedup.begin_run();
        dedup.begin_run();
        assert_eq!(admit(&mut dedup, "down", 1_000, 5), Err(()));
        assert_eq!(admit(&mut dedup, "down", 300_000, 300 * 1_000_000), Ok(1));
    }

    #[test]
    fn a_wall_clock_that_is_set_back_ends_the_window_no_later_than_a_whole_one() {
        let mut dedup = Dedup::default();
        assert_eq!(admit(&mut dedup, "down", 10_000_000, 0), Ok(0));
        let mut next = restarted(&dedup);
        assert_eq!(admit(&mut next, "down", 5_000, 0), Err(()));
        assert_eq!(admit(&mut next, "down", 305_000, 5 * MINUTE_US), Ok(1));
    }

    #[test]
    fn only_the_latest_windows_are_stored_and_erased_alerts_have_none() {
        let mut dedup = Dedup::default();
        for n in 0..500 {
            assert_eq!(admit(&mut dedup, &format!("down {n}"), n, n * 1_000), Ok(0));
        }
        let open = dedup.open_windows();
        assert_eq!((open.len(), open[0].1, open[99].1), (limits::ALERT_WINDOWS, 499, 400));
        dedup.forget_alerts();
        assert!(dedup.open_windows().is_empty());
        assert_eq!(admit(&mut dedup, "down 499", 501, 501_000), Ok(0));
    }
}
