//! Every status and header form of the table of responses for `rez`, on the real store: verdict, balance, next attempt.

use super::*;

/// The expected state of three errors after one response.
struct Expected {
    delivered: u64,
    dead: u64,
    in_flight: u64,
    queued: u64,
    /// Bounds of the next attempt in milliseconds; `None` = nothing is due.
    next: Option<(u64, u64)>,
    /// Part of the status text.
    why: &'static str,
    stopped: bool,
}

const KEPT: Expected =
    Expected { delivered: 0, dead: 0, in_flight: 3, queued: 0, next: Some((1000, 2000)), why: "", stopped: false };
const DONE: Expected = Expected { delivered: 3, in_flight: 0, next: None, ..KEPT };
const STOPPED: Expected =
    Expected { in_flight: 0, queued: 3, next: Some((3_600_000, 3_600_000)), why: "stopped: ", stopped: true, ..KEPT };

fn after(seconds: u64, why: &'static str) -> Expected {
    Expected { next: Some((seconds * 1000, seconds * 1000)), why, ..KEPT }
}

fn backoff(why: &'static str) -> Expected {
    Expected { why, ..KEPT }
}

fn check(name: &str, turn: Turn, expected: Expected) {
    let mut bench = Bench::new();
    let waited = Duration::from_secs(20);
    bench.after(waited);
    bench.script([turn]);
    bench.put(Kind::Error, 3);
    let deadline = bench.settle();
    assert_eq!(bench.requests(), 1, "{name}");
    let account = bench.balance();
    let (delivered, dead) = (account.delivered, account.dead);
    assert_eq!(
        (delivered, dead, account.in_flight, account.queued),
        (expected.delivered, expected.dead, expected.in_flight, expected.queued),
        "{name}: {account:?}"
    );
    assert!(account.dropped.is_empty(), "{name}: {account:?}");
    let status = bench.status(ROUTE);
    assert_eq!(status.stopped, expected.stopped, "{name}");
    assert!(status.held.as_ref().map_or("", |held| held.why.as_str()).contains(expected.why), "{name}: {status:?}");
    let now = bench.clock.mono_ms();
    match expected.next {
        None => assert!(deadline.is_none(), "{name}: due in {:?}", deadline.map(|deadline| deadline - now)),
        Some((least, most)) => {
            let wait = u64::try_from(deadline.expect(name) - now).unwrap();
            assert!((least..=most).contains(&wait), "{name}: {wait} ms");
            // Not a millisecond earlier, and then at once.
            bench.after(Duration::from_millis(wait - 1));
            assert_eq!(bench.requests(), 1, "{name}");
            bench.after(Duration::from_millis(1));
            assert!(bench.requests() > 1, "{name}");
            // The same events under the same ids.
            let again = ids(&bench.sent()[1]);
            assert!(again == ids(&bench.sent()[0]) || expected.stopped && again.len() == 1, "{name}");
            bench.settle();
            let held = bench.balance();
            assert_eq!(held.delivered, 3, "{name}: {held:?}");
        }
    }
}

