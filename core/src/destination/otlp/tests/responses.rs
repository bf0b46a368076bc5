//! Every form of a response, and what it means.

use super::*;
use crate::destination::{Action, RowOutcome};
use crate::reason::Reason;
use std::time::Duration;

const PROTOBUF: &str = "application/x-protobuf";
const JSON: &str = "application/json; charset=utf-8";

fn response(status: u16, headers: &[(&str, &str)], body: &[u8]) -> Response {
    let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Response { status, headers, body: body.to_vec(), cut: false }
}

/// The verdict on a request with three messages and an error with two breadcrumbs: six log records.
fn verdict(response: &Response) -> Verdict {
    let trail = r#"{"trail":[{"ts":1},{"ts":2}]}"#;
    let mut rows: Vec<Row> = (1..4).map(|n| row(n, Kind::Message, 1, "{}")).collect();
    rows.insert(0, row(9, Kind::Error, 1, trail));
    otlp().build().unwrap().verdict(&LOGS, &batch(&rows, &[run(1)], &[]), response)
}

fn delivered(all_but: usize) -> Action {
    let mut outcomes = vec![RowOutcome::Delivered; 4];
    outcomes.iter_mut().rev().take(all_but).for_each(|o| *o = RowOutcome::Dropped(Reason::Rejected));
    Action::Settle(outcomes)
}

