//! Batches of a document.

use super::*;
use crate::{Frame, Reason, Value};
use serde_json::json;

const NOW: i64 = 1_795_400_000_000;

/// Reason, kind and number; `gate` = refused at the call.
pub(super) type Loss = (String, String, u64);

pub(super) fn doc(items: &[Json]) -> String {
    json!({"v": 1, "items": items}).to_string()
}

pub(super) fn manual(folder: &Path) -> (Monitor, Clock) {
    let clock = Clock::manual(NOW, 1_000);
    (Monitor::open(config(folder).clock(clock.clone()).build().unwrap()).unwrap(), clock)
}

/// Closes, and returns the rows and the losses by reason and kind; the balance holds.
pub(super) fn result(monitor: Monitor, folder: &Path) -> (Vec<(String, Json)>, Vec<Loss>) {
    let ring = monitor.0.shared.ring.refusals();
    let rows = rows(monitor, folder);
    let reader = Reader::open(folder).unwrap();
    let balance = reader.balance().unwrap();
    let mut lost: Vec<_> = balance
        .kinds
        .iter()
        .flat_map(|kind| kind.dropped.iter().map(|(reason, n)| (reason.clone(), kind.kind.clone(), *n)))
        .collect();
    let kind = |kind: Option<Kind>| kind.map_or("unknown", Kind::as_str).to_owned();
    lost.extend(ring.into_iter().map(|(reason, of, n)| (format!("gate {}", reason.as_str()), kind(of), n)));
    let folded: u64 = balance.kinds.iter().map(|kind| kind.folded).sum();
    let stored: u64 = balance.kinds.iter().map(|kind| kind.stored).sum();
    let dropped: u64 = balance.kinds.iter().flat_map(|kind| kind.dropped.values()).sum();
    assert_eq!(folded, stored + dropped);
    lost.sort();
    (rows, lost)
}

pub(super) fn lost(reason: &str, kind: &str, n: u64) -> Loss {
    (reason.into(), kind.into(), n)
}

