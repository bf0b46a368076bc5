//! Finds the events that a server refuses, and dead-letters none for an outage.

use super::*;
use crate::store::RowState;

fn dead(bench: &Bench, id: EventId) -> Option<(Option<Reason>, u16)> {
    match bench.fate(id).routes.first().map(|route| route.state.clone()) {
        Some(RowState::Dead { reason, status, .. }) => Some((reason, status)),
        _ => None,
    }
}

#[test]
fn a_poison_event_is_dead_lettered_and_all_others_are_delivered() {
    let mut bench = Bench::new();
    let ids = bench.store_rows(Kind::ApiCall, "{}", 100);
    bench.usual(Turn::Refuse(vec![ids[37]]));
    bench.driver.event(Event::Rows([0, 0, 100, 0]));
    bench.settle();
    let account = bench.balance();
    assert_eq!((account.delivered, account.dead, account.queued, account.in_flight), (99, 1, 0, 0));
    assert_eq!(dead(&bench, ids[37]), Some((Some(Reason::Poison), 400)));
    assert!(bench.requests() <= 21, "{}", bench.requests());
    // Every part has a batch id of its own.
    let batches: std::collections::HashSet<String> =
        bench.sent().iter().map(|request| body(request)["batch_id"].to_string()).collect();
    assert_eq!(batches.len(), bench.requests());
    assert!(bench.state().bisect.is_none());
}

#[test]
fn a_server_that_refuses_everything_stops_the_route_and_nothing_is_dead_lettered() {
    let mut bench = Bench::new();
    bench.usual(status(400));
    bench.put(Kind::ApiCall, 100);
    let account = bench.balance();
    assert_eq!((account.dead, account.queued, account.in_flight), (0, 100, 0));
    assert_eq!(bench.requests(), 21);
    assert!(bench.why().contains("refuses every event"), "{}", bench.why());
    assert_eq!(bench.state().stop.map(|stop| stop.kind), Some(StopKind::RefusesEverything));
    assert_eq!(bench.next(), Duration::from_secs(3600));
    assert_eq!((bench.requests(), ids(&bench.last()).len()), (22, 1));
    // The endpoint works again: one accepted probe ends the stop.
    bench.usual(Turn::Accept);
    assert_eq!(bench.next(), Duration::from_secs(7200));
    let account = bench.balance();
    assert_eq!(account.queued + account.in_flight, 0);
    assert!(account.delivered >= 90, "{account:?}");
}

#[test]
fn a_single_refused_event_is_dead_lettered_only_when_another_one_is_accepted() {
    let mut bench = Bench::new();
    let bad = bench.store_rows(Kind::Error, "{}", 1)[0];
    bench.usual(Turn::Refuse(vec![bad]));
    bench.driver.event(Event::Rows([0, 1, 0, 0]));
    bench.settle();
    assert!(bench.why().contains("refuses every event"));
    assert_eq!(dead(&bench, bad), None);
    // Without another event it is the probe each time, and stays queued.
    bench.next();
    assert_eq!(ids(&bench.last()), [bad]);
    assert_eq!(dead(&bench, bad), None);
    // The probe prefers another event; once that is accepted, the first one is dead-lettered.
    let good = bench.put(Kind::Error, 1)[0];
    bench.next();
    assert!(bench.sent().iter().any(|request| ids(request) == [good]));
    assert_eq!(dead(&bench, bad), Some((Some(Reason::Poison), 400)));
    assert_eq!((bench.balance().delivered, bench.balance().dead, bench.balance().queued), (1, 1, 0));
    assert!(!bench.status(ROUTE).stopped);
    assert!(bench.state().refused_alone.is_empty());
}

