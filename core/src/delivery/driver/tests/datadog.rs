//! The table of responses for Datadog.

use super::responses::{Outcome, Subject, again, check, stopped, unreachable};
use super::*;
use crate::destination::Datadog;

fn accept() -> Turn {
    with(202, &[("content-type", "application/json")], "{}")
}

fn datadog() -> Arc<dyn Destination> {
    let id = "0190f2aa-7c1e-7a53-9b0e-3b6a3f0d9c11";
    Arc::new(Datadog::builder(id, "token").endpoint("http://127.0.0.1:1").build().unwrap())
}

/// Each route with a kind that it wants.
const ROUTES: [(&str, Kind); 2] = [("datadog.rum", Kind::Error), ("datadog.logs", Kind::Message)];

fn both(name: &str, turn: impl Fn() -> Turn, expected: &Outcome) {
    for (route, kind) in ROUTES {
        let subject = Subject { destination: datadog, route, accept };
        check(&subject, &format!("{route}, {name}"), kind, 1, turn(), expected);
    }
}

#[test]
fn a_2xx_settles_and_a_lost_response_is_sent_again() {
    let done = Outcome { delivered: 1, ..Outcome::default() };
    both("202", accept, &done);
    both("202 without a body", || status(202), &done);
    let cut = || Turn::Response(Response { status: 202, cut: true, ..Response::default() });
    both("202, cut", cut, &done);
    for code in [200, 201, 204] {
        both(&format!("{code}"), || status(code), &done);
    }
    both("an unknown status", || status(999), &again("can be understood"));
    both("fate unknown", || Turn::Ambiguous, &again("can be understood"));
    both("completion dropped", || Turn::Drop, &again("can be understood"));
    both("no byte sent", || Turn::NotSent, &unreachable());
}

#[test]
fn rows_that_arrived_in_a_part_of_a_batch_are_delivered_although_the_batch_becomes_too_old() {
    let mut bench = Bench::bare();
    let rows = bench.store_rows(Kind::Message, "{}", 40);
    bench.after(Duration::from_secs(17 * 3600 + 59 * 60));
    bench.script([status(400), accept(), status(503)]);
    bench.add("main", datadog());
    bench.driver.event(Event::Rows([0, 0, 40, 0]));
    bench.settle();
    assert_eq!(bench.requests(), 3);
    bench.usual(accept());
    bench.after(Duration::from_secs(3600));
    assert_eq!(bench.requests(), 3, "what is left is too old");
    let account = bench.balance_of("main/datadog.logs");
    let expired = account.dropped.get("expired").copied();
    assert_eq!((account.delivered, expired, account.queued), (20, Some(20), 0));
    assert_eq!(rows.len(), 40);
}

#[test]
fn a_wrong_address_or_token_and_a_refusal_of_everything_stop_the_route() {
    for code in [301, 308, 401, 403, 404, 405, 410] {
        both(&format!("{code}"), || status(code), &stopped("stopped: "));
    }
    for code in [400, 402, 409, 413, 422] {
        both(&format!("{code}"), || status(code), &stopped("refuses every event"));
    }
}

#[test]
fn outages_and_limits_are_waited_out() {
    for code in [408, 425, 500, 502, 503, 504, 507] {
        both(&format!("{code}"), || status(code), &again("outage"));
    }
    both("429", || status(429), &again("fewer requests"));
    let date = ("date", "Mon, 23 Nov 2026 02:00:00 GMT");
    for (headers, ms) in
        [(vec![("retry-after", "90")], 90_000), (vec![("retry-after", "Mon, 23 Nov 2026 02:10:00 GMT"), date], 600_000)]
    {
        for code in [429, 503] {
            let kept = Outcome { next: Some((ms, ms)), ..again("asked to wait") };
            both(&format!("{code}, {headers:?}"), || with(code, &headers, ""), &kept);
        }
    }
}
