//! Tests of the validators for Mixpanel, GA4, Slack and PagerDuty: the bodies of our encoders pass, invalid bodies do not.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use rez_monitor::destination::{Batch, Destination, Ga4, Granted, Mixpanel, PagerDuty, Slack, Stamp, Want};
use rez_monitor::transport::Request;
use rez_monitor::{EventId, Kind, Purpose, Row, Run, limits};
use rez_monitor_tests::contract::json_files;
use rez_monitor_tests::vendor_server::ReceivedRequest;
use rez_monitor_tests::vendors::{Ga4Rules, MixpanelRules, PagerDutyRules, SlackRules, Vendor};
use serde_json::{Value, json};

const WALL: i64 = 1_795_400_000_123;

fn mixpanel() -> Mixpanel {
    Mixpanel::builder("T0K3N").purposes(&Purpose::ALL).errors(true).interactions(true).api_calls(true).build().unwrap()
}

fn web() -> Ga4 {
    Ga4::web_stream("G-1", "s3cret").purposes(&Purpose::ALL).api_calls(true).build().unwrap()
}

fn app() -> Ga4 {
    let builder = Ga4::app_stream("12", "0123456789abcdef0123456789abcdef", "s3cret");
    builder.purposes(&Purpose::ALL).api_calls(true).build().unwrap()
}

fn mixpanel_rules() -> MixpanelRules {
    MixpanelRules { token: "T0K3N".into(), now_ms: WALL }
}

fn ga4_rules(app: bool) -> Ga4Rules {
    let stream = if app { "12" } else { "G-1" };
    Ga4Rules { stream: stream.into(), secret: "s3cret".into(), app, now_ms: WALL }
}

const WEBHOOK: &str = "/services/T0/B0/s3cret";

const ROUTING_KEY: &str = "0123456789abcdef0123456789abcdef";

fn slack() -> Slack {
    Slack::builder(format!("https://hooks.slack.com{WEBHOOK}")).build().unwrap()
}

fn slack_rules() -> SlackRules {
    SlackRules { path: WEBHOOK.into() }
}

fn pagerduty() -> PagerDuty {
    PagerDuty::builder(ROUTING_KEY).build().unwrap()
}

fn pagerduty_rules() -> PagerDutyRules {
    PagerDutyRules { routing_key: ROUTING_KEY.into() }
}

/// Returns rows of every kind, with ordinary values and with values at and above every limit.
fn rows() -> Vec<Row> {
    let long = "é\u{0}\"x".repeat(400);
    let wild: serde_json::Map<String, Value> = (0..128).map(|n| (format!("_ga key {n} {long}"), json!(long))).collect();
    let deep = json!({"a": {"b": {"c": {"d": {"e": [1, [2, [3, [4]]]]}}}}, "list": [[[[1]]]], "items": [1, {"id": long}, null, {"name": {}}]});
    let odd = json!({"time": 1, "token": "x", "$insert_id": "y", "distinct_id": "z", "ip": "1.2.3.4", "session_id": 9,
        "engagement_time_msec": -4, "": 1, "$user_id": "", "currency": 5, "value": "much", "transactionId": [1]});
    let names =
        ["view_item", "", "$merge", "session_start", "error", "dynamic_link_x", "3 d", long.as_str(), "__", "purchase"];
    let users = [
        Value::Null,
        json!({"id": "u-1"}),
        json!({"id": "null", "anonymous": "d-2"}),
        json!({"id": long}),
        json!({"id": 7}),
    ];
    let mut rows = Vec::new();
    for kind in Kind::ALL {
        for (at, name) in names.iter().enumerate() {
            let attrs = [json!({}), Value::Object(wild.clone()), deep.clone(), odd.clone()][at % 4].clone();
            let user = users[at % users.len()].clone();
            let op = ["set", "increment", "append"][at % 3];
            let items = [
                json!([{"id": "p1", "name": "Chai", "price": 5}]),
                json!([]),
                json!("none"),
                Value::Null,
                deep.clone(),
            ];
            let value = [json!(long), json!(3), deep.clone()][at % 3].clone();
            let items = items[at % 5].clone();
            let severity = ["critical", "info", "bad"][at % 3];
            let json = json!({
                "name": name, "attrs": attrs, "user": user, "op": op, "by": 2.0, "value": value,
                "amount": 9.5, "currency": "INR", "transaction_id": long, "items": items, "type": long, "message": long,
                "action": "tap", "component": long, "method": "GET", "endpoint": "/p/:id", "status": 200, "duration_us": 1_500_000,
                "session": "s-1", "view": {"name": long}, "title": name, "description": long, "collapsed_before": at,
                "severity": severity,
            });
            rows.push(row(rows.len(), kind, json));
        }
        rows.push(row(rows.len(), kind, json!({})));
        rows.push(row(rows.len(), kind, json!([])));
    }
    rows
}