#[test]
fn events_refused_together_with_everything_else_are_delivered_when_the_server_accepts_them_later() {
    let mut bench = Bench::new();
    let rows = bench.store_rows(Kind::Error, "{}", 40);
    bench.usual(status(400));
    bench.driver.event(Event::Rows([0, 40, 0, 0]));
    bench.settle();
    for _ in 0..4 {
        bench.next();
    }
    assert!(bench.why().contains("refuses every event"));
    let bad = rows[7];
    bench.usual(Turn::Refuse(vec![bad]));
    while bench.balance().queued + bench.balance().in_flight > 0 {
        bench.next();
    }
    // Only the event that is still refused is dead-lettered.
    let account = bench.balance();
    assert_eq!((account.delivered, account.dead, account.queued), (39, 1, 0), "{account:?}");
    assert_eq!(dead(&bench, bad), Some((Some(Reason::Poison), 400)));
    assert!(bench.state().refused_alone.is_empty());
}

#[test]
fn a_bisect_continues_after_a_restart() {
    let mut bench = Bench::new();
    let rows = bench.store_rows(Kind::ApiCall, "{}", 64);
    bench.usual(Turn::Refuse(vec![rows[5]]));
    bench.script([status(400), status(400), Turn::Silence]);
    bench.driver.event(Event::Rows([0, 0, 64, 0]));
    bench.settle();
    assert_eq!(bench.requests(), 3);
    let part = bench.last();
    bench.restart("boot-a");
    bench.add("main", rez("key"));
    assert_eq!(body(&bench.sent()[3]), body(&part), "the same part under the same id");
    assert_eq!((bench.balance().delivered, bench.balance().dead), (63, 1));
}

#[test]
fn when_the_bisect_requests_are_used_up_undecided_rows_wait_an_hour_and_the_others_pass() {
    let mut bench = Bench::new();
    let rows = bench.store_rows(Kind::ApiCall, "{}", 200);
    let bad: Vec<EventId> = rows.iter().copied().step_by(40).collect();
    bench.usual(Turn::Refuse(bad.clone()));
    bench.driver.event(Event::Rows([0, 0, 200, 0]));
    bench.settle();
    assert_eq!(bench.requests(), 21);
    let account = bench.balance();
    assert!(account.delivered > 0 && account.dead > 0 && account.queued > 0, "{account:?}");
    let good = bench.put(Kind::Error, 1)[0];
    assert_eq!(ids(&bench.last()), [good], "others pass");
    let mut hours = 0;
    while bench.balance().queued + bench.balance().in_flight > 0 {
        bench.after(Duration::from_secs(3600));
        hours += 1;
        assert!(hours < 12);
    }
    let account = bench.balance();
    assert_eq!((account.delivered, account.dead), (196, 5));
    assert!(bad.iter().all(|id| dead(&bench, *id).is_some()));
}

