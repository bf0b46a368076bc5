//! What our own destinations send, and what vendors' libraries send, over real HTTP.

use crate::client::{Client, Reply};
use crate::collector::{Collector, Options, Running};
use crate::source::{Ask, Collected, Event, Query};
use flate2::Compression;
use flate2::write::GzEncoder;
use rez_monitor::destination::{Mixpanel, Otlp, OtlpEncoding, Sentry};
use rez_monitor::{Config, Consent, Monitor, Purpose};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::time::Duration;

/// Headers, body, and the status and the reason of the answer.
type Case<'a> = (&'a [(&'a str, &'a str)], &'a [u8], u16, &'a str);

const WAIT: Duration = Duration::from_secs(60);

struct Desk {
    folder: tempfile::TempDir,
    running: Running,
}

impl Desk {
    fn new() -> Desk {
        let folder = tempfile::tempdir().unwrap();
        let running = Collector::start(Options::new(folder.path().join("collector.sqlite"))).unwrap();
        Desk { folder, running }
    }

    fn with_key(key: &str) -> Desk {
        let folder = tempfile::tempdir().unwrap();
        let options = Options { key: Some(key.to_owned()), ..Options::new(folder.path().join("collector.sqlite")) };
        Desk { running: Collector::start(options).unwrap(), folder }
    }

    fn send(&self, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Reply {
        Client::new(self.running.address()).send("POST", path, headers, body).unwrap()
    }

    /// All events, oldest first.
    fn events(&self) -> Vec<Event> {
        let source = Collected::open(&self.folder.path().join("collector.sqlite")).unwrap();
        let mut events = Ask(&source).list(&Query { json: true, ..Query::default() }).unwrap().events;
        events.reverse();
        events
    }

    /// Kind and name of all events.
    fn told(&self) -> Vec<(String, String)> {
        self.events().into_iter().map(|event| (event.kind, event.name)).collect()
    }

    /// Why the latest event was rejected.
    fn why(&self) -> String {
        let events = self.events();
        let rejected = &events.last().unwrap().json["received"]["rejected"];
        format!(
            "{}: {}",
            rejected["code"].as_str().unwrap_or_default(),
            rejected["message"].as_str().unwrap_or_default()
        )
    }
}

fn body(reply: &Reply) -> Value {
    serde_json::from_slice(&reply.body).unwrap_or_else(|_| String::from_utf8_lossy(&reply.body).into_owned().into())
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

const AUTH: (&str, &str) =
    ("x-sentry-auth", "Sentry sentry_version=7, sentry_client=sentry.javascript.node/9.1.0, sentry_key=abc");

fn envelope(items: &[(&str, Value)]) -> Vec<u8> {
    let mut body =
        json!({"event_id": "9ec79c33ec9942ab8353589fcb2e04dc", "sdk": {"name": "x", "version": "1"}}).to_string();
    for (kind, payload) in items {
        let payload = payload.to_string();
        body.push_str(&format!("\n{}\n{payload}", json!({"type": kind, "length": payload.len()})));
    }
    body.into_bytes()
}

/// Some of each kind, as an app records them.
const VISIT: &str = r#"{"v": 1, "items": [
    {"scope": "user", "id": "u-1"},
    {"kind": "screen_view", "name": "Cart"},
    {"kind": "screen_load", "name": "Cart", "start_ms": 1795400000000, "duration_us": 400000},
    {"kind": "api_call", "method": "GET", "url": "https://api.shop.example/cart", "start_ms": 1795400000100, "duration_us": 90000, "status": 503},
    {"kind": "span", "name": "sum up", "op": "db", "start_ms": 1795400000100, "duration_us": 90000},
    {"kind": "interaction", "action": "tap", "component": "Pay"},
    {"kind": "analytics", "name": "purchase", "attrs": {"price": 9.5, "items": 9007199254740993}},
    {"kind": "user_prop", "op": "set", "name": "plan", "value": "pro"},
    {"kind": "log", "message": "a line", "level": "warning"},
    {"kind": "message", "message": "slow", "level": "info"},
    {"kind": "error", "type": "PaymentError", "message": "declined"},
    {"kind": "revenue", "amount": 9.5, "currency": "EUR", "transaction_id": "t-1"}]}"#;