fn row(n: usize, kind: Kind, json: Value) -> Row {
    let mut id = [7; 16];
    id[..8].copy_from_slice(&(n as u64).to_be_bytes());
    let seq = (1 << 40) + n as u64;
    Row {
        seq,
        id: EventId::from_bytes(id),
        kind,
        run: 1,
        wall_ms: WALL,
        mono_ms: 4_000,
        targets: vec![],
        json: json.to_string(),
    }
}

fn run() -> Run {
    let (app, release, os) = ("shop".into(), "shop@1.4.0".repeat(40), "Android 15".into());
    Run { number: 1, app, release, os, environment: Some("ci".into()), device: Some("Pixel".into()), ..Run::default() }
}

/// Returns all requests of a destination, split into batches as the delivery thread does.
fn requests(destination: &dyn Destination, rows: &[Row]) -> Vec<Request> {
    let stamp = Stamp { boot: "boot", wall_ms: WALL, mono_ms: 9, attempt: 0, last_status: 0 };
    let runs = [run()];
    let mut requests = Vec::new();
    for route in destination.routes() {
        let wanted: Vec<&Row> = rows.iter().filter(|row| destination.wants(route, row) == Want::Yes).collect();
        let mut cut: Vec<Row> = Vec::new();
        let mut send = |cut: &mut Vec<Row>| {
            let install = "99999999-0000-4000-8000-000000000001";
            let batch = Batch {
                batch_id: "b",
                install,
                epoch: 1,
                rows: cut,
                runs: &runs,
                lost: &[],
                granted: Granted::default(),
            };
            requests.push(destination.encode(route, &batch, &stamp));
            cut.clear();
        };
        for row in wanted {
            let bytes: usize = cut.iter().map(|row| row.json.len()).sum();
            let fits = cut.len() < route.max_events && bytes + row.json.len() <= route.max_bytes;
            let full = cut.first().is_some_and(|first| !fits || !destination.fits(route, first, cut.len(), row));
            if full {
                send(&mut cut);
            }
            cut.push(row.clone());
        }
        send(&mut cut);
    }
    requests
}

fn seen(request: &Request) -> ReceivedRequest {
    let after = request.url.splitn(4, '/').nth(3).unwrap();
    let (path, query) = after.split_once('?').unwrap_or((after, ""));
    ReceivedRequest {
        path: format!("/{path}"),
        query: query.to_owned(),
        headers: request.headers.iter().map(|(name, value)| (name.to_ascii_lowercase(), value.clone())).collect(),
        body: request.body.clone(),
        compressed: false,
    }
}

