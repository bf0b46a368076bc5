//! A wait that survives restarts, reboots and wrong clocks.
//!
//! Within one boot only the monotonic clock counts, so that setting the wall clock changes nothing. After a reboot the
//! rest is computed from the wall clock and clamped to `0..=wait`: a clock that is a day ahead ends the wait, a clock
//! that is a day behind restarts it.

use crate::phrases::HeldCode;
use std::time::Duration;

/// The clocks and the boot they belong to, at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct At<'a> {
    /// Id of the present boot.
    pub(crate) boot: &'a str,
    /// Milliseconds since 1970.
    pub(crate) wall_ms: i64,
    /// Milliseconds since boot, sleep included.
    pub(crate) mono_ms: i64,
}

/// Why a route waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Why {
    /// The server could not be reached: no byte was sent.
    Unreachable,
    /// Something on the network path, for example a captive portal, responded in the server's place.
    Intercepted,
    /// The fate of the last request is unknown.
    #[serde(rename = "no_answer")]
    NoResponse,
    /// The server has an outage (5xx, 408, 425).
    Outage,
    /// The server responded with 429 without a time.
    RateLimit,
    /// The server named a time.
    RetryAfter,
    /// The bisect requests of this hour are used up.
    BisectBudget,
    /// A stopped route waits for its next probe.
    Probe,
    /// Rows or kinds are parked.
    Parked,
}

impl Why {
    /// Whether `flush()` may send in spite of it: yes for a wait of our own choice, no for one the server asked for.
    pub(crate) fn yields_to_flush(self) -> bool {
        matches!(self, Why::Unreachable | Why::Intercepted | Why::NoResponse | Why::Outage)
    }

    /// Whether we choose how long it is: test mode shortens it. Else the server names a time.
    pub(crate) fn is_our_choice(self) -> bool {
        !matches!(self, Why::RetryAfter | Why::Parked)
    }

    /// Whether it ends when the network returns.
    pub(crate) fn ends_with_network(self) -> bool {
        matches!(self, Why::Unreachable | Why::Intercepted)
    }

    /// Its code in `status()` and `flush()`.
    pub(crate) fn code(self) -> HeldCode {
        match self {
            Why::Unreachable => HeldCode::Unreachable,
            Why::Intercepted => HeldCode::Intercepted,
            Why::NoResponse => HeldCode::NoResponse,
            Why::Outage => HeldCode::Outage,
            Why::RateLimit => HeldCode::RateLimit,
            Why::RetryAfter => HeldCode::RetryAfter,
            Why::BisectBudget => HeldCode::BisectBudget,
            Why::Probe => HeldCode::Stopped,
            Why::Parked => HeldCode::Parked,
        }
    }
}

/// A persisted wait.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct Wait {
    /// Its reason.
    pub(crate) why: Why,
    /// The boot `mono_deadline` belongs to.
    boot: String,
    /// End by the monotonic clock, milliseconds.
    mono_deadline: i64,
    /// End by the wall clock, milliseconds since 1970.
    wall_deadline: i64,
    /// Its length in milliseconds: no clock makes the rest longer than this.
    wait: i64,
}

impl Wait {
    /// A wait that starts now.
    pub(crate) fn new(at: At<'_>, wait: Duration, why: Why) -> Wait {
        let wait = i64::try_from(wait.as_millis()).unwrap_or(i64::MAX);
        Wait {
            why,
            boot: at.boot.to_owned(),
            mono_deadline: at.mono_ms.saturating_add(wait),
            wall_deadline: at.wall_ms.saturating_add(wait),
            wait,
        }
    }

    /// The rest in milliseconds; 0 = over.
    pub(crate) fn remaining(&self, at: At<'_>) -> i64 {
        let left = if self.boot == at.boot {
            self.mono_deadline.saturating_sub(at.mono_ms)
        } else {
            self.wall_deadline.saturating_sub(at.wall_ms)
        };
        left.clamp(0, self.wait.max(0))
    }

