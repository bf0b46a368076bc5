//! Guards behind a number: the rows are those of the generated objects, and numbers and bytes of any kind harm nothing.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod engine;

use proptest::prelude::*;
use rezmonitor::attributes::AttrValue;
use rezmonitor::events::{Outcome, SpanStatus, TraceContext};
use rezmonitor::{guards, hot, test_access};
use serde_json::Value as Json;

fn rows(calls: impl FnOnce(u64)) -> Json {
    engine::rows(serde_json::json!({"traceTargets": ["api.rez.example"]}), calls)
}

fn record(call: u8, bits: u16) -> Vec<u8> {
    let mut record = vec![1, call];
    record.extend(bits.to_le_bytes());
    record
}

fn text(record: &mut Vec<u8>, text: &str) {
    record.extend((text.len() as u16).to_le_bytes());
    record.extend(text.as_bytes());
}

/// The answer to a beginning.
struct Begun {
    number: u64,
    /// As in a record.
    trace: Vec<u8>,
    headers: Vec<(String, String)>,
}

fn begin(handle: u64, record: Vec<u8>) -> Begun {
    let answer = hot::guard_begin(handle, record);
    assert!(answer.len() > 41, "{answer:?}");
    let mut at = 42;
    let mut next = || {
        let len = usize::from(u16::from_le_bytes([answer[at], answer[at + 1]]));
        at += 2 + len;
        String::from_utf8(answer[at - len..at].to_vec()).unwrap()
    };
    let headers = (0..answer[41]).map(|_| (next(), next())).collect();
    Begun { number: u64::from_le_bytes(*answer.first_chunk().unwrap()), trace: answer[8..41].to_vec(), headers }
}

fn begin_screen(handle: u64, name: &str) -> Begun {
    let mut begun = record(10, 0);
    text(&mut begun, name);
    begin(handle, begun)
}

fn begin_call(handle: u64, method: &str, url: &str, parent: Option<&[u8]>) -> Begun {
    let mut begun = record(11, if parent.is_some() { 2 } else { 0 });
    text(&mut begun, method);
    text(&mut begun, url);
    begun.extend(parent.unwrap_or_default());
    begin(handle, begun)
}

fn begin_span(handle: u64, name: &str, op: &str, parent: Option<(&[u8], bool)>) -> Begun {
    let mut begun = record(12, parent.map_or(0, |(_, child)| 2 | u16::from(child) << 4));
    text(&mut begun, name);
    text(&mut begun, op);
    begun.extend(parent.map(|(trace, _)| trace).unwrap_or_default());
    begin(handle, begun)
}

fn end(number: u64, how: u8, status: u16, sent: u64, received: u64, error: &str) -> Outcome {
    let mut ended = record(13, 0);
    ended.push(how);
    ended.extend(status.to_le_bytes());
    ended.extend(sent.to_le_bytes());
    ended.extend(received.to_le_bytes());
    text(&mut ended, error);
    hot::guard_end(number, ended)
}

const FINISHED: u8 = 0;
const FAILED: u8 = 1;
const CANCELLED: u8 = 2;

fn tick() {
    test_access::test_advance(2);
}

fn set_items(number: u64) {
    let mut set = record(14, 8);
    set.push(1);
    text(&mut set, "items");
    set.push(3);
    set.extend(7_i64.to_le_bytes());
    hot::guard_set(number, set);
}

#[test]
fn a_guard_behind_a_number_gives_the_row_and_the_headers_of_the_generated_object() {
    let _one = engine::alone();
    const URL: &str = "https://api.rez.example/pay?x=1";
    let mut headers = [Vec::new(), Vec::new()];
    let generated = rows(|handle| {
        let screen = guards::screen(handle, "Home".into()).unwrap();
        tick();
        screen.initial_display();
        let call = guards::api_call(handle, "POST".into(), URL.into(), None).unwrap();
        headers[0] = call.headers().into_iter().map(|pair| (pair.name, pair.value)).collect();
        call.request_bytes(12);
        tick();
        call.finish(201, 34);
        screen.full_display();
        let failed = guards::api_call(handle, "GET".into(), URL.into(), screen.context()).unwrap();
        tick();
        failed.fail("no route".into());
        screen.finish();
        guards::api_call(handle, "GET".into(), URL.into(), None).unwrap().cancel();
        let span = guards::span(handle, "checkout".into(), "task".into(), None).unwrap();
        let child = span.child("stock".into(), "db".into()).unwrap();
        tick();
        span.attr("items".into(), AttrValue::Int { value: 7 });
        child.finish();
        let inside = guards::span(handle, "inside".into(), "task".into(), span.context()).unwrap();
        inside.status(SpanStatus::Error);
        inside.finish();
        span.cancel();
        guards::screen(handle, "Left".into()).unwrap().cancel();
    });
    let numbered = rows(|handle| {
        let screen = begin_screen(handle, "Home");
        tick();
        hot::guard_mark(screen.number, 1);
        let call = begin_call(handle, "POST", URL, None);
        headers[1].clone_from(&call.headers);
        tick();
        end(call.number, FINISHED, 201, 12, 34, "");
        hot::guard_mark(screen.number, 2);
        let failed = begin_call(handle, "GET", URL, Some(&screen.trace));
        tick();
        end(failed.number, FAILED, 0, 0, 0, "no route");
        end(screen.number, FINISHED, 0, 0, 0, "");
        let given_up = begin_call(handle, "GET", URL, None);
        assert_eq!(end(given_up.number, CANCELLED, 0, 0, 0, ""), Outcome::Recorded { id: String::new() });
        let span = begin_span(handle, "checkout", "task", None);
        let child = begin_span(handle, "stock", "db", Some((&span.trace, true)));
        tick();
        set_items(span.number);
        end(child.number, FINISHED, 0, 0, 0, "");
        let inside = begin_span(handle, "inside", "task", Some((&span.trace, false)));
        end(inside.number, FINISHED, 1, 0, 0, "");
        end(span.number, CANCELLED, 0, 0, 0, "");
        let left = begin_screen(handle, "Left");
        end(left.number, CANCELLED, 0, 0, 0, "");
    });
    assert!(generated.as_array().unwrap().len() >= 6, "{generated}");
    assert_eq!(generated, numbered);
    assert!(!headers[0].is_empty());
    assert_eq!(headers[0], headers[1]);
}

