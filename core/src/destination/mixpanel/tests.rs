use super::*;
use crate::destination::{Action, Granted, RowOutcome};
use crate::id::EventId;
use crate::reason::Reason;
use crate::row::Run;
use crate::transport::UrlError;
use serde_json::{Value, json};

const DAY: i64 = 24 * 3_600_000;

fn run() -> Run {
    Run {
        number: 1,
        id: "run".into(),
        boot: "boot".into(),
        app: "shop".into(),
        release: "shop@1.4.0".into(),
        dist: Some("77".into()),
        environment: Some("production".into()),
        os: "Android 15".into(),
        device: Some("Pixel 9".into()),
        ..Run::default()
    }
}

fn row(n: u8, kind: Kind, fields: Value) -> Row {
    Row {
        seq: 1 << 40 | u64::from(n),
        id: EventId::from_bytes([n; 16]),
        kind,
        run: 1,
        wall_ms: 1_795_400_000_123,
        mono_ms: 4_000,
        targets: vec![],
        json: fields.to_string(),
    }
}

fn batch<'a>(rows: &'a [Row], runs: &'a [Run]) -> Batch<'a> {
    Batch { batch_id: "b1", install: "device-1", epoch: 1, rows, runs, lost: &[], granted: Granted::default() }
}

fn mixpanel() -> Mixpanel {
    Mixpanel::builder("T0K3N").build().unwrap()
}

fn sent(spec: &RouteSpec, rows: &[Row]) -> Value {
    let stamp = Stamp { boot: "boot", wall_ms: 9, mono_ms: 9, attempt: 0, last_status: 0 };
    let request = mixpanel().encode(spec, &batch(rows, &[run()]), &stamp);
    serde_json::from_slice(&request.body).unwrap()
}

fn header<'a>(request: &'a Request, name: &str) -> Option<&'a str> {
    request.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
}

#[test]
fn an_event_keeps_its_attributes_and_gets_id_time_and_identity() {
    let fields = json!({"name": "Bill Upload", "attrs": {"amount": 12.5, "ok": true, "tags": ["a", 1]},
        "user": {"id": "u-1", "email": "a@b.example"}, "session": "s-1", "view": {"name": "Cart"}});
    let event = sent(&IMPORT, &[row(1, Kind::Analytics, fields)]);
    assert_eq!(
        event,
        json!([{"event": "Bill Upload", "properties": {
            "time": 1_795_400_000_123_i64, "distinct_id": "u-1", "$user_id": "u-1", "$device_id": "device-1",
            "$insert_id": "01010101-0101-0101-0101-010101010101", "ip": 0,
            "amount": 12.5, "ok": true, "tags": ["a", 1],
            "session_id": "s-1", "screen": "Cart", "app": "shop", "environment": "production",
            "$app_version_string": "shop@1.4.0", "$app_build_number": "77", "$os": "Android 15", "$model": "Pixel 9",
            "mp_lib": "rez-monitor", "$lib_version": env!("CARGO_PKG_VERSION"),
        }}])
    );
}

#[test]
fn an_event_without_a_user_id_belongs_to_the_device() {
    let ids = |user: Value| {
        let event = sent(&IMPORT, &[row(1, Kind::Analytics, json!({"name": "n", "user": user}))]);
        let of = |name: &str| event[0]["properties"][name].as_str().map(str::to_owned);
        (of("distinct_id").unwrap(), of("$device_id").unwrap(), of("$user_id"))
    };
    let three = |a: &str, b: &str, c: Option<&str>| (a.to_owned(), b.to_owned(), c.map(str::to_owned));
    assert_eq!(ids(Value::Null), three("$device:device-1", "device-1", None));
    assert_eq!(ids(json!({"anonymous": "d-2"})), three("$device:d-2", "d-2", None));
    assert_eq!(ids(json!({"id": "u", "anonymous": "d-2"})), three("u", "d-2", Some("u")));
    assert_eq!(ids(json!({"id": 4711})), three("4711", "device-1", Some("4711")));
    for nobody in ["null", "Undefined", "0", "-1", "", " NONE ", "anonymous", "true", "N/A"] {
        assert_eq!(ids(json!({"id": nobody})), three("$device:device-1", "device-1", None), "{nobody:?}");
    }
}