#[test]
fn a_2xx_is_success_unless_it_contains_a_partial_success() {
    let settles = |content_type: &str, body: &[u8]| {
        let headers: &[_] = if content_type.is_empty() { &[] } else { &[("content-type", content_type)] };
        verdict(&response(200, headers, body)).action
    };
    for (content_type, body) in [
        (PROTOBUF, &b""[..]),
        // An empty `partial_success`; an unknown member beside it.
        (PROTOBUF, b"\x0a\x00"),
        (PROTOBUF, b"\x0a\x02\x08\x00"),
        (PROTOBUF, b"\x12\x01x\x18\x05\x21\0\0\0\0\0\0\0\0\x2d\0\0\0\0"),
        (JSON, b"{}"),
        (JSON, br#"{"partialSuccess":{}}"#),
        (JSON, br#"{"partialSuccess":null,"new":[1]}"#),
        (JSON, br#"{"partialSuccess":{"rejectedLogRecords":"0"}}"#),
        ("Application/JSON", b"{}"),
        ("", b""),
    ] {
        assert_eq!(settles(content_type, body), delivered(0), "{content_type} {body:?}");
    }
    assert_eq!(verdict(&response(204, &[], b"")).action, delivered(0));
    for (content_type, body) in [
        ("text/html", &b""[..]),
        ("text/plain", b"OK"),
        ("text/plain", b"1"),
        ("text/plain", b"{}"),
        ("", b"{}"),
        ("application/grpc", b""),
        (JSON, b""),
        (JSON, b"[]"),
        (JSON, br#"{"partialSuccess":7}"#),
        (JSON, br#"{"partialSuccess":{"rejectedLogRecords":"many"}}"#),
        (JSON, br#"{"partialSuccess":{"errorMessage":7}}"#),
        (PROTOBUF, b"\x0a\x05\x08"),
        (PROTOBUF, b"\x0a"),
        (PROTOBUF, b"\x08\x01"),
        (PROTOBUF, b"\x0a\x02\x10\x01"),
        (PROTOBUF, b"\x0a\x03\x12\x01\xff"),
        (PROTOBUF, b"\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"),
    ] {
        assert_eq!(settles(content_type, body), delivered(0), "{content_type} {body:?}");
    }
    let cut = Response { cut: true, ..response(200, &[("content-type", PROTOBUF)], b"") };
    assert_eq!(verdict(&cut).action, delivered(0));
    // A proxy may lose the content type.
    let unlabelled = br#"{"partialSuccess":{"rejectedLogRecords":2}}"#;
    assert_eq!(settles("", unlabelled), delivered(2));
}

#[test]
fn a_partial_success_counts_what_was_refused_and_sends_nothing_again() {
    let json = |text: &str| verdict(&response(200, &[("content-type", JSON)], text.as_bytes()));
    let two = json(r#"{"partialSuccess":{"rejectedLogRecords":"2","errorMessage":"too old"}}"#);
    assert_eq!(two.action, delivered(2));
    assert_eq!(two.note.as_deref(), Some("2 rejected: too old"));
    assert_eq!(json(r#"{"partialSuccess":{"rejectedLogRecords":1}}"#).action, delivered(1));
    // Six records were sent for four rows: five refused ones may be all four rows, six are.
    assert_eq!(json(r#"{"partialSuccess":{"rejectedLogRecords":5}}"#).action, delivered(4));
    assert_eq!(json(r#"{"partialSuccess":{"rejectedLogRecords":"6"}}"#).action, delivered(4));
    assert_eq!(json(r#"{"partialSuccess":{"rejectedLogRecords":"-1"}}"#).action, delivered(0));
    let protobuf = |body: &[u8]| verdict(&response(200, &[("content-type", PROTOBUF)], body));
    let three = protobuf(b"\x0a\x09\x08\x03\x12\x05stale");
    assert_eq!((three.action, three.note.as_deref()), (delivered(3), Some("3 rejected: stale")));
    let negative = protobuf(b"\x0a\x0b\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01");
    assert_eq!(negative.action, delivered(0));
    let warning = protobuf(b"\x0a\x06\x12\x04slow");
    assert_eq!((warning.action, warning.note.as_deref()), (delivered(0), Some("warning: slow")));
    let long = json(&format!(r#"{{"partialSuccess":{{"errorMessage":"{}"}}}}"#, "x".repeat(9_000)));
    assert!(long.note.unwrap().len() < 200);
}

#[test]
fn of_data_points_and_spans_too_a_rejection_of_all_is_all() {
    let otlp = otlp().build().unwrap();
    let refuse = |n: u64, member: &str| {
        let body = format!(r#"{{"partialSuccess":{{"{member}":"{n}"}}}}"#);
        response(200, &[("content-type", JSON)], body.as_bytes())
    };
    let count = |n: u8| row(n, Kind::Metric, 1, r#"{"name":"c","type":"counter","value":1}"#);
    let rows = [count(1), count(2), row(3, Kind::Frames, 1, r#"{"name":"s","slow_frames":1}"#)];
    let runs = [run(1)];
    // Two counts of one stream are one point.
    let all = otlp.verdict(&METRICS, &batch(&rows, &runs, &[]), &refuse(2, "rejectedDataPoints"));
    assert_eq!(all.action, Action::Settle(vec![RowOutcome::Dropped(Reason::Rejected); 3]));
    let spans = [row(1, Kind::LongTask, 1, "{}"), row(2, Kind::LongTask, 1, "{}")];
    let one = otlp.verdict(&TRACES, &batch(&spans, &runs, &[]), &refuse(1, "rejectedSpans"));
    assert_eq!(one.action, Action::Settle(vec![RowOutcome::Delivered, RowOutcome::Dropped(Reason::Rejected)]));
    let none = otlp.verdict(&METRICS, &batch(&[], &runs, &[]), &refuse(0, "rejectedDataPoints"));
    assert_eq!(none.action, Action::Settle(Vec::new()));
}

#[test]
fn every_status_has_its_class() {
    let secs = Duration::from_secs;
    let stop = |status: u16| matches!(verdict(&response(status, &[], b"")).action, Action::Stop(_));
    for status in [300, 301, 302, 303, 304, 307, 308, 401, 403, 404, 405, 410] {
        assert!(stop(status), "{status}");
    }
    for status in [400, 402, 406, 409, 411, 412, 413, 414, 416, 417, 418, 421, 422, 424, 426, 428, 431, 451, 499] {
        assert_eq!(verdict(&response(status, &[], b"")).action, Action::Split, "{status}");
    }
    assert_eq!(verdict(&response(415, &[], b"")).action, Action::Uncompressed);
    assert_eq!(verdict(&response(429, &[], b"")).action, Action::Keep(None));
    let wait = response(429, &[("retry-after", "7")], b"");
    assert_eq!(verdict(&wait).action, Action::Keep(Some(secs(7))));
    for status in [408, 425, 500, 501, 502, 503, 504, 505, 507, 511, 520, 599] {
        assert_eq!(verdict(&response(status, &[], b"")).action, Action::Outage(None), "{status}");
        let wait = response(status, &[("retry-after", "7")], b"");
        assert_eq!(verdict(&wait).action, Action::Outage(Some(secs(7))), "{status}");
    }
    for status in [0, 100, 101, 199, 600, 999] {
        assert!(matches!(verdict(&response(status, &[], b"")).action, Action::Ambiguous(_)), "{status}");
    }
}

#[test]
fn a_wait_is_read_in_seconds_and_as_a_date_and_never_exceeds_a_day() {
    let date = ("date", "Mon, 23 Nov 2026 12:00:00 GMT");
    for (headers, wait) in [
        (vec![("retry-after", "120")], Some(120)),
        (vec![("retry-after", "0")], Some(0)),
        (vec![("retry-after", "99999999999999999999")], Some(86_400)),
        (vec![("retry-after", "Mon, 23 Nov 2026 12:01:30 GMT"), date], Some(90)),
        (vec![("retry-after", "Mon Nov 23 12:01:30 2026"), date], Some(90)),
        (vec![("retry-after", "Monday, 23-Nov-26 12:01:30 GMT"), date], Some(90)),
        (vec![("retry-after", "Mon, 23 Nov 2026 11:00:00 GMT"), date], Some(0)),
        (vec![("retry-after", "Mon, 23 Nov 2026 12:01:30 GMT")], None),
        (vec![("retry-after", "soon")], None),
        (vec![("retry-after", "-5")], None),
        (vec![("retry-after", "1.5")], None),
    ] {
        let action = verdict(&response(429, &headers, b"")).action;
        assert_eq!(action, Action::Keep(wait.map(Duration::from_secs)), "{headers:?}");
    }
}

#[test]
fn the_servers_own_words_are_kept_short_and_a_redirect_is_told() {
    let json = response(400, &[("content-type", JSON)], br#"{"code":3,"message":"bad time"}"#);
    assert_eq!(verdict(&json).note.as_deref(), Some("bad time"));
    let protobuf = response(400, &[("content-type", PROTOBUF)], b"\x08\x03\x12\x08bad time");
    assert_eq!(verdict(&protobuf).note.as_deref(), Some("bad time"));
    for body in [&b""[..], b"\xff", b"{}", b"\x12\x01"] {
        assert_eq!(verdict(&response(400, &[("content-type", PROTOBUF)], body)).note, None);
        assert_eq!(verdict(&response(503, &[("content-type", "text/html")], body)).note, None);
    }
    let Action::Stop(why) = verdict(&response(302, &[("location", "https://login.example/\r\n")], b"")).action else {
        panic!("a redirect stops")
    };
    assert_eq!(why, "the endpoint redirects to https://login.example/");
}
