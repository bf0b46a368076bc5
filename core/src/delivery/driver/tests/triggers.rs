//! When a batch is sent: counts, timers, hints, background, flush, suspend, losses.

use super::*;

fn flush(bench: &mut Bench) -> bool {
    let (done, ended) = channel();
    bench.driver.flush(done);
    bench.settle();
    ended.try_iter().next().is_some()
}

#[test]
fn without_work_there_is_no_timer() {
    let mut bench = Bench::new();
    assert_eq!(bench.settle(), None);
    bench.put(Kind::Error, 3);
    bench.put(Kind::ApiCall, 60);
    assert_eq!(bench.balance().delivered, 63);
    assert_eq!(bench.settle(), None);
    assert_eq!(bench.after(Duration::from_secs(86_400)), None);
}

#[test]
fn fifty_events_or_thirty_seconds_start_a_batch() {
    let mut bench = Bench::new();
    bench.put(Kind::ApiCall, 49);
    assert_eq!(bench.requests(), 0);
    assert!(bench.why().contains("batch"));
    bench.put(Kind::ApiCall, 1);
    assert_eq!(ids(&bench.last()).len(), 50);
    bench.put(Kind::Metric, 1);
    assert_eq!(bench.next(), Duration::from_secs(30));
    assert_eq!(bench.balance().delivered, 51);
}

#[test]
fn errors_are_sent_at_once_but_at_most_one_request_in_five_seconds() {
    let mut bench = Bench::new();
    bench.put(Kind::ApiCall, 3);
    bench.put(Kind::Error, 1);
    assert_eq!((bench.requests(), ids(&bench.last()).len()), (1, 4), "the other rows are in the same request");
    bench.put(Kind::Crash, 1);
    assert_eq!(bench.requests(), 1);
    assert_eq!(bench.next(), Duration::from_secs(5));
    assert_eq!(bench.balance().delivered, 5);
}

#[test]
fn errors_of_a_loop_that_begins_at_the_start_are_sent_in_one_request_in_five_seconds() {
    for stored_before in [0, 3] {
        let mut bench = Bench::bare();
        bench.usual(Turn::Silence);
        bench.store_rows(Kind::Error, "{}", stored_before);
        bench.add("main", rez("key"));
        // One error each 100 ms; the server needs as long for a response, so the queue is never empty.
        for _ in 0..100 {
            bench.put(Kind::Error, 1);
            bench.response_silent();
            bench.after(Duration::from_millis(100));
        }
        assert!((2..=3).contains(&bench.requests()), "{stored_before} rows at start: {} requests", bench.requests());
        bench.usual(Turn::Accept);
        bench.response_silent();
        bench.after(Duration::from_secs(5));
        assert_eq!(bench.balance().delivered, 100 + stored_before as u64);
    }
}

#[test]
fn a_backlog_is_sent_without_pause_at_the_start() {
    let mut bench = Bench::bare();
    bench.store_rows(Kind::Error, "{}", 1_200);
    bench.add("main", rez("key"));
    assert_eq!((bench.requests(), bench.balance().delivered), (3, 1_200));
}

#[test]
fn unwanted_rows_behind_a_request_are_passed_over_at_once_and_errors_keep_their_interval() {
    let mut bench = Bench::bare();
    let monitoring = Rez::builder("http://127.0.0.1:1", "k").purposes(&[crate::kind::Purpose::Monitoring]);
    bench.store_rows(Kind::Error, "{}", 1);
    bench.store_rows(Kind::Analytics, "{}", 2);
    bench.add("main", Arc::new(monitoring.build().unwrap()));
    bench.settle();
    assert_eq!((bench.requests(), bench.status(ROUTE).waiting), (1, vec![0; 4]));
    // A new error does not make use of the look at the rows that were left over.
    bench.usual(Turn::Silence);
    bench.after(Duration::from_secs(5));
    bench.store_rows(Kind::Analytics, "{}", 1);
    bench.put(Kind::Error, 1);
    let before = bench.requests();
    bench.put(Kind::Error, 1);
    bench.response_silent();
    bench.settle();
    assert_eq!(bench.requests(), before, "the next one waits 5 s");
}

