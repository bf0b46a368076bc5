//! Checks one response to one request of any destination on the real store: balance, ledger, status, next request. The
//! tables of the destinations (for example `sentry`) are lists of such checks.

use super::*;

/// A destination under test.
pub(super) struct Subject {
    pub(super) destination: fn() -> Arc<dyn Destination>,
    /// Its route, without the destination's name.
    pub(super) route: &'static str,
    /// The vendor's response to a good request.
    pub(super) accept: fn() -> Turn,
}

/// The expected state after one response.
#[derive(Clone, Debug, Default)]
pub(super) struct Outcome {
    pub(super) delivered: u64,
    pub(super) dead: u64,
    pub(super) in_flight: u64,
    pub(super) queued: u64,
    /// Reasons in the ledger.
    pub(super) dropped: Vec<(Reason, u64)>,
    /// Bounds of the wait for the next request in milliseconds; `None` = there is none within two days.
    pub(super) next: Option<(u64, u64)>,
    /// Part of the status text; empty = no wait.
    pub(super) why: &'static str,
    pub(super) stopped: bool,
}

/// The batch stays in flight, and the same request is sent again after the first backoff.
pub(super) fn again(why: &'static str) -> Outcome {
    Outcome { in_flight: 1, next: Some((1_000, 2_000)), why, ..Outcome::default() }
}

/// No byte was sent: the rows are queued again.
pub(super) fn unreachable() -> Outcome {
    Outcome { in_flight: 0, queued: 1, ..again("could not be reached") }
}

/// The route is stopped, keeps its row, and sends a probe after an hour.
pub(super) fn stopped(why: &'static str) -> Outcome {
    let hour = Some((3_600_000, 3_600_000));
    Outcome { queued: 1, next: hour, why, stopped: true, ..Outcome::default() }
}

/// A bench with the subject as `main`, some time after its start.
pub(super) fn bench_of(subject: &Subject) -> Bench {
    let mut bench = Bench::bare();
    bench.usual((subject.accept)());
    bench.add("main", (subject.destination)());
    bench.after(Duration::from_secs(20));
    bench
}

/// Advances the clock to the next request and returns how long that was; `None` = none within two days.
pub(super) fn next_request(bench: &mut Bench) -> Option<Duration> {
    let (begin, before) = (bench.clock.mono_ms(), bench.requests());
    loop {
        let deadline = bench.settle()?;
        let waited = u64::try_from(deadline - begin).unwrap();
        if waited > 2 * 24 * 3_600_000 {
            return None;
        }
        bench.next();
        if bench.requests() > before {
            return Some(Duration::from_millis(waited));
        }
    }
}

/// Sends `count` rows of a kind in one request, responds with `turn`, and checks the state.
pub(super) fn check(subject: &Subject, name: &str, kind: Kind, count: u64, turn: Turn, expected: &Outcome) {
    let route = format!("main/{}", subject.route);
    let mut bench = bench_of(subject);
    bench.script([turn]);
    bench.put(kind, usize::try_from(count).unwrap());
    if bench.requests() == 0 {
        // Rows that are not urgent are sent by the batch timer.
        next_request(&mut bench);
    }
    assert_eq!(bench.requests(), 1, "{name}");
    let account = bench.balance_of(&route);
    let dropped = expected.dropped.iter().map(|(reason, n)| (reason.as_str().to_owned(), *n)).collect();
    assert_eq!(
        (account.delivered, account.dead, account.in_flight, account.queued, &account.dropped),
        (expected.delivered, expected.dead, expected.in_flight, expected.queued, &dropped),
        "{name}: {account:?}"
    );
    let status = bench.status(&route);
    let why = status.held.as_ref().map_or("", |held| held.why.as_str());
    assert_eq!(status.stopped, expected.stopped, "{name}: {status:?}");
    assert!(why.contains(expected.why) && (why.is_empty() || !expected.why.is_empty()), "{name}: {status:?}");
    let next = next_request(&mut bench).map(|wait| u64::try_from(wait.as_millis()).unwrap());
    match (next, expected.next) {
        (None, None) => {}
        (Some(wait), Some((least, most))) => assert!((least..=most).contains(&wait), "{name}: {wait} ms"),
        (found, expected) => panic!("{name}: next after {found:?}, expected {expected:?}"),
    }
    // Rows that were kept are delivered by the next requests, and no others.
    bench.after(Duration::from_secs(60));
    bench.settle();
    let (end, lost) = (bench.balance_of(&route), expected.dropped.iter().map(|(_, n)| n).sum::<u64>());
    assert_eq!((end.delivered, end.queued + end.in_flight), (count - lost - expected.dead, 0), "{name}: {end:?}");
}