#[test]
fn each_kind_goes_to_its_route() {
    let everything = Mixpanel::builder("T").errors(true).interactions(true).api_calls(true).build().unwrap();
    let usual = mixpanel();
    let routes = |of: &Mixpanel, kind, fields: Value| {
        let row = row(1, kind, fields);
        let wanted = ROUTES.iter().filter(|route| of.wants(route, &row) == Want::Yes);
        wanted.map(|route| route.name.trim_start_matches("mixpanel.")).collect::<Vec<_>>()
    };
    for (kind, fields, by_default, with_all) in [
        (Kind::Analytics, json!({"name": "n"}), &["import"][..], &["import"][..]),
        (Kind::ScreenView, json!({"name": "n"}), &["import"], &["import"]),
        (Kind::ScreenLoad, json!({"name": "n"}), &["import"], &["import"]),
        (Kind::UserProp, json!({"op": "set"}), &["set"], &["set"]),
        (Kind::UserProp, json!({"op": "increment"}), &["add"], &["add"]),
        (Kind::UserProp, json!({"op": "append"}), &["add"], &["add"]),
        (Kind::Revenue, json!({"amount": 5}), &["add"], &["add"]),
        (Kind::Revenue, json!({"amount": 5, "transaction_id": "t"}), &["import", "add"], &["import", "add"]),
        (Kind::Revenue, json!({"amount": 5, "items": [{}]}), &["import", "add"], &["import", "add"]),
        (Kind::Interaction, json!({}), &[], &["import"]),
        (Kind::Error, json!({}), &[], &["import"]),
        (Kind::Crash, json!({}), &[], &["import"]),
        (Kind::ApiCall, json!({}), &[], &["import"]),
        (Kind::Session, json!({}), &[], &[]),
        (Kind::ImageLoad, json!({}), &[], &[]),
        (Kind::Metric, json!({}), &[], &[]),
        (Kind::Feedback, json!({}), &[], &[]),
        (Kind::Message, json!({}), &[], &[]),
    ] {
        assert_eq!(routes(&usual, kind, fields.clone()), by_default, "{kind:?} {fields}");
        assert_eq!(routes(&everything, kind, fields.clone()), with_all, "{kind:?} {fields}, all switched on");
    }
}

#[test]
fn kinds_other_than_analytics_have_fixed_event_names() {
    for (kind, fields, name, properties) in [
        (
            Kind::ScreenView,
            json!({"name": "Home", "class": "HomeScreen"}),
            "Screen View",
            json!({"screen_name": "Home", "screen_class": "HomeScreen"}),
        ),
        (
            Kind::ScreenLoad,
            json!({"name": "Home", "duration_us": 321_900}),
            "Screen Load",
            json!({"screen_name": "Home", "duration_ms": 321}),
        ),
        (
            Kind::Revenue,
            json!({"amount": 499.5, "currency": "INR", "transaction_id": "T1", "items": [{"id": "p1"}]}),
            "Purchase",
            json!({"amount": 499.5, "currency": "INR", "transaction_id": "T1", "items": [{"id": "p1"}]}),
        ),
        (
            Kind::Interaction,
            json!({"action": "tap", "component": "Pay"}),
            "Interaction",
            json!({"action": "tap", "component": "Pay"}),
        ),
        (
            Kind::ApiCall,
            json!({"method": "GET", "endpoint": "/p/:id", "status": 200, "duration_us": 5_000}),
            "API Call",
            json!({"method": "GET", "endpoint": "/p/:id", "status": 200, "duration_ms": 5}),
        ),
        (Kind::Error, json!({"type": "E", "message": "m"}), "App Error", json!({"type": "E", "message": "m"})),
        (Kind::Crash, json!({"type": "E"}), "App Crash", json!({"type": "E"})),
    ] {
        let event = sent(&IMPORT, &[row(1, kind, fields)]);
        assert_eq!(event[0]["event"], name);
        for (key, value) in properties.as_object().unwrap() {
            assert_eq!(&event[0]["properties"][key], value, "{name}");
        }
    }
}