#[test]
fn every_response_settles_keeps_or_stops_as_the_table_says() {
    let accepted = |accepted: u64| format!(r#"{{"accepted":{accepted}}}"#);
    check("200 for all", Turn::Accept, DONE);
    check("201 for all", with(201, &[], &accepted(3)), DONE);
    check("duplicates count", with(200, &[], r#"{"accepted":1,"duplicate":2}"#), DONE);
    check("too few accounted for", with(200, &[], &accepted(2)), backoff("can be understood"));
    check("a captive portal's page", with(200, &[], "<html>"), backoff("could not be reached"));
    for code in [302, 303, 307, 511] {
        check(&format!("{code}"), status(code), backoff("could not be reached"));
    }
    check("204 without a body", status(204), backoff("can be understood"));
    let cut = Response { status: 200, body: accepted(3).into_bytes(), cut: true, ..Response::default() };
    check("a cut response", Turn::Response(cut), backoff("can be understood"));
    check("no byte sent", Turn::NotSent, Expected { in_flight: 0, queued: 3, ..backoff("could not be reached") });
    check("fate unknown", Turn::Ambiguous, backoff("can be understood"));
    check("completion dropped", Turn::Drop, backoff("can be understood"));
    check("transport panicked", Turn::Panic, backoff("can be understood"));
    check("unknown status", status(999), backoff("can be understood"));
    for code in [301, 304, 308, 401, 403, 404, 405, 410] {
        check(&format!("{code}"), status(code), STOPPED);
    }
    check("429 without a time", status(429), backoff("fewer requests"));
    for code in [429, 408, 425, 500, 502, 503, 504, 507, 599] {
        let name = format!("{code}");
        if code != 429 {
            check(&name, status(code), backoff("outage"));
        }
        check(&name, with(code, &[("retry-after", "90")], ""), after(90, "asked to wait"));
        check(&name, with(code, &[("retry-after", "0")], ""), after(1, "asked to wait"));
        check(&name, with(code, &[("retry-after", "9999999")], ""), after(86_400, "asked to wait"));
        let date = [("date", "Mon, 23 Nov 2026 02:00:00 GMT"), ("retry-after", "Mon, 23 Nov 2026 02:10:00 GMT")];
        check(&name, with(code, &date, ""), after(600, "asked to wait"));
        let past = [("date", "Mon, 23 Nov 2026 02:00:00 GMT"), ("retry-after", "Mon, 23 Nov 2026 01:00:00 GMT")];
        check(&name, with(code, &past, ""), after(1, "asked to wait"));
        let undated = with(code, &[("retry-after", "Mon, 23 Nov 2026 02:10:00 GMT")], "");
        check(&name, undated, backoff(if code == 429 { "fewer requests" } else { "outage" }));
        let garbled = with(code, &[("retry-after", "soon")], "");
        check(&name, garbled, backoff(if code == 429 { "fewer requests" } else { "outage" }));
    }
}

#[test]
fn rows_that_the_server_rejects_become_dead_letters_with_its_message() {
    let mut bench = Bench::new();
    let text = r#"{"accepted":2,"rejected":[{"index":1,"code":"invalid_field","field":"ts","message":"bad"}]}"#;
    bench.script([with(200, &[], text)]);
    let ids = bench.put(Kind::Error, 3);
    let account = bench.balance();
    assert_eq!((account.delivered, account.dead, account.queued, account.in_flight), (2, 1, 0, 0));
    let fate = bench.fate(ids[1]);
    let dead = crate::store::RowState::Dead {
        reason: Some(Reason::Rejected),
        status: 200,
        note: "invalid_field: ts: bad".into(),
    };
    assert_eq!(fate.routes.first().map(|route| route.state.clone()), Some(dead));
}

#[test]
fn waits_double_with_each_failure_up_to_five_minutes() {
    let mut bench = Bench::new();
    bench.usual(status(429));
    bench.put(Kind::Error, 1);
    for failures in 1..14_u32 {
        let wait = bench.next().as_millis();
        let most = (1000_u128 << failures).min(300_000);
        assert!((1000..=most).contains(&wait), "{failures}: {wait}");
    }
    bench.usual(Turn::Accept);
    bench.next();
    assert_eq!(bench.balance().delivered, 1);
    assert_eq!(bench.state().failures, 0);
}

#[test]
fn a_refused_batch_id_is_replaced_at_once_and_the_event_ids_stay() {
    let mut bench = Bench::new();
    bench.script([status(422)]);
    bench.put(Kind::Error, 2);
    let sent = bench.sent();
    assert_eq!(sent.len(), 2);
    assert_eq!(ids(&sent[0]), ids(&sent[1]));
    assert_ne!(body(&sent[0])["batch_id"], body(&sent[1])["batch_id"]);
    assert_eq!(bench.balance().delivered, 2);
    // A server that refuses every id does not cause a loop.
    bench.usual(status(422));
    bench.after(Duration::from_secs(10));
    let before = bench.requests();
    bench.put(Kind::Error, 1);
    assert_eq!(bench.requests(), before + 2);
    assert!(bench.next() >= Duration::from_secs(1));
}

#[test]
fn a_server_that_refuses_compression_gets_uncompressed_requests_from_then_on() {
    let mut bench = Bench::new();
    let zipped = |request: &Request| request.headers.iter().any(|(name, _)| name == "Content-Encoding");
    bench.script([status(415)]);
    bench.put(Kind::Error, 2);
    let sent = bench.sent();
    assert_eq!(sent.iter().map(zipped).collect::<Vec<_>>(), [true, false]);
    assert_eq!(body(&sent[0]), body(&sent[1]));
    assert_eq!(bench.balance().delivered, 2);
    bench.restart("boot-a");
    bench.add("main", rez("key"));
    bench.after(Duration::from_secs(10));
    bench.put(Kind::Error, 1);
    assert!(!zipped(&bench.last()));
    // 415 to a plain request is a refusal like any other.
    bench.script([status(415)]);
    bench.after(Duration::from_secs(10));
    bench.put(Kind::Error, 2);
    assert_eq!(bench.balance().delivered, 5);
}

#[test]
fn limited_kinds_wait_while_others_pass() {
    let mut bench = Bench::new();
    bench.script([with(200, &[], r#"{"accepted":1,"limits":[{"kind":"metric","retry_after":120}]}"#)]);
    bench.put(Kind::Error, 1);
    bench.after(Duration::from_secs(10));
    bench.put(Kind::Metric, 60);
    assert_eq!(bench.requests(), 1);
    assert!(bench.why().contains("parked"), "{}", bench.why());
    bench.put(Kind::Error, 1);
    assert_eq!(ids(&bench.last()).len(), 1);
    assert_eq!((bench.balance().delivered, bench.balance().queued), (2, 60));
    bench.after(Duration::from_secs(111));
    assert_eq!((bench.balance().delivered, bench.balance().queued), (62, 0));
    // A refusal with a limit: the batch is cut again without that kind.
    let limit = r#"{"limits":[{"kind":"metric","retry_after":600}]}"#;
    bench.script([with(429, &[("retry-after", "5")], limit)]);
    bench.store_rows(Kind::Metric, "{}", 4);
    bench.put(Kind::Error, 1);
    bench.after(Duration::from_secs(5));
    assert_eq!(ids(&bench.last()).len(), 1);
    assert_eq!((bench.balance().delivered, bench.balance().queued), (63, 4));
}

#[test]
fn a_cap_that_the_server_announces_is_respected() {
    let mut bench = Bench::new();
    bench.script([with(413, &[], r#"{"max_events":4,"max_bytes":1000000}"#)]);
    bench.put(Kind::Error, 10);
    let sizes: Vec<usize> = bench.sent().iter().map(|request| ids(request).len()).collect();
    // The rest are new cuts; lanes 0 and 1 are spaced.
    assert_eq!(sizes[..2], [10, 4]);
    bench.after(Duration::from_secs(60));
    assert_eq!(bench.balance().delivered, 10);
    assert!(bench.sent().iter().skip(1).all(|request| ids(request).len() <= 4));
    bench.restart("boot-a");
    bench.add("main", rez("key"));
    bench.put(Kind::Error, 10);
    assert_eq!(ids(&bench.last()).len(), 4);
}

#[test]
fn a_413_without_a_cap_is_bisected() {
    let mut bench = Bench::new();
    bench.script([status(413), status(413)]);
    bench.put(Kind::Error, 8);
    let sizes: Vec<usize> = bench.sent().iter().map(|request| ids(request).len()).collect();
    assert_eq!(sizes, [8, 4, 2, 2, 4]);
    assert_eq!((bench.balance().delivered, bench.balance().dead), (8, 0));
}

#[test]
fn a_stopped_route_probes_one_event_after_one_hour_then_two_up_to_a_day() {
    let mut bench = Bench::new();
    bench.usual(status(401));
    bench.put(Kind::Error, 5);
    let hours: Vec<u64> = (0..7).map(|_| bench.next().as_secs() / 3600).collect();
    assert_eq!(hours, [1, 2, 4, 8, 16, 24, 24]);
    assert!(bench.sent().iter().skip(1).all(|request| ids(request).len() == 1));
    assert_eq!((bench.balance().queued, bench.balance().in_flight), (5, 0));
    bench.usual(Turn::Accept);
    bench.next();
    assert_eq!(bench.balance().delivered, 5);
    assert!(!bench.status(ROUTE).stopped);
}

#[test]
fn a_restart_probes_a_stopped_route_at_once_but_at_most_hourly_and_a_new_key_ends_the_stop() {
    let mut bench = Bench::new();
    bench.usual(status(403));
    bench.put(Kind::Error, 5);
    for _ in 0..3 {
        bench.restart("boot-a");
        bench.add("main", rez("key"));
        assert_eq!(bench.requests(), 1);
    }
    bench.after(Duration::from_secs(3599));
    assert_eq!(bench.requests(), 1);
    bench.after(Duration::from_secs(1));
    assert_eq!(bench.requests(), 2);
    // The next probe is due in two hours, but a restart after one hour probes.
    bench.after(Duration::from_secs(3601));
    bench.restart("boot-b");
    bench.add("main", rez("key"));
    assert_eq!(bench.requests(), 3);
    bench.usual(Turn::Accept);
    bench.add("main", rez("another_key"));
    assert_eq!(bench.balance().delivered, 5);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn any_responses_in_any_order_lose_nothing_and_keep_the_balance(
        responses in proptest::collection::vec((0usize..12, any::<bool>()), 0..25),
        rows in 1usize..12,
    ) {
        let mut bench = Bench::new();
        bench.script(responses.iter().map(|(n, dated)| match n {
            0 => Turn::Accept,
            1 => Turn::NotSent,
            2 => Turn::Ambiguous,
            3 => Turn::Drop,
            4 => with(429, if *dated { &[("retry-after", "40")] } else { &[] }, ""),
            5 => status(if *dated { 500 } else { 503 }),
            6 => status(422),
            7 => status(415),
            8 => status(if *dated { 401 } else { 404 }),
            9 => status(400),
            10 => with(200, &[], if *dated { "<html>" } else { "OK" }),
            _ => with(413, &[], if *dated { r#"{"max_events":2}"# } else { "" }),
        }));
        bench.put(Kind::Error, rows);
        bench.put(Kind::ApiCall, rows);
        for _ in 0..400 {
            let account = bench.balance();
            if account.queued + account.in_flight == 0 {
                break;
            }
            bench.next();
        }
        let account = bench.balance();
        prop_assert!(account.holds());
        prop_assert_eq!(account.delivered + account.dead, 2 * rows as u64, "{:?}", account);
    }
}
