//! Two clocks: the device's wall clock, and milliseconds since boot including sleep.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The clock that the engine reads. Clones share one clock.
///
/// The default is the system's. Tests and simulations pass a manual clock.
///
/// ```
/// use rez_monitor::Clock;
/// use std::time::Duration;
///
/// let clock = Clock::manual(1_795_400_000_000, 5_000);
/// clock.advance(Duration::from_secs(1));
/// assert_eq!((clock.wall_ms(), clock.mono_ms()), (1_795_400_001_000, 6_000));
/// clock.set_wall_ms(0); // the date is set back
/// assert_eq!((clock.wall_ms(), clock.mono_ms()), (0, 6_000));
/// ```
#[derive(Clone, Debug, Default)]
pub struct Clock(Option<Arc<Manual>>);

#[derive(Debug)]
struct Manual {
    wall_ms: AtomicI64,
    mono_us: AtomicI64,
}

impl Clock {
    /// Returns the system's clock.
    #[must_use]
    pub const fn system() -> Clock {
        Clock(None)
    }

    /// Returns a clock that only moves when it is advanced or set.
    #[must_use]
    pub fn manual(wall_ms: i64, mono_ms: i64) -> Clock {
        Clock(Some(Arc::new(Manual {
            wall_ms: AtomicI64::new(wall_ms),
            mono_us: AtomicI64::new(mono_ms.saturating_mul(1_000)),
        })))
    }

    /// Whether this is a manual clock.
    #[must_use]
    pub(crate) fn is_manual(&self) -> bool {
        self.0.is_some()
    }

    /// Advances a manual clock. Does nothing to the system's clock.
    pub fn advance(&self, by: Duration) {
        if let Some(manual) = &self.0 {
            manual.wall_ms.fetch_add(i64::try_from(by.as_millis()).unwrap_or(i64::MAX), Ordering::SeqCst);
            manual.mono_us.fetch_add(i64::try_from(by.as_micros()).unwrap_or(i64::MAX), Ordering::SeqCst);
        }
    }

    /// Sets the wall clock of a manual clock. Its time since boot does not change. Does nothing to the system's clock.
    pub fn set_wall_ms(&self, wall_ms: i64) {
        if let Some(manual) = &self.0 {
            manual.wall_ms.store(wall_ms, Ordering::SeqCst);
        }
    }

    /// Milliseconds since 1970 by the device's wall clock; negative before 1970.
    #[must_use]
    #[inline]
    pub fn wall_ms(&self) -> i64 {
        match &self.0 {
            None => system_wall_ms(),
            Some(manual) => manual.wall_ms.load(Ordering::SeqCst),
        }
    }

    /// Milliseconds since boot, including sleep where the system counts it.
    #[must_use]
    #[inline]
    pub fn mono_ms(&self) -> i64 {
        self.mono_us() / 1_000
    }

    /// Both clocks, `(wall_ms, mono_us)`, at little more than the cost of one: the wall clock is computed from its
    /// distance to the other clock, which is measured every [`WALL_FOR_US`]. A change of the date is seen that late.
    #[must_use]
    #[inline]
    pub(crate) fn now(&self) -> (i64, i64) {
        match &self.0 {
            None => system_now(),
            Some(_) => (self.wall_ms(), self.mono_us()),
        }
    }

    /// Microseconds since boot, including sleep where the system counts it.
    #[must_use]
    #[inline]
    pub fn mono_us(&self) -> i64 {
        match &self.0 {
            None => system_mono_us(),
            Some(manual) => manual.mono_us.load(Ordering::SeqCst),
        }
    }
}

fn system_wall_ms() -> i64 {
    system_wall_us().div_euclid(1_000)
}

fn system_wall_us() -> i64 {
    let us = |since: Duration| i64::try_from(since.as_micros()).unwrap_or(i64::MAX);
    match SystemTime::now().duration_since(UNIX_EPOCH) {
        Ok(after) => us(after),
        Err(before) => -us(before.duration()),
    }
}