#[test]
fn profile_updates_set_add_and_append_and_revenue_is_a_transaction() {
    let user = json!({"id": "u-1"});
    let set = json!({"op": "set", "name": "plan", "value": "gold", "user": user});
    assert_eq!(
        sent(&SET, &[row(1, Kind::UserProp, set)]),
        json!([{"$token": "T0K3N", "$distinct_id": "u-1", "$ip": "0", "$set": {"plan": "gold"}}])
    );
    let add = json!({"op": "increment", "name": "purchases", "by": 1.0, "value": 7.0, "user": user});
    let append = json!({"op": "append", "name": "stores", "value": "S1", "user": {"anonymous": "d"}});
    let charge = json!({"amount": 12.5, "currency": "EUR", "attrs": {"store": "S1"}, "user": user});
    assert_eq!(
        sent(&ADD, &[row(1, Kind::UserProp, add), row(2, Kind::UserProp, append), row(3, Kind::Revenue, charge)]),
        json!([
            {"$token": "T0K3N", "$distinct_id": "u-1", "$ip": "0", "$add": {"purchases": 1.0}},
            {"$token": "T0K3N", "$distinct_id": "$device:d", "$ip": "0", "$append": {"stores": "S1"}},
            {"$token": "T0K3N", "$distinct_id": "u-1", "$ip": "0", "$append": {"$transactions":
                {"$amount": 12.5, "$time": "2026-11-23T02:13:20", "currency": "EUR", "store": "S1"}}},
        ])
    );
}

#[test]
fn values_that_mixpanel_does_not_accept_are_changed_with_a_note_and_the_event_is_sent() {
    let long = "x".repeat(300);
    let attrs = json!({"time": "noon", "token": 1, "$insert_id": "mine", "": 2, "long": long,
        "deep": {"a": {"b": {"c": {"d": 1}}}}, "distinct_id": "other"});
    let row = row(1, Kind::Analytics, json!({"name": "$identify", "attrs": attrs}));
    let event = sent(&IMPORT, std::slice::from_ref(&row));
    let properties = &event[0]["properties"];
    assert_eq!(event[0]["event"], "app_$identify");
    assert_eq!(properties["time"], 1_795_400_000_123_i64);
    assert_eq!(properties["app_time"], "noon");
    assert_eq!(properties["app_token"], 1);
    assert_eq!(properties["app_$insert_id"], "mine");
    assert_eq!(properties["app_distinct_id"], "other");
    assert_eq!(properties["unnamed"], 2);
    assert_eq!(properties["long"].as_str().unwrap().len(), 255);
    assert_eq!(properties["deep"]["a"]["b"]["c"], json!("{\"d\":1}"));
    let notes = mixpanel().notes(&IMPORT, &row);
    let noted: Vec<&str> = notes.iter().map(|note| note.field.as_str()).collect();
    assert_eq!(noted, ["", "$insert_id", "deep", "distinct_id", "long", "time", "token", "name"]);
    assert_eq!(notes[7].what, "sent as `app_$identify`");
}

#[test]
fn the_automatic_events_of_mixpanels_own_packages_keep_their_names() {
    for name in ["$ae_first_open", "$ae_updated", "$ae_session"] {
        let row = row(1, Kind::Analytics, json!({"name": name, "attrs": {"$ae_session_length": 12.3}}));
        let event = sent(&IMPORT, std::slice::from_ref(&row));
        assert_eq!((&event[0]["event"], &event[0]["properties"]["$ae_session_length"]), (&json!(name), &json!(12.3)));
        assert!(mixpanel().notes(&IMPORT, &row).is_empty());
    }
}

#[test]
fn an_unreadable_row_and_a_time_before_1971_are_sent() {
    let mut row = row(1, Kind::Analytics, json!({}));
    row.json = "[]".into();
    row.wall_ms = -5;
    let event = sent(&IMPORT, std::slice::from_ref(&row));
    assert_eq!(event[0]["event"], "unnamed");
    assert_eq!(event[0]["properties"]["time"], 365 * DAY + 1);
    row.wall_ms = i64::MAX;
    row.kind = Kind::Revenue;
    assert!(sent(&ADD, &[row])[0]["$append"]["$transactions"]["$amount"].is_number());
}