#[test]
fn requests_for_rows_of_every_kind_and_size_are_valid() {
    let rows = rows();
    let (mixpanel_rules, web_rules, app_rules) = (mixpanel_rules(), ga4_rules(false), ga4_rules(true));
    let (mixpanel, web, app) = (mixpanel(), web(), app());
    let (slack, slack_rules, pagerduty, pagerduty_rules) = (slack(), slack_rules(), pagerduty(), pagerduty_rules());
    let all: [(&dyn Destination, &dyn Vendor, usize); 5] = [
        (&mixpanel, &mixpanel_rules, 50),
        (&web, &web_rules, 50),
        (&app, &app_rules, 50),
        (&slack, &slack_rules, 11),
        (&pagerduty, &pagerduty_rules, 2),
    ];
    // Larger rows are refused before they are stored. PagerDuty's limit of a request is the only one that they could break.
    let stored: Vec<Row> = rows.iter().filter(|row| row.json.len() <= limits::ROW_BYTES).cloned().collect();
    for (destination, vendor, least) in all {
        let is_pagerduty = destination.routes().iter().any(|route| route.name == "pagerduty.enqueue");
        let requests = requests(destination, if is_pagerduty { &stored } else { &rows });
        let mut events = 0;
        for request in &requests {
            let seen = seen(request);
            match vendor.read(&seen) {
                Ok(keys) => events += keys.len(),
                Err(problems) => panic!("{}: {problems:#?}", vendor.route(&seen)),
            }
        }
        let wanted = destination
            .routes()
            .iter()
            .map(|route| rows.iter().filter(|row| destination.wants(route, row) == Want::Yes).count());
        println!("{} requests, {events} events of {} rows", requests.len(), wanted.sum::<usize>());
        assert!(events > least, "{events}");
    }
}

#[test]
fn every_expected_request_of_the_vectors_is_valid() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("contract/expected");
    let mut read = 0;
    for name in ["ga4", "mixpanel", "slack/server", "pagerduty/server"] {
        for path in json_files(&folder.join(name)) {
            let routes: Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
            for (route, request) in
                routes.as_object().unwrap().iter().flat_map(|(route, requests)| {
                    requests.as_array().unwrap().iter().map(move |request| (route, request))
                })
            {
                let headers = request["headers"].as_object().unwrap().iter();
                let headers = headers.map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned())).collect();
                let body = request["json"].to_string().into_bytes();
                let mut seen = seen(&Request { url: request["url"].as_str().unwrap().to_owned(), headers, body });
                let firebase = seen.query.contains("firebase_app_id");
                seen.query = seen.query.replace("G-1A2B3C4D5E", "G-1");
                seen.query = seen.query.replace("1%3A1234567890%3Aandroid%3A321abc456def7890", "12");
                let (ga4, mixpanel, slack, pagerduty) =
                    (ga4_rules(firebase), mixpanel_rules(), slack_rules(), pagerduty_rules());
                let vendor: &dyn Vendor = match name {
                    "ga4" => &ga4,
                    "mixpanel" => &mixpanel,
                    "slack/server" => &slack,
                    _ => &pagerduty,
                };
                assert_eq!(vendor.route(&seen), route, "{}", path.display());
                vendor.read(&seen).unwrap_or_else(|problems| panic!("{}: {problems:?}", path.display()));
                read += 1;
            }
        }
    }
    assert!(read >= 40, "{read} requests");
}

/// Returns a valid request, from which invalid ones are made.
fn good(destination: &dyn Destination, kind: Kind, json: Value) -> ReceivedRequest {
    let rows = [row(1, kind, json)];
    let requests = requests(destination, &rows);
    let some = requests.iter().map(seen).find(|seen| seen.body.len() > 2 && !seen.body.ends_with(b"\"events\":[]}"));
    some.expect("a request with the row")
}

fn refused(vendor: &dyn Vendor, seen: &ReceivedRequest, expected: &str) {
    let problems = vendor.read(seen).expect_err(expected);
    assert!(problems.iter().any(|problem| problem.contains(expected)), "expected `{expected}`, found {problems:?}");
}

/// Replaces the value at a JSON pointer. `null` removes it.
fn with(seen: &ReceivedRequest, pointer: &str, value: Value) -> ReceivedRequest {
    let mut body: Value = serde_json::from_slice(&seen.body).unwrap();
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    let parent = body.pointer_mut(parent).unwrap_or_else(|| panic!("{parent}"));
    match (parent, value) {
        (Value::Object(map), Value::Null) => drop(map.remove(key).unwrap_or_else(|| panic!("{key}"))),
        (Value::Object(map), value) => drop(map.insert(key.to_owned(), value)),
        (Value::Array(list), value) => list[key.parse::<usize>().unwrap()] = value,
        _ => panic!("{pointer}"),
    }
    ReceivedRequest { body: body.to_string().into_bytes(), ..seen.clone() }
}

