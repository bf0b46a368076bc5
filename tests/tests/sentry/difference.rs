//! Sends the same events through the vendor's library. Every field that differs from ours is listed with a reason.

use super::checks::items;
use rez_monitor_tests::contract::destinations::entry;
use rez_monitor_tests::contract::world::World;
use rez_monitor_tests::contract::{Vector, wire};
use sentry::protocol::{Breadcrumb, Context, Event, Exception, Mechanism, SessionStatus, User, Value as SentryValue};
use sentry::{ClientOptions, Level, TransactionContext};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// Differences from the payloads of the library, with reasons. `*` matches any rest of a path.
const REASONS: &[(&str, &str, &str)] = &[
    ("any", "/payload/tags/support_code", "a code that the user can read to support; Sentry searches tags only"),
    (
        "any",
        "/header/event_id",
        "32 hex digits as in the payload; a header of sessions alone needs none, the library batches them with an event",
    ),
    ("any", "/header/item/content_type", "output for every item"),
    ("any", "/header/sdk/*", "an envelope of sessions or reports alone says who sent it"),
    (
        "any",
        "/header/sent_at",
        "the server corrects a wrong clock of the device by it; the library leaves that to its transport",
    ),
    (
        "transaction",
        "/header/trace/*",
        "release and environment too, for rules of sampling on the server; the key is another project's",
    ),
    ("any", "/payload/timestamp", "RFC 3339 instead of a number: every checker takes it"),
    ("any", "/payload/start_timestamp", "RFC 3339 instead of a number"),
    ("any", "/payload/spans/0/start_timestamp", "RFC 3339 instead of a number"),
    ("error", "/payload/breadcrumbs/values/0/timestamp", "RFC 3339 instead of a number"),
    (
        "error",
        "/payload/breadcrumbs/values/0/level",
        "output; the library leaves out `info`, which is the server's default",
    ),
    ("message", "/payload/breadcrumbs/*", "the trail goes with errors, crashes, hangs and exits, not with messages"),
    ("message", "/payload/logentry/message", "`logentry` is where the vendor's pages want it"),
    ("message", "/payload/message", "`logentry` is where the vendor's pages want it"),
    (
        "any",
        "/payload/contexts/app/*",
        "from the configuration; the library has an integration for it, which is off here",
    ),
    ("any", "/payload/contexts/device/*", "from the configuration"),
    ("any", "/payload/contexts/os/*", "from the configuration"),
    ("any", "/payload/contexts/rez/*", "our own ids, to find the row again"),
    ("error", "/payload/contexts/error/severity", "how bad the app says it is"),
    ("any", "/payload/contexts/shop/type", "the name of a context is its type unless it says so"),
    ("any", "/payload/contexts/trace/type", "the name of a context is its type"),
    (
        "error",
        "/payload/contexts/trace/*",
        "outside a screen there is no trace; the library makes one up for each scope",
    ),
    (
        "message",
        "/payload/contexts/trace/*",
        "outside a screen there is no trace; the library makes one up for each scope",
    ),
    ("any", "/payload/dist", "from the configuration; the library has no setting for it"),
    ("error", "/payload/level", "output; the library leaves out `error`, which is the server's default"),
    ("any", "/payload/platform", "told from system and frames: the rows are of an Android app"),
    ("any", "/payload/sdk/*", "our own name and version"),
    (
        "transaction",
        "/payload/transaction_info/source",
        "where the name comes from: without it the server takes it for a URL",
    ),
    ("transaction", "/payload/type", "the vendor's pages demand it; the library says it in the item's header alone"),
    (
        "session begun",
        "/payload/errors",
        "one update as the session begins; the library's first one goes with the first error",
    ),
    ("session begun", "/payload/did", "the installation: it must not change while users come and go within a session"),
    ("session ended", "/payload/did", "the installation, as at its beginning"),
    ("session ended", "/payload/duration", "by the injected clock"),
    ("session ended", "/payload/init", "output; the library leaves out `false`"),
];

/// Payloads by name: `error`, `message`, `transaction`, `session begun`, `session ended`.
type Payloads = BTreeMap<&'static str, Value>;

fn named(bodies: impl IntoIterator<Item = Vec<u8>>) -> Payloads {
    let mut payloads = Payloads::new();
    for body in bodies {
        let (header, items) = items(&body).unwrap();
        for (head, payload) in items {
            let payload: Value = serde_json::from_slice(&payload).unwrap();
            let name = match head["type"].as_str().unwrap() {
                "transaction" => "transaction",
                "session" if payload["status"] == "ok" => "session begun",
                "session" => "session ended",
                "event" if payload["exception"].is_null() => "message",
                "event" => "error",
                other => panic!("unexpected item type {other}"),
            };
            let mut header = header.clone();
            header["item"] = head;
            header["item"]["length"] = json!(0);
            payloads.insert(name, json!({"header": header, "payload": payload}));
        }
    }
    payloads
}

fn ours() -> Payloads {
    let vector = Vector {
        name: "difference".into(),
        json: json!({"config": {"sessions": true}, "calls": [
            {"do": "user", "id": "u-42", "email": "asha@example.com", "username": "asha"},
            {"do": "tag", "name": "flavour", "value": "beta"},
            {"do": "context", "name": "shop", "value": {"city": "Pune", "open": true}},
            {"do": "breadcrumb", "type": "navigation", "category": "navigation", "message": "to Checkout", "data": {"from": "Cart"}},
            {"do": "error", "type": "PaymentError", "message": "card declined"},
            {"do": "message", "text": "checkout opened", "level": "info"},
            {"do": "screen", "as": "s", "name": "Store"},
            {"do": "api_call", "as": "c", "method": "GET", "url": "https://api.rezapp.com/stores/7"},
            {"do": "finish_call", "of": "c", "status": 200},
            {"do": "finish_screen", "of": "s"},
            {"do": "new_session"},
        ]}),
    };
    let sentry = entry("sentry").unwrap();
    let requests = World::play(&vector, sentry.accept).unwrap().requests(sentry, &vector).unwrap();
    named(requests.values().flatten().map(wire::plain))
}