#[test]
fn each_route_has_its_address_and_its_credentials() {
    let stamp = Stamp { boot: "boot", wall_ms: 9, mono_ms: 9, attempt: 0, last_status: 0 };
    let rows = [row(1, Kind::UserProp, json!({"op": "set", "name": "a", "value": 1}))];
    let runs = [run()];
    let at = |of: &Mixpanel, spec| of.encode(spec, &batch(&rows, &runs), &stamp);
    let import = at(&mixpanel(), &IMPORT);
    assert_eq!(import.url, "https://api.mixpanel.com/import?strict=1");
    assert_eq!(header(&import, "Authorization"), Some("Basic VDBLM046"));
    assert_eq!(header(&import, "Content-Type"), Some("application/json"));
    let set = at(&mixpanel(), &SET);
    assert_eq!(set.url, "https://api.mixpanel.com/engage?verbose=1&ip=0");
    assert_eq!(header(&set, "Authorization"), None);
    let eu = Mixpanel::builder("T").region(MixpanelRegion::Eu).build().unwrap();
    assert_eq!(at(&eu, &ADD).url, "https://api-eu.mixpanel.com/engage?verbose=1&ip=0");
    let india = Mixpanel::builder("T").region(MixpanelRegion::India).build().unwrap();
    assert_eq!(at(&india, &IMPORT).url, "https://api-in.mixpanel.com/import?strict=1");
    let own = Mixpanel::builder("T").endpoint("http://127.0.0.1:9/mp/").build().unwrap();
    assert_eq!(at(&own, &IMPORT).url, "http://127.0.0.1:9/mp/import?strict=1");
    let routes = mixpanel().routes().iter().map(|route| (route.name, route.gzip, route.at_most_once));
    assert_eq!(
        routes.collect::<Vec<_>>(),
        [("mixpanel.import", true, false), ("mixpanel.set", false, false), ("mixpanel.add", false, true)]
    );
}

#[test]
fn an_invalid_setting_is_named_and_the_token_is_never_shown() {
    let build = |token: &str, endpoint: &str| Mixpanel::builder(token).endpoint(endpoint).build().unwrap_err();
    let good = "https://mp.example.com";
    assert_eq!(build("", good), DestinationError::Empty { part: "project token" });
    assert_eq!(build("T\n", good), DestinationError::NotAHeader { part: "project token", at: 1 });
    assert_eq!(build("a:b", good).to_string(), "project token: a token does not contain `:`");
    assert_eq!(build("T", "https:///import"), DestinationError::Endpoint(UrlError::NoHost));
    assert_eq!(
        build("T", "http://mp.example.com"),
        DestinationError::Endpoint(UrlError::Plain("mp.example.com".into()))
    );
    assert_eq!(Mixpanel::builder("T").purposes(&[]).build().unwrap_err(), DestinationError::NoPurpose);
    let shown = format!("{:?} {:?}", mixpanel(), Mixpanel::builder("T0K3N"));
    assert!(!shown.contains("T0K3N") && !shown.contains("VDBLM046"), "{shown}");
    let hash = |token: &str, endpoint: &str| Mixpanel::builder(token).endpoint(endpoint).build().unwrap().key_hash();
    assert!(hash("a", good) != hash("b", good) && hash("a", good) != hash("a", "https://other.example.com"));
}

/// A response: status, headers, body.
fn response(status: u16, headers: &[(&str, &str)], body: &str) -> Response {
    let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Response { status, headers, body: body.into(), cut: false }
}

fn action(spec: &RouteSpec, response: &Response) -> Action {
    let rows: Vec<Row> = (1..=3).map(|n| row(n, Kind::Analytics, json!({}))).collect();
    let mut verdict = mixpanel().verdict(spec, &batch(&rows, &[]), response);
    assert!(verdict.limits.is_empty() && verdict.caps.is_none() && verdict.back_off.is_none());
    // Texts are for people.
    match &mut verdict.action {
        Action::Ambiguous(what) | Action::Stop(what) => assert!(!std::mem::take(what).is_empty()),
        _ => {}
    }
    verdict.action
}

