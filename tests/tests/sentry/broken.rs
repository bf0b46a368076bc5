//! Invalid bodies. The checkers must reject each of them.

use super::checks::{Item, envelope};
use serde_json::{Value, json};

/// A body with one fault.
pub struct Broken {
    pub name: &'static str,
    pub body: Vec<u8>,
    /// Part of the expected message.
    pub because: &'static str,
    /// True if only the schema of the vendor detects this fault.
    pub needs_vendors_schema: bool,
}

const ID: &str = "01a2062de2007002a7eb7d184d5d112e";

fn header() -> Value {
    json!({"event_id": ID, "sent_at": "2026-11-23T02:13:20.000Z", "sdk": {"name": "rez.monitor", "version": "0.1.0"}})
}

fn item(kind: &str, payload: &Value) -> Item {
    let bytes = payload.to_string().into_bytes();
    (json!({"type": kind, "length": bytes.len(), "content_type": "application/json"}), bytes)
}

fn event() -> Value {
    json!({
        "event_id": ID, "timestamp": "2026-11-23T02:13:20.000Z", "level": "error", "platform": "java",
        "release": "shop@1", "exception": {"values": [{"type": "E", "value": "v", "mechanism": {"type": "generic", "handled": true}}]},
        "tags": {"ok": "yes"},
    })
}

fn transaction() -> Value {
    json!({
        "event_id": ID, "type": "transaction", "transaction": "Home", "platform": "java",
        "start_timestamp": "2026-11-23T02:13:19.000Z", "timestamp": "2026-11-23T02:13:20.000Z",
        "contexts": {"trace": {"trace_id": ID, "span_id": "a7eb7d184d5d112e", "op": "ui.load"}},
        "spans": [{
            "span_id": "b7eb7d184d5d112e", "trace_id": ID, "parent_span_id": "a7eb7d184d5d112e", "op": "http.client",
            "description": "GET /", "start_timestamp": "2026-11-23T02:13:19.000Z", "timestamp": "2026-11-23T02:13:19.500Z",
        }],
        "measurements": {"time_to_initial_display": {"value": 1.5, "unit": "millisecond"}},
    })
}

fn session() -> Value {
    json!({
        "sid": "33333333-0000-4000-8000-000000000001", "did": "d", "init": true, "started": "2026-11-23T02:13:20.000Z",
        "timestamp": "2026-11-23T02:13:20.000Z", "status": "ok", "errors": 0, "attrs": {"release": "shop@1"},
    })
}

fn feedback() -> Value {
    json!({
        "event_id": ID, "timestamp": "2026-11-23T02:13:20.000Z", "level": "info", "platform": "java",
        "contexts": {"feedback": {"message": "m"}},
    })
}

fn log() -> Value {
    json!({"items": [{"timestamp": 1_795_400_000.0, "trace_id": ID, "level": "info", "body": "b", "attributes": {}}]})
}

fn log_item(payload: &Value, count: u64) -> Item {
    let mut item = item("log", payload);
    item.0["item_count"] = json!(count);
    item.0["content_type"] = json!("application/vnd.sentry.items.log+json");
    item
}

/// Replaces one member of a payload, by JSON pointer. The last segment can be new.
fn with(mut value: Value, pointer: &str, member: Value) -> Value {
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    value.pointer_mut(parent).unwrap()[name] = member;
    value
}

fn of(items: &[Item]) -> Vec<u8> {
    envelope(&header(), items)
}

/// Returns the same bodies without a fault. The checkers must accept them.
pub fn valid() -> Vec<Vec<u8>> {
    vec![
        of(&[item("event", &event()), item("session", &session())]),
        of(&[item("transaction", &transaction())]),
        of(&[item("feedback", &feedback())]),
        of(&[log_item(&log(), 1)]),
    ]
}