/// Interval between two measurements of the distance between the clocks, in microseconds. One reading costs about 40 ns
/// on a virtual machine, a tenth of a record.
const WALL_FOR_US: i64 = 100_000;

#[inline]
fn system_now() -> (i64, i64) {
    /// Wall clock minus time since boot, and the time since boot at which it is measured again.
    static AHEAD_US: AtomicI64 = AtomicI64::new(0);
    static AGAIN_US: AtomicI64 = AtomicI64::new(0);
    let mono_us = system_mono_us();
    if mono_us >= AGAIN_US.load(Ordering::Acquire) {
        AHEAD_US.store(system_wall_us().saturating_sub(mono_us), Ordering::Release);
        AGAIN_US.store(mono_us.saturating_add(WALL_FOR_US), Ordering::Release);
    }
    (mono_us.saturating_add(AHEAD_US.load(Ordering::Acquire)).div_euclid(1_000), mono_us)
}

#[cfg(any(target_os = "linux", target_os = "android"))]
fn system_mono_us() -> i64 {
    // The vDSO reads it without a system call. Includes sleep.
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    now.tv_sec.saturating_mul(1_000_000).saturating_add(now.tv_nsec / 1_000)
}

#[cfg(target_vendor = "apple")]
fn system_mono_us() -> i64 {
    // CLOCK_MONOTONIC on macOS and iOS is mach_continuous_time, which includes sleep.
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    now.tv_sec.saturating_mul(1_000_000).saturating_add(now.tv_nsec / 1_000)
}

#[cfg(not(any(target_os = "linux", target_os = "android", target_vendor = "apple")))]
fn system_mono_us() -> i64 {
    portable_mono_us()
}

/// Microseconds since the first call: the portable fallback for systems without a known time since boot.
#[cfg_attr(any(target_os = "linux", target_os = "android", target_vendor = "apple"), allow(dead_code))]
fn portable_mono_us() -> i64 {
    static START: std::sync::OnceLock<std::time::Instant> = std::sync::OnceLock::new();
    let start = START.get_or_init(std::time::Instant::now);
    i64::try_from(start.elapsed().as_micros()).unwrap_or(i64::MAX)
}

/// Id of the current boot. Times since boot of two processes are comparable only if their boot ids are equal.
pub(crate) fn boot_id() -> String {
    static BOOT: std::sync::OnceLock<String> = std::sync::OnceLock::new();
    BOOT.get_or_init(|| {
        std::fs::read_to_string("/proc/sys/kernel/random/boot_id")
            .ok()
            .map(|id| id.trim().to_owned())
            .filter(|id| (8..=64).contains(&id.len()) && id.is_ascii())
            .unwrap_or_else(portable_boot_id)
    })
    .clone()
}

/// The minute of the boot by the wall clock. If the date is set between two starts, they count as two boots, which is
/// the safe error.
fn portable_boot_id() -> String {
    format!("boot-minute-{}", (system_wall_ms() - system_mono_us() / 1_000).div_euclid(60_000))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_since_boot_never_decreases() {
        for read in [system_mono_us, portable_mono_us] {
            let first = read();
            assert!(read() >= first);
        }
    }

    #[test]
    fn reading_both_clocks_at_once_agrees_with_reading_each() {
        let clock = Clock::system();
        for _ in 0..1_000 {
            let before = (clock.wall_ms(), clock.mono_us());
            let (wall_ms, mono_us) = clock.now();
            let after = (clock.wall_ms(), clock.mono_us());
            // A millisecond for the roundings.
            assert!((before.0 - 1..=after.0 + 1).contains(&wall_ms), "{before:?} {wall_ms} {after:?}");
            assert!((before.1..=after.1).contains(&mono_us));
        }
        let clock = Clock::manual(5, 7);
        clock.set_wall_ms(-9);
        assert_eq!(clock.now(), (-9, 7_000));
    }

    #[test]
    fn both_forms_of_the_boot_id_are_constant_within_a_boot() {
        assert_eq!(boot_id(), boot_id());
        assert!(!boot_id().is_empty());
        assert!(portable_boot_id().starts_with("boot-minute-"));
    }
}