#[test]
fn a_batch_gives_the_rows_of_the_typed_calls() {
    let [one, other] = [(); 2].map(|()| tempfile::tempdir().unwrap());
    let typed = || {
        let (monitor, _) = manual(one.path());
        monitor.scope(ScopeChange::User(Some(User {
            id: Some("u-1"),
            extra: &[("plan", "gold".into())],
            ..User::default()
        })));
        monitor.scope(ScopeChange::Tag("store", Some("pune")));
        monitor.scope(ScopeChange::Context("cart", Some(&[("items", 3.into())])));
        monitor.breadcrumb(Breadcrumb::new("ui", "tapped").at(NOW - 5).data(&[("id", 7.into())]));
        let frames = [Frame { function: "pay", file: "cart.ts", line: 7, column: 2, in_app: true, ..Frame::default() }];
        let attrs = [("mail", "a@b.example".into()), ("deep", Value::List(&[Value::Map(&[("x", Value::Null)])]))];
        let context = [("performance", Value::Map(&[("ms", Value::F64(1.5))]))];
        let error = ErrorEvent::new("PaymentError", "declined").severity(crate::Severity::Critical).code("E1");
        let _ = monitor.error(error.frames(&frames).attrs(&attrs).context(&context).at(NOW - 60_000));
        let _ = monitor.track("add", &attrs);
        let _ = monitor.record(Event::interaction("tap", "Pay").targets(&["ga4"]));
        let call = Timing::api_call("GET", "https://api.example/products/17?x=1", Duration::from_millis(5_001));
        let _ = monitor.timing(call.status(503).bytes(3, 4).attrs(&attrs[..1]));
        let _ = monitor
            .timing(Timing::screen_load("Home", Duration::from_secs(4)).initial_display(Duration::from_millis(5)));
        let _ =
            monitor.timing(Timing::app_start(crate::StartKind::Cold, Duration::from_secs(2)).started_at(NOW - 9_000));
        let _ = monitor
            .revenue(Revenue { items: &[Value::Map(&[("sku", Value::Str("A"))])], ..Revenue::new(499.0, "INR") });
        let _ = monitor.people(People::Increment("orders", 1.0));
        let _ = monitor.people(People::Set("vip", Value::Null));
        let _ = monitor.metric("cache", Metric::Gauge(3.0));
        let _ = monitor.message("done", Level::Warning, &[]);
        let _ = monitor.record(Event::hang(Duration::from_secs(6), &frames));
        let _ = monitor.record(Event::frames("Home", 1, 2, 3));
        let names: Vec<_> = monitor.metrics().into_iter().map(|summary| summary.name).collect();
        (result(monitor, one.path()), names)
    };
    let batch = || {
        let (monitor, _) = manual(other.path());
        let frames = json!([{"function": "pay", "file": "cart.ts", "line": 7, "column": 2, "in_app": true}]);
        let attrs = json!({"mail": "a@b.example", "deep": [{"x": null}]});
        let document = doc(&[
            json!({"scope": "user", "id": "u-1", "extra": {"plan": "gold"}}),
            json!({"scope": "tag", "name": "store", "value": "pune"}),
            json!({"scope": "context", "name": "cart", "value": {"items": 3}}),
            json!({"breadcrumb": {"category": "ui", "message": "tapped", "data": {"id": 7}}, "at_ms": NOW - 5}),
            json!({"kind": "error", "type": "PaymentError", "message": "declined", "severity": "critical", "code": "E1",
                "frames": frames, "attrs": {"mail": "a@b.example", "deep": [{"x": null}]},
                "context": {"performance": {"ms": 1.5}}, "at_ms": NOW - 60_000}),
            json!({"kind": "analytics", "name": "add", "attrs": attrs}),
            json!({"kind": "interaction", "action": "tap", "component": "Pay", "targets": ["ga4"]}),
            json!({"kind": "api_call", "method": "GET", "url": "https://api.example/products/17?x=1",
                "duration_us": 5_001_000, "status": 503, "request_bytes": 3, "response_bytes": 4,
                "attrs": {"mail": "a@b.example"}}),
            json!({"kind": "screen_load", "name": "Home", "duration_us": 4_000_000, "initial_us": 5_000}),
            json!({"kind": "app_start", "type": "cold", "duration_us": 2_000_000, "start_ms": NOW - 9_000}),
            json!({"kind": "revenue", "amount": 499, "currency": "INR", "items": [{"sku": "A"}]}),
            json!({"kind": "user_prop", "op": "increment", "name": "orders", "by": 1}),
            json!({"kind": "user_prop", "op": "set", "name": "vip", "value": null}),
            json!({"kind": "metric", "name": "cache", "type": "gauge", "value": 3}),
            json!({"kind": "message", "message": "done", "level": "warning"}),
            json!({"kind": "hang", "duration_us": 6_000_000, "frames": frames}),
            json!({"kind": "frames", "name": "Home", "slow_frames": 1, "frozen_frames": 2, "total_frames": 3}),
        ]);
        assert!(monitor.record_batch(&document));
        monitor.persist(WAIT).unwrap();
        let names: Vec<_> = monitor.metrics().into_iter().map(|summary| summary.name).collect();
        (result(monitor, other.path()), names)
    };
    let (mut expect, mut found) = (typed(), batch());
    // A view has the id of its event, which follows from the ticket of the record.
    for (_, json) in expect.0.0.iter_mut().chain(&mut found.0.0) {
        if let Some(view) = json.get_mut("view") {
            view["id"] = Json::Null;
        }
    }
    for (expect, found) in expect.0.0.iter().zip(&found.0.0) {
        assert_eq!(expect, found);
    }
    // JSON objects compare without order; attributes above are written in the order in which serde_json sorts them.
    assert_eq!(expect, found);
    assert_eq!(found.0.0.len(), 14, "the slow call warns");
}

