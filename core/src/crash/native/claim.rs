//! Of several signals one is reported.
//!
//! The thread that reports owns the static memory of the report. It keeps it if the process ends with its signal, and gives it back
//! if the handler that was there before makes the thread go on.

use crate::limits::SAME_CRASH;
use crate::ring::reserve;
use crate::sys::map::Map;
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicI64, Ordering};
use std::time::Duration;

/// A process that lives for so long after a signal has survived it, although the handler never returned. A debugger of the
/// system may need seconds to write its own report.
const SURVIVED: Duration = Duration::from_secs(30);

/// How long a thread that dies waits: for the report of another one, or until an earlier crash is stored.
const WAIT: Duration = Duration::from_secs(2);

/// Long before the first boot.
const NEVER: i64 = i64::MIN / 2;

/// The thread that reports; 0 = none.
static OWNER: AtomicI32 = AtomicI32::new(0);
/// When a chance was written; `i64::MAX` = there is none.
static CHANCE_MS: AtomicI64 = AtomicI64::new(i64::MAX);
/// The report of this run says how the process ends.
static IS_SURE: AtomicBool = AtomicBool::new(false);
/// When the app recorded a fatal error.
static TOLD_MS: AtomicI64 = AtomicI64::new(NEVER);

/// The answer to a thread that has a signal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Claim {
    /// It reports.
    Mine,
    /// It reports already: this is a signal inside a handler.
    Nested,
    /// Another thread reports.
    Other,
    /// There is nothing to report, or no place: the app has recorded the error that ends the process, no engine is open, the process is
    /// a child of `fork`, the user has denied monitoring, or an earlier crash is not stored yet.
    Refused,
}

/// Milliseconds by a clock that only grows. Async-signal-safe.
pub(super) fn now_ms() -> i64 {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    now.tv_sec.saturating_mul(1_000).saturating_add(now.tv_nsec / 1_000_000)
}

fn is_within(since_ms: i64, time: Duration, now_ms: i64) -> bool {
    now_ms.saturating_sub(since_ms) < i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}

/// The app recorded an error that ends the process: the signal that follows is the same end.
pub(crate) fn told() {
    TOLD_MS.store(now_ms(), Ordering::SeqCst);
}

/// A run begins.
pub(super) fn begin() {
    CHANCE_MS.store(i64::MAX, Ordering::SeqCst);
    IS_SURE.store(false, Ordering::SeqCst);
    TOLD_MS.store(NEVER, Ordering::SeqCst);
    OWNER.store(0, Ordering::SeqCst);
}

/// Claims the report for this thread.
pub(super) fn claim(thread: i32, map: &Map) -> Claim {
    if is_within(TOLD_MS.load(Ordering::SeqCst), SAME_CRASH, now_ms()) {
        return Claim::Refused;
    }
    release_if_survived(map);
    match OWNER.compare_exchange(0, thread, Ordering::SeqCst, Ordering::SeqCst) {
        Ok(_) => Claim::Mine,
        Err(owner) if owner == thread => Claim::Nested,
        Err(_) => Claim::Other,
    }
}

/// The owner wrote a chance.
pub(super) fn is_chance() {
    CHANCE_MS.store(now_ms(), Ordering::SeqCst);
}

/// The owner wrote how the process ends.
pub(super) fn is_sure() {
    IS_SURE.store(true, Ordering::SeqCst);
}

/// This thread gives the report back, if it still has it: it goes on.
pub(super) fn release(thread: i32, map: &Map) {
    if OWNER.load(Ordering::SeqCst) == thread {
        give_back(map);
    }
}

fn give_back(map: &Map) {
    CHANCE_MS.store(i64::MAX, Ordering::SeqCst);
    reserve::take_back(map);
    OWNER.store(0, Ordering::SeqCst);
}

/// The run ends: what was not decided until now was survived. A thread that is writing finishes first.
pub(super) fn end(map: &Map) {
    let is_chance = || CHANCE_MS.load(Ordering::SeqCst) != i64::MAX;
    wait_until(|| is_chance() || OWNER.load(Ordering::SeqCst) == 0 || IS_SURE.load(Ordering::SeqCst));
    if is_chance() {
        give_back(map);
    }
}

/// A handler that jumps out of the signal never returns to ours. The first who notices gives the report back.
fn release_if_survived(map: &Map) {
    let since = CHANCE_MS.load(Ordering::SeqCst);
    if since != i64::MAX
        && !is_within(since, SURVIVED, now_ms())
        && CHANCE_MS.compare_exchange(since, i64::MAX, Ordering::SeqCst, Ordering::SeqCst).is_ok()
    {
        give_back(map);
    }
}

/// The same, by a thread that has no signal.
pub(crate) fn release_survived() {
    if CHANCE_MS.load(Ordering::Relaxed) != i64::MAX {
        super::armed::with_map(release_if_survived);
    }
}

/// Reports how the process ends. Another thread may be about to report it, or a signal that it survives: not for long.
pub(super) fn report_or_wait(report: impl Fn() -> Claim) {
    wait_until(|| report() != Claim::Other || IS_SURE.load(Ordering::SeqCst));
}

/// Claims the reserve. A crash of an earlier run leaves it in a moment: an app that crashes at each start has one of each run.
pub(super) fn claim_reserve(map: &Map, is_sure: bool) -> bool {
    reserve::claim(map) || (is_sure && wait_until(|| reserve::claim(map)))
}

fn wait_until(is_done: impl Fn() -> bool) -> bool {
    let until = now_ms().saturating_add(i64::try_from(WAIT.as_millis()).unwrap_or(0));
    while now_ms() < until {
        if is_done() {
            return true;
        }
        let pause = libc::timespec { tv_sec: 0, tv_nsec: 1_000_000 };
        // SAFETY: async-signal-safe; a null pointer for the rest is allowed.
        unsafe { libc::nanosleep(&raw const pause, std::ptr::null_mut()) };
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ring::layout;

    #[test]
    fn one_thread_reports_until_it_gives_the_report_back_or_is_known_to_have_survived() {
        let map = Map::anonymous(layout::FILE_BYTES).unwrap();
        begin();
        assert_eq!([claim(7, &map), claim(7, &map), claim(8, &map)], [Claim::Mine, Claim::Nested, Claim::Other]);
        release(8, &map);
        assert_eq!(claim(8, &map), Claim::Other, "it is not its own");
        release(7, &map);
        assert_eq!(claim(8, &map), Claim::Mine);
        assert!(reserve::claim(&map));
        reserve::fill(&map, 0, [1; 16], b"chance", false);
        is_chance();
        assert_eq!(claim(7, &map), Claim::Other);
        CHANCE_MS.store(now_ms() - 31_000, Ordering::SeqCst);
        assert_eq!((claim(7, &map), reserve::peek(&map)), (Claim::Mine, None));
        begin();
        told();
        assert_eq!(claim(7, &map), Claim::Refused);
        TOLD_MS.store(now_ms() - 11_000, Ordering::SeqCst);
        assert_eq!(claim(7, &map), Claim::Mine);
        begin();
    }
}