pub fn all() -> Vec<Broken> {
    let one = |name, kind: &str, payload: Value, because| Broken {
        name,
        body: of(&[item(kind, &payload)]),
        because,
        needs_vendors_schema: false,
    };
    let vendor =
        |name, payload: Value, because| Broken { needs_vendors_schema: true, ..one(name, "event", payload, because) };
    let raw = |name, body: Vec<u8>, because| Broken { name, body, because, needs_vendors_schema: false };
    let good = of(&[item("event", &event())]);
    let text = String::from_utf8(good.clone()).unwrap();
    let mut unsent = header();
    unsent["sent_at"] = Value::Null;
    vec![
        raw("empty", Vec::new(), "envelope header"),
        raw("cut in the payload", good[..good.len() - 20].to_vec(), "shorter than its length"),
        raw("cut in the item header", text.as_bytes()[..text.find("\"length\"").unwrap()].to_vec(), "does not end"),
        raw("a byte too many", text.replace("\"level\"", "\"level\" ").into_bytes(), "no line feed where"),
        raw("no length", text.replacen("\"length\":", "\"long\":", 1).into_bytes(), "no length"),
        raw("the first line is no JSON", text.replacen('{', "(", 1).into_bytes(), "envelope header"),
        raw("no time of sending", envelope(&unsent, &[item("event", &event())]), "sent_at"),
        raw("two events", of(&[item("event", &event()), item("event", &event())]), "in one envelope"),
        raw("event and feedback", of(&[item("event", &event()), item("feedback", &feedback())]), "in one envelope"),
        one(
            "another id in the header",
            "event",
            with(event(), "/event_id", json!("f".repeat(32))),
            "the envelope is about",
        ),
        one(
            "a UUID with dashes",
            "event",
            with(event(), "/event_id", json!("01a2062d-e200-7002-a7eb-7d184d5d112e")),
            "the envelope is about",
        ),
        one("a message at the top", "event", with(event(), "/message", json!("m")), "top level"),
        one("a tag with a blank", "event", with(event(), "/tags/a b", json!("c")), "tag a b"),
        one("a tag of two lines", "event", with(event(), "/tags/a", json!("b\nc")), "tag a"),
        one("an environment with a slash", "event", with(event(), "/environment", json!("a/b")), "environment"),
        one(
            "an event of a megabyte",
            "event",
            with(event(), "/extra", json!({"a": "x".repeat(1 << 20)})),
            "an event of",
        ),
        one("a level Sentry does not know", "event", with(event(), "/level", json!("awful")), "sentry-types"),
        one("an invalid time", "event", with(event(), "/timestamp", json!("yesterday")), "sentry-types"),
        vendor("a field Sentry does not know", with(event(), "/screen_name", json!("Home")), "screen_name"),
        vendor(
            "frames that are no list",
            with(event(), "/exception/values/0/stacktrace", json!({"frames": 5})),
            "frames",
        ),
        vendor(
            "a line number that is text",
            with(event(), "/exception/values/0/stacktrace", json!({"frames": [{"function": "f", "lineno": "7"}]})),
            "lineno",
        ),
        one(
            "a transaction without a trace id",
            "transaction",
            with(transaction(), "/contexts/trace", json!({"span_id": "a7eb7d184d5d112e"})),
            "a transaction of trace",
        ),
        one(
            "a numeric time on a transaction",
            "transaction",
            with(transaction(), "/timestamp", json!(1_795_400_000.5)),
            "sentry-types",
        ),
        one(
            "a span without a parent",
            "transaction",
            with(transaction(), "/spans/0/parent_span_id", Value::Null),
            "spans schema",
        ),
        one(
            "a span id of zeros",
            "transaction",
            with(transaction(), "/spans/0/span_id", json!("0".repeat(16))),
            "spans schema",
        ),
        one(
            "a measurement in seconds",
            "transaction",
            with(transaction(), "/measurements/app_start_cold", json!({"value": 1, "unit": "second"})),
            "spans schema",
        ),
        one(
            "a session without a release",
            "session",
            with(session(), "/attrs/release", json!("")),
            "without a release",
        ),
        one("a session that fared otherwise", "session", with(session(), "/status", json!("fine")), "sentry-types"),
        one(
            "feedback without words",
            "feedback",
            with(feedback(), "/contexts/feedback", json!({"name": "A"})),
            "feedback schema",
        ),
        one(
            "feedback about an id with dashes",
            "feedback",
            with(feedback(), "/contexts/feedback/associated_event_id", json!("01a2062d-e200-7002-a7eb-7d184d5d112e")),
            "feedback schema",
        ),
        raw("a log item that miscounts", of(&[log_item(&log(), 2)]), "1 entries"),
        raw(
            "a log entry without a trace",
            of(&[log_item(&with(log(), "/items/0/trace_id", Value::Null), 1)]),
            "an entry without a trace",
        ),
        one(
            "a report with a reason of ours",
            "client_report",
            json!({"timestamp": "2026-11-23T02:13:20.000Z", "discarded_events": [{"reason": "ring_full", "category": "error", "quantity": 1}]}),
            "client report",
        ),
        one("an item nobody knows", "telemetry", json!({}), "sentry-types"),
    ]
}