#[test]
fn a_malformed_item_costs_itself_and_no_neighbour() {
    let folder = tempfile::tempdir().unwrap();
    let (monitor, _) = manual(folder.path());
    let deep = |n: usize| format!("{}1{}", "[".repeat(n), "]".repeat(n));
    let document = format!(
        r#"{{"v":7,"unknown":[{{"items":[]}}],"items":[
            {{"kind":"analytics","name":"first"}},
            {{"kind":"new_kind","name":"x"}}, {{"kind":"session"}}, {{"kind":7}}, {{}}, 5, "text", null, [],
            {{"kind":"analytics"}}, {{"kind":"analytics","name":nul}}, {{"kind":"analytics" "name":"x"}},
            {{"kind":"analytics","name":"deep","attrs":{{"d":{},"beside":true}}}},
            {{"kind":"analytics","name":"half\ud800","name":"lone\ud800","future":{{"a":[1]}},"attrs":{{"big":1e999,"more":18446744073709551616,"n":9007199254740993}}}},
            {{"kind":"metric","name":"m","type":"sum","value":1}},
            {{"breadcrumb":[]}},{{"breadcrumb":{{"message":7,"level":"loud"}}}},{{"scope":"session","id":"x"}},{{"scope":"nothing"}},
            {{"kind":"hang","duration_us":-5}},
            {{"kind":"message","message":"last","level":"loud","id":"no uuid","at_ms":"then"}}
        ],"after":["#,
        deep(1_000)
    );
    assert!(monitor.record_batch(&document));
    let (rows, losses) = result(monitor, folder.path());
    let names: Vec<_> = rows.iter().map(|(kind, _)| kind.as_str()).collect();
    assert_eq!(names, ["analytics", "analytics", "analytics", "hang", "message"]);
    assert_eq!(rows[1].1["attrs"], json!({"d": [[[["[too deep]"]]]], "beside": true}));
    assert_eq!(rows[2].1["name"], "lone\u{fffd}");
    assert_eq!(
        rows[2].1["attrs"],
        json!({"big": "Infinity", "more": 18_446_744_073_709_551_616.0, "n": 9_007_199_254_740_993_u64})
    );
    assert_eq!((&rows[3].1["duration_us"], &rows[3].1["cut"]), (&0.into(), &1.into()));
    assert_eq!((&rows[4].1["level"], &rows[4].1["cut"]), (&"info".into(), &3.into()));
    assert_eq!(
        rows[3].1["trail"][0],
        json!({"ts": NOW, "type": "default", "category": "", "message": "7", "level": "info", "cut": 1})
    );
    assert_eq!(rows[3].1["session"], Json::Null, "a batch cannot begin a session");
    assert_eq!(
        losses,
        [lost("malformed", "analytics", 2), lost("malformed", "metric", 1), lost("malformed", "unknown", 10)]
    );
}

