//! Many calls of `flush` against a server that fails, for every route of every destination.

use super::success::{Case, cases};
use super::*;

/// What is true of the two rows after 100 calls.
enum Then {
    /// They are queued or in flight; an at-most-once route may have counted them as `ambiguous`.
    Kept,
    /// They were delivered, except on a route with strict responses.
    Delivered,
}

fn flush(bench: &mut Bench) {
    let (sender, response) = channel();
    bench.driver.flush(sender);
    bench.settle();
    assert!(response.try_iter().next().is_some(), "a flush returns at once");
}

fn check(case: &Case, name: &str, turn: &Turn, then: &Then) {
    let what = format!("{} {:?} {name}", case.subject.route, case.kind);
    let route = format!("main/{}", case.subject.route);
    let mut bench = Bench::bare();
    bench.add("main", (case.subject.destination)());
    bench.usual(turn.clone());
    bench.put(case.kind, 2);
    for _ in 0..100 {
        flush(&mut bench);
        bench.clock.advance(Duration::from_millis(10));
    }
    assert!((1..=2).contains(&bench.requests()), "{what}: {} requests", bench.requests());
    let balance = bench.balance_of(&route);
    let ambiguous = balance.dropped.get("ambiguous").copied().unwrap_or(0);
    match then {
        Then::Delivered if !case.strict => assert_eq!(balance.delivered, 2, "{what}"),
        _ => assert_eq!(balance.delivered, 0, "{what}"),
    }
    assert!(case.at_most_once || ambiguous == 0, "{what}: {balance:?}");
    assert_eq!(balance.queued + balance.in_flight + balance.delivered + ambiguous, 2, "{what}: {balance:?}");
    bench.usual((case.subject.accept)());
    for _ in 0..3 {
        bench.clock.advance(limits::FLUSH_INTERVAL);
        flush(&mut bench);
    }
    assert_eq!(bench.balance_of(&route).delivered, 2 - ambiguous, "{what}");
}

#[test]
fn a_hundred_flushes_in_a_second_cause_at_most_two_requests_on_every_route_of_every_destination() {
    let routes: std::collections::BTreeSet<&str> = cases().iter().map(|case| case.subject.route).collect();
    #[cfg(all(
        feature = "destination-datadog",
        feature = "destination-ga4",
        feature = "destination-mixpanel",
        feature = "destination-otlp"
    ))]
    assert_eq!(routes.len(), 11, "{routes:?}");
    assert!(!routes.is_empty());
    for case in cases() {
        for (name, turn, then) in [
            ("refuses the connection", Turn::NotSent, Then::Kept),
            ("closes the connection", Turn::Ambiguous, Then::Kept),
            ("drops the request", Turn::Drop, Then::Kept),
            ("responses 500", status(500), Then::Kept),
            ("responses 503", status(503), Then::Kept),
            ("responses an empty 200", status(200), Then::Delivered),
            ("is behind a captive portal", with(200, &[], "<html>"), Then::Kept),
        ] {
            check(&case, name, &turn, &then);
        }
    }
}