/// Sends the visit, and returns id and kind of each event.
fn visit(desk: &Desk) -> BTreeMap<String, String> {
    let at = desk.running.address();
    let folder = desk.folder.path().join("app");
    let otlp = |encoding, token| {
        Otlp::builder(format!("http://{at}")).encoding(encoding).bearer(token).purposes(&Purpose::ALL).build().unwrap()
    };
    let config = Config::builder(&folder, "shop", "shop@1.4.0")
        .destination("sentry", Sentry::builder(format!("http://abc@{at}/42")).traces_sample_rate(1.0).build().unwrap())
        .destination(
            "mixpanel",
            Mixpanel::builder("T0K3N").endpoint(format!("http://{at}")).purposes(&Purpose::ALL).build().unwrap(),
        )
        .destination("protobuf", otlp(OtlpEncoding::Protobuf, "one"))
        .destination("json", otlp(OtlpEncoding::Json, "two"))
        .consent(Purpose::Monitoring, Consent::Granted)
        .consent(Purpose::Analytics, Consent::Granted)
        .inspector(true);
    let monitor = Monitor::open(config.build().unwrap()).unwrap();
    let _ = monitor.record_batch(VISIT);
    let flushed = monitor.flush(WAIT).unwrap();
    assert!(flushed.iter().all(|one| one.left == 0 && one.held.is_none()), "{flushed:?}");
    let list: Value = serde_json::from_str(&monitor.inspect(r#"{"ask":"list"}"#, WAIT)).unwrap();
    monitor.close(WAIT);
    let text = |event: &Value, name: &str| event[name].as_str().unwrap().to_owned();
    list["events"].as_array().unwrap().iter().map(|event| (text(event, "id"), text(event, "kind"))).collect()
}

#[test]
fn what_our_own_destinations_send_is_accepted_and_keeps_kind_id_session_and_installation() {
    let desk = Desk::new();
    let recorded = visit(&desk);
    let events = desk.events();
    let bad: Vec<_> = events.iter().filter(|event| event.state != "delivered").map(|event| &event.json).collect();
    assert!(bad.is_empty(), "{bad:#?}");
    let of = |protocol: &str| -> Vec<&Event> {
        events.iter().filter(|event| event.json["received"]["protocol"] == protocol).collect()
    };
    let kinds = |protocol: &str| -> BTreeSet<(String, String)> {
        let ours = |event: &&Event| {
            let id = event.json["received"]["id"].as_str().unwrap_or_default().parse::<rez_monitor::EventId>();
            let id = id.ok().map(|id| id.to_string())?;
            recorded.get(&id).map(|kind| (kind.clone(), event.kind.clone()))
        };
        of(protocol).iter().filter_map(ours).collect()
    };
    let same =
        |kinds: &[&str]| kinds.iter().map(|kind| ((*kind).to_owned(), (*kind).to_owned())).collect::<BTreeSet<_>>();
    let sentry = ["api_call", "error", "log", "message", "screen_load", "span"];
    assert_eq!(kinds("sentry"), same(&sentry));
    let otlp = [
        "analytics",
        "api_call",
        "error",
        "interaction",
        "log",
        "revenue",
        "screen_load",
        "screen_view",
        "session",
        "span",
    ];
    let wanted: BTreeSet<_> = same(&otlp);
    let found = kinds("otlp");
    assert!(wanted.is_subset(&found), "{found:?}");
    assert!(kinds("mixpanel").contains(&("analytics".to_owned(), "analytics".to_owned())));
    let installs: BTreeSet<String> = events.iter().map(|event| event.json["received"]["install"].to_string()).collect();
    // Sentry's logs and Mixpanel's profiles name the user only.
    assert!(installs.len() == 2 && installs.contains("\"u-1\""), "one app: {installs:?}");
    let sessions: BTreeSet<&String> = events.iter().filter_map(|event| event.session.as_ref()).collect();
    assert_eq!(sessions.len(), 1, "{sessions:?}");
    let purchase = of("mixpanel").into_iter().find(|event| event.name == "purchase").unwrap();
    assert_eq!(purchase.json["attrs"]["price"], 9.5);
    assert_eq!(purchase.json["original"]["event"], "purchase");
    // Both encodings are the same events.
    let of_encoding = |token: &str| -> Vec<(String, Value)> {
        let project = crate::collector::access::project(token);
        let file = rusqlite::Connection::open(desk.folder.path().join("collector.sqlite")).unwrap();
        let mut select = file.prepare("SELECT id, fields FROM event WHERE project = ?1 ORDER BY id").unwrap();
        let rows = select.query_map([project], |row| Ok((row.get(0)?, row.get::<_, String>(1)?))).unwrap();
        rows.map(|row| row.map(|(id, fields)| (id, serde_json::from_str(&fields).unwrap())).unwrap()).collect()
    };
    let (one, two) = (of_encoding("one"), of_encoding("two"));
    assert!(one.len() > 10, "{one:?}");
    assert_eq!(one, two);
}

#[test]
fn an_envelope_becomes_events_of_our_kinds_and_keeps_the_original() {
    let desk = Desk::new();
    let event = json!({"event_id": "9ec79c33ec9942ab8353589fcb2e04dc", "timestamp": 1795400000.5, "level": "error", "transaction": "Cart",
        "exception": {"values": [{"type": "Cause", "value": "no"}, {"type": "PaymentError", "value": "declined", "mechanism": {"handled": false}}]},
        "breadcrumbs": {"values": [{"message": "<script>alert(1)</script>"}]}, "user": {"id": "u-7"}, "made_up": [1]});
    let call = json!({"event_id": "a".repeat(32), "type": "transaction", "transaction": "GET /cart", "start_timestamp": 1795400000.0,
        "timestamp": "2026-11-23T02:13:20.250Z", "contexts": {"trace": {"op": "http.client", "trace_id": "b".repeat(32), "span_id": "c".repeat(16)}}});
    let items = [
        ("event", event.clone()),
        ("transaction", call),
        (
            "log",
            json!({"items": [{"timestamp": 1795400000, "level": "WARN", "body": "a line", "attributes": {"n": {"value": 7, "type": "integer"}}}]}),
        ),
        (
            "session",
            json!({"sid": "s-1", "did": "phone", "init": true, "started": "2026-11-23T02:13:20Z", "status": "ok", "duration": 1.5}),
        ),
        (
            "client_report",
            json!({"timestamp": 1795400000, "discarded_events": [{"reason": "sample_rate", "category": "error", "quantity": 3}]}),
        ),
        ("feedback", json!({"contexts": {"feedback": {"message": "it is slow", "name": "Asha"}}})),
        ("trace_metric", json!({"items": [{"name": "cart.size", "value": 3, "type": "gauge"}]})),
        (
            "span",
            json!({"items": [{"trace_id": "d".repeat(32), "span_id": "e".repeat(16), "name": "sum up", "start_timestamp": 1795400000.0, "end_timestamp": 1795400000.1}]}),
        ),
        ("made_up_item", json!({"x": 1})),
        (
            "event",
            json!({"message": "hello", "exception": {"values": [{"value": "hello", "stacktrace": {"frames": []}}]}}),
        ),
    ];
    let reply = desk.send("/api/42/envelope/", &[AUTH, ("content-encoding", "gzip")], &gzip(&envelope(&items)));
    assert_eq!((reply.status, body(&reply)), (200, json!({"id": "9ec79c33ec9942ab8353589fcb2e04dc"})));
    let told: Vec<(String, String)> = desk.told();
    let told: Vec<(&str, &str)> = told.iter().map(|(kind, name)| (kind.as_str(), name.as_str())).collect();
    assert_eq!(
        told,
        [
            ("error", "PaymentError declined"),
            ("api_call", "GET /cart"),
            ("log", "a line"),
            ("session", "ok"),
            ("log", "not sent: 3 error (sample_rate)"),
            ("feedback", "it is slow Asha"),
            ("metric", "gauge cart.size"),
            ("span", "sum up"),
            ("log", "made_up_item, 7 bytes"),
            ("message", "hello"),
        ]
    );
    let events = desk.events();
    assert_eq!(events[0].json["original"], event, "whole");
    assert_eq!(
        (events[0].wall_ms, &events[0].json["handled"], &events[0].json["received"]["client"]),
        (1_795_400_000_500, &json!(false), &json!("sentry.javascript.node/9.1.0"))
    );
    assert_eq!(
        (&events[0].json["received"]["install"], &events[3].json["received"]["install"]),
        (&json!("u-7"), &json!("phone"))
    );
    assert_eq!(
        (&events[1].json["duration_us"], &events[1].json["start_ms"]),
        (&json!(250_000), &json!(1_795_400_000_000_i64))
    );
    assert_eq!((events[2].level.as_deref(), &events[2].json["attrs"]["n"]), (Some("warning"), &json!(7)));
    // The same again, plain, with the key in the query: stored once.
    let again = desk.send("/api/42/envelope/?sentry_key=abc", &[], &envelope(&items[..1]));
    assert_eq!((again.status, desk.events().len()), (200, 10));
    assert_eq!(desk.events()[0].json["received"]["repeats"], 1);
    let unnamed = desk.send(
        "/api/42/envelope/",
        &[AUTH],
        b"{}\n{\"type\":\"attachment\",\"length\":3,\"filename\":\"a.bin\"}\n\xff\xfe\xfd\n",
    );
    assert_eq!((unnamed.status, body(&unnamed)), (200, json!({})));
    assert_eq!(desk.told().last().unwrap().1, "attachment a.bin, 3 bytes");
}

#[test]
fn a_wrong_envelope_gets_sentrys_error_and_is_listed_as_rejected() {
    let desk = Desk::new();
    let whole = envelope(&[("event", json!({"message": "x".repeat(100)}))]);
    let half = &whole[..whole.len() - 40];
    let packed = gzip(&whole);
    let gzipped = [AUTH, ("content-encoding", "gzip")];
    let large = vec![b' '; 16 * 1024 * 1024 - 1];
    let bomb = gzip(&vec![0; 20 * 1024 * 1024]);
    let cases: [Case<'_>; 8] = [
        (&[AUTH], half, 400, "invalid_envelope: item 1 (event) has"),
        (&[AUTH], b"no json", 400, "invalid_envelope: the header"),
        (&gzipped, b"no gzip", 400, "unreadable: the body is not gzip"),
        (&gzipped, &packed[..packed.len() / 2], 400, "unreadable: the body is not gzip"),
        (&gzipped, &bomb, 413, "unreadable: the body is larger"),
        (&[AUTH, ("content-encoding", "br")], &whole, 415, "unreadable: `Content-Encoding: br`"),
        (&[AUTH], b"{}\n{\"type\":\"event\"}\n{\"a\":\n", 400, "invalid_json: the payload of the item `event`"),
        (
            &[AUTH],
            b"{}\n{\"type\":\"log\"}\n{\"items\":\"7\"}\n",
            400,
            "invalid_payload: the payload of the item `log`",
        ),
    ];
    for (headers, sent, status, why) in cases {
        let reply = desk.send("/api/1/envelope/", headers, sent);
        let detail = body(&reply)["detail"].as_str().unwrap_or_default().to_owned();
        assert_eq!(reply.status, status, "{why}: {detail}");
        assert!(desk.why().starts_with(why), "{}", desk.why());
        assert!(desk.why().ends_with(&detail), "{detail}");
        assert_eq!(reply.header("x-sentry-error"), Some(detail.as_str()));
    }
    assert_eq!(desk.send("/api/1/envelope/", &[AUTH], &large).status, 400);
    assert_eq!(desk.events().len(), 9);
    assert_eq!(desk.send("/api/1/envelope/", &[], b"{}\n").status, 401);
    let locked = Desk::with_key("other");
    assert_eq!(locked.send("/api/1/envelope/", &[AUTH], b"{}\n").status, 403);
    assert_eq!(locked.send("/api/1/envelope/?sentry_key=other", &[], b"{}\n").status, 200);
    assert!(locked.events().is_empty());
}

#[test]
fn a_body_of_20_mb_is_refused_and_the_collector_goes_on() {
    let desk = Desk::new();
    // The connection can be closed before all of it is sent.
    let sent = Client::new(desk.running.address()).send("POST", "/track", &[], &vec![b'x'; 20 * 1024 * 1024]);
    assert!(sent.is_err() || sent.unwrap().status == 413);
    assert_eq!(body(&desk.send("/track", &[], br#"{"event":"a","properties":{"token":"t"}}"#)), 1);
}

#[test]
fn mixpanels_forms_are_read_and_answered_as_its_server_does() {
    let desk = Desk::new();
    let record = json!({"event": "Purchase", "properties": {"token": "T", "time": 1795400000, "distinct_id": "u-1", "$device_id": "phone",
        "$insert_id": "i-1", "price": 9.5, "mp_lib": "web", "$lib_version": "2.1", "tags": ["a"]}});
    let form = ("content-type", "application/x-www-form-urlencoded");
    let base64 = "data=eyJldmVudCI6IkZvcm0iLCJwcm9wZXJ0aWVzIjp7InRva2VuIjoiVCJ9fQ%3D%3D";
    assert_eq!(
        body(&desk.send(
            "/track?verbose=1&ip=1",
            &[("content-encoding", "gzip")],
            &gzip(json!([record]).to_string().as_bytes())
        )),
        json!({"status": 1, "error": null})
    );
    assert_eq!(body(&desk.send("/track/", &[form], base64.as_bytes())), 1);
    let update = json!([{"$token": "T", "$distinct_id": "u-1", "$set": {"plan": "pro"}}]);
    assert_eq!(
        body(&desk.send("/engage?verbose=1", &[], update.to_string().as_bytes())),
        json!({"status": 1, "error": null})
    );
    let events = desk.events();
    assert_eq!(
        desk.told().iter().map(|(kind, name)| format!("{kind} {name}")).collect::<Vec<_>>(),
        ["analytics Purchase", "analytics Form", "user_prop plan"]
    );
    assert_eq!(events[0].json["original"], record);
    assert_eq!(events[0].json["attrs"], json!({"price": 9.5, "tags": ["a"]}));
    let received = &events[0].json["received"];
    assert_eq!(
        (&received["install"], &received["client"], &received["id"]),
        (&json!("phone"), &json!("web/2.1"), &json!("i-1"))
    );
    assert_eq!((events[0].wall_ms, &events[2].json["op"]), (1_795_400_000_000, &json!("set")));
    // An import names each failed record.
    let mut bad = record.clone();
    bad["properties"]["time"] = "1795400000".into();
    bad["properties"]["$insert_id"] = "i-2".into();
    let mut good = record.clone();
    good["properties"]["$insert_id"] = "i-3".into();
    let basic = [("authorization", "Basic VDo="), ("content-type", "application/json")];
    let reply = desk.send("/import?strict=1", &basic, json!([bad, good]).to_string().as_bytes());
    let answer = body(&reply);
    assert_eq!((reply.status, &answer["num_records_imported"]), (400, &json!(1)));
    assert_eq!(answer["failed_records"][0]["$insert_id"], "i-2");
    assert_eq!(answer["failed_records"][0]["field"], "properties.time");
    assert_eq!(desk.send("/import", &[], b"[]").status, 401);
    for (path, sent, why) in [
        ("/track", "data=!!!", "unreadable: `data` is neither JSON nor base64"),
        ("/track", "{\"event\":", "unreadable: the records are no JSON"),
        ("/track", r#"[{"event":"a","properties":{"token":"t","time":"soon"}}]"#, "invalid_field: 'properties.time'"),
        ("/track", r#"[{"event":"a"}]"#, "invalid_field: 'properties'"),
        ("/track", r#"[7]"#, "invalid_field: 'event'"),
        ("/engage", r#"[{"$token":"t","$distinct_id":"u"}]"#, "invalid_field: '$set'"),
    ] {
        assert_eq!(body(&desk.send(path, &[], sent.as_bytes())), 0, "{sent}");
        assert!(desk.why().starts_with(why), "{}", desk.why());
        let verbose = body(&desk.send(&format!("{path}?verbose=1"), &[], sent.as_bytes()));
        assert_eq!((&verbose["status"], verbose["error"].is_string()), (&json!(0), true));
    }
}

fn resource_spans(span: &Value) -> Value {
    let pair = |key: &str, value: Value| json!({"key": key, "value": value});
    let resource = [
        pair("service.instance.id", json!({"stringValue": "phone"})),
        pair("telemetry.sdk.name", json!({"stringValue": "expo-observe"})),
    ];
    json!({"resourceSpans": [{"resource": {"attributes": resource}, "scopeSpans": [{"spans": [span]}]}]})
}

#[test]
fn otlp_takes_64_bit_integers_as_numbers_and_as_texts() {
    let desk = Desk::new();
    let json = ("content-type", "application/json");
    for (n, start, end) in [
        (1, json!(1_795_400_000_000_000_000_u64), json!(1_795_400_000_250_000_000_u64)),
        (2, json!("1795400000000000000"), json!("1795400000250000000")),
    ] {
        let span = json!({"traceId": "a".repeat(32), "spanId": format!("{n:016}"), "name": "GET /cart", "kind": 3, "startTimeUnixNano": start, "endTimeUnixNano": end,
            "attributes": [{"key": "http.request.method", "value": {"stringValue": "GET"}},
                           {"key": "http.response.status_code", "value": {"intValue": if n == 1 { json!(503) } else { json!("503") }}}]});
        let reply = desk.send("/v1/traces", &[json], resource_spans(&span).to_string().as_bytes());
        assert_eq!((reply.status, body(&reply)), (200, json!({"partialSuccess": {}})));
    }
    let events = desk.events();
    for event in &events {
        assert_eq!(
            (event.kind.as_str(), event.name.as_str(), event.wall_ms),
            ("api_call", "GET /cart", 1_795_400_000_250)
        );
        assert_eq!((&event.json["duration_us"], &event.json["status"]), (&json!(250_000), &json!(503)));
        assert_eq!(
            (&event.json["received"]["install"], &event.json["received"]["client"]),
            (&json!("phone"), &json!("expo-observe"))
        );
    }
    assert_eq!(events.len(), 2);
}

#[test]
fn a_record_that_is_wrong_is_counted_and_a_body_that_is_wrong_gets_a_status() {
    let desk = Desk::new();
    let json = ("content-type", "application/json");
    for (span, why) in [
        (json!({"traceId": "zz", "spanId": "b".repeat(16), "name": "x"}), "`traceId` is not 32"),
        (json!({"name": "x"}), "`traceId` and `spanId`"),
        (
            json!({"traceId": "a".repeat(32), "spanId": "b".repeat(16), "startTimeUnixNano": "soon"}),
            "`startTimeUnixNano`",
        ),
        (json!({"traceId": "a".repeat(32), "spanId": "b".repeat(16), "endTimeUnixNano": -1}), "`endTimeUnixNano`"),
        (json!("no object"), "`traceId` and `spanId`"),
    ] {
        let answer = body(&desk.send("/v1/traces", &[json], resource_spans(&span).to_string().as_bytes()));
        assert_eq!(answer["partialSuccess"]["rejectedSpans"], "1", "{span}: {answer}");
        assert!(answer["partialSuccess"]["errorMessage"].as_str().unwrap().contains(why), "{answer}");
        assert!(desk.why().contains(why), "{}", desk.why());
    }
    for (path, kind, sent) in [
        ("/v1/logs", "application/json", &b"{\"resourceLogs\":"[..]),
        ("/v1/logs", "application/json", b"[]"),
        ("/v1/logs", "application/json", b"{\"resourceSpans\":[]}"),
        ("/v1/metrics", "text/plain", b"{}"),
    ] {
        let reply = desk.send(path, &[("content-type", kind)], sent);
        assert_eq!((reply.status, body(&reply)["code"].as_u64()), (400, Some(3)), "{path}");
        assert!(desk.why().starts_with("unreadable"), "{}", desk.why());
    }
    let broken = desk.send("/v1/traces", &[("content-type", "application/x-protobuf")], b"\xff\xff\xff\xff\xff");
    assert_eq!((broken.status, broken.header("content-type")), (400, Some("application/x-protobuf")));
    let empty = desk.send("/v1/metrics", &[("content-type", "application/x-protobuf")], b"");
    assert_eq!((empty.status, empty.body.len()), (200, 0));
}

#[test]
fn a_page_of_this_machine_may_send_from_a_browser_and_read_the_answer() {
    let desk = Desk::new();
    let origin = ("origin", "http://localhost:3000");
    let reply =
        desk.send("/api/1/envelope/?sentry_key=abc", &[origin], &envelope(&[("event", json!({"message": "hi"}))]));
    assert_eq!((reply.status, reply.header("access-control-allow-origin")), (200, Some("http://localhost:3000")));
    // A library that sends with credentials, as Mixpanel's, needs this also to read why it was refused.
    for path in ["/api/1/envelope/?sentry_key=abc", "/track", "/groups", "/v1/logs"] {
        let refused = desk.send(path, &[origin, ("content-encoding", "br")], b"{}");
        let allowed =
            ["access-control-allow-origin", "access-control-allow-credentials"].map(|name| refused.header(name));
        assert_eq!(allowed, [Some("http://localhost:3000"), Some("true")], "{path}");
    }
    let question =
        [origin, ("access-control-request-method", "POST"), ("access-control-request-headers", "x-sentry-auth")];
    let answer = Client::new(desk.running.address()).send("OPTIONS", "/v1/logs", &question, b"");
    // A 204 has no length, which the client of the tests wants.
    assert!(answer.is_err() || answer.unwrap().status == 204);
    let foreign = desk.send("/track", &[("origin", "https://evil.example")], b"{}");
    assert_eq!(foreign.status, 403);
    for name in ["access-control-allow-origin", "access-control-allow-credentials"] {
        assert_eq!(foreign.header(name), None);
        assert_eq!(desk.send("/v1/batch", &[origin], b"{}").header(name), None);
    }
    assert_eq!(desk.events().iter().filter(|event| event.state == "delivered").count(), 1);
}

#[test]
fn with_a_key_nothing_of_a_stranger_is_kept_not_even_what_cannot_be_read() {
    let desk = Desk::with_key("secret");
    let whole = envelope(&[("event", json!({"message": "x"}))]);
    let half = &whole[..whole.len() - 4];
    let gzipped = ("content-encoding", "gzip");
    let dsn = b"{\"dsn\":\"http://abc@127.0.0.1/1\"}\n{\"type\":\"event\",\"length\":9}\n{}";
    for (headers, sent, status) in [
        (&[AUTH][..], half, 403),
        (&[AUTH, gzipped], b"no gzip", 403),
        (&[gzipped], b"no gzip", 401),
        (&[], b"no json", 401),
        (&[], dsn, 403),
    ] {
        let reply = desk.send("/api/1/envelope/", headers, sent);
        assert_eq!(reply.status, status, "{}", String::from_utf8_lossy(sent));
        assert!(body(&reply)["detail"].is_string() && reply.header("x-sentry-error").is_some());
    }
    for path in ["/track", "/engage", "/import"] {
        for (headers, sent) in [(&[][..], "data=!!!"), (&[], "{\"event\":"), (&[gzipped], "no gzip"), (&[], "[]")] {
            assert_eq!(desk.send(path, headers, sent.as_bytes()).status, 401, "{path} {sent}");
        }
    }
    let record = |token: &str, name: &str| json!({"event": name, "properties": {"token": token}});
    let foreign = [record("other", "a"), record("", "b"), json!({"event": "c"}), json!(7)];
    let verbose = desk.send("/track?verbose=1", &[], json!(foreign).to_string().as_bytes());
    assert_eq!((verbose.status, &body(&verbose)["status"]), (401, &json!(0)));
    assert!(desk.events().is_empty(), "{:?}", desk.told());
    // Of a request with both, what has the key is kept, wherever it stands.
    for records in
        [[record("secret", "mine"), record("other", "a")], [record("other", "a"), record("secret", "mine too")]]
    {
        let answer = body(&desk.send("/track?verbose=1", &[], json!(records).to_string().as_bytes()));
        assert!(answer["status"] == 0 && answer["error"].as_str().unwrap().contains("token"), "{answer}");
    }
    let update = |token: &str| json!({"$token": token, "$distinct_id": "u", "$set": {"plan": token}});
    let updates = json!([update("secret"), update("other")]);
    assert_eq!(body(&desk.send("/engage", &[], updates.to_string().as_bytes())), 0);
    assert_eq!(desk.told().into_iter().map(|(_, name)| name).collect::<Vec<_>>(), ["mine", "mine too", "plan"]);
    // With the key, what cannot be read is listed as rejected.
    assert_eq!(desk.send("/api/1/envelope/?sentry_key=secret", &[], half).status, 400);
    assert_eq!(desk.events().len(), 4);
}

#[test]
fn a_picture_of_a_foreign_page_cannot_insert_an_event() {
    let desk = Desk::new();
    let picture = "/track?data=eyJldmVudCI6IkZvcm0iLCJwcm9wZXJ0aWVzIjp7InRva2VuIjoiVCJ9fQ";
    let get = |site| Client::new(desk.running.address()).send("GET", picture, &[("sec-fetch-site", site)], b"");
    assert_eq!(get("cross-site").unwrap().status, 403);
    assert!(desk.events().is_empty());
    assert_eq!((get("same-site").unwrap().status, desk.events().len()), (200, 1));
}

#[test]
fn changes_of_a_mixpanel_group_are_taken_as_those_of_a_user_are() {
    let desk = Desk::new();
    let change = json!([{"$token": "T", "$group_key": "company", "$group_id": 7, "$set": {"plan": "pro"}}]);
    let answer = desk.send("/groups/?verbose=1", &[], change.to_string().as_bytes());
    assert_eq!((answer.status, body(&answer)), (200, json!({"status": 1, "error": null})));
    let events = desk.events();
    assert_eq!((events[0].kind.as_str(), events[0].name.as_str()), ("user_prop", "plan"));
    assert_eq!(
        (&events[0].json["group"], &events[0].json["value"]),
        (&json!({"key": "company", "id": 7}), &json!("pro"))
    );
    for (sent, field) in [
        (json!({"$token": "T", "$group_id": "g", "$set": {}}), "$group_key"),
        (json!({"$token": "T", "$group_key": "company", "$set": {}}), "$group_id"),
        (json!({"$token": "T", "$group_key": "company", "$group_id": "g"}), "$set"),
        (json!({"$group_key": "company", "$group_id": "g", "$set": {}}), "$token"),
    ] {
        assert_eq!(body(&desk.send("/groups", &[], sent.to_string().as_bytes())), 0, "{sent}");
        assert!(desk.why().starts_with(&format!("invalid_field: '{field}'")), "{}", desk.why());
    }
}

#[test]
fn an_envelope_of_which_something_is_taken_is_answered_200_and_unknown_items_are_bytes() {
    let desk = Desk::new();
    let mut sent = envelope(&[("event", json!({"message": "good"}))]);
    sent.extend_from_slice(
        b"\n{\"type\":\"event\",\"length\":4}\n{bad\n{\"type\":\"new_thing\",\"length\":3}\n\xff\xfe\xfd\n",
    );
    let reply = desk.send("/api/1/envelope/", &[AUTH], &sent);
    assert_eq!((reply.status, body(&reply)), (200, json!({"id": "9ec79c33ec9942ab8353589fcb2e04dc"})));
    let told: Vec<_> = desk.events().into_iter().map(|event| (event.kind, event.state)).collect();
    let told: Vec<_> = told.iter().map(|(kind, state)| (kind.as_str(), state.as_str())).collect();
    assert_eq!(told, [("message", "delivered"), ("error", "dead"), ("log", "delivered")]);
    assert_eq!(desk.told()[2].1, "new_thing, 3 bytes");
    assert_eq!(desk.send("/api/1/envelope/", &[AUTH], b"{}\n{\"type\":\"event\"}\n{bad\n").status, 400);
}

#[test]
fn of_a_profile_and_of_a_replay_only_header_and_size_are_kept() {
    let desk = Desk::new();
    let large = json!({"frames": "x".repeat(1024 * 1024)});
    let bytes = large.to_string().len();
    let kinds = ["profile", "profile_chunk", "replay_event", "replay_recording", "attachment"];
    let items = kinds.map(|kind| (kind, large.clone()));
    assert_eq!(desk.send("/api/1/envelope/", &[AUTH], &envelope(&items)).status, 200);
    for (event, kind) in desk.events().iter().zip(kinds) {
        assert_eq!(event.json["original"], json!({"type": kind, "length": bytes}));
    }
    assert_eq!(desk.told(), kinds.map(|kind| ("log".to_owned(), format!("{kind}, {bytes} bytes"))));
}

#[test]
fn a_mixpanel_event_is_the_same_if_name_time_user_and_insert_id_are() {
    let desk = Desk::new();
    let record = |name: &str, time: u64, user: &str, id: &str| json!({"event": name, "properties": {"token": "T", "time": time, "distinct_id": user, "$insert_id": id}});
    let first = record("a", 1_795_400_000, "u", "i");
    let others = [
        record("b", 1_795_400_000, "u", "i"),
        record("a", 1_795_400_001, "u", "i"),
        record("a", 1_795_400_000, "v", "i"),
        record("a", 1_795_400_000, "u", "j"),
    ];
    let all: Vec<&Value> = [&first].into_iter().chain(&others).chain([&first]).collect();
    assert_eq!(body(&desk.send("/track", &[], json!(all).to_string().as_bytes())), 1);
    let events = desk.events();
    let repeats: Vec<u64> =
        events.iter().map(|event| event.json["received"]["repeats"].as_u64().unwrap_or_default()).collect();
    assert_eq!(repeats, [1, 0, 0, 0, 0]);
    let ids: BTreeSet<&String> = events.iter().map(|event| &event.id).collect();
    assert_eq!((ids.len(), &events[1].json["received"]["id"]), (5, &json!("i")));
    assert_eq!(events[0].json["received"].get("client"), None, "a library that does not name itself");
}

#[test]
fn the_calls_among_the_spans_of_a_transaction_are_events_too() {
    let desk = Desk::new();
    let trace = "b".repeat(32);
    let span = |n: u64, op: &str, description: &str, data: Value| {
        json!({"trace_id": trace, "span_id": format!("{n:016}"), "op": op, "description": description, "status": "ok",
            "start_timestamp": 1795400000.1, "timestamp": 1795400000.35, "data": data})
    };
    let data =
        json!({"http.request.method": "get", "url": "https://api.example/p/7", "http.response.status_code": "404"});
    let spans = json!([
        span(1, "http.client", "POST https://api.example/cart?x=1", json!({"http.response.status_code": 503})),
        span(2, "http", "", data),
        span(3, "db", "SELECT", json!({})),
        "no object",
    ]);
    let load = json!({"event_id": "a".repeat(32), "transaction": "Cart", "timestamp": 1795400001, "spans": spans, "user": {"id": "u-7"},
        "contexts": {"trace": {"op": "ui.load", "trace_id": trace, "span_id": "c".repeat(16)}, "session": {"id": "s-1"}}});
    for _ in 0..2 {
        assert_eq!(desk.send("/api/1/envelope/", &[AUTH], &envelope(&[("transaction", load.clone())])).status, 200);
    }
    let events = desk.events();
    let kinds: Vec<&str> = events.iter().map(|event| event.kind.as_str()).collect();
    assert_eq!(kinds, ["api_call", "api_call", "screen_load"], "and what comes again is stored once");
    let call = &events[0].json;
    for (name, value) in [
        ("method", json!("POST")),
        ("endpoint", json!("/cart")),
        ("url", json!("https://api.example/cart?x=1")),
        ("status", json!(503)),
        ("duration_us", json!(250_000)),
        ("trace", json!({"trace_id": trace, "span_id": format!("{:016}", 1)})),
        ("session", json!("s-1")),
        ("original", spans[0].clone()),
    ] {
        assert_eq!(call[name], value, "{name}");
    }
    assert_eq!(call["received"]["install"], "u-7");
    let second = ["method", "endpoint", "status"].map(|name| events[1].json[name].clone());
    assert_eq!(second, [json!("GET"), json!("/p/7"), json!(404)]);
    assert_eq!(events[2].json["original"]["spans"], spans);
}

#[test]
fn an_otlp_severity_can_be_a_text_alone() {
    let desk = Desk::new();
    let texts = ["TRACE", "Debug", "INFO2", "warn", "WARNING", "error", "FATAL", "loud"];
    let record = |text: &&str| json!({"severityText": text, "body": {"stringValue": text}});
    let records: Vec<Value> = texts.iter().map(record).collect();
    let sent = json!({"resourceLogs": [{"scopeLogs": [{"logRecords": records}]}]});
    let reply = desk.send("/v1/logs", &[("content-type", "application/json")], sent.to_string().as_bytes());
    assert_eq!(reply.status, 200);
    let levels: Vec<Option<String>> = desk.events().into_iter().map(|event| event.level).collect();
    let wanted = ["trace", "debug", "info", "warning", "warning", "error", "fatal"].map(|level| Some(level.to_owned()));
    assert_eq!((&levels[..7], &levels[7]), (&wanted[..], &None));
}
