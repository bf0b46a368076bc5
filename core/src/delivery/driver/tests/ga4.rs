//! The table of responses for Google Analytics: each request at most once.

use super::responses::{Outcome, Subject, check, stopped};
use super::*;
use crate::destination::Ga4;

const COLLECT: Subject = Subject {
    destination: || Arc::new(Ga4::web_stream("G-ABC1234567", "secret").endpoint("http://127.0.0.1:1").build().unwrap()),
    route: "ga4.collect",
    accept: || status(204),
};

fn collect(name: &str, turn: Turn, expected: &Outcome) {
    check(&COLLECT, name, Kind::Analytics, 1, turn, expected);
}

/// It may have arrived: counted, and not sent again.
fn ambiguous() -> Outcome {
    Outcome { dropped: vec![(Reason::Ambiguous, 1)], why: "", ..Outcome::default() }
}

/// Kept, and cut again.
fn again(why: &'static str) -> Outcome {
    Outcome { queued: 1, next: Some((1_000, 2_000)), why, ..Outcome::default() }
}

#[test]
fn a_2xx_settles() {
    let done = Outcome { delivered: 1, ..Outcome::default() };
    for code in [200, 202, 204] {
        collect(&format!("{code}"), status(code), &done);
    }
    collect("an image", with(200, &[("content-type", "image/gif")], "GIF89a"), &done);
}

#[test]
fn events_that_may_have_arrived_are_counted_and_not_sent_again() {
    for (name, turn) in [
        ("fate unknown", Turn::Ambiguous),
        ("500", status(500)),
        ("502", status(502)),
        ("408", status(408)),
        ("an unknown status", status(999)),
    ] {
        collect(name, turn, &Outcome { why: "can be understood", ..ambiguous() });
    }
}

#[test]
fn events_that_did_not_arrive_are_kept_and_refused_ones_are_dropped() {
    collect("no byte sent", Turn::NotSent, &again("could not be reached"));
    collect("503", status(503), &again("outage"));
    collect("429", status(429), &again("fewer requests"));
    for code in [400, 413, 422] {
        let dropped = Outcome { dropped: vec![(Reason::Rejected, 1)], ..Outcome::default() };
        collect(&format!("{code}"), status(code), &dropped);
    }
    for code in [301, 308, 401, 403, 404, 405, 410] {
        collect(&format!("{code}"), status(code), &stopped("stopped: "));
    }
}
