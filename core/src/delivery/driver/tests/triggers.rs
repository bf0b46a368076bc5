//! When a batch goes: counts, timers, hints, background, flush, suspend, losses. And when nothing does.

use super::*;

fn flush(bench: &mut Bench) -> bool {
    let (done, ended) = channel();
    bench.driver.flush(done);
    bench.settle();
    ended.try_recv().is_ok()
}

#[test]
fn with_nothing_to_do_there_is_no_timer() {
    let mut bench = Bench::new();
    assert_eq!(bench.settle(), None);
    bench.put(Kind::Error, 3);
    bench.put(Kind::ApiCall, 60);
    assert_eq!(bench.account().delivered, 63);
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
    assert_eq!(bench.account().delivered, 51);
}

#[test]
fn errors_go_at_once_but_not_more_than_one_request_in_five_seconds() {
    let mut bench = Bench::new();
    bench.put(Kind::ApiCall, 3);
    bench.put(Kind::Error, 1);
    assert_eq!((bench.requests(), ids(&bench.last()).len()), (1, 4), "the others go along");
    bench.put(Kind::Crash, 1);
    assert_eq!(bench.requests(), 1);
    assert_eq!(bench.next(), Duration::from_secs(5));
    assert_eq!(bench.account().delivered, 5);
}