#[test]
fn an_invalid_import_is_rejected() {
    let vendor = mixpanel_rules();
    let event = good(&mixpanel(), Kind::Analytics, json!({"name": "n", "attrs": {"a": 1}, "user": {"id": "u-1"}}));
    assert!(vendor.read(&event).is_ok());
    let property = |name: &str| format!("/0/properties/{name}");
    let nested = json!({"a": {"b": {"c": {}}}});
    let many: serde_json::Map<String, Value> = (0..260).map(|n| (format!("p{n}"), json!(n))).collect();
    for (pointer, value, expected) in [
        ("/0/event".to_owned(), json!(""), "has no name"),
        ("/0/event".to_owned(), json!("$identify"), "Mixpanel's own"),
        ("/0/extra".to_owned(), json!(1), "odd members"),
        ("/0/properties".to_owned(), Value::Object(many), "260 properties"),
        (property("time"), Value::Null, "time 0"),
        (property("time"), json!(1_795_400_000), "in seconds"),
        (property("time"), json!(WALL + 7_200_000), "in the future"),
        (property("time"), json!("noon"), "time 0"),
        (property("distinct_id"), json!("undefined"), "distinct id `undefined`"),
        (property("distinct_id"), json!("somebody else"), "distinct_id is not u-1"),
        (property("distinct_id"), Value::Null, "distinct id ``"),
        (property("$user_id"), Value::Null, "distinct_id is not $device:"),
        (property("$insert_id"), Value::Null, "$insert_id ``"),
        (property("$insert_id"), json!("a".repeat(37)), "$insert_id"),
        (property("$insert_id"), json!("a_b"), "$insert_id"),
        (property("ip"), Value::Null, "ip is not 0"),
        (property("ip"), json!("1.2.3.4"), "ip is not 0"),
        (property("a"), json!("x".repeat(256)), "a is too long"),
        (property("a"), json!(vec![1; 255]), "too long or too deep"),
        (property("a"), nested, "too large or too deep"),
    ] {
        refused(&vendor, &with(&event, &pointer, value), expected);
    }
    refused(&vendor, &ReceivedRequest { path: "/track".into(), ..event.clone() }, "no such path");
    refused(&vendor, &ReceivedRequest { query: String::new(), ..event.clone() }, "strict=1");
    refused(&vendor, &ReceivedRequest { headers: [].into(), ..event.clone() }, "token");
    refused(&vendor, &ReceivedRequest { body: b"{}".to_vec(), ..event.clone() }, "no list");
    refused(&vendor, &ReceivedRequest { body: event.body[..20].to_vec(), ..event }, "no list");
}

#[test]
fn an_invalid_update_is_rejected() {
    let vendor = mixpanel_rules();
    let set = good(&mixpanel(), Kind::UserProp, json!({"op": "set", "name": "plan", "value": 1, "user": {"id": "u"}}));
    let add = good(&mixpanel(), Kind::UserProp, json!({"op": "increment", "name": "n", "by": 1, "user": {"id": "u"}}));
    let charge = good(&mixpanel(), Kind::Revenue, json!({"amount": 5, "user": {"id": "u"}}));
    assert!([&set, &add, &charge].iter().all(|seen| vendor.read(seen).is_ok()));
    for (seen, pointer, value, expected) in [
        (&set, "/0/$token", json!("other"), "wrong token"),
        (&set, "/0/$ip", Value::Null, "$ip is not 0"),
        (&set, "/0/$distinct_id", json!("0"), "distinct id `0`"),
        (&set, "/0/$set", Value::Null, "operations []"),
        (&set, "/0/$add", json!({"x": 1}), "operations"),
        (&set, "/0/$set", json!({}), "not one thing"),
        (&set, "/0/$set/plan", json!("x".repeat(256)), "too long"),
        (&add, "/0/$add/n", json!("1"), "$add of"),
        (&charge, "/0/$append/$transactions/$amount", json!("5"), "$amount"),
        (&charge, "/0/$append/$transactions/$time", json!(WALL), "$time"),
    ] {
        refused(&vendor, &with(seen, pointer, value), expected);
    }
    let mixed: Vec<Value> =
        [&set, &add].iter().map(|seen| serde_json::from_slice::<Value>(&seen.body).unwrap()[0].clone()).collect();
    refused(
        &vendor,
        &ReceivedRequest { body: json!(mixed).to_string().into_bytes(), ..set.clone() },
        "must not be repeated",
    );
    refused(&vendor, &ReceivedRequest { query: "verbose=1".into(), ..set.clone() }, "ip=0");
    refused(&vendor, &ReceivedRequest { compressed: true, ..set }, "no compressed body");
}

