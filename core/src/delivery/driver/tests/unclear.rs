//! Responses that cannot be understood do not block a route for ever.

use super::*;
use crate::store::RowState;

/// Longer than a wait between two attempts.
const HOUR: Duration = Duration::from_secs(3_600);

/// Stores rows and sends them for the first time.
fn begin(bench: &mut Bench, rows: usize, turn: impl FnOnce(&[EventId]) -> Turn) -> Vec<EventId> {
    let ids = bench.store_rows(Kind::Error, "{}", rows);
    bench.usual(turn(&ids));
    bench.driver.event(Event::Rows([0, rows as u64, 0, 0]));
    bench.settle();
    let balance = bench.balance();
    assert!(bench.requests() > 0 && balance.in_flight + balance.queued == rows as u64, "{balance:?}");
    ids
}

/// Makes every attempt that is due in this time.
fn pass(bench: &mut Bench, time: Duration) {
    let end = bench.clock.mono_ms() + i64::try_from(time.as_millis()).unwrap();
    while let Some(deadline) = bench.settle().filter(|deadline| *deadline <= end) {
        let wait = u64::try_from(deadline - bench.clock.mono_ms()).unwrap();
        bench.after(Duration::from_millis(wait));
    }
    bench.after(Duration::from_millis(u64::try_from(end - bench.clock.mono_ms()).unwrap()));
}

fn day() -> Duration {
    limits::UNCLEAR_AGE
}

fn is_dead(bench: &Bench, id: EventId) -> bool {
    matches!(bench.fate(id).routes.first().map(|route| &route.state), Some(RowState::Dead { .. }))
}

