//! Test mode: an event is sent at once, and no wait of our own is longer than a second.

use super::*;

const SECOND: Duration = Duration::from_secs(1);

fn bench() -> Bench {
    let mut bench = Bench::bare();
    bench.restart_with("boot-a", Pace::Test);
    bench.add("main", rez("key"));
    bench
}

#[test]
fn each_event_is_a_request_of_its_own_in_the_foreground_and_in_the_background() {
    let mut bench = bench();
    for foreground in [true, false] {
        bench.driver.event(Event::Foreground(foreground));
        bench.settle();
        let before = bench.requests();
        for kind in [Kind::Metric, Kind::ApiCall, Kind::Error, Kind::Error] {
            bench.put(kind, 1);
        }
        assert_eq!(bench.requests(), before + 4);
    }
    assert_eq!(bench.settle(), None, "and no timer is left");
}

#[test]
fn ten_failures_in_a_row_wait_a_second_each_and_a_probe_of_a_refused_key_too() {
    let mut bench = bench();
    bench.script(std::iter::repeat_n(status(500), 4).chain(std::iter::repeat_n(Turn::NotSent, 6)));
    bench.put(Kind::ApiCall, 1);
    for failure in 1..=10 {
        assert_eq!(bench.requests(), failure);
        assert_eq!(bench.next(), SECOND, "{failure}");
    }
    assert_eq!(bench.balance().delivered, 1);
    bench.script(std::iter::repeat_n(status(401), 3));
    bench.put(Kind::ApiCall, 1);
    for _ in 0..3 {
        assert_eq!(bench.status(ROUTE).held.unwrap().code, crate::HeldCode::Stopped);
        assert_eq!(bench.next(), SECOND);
    }
    assert_eq!(bench.balance().delivered, 2);
}

#[test]
fn after_an_outage_of_a_minute_everything_is_sent_within_two_seconds() {
    for rows in [1, 2, 7] {
        let mut bench = bench();
        bench.usual(status(503));
        bench.put(Kind::ApiCall, rows);
        for _ in 0..60 {
            bench.after(SECOND);
        }
        assert!((30..=62).contains(&bench.requests()), "{rows} rows: {} requests", bench.requests());
        bench.usual(Turn::Accept);
        bench.after(SECOND);
        bench.after(SECOND);
        assert_eq!(bench.balance().delivered, rows as u64, "{rows} rows: {}", bench.why());
    }
}

#[test]
fn a_wait_that_the_server_asks_for_keeps_its_length() {
    let mut bench = bench();
    bench.script([with(429, &[("retry-after", "60")], ""), with(503, &[("retry-after", "20")], "")]);
    bench.put(Kind::ApiCall, 1);
    assert_eq!(bench.next(), Duration::from_secs(60));
    assert_eq!(bench.next(), Duration::from_secs(20));
    assert_eq!(bench.balance().delivered, 1);
}

#[test]
fn the_hints_of_the_host_delay_by_a_second() {
    for hint in [Hint::Network(Network::Offline), Hint::Power(Power::Low)] {
        let mut bench = bench();
        bench.put(Kind::Error, 1);
        bench.driver.event(Event::Hint(hint));
        bench.put(Kind::ApiCall, 1);
        bench.after(SECOND);
        assert_eq!(bench.balance().delivered, 2, "{hint:?}");
    }
}

#[test]
fn losses_without_a_row_are_reported_within_a_second() {
    let mut bench = bench();
    bench.put(Kind::Error, 1);
    for n in 1..=3 {
        bench.lose(Reason::Sampled, 1);
        bench.after(SECOND);
        assert_eq!(bench.requests(), 1 + n);
        assert_eq!(body(&bench.last())["lost"][0]["count"], n);
    }
}

#[test]
fn a_run_in_test_mode_ends_the_waits_that_the_run_before_chose() {
    for (turn, ends) in [(status(500), true), (status(401), true), (with(429, &[("retry-after", "600")], ""), false)] {
        let mut bench = Bench::new();
        bench.script(std::iter::repeat_n(turn, 1));
        bench.put(Kind::Error, 1);
        bench.restart_with("boot-a", Pace::Test);
        bench.add("main", rez("key"));
        assert_eq!(bench.balance().delivered == 1, ends);
    }
}