#[test]
fn a_batch_starts_with_lane_0_and_has_at_most_500_events() {
    let mut bench = Bench::new();
    bench.store_rows(Kind::Metric, "{}", 300);
    bench.store_rows(Kind::ApiCall, "{}", 900);
    let crash = bench.store_rows(Kind::Crash, "{}", 1)[0];
    bench.driver.event(Event::Rows([1, 0, 900, 300]));
    bench.settle();
    let sizes: Vec<usize> = bench.sent().iter().map(|request| ids(request).len()).collect();
    assert_eq!(sizes, [500, 500, 201]);
    assert_eq!(ids(&bench.sent()[0])[0], crash);
}

#[test]
fn a_batch_of_large_rows_stays_under_the_endpoints_cap_of_1_mib() {
    let mut bench = Bench::new();
    let big = format!(r#"{{"message":"{}"}}"#, "x".repeat(60_000));
    bench.store_rows(Kind::Error, &big, 40);
    bench.driver.event(Event::Rows([0, 40, 0, 0]));
    bench.settle();
    while bench.settle().is_some() {
        bench.next();
    }
    assert_eq!(bench.balance().delivered, 40);
    assert!(bench.sent().iter().all(|request| body(request).to_string().len() <= limits::BATCH_MAX_BYTES));
}

#[test]
fn entering_the_background_sends_everything_and_its_timers_are_longer() {
    let mut bench = Bench::new();
    bench.put(Kind::ApiCall, 5);
    bench.driver.event(Event::Foreground(false));
    bench.settle();
    assert_eq!(bench.balance().delivered, 5);
    bench.put(Kind::ApiCall, 70);
    assert_eq!(bench.requests(), 1);
    assert_eq!(bench.next(), Duration::from_secs(900));
    bench.put(Kind::ApiCall, 1);
    bench.driver.event(Event::Foreground(true));
    assert_eq!(bench.next(), Duration::from_secs(30));
    bench.put(Kind::Error, 1);
    assert_eq!(bench.balance().delivered, 77);
}

#[test]
fn without_a_network_errors_are_tried_every_15_minutes_and_all_rows_are_sent_when_it_returns() {
    let mut bench = Bench::new();
    bench.put(Kind::Error, 1);
    bench.driver.event(Event::Hint(Hint::Network(Network::Offline)));
    bench.usual(Turn::NotSent);
    bench.put(Kind::Error, 1);
    assert_eq!(bench.requests(), 1);
    assert!(bench.why().contains("no network"), "{}", bench.why());
    for _ in 0..4 {
        assert_eq!(bench.next(), Duration::from_secs(900));
    }
    bench.put(Kind::ApiCall, 80);
    assert_eq!(bench.requests(), 5);
    bench.usual(Turn::Accept);
    bench.after(Duration::from_secs(6));
    bench.driver.event(Event::Hint(Hint::Network(Network::Online)));
    bench.settle();
    assert_eq!(bench.balance().delivered, 82);
}

#[test]
fn a_wrong_offline_hint_delays_rows_by_at_most_a_day() {
    let mut bench = Bench::new();
    bench.driver.event(Event::Hint(Hint::Network(Network::Offline)));
    bench.put(Kind::ApiCall, 80);
    assert_eq!(bench.next(), Duration::from_secs(86_400));
    assert_eq!(bench.balance().delivered, 80);
}

#[test]
fn power_saving_delays_bulk_by_at_most_a_day_and_errors_not_at_all() {
    let mut bench = Bench::new();
    bench.driver.event(Event::Hint(Hint::Power(Power::Low)));
    bench.put(Kind::ApiCall, 80);
    assert!(bench.why().contains("power saving"), "{}", bench.why());
    assert_eq!(bench.next(), Duration::from_secs(86_400));
    assert_eq!(bench.balance().delivered, 80);
    bench.put(Kind::Error, 1);
    assert_eq!(bench.balance().delivered, 81);
    bench.put(Kind::ApiCall, 1);
    assert!(flush(&mut bench));
    assert_eq!(bench.balance().delivered, 82);
}

#[test]
fn a_returning_network_ends_the_wait_for_it_but_not_the_servers() {
    for (turn, ends) in [(Turn::NotSent, true), (with(503, &[("retry-after", "900")], ""), false)] {
        let mut bench = Bench::new();
        bench.script(std::iter::repeat_n(turn, 5));
        bench.put(Kind::Error, 1);
        bench.driver.event(Event::Hint(Hint::Network(Network::Offline)));
        bench.after(Duration::from_secs(6));
        bench.wire.script.lock().unwrap().clear();
        bench.driver.event(Event::Hint(Hint::Network(Network::Unknown)));
        bench.settle();
        assert_eq!(bench.balance().delivered == 1, ends);
    }
}

#[test]
fn flush_ignores_our_own_wait_once_in_five_seconds_and_never_the_servers() {
    let mut bench = Bench::new();
    bench.put(Kind::ApiCall, 2);
    assert!(flush(&mut bench));
    assert_eq!(bench.balance().delivered, 2);
    // Our own wait.
    bench.script([status(500), status(500)]);
    bench.put(Kind::Error, 1);
    let before = bench.requests();
    assert!(flush(&mut bench), "one attempt, and it ended");
    assert_eq!(bench.requests(), before + 1);
    assert!(flush(&mut bench), "the wait was ignored a moment ago");
    assert_eq!(bench.requests(), before + 1);
    assert!(bench.why().contains("outage"), "{}", bench.why());
    bench.clock.advance(limits::FLUSH_INTERVAL);
    assert!(flush(&mut bench));
    assert_eq!(bench.balance().delivered, 3);
    // The server's wait.
    bench.after(Duration::from_secs(10));
    bench.script([with(429, &[("retry-after", "60")], "")]);
    bench.put(Kind::Error, 1);
    let before = bench.requests();
    assert!(flush(&mut bench));
    assert_eq!(bench.requests(), before);
    assert!(bench.why().contains("asked to wait"));
    // A stop.
    bench.script([status(401)]);
    bench.next();
    let before = bench.requests();
    assert!(flush(&mut bench));
    assert_eq!(bench.requests(), before);
}

#[test]
fn a_hundred_flushes_in_a_second_cause_at_most_two_requests_that_fail() {
    for (name, turn) in [
        ("refuses the connection", Turn::NotSent),
        ("closes the connection", Turn::Ambiguous),
        ("drops the request", Turn::Drop),
        ("responds with 500", status(500)),
        ("responses an empty 200", status(200)),
        ("is behind a captive portal", with(200, &[], "<html>")),
    ] {
        let mut bench = Bench::new();
        bench.usual(turn);
        bench.put(Kind::Error, 2);
        for _ in 0..100 {
            assert!(flush(&mut bench), "{name}: a flush returns at once");
            assert!(!bench.why().is_empty(), "{name}: the status says why");
            bench.clock.advance(Duration::from_millis(10));
        }
        assert!((1..=2).contains(&bench.requests()), "{name}: {} requests", bench.requests());
        // The next one that ignores the wait is 5 s later.
        bench.clock.advance(limits::FLUSH_INTERVAL);
        let before = bench.requests();
        (0..10).for_each(|_| assert!(flush(&mut bench)));
        // The wait is over for the first of them and ignored by the second.
        assert!((1..=2).contains(&(bench.requests() - before)), "{name}");
        assert_eq!(bench.balance().delivered, 0, "{name}");
        bench.usual(Turn::Accept);
        bench.clock.advance(limits::FLUSH_INTERVAL);
        assert!(flush(&mut bench));
        assert_eq!(bench.balance().delivered, 2, "{name}");
    }
}

#[test]
fn a_flush_after_each_event_is_not_held_while_the_server_responds() {
    let mut bench = Bench::new();
    for n in 1..=100 {
        bench.put(Kind::ApiCall, 1);
        assert!(flush(&mut bench));
        assert_eq!(bench.balance().delivered, n);
    }
}

#[test]
fn flush_waits_for_the_response() {
    let mut bench = Bench::new();
    bench.script([Turn::Silence]);
    bench.put(Kind::ApiCall, 2);
    assert!(!flush(&mut bench));
    let done = bench.wire.silent.lock().unwrap().pop().unwrap();
    let response = accept(&bench.last());
    done.finish(Sent::Response(response));
    bench.settle();
    assert!(bench.driver.flushing.is_empty());
    assert_eq!(bench.balance().delivered, 2);
}

#[test]
fn suspend_waits_for_requests_in_flight_and_starts_no_new_one() {
    let mut bench = Bench::new();
    bench.script([Turn::Silence]);
    bench.put(Kind::Error, 1);
    let (done, idle) = channel();
    bench.driver.suspend(done);
    bench.settle();
    assert!(idle.try_iter().next().is_none());
    bench.put(Kind::Error, 1);
    bench.after(Duration::from_secs(10));
    bench.put(Kind::Error, 1);
    assert_eq!(bench.requests(), 1);
    let response = accept(&bench.last());
    bench.wire.silent.lock().unwrap().pop().unwrap().finish(Sent::Response(response));
    bench.settle();
    assert!(idle.try_iter().next().is_some());
    assert_eq!(bench.settle(), None, "no timer while suspended");
    bench.driver.event(Event::Resume);
    bench.settle();
    assert_eq!(bench.balance().delivered, 3);
}

#[test]
fn losses_are_reported_with_a_batch_or_alone_every_ten_minutes() {
    let mut bench = Bench::new();
    bench.put(Kind::Error, 1);
    bench.after(Duration::from_secs(60));
    bench.lose(Reason::Sampled, 3);
    assert_eq!(bench.requests(), 1);
    bench.next();
    let losses = |bench: &Bench| body(&bench.last())["lost"].clone();
    let sampled = |n: u64| serde_json::json!([{"reason": "sampled", "kind": "metric", "count": n}]);
    assert_eq!(ids(&bench.last()).len(), 0);
    assert_eq!(losses(&bench), sampled(3));
    assert_eq!(body(&bench.last())["resource"]["app"], "shop");
    // The same number is not reported again.
    bench.driver.event(Event::Rows([0; 4]));
    while bench.settle().is_some() {
        bench.next();
    }
    assert_eq!(bench.requests(), 2);
    bench.lose(Reason::Sampled, 1);
    assert!(bench.next() >= Duration::from_secs(500));
    assert_eq!(losses(&bench), sampled(4));
    bench.lose(Reason::Sampled, 1);
    bench.put(Kind::Error, 1);
    assert_eq!((ids(&bench.last()).len(), losses(&bench)), (1, sampled(5)));
    assert_eq!(bench.settle(), None, "already reported");
    bench.restart("boot-a");
    bench.add("main", rez("key"));
    assert_eq!(bench.settle(), None, "already reported before the restart");
    bench.lose(Reason::Sampled, 1);
    assert!(flush(&mut bench), "the next flush reports it");
    assert_eq!(losses(&bench), sampled(6));
    let before = bench.requests();
    bench.restart("boot-a");
    bench.add("main", rez("key"));
    while bench.settle().is_some() {
        bench.next();
    }
    assert_eq!(bench.requests(), before, "remembered across a restart");
}

#[test]
fn after_an_outage_the_losses_are_reported() {
    let mut bench = Bench::new();
    bench.put(Kind::Error, 1);
    bench.script([Turn::NotSent, status(500), with(200, &[], "<html>")]);
    bench.lose(Reason::RingFull, 2);
    for _ in 0..8 {
        if bench.settle().is_some() {
            bench.next();
        }
    }
    assert_eq!(body(&bench.last())["lost"][0]["count"], 2);
    assert_eq!(bench.settle(), None);
}

#[test]
fn rows_recorded_under_a_denial_are_never_sent_even_after_consent() {
    let mut bench = Bench::new();
    *bench.writer.granted.lock().unwrap() = Granted { monitoring: true, analytics: false };
    *bench.writer.denied.lock().unwrap() = Granted { monitoring: false, analytics: true };
    bench.put(Kind::Analytics, 2);
    bench.after(Duration::from_secs(60));
    *bench.writer.granted.lock().unwrap() = Granted { monitoring: true, analytics: true };
    *bench.writer.denied.lock().unwrap() = Granted::default();
    bench.driver.event(Event::Consent);
    bench.after(Duration::from_secs(60));
    assert_eq!((bench.requests(), bench.balance().unwanted, bench.balance().queued), (0, 2, 0));
}

#[test]
fn rows_without_consent_are_kept_and_sent_after_consent() {
    let mut bench = Bench::new();
    *bench.writer.granted.lock().unwrap() = Granted { monitoring: true, analytics: false };
    bench.put(Kind::Analytics, 60);
    bench.put(Kind::Error, 1);
    assert_eq!((bench.balance().delivered, bench.balance().queued), (1, 60));
    assert_eq!(bench.settle(), None);
    *bench.writer.granted.lock().unwrap() = Granted { monitoring: true, analytics: true };
    bench.driver.event(Event::Consent);
    bench.settle();
    assert_eq!((bench.balance().delivered, bench.balance().queued), (61, 0));
}

#[test]
fn after_consent_is_withdrawn_a_batch_is_cut_again_before_it_is_resent() {
    let mut bench = Bench::new();
    bench.script([status(503)]);
    bench.store_rows(Kind::Revenue, "{}", 2);
    bench.put(Kind::Error, 1);
    assert_eq!(ids(&bench.last()).len(), 3);
    *bench.writer.granted.lock().unwrap() = Granted { monitoring: true, analytics: false };
    bench.next();
    assert_eq!(ids(&bench.last()).len(), 1);
    assert_eq!((bench.balance().delivered, bench.balance().queued), (1, 2));
}

#[test]
fn a_monitoring_destination_never_gets_analytics() {
    let mut bench = Bench::bare();
    let monitoring = Rez::builder("http://127.0.0.1:1", "k").purposes(&[crate::kind::Purpose::Monitoring]);
    bench.add("main", Arc::new(monitoring.build().unwrap()));
    bench.put(Kind::Analytics, 60);
    bench.put(Kind::Error, 1);
    let account = bench.balance();
    assert_eq!((account.delivered, account.unwanted, account.queued), (1, 60, 0));
}

#[test]
fn losses_of_an_earlier_epoch_are_reported_once_under_their_own_epoch() {
    let mut bench = Bench::new();
    bench.put(Kind::Error, 1);
    bench.store(|store, _| store.raise_epoch(5).unwrap());
    bench.lose(Reason::Sampled, 3);
    bench.restart("boot-a");
    let loss = |epoch, count| {
        let lost = crate::row::Lost { reason: Reason::EvictedBytes, kind: Some(Kind::Metric), count };
        UnreportedLoss { epoch, route: crate::store::route_hash(ROUTE), lost }
    };
    let other = UnreportedLoss { route: 1, ..loss(4, 9) };
    *bench.writer.losses.lock().unwrap() = vec![loss(4, 20), other, loss(3, 10), loss(5, 99)];
    // A failed report is repeated.
    bench.script([Turn::Accept, Turn::NotSent]);
    let before = bench.requests();
    bench.add("main", rez("key"));
    while bench.settle().is_some() {
        bench.next();
    }
    let reported = |request: &Request| {
        let body = body(request);
        (body["epoch"].as_u64().unwrap(), body["lost"][0]["count"].as_u64().unwrap(), ids(request).len())
    };
    let sent = bench.sent().iter().skip(before).map(reported).collect::<Vec<_>>();
    assert_eq!(sent, [(3, 10, 0), (4, 20, 0), (4, 20, 0), (5, 3, 0)]);
    assert_eq!(*bench.writer.losses.lock().unwrap(), [other, loss(5, 99)]);
    bench.add("main", rez("key"));
    assert_eq!(bench.settle(), None, "reported");
}

#[test]
fn one_flush_reports_the_losses_of_all_epochs() {
    for rows in [0, 2] {
        let mut bench = Bench::new();
        bench.put(Kind::Error, 1);
        bench.lose(Reason::Sampled, 3);
        bench.restart("boot-a");
        let lost = crate::row::Lost { reason: Reason::EvictedBytes, kind: None, count: 7 };
        let loss = UnreportedLoss { epoch: 0, route: crate::store::route_hash(ROUTE), lost };
        bench.writer.losses.lock().unwrap().push(loss);
        bench.store_rows(Kind::Error, "{}", rows);
        let before = bench.requests();
        bench.add("main", rez("key"));
        assert!(flush(&mut bench));
        let reported = |request: &Request| {
            let body = body(request);
            (body["epoch"].as_u64().unwrap(), body["lost"][0]["count"].as_u64().unwrap())
        };
        let mut sent: Vec<_> = bench.sent().iter().skip(before).map(reported).collect();
        sent.sort_unstable();
        assert_eq!(sent, [(0, 7), (1, 3)], "{rows} rows");
    }
}