#[test]
fn a_batch_that_never_gets_a_response_that_can_be_understood_is_settled_as_ambiguous_after_a_day() {
    let turns = [
        ("an empty 200", status(200)),
        ("a 200 about other events", with(200, &[], r#"{"accepted":1000}"#)),
        ("a cut 200", Turn::Response(Response { status: 200, cut: true, ..Response::default() })),
        ("an unknown status", status(999)),
        ("a refused batch id", status(422)),
        ("a connection that is closed", Turn::Ambiguous),
    ];
    for (name, turn) in turns {
        let mut bench = Bench::new();
        let ids = begin(&mut bench, 8, |_| turn);
        let behind = bench.store_rows(Kind::Error, "{}", 3);
        pass(&mut bench, day() - HOUR);
        let account = bench.balance();
        assert_eq!((account.queued + account.in_flight, account.dropped.len()), (11, 0), "{name}: {account:?}");
        // Each part of the bisect is tried three times where there is no response at all.
        pass(&mut bench, 6 * HOUR);
        let account = bench.balance();
        assert!(account.dropped.get("ambiguous").is_some_and(|n| *n >= 8), "{name}: {account:?}");
        assert_eq!((account.delivered, account.dead), (0, 0), "{name}: {account:?}");
        assert!(!bench.status(ROUTE).stopped, "{name}");
        // The route goes on with the rows behind.
        bench.usual(Turn::Accept);
        pass(&mut bench, HOUR);
        let account = bench.balance();
        assert_eq!(account.queued + account.in_flight, 0, "{name}: {account:?}");
        assert!(ids.iter().chain(&behind).all(|id| !is_dead(&bench, *id)), "{name}");
    }
}

#[test]
fn twenty_attempts_are_made_even_if_they_take_weeks() {
    let mut bench = Bench::new();
    begin(&mut bench, 4, |_| status(200));
    // The app is opened every second day.
    for attempt in 1..limits::UNCLEAR_ATTEMPTS {
        assert_eq!(bench.balance().in_flight, 4, "after attempt {attempt}");
        assert!(bench.state().bisect.is_none());
        bench.restart("boot-a");
        bench.clock.advance(2 * day());
        bench.add("main", rez("key"));
    }
    assert!(bench.requests() > limits::UNCLEAR_ATTEMPTS as usize, "the batch is bisected");
    assert_eq!(bench.balance().dropped.get("ambiguous"), Some(&4));
}

#[test]
fn the_count_and_the_age_survive_restarts_and_reboots() {
    let mut bench = Bench::new();
    begin(&mut bench, 4, |_| status(200));
    for life in 0..6 {
        pass(&mut bench, day() / 8);
        bench.restart(if life % 2 == 0 { "boot-b" } else { "boot-c" });
        bench.add("main", rez("key"));
    }
    assert_eq!(bench.balance().in_flight, 4);
    pass(&mut bench, day() / 2);
    assert_eq!(bench.balance().dropped.get("ambiguous"), Some(&4));
    let overview = crate::store::Reader::open(bench.folder.path()).unwrap().overview().unwrap();
    let (_, status, note) = overview.routes[0].last.clone().unwrap();
    assert_eq!((status, note.as_str()), (200, "may have arrived: the response is not a batch response"));
}

#[test]
fn the_one_row_that_makes_the_server_fail_is_found_and_the_others_are_delivered() {
    for hangs_up in [false, true] {
        let mut bench = Bench::new();
        let ids = begin(&mut bench, 60, |ids| {
            let bad = vec![ids[3]];
            if hangs_up { Turn::HangUp(bad) } else { Turn::Confuse(bad) }
        });
        pass(&mut bench, day() + 4 * HOUR);
        let account = bench.balance();
        assert_eq!((account.delivered, account.dead), (59, 1), "{hangs_up}: {account:?}");
        assert!(is_dead(&bench, ids[3]), "{hangs_up}");
        let good = bench.put(Kind::Error, 1)[0];
        assert!(bench.sent().iter().any(|request| ids_of(request).contains(&good)), "{hangs_up}");
    }
}

fn ids_of(request: &Request) -> Vec<EventId> {
    super::ids(request)
}

#[test]
fn one_lost_response_in_a_bisect_blames_nobody() {
    let mut bench = Bench::new();
    let ids = begin(&mut bench, 16, |ids| Turn::Confuse(vec![ids[9]]));
    pass(&mut bench, day() - Duration::from_millis(1));
    // The next attempt begins the bisect, whose first part gets no response twice.
    bench.script([status(200), Turn::Ambiguous, Turn::Ambiguous]);
    pass(&mut bench, 4 * HOUR);
    let account = bench.balance();
    assert_eq!((account.delivered, account.dead), (15, 1), "{account:?}");
    assert!(is_dead(&bench, ids[9]));
}

#[test]
fn progress_starts_the_count_anew() {
    let mut bench = Bench::new();
    begin(&mut bench, 2, |_| status(200));
    pass(&mut bench, day() - HOUR);
    bench.usual(Turn::Accept);
    pass(&mut bench, HOUR);
    assert_eq!(bench.balance().delivered, 2);
    assert_eq!(bench.state().unclear, None);
    begin(&mut bench, 2, |_| status(200));
    pass(&mut bench, day() - HOUR);
    assert_eq!(bench.balance().in_flight, 2);
}

#[test]
fn an_unreachable_server_and_a_captive_portal_lose_nothing_however_long_they_last() {
    for turn in [Turn::NotSent, with(200, &[], "<html>"), status(302), status(500), status(429)] {
        let mut bench = Bench::new();
        bench.store_rows(Kind::Error, "{}", 5);
        bench.usual(turn);
        bench.driver.event(Event::Rows([0, 5, 0, 0]));
        pass(&mut bench, 3 * day());
        let account = bench.balance();
        assert_eq!((account.queued + account.in_flight, account.dropped.len()), (5, 0), "{account:?}");
        bench.usual(Turn::Accept);
        pass(&mut bench, 2 * HOUR);
        assert_eq!(bench.balance().delivered, 5);
    }
}

#[test]
fn a_part_of_a_bisect_that_gets_no_clear_response_does_not_block_the_route() {
    for turn in [status(200), Turn::Ambiguous, status(422), status(503)] {
        let mut bench = Bench::new();
        bench.script([status(400), Turn::Accept]);
        bench.usual(turn);
        bench.store_rows(Kind::Error, "{}", 8);
        bench.driver.event(Event::Rows([0, 8, 0, 0]));
        bench.settle();
        assert!(bench.state().bisect.is_some());
        pass(&mut bench, day() + 4 * HOUR);
        assert!(bench.state().bisect.is_none(), "{:?}", bench.state());
        bench.usual(Turn::Accept);
        bench.put(Kind::Error, 1);
        pass(&mut bench, 2 * HOUR);
        let account = bench.balance();
        assert_eq!(account.queued + account.in_flight, 0, "{account:?}");
        assert!(account.delivered >= 5, "{account:?}");
    }
}