#[test]
fn a_number_that_has_ended_or_was_made_up_does_nothing() {
    let _one = engine::alone();
    let closed = Outcome::Dropped { reason: "store_unavailable".into() };
    let found = rows(|handle| {
        let screen = begin_screen(handle, "Home");
        assert!(matches!(end(screen.number, FINISHED, 0, 0, 0, ""), Outcome::Recorded { .. }));
        for number in [screen.number, screen.number + 1, 0, u64::MAX, 1 << 32] {
            hot::guard_mark(number, 1);
            set_items(number);
            assert_eq!(end(number, FINISHED, 0, 0, 0, ""), closed, "{number:x}");
        }
        assert!(hot::guard_begin(handle + 1, record(10, 0)).is_empty());
        assert!(hot::guard_begin(0, record(10, 0)).is_empty());
    });
    assert_eq!(found.as_array().unwrap().len(), 1);
}

#[test]
fn guards_that_are_never_ended_are_limited_and_leave_room_when_they_end() {
    let _one = engine::alone();
    rows(|handle| {
        let mut begun = record(11, 0);
        text(&mut begun, "GET");
        text(&mut begun, "https://a.example/");
        let numbers: Vec<u64> = std::iter::repeat_with(|| hot::guard_begin(handle, begun.clone()))
            .take_while(|answer| !answer.is_empty())
            .take(100_000)
            .map(|answer| u64::from_le_bytes(*answer.first_chunk().unwrap()))
            .collect();
        assert!((1_000..100_000).contains(&numbers.len()), "{}", numbers.len());
        let mut distinct = numbers.clone();
        distinct.sort_unstable();
        distinct.dedup();
        assert_eq!(distinct.len(), numbers.len());
        numbers.iter().for_each(|number| drop(end(*number, CANCELLED, 0, 0, 0, "")));
        assert!(!hot::guard_begin(handle, begun.clone()).is_empty());
    });
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn bytes_of_any_kind_begin_change_and_end_a_guard_without_harm(
        bytes in prop::collection::vec(any::<u8>(), 0..80), call in 9..16_u8, number: u64, mark: u8,
    ) {
        let _one = engine::alone();
        let handle = engine::kept();
        let mut record = record(call, 0);
        record.extend_from_slice(&bytes);
        for record in [bytes, record] {
            let begun = hot::guard_begin(handle, record.clone());
            let number = begun.first_chunk().map_or(number, |number| u64::from_le_bytes(*number));
            hot::guard_mark(number, mark);
            hot::guard_set(number, record.clone());
            let _ = hot::guard_end(number, record);
        }
    }
}

#[test]
fn the_trace_of_a_server_goes_on_in_a_call_behind_a_number() {
    let _one = engine::alone();
    let found = rows(|handle| {
        let server = TraceContext {
            trace_id: "4bf92f3577b34da6a3ce929d0e0e4736".into(),
            span_id: "00f067aa0ba902b7".into(),
            parent: None,
            sampled: Some(true),
        };
        let mut parent = Vec::new();
        parent.extend(0x4bf9_2f35_77b3_4da6_u64.to_le_bytes());
        parent.extend(0xa3ce_929d_0e0e_4736_u64.to_le_bytes());
        parent.extend(0x00f0_67aa_0ba9_02b7_u64.to_le_bytes());
        parent.extend(0_u64.to_le_bytes());
        parent.push(2);
        let call = begin_call(handle, "GET", "https://api.rez.example/", Some(&parent));
        end(call.number, FINISHED, 200, 0, 0, "");
        let same = guards::api_call(handle, "GET".into(), "https://api.rez.example/".into(), Some(server)).unwrap();
        same.finish(200, 0);
    });
    for row in found.as_array().unwrap() {
        assert_eq!(row["json"]["trace"]["trace_id"], "4bf92f3577b34da6a3ce929d0e0e4736");
        assert_eq!(row["json"]["trace"]["parent"], "00f067aa0ba902b7");
        assert_eq!(row["json"]["trace"]["sampled"], true);
    }
}