#[test]
fn an_invalid_collect_request_is_rejected() {
    let vendor = ga4_rules(false);
    let row = json!({"amount": 5, "currency": "INR", "transaction_id": "T1", "items": [{"id": "p", "name": "Chai"}], "user": {"id": "u"}});
    let event = good(&web(), Kind::Revenue, row);
    let property = good(&web(), Kind::UserProp, json!({"op": "set", "name": "plan", "value": "gold"}));
    assert!(vendor.read(&event).is_ok() && vendor.read(&property).is_ok());
    let param = |name: &str| format!("/events/0/params/{name}");
    let many: serde_json::Map<String, Value> = (0..26).map(|n| (format!("p{n}"), json!(n))).collect();
    for (pointer, value, expected) in [
        ("/events/0/name".to_owned(), json!("session_start"), "is Google's"),
        ("/events/0/name".to_owned(), json!("Bill Upload"), "the name"),
        ("/events/0/name".to_owned(), json!("ga_x"), "the name"),
        ("/events/0/name".to_owned(), json!("a".repeat(41)), "the name"),
        ("/events/0/timestamp_micros".to_owned(), json!(WALL), "over 72 h"),
        ("/events/0/timestamp_micros".to_owned(), json!((WALL - 73 * 3_600_000) * 1_000), "over 72 h"),
        ("/events/0/params".to_owned(), Value::Object(many), "26 parameters"),
        ("/events".to_owned(), json!([]), "0 events"),
        ("/events".to_owned(), json!(vec![json!({"name": "x"}); 26]), "26 events"),
        ("/client_id".to_owned(), Value::Null, "client_id"),
        ("/app_instance_id".to_owned(), json!("0"), "client_id"),
        ("/user_id".to_owned(), json!("x".repeat(257)), "user_id"),
        ("/odd".to_owned(), json!(1), "unknown members"),
        (param("session_id"), Value::Null, "session_id"),
        (param("session_id"), json!("s-1"), "session_id"),
        (param("engagement_time_msec"), Value::Null, "engagement_time_msec"),
        (param("page-title"), json!(1), "the name"),
        (param("a"), json!("x".repeat(101)), "too long"),
        (param("a"), json!(true), "neither text nor number"),
        (param("a"), json!({}), "neither text nor number"),
        (param("transaction_id"), Value::Null, "without transaction_id"),
        (param("items"), json!([]), "without transaction_id or items"),
        (param("items"), json!([{"price": 1}]), "without item_id"),
        (param("items"), json!([{"item_id": "a", "id": "a"}]), "item `id`"),
        (param("items"), json!([{"item_id": "a", "x": []}]), "neither text nor number"),
    ] {
        refused(&vendor, &with(&event, &pointer, value), expected);
    }
    refused(&vendor, &with(&property, "/user_properties/plan/value", json!("x".repeat(37))), "too long");
    let long = "p".repeat(25);
    refused(&vendor, &with(&property, &format!("/user_properties/{long}"), json!({"value": 1})), "the name");
    refused(&vendor, &ReceivedRequest { path: "/debug/mp/collect".into(), ..event.clone() }, "no such path");
    refused(&vendor, &ReceivedRequest { query: event.query.replace("s3cret", "x"), ..event.clone() }, "wrong secret");
    refused(
        &vendor,
        &ReceivedRequest { query: event.query.replace("measurement", "x"), ..event.clone() },
        "not the stream",
    );
    refused(&vendor, &ReceivedRequest { compressed: true, ..event.clone() }, "compressed");
    refused(&ga4_rules(true), &event, "app_instance_id");
    refused(&vendor, &ReceivedRequest { body: vec![b' '; 130_000], ..event.clone() }, "not JSON");
    let large = with(&event, "/client_id", json!("x".repeat(130_000)));
    refused(&vendor, &large, "bytes");
    refused(&vendor, &ReceivedRequest { body: event.body[..30].to_vec(), ..event }, "not JSON");
}