const SECONDS_120: &[(&str, &str)] = &[("retry-after", "120")];
const DATE_120: &[(&str, &str)] =
    &[("retry-after", "Mon, 23 Nov 2026 02:15:20 GMT"), ("date", "Mon, 23 Nov 2026 02:13:20 GMT")];

fn settled() -> Action {
    Action::Settle(vec![RowOutcome::Delivered; 3])
}

fn waits(seconds: u64) -> Option<Duration> {
    Some(Duration::from_secs(seconds))
}

#[test]
fn every_response_to_an_import_has_its_meaning() {
    let ambiguous = || Action::Ambiguous(String::new());
    let stop = || Action::Stop(String::new());
    let ok = r#"{"code":200,"num_records_imported":3,"status":"OK"}"#;
    for (response, expected) in [
        (response(200, &[], ok), settled()),
        (response(200, &[("content-type", "text/html")], ok), settled()),
        (response(200, &[], "1"), settled()),
        (response(200, &[], "1\n"), settled()),
        (response(200, &[], "0"), Action::Split),
        // A count that does not add up: the missing row is looked for, and a second copy is none to Mixpanel.
        (response(200, &[], r#"{"code":200,"num_records_imported":2}"#), Action::Split),
        (response(200, &[], r#"{"code":400,"error":"bad json"}"#), Action::Split),
        (response(200, &[], r#"{"status":0,"error":"bad token"}"#), Action::Split),
        (response(200, &[], r#"{"failed_records":[{"index":0}]}"#), Action::Split),
        // Nothing in these says that the import failed.
        (response(200, &[], r#"{"code":200}"#), settled()),
        (response(200, &[], r#"{"status":"OK"}"#), settled()),
        (response(200, &[], r#"{"failed_records":[]}"#), settled()),
        (response(200, &[], "{}"), settled()),
        (response(200, &[], "[1]"), settled()),
        (response(200, &[], "null"), settled()),
        (response(200, &[], "2"), settled()),
        (response(200, &[], "OK"), settled()),
        (response(200, &[], ""), settled()),
        (response(204, &[], ""), settled()),
        (response(200, &[], &ok[..20]), settled()),
        (Response { cut: true, ..response(200, &[], ok) }, ambiguous()),
        (Response { cut: true, ..response(200, &[], "1") }, ambiguous()),
        (response(301, &[("location", "https://login.example.com")], ""), stop()),
        (response(307, &[], ""), stop()),
        (response(400, &[], ""), Action::Split),
        (response(400, &[], r#"{"code":400,"error":"bad json"}"#), Action::Split),
        (response(401, &[], r#"{"code":401,"error":"Invalid credentials"}"#), stop()),
        (response(403, &[], ""), stop()),
        (response(404, &[], ""), stop()),
        (response(405, &[], ""), stop()),
        (response(408, &[], ""), Action::Outage(None)),
        (response(410, &[], ""), stop()),
        (response(413, &[], ""), Action::Split),
        (response(418, &[], ""), Action::Split),
        (response(425, SECONDS_120, ""), Action::Outage(waits(120))),
        (response(429, &[], ""), Action::Keep(None)),
        (response(429, SECONDS_120, ""), Action::Keep(waits(120))),
        (response(429, DATE_120, ""), Action::Keep(waits(120))),
        (response(429, &[("retry-after", "soon")], ""), Action::Keep(None)),
        (response(429, &[("retry-after", "999999")], ""), Action::Keep(waits(86_400))),
        (response(500, &[], ""), Action::Outage(None)),
        (response(502, SECONDS_120, ""), Action::Outage(waits(120))),
        (response(503, DATE_120, "<html>"), Action::Outage(waits(120))),
        (response(504, &[], ""), Action::Outage(None)),
        (response(100, &[], ""), ambiguous()),
        (response(700, &[], ""), ambiguous()),
    ] {
        assert_eq!(action(&IMPORT, &response), expected, "{response:?}");
    }
}

#[test]
fn a_400_that_names_rows_settles_the_others() {
    let id = |n: u8| EventId::from_bytes([n; 16]).to_string();
    let failed = |records: Value, imported: u64| {
        let body = json!({"code": 400, "error": "some data points in the request failed validation",
            "num_records_imported": imported, "status": "Bad Request", "failed_records": records});
        action(&IMPORT, &response(400, &[], &body.to_string()))
    };
    let record = |index: u64, id: String| json!({"index": index, "$insert_id": id, "field": "properties.time", "message": "too far in the future"});
    let dead = RowOutcome::Dead(Reason::Rejected, "properties.time: too far in the future".into());
    assert_eq!(
        failed(json!([record(1, id(2))]), 2),
        Action::Settle(vec![RowOutcome::Delivered, dead.clone(), RowOutcome::Delivered])
    );
    assert_eq!(
        failed(json!([record(0, id(1)), record(1, id(2)), record(2, id(3))]), 0),
        Action::Settle(vec![dead.clone(), dead.clone(), dead])
    );
    // One that does not add up, names what was not sent, or another's id: found out by halving.
    assert_eq!(failed(json!([record(1, id(2))]), 1), Action::Split);
    assert_eq!(failed(json!([record(7, id(2))]), 2), Action::Split);
    assert_eq!(failed(json!([record(1, id(3))]), 2), Action::Split);
    assert_eq!(failed(json!([record(1, id(2)), record(1, id(2))]), 1), Action::Split);
    assert_eq!(failed(json!([]), 3), Action::Split);
}

#[test]
fn every_response_to_an_update_has_its_meaning_and_what_may_be_done_is_not_done_again() {
    let ambiguous = || Action::Ambiguous(String::new());
    let stop = || Action::Stop(String::new());
    for (response, set, add) in [
        (response(200, &[], "1"), settled(), settled()),
        (response(200, &[], r#"{"status":1,"error":null}"#), settled(), settled()),
        (response(200, &[("content-type", "text/html")], "1"), settled(), settled()),
        (response(200, &[], "0"), Action::Split, Action::Split),
        (response(200, &[], r#"{"status":0,"error":"bad token"}"#), Action::Split, Action::Split),
        (response(200, &[], r#"{"status":"OK"}"#), settled(), settled()),
        (response(200, &[], "{}"), settled(), settled()),
        (response(200, &[], "OK"), settled(), settled()),
        (response(200, &[], "2"), settled(), settled()),
        (response(200, &[], ""), settled(), settled()),
        (Response { cut: true, ..response(200, &[], "1") }, ambiguous(), ambiguous()),
        (response(302, &[], ""), stop(), stop()),
        (response(400, &[], ""), Action::Split, Action::Split),
        (response(401, &[], ""), stop(), stop()),
        (response(403, &[], ""), stop(), stop()),
        (response(404, &[], ""), stop(), stop()),
        (response(405, &[], ""), stop(), stop()),
        (response(410, &[], ""), stop(), stop()),
        (response(413, &[], ""), Action::Split, Action::Split),
        (response(408, &[], ""), Action::Outage(None), ambiguous()),
        (response(425, &[], ""), Action::Outage(None), ambiguous()),
        (response(429, SECONDS_120, ""), Action::Keep(waits(120)), Action::Keep(waits(120))),
        (response(429, DATE_120, ""), Action::Keep(waits(120)), Action::Keep(waits(120))),
        (response(500, &[], ""), Action::Outage(None), ambiguous()),
        (response(502, SECONDS_120, ""), Action::Outage(waits(120)), ambiguous()),
        (response(503, SECONDS_120, ""), Action::Outage(waits(120)), Action::Keep(waits(120))),
        (response(503, &[], ""), Action::Outage(None), Action::Keep(None)),
        (response(504, &[], ""), Action::Outage(None), ambiguous()),
        (response(600, &[], ""), ambiguous(), ambiguous()),
    ] {
        assert_eq!(action(&SET, &response), set, "set: {response:?}");
        assert_eq!(action(&ADD, &response), add, "add: {response:?}");
    }
}

#[test]
fn a_note_says_what_mixpanel_said() {
    let rows = [row(1, Kind::UserProp, json!({}))];
    let response = response(200, &[], r#"{"status":0,"error":"data\nmissing"}"#);
    let verdict = mixpanel().verdict(&SET, &batch(&rows, &[]), &response);
    assert_eq!(verdict.note.as_deref(), Some("datamissing"));
}
