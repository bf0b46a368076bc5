//! The table of responses for OTLP.

use super::responses::{Outcome, Subject, again, check, stopped, unreachable};
use super::*;
use crate::destination::{Otlp, OtlpEncoding};

const PROTOBUF: [(&str, &str); 1] = [("content-type", "application/x-protobuf")];
const JSON: [(&str, &str); 1] = [("content-type", "application/json")];

fn accept() -> Turn {
    with(200, &JSON, "{}")
}

fn otlp() -> Arc<dyn Destination> {
    Arc::new(Otlp::builder("http://127.0.0.1:1").encoding(OtlpEncoding::Json).build().unwrap())
}

fn subject(route: &'static str) -> Subject {
    Subject { destination: otlp, route, accept }
}

/// Each route with a kind that it wants.
const ROUTES: [(&str, Kind); 3] =
    [("otlp.logs", Kind::Error), ("otlp.traces", Kind::ApiCall), ("otlp.metrics", Kind::Frames)];

fn logs(name: &str, count: u64, turn: Turn, expected: &Outcome) {
    check(&subject("otlp.logs"), name, Kind::Error, count, turn, expected);
}

#[test]
fn a_2xx_settles_each_route_and_a_lost_response_is_sent_again() {
    let done = Outcome { delivered: 1, ..Outcome::default() };
    for (route, kind) in ROUTES {
        for (name, turn) in [
            ("JSON", accept()),
            ("JSON with an empty partial success", with(200, &JSON, r#"{"partialSuccess":{}}"#)),
            ("protobuf", with(200, &PROTOBUF, "\n\0")),
            ("nothing", status(204)),
            ("JSON that is not an object", with(200, &JSON, "[]")),
            ("half of a response", with(200, &PROTOBUF, "\n\u{5}")),
            ("a cut response", Turn::Response(Response { status: 200, cut: true, ..Response::default() })),
        ] {
            check(&subject(route), &format!("{route}, {name}"), kind, 1, turn, &done);
        }
        for (name, turn) in
            [("an unknown status", status(999)), ("fate unknown", Turn::Ambiguous), ("completion dropped", Turn::Drop)]
        {
            check(&subject(route), &format!("{route}, {name}"), kind, 1, turn, &again("can be understood"));
        }
        check(&subject(route), route, kind, 1, Turn::NotSent, &unreachable());
    }
}

#[test]
fn records_rejected_by_a_partial_success_are_counted_and_not_sent_again() {
    let rejected =
        |n: u64, delivered| Outcome { delivered, dropped: vec![(Reason::Rejected, n)], ..Outcome::default() };
    let json = |n: u64| with(200, &JSON, &format!(r#"{{"partialSuccess":{{"rejectedLogRecords":"{n}"}}}}"#));
    logs("two of five", 5, json(2), &rejected(2, 3));
    logs("all of five", 5, json(5), &rejected(5, 0));
    logs("more than there are", 5, json(9), &rejected(5, 0));
    logs("none", 5, json(0), &Outcome { delivered: 5, ..Outcome::default() });
    logs("in protobuf", 5, with(200, &PROTOBUF, "\n\u{7}\u{8}\u{3}\u{12}\u{3}old"), &rejected(3, 2));
}

#[test]
fn a_wrong_address_or_key_and_a_refusal_of_everything_stop_the_route() {
    for code in [301, 308, 401, 403, 404, 405, 410] {
        logs(&format!("{code}"), 1, status(code), &stopped("stopped: "));
    }
    for code in [400, 402, 406, 409, 413, 414, 422, 431] {
        logs(&format!("{code}"), 1, status(code), &stopped("refuses every event"));
    }
}

#[test]
fn outages_and_limits_are_waited_out() {
    for code in [500, 501, 502, 503, 504, 507, 599] {
        logs(&format!("{code}"), 1, status(code), &again("outage"));
    }
    for code in [408, 425] {
        logs(&format!("{code}"), 1, status(code), &again("outage"));
    }
    let date = ("date", "Mon, 23 Nov 2026 02:00:00 GMT");
    for (headers, ms) in [
        (vec![("retry-after", "90")], 90_000),
        (vec![("retry-after", "0")], 1_000),
        (vec![("retry-after", "604800")], 86_400_000),
        (vec![("retry-after", "Mon, 23 Nov 2026 02:10:00 GMT"), date], 600_000),
    ] {
        for code in [429, 503] {
            let kept = Outcome { next: Some((ms, ms)), ..again("asked to wait") };
            logs(&format!("{code}, {headers:?}"), 1, with(code, &headers, ""), &kept);
        }
    }
    for headers in [vec![], vec![("retry-after", "soon")], vec![("retry-after", "Mon, 23 Nov 2026 02:10:00 GMT")]] {
        logs(&format!("429, {headers:?}"), 1, with(429, &headers, ""), &again("fewer requests"));
    }
}

#[test]
fn an_endpoint_that_refuses_gzip_gets_the_same_request_uncompressed() {
    let mut bench = super::responses::bench_of(&subject("otlp.logs"));
    bench.script([status(415)]);
    bench.put(Kind::Error, 2);
    let zipped = |request: &Request| request.headers.iter().any(|(name, _)| name == "Content-Encoding");
    assert_eq!(bench.sent().iter().map(zipped).collect::<Vec<_>>(), [true, false]);
    assert_eq!(bench.balance_of("main/otlp.logs").delivered, 2);
}