#[test]
fn an_invalid_message_is_rejected() {
    let vendor = slack_rules();
    let alert = json!({"title": "Down", "description": "d", "severity": "error", "attrs": {"a": 1}});
    let message = good(&slack(), Kind::Alert, alert);
    assert!(vendor.read(&message).is_ok());
    let of = |name: &str| format!("/attachments/0/{name}");
    for (pointer, value, expected) in [
        (of("title"), json!(""), "no_text"),
        (of("title"), json!("a\nb"), "two lines"),
        (of("title"), json!("<!channel>"), "has a `<`"),
        (of("title"), json!(5), "not a text"),
        (of("text"), json!("a & b"), "bare `&`"),
        (of("text"), json!("\u{7}"), "has Some"),
        (of("fallback"), Value::Null, "fallback"),
        (of("color"), json!("red"), "color"),
        (of("ts"), json!(WALL), "ts"),
        (of("ts"), json!("1"), "ts"),
        (of("footer"), json!("f".repeat(301)), "above 300"),
        (of("fields"), json!({}), "no list"),
        (of("fields/0"), json!({"title": "a", "value": "1"}), "field"),
        (of("fields/0"), json!({"title": "a", "value": 1, "short": true}), "not a text"),
        (of("odd"), json!(1), "unknown members"),
        ("/attachments".to_owned(), json!([]), "0 attachments"),
        ("/channel".to_owned(), json!("#general"), "members beside"),
    ] {
        refused(&vendor, &with(&message, &pointer, value), expected);
    }
    refused(&vendor, &ReceivedRequest { path: "/services/T0/B0/other".into(), ..message.clone() }, "no_service");
    refused(&vendor, &ReceivedRequest { headers: [].into(), ..message.clone() }, "content type");
    refused(&vendor, &ReceivedRequest { compressed: true, ..message.clone() }, "compressed");
    refused(&vendor, &ReceivedRequest { body: b"payload=x".to_vec(), ..message }, "not JSON");
}

#[test]
fn an_invalid_trigger_is_rejected() {
    let vendor = pagerduty_rules();
    let alert = json!({"title": "Down", "description": "d", "severity": "critical", "attrs": {"a": 1}});
    let event = good(&pagerduty(), Kind::Alert, alert);
    assert!(vendor.read(&event).is_ok());
    let of = |name: &str| format!("/payload/{name}");
    for (pointer, value, expected) in [
        ("/routing_key".to_owned(), json!("other"), "routing_key"),
        ("/event_action".to_owned(), json!("resolve"), "event_action"),
        ("/dedup_key".to_owned(), json!("k".repeat(256)), "dedup_key"),
        ("/dedup_key".to_owned(), Value::Null, "dedup_key"),
        ("/odd".to_owned(), json!(1), "unknown members"),
        (of("summary"), json!(" "), "missing or blank"),
        (of("summary"), json!("s".repeat(1_025)), "a summary of 1025"),
        (of("source"), Value::Null, "'payload.source'"),
        (of("severity"), json!("fatal"), "'payload.severity'"),
        (of("timestamp"), json!(WALL.to_string()), "timestamp"),
        (of("custom_details"), json!("text"), "no object"),
        (of("odd"), json!(1), "unknown members"),
        ("/payload".to_owned(), json!([]), "no object"),
    ] {
        refused(&vendor, &with(&event, &pointer, value), expected);
    }
    refused(&vendor, &with(&event, "/client", json!("x".repeat(600_000))), "bytes");
    refused(&vendor, &ReceivedRequest { path: "/v2/change/enqueue".into(), ..event.clone() }, "no such path");
    refused(&vendor, &ReceivedRequest { headers: [].into(), ..event }, "content type");
}