#[test]
fn a_cut_takes_lane_0_first_and_at_most_500_events() {
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
fn a_cut_by_bytes_stays_under_the_endpoints_mebibyte() {
    let mut bench = Bench::new();
    let big = format!(r#"{{"message":"{}"}}"#, "x".repeat(60_000));
    bench.store_rows(Kind::Error, &big, 40);
    bench.driver.event(Event::Rows([0, 40, 0, 0]));
    bench.settle();
    while bench.settle().is_some() {
        bench.next();
    }
    assert_eq!(bench.account().delivered, 40);
    assert!(bench.sent().iter().all(|request| body(request).to_string().len() <= limits::CUT_BYTES));
}

#[test]
fn leaving_the_foreground_sends_everything_and_in_the_background_timers_are_long() {
    let mut bench = Bench::new();
    bench.put(Kind::ApiCall, 5);
    bench.driver.event(Event::Foreground(false));
    bench.settle();
    assert_eq!(bench.account().delivered, 5);
    bench.put(Kind::ApiCall, 70);
    assert_eq!(bench.requests(), 1);
    assert_eq!(bench.next(), Duration::from_secs(900));
    bench.put(Kind::ApiCall, 1);
    bench.driver.event(Event::Foreground(true));
    assert_eq!(bench.next(), Duration::from_secs(30));
    bench.put(Kind::Error, 1);
    assert_eq!(bench.account().delivered, 77);
}

#[test]
fn without_a_network_errors_are_tried_every_quarter_of_an_hour_and_all_go_when_it_is_back() {
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
    assert_eq!(bench.account().delivered, 82);
}

#[test]
fn an_offline_hint_that_is_wrong_cannot_hold_anything_for_more_than_a_day() {
    let mut bench = Bench::new();
    bench.driver.event(Event::Hint(Hint::Network(Network::Offline)));
    bench.put(Kind::ApiCall, 80);
    assert_eq!(bench.next(), Duration::from_secs(86_400));
    assert_eq!(bench.account().delivered, 80);
}

#[test]
fn low_power_delays_bulk_by_a_day_at_most_and_errors_not_at_all() {
    let mut bench = Bench::new();
    bench.driver.event(Event::Hint(Hint::Power(Power::Low)));
    bench.put(Kind::ApiCall, 80);
    assert!(bench.why().contains("energy"), "{}", bench.why());
    assert_eq!(bench.next(), Duration::from_secs(86_400));
    assert_eq!(bench.account().delivered, 80);
    bench.put(Kind::Error, 1);
    assert_eq!(bench.account().delivered, 81);
    bench.put(Kind::ApiCall, 1);
    assert!(flush(&mut bench));
    assert_eq!(bench.account().delivered, 82);
}

#[test]
fn a_network_that_is_back_ends_the_wait_for_it_but_not_what_the_server_asked_for() {
    for (turn, ends) in [(Turn::NotSent, true), (with(503, &[("retry-after", "900")], ""), false)] {
        let mut bench = Bench::new();
        bench.script(std::iter::repeat_n(turn, 5));
        bench.put(Kind::Error, 1);
        bench.driver.event(Event::Hint(Hint::Network(Network::Offline)));
        bench.after(Duration::from_secs(6));
        bench.wire.script.lock().unwrap().clear();
        bench.driver.event(Event::Hint(Hint::Network(Network::Unknown)));
        bench.settle();
        assert_eq!(bench.account().delivered == 1, ends);
    }
}

#[test]
fn flush_tries_now_in_spite_of_our_own_waits_but_not_of_the_servers() {
    let mut bench = Bench::new();
    bench.put(Kind::ApiCall, 2);
    assert!(flush(&mut bench));
    assert_eq!(bench.account().delivered, 2);
    // Our own backoff.
    bench.script([status(500), status(500)]);
    bench.put(Kind::Error, 1);
    let before = bench.requests();
    assert!(flush(&mut bench), "one attempt, and it ended");
    assert_eq!(bench.requests(), before + 1);
    assert!(flush(&mut bench));
    assert_eq!(bench.account().delivered, 3);
    // What the server asked for.
    bench.after(Duration::from_secs(10));
    bench.script([with(429, &[("retry-after", "60")], "")]);
    bench.put(Kind::Error, 1);
    let before = bench.requests();
    assert!(flush(&mut bench));
    assert_eq!(bench.requests(), before);
    assert!(bench.why().contains("left alone"));
    // A stop.
    bench.script([status(401)]);
    bench.next();
    let before = bench.requests();
    assert!(flush(&mut bench));
    assert_eq!(bench.requests(), before);
}

#[test]
fn flush_waits_for_the_answer() {
    let mut bench = Bench::new();
    bench.script([Turn::Silence]);
    bench.put(Kind::ApiCall, 2);
    assert!(!flush(&mut bench));
    let done = bench.wire.silent.lock().unwrap().pop().unwrap();
    let answer = accept(&bench.last());
    done.finish(Sent::Answer(answer));
    bench.settle();
    assert!(bench.driver.flushing.is_empty());
    assert_eq!(bench.account().delivered, 2);
}

#[test]
fn suspend_waits_for_what_is_under_way_and_starts_nothing_new() {
    let mut bench = Bench::new();
    bench.script([Turn::Silence]);
    bench.put(Kind::Error, 1);
    let (done, quiet) = channel();
    bench.driver.suspend(done);
    bench.settle();
    assert!(quiet.try_recv().is_err());
    bench.put(Kind::Error, 1);
    bench.after(Duration::from_secs(10));
    bench.put(Kind::Error, 1);
    assert_eq!(bench.requests(), 1);
    let answer = accept(&bench.last());
    bench.wire.silent.lock().unwrap().pop().unwrap().finish(Sent::Answer(answer));
    bench.settle();
    assert!(quiet.try_recv().is_ok());
    assert_eq!(bench.settle(), None, "no timer while suspended");
    bench.driver.event(Event::Resume);
    bench.settle();
    assert_eq!(bench.account().delivered, 3);
}

#[test]
fn losses_go_along_with_a_batch_and_otherwise_by_themselves_every_ten_minutes() {
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
    // The same number again is no news.
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
    assert_eq!(bench.settle(), None, "told already");
    bench.restart("boot-a");
    bench.add("main", rez("key"));
    assert_eq!(bench.settle(), None, "told already, before the restart");
    bench.lose(Reason::Sampled, 1);
    assert!(flush(&mut bench), "the next flush takes it along");
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
fn a_server_that_is_down_gets_the_losses_later() {
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
fn rows_under_a_refusal_never_go_even_when_it_is_taken_back() {
    let mut bench = Bench::new();
    *bench.desk.granted.lock().unwrap() = Granted { monitoring: true, analytics: false };
    *bench.desk.denied.lock().unwrap() = Granted { monitoring: false, analytics: true };
    bench.put(Kind::Analytics, 2);
    bench.after(Duration::from_secs(60));
    *bench.desk.granted.lock().unwrap() = Granted { monitoring: true, analytics: true };
    *bench.desk.denied.lock().unwrap() = Granted::default();
    bench.driver.event(Event::Consent);
    bench.after(Duration::from_secs(60));
    assert_eq!((bench.requests(), bench.account().unwanted, bench.account().queued), (0, 2, 0));
}

#[test]
fn rows_without_consent_are_kept_and_go_when_it_comes() {
    let mut bench = Bench::new();
    *bench.desk.granted.lock().unwrap() = Granted { monitoring: true, analytics: false };
    bench.put(Kind::Analytics, 60);
    bench.put(Kind::Error, 1);
    assert_eq!((bench.account().delivered, bench.account().queued), (1, 60));
    assert_eq!(bench.settle(), None);
    *bench.desk.granted.lock().unwrap() = Granted { monitoring: true, analytics: true };
    bench.driver.event(Event::Consent);
    bench.settle();
    assert_eq!((bench.account().delivered, bench.account().queued), (61, 0));
}

#[test]
fn a_batch_from_before_a_withdrawal_is_cut_anew_before_it_is_sent_again() {
    let mut bench = Bench::new();
    bench.script([status(503)]);
    bench.store_rows(Kind::Revenue, "{}", 2);
    bench.put(Kind::Error, 1);
    assert_eq!(ids(&bench.last()).len(), 3);
    *bench.desk.granted.lock().unwrap() = Granted { monitoring: true, analytics: false };
    bench.next();
    assert_eq!(ids(&bench.last()).len(), 1);
    assert_eq!((bench.account().delivered, bench.account().queued), (1, 2));
}

#[test]
fn a_destination_for_monitoring_never_gets_analytics() {
    let mut bench = Bench::bare();
    let monitoring = Rez::builder("http://127.0.0.1:1", "k").purposes(&[crate::kind::Purpose::Monitoring]);
    bench.add("main", Arc::new(monitoring.build().unwrap()));
    bench.put(Kind::Analytics, 60);
    bench.put(Kind::Error, 1);
    let account = bench.account();
    assert_eq!((account.delivered, account.unwanted, account.queued), (1, 60, 0));
}
