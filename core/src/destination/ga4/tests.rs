use super::*;
use crate::destination::Granted;
use crate::id::EventId;
use crate::row::Run;
use crate::transport::UrlError;
use proptest::prelude::*;
use serde_json::{Value, json};

const INSTANCE: &str = "0123456789ABCDEF0123456789abcdef";

fn run() -> Run {
    Run {
        number: 1,
        app: "shop".into(),
        release: "shop@1.4.0".into(),
        environment: Some("production".into()),
        os: "Android 15".into(),
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

fn ga4() -> Ga4 {
    Ga4::web_stream("G-1A2B3C4D5E", "s3cret").build().unwrap()
}

fn request(of: &Ga4, rows: &[Row]) -> Request {
    let stamp = Stamp { boot: "boot", wall_ms: 9, mono_ms: 9, attempt: 0, last_status: 0 };
    of.encode(&ROUTES[0], &batch(rows, &[run()]), &stamp)
}

fn sent(rows: &[Row]) -> Value {
    serde_json::from_slice(&request(&ga4(), rows).body).unwrap()
}

/// Name and parameters of one event, without the common parameters.
fn event(kind: Kind, fields: Value) -> (String, Value) {
    let mut body = sent(&[row(1, kind, fields)]);
    let params = body["events"][0]["params"].as_object_mut().unwrap();
    for name in ["session_id", "engagement_time_msec", "app_release", "environment"] {
        assert!(params.remove(name).is_some(), "{name}");
    }
    (body["events"][0]["name"].as_str().unwrap().to_owned(), body["events"][0]["params"].clone())
}

fn analytics(name: &str, attrs: Value) -> (String, Value) {
    event(Kind::Analytics, json!({"name": name, "attrs": attrs}))
}

#[test]
fn a_request_names_client_user_and_events_with_session_and_time() {
    let fields = json!({"name": "login", "attrs": {"method": "otp"}, "session": "s-1", "user": {"id": "u-1"},
        "view": {"name": "Login"}});
    let body = sent(&[row(1, Kind::Analytics, fields)]);
    let session = body["events"][0]["params"]["session_id"].as_str().unwrap().to_owned();
    assert!(session.len() == 10 && session.bytes().all(|byte| byte.is_ascii_digit()), "{session}");
    assert_eq!(
        body,
        json!({"client_id": "device-1", "user_id": "u-1", "events": [{"name": "login",
            "timestamp_micros": 1_795_400_000_123_000_i64,
            "params": {"session_id": session, "engagement_time_msec": 1, "method": "otp", "screen_name": "Login",
                       "app_release": "shop@1.4.0", "environment": "production"}}]})
    );
    let other = sent(&[row(1, Kind::Analytics, json!({"name": "login", "session": "s-2"}))]);
    assert_ne!(other["events"][0]["params"]["session_id"], session);
}

#[test]
fn the_events_of_the_guide_have_googles_names() {
    let item = json!({"id": "P1", "name": "Chai", "price": 120});
    let google = json!({"item_id": "P1", "item_name": "Chai", "price": 120});
    for (name, attrs, expected) in [
        (
            "add_to_cart",
            json!({"items": [item], "value": 120, "currency": "INR"}),
            json!({"items": [google], "value": 120, "currency": "INR"}),
        ),
        (
            "remove_from_cart",
            json!({"items": [item], "value": 120, "currency": "INR"}),
            json!({"items": [google], "value": 120, "currency": "INR"}),
        ),
        (
            "begin_checkout",
            json!({"value": 240, "currency": "INR", "items": [item, item]}),
            json!({"value": 240, "currency": "INR", "items": [google, google]}),
        ),
        ("search", json!({"search_term": "chai"}), json!({"search_term": "chai"})),
        (
            "share",
            json!({"content_type": "store", "item_id": "S1", "method": "share"}),
            json!({"content_type": "store", "item_id": "S1", "method": "share"}),
        ),
        ("sign_up", json!({"method": "email"}), json!({"method": "email"})),
        ("login", json!({"method": "otp"}), json!({"method": "otp"})),
        (
            "view_item",
            json!({"items": [{"item_id": "P1", "item_name": "Chai", "price": 120}]}),
            json!({"items": [google]}),
        ),
        ("view_store", json!({"store_id": "S1", "store_name": "Tea"}), json!({"store_id": "S1", "store_name": "Tea"})),
        ("bill_upload", json!({"amount": 12.5}), json!({"amount": 12.5})),
        ("cashback_earned", json!({"amount": 5}), json!({"amount": 5})),
        ("referral_sent", json!({}), json!({})),
        // The guide hands its own parameters of a purchase on as they are.
        (
            "purchase",
            json!({"transactionId": "T1", "value": 240, "currency": "INR", "items": [item]}),
            json!({"transaction_id": "T1", "value": 240, "currency": "INR", "items": [google]}),
        ),
    ] {
        assert_eq!(analytics(name, attrs), (name.to_owned(), expected));
    }
}

#[test]
fn screen_views_and_purchases_are_events_that_google_defines() {
    let view = |fields| event(Kind::ScreenView, fields);
    assert_eq!(
        view(json!({"name": "Home", "class": "HomeScreen"})),
        ("screen_view".into(), json!({"screen_name": "Home", "screen_class": "HomeScreen"}))
    );
    assert_eq!(
        view(json!({"name": "Home", "view": {"name": "Old"}})),
        ("screen_view".into(), json!({"screen_name": "Home", "screen_class": "Home"}))
    );
    let whole = json!({"amount": 240, "currency": "INR", "transaction_id": "T1", "items": [{"id": "P1", "name": "Chai"}],
        "attrs": {"coupon": "TEA"}});
    assert_eq!(
        event(Kind::Revenue, whole),
        (
            "purchase".into(),
            json!({"value": 240, "currency": "INR", "transaction_id": "T1", "coupon": "TEA",
            "items": [{"item_id": "P1", "item_name": "Chai"}]})
        )
    );
    // An amount alone: placeholders for the required parameters, with notes.
    let bare = json!({"amount": 9.5});
    assert_eq!(
        event(Kind::Revenue, bare.clone()),
        (
            "purchase".into(),
            json!({"value": 9.5, "transaction_id": "01010101-0101-0101-0101-010101010101",
            "items": [{"item_id": "(not set)", "quantity": 1, "price": 9.5}]})
        )
    );
    let notes = ga4().notes(&ROUTES[0], &row(1, Kind::Revenue, bare));
    assert_eq!(
        notes.iter().map(|note| note.field.as_str()).collect::<Vec<_>>(),
        ["currency", "transaction_id", "items"]
    );
    // An event of the app with that name is a purchase too, however many attributes it has.
    let mut attrs = json!({"transaction_id": 17, "value": 5});
    for n in 0..40 {
        attrs[format!("a{n:02}")] = n.into();
    }
    let body = sent(&[row(1, Kind::Analytics, json!({"name": "purchase", "attrs": attrs}))]);
    let params = body["events"][0]["params"].as_object().unwrap();
    assert_eq!((params.len(), &params["transaction_id"]), (25, &json!("17")));
    assert_eq!(params["items"], json!([{"item_id": "(not set)", "quantity": 1, "price": 5}]));
}

#[test]
fn timings_and_errors_have_names_that_google_does_not_reserve() {
    assert_eq!(
        event(Kind::ScreenLoad, json!({"name": "Home", "duration_us": 321_900})),
        ("screen_load".into(), json!({"screen_name": "Home", "duration_ms": 321}))
    );
    assert_eq!(
        event(Kind::Interaction, json!({"action": "tap", "component": "Pay"})),
        ("ui_interaction".into(), json!({"action": "tap", "component": "Pay"}))
    );
    assert_eq!(
        event(Kind::ApiCall, json!({"method": "GET", "endpoint": "/p/:id", "status": 200, "duration_us": 5_000})),
        ("api_call".into(), json!({"method": "GET", "endpoint": "/p/:id", "status": 200, "duration_ms": 5}))
    );
    let (name, params) = event(Kind::Error, json!({"type": "E", "message": "m".repeat(300)}));
    assert_eq!((name.as_str(), params["fatal"].as_u64()), ("sdk_error", Some(0)));
    assert_eq!(params["message"].as_str().unwrap().len(), 100);
    assert_eq!(event(Kind::Crash, json!({"type": "E"})).1["fatal"], 1);
    let load = sent(&[row(1, Kind::ScreenLoad, json!({"name": "Home", "duration_us": 321_900}))]);
    assert_eq!(load["events"][0]["params"]["engagement_time_msec"], 321);
}

#[test]
fn user_properties_are_sent_with_events_or_with_one_of_their_own() {
    let plan = json!({"op": "set", "name": "plan", "value": "gold"});
    let count = json!({"op": "increment", "name": "a very long name of a property", "by": 1.0, "value": 7.0});
    let rows = [
        row(1, Kind::UserProp, plan),
        row(2, Kind::UserProp, count),
        row(3, Kind::Analytics, json!({"name": "login"})),
    ];
    let body = sent(&rows);
    let at = 1_795_400_000_123_000_i64;
    assert_eq!(
        body["user_properties"],
        json!({"plan": {"value": "gold", "timestamp_micros": at},
               "a_very_long_name_of_a_pr": {"value": 7.0, "timestamp_micros": at}})
    );
    assert_eq!(body["events"].as_array().unwrap().len(), 1);
    let alone = sent(&rows[..1]);
    assert_eq!(alone["events"][0]["name"], "user_property_set");
    assert_eq!(alone["events"].as_array().unwrap().len(), 1);
    let notes = ga4().notes(&ROUTES[0], &rows[1]);
    assert_eq!(notes.len(), 1);
    assert_eq!(notes[0].what, "sent as `a_very_long_name_of_a_pr`");
}

#[test]
fn a_request_contains_the_events_of_one_user_and_one_client() {
    let of = |user: Value| row(1, Kind::Analytics, json!({"name": "n", "user": user}));
    let together = |a: Value, b: Value| ga4().fits(&ROUTES[0], &of(a), 1, &of(b));
    assert!(together(json!({"id": "a", "email": "x"}), json!({"id": "a"})));
    assert!(together(Value::Null, json!({})));
    assert!(!together(json!({"id": "a"}), json!({"id": "b"})));
    assert!(!together(json!({"id": "a"}), Value::Null));
    assert!(!together(json!({"anonymous": "d-1"}), Value::Null));
    let body = sent(&[of(json!({"anonymous": "d-1"}))]);
    assert_eq!((&body["client_id"], &body["user_id"]), (&json!("d-1"), &Value::Null));
}

#[test]
fn values_that_google_does_not_accept_are_changed_with_a_note_and_the_event_is_sent() {
    let mut attrs = json!({"page title": "x".repeat(150), "google_click": 1, "nested": {"a": [1, 2]}, "yes": true,
        "nothing": null, "session_id": "mine", "page-title": "y", "items": "none"});
    for n in 0..40 {
        attrs[format!("zz{n:02}")] = n.into();
    }
    let row = row(1, Kind::Analytics, json!({"name": "session_start", "attrs": attrs}));
    let body = sent(std::slice::from_ref(&row));
    let params = body["events"][0]["params"].as_object().unwrap();
    assert_eq!(body["events"][0]["name"], "x_session_start");
    assert_eq!(params.len(), 25);
    assert_eq!(params["page_title"], "x".repeat(100));
    assert_eq!(params["x_google_click"], 1);
    assert_eq!(params["nested"], "{\"a\":[1,2]}");
    assert_eq!(params["yes"], "true");
    assert_eq!(params["session_id"].as_str().unwrap().len(), 10);
    assert!(!params.contains_key("nothing") && !params.contains_key("items"));
    let notes = ga4().notes(&ROUTES[0], &row);
    let said = |field: &str, what: &str| notes.iter().any(|note| note.field == field && note.what.contains(what));
    for (field, what) in [
        ("name", "x_session_start"),
        ("page title", "cut to 100"),
        ("page title", "page_title"),
        ("page-title", "`page_title` exists already"),
        ("google_click", "x_google_click"),
        ("nested", "as text"),
        ("session_id", "already"),
        ("items", "not a list"),
        ("zz39", "more than 25"),
    ] {
        assert!(said(field, what), "{field}: {what} in {notes:?}");
    }
}

#[test]
fn items_are_accepted_in_every_form() {
    let items = |items: Value| analytics("view_item", json!({ "items": items })).1;
    assert_eq!(items(json!({"id": 7}))["items"], json!([{"item_id": 7}]));
    assert_eq!(items(json!(["P1", 2, [], null, {}]))["items"], json!([{"item_id": "P1"}, {"item_id": 2}]));
    assert_eq!(items(json!([{"id": "a", "item_id": "b"}]))["items"], json!([{"item_id": "b"}]));
    assert_eq!(
        items(json!([{"productId": "a", "in stock": false}]))["items"],
        json!([{"item_id": "a", "in_stock": "false"}])
    );
    assert_eq!(items(json!([{"price": 5}]))["items"], json!([{"item_id": "(not set)", "price": 5}]));
    assert_eq!(items(json!([])).get("items"), None);
    assert_eq!(analytics("p", json!({"transactionId": "a", "transaction_id": "b"})).1, json!({"transaction_id": "b"}));
}

#[test]
fn the_address_has_stream_and_secret_and_an_invalid_setting_is_named() {
    let rows = [row(1, Kind::Analytics, json!({"name": "n", "user": {"anonymous": "d-1"}}))];
    let web = request(&ga4(), &rows);
    assert_eq!(web.url, "https://www.google-analytics.com/mp/collect?measurement_id=G-1A2B3C4D5E&api_secret=s3cret");
    assert_eq!(web.headers, [("Content-Type".to_owned(), "application/json".to_owned())]);
    let app = Ga4::app_stream("1:23:android:4f", INSTANCE, "a&b").eu().build().unwrap();
    let app = request(&app, &rows);
    assert_eq!(
        app.url,
        "https://region1.google-analytics.com/mp/collect?firebase_app_id=1%3A23%3Aandroid%3A4f&api_secret=a%26b"
    );
    let body: Value = serde_json::from_slice(&app.body).unwrap();
    assert_eq!(body["app_instance_id"], INSTANCE.to_ascii_lowercase());
    assert_eq!(body.get("client_id"), None);
    let web = |id: &str, secret: &str| Ga4::web_stream(id, secret).build().unwrap_err();
    assert_eq!(web("", "s"), DestinationError::Empty { part: "measurement id" });
    assert_eq!(web("G-1", ""), DestinationError::Empty { part: "API secret" });
    assert_eq!(web("G-1", "s\n"), DestinationError::NotAHeader { part: "API secret", at: 1 });
    let app = |instance: &str| Ga4::app_stream("1:2", instance, "s").build().unwrap_err().to_string();
    for instance in ["", "0123", "g123456789abcdef0123456789abcdef"] {
        assert!(app(instance).starts_with("app instance id: expected 32 hex digits"), "{instance}");
    }
    let at = |endpoint: &str| Ga4::web_stream("G-1", "s").endpoint(endpoint).build().unwrap_err();
    assert_eq!(at("https://"), DestinationError::Endpoint(UrlError::NoHost));
    assert_eq!(at("http://ga.example.com"), DestinationError::Endpoint(UrlError::Plain("ga.example.com".into())));
    assert_eq!(Ga4::web_stream("G-1", "s").purposes(&[]).build().unwrap_err(), DestinationError::NoPurpose);
    let shown = format!("{:?} {:?}", ga4(), Ga4::web_stream("G-1", "s3cret"));
    assert!(!shown.contains("s3cret"), "{shown}");
    let hash = |id: &str, secret: &str| Ga4::web_stream(id, secret).build().unwrap().key_hash();
    assert!(hash("G-1", "a") != hash("G-2", "a") && hash("G-1", "a") != hash("G-1", "b"));
}

#[test]
fn kinds_that_are_not_sent_are_unwanted() {
    let wants = |of: &Ga4, kind, fields: Value| of.wants(&ROUTES[0], &row(1, kind, fields)) == Want::Yes;
    for kind in Kind::ALL {
        let wanted = matches!(
            kind,
            Kind::Analytics
                | Kind::ScreenView
                | Kind::ScreenLoad
                | Kind::Revenue
                | Kind::UserProp
                | Kind::Interaction
                | Kind::Error
                | Kind::Crash
        );
        assert_eq!(wants(&ga4(), kind, json!({})), wanted, "{kind:?}");
    }
    assert!(!wants(&ga4(), Kind::UserProp, json!({"op": "append"})));
    let other = Ga4::web_stream("G-1", "s").api_calls(true).interactions(false).build().unwrap();
    assert!(wants(&other, Kind::ApiCall, json!({})) && !wants(&other, Kind::Interaction, json!({})));
    assert_eq!(ga4().purposes(), [Purpose::Analytics]);
    assert_eq!(ga4().max_age(&ROUTES[0]), Some(Duration::from_secs(259_200)));
}

#[test]
fn every_response_has_its_meaning_and_what_may_have_arrived_is_not_sent_again() {
    let rows: Vec<Row> = (1..=2).map(|n| row(n, Kind::Analytics, json!({}))).collect();
    let settled = || Action::Settle(vec![RowOutcome::Delivered; 2]);
    let ambiguous = || Action::Ambiguous(String::new());
    let stop = || Action::Stop(String::new());
    let wait = |seconds| Action::Keep(Some(Duration::from_secs(seconds)));
    let response = |status: u16, headers: &[(&str, &str)], body: &str| Response {
        status,
        headers: headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        body: body.into(),
        cut: false,
    };
    let seconds = &[("retry-after", "120")][..];
    let date = &[("retry-after", "Mon, 23 Nov 2026 02:15:20 GMT"), ("date", "Mon, 23 Nov 2026 02:13:20 GMT")][..];
    for (response, expected) in [
        (response(204, &[], ""), settled()),
        (response(200, &[], ""), settled()),
        (response(200, &[("content-type", "image/gif")], "GIF89a"), settled()),
        (response(202, &[("content-type", "application/json")], "{}"), settled()),
        (Response { cut: true, ..response(200, &[("content-type", "image/gif")], "G") }, settled()),
        (response(200, &[], "OK"), settled()),
        (response(200, &[], "1"), settled()),
        (response(200, &[], r#"{"validationMessages":[]}"#), settled()),
        (response(301, &[("location", "https://x.example")], ""), stop()),
        (response(304, &[], ""), stop()),
        (response(400, &[], ""), Action::Split),
        (response(401, &[], ""), stop()),
        (response(403, &[], ""), stop()),
        (response(404, &[], ""), stop()),
        (response(405, &[], ""), stop()),
        (response(408, &[], ""), ambiguous()),
        (response(410, &[], ""), stop()),
        (response(413, &[], ""), Action::Split),
        (response(425, &[], ""), ambiguous()),
        (response(429, &[], ""), Action::Keep(None)),
        (response(429, seconds, ""), wait(120)),
        (response(429, date, ""), wait(120)),
        (response(429, &[("retry-after", "later")], ""), Action::Keep(None)),
        (response(500, &[], ""), ambiguous()),
        (response(502, seconds, ""), ambiguous()),
        (response(503, seconds, ""), wait(120)),
        (response(503, &[], ""), Action::Keep(None)),
        (response(504, &[], ""), ambiguous()),
        (response(100, &[], ""), ambiguous()),
        (response(999, &[], ""), ambiguous()),
    ] {
        let mut verdict = ga4().verdict(&ROUTES[0], &batch(&rows, &[]), &response);
        match &mut verdict.action {
            Action::Ambiguous(what) | Action::Stop(what) => assert!(!std::mem::take(what).is_empty()),
            _ => {}
        }
        assert_eq!(verdict, Verdict::of(expected), "{response:?}");
    }
}

/// Any JSON an app could have recorded.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        ".{0,200}".prop_map(Value::from),
        "[\u{0}-\u{1f}\"]{0,200}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 40, 8, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..8).prop_map(Value::from),
            prop::collection::btree_map(".{0,60}", inner, 0..30).prop_map(|map| map.into_iter().collect()),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn whatever_is_cut_for_one_request_stays_under_googles_limits(
        all in prop::collection::vec((0..Kind::ALL.len(), ".{0,60}", any_json(), any_json()), 1..60)
    ) {
        let rows: Vec<Row> = all.into_iter().map(|(kind, name, attrs, items)| {
            row(1, Kind::ALL[kind], json!({"name": name, "attrs": attrs, "items": items, "amount": 5}))
        }).collect();
        let mut bytes = 0;
        let fits = rows.iter().enumerate().take_while(|(at, row)| {
            bytes += row.json.len();
            *at == 0 || (*at < EVENTS && bytes <= ROWS_BYTES)
        }).count();
        let request = request(&ga4(), &rows[..fits]);
        prop_assert!(request.body.len() < 130_000, "{} bytes of {bytes}", request.body.len());
        let body: Value = serde_json::from_slice(&request.body).unwrap();
        for event in body["events"].as_array().unwrap() {
            prop_assert!(event["params"].as_object().unwrap().len() <= 25);
        }
    }
}