#[test]
fn a_server_that_lowers_its_cap_with_each_413_gets_no_more_requests_than_a_bisect() {
    let mut bench = Bench::new();
    bench.usual(Turn::By(|request| {
        let body = format!(r#"{{"max_events":{}}}"#, ids(request).len() - 1);
        Response { status: 413, body: body.into_bytes(), ..Response::default() }
    }));
    bench.store_rows(Kind::ApiCall, "{}", 100);
    bench.driver.event(Event::Rows([0, 0, 100, 0]));
    bench.settle();
    for _ in 0..60 {
        bench.after(Duration::from_secs(1));
    }
    assert_eq!((bench.requests(), bench.balance().queued, bench.balance().in_flight), (21, 100, 0));
    bench.usual(Turn::Accept);
    bench.after(Duration::from_secs(3600));
    assert_eq!((bench.balance().delivered, bench.requests()), (100, 23));
}

#[test]
fn an_outage_is_never_mistaken_for_poison() {
    for code in [500, 408, 425] {
        let mut bench = Bench::new();
        bench.usual(status(code));
        bench.put(Kind::Error, 20);
        let started = bench.clock.mono_ms();
        while bench.clock.mono_ms() - started < DAY {
            bench.next();
        }
        let account = bench.balance();
        assert_eq!((account.dead, account.delivered), (0, 0), "{code}");
        // The trials with one event count among the attempts.
        assert!(bench.requests() < 800, "{code}: {}", bench.requests());
        bench.usual(Turn::Accept);
        bench.next();
        bench.after(Duration::from_secs(3600));
        assert_eq!(bench.balance().delivered, 20, "{code}");
    }
}

#[test]
fn an_event_that_causes_5xx_or_408_is_found_once_another_request_was_accepted() {
    for (status, turn) in [(500, Turn::Break as fn(Vec<EventId>) -> Turn), (408, Turn::TimeOut)] {
        let mut bench = Bench::new();
        let rows = bench.store_rows(Kind::ApiCall, "{}", 30);
        bench.usual(turn(vec![rows[3]]));
        bench.driver.event(Event::Rows([0, 0, 30, 0]));
        bench.settle();
        for _ in 0..6 {
            bench.next();
        }
        let account = bench.balance();
        assert_eq!((account.delivered, account.dead, account.queued), (29, 1, 0), "{status}");
        assert_eq!(dead(&bench, rows[3]), Some((Some(Reason::Poison), status)));
    }
}

#[test]
fn a_single_event_that_causes_5xx_or_408_is_parked_so_that_others_pass() {
    for turn in [Turn::Break as fn(Vec<EventId>) -> Turn, Turn::TimeOut] {
        let mut bench = Bench::new();
        let bad = bench.store_rows(Kind::Error, "{}", 1)[0];
        bench.usual(turn(vec![bad]));
        bench.driver.event(Event::Rows([0, 1, 0, 0]));
        bench.settle();
        for _ in 0..4 {
            bench.next();
        }
        assert_eq!((bench.requests(), bench.balance().queued, bench.balance().in_flight), (5, 1, 0));
        bench.put(Kind::Error, 1);
        bench.next();
        assert_eq!((bench.balance().delivered, bench.balance().queued, bench.balance().dead), (1, 1, 0));
    }
}

#[test]
fn an_outage_in_the_middle_of_a_bisect_dead_letters_nothing() {
    let mut bench = Bench::new();
    let rows = bench.store_rows(Kind::ApiCall, "{}", 8);
    // Five 5xx, one event accepted alone, then an outage.
    bench.script((0..5).map(|_| status(500)).chain([Turn::Accept]));
    bench.usual(status(500));
    bench.driver.event(Event::Rows([0, 0, 8, 0]));
    bench.settle();
    for _ in 0..40 {
        bench.next();
    }
    assert_eq!(bench.balance().dead, 0);
    bench.usual(Turn::Accept);
    for _ in 0..4 {
        bench.after(Duration::from_secs(3600));
    }
    assert_eq!((bench.balance().delivered, bench.balance().dead), (8, 0));
    assert_eq!(dead(&bench, rows[0]), None);
}

#[test]
fn an_encoder_that_panics_on_one_event_costs_only_that_event() {
    let mut bench = Bench::bare();
    let destination = Rez::builder("http://127.0.0.1:1", "k").build().unwrap();
    bench.add("main", Arc::new(Faulty(destination)));
    bench.store_rows(Kind::ApiCall, "{}", 20);
    let bad = bench.store_rows(Kind::ApiCall, r#"{"bad":1}"#, 1)[0];
    bench.store_rows(Kind::ApiCall, "{}", 20);
    bench.driver.event(Event::Rows([0, 0, 60, 0]));
    bench.settle();
    assert_eq!((bench.balance().delivered, bench.balance().dead), (40, 1));
    assert_eq!(dead(&bench, bad), Some((Some(Reason::Poison), 0)));
    // If the verdict panics, the response cannot be understood: the same request is sent again.
    bench.script([status(418)]);
    bench.put(Kind::Error, 1);
    assert_eq!(bench.balance().in_flight, 1);
    bench.next();
    assert_eq!(bench.balance().delivered, 41);
}