fn theirs() -> Payloads {
    let options = ClientOptions::new()
        .release("rezapp@2.4.1+77")
        .environment("ci")
        .traces_sample_rate(1.0)
        .send_default_pii(true);
    let envelopes = sentry::test::with_captured_envelopes_options(
        || {
            sentry::configure_scope(|scope| {
                scope.set_user(Some(User {
                    id: Some("u-42".into()),
                    email: Some("asha@example.com".into()),
                    username: Some("asha".into()),
                    ..User::default()
                }));
                scope.set_tag("flavour", "beta");
                let shop: BTreeMap<String, SentryValue> =
                    [("city".into(), "Pune".into()), ("open".into(), true.into())].into();
                scope.set_context("shop", Context::Other(shop));
            });
            sentry::start_session();
            sentry::add_breadcrumb(Breadcrumb {
                ty: "navigation".into(),
                category: Some("navigation".into()),
                message: Some("to Checkout".into()),
                data: [("from".into(), "Cart".into())].into(),
                ..Breadcrumb::default()
            });
            let exception = Exception {
                ty: "PaymentError".into(),
                value: Some("card declined".into()),
                mechanism: Some(Mechanism { ty: "generic".into(), handled: Some(true), ..Mechanism::default() }),
                ..Exception::default()
            };
            sentry::capture_event(Event { exception: vec![exception].into(), level: Level::Error, ..Event::default() });
            sentry::capture_message("checkout opened", Level::Info);
            let transaction = sentry::start_transaction(TransactionContext::new("Store", "ui.load"));
            let call = transaction.start_child("http.client", "GET /stores/{id}");
            call.set_data("http.request.method", "GET".into());
            call.set_data("http.response.status_code", 200.into());
            call.set_status(sentry::protocol::SpanStatus::Ok);
            call.finish();
            transaction.set_status(sentry::protocol::SpanStatus::Ok);
            transaction.finish();
            sentry::end_session_with_status(SessionStatus::Exited);
        },
        options,
    );
    named(envelopes.iter().map(|envelope| {
        let mut body = Vec::new();
        envelope.to_writer(&mut body).unwrap();
        body
    }))
}

/// Collects the leaves of a value by path.
fn leaves(at: &str, value: &Value, found: &mut BTreeMap<String, String>) {
    match value {
        Value::Object(map) if !map.is_empty() => {
            map.iter().for_each(|(key, value)| leaves(&format!("{at}/{key}"), value, found));
        }
        Value::Array(values) if !values.is_empty() => {
            values.iter().enumerate().for_each(|(index, value)| leaves(&format!("{at}/{index}"), value, found));
        }
        value => drop(found.insert(at.to_owned(), form(value))),
    }
}

/// Returns a value, or its format if the value depends on time.
fn form(value: &Value) -> String {
    match value {
        Value::Number(number) if number.as_f64().is_some_and(|number| number > 1e9) => "<seconds>".into(),
        Value::String(text) if text.contains('T') && text.ends_with('Z') && text.contains(':') => "<time>".into(),
        Value::String(text) if text.len() == 36 && text.matches('-').count() == 4 => "<uuid>".into(),
        Value::String(text) if text.len() == 32 && text.bytes().all(|b| b.is_ascii_hexdigit()) => "<32 hex>".into(),
        Value::String(text) if text.len() == 16 && text.bytes().all(|b| b.is_ascii_hexdigit()) => "<16 hex>".into(),
        value => value.to_string(),
    }
}

#[test]
fn every_difference_from_the_vendors_library_has_a_reason() {
    let (ours, theirs) = (ours(), theirs());
    let names: BTreeSet<_> = ours.keys().chain(theirs.keys()).collect();
    assert_eq!(names.len(), 5, "{names:?}");
    let mut used = BTreeSet::new();
    let mut unexplained = Vec::new();
    for name in names {
        let [mut our, mut their] = [BTreeMap::new(), BTreeMap::new()];
        leaves("", ours.get(name).unwrap_or(&Value::Null), &mut our);
        leaves("", theirs.get(name).unwrap_or(&Value::Null), &mut their);
        let paths: BTreeSet<&String> = our.keys().chain(their.keys()).collect();
        for path in paths.into_iter().filter(|path| our.get(*path) != their.get(*path)) {
            let covers = |(of, at, _): &&(&str, &str, &str)| {
                let fits = at.strip_suffix('*').map_or(path == at, |start| path.starts_with(start));
                fits && (*of == "any" || of == name)
            };
            match REASONS.iter().position(|reason| covers(&reason)) {
                Some(place) => drop(used.insert(place)),
                None => unexplained.push(format!(
                    "{name} {path}: ours {}, theirs {}",
                    our.get(path).map_or("-", String::as_str),
                    their.get(path).map_or("-", String::as_str)
                )),
            }
        }
    }
    assert!(unexplained.is_empty(), "differences without a reason:\n{}", unexplained.join("\n"));
    let stale: Vec<_> = REASONS.iter().enumerate().filter(|(place, _)| !used.contains(place)).collect();
    assert!(stale.is_empty(), "reasons for what does not differ: {stale:#?}");
}