    /// Its end by the present boot's monotonic clock.
    pub(crate) fn ends_mono(&self, at: At<'_>) -> i64 {
        at.mono_ms.saturating_add(self.remaining(at))
    }

    /// Its end by the present wall clock.
    pub(crate) fn ends_wall(&self, at: At<'_>) -> i64 {
        at.wall_ms.saturating_add(self.remaining(at))
    }

    /// Its end as it was stored, by the wall clock of that time.
    pub(crate) fn stored_end(&self) -> i64 {
        self.wall_deadline
    }

    /// Whether it is over.
    pub(crate) fn over(&self, at: At<'_>) -> bool {
        self.remaining(at) == 0
    }

    /// Converts it to the clocks of the present boot: from now on only the monotonic clock counts.
    pub(crate) fn rebase(&mut self, at: At<'_>) {
        if self.boot != at.boot {
            let left = Duration::from_millis(u64::try_from(self.remaining(at)).unwrap_or(0));
            *self = Wait::new(at, left, self.why);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const DAY: i64 = 24 * 3_600_000;

    fn at(boot: &str, wall_ms: i64, mono_ms: i64) -> At<'_> {
        At { boot, wall_ms, mono_ms }
    }

    fn minute() -> Wait {
        Wait::new(at("a", 10 * DAY, 5_000), Duration::from_secs(60), Why::Outage)
    }

    #[test]
    fn a_wall_clock_that_jumps_a_day_changes_nothing_within_a_boot() {
        for jump in [-DAY, 0, DAY] {
            assert_eq!(minute().remaining(at("a", 10 * DAY + jump, 25_000)), 40_000);
            assert_eq!(minute().remaining(at("a", 10 * DAY + jump, 65_000)), 0);
        }
    }

    #[test]
    fn after_a_reboot_the_wall_clock_counts_clamped_to_the_wait() {
        assert_eq!(minute().remaining(at("b", 10 * DAY + 20_000, 3)), 40_000);
        assert_eq!(minute().remaining(at("b", 11 * DAY, 3)), 0);
        assert_eq!(minute().remaining(at("b", 9 * DAY, 3)), 60_000);
        assert_eq!(minute().remaining(at("b", i64::MIN, i64::MIN)), 60_000);
        assert_eq!(minute().remaining(at("b", i64::MAX, i64::MAX)), 0);
    }

    #[test]
    fn a_rebased_wait_runs_by_the_new_boots_monotonic_clock() {
        let mut wait = minute();
        wait.rebase(at("b", 9 * DAY, 1_000));
        for jump in [-DAY, DAY] {
            assert_eq!(wait.remaining(at("b", 9 * DAY + jump, 31_000)), 30_000);
        }
        let before = wait.clone();
        wait.rebase(at("b", 0, 2_000));
        assert_eq!(wait, before);
    }

    #[test]
    fn a_wait_survives_serialization() {
        let text = serde_json::to_string(&minute()).unwrap();
        assert_eq!(serde_json::from_str::<Wait>(&text).unwrap(), minute());
    }

    proptest! {
        #[test]
        fn no_clock_makes_a_wait_longer(
            length in 0u64..u64::MAX, boots in any::<bool>(),
            start in any::<(i64, i64)>(), then in any::<(i64, i64)>(), last in any::<(i64, i64)>(),
        ) {
            let bound = i64::try_from(length).unwrap_or(i64::MAX);
            let mut wait = Wait::new(at("a", start.0, start.1), Duration::from_millis(length), Why::Outage);
            let boot = if boots { "a" } else { "b" };
            prop_assert!((0..=bound).contains(&wait.remaining(at(boot, then.0, then.1))));
            wait.rebase(at(boot, then.0, then.1));
            prop_assert!((0..=bound).contains(&wait.remaining(at(boot, last.0, last.1))));
            prop_assert!(wait.ends_mono(at(boot, last.0, last.1)) >= last.1);
        }
    }
}
