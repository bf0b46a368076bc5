//! The table of responses for Sentry.

use super::responses::{Outcome, Subject, again, bench_of, check, next_request, stopped, unreachable};
use super::*;
use crate::destination::Sentry;
use crate::store::RowState;

const ROUTE: &str = "main/sentry.envelope";

const LIMITS: &str = "x-sentry-rate-limits";

fn accept() -> Turn {
    with(200, &[("content-type", "application/json")], r#"{"id":"0123456789abcdef0123456789abcdef"}"#)
}

fn sentry(key: &str) -> Arc<dyn Destination> {
    Arc::new(Sentry::builder(format!("http://{key}@127.0.0.1:1/42")).build().unwrap())
}

const SENTRY: Subject = Subject { destination: || sentry("key"), route: "sentry.envelope", accept };

fn done() -> Outcome {
    Outcome { delivered: 1, ..Outcome::default() }
}

/// Queued again; the next attempt is at least a minute later.
fn outage() -> Outcome {
    Outcome { queued: 1, next: Some((60_000, 120_000)), why: "outage", ..Outcome::default() }
}

/// Dropped, and reported in a request of its own.
fn refused(why: &'static str, next: (u64, u64)) -> Outcome {
    Outcome { dropped: vec![(Reason::Rejected, 1)], next: Some(next), why, ..Outcome::default() }
}

/// Dropped after a 429, which the server counts itself.
fn limited(why: &'static str) -> Outcome {
    Outcome { dropped: vec![(Reason::RateLimited, 1)], why, ..Outcome::default() }
}

fn one(name: &str, kind: Kind, turn: Turn, expected: &Outcome) {
    check(&SENTRY, &format!("{name}, {kind:?}"), kind, 1, turn, expected);
}

/// How long a report of losses alone waits.
const REPORT: (u64, u64) = (0, 600_000);

#[test]
fn a_2xx_settles_and_a_lost_response_is_sent_again() {
    for status in [200, 201, 202] {
        one(&format!("{status} with JSON"), Kind::Error, with(status, &[], "{}"), &done());
    }
    let html = [("content-type", "text/html")];
    let cut = Turn::Response(Response { status: 200, body: b"{".to_vec(), cut: true, ..Response::default() });
    one("a cut response", Kind::Error, cut, &done());
    for (name, turn) in
        [("an unknown status", status(999)), ("fate unknown", Turn::Ambiguous), ("completion dropped", Turn::Drop)]
    {
        one(name, Kind::Error, turn, &again("can be understood"));
    }
    one("no byte sent", Kind::Error, Turn::NotSent, &unreachable());
    one("JSON under another type", Kind::Error, with(200, &html, r#"{"id":"x"}"#), &done());
}

#[test]
fn a_refusal_is_dropped_and_reported_and_a_wrong_address_stops() {
    for code in [400, 402, 406, 409, 411, 413, 414, 415, 422, 431, 451] {
        for kind in [Kind::Crash, Kind::Error, Kind::ScreenLoad] {
            one(&format!("{code}"), kind, status(code), &refused("", REPORT));
        }
    }
    for code in [301, 304, 308, 401, 403, 404, 405, 410] {
        one(&format!("{code}"), Kind::Error, status(code), &stopped("stopped: "));
    }
}

#[test]
fn in_an_outage_crashes_and_errors_are_kept_and_the_rest_is_dropped_and_reported() {
    for code in [408, 425, 500, 502, 503, 504, 507, 599] {
        for kind in [Kind::Crash, Kind::Error, Kind::Session, Kind::Feedback] {
            one(&format!("{code}"), kind, status(code), &outage());
        }
        for kind in [Kind::ScreenLoad, Kind::Message, Kind::Metric] {
            one(&format!("{code}"), kind, status(code), &refused("outage", (60_000, 720_000)));
        }
    }
    let seconds = [("retry-after", "300")];
    one(
        "503 with a time",
        Kind::Crash,
        with(503, &seconds, ""),
        &Outcome { next: Some((300_000, 300_000)), why: "asked to wait", ..outage() },
    );
}

/// The body of a request, decompressed.
fn text(request: &Request) -> String {
    let mut plain = String::new();
    flate2::read::GzDecoder::new(request.body.as_slice()).read_to_string(&mut plain).unwrap();
    plain
}

#[test]
fn dropped_events_are_reported_with_sentrys_reason() {
    let mut bench = bench_of(&SENTRY);
    bench.script([status(400)]);
    bench.put(Kind::Error, 1);
    next_request(&mut bench).unwrap();
    let body = text(&bench.last());
    assert!(body.contains(r#"{"reason":"send_error","category":"error","quantity":1}"#), "{body}");
}

#[test]
fn a_429_drops_its_own_events_and_holds_later_ones_until_the_limit_ends() {
    let date = "Mon, 23 Nov 2026 02:00:00 GMT";
    for (name, headers, seconds) in [
        ("no time", vec![], 60),
        ("seconds", vec![("retry-after", "90")], 90),
        ("a date", vec![("retry-after", "Mon, 23 Nov 2026 02:10:00 GMT"), ("date", date)], 600),
        ("a date without the response's own date", vec![("retry-after", "Mon, 23 Nov 2026 02:10:00 GMT")], 60),
        ("garbled", vec![("retry-after", "soon")], 60),
        ("a week", vec![("retry-after", "604800")], 86_400),
        ("all categories", vec![(LIMITS, "120::organization")], 120),
        ("all categories, short", vec![(LIMITS, "120")], 120),
        ("a fraction", vec![(LIMITS, "1.5::key")], 2),
        ("both headers", vec![(LIMITS, "120::key"), ("retry-after", "7")], 120),
        ("its category", vec![(LIMITS, "300:error;transaction:project:quota:ns")], 300),
        ("two limits, the longer counts", vec![(LIMITS, "300:error:key, 60:error:project")], 300),
        ("two limits of two sorts", vec![(LIMITS, "30::key, 300:error:project")], 300),
    ] {
        let mut bench = bench_of(&SENTRY);
        bench.script([with(429, &headers, "")]);
        bench.put(Kind::Error, 1);
        let account = bench.balance_of(ROUTE);
        assert_eq!(account.dropped.get("rate_limited"), Some(&1), "{name}");
        // A later event waits, over a restart too, and is then delivered.
        bench.store_rows(Kind::Error, "{}", 1);
        bench.restart("boot-a");
        bench.add("main", sentry("key"));
        assert_eq!(bench.requests(), 1, "{name}");
        let wait = next_request(&mut bench).unwrap();
        assert!(wait > Duration::from_secs(seconds - 1) && wait <= Duration::from_secs(seconds), "{name}: {wait:?}");
        bench.settle();
        assert_eq!(bench.balance_of(ROUTE).delivered, 1, "{name}");
        // The server counts its own refusals: they are not reported.
        assert!(!text(&bench.last()).contains("client_report"), "{name}");
    }
    one("no kind of ours", Kind::Error, with(429, &[(LIMITS, "60:replay:key")], ""), &limited(""));
}

#[test]
fn a_limit_of_a_category_on_any_response_lets_the_others_pass() {
    for status in [200, 400, 503] {
        let mut bench = bench_of(&SENTRY);
        bench.script([with(status, &[(LIMITS, "3600:transaction;session:organization")], "{}")]);
        bench.put(Kind::Error, 1);
        let first = bench.balance_of(ROUTE);
        bench.after(Duration::from_secs(130));
        bench.put(Kind::ScreenLoad, 60);
        bench.put(Kind::Session, 1);
        bench.put(Kind::Error, 1);
        bench.after(Duration::from_secs(600));
        let account = bench.balance_of(ROUTE);
        assert_eq!((account.delivered, account.queued), (2 - u64::from(status == 400), 61), "{status}: {first:?}");
        bench.after(Duration::from_secs(3_000));
        for _ in 0..70 {
            bench.after(Duration::from_secs(30));
        }
        let account = bench.balance_of(ROUTE);
        assert_eq!((account.delivered, account.queued), (63 - u64::from(status == 400), 0), "{status}: {account:?}");
    }
}

#[test]
fn in_an_outage_the_waits_grow_and_every_crash_is_kept() {
    let mut bench = bench_of(&SENTRY);
    bench.usual(status(503));
    let crashes = bench.put(Kind::Crash, 20);
    for failures in 1..100_u32 {
        let wait = next_request(&mut bench).unwrap().as_millis();
        let most = (60_000_u128 << failures.min(10)).min(600_000);
        assert!((60_000..=most).contains(&wait), "{failures}: {wait}");
        let waits = |id: &&EventId| matches!(bench.fate(**id).routes[0].state, RowState::Parked { until_ms: Some(until) } if until > bench.clock.wall_ms());
        let parked = crashes.iter().filter(waits).count();
        assert!(parked <= 4, "{failures}: {parked} of 20 are parked");
    }
    bench.usual(accept());
    while bench.balance_of(ROUTE).queued > 0 {
        next_request(&mut bench).unwrap();
    }
    let account = bench.balance_of(ROUTE);
    assert_eq!((account.delivered, account.dead, account.dropped.len()), (20, 0, 0));
}

/// 500 for a request with an event that says so.
fn breaks_on_some() -> Turn {
    Turn::By(|request| {
        let status = if text(request).contains("always 500") { 500 } else { 200 };
        Response { status, ..Response::default() }
    })
}

/// Within a day all rows but one are delivered.
fn one_is_left_of(bench: &mut Bench, rows: u64) {
    let started = bench.clock.mono_ms();
    while bench.balance_of(ROUTE).delivered < rows - 1 && bench.clock.mono_ms() - started < DAY {
        next_request(bench).unwrap();
    }
    let account = bench.balance_of(ROUTE);
    assert_eq!((account.delivered, account.queued, account.dropped.len()), (rows - 1, 1, 0), "{account:?}");
}

#[test]
fn an_error_that_is_always_answered_with_5xx_waits_an_hour_and_the_others_pass() {
    let mut bench = bench_of(&SENTRY);
    bench.usual(breaks_on_some());
    bench.store_rows(Kind::Error, r#"{"type":"always 500"}"#, 1);
    bench.put(Kind::Error, 10);
    one_is_left_of(&mut bench, 11);
    assert_eq!(bench.requests(), 5 + 10);
    // It is tried again after an hour, and nothing but it waits.
    let wait = next_request(&mut bench).unwrap();
    assert!(wait <= Duration::from_secs(3600) && wait > Duration::from_secs(2900), "{wait:?}");
    assert!(text(&bench.last()).contains("always 500"));
}

#[test]
fn events_that_share_a_request_with_one_that_is_always_answered_with_5xx_are_delivered() {
    let mut bench = bench_of(&SENTRY);
    bench.usual(breaks_on_some());
    bench.store_rows(Kind::Error, r#"{"type":"always 500"}"#, 1);
    bench.put(Kind::Session, 20);
    one_is_left_of(&mut bench, 21);
}

#[test]
fn an_outage_does_not_end_a_stop() {
    let mut bench = bench_of(&SENTRY);
    bench.script([status(403), status(503)]);
    bench.put(Kind::Error, 1);
    assert!(bench.status(ROUTE).stopped);
    assert_eq!(next_request(&mut bench), Some(Duration::from_secs(3_600)));
    assert!(bench.status(ROUTE).stopped);
    assert_eq!(next_request(&mut bench), Some(Duration::from_secs(7_200)));
    assert_eq!(bench.balance_of(ROUTE).delivered, 1);
}

#[test]
fn flushes_in_a_short_outage_do_not_park_a_crash_for_an_hour() {
    let mut bench = bench_of(&SENTRY);
    bench.usual(status(503));
    bench.put(Kind::Crash, 1);
    for _ in 0..10 {
        bench.driver.event(Event::Flush);
        bench.after(Duration::from_secs(6));
    }
    assert!(bench.requests() > 5, "{}", bench.requests());
    bench.usual((SENTRY.accept)());
    let wait = next_request(&mut bench).unwrap();
    assert!(wait <= Duration::from_secs(600), "{wait:?}");
    assert_eq!(bench.balance_of(ROUTE).delivered, 1);
}

/// The quantity of each report of losses that was sent.
fn quantities(bench: &Bench) -> Vec<u64> {
    let sent = bench.sent();
    let reports = sent.iter().map(text).filter(|text| text.contains("client_report"));
    let quantity = |text: String| {
        let report: serde_json::Value = serde_json::from_str(text.lines().last().unwrap()).unwrap();
        report["discarded_events"][0]["quantity"].as_u64().unwrap()
    };
    reports.map(quantity).collect()
}

#[test]
fn a_stopped_route_probes_with_an_event_whose_limit_ends_after_the_last_probe() {
    let mut bench = bench_of(&SENTRY);
    bench.script([with(503, &[(LIMITS, "86400:error:key")], ""), status(403), status(503)]);
    bench.put(Kind::Error, 1);
    let started = bench.clock.mono_ms();
    bench.put(Kind::ScreenLoad, 1);
    next_request(&mut bench).unwrap();
    assert!(bench.status(ROUTE).stopped);
    // The probe meets an outage, in which Sentry wants its event dropped: only the limited one is left.
    next_request(&mut bench).unwrap();
    let account = bench.balance_of(ROUTE);
    assert_eq!((bench.status(ROUTE).stopped, account.queued, account.dropped.get("rejected")), (true, 1, Some(&1)));
    next_request(&mut bench).expect("a probe");
    assert_eq!(bench.clock.mono_ms() - started, DAY);
    assert_eq!((bench.status(ROUTE).stopped, bench.balance_of(ROUTE).delivered), (false, 1));
}

#[test]
fn a_loss_is_reported_once_and_a_later_one_by_its_increase() {
    let mut bench = bench_of(&SENTRY);
    bench.lose(Reason::RingFull, 3);
    bench.put(Kind::Error, 1);
    assert_eq!(quantities(&bench), [3]);
    bench.after(Duration::from_secs(10));
    bench.put(Kind::Error, 1);
    assert_eq!(quantities(&bench), [3]);
    bench.lose(Reason::RingFull, 2);
    bench.restart("boot-a");
    bench.add("main", sentry("key"));
    bench.after(Duration::from_secs(10));
    bench.put(Kind::Error, 1);
    assert_eq!(quantities(&bench), [3, 2]);
    // Alone, in time, and only once.
    bench.lose(Reason::RingFull, 4);
    next_request(&mut bench).unwrap();
    assert_eq!(quantities(&bench), [3, 2, 4]);
    assert_eq!(next_request(&mut bench), None);
    // Losses of kinds that are never sent to Sentry are not reported.
    bench.store(|store, now| {
        let mut fold = store.begin(false, now).unwrap();
        fold.intake(Some(Kind::Analytics), 1).unwrap();
        fold.drop(Some(Kind::Analytics), Reason::Sampled, 1).unwrap();
        fold.commit().unwrap();
    });
    bench.driver.event(Event::Rows([0; 4]));
    assert_eq!(next_request(&mut bench), None);
}

#[test]
fn a_loss_of_an_earlier_epoch_is_reported_once() {
    let mut bench = bench_of(&SENTRY);
    bench.put(Kind::Error, 1);
    bench.lose(Reason::RingFull, 3);
    bench.restart("boot-a");
    let lost = crate::row::Lost { reason: Reason::EvictedBytes, kind: Some(Kind::Error), count: 7 };
    bench.writer.losses.lock().unwrap().push(UnreportedLoss { epoch: 0, route: crate::store::route_hash(ROUTE), lost });
    bench.add("main", sentry("key"));
    while next_request(&mut bench).is_some() {}
    assert_eq!(quantities(&bench), [7, 3]);
}

#[test]
fn a_report_of_losses_is_sent_again_after_an_outage_or_a_limit_and_not_after_a_refusal() {
    let unnamed = [(LIMITS, "60:replay:key")];
    for (name, turn, expected) in [
        ("503", status(503), vec![3, 3]),
        ("408", status(408), vec![3, 3]),
        ("429", status(429), vec![3, 3]),
        ("429 for another category", with(429, &unnamed, ""), vec![3, 3]),
        ("400", status(400), vec![3]),
    ] {
        let mut bench = bench_of(&SENTRY);
        bench.put(Kind::Error, 1);
        bench.script([turn]);
        bench.lose(Reason::RingFull, 3);
        bench.after(Duration::from_secs(3600));
        while next_request(&mut bench).is_some() {}
        assert_eq!(quantities(&bench), expected, "{name}");
    }
}

#[test]
fn a_loss_of_an_earlier_epoch_is_forgotten_only_when_its_report_was_taken_or_refused() {
    for (code, expected) in [(503, vec![7, 7]), (408, vec![7, 7]), (429, vec![7, 7]), (400, vec![7])] {
        let mut bench = bench_of(&SENTRY);
        bench.put(Kind::Error, 1);
        bench.restart("boot-a");
        let lost = crate::row::Lost { reason: Reason::EvictedBytes, kind: Some(Kind::Error), count: 7 };
        let loss = UnreportedLoss { epoch: 0, route: crate::store::route_hash(ROUTE), lost };
        bench.writer.losses.lock().unwrap().push(loss);
        bench.script([status(code)]);
        bench.add("main", sentry("key"));
        while next_request(&mut bench).is_some() {}
        assert_eq!(quantities(&bench), expected, "{code}");
        assert!(bench.writer.losses.lock().unwrap().is_empty(), "{code}");
    }
}

#[test]
fn two_thousand_events_with_a_fault_in_every_third_response_are_all_accounted_for() {
    let mut bench = bench_of(&SENTRY);
    let mut n = 0_usize;
    for _ in 0..40 {
        let faults = [
            Turn::NotSent,
            Turn::Ambiguous,
            with(429, &[(LIMITS, "5:error:key")], ""),
            status(503),
            with(200, &[], "<html>"),
            Turn::Response(Response { status: 200, body: b"{}".to_vec(), cut: true, ..Response::default() }),
        ];
        let turns = (0..60).map(|_| {
            n += 1;
            let pick = (n * 7 + n / 11) % faults.len();
            if n.is_multiple_of(3) { faults[pick].clone() } else { accept() }
        });
        let turns: Vec<Turn> = turns.collect();
        bench.wire.script.lock().unwrap().clear();
        bench.script(turns);
        bench.store_rows(Kind::Metric, "{}", 30);
        bench.store_rows(Kind::Error, "{}", 10);
        bench.put(Kind::Crash, 10);
        for _ in 0..4 {
            bench.after(Duration::from_secs(400));
        }
    }
    bench.wire.script.lock().unwrap().clear();
    for _ in 0..400 {
        bench.after(Duration::from_secs(700));
    }
    let account = bench.balance_of(ROUTE);
    let lost: u64 = account.dropped.values().sum();
    assert_eq!((account.queued, account.in_flight, account.delivered + lost), (0, 0, 2_000), "{account:?}");
    assert!(
        account.dropped.keys().all(|reason| ["rate_limited", "rejected"].contains(&reason.as_str())),
        "{account:?}"
    );
    assert!(lost > 0 && account.delivered > 1_000, "{account:?}");
}