#[test]
fn what_is_no_batch_is_refused_and_counted() {
    let folder = tempfile::tempdir().unwrap();
    let (monitor, _) = manual(folder.path());
    for text in ["", "hello", "[]", "{}", "null", r#"{"v":1}"#, r#"{"items":{"kind":"error"}}"#, "\u{0}\u{feff}"] {
        assert!(!monitor.record_batch(text), "{text}");
    }
    // Written for readers of version 3; the same written for all.
    assert!(!monitor.record_batch(r#"{"v":3,"min":3,"items":[{"kind":"error","type":"E"},{"breadcrumb":{}}]}"#));
    assert!(monitor.record_batch(r#"{"v":3,"min":1,"items":[{"kind":"error","type":"E"}]}"#));
    // Cut inside its second event.
    assert!(!monitor.record_batch(r#"{"v":1,"items":[{"kind":"analytics","name":"whole"},{"kind":"analytics","na"#));
    assert!(monitor.record_batch(r#"{"v":1,"items":[]}"#));
    let (rows, losses) = result(monitor, folder.path());
    assert_eq!(rows.iter().map(|(kind, _)| kind.as_str()).collect::<Vec<_>>(), ["error", "analytics"]);
    assert_eq!(
        losses,
        [
            lost("gate malformed", "unknown", 9),
            lost("gate migration", "error", 1),
            lost("gate migration", "unknown", 1)
        ]
    );
}

#[test]
fn ten_thousand_events_are_stored_or_counted_and_an_item_over_a_record_is_too_large() {
    let folder = tempfile::tempdir().unwrap();
    let (monitor, _) = manual(folder.path());
    let many: Vec<_> = (0..10_000).map(|n| json!({"kind": "analytics", "name": format!("event {n}")})).collect();
    let _ = monitor.record_batch(&doc(&many));
    monitor.persist(WAIT).unwrap();
    let big = json!({"kind": "analytics", "name": "big", "attrs": {"text": "x".repeat(40_000)}});
    let small = json!({"kind": "analytics", "name": "small"});
    assert!(!monitor.record_batch(&doc(&[small.clone(), big, small])));
    let (rows, losses) = result(monitor, folder.path());
    let full: u64 = losses.iter().filter(|(reason, ..)| reason == "gate ring_full").map(|(_, _, n)| n).sum();
    assert_eq!(rows.len() as u64 + full, 10_002);
    assert!(rows.len() > 3_000 && losses.contains(&lost("gate too_large", "analytics", 1)), "{losses:?}");
    assert!(rows.windows(2).all(|pair| pair[0].1["name"] != pair[1].1["name"] || pair[0].1["name"] == "small"));
}

#[test]
fn each_event_of_a_batch_obeys_consent_and_sampling_of_its_kind() {
    let folder = tempfile::tempdir().unwrap();
    let config = config(folder.path()).sample(Kind::Interaction, 0.0).build().unwrap();
    let monitor = Monitor::open(config).unwrap();
    let items = [
        json!({"kind": "analytics", "name": "bought"}),
        json!({"kind": "screen_view", "name": "Cart"}),
        json!({"kind": "interaction", "action": "tap", "component": "Pay"}),
        json!({"breadcrumb": {"message": "a note"}}),
        json!({"kind": "error", "type": "E"}),
    ];
    monitor.set_consent(Purpose::Analytics, Consent::Denied);
    assert!(monitor.record_batch(&doc(&items)));
    assert!(!monitor.record_batch(&doc(&items[..1])), "none of its purposes is granted");
    monitor.set_consent(Purpose::Analytics, Consent::Granted);
    monitor.set_consent(Purpose::Monitoring, Consent::Denied);
    assert!(monitor.record_batch(&doc(&items)));
    monitor.set_consent(Purpose::Monitoring, Consent::Granted);
    let _ = monitor.error(ErrorEvent::new("Last", ""));
    let (rows, losses) = result(monitor, folder.path());
    let found: Vec<_> = rows.iter().map(|(kind, json)| (kind.as_str(), json["denied"].as_str())).collect();
    // A denial erases what no other granted purpose needs: of the first batch only the view of the screen is left.
    assert_eq!(
        found,
        [("screen_view", Some("analytics")), ("analytics", None), ("screen_view", Some("monitoring")), ("error", None)]
    );
    assert_eq!(rows[3].1["trail"], json!([]));
    assert!(losses.contains(&lost("gate sampled", "interaction", 2)), "{losses:?}");
    assert!(losses.contains(&lost("gate consent", "analytics", 1)), "{losses:?}");
    assert!(losses.contains(&lost("gate consent", "unknown", 1)), "the breadcrumb {losses:?}");
    assert!(losses.iter().any(|(reason, kind, n)| (reason.as_str(), kind.as_str(), *n) == ("consent", "analytics", 1)));
}

#[test]
fn a_scope_change_in_a_refused_batch_is_not_lost() {
    let folder = tempfile::tempdir().unwrap();
    let (monitor, _) = manual(folder.path());
    let user = json!({"scope": "user", "id": "u-2"});
    monitor.set_consent(Purpose::Analytics, Consent::Denied);
    assert!(!monitor.record_batch(&doc(&[json!({"kind": "analytics", "name": "no"}), user.clone()])));
    let _ = monitor.error(ErrorEvent::new("E", "after"));
    // A full ring: nothing is folded meanwhile, because the folder is not open yet.
    let full = tempfile::tempdir().unwrap();
    let (other, _) = manual(full.path());
    other.suspend(WAIT);
    let fill =
        json!({"kind": "metric", "name": "fill", "type": "counter", "value": 1, "attrs": {"x": "x".repeat(6_000)}});
    while other.record_batch(&doc(std::slice::from_ref(&fill))) {}
    let error = json!({"kind": "error", "type": "Fill", "attrs": {"x": "x".repeat(6_000)}});
    while other.record_batch(&doc(std::slice::from_ref(&error))) {}
    assert!(!other.record_batch(&doc(&[user, error])));
    other.resume();
    other.persist(WAIT).unwrap();
    let _ = other.error(ErrorEvent::new("E", "after"));
    for (monitor, folder) in [(monitor, &folder), (other, &full)] {
        let (rows, _) = result(monitor, folder.path());
        assert_eq!(rows.last().unwrap().1["user"]["id"], "u-2");
    }
}

#[test]
fn an_id_of_the_face_is_kept_if_it_is_a_uuid_of_version_7() {
    let folder = tempfile::tempdir().unwrap();
    let (monitor, _) = manual(folder.path());
    let own = "019f0c1e-7c1e-7a53-9b0e-3b6a3f0d9c11";
    let item = |id: &str| json!({"kind": "analytics", "name": id, "id": id});
    let ids = [own, "019f0c1e7c1e7a539b0e3b6a3f0d9c12", "6f1e1b3c-0f1e-4a53-9b0e-3b6a3f0d9c11", "", "x"];
    assert!(monitor.record_batch(&doc(&ids.map(item))));
    monitor.close(WAIT);
    let reader = Reader::open(folder.path()).unwrap();
    let found: Vec<_> = reader.list(&Filter::default()).unwrap().into_iter().map(|one| one.row).collect();
    let ids: std::collections::BTreeSet<_> = found.iter().map(|row| row.id).collect();
    assert_eq!(ids.len(), 5);
    for row in &found {
        let json: Json = serde_json::from_str(&row.json).unwrap();
        let given = uuid::Uuid::try_parse(json["name"].as_str().unwrap()).ok().filter(|id| id.get_version_num() == 7);
        assert_eq!(given.is_some_and(|given| given.into_bytes() == *row.id.as_bytes()), given.is_some());
        assert_eq!(json["cut"], if given.is_some() { Json::Null } else { 1.into() });
        assert_eq!(uuid::Uuid::from_bytes(*row.id.as_bytes()).get_version_num(), 7);
    }
}

#[test]
fn the_last_event_of_a_fatal_batch_is_a_crash_with_what_stands_before_it() {
    let folder = tempfile::tempdir().unwrap();
    let (monitor, _) = manual(folder.path());
    let document = doc(&[
        json!({"breadcrumb": {"message": "before"}}),
        json!({"kind": "analytics", "name": "before"}),
        json!({"kind": "error", "type": "TypeError", "message": "x is undefined", "mechanism": "onerror",
            "id": "019f0c1e-7c1e-7a53-9b0e-3b6a3f0d9c11"}),
        json!({"breadcrumb": {"message": "after"}}),
    ]);
    let Durability::Synced(id) = monitor.record_fatal(&document, WAIT) else { panic!("not synced") };
    assert_eq!(id.to_string(), "019f0c1e-7c1e-7a53-9b0e-3b6a3f0d9c11");
    for text in ["", r#"{"items":[{"breadcrumb":{}}]}"#, r#"{"items":[{"kind":"error"}]}"#] {
        assert_eq!(monitor.record_fatal(text, WAIT), Durability::Dropped(Reason::Malformed), "{text}");
    }
    let (rows, losses) = result(monitor, folder.path());
    assert_eq!(rows.iter().map(|(kind, _)| kind.as_str()).collect::<Vec<_>>(), ["analytics", "crash"]);
    let crash = &rows[1].1;
    assert_eq!(
        (&crash["level"], &crash["handled"], &crash["mechanism"]),
        (&"fatal".into(), &false.into(), &"onerror".into())
    );
    assert_eq!(crash["trail"].as_array().unwrap().len(), 1);
    assert_eq!(losses, [lost("gate malformed", "crash", 3)]);
}

#[test]
fn durations_of_a_batch_are_in_the_metrics_once() {
    let folder = tempfile::tempdir().unwrap();
    let (monitor, _) = manual(folder.path());
    let call = json!({"kind": "api_call", "url": "https://a.example/b", "duration_us": 1_000});
    assert!(monitor.record_batch(&doc(&[call.clone(), call])));
    monitor.persist(WAIT).unwrap();
    let metrics = monitor.metrics();
    assert_eq!((metrics[0].name.as_str(), metrics[0].count, metrics[0].last), ("api_/b", 2, 1_000));
    drop(result(monitor, folder.path()));
}
