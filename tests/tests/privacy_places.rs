//! Secrets in every place where an app can put a text, read back from the wire of five destinations.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use rez_monitor::transport::{Completion, Request, Sent, Transport};
use rez_monitor::{
    Alert, AlertSeverity, Attrs, Breadcrumb, Cause, Config, Consent, ErrorEvent, Event, Facts, Feedback, Frame, Level,
    Log, Metric, Monitor, People, Purpose, ScopeChange, SpanEvent, Thread, Timing, User, Value,
};
use rez_monitor_tests::contract::destinations::entry;
use rez_monitor_tests::contract::wire::plain;
use rez_monitor_tests::plants::{Plant, plants};
use rez_monitor_tests::seeded::Seeded;
use serde_json::json;
use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

const WAIT: Duration = Duration::from_secs(30);

/// Parts of the addresses by which the destinations are told apart.
const HOSTS: [(&str, &str); 5] = [
    ("in.example.com", "rez"),
    ("sentry.io", "sentry"),
    ("mixpanel.com", "mixpanel"),
    ("datadoghq", "datadog"),
    ("otlp.example.com", "otlp"),
];

/// The requests that each destination got. Each got the response of the vendor.
#[derive(Clone, Default)]
struct Wire(Arc<Mutex<Vec<(&'static str, String)>>>);

impl Transport for Wire {
    fn send(&self, request: Request, done: Completion) {
        let name = HOSTS.iter().find(|(host, _)| request.url.contains(host)).expect("a known destination").1;
        let mut text = String::from_utf8_lossy(&plain(&request)).into_owned();
        text.push_str(&request.url);
        self.0.lock().unwrap().push((name, text));
        done.finish(Sent::Response((entry(name).unwrap().accept)(&request)));
    }
}

fn open(wire: &Wire, folder: &std::path::Path) -> Monitor {
    let mut builder = Config::builder(folder, "shop", "shop@1.4.0+77")
        .consent(Purpose::Monitoring, Consent::Granted)
        .consent(Purpose::Analytics, Consent::Granted)
        .cap_bytes(256 << 20)
        .recorded_headers(["x-note", "authorization", "cookie", "location"])
        .transport(wire.clone());
    let options =
        json!({"all": true, "analytics": true, "json": true, "analytics_as_logs": true, "messages_as_logs": true});
    for (_, name) in HOSTS {
        builder = builder.destination(name, (entry(name).unwrap().make)(&options));
    }
    Monitor::open(builder.build().unwrap()).unwrap()
}

/// A place: its name, and how a text gets there. The second text is the number of the plant in that place.
type Place = (&'static str, fn(&Monitor, &str, &str));

fn error(monitor: &Monitor, serial: &str, attrs: Attrs<'_>) {
    let _ = monitor.error(ErrorEvent::new("Failure", &format!("failed {serial}")).fingerprint(serial).attrs(attrs));
}

fn percent(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte);
    text.bytes().map(|byte| if plain(byte) { char::from(byte).into() } else { format!("%{byte:02X}") }).collect()
}

const PLACES: &[Place] = &[
    ("message", |monitor, text, _| {
        let _ = monitor.message(text, Level::Info, &[]);
    }),
    ("error value", |monitor, text, serial| {
        let _ = monitor.error(ErrorEvent::new("Failure", text).fingerprint(serial));
    }),
    ("error type", |monitor, text, serial| {
        let _ = monitor.error(ErrorEvent::new(text, serial).fingerprint(serial));
    }),
    ("error code, mechanism, fingerprint", |monitor, text, serial| {
        let error = ErrorEvent::new("Failure", serial).code(text).mechanism(text).fingerprint(text);
        let _ = monitor.error(error);
    }),
    ("cause", |monitor, text, serial| {
        let frame = [Frame { function: text, module: text, file: text, ..Frame::default() }];
        let causes = [Cause::new(text, text).source(text).frames(&frame)];
        let _ = monitor.error(ErrorEvent::new("Failure", serial).fingerprint(serial).causes(&causes));
    }),
    ("thread", |monitor, text, serial| {
        let frame = [Frame { function: text, module: text, file: text, ..Frame::default() }];
        let threads = [Thread { id: 7, name: text, frames: &frame, ..Thread::default() }];
        let _ = monitor.error(ErrorEvent::new("Failure", serial).fingerprint(serial).threads(&threads));
    }),
    ("raw stack, parts of the fingerprint", |monitor, text, serial| {
        let _ = monitor.error(ErrorEvent::new("Failure", serial).fingerprints(&[serial, text]).stack(text));
    }),
    ("tags and user of one error", |monitor, text, serial| {
        let (tags, extra) = ([("note", Value::Str(text)), (text, Value::Str(text))], [("note", Value::Str(text))]);
        let user = User { id: Some("u-1"), extra: &extra, ..User::default() };
        let _ = monitor.error(ErrorEvent::new("Failure", serial).fingerprint(serial).tags(&tags).user(user));
    }),
    ("feature flag", |monitor, text, serial| {
        monitor.scope(ScopeChange::Flag(text, Value::Str(text)));
        error(monitor, serial, &[]);
    }),
    ("attribute", |monitor, text, serial| error(monitor, serial, &[("note", Value::Str(text))])),
    ("nested attribute", |monitor, text, serial| {
        let inner = [("note", Value::List(&[Value::Str(text)])), ("more", Value::Map(&[(text, Value::Str(text))]))];
        error(monitor, serial, &[("outer", Value::Map(&inner))]);
    }),
    ("attribute name", |monitor, text, serial| error(monitor, serial, &[(text, 1.into())])),
    ("context", |monitor, text, serial| {
        let error = ErrorEvent::new("Failure", serial).fingerprint(serial);
        let _ = monitor.error(error.context(&[("state", Value::Str(text))]));
    }),
    ("URL query", |monitor, text, serial| {
        let url = format!("https://api.example.com/{serial}?q={text}#{text}");
        let _ = monitor.timing(Timing::api_call("GET", &url, Duration::from_millis(5)).status(200));
        let _ = monitor.timing(Timing::image_load(&url, Duration::from_millis(5)));
    }),
    ("URL path", |monitor, text, _| {
        for text in [text, &percent(text)] {
            let url = format!("https://api.example.com/u/{text}/orders");
            let _ = monitor.timing(Timing::api_call("GET", &url, Duration::from_millis(5)).status(500));
            let _ = monitor.timing(Timing::image_load(&url, Duration::from_millis(5)));
        }
    }),
    ("error and endpoint of a call", |monitor, text, _| {
        let call = Timing::api_call("GET", "https://api.example.com/a", Duration::from_millis(5));
        let _ = monitor.timing(call.error(text).endpoint(text));
    }),
    ("headers of a call", |monitor, text, _| {
        let headers =
            [("X-Note", text), ("Authorization", text), ("Cookie", text), ("X-Other", text), ("Location", text)];
        let call = Timing::api_call("GET", "https://api.example.com/a", Duration::from_millis(5));
        let _ = monitor.timing(call.request_headers(&headers).response_headers(&headers));
        let url = format!("https://api.example.com/?q={text}");
        let _ = monitor.timing(call.response_headers(&[("Location", &url)]));
    }),
    ("batch", |monitor, text, serial| {
        let frame = json!({"function": text, "module": text, "file": text});
        let document = json!({"v": 1, "items": [
            {"scope": "tag", "name": "note", "value": text},
            {"kind": "error", "type": text, "message": text, "fingerprint": serial, "code": text, "mechanism": text,
                "frames": [frame], "attrs": {"note": text, text: 1, "deep": [{"note": text}]}, "context": {"c": {"n": text}}},
            {"kind": "analytics", "name": text, "attrs": {"note": text}},
            {"kind": "message", "message": text},
            {"kind": "api_call", "url": format!("https://api.example.com/u/{text}?q={text}"), "duration_us": 5,
                "error": text, "endpoint": text, "request_headers": {"x-note": text, "authorization": text}},
            {"kind": "interaction", "action": "tap", "component": text},
            {"kind": "user_prop", "op": "set", "name": "note", "value": text},
            {"scope": "tag", "name": "note"},
        ]});
        assert!(monitor.record_batch(&document.to_string()));
    }),
    ("screen", |monitor, text, _| {
        let _ = monitor.record(Event::screen_view(text, Some(text)));
        let _ = monitor.timing(Timing::screen_load(text, Duration::from_millis(5)));
        let _ = monitor.screen(text).finish();
    }),
    ("tag", |monitor, text, serial| {
        monitor.scope(ScopeChange::Tag("note", Some(text)));
        error(monitor, serial, &[]);
        monitor.scope(ScopeChange::Tag("note", None));
    }),
    ("tag name", |monitor, text, serial| {
        monitor.scope(ScopeChange::Tag(text, Some("on")));
        error(monitor, serial, &[]);
        monitor.scope(ScopeChange::Tag(text, None));
    }),
    ("scope context", |monitor, text, serial| {
        monitor.scope(ScopeChange::Context("cart", Some(&[("note", Value::Str(text)), (text, 1.into())])));
        error(monitor, serial, &[]);
        monitor.scope(ScopeChange::Context("cart", None));
    }),
    ("scope context name", |monitor, text, serial| {
        monitor.scope(ScopeChange::Context(text, Some(&[("items", 1.into())])));
        error(monitor, serial, &[]);
        monitor.scope(ScopeChange::Context(text, None));
    }),
    ("user extra", |monitor, text, serial| {
        let extra = [("note", Value::Str(text)), (text, 1.into())];
        monitor.scope(ScopeChange::User(Some(User { id: Some("u-1"), extra: &extra, ..User::default() })));
        error(monitor, serial, &[]);
        monitor.scope(ScopeChange::User(None));
    }),
    ("feedback", |monitor, text, _| {
        let _ = monitor.feedback(Feedback { message: text, name: Some(text), email: None, about: None });
    }),
    ("alert: title, description, details", |monitor, text, serial| {
        let details = [("note", Value::Str(text)), (text, Value::Str(serial))];
        let alert = Alert::new(AlertSeverity::Critical, text).description(text);
        let _ = monitor.alert(alert.details(&details));
        let nested = [("outer", Value::Map(&[("note", Value::Str(text))]))];
        let _ = monitor.alert(Alert::new(AlertSeverity::Info, serial).description(text).details(&nested));
    }),
    ("event name", |monitor, text, serial| {
        let _ = monitor.track(text, &[("n", Value::Str(serial))]);
    }),
    ("view of the app", |monitor, text, serial| {
        let _ = monitor.start_view(text, text, &[("note", Value::Str(text)), (text, Value::Str(serial))]);
        monitor.view_timing(text);
        monitor.view_attributes(&[("more", Value::Str(text))]);
        error(monitor, serial, &[]);
        let _ = monitor.stop_view(text);
    }),
    ("log entry", |monitor, text, serial| {
        let attrs = [("note", Value::Str(text)), (text, Value::Str(serial))];
        let _ = monitor.log_entry(Log::new(Level::Warning, text).logger(text).attrs(&attrs));
    }),
    ("super property", |monitor, text, serial| {
        monitor.super_properties(&[("note", Value::Str(text)), (text, Value::Str(text))]);
        let _ = monitor.track("a", &[("n", Value::Str(serial))]);
        monitor.clear_super_properties();
    }),
    ("timed event", |monitor, text, _| {
        monitor.time_event(text);
        let _ = monitor.track(text, &[]);
    }),
    ("property", |monitor, text, _| {
        let _ = monitor.people(People::SetOnce("once", Value::Str(text)));
        let _ = monitor.people(People::SetOnce(text, Value::Str(text)));
        let _ = monitor.people(People::Unset(text));
        let _ = monitor.people(People::Union("list", &[Value::Str(text)]));
        let _ = monitor.people(People::Remove("list", Value::Str(text)));
        let _ = monitor.people(People::Set("note", Value::Str(text)));
        let _ = monitor.people(People::Append("notes", Value::Str(text)));
        let _ = monitor.people(People::Set(text, Value::Str("x")));
        let _ = monitor.people(People::Increment(text, 1.0));
    }),
    ("frame", |monitor, text, serial| {
        let frames = [Frame { function: text, module: text, file: text, line: 1, in_app: true, ..Frame::default() }];
        let _ = monitor.error(ErrorEvent::new("Failure", serial).fingerprint(serial).frames(&frames));
    }),
    ("metric name", |monitor, text, _| {
        let _ = monitor.metric(text, Metric::Gauge(1.0));
    }),
    ("component", |monitor, text, _| {
        let _ = monitor.record(Event::interaction("tap", text));
    }),
    ("long task, exit", |monitor, text, _| {
        let _ = monitor.timing(Timing::long_task(text, Duration::from_millis(900)));
        let _ = monitor.record(Event::app_exit(text, text));
    }),
    ("span: name, op, attributes", |monitor, text, _| {
        let mut span = monitor.span(text, text);
        span.attr("note", text);
        span.attr(text, 1);
        let _ = span.finish();
        let attrs = [("outer", Value::Map(&[("note", Value::Str(text))]))];
        let _ = monitor.record_span(SpanEvent::new(text, text, Duration::from_millis(5)).attrs(&attrs));
    }),
    ("child of a span: name, op, attributes, endpoint", |monitor, text, _| {
        let span = monitor.span("checkout", "task");
        let mut child = span.child(text, text);
        child.attr("note", text);
        let _ = child.finish();
        let url = format!("https://api.example.com/u/{}/orders?q={text}", percent(text));
        let _ = span.api_call("GET", &url).fail(text);
        let _ = span.finish();
    }),
    // Last: every later error carries the trail.
    ("breadcrumb text", |monitor, text, serial| {
        monitor.breadcrumb(Breadcrumb::new("ui", text));
        error(monitor, serial, &[]);
    }),
    ("breadcrumb data", |monitor, text, serial| {
        monitor.breadcrumb(Breadcrumb::new("ui", "tap").data(&[("what", Value::Str(text)), (text, 1.into())]));
        error(monitor, serial, &[]);
    }),
    ("breadcrumb category and type", |monitor, text, serial| {
        monitor.breadcrumb(Breadcrumb::new(text, "tap").kind(text));
        error(monitor, serial, &[]);
    }),
];

/// Delivers everything.
fn drain(monitor: &Monitor) {
    let end = Instant::now() + 4 * WAIT;
    while monitor.flush(WAIT).unwrap().iter().any(|one| one.left > 0) {
        assert!(Instant::now() < end, "{:?}", monitor.status().routes);
    }
}

/// A secret in a place.
struct Planted {
    plant: Plant,
    place: &'static str,
}

#[test]
fn a_secret_of_any_kind_reaches_no_destination_from_any_place() {
    let mut random = Seeded::of("places", 20);
    let wire = Wire::default();
    let folder = tempfile::tempdir().unwrap();
    let monitor = open(&wire, &folder.path().join("app"));
    let mut planted = Vec::new();
    for (place, put) in PLACES {
        // A secret of its own in every place: what is found again says where it came from.
        for plant in plants(&mut random) {
            let serial = format!("zq{}x", planted.len());
            put(&monitor, &format!("{serial} {}", plant.text), &serial);
            planted.push(Planted { plant, place });
            if planted.len() % 20 == 0 {
                monitor.persist(WAIT).unwrap();
            }
        }
    }
    drain(&monitor);
    monitor.close(Duration::from_secs(5));
    let sent = wire.0.lock().unwrap();
    let index = Index::of(&planted);
    let (mut leaks, mut arrived, mut bytes) = (BTreeSet::new(), BTreeSet::new(), 0);
    for (_, name) in HOSTS {
        let texts: Vec<&str> = sent.iter().filter(|(to, _)| *to == name).map(|(_, text)| text.as_str()).collect();
        bytes += texts.iter().map(|text| text.len()).sum::<usize>();
        for (at, secret, around) in texts.iter().flat_map(|text| index.found(text)) {
            let Planted { plant, place } = &planted[at];
            leaks.insert(format!("{place}: {} of {:?} to {name} in ..{around}..", secret, plant.text));
        }
        let before = arrived.len();
        arrived.extend(texts.iter().flat_map(|text| serials(text)));
        assert!(arrived.len() > before || arrived.len() * 2 > planted.len(), "nothing reached {name}");
    }
    let lost: BTreeSet<_> = (0..planted.len()).filter(|at| !arrived.contains(at)).map(|at| planted[at].place).collect();
    println!("{} plants in {} places, {bytes} bytes on the wire", planted.len(), PLACES.len());
    // What is not found was hidden and not lost.
    let missing = planted.len() - arrived.len();
    assert!(missing == 0, "{missing} of {} never arrived: {lost:?}", planted.len());
    let shown: Vec<_> = leaks.iter().take(80).map(String::as_str).collect();
    assert!(leaks.is_empty(), "{} leaks:\n{}", leaks.len(), shown.join("\n"));
}

#[test]
fn a_secret_of_any_kind_reaches_no_destination_from_any_text_of_the_facts() {
    let mut random = Seeded::of("facts", 28);
    let wire = Wire::default();
    let folder = tempfile::tempdir().unwrap();
    let mut planted = Vec::new();
    let plants = plants(&mut random);
    // A run accepts 100 changes.
    for some in plants.chunks(80) {
        let monitor = open(&wire, &folder.path().join("app"));
        for plant in some {
            let serial = format!("zq{}x", planted.len());
            let text = format!("{serial} {}", plant.text);
            let framework = json!({"name": text, "version": text});
            let member = |name: &&str| ((*name).to_owned(), json!(text));
            let mut facts: serde_json::Map<_, _> = Facts::NAMES.iter().map(member).collect();
            facts.insert("framework".into(), framework);
            monitor.set_facts(serde_json::from_value(facts.into()).unwrap()).unwrap();
            error(&monitor, &serial, &[]);
            let _ = monitor.track("opened", &[]);
            planted.push(Planted { plant: plant.clone(), place: "facts" });
        }
        drain(&monitor);
        monitor.close(WAIT);
    }
    let sent = wire.0.lock().unwrap();
    let index = Index::of(&planted);
    for (_, name) in HOSTS {
        let texts: Vec<&str> = sent.iter().filter(|(to, _)| *to == name).map(|(_, text)| text.as_str()).collect();
        let leaks: Vec<_> = texts.iter().flat_map(|text| index.found(text)).collect();
        let shown: Vec<_> = leaks.iter().take(20).collect();
        assert!(leaks.is_empty(), "{} leaks to {name}: {shown:?}", leaks.len());
        let arrived: BTreeSet<_> = texts.iter().flat_map(|text| serials(text)).collect();
        // Mixpanel has several of the facts, and each destination must have seen all plants.
        assert_eq!(arrived.len(), planted.len(), "{name}");
    }
    println!("{} plants in 16 texts of the facts", planted.len());
}

/// The numbers of the plants of which something is in the text.
fn serials(text: &str) -> Vec<usize> {
    let parse = |(at, _): (usize, &str)| {
        let rest = &text[at + 2..];
        rest[..rest.find('x')?.min(8)].parse().ok()
    };
    text.match_indices("zq").filter_map(parse).collect()
}

/// Bytes of a secret by which it is indexed.
const KEY: usize = 6;

/// The secrets in every spelling, by their first bytes, so that thousands are looked for in one pass.
struct Index {
    by_key: HashMap<[u8; KEY], Vec<(usize, String)>>,
    first: Vec<bool>,
}

impl Index {
    fn of(planted: &[Planted]) -> Index {
        let mut index = Index { by_key: HashMap::new(), first: vec![false; 1 << 16] };
        for (at, Planted { plant, .. }) in planted.iter().enumerate() {
            let json = json!(plant.secret).to_string();
            let spellings = [plant.secret.clone(), json.trim_matches('"').to_owned(), percent(&plant.secret)];
            for spelling in BTreeSet::from(spellings) {
                let bytes = spelling.as_bytes();
                index.first[usize::from(bytes[0]) << 8 | usize::from(bytes[1])] = true;
                let key: [u8; KEY] = bytes[..KEY].try_into().unwrap();
                index.by_key.entry(key).or_default().push((at, spelling));
            }
        }
        index
    }

    /// Which secrets are in the text, with what stands around them.
    fn found<'t>(&self, text: &'t str) -> Vec<(usize, String, &'t str)> {
        let bytes = text.as_bytes();
        let mut found = Vec::new();
        for at in 0..bytes.len().saturating_sub(KEY) {
            if !self.first[usize::from(bytes[at]) << 8 | usize::from(bytes[at + 1])] {
                continue;
            }
            let key: [u8; KEY] = bytes[at..at + KEY].try_into().unwrap();
            for (number, spelling) in self.by_key.get(&key).into_iter().flatten() {
                if bytes[at..].starts_with(spelling.as_bytes()) {
                    let around = text.floor_char_boundary(at.saturating_sub(60))..text.ceil_char_boundary(at + 60);
                    found.push((*number, spelling.clone(), &text[around]));
                }
            }
        }
        found
    }
}

#[test]
fn what_the_documentation_excepts_goes_as_given() {
    let wire = Wire::default();
    let folder = tempfile::tempdir().unwrap();
    let monitor = open(&wire, &folder.path().join("app"));
    let user =
        User { id: Some("9876543210"), email: Some("priya@example.com"), username: Some("+919876543211"), extra: &[] };
    monitor.scope(ScopeChange::User(Some(user)));
    let attrs = [
        ("order_id", Value::Str("4111111111111111")),
        ("order_no", Value::Str("4111111111111129")),
        ("amount", Value::Str("98765 43210")),
        ("number", 4_111_111_111_111_137_i64.into()),
    ];
    let _ = monitor.message("given", Level::Info, &attrs);
    let _ = monitor.feedback(Feedback { message: "x", name: None, email: Some("raj@example.com"), about: None });
    drain(&monitor);
    monitor.close(Duration::from_secs(5));
    let sent = wire.0.lock().unwrap();
    let all: String = sent.iter().filter(|(to, _)| *to == "rez").map(|(_, text)| text.as_str()).collect();
    for given in [
        "9876543210",
        "priya@example.com",
        "+919876543211",
        "4111111111111111",
        "4111111111111129",
        "98765 43210",
        "4111111111111137",
        "raj@example.com",
    ] {
        assert!(all.contains(given), "{given}");
    }
}

#[test]
fn ip_addresses_are_masked_only_for_an_app_that_chose_so() {
    for mask in [false, true] {
        let wire = Wire::default();
        let folder = tempfile::tempdir().unwrap();
        let config = Config::builder(folder.path().join("app"), "shop", "shop@1.0.0")
            .consent(Purpose::Monitoring, Consent::Granted)
            .mask_ip(mask)
            .transport(wire.clone())
            .destination("rez", (entry("rez").unwrap().make)(&json!({})));
        let monitor = Monitor::open(config.build().unwrap()).unwrap();
        monitor.breadcrumb(Breadcrumb::new("net", "peer 2001:db8::7"));
        error(&monitor, "from 203.0.113.7", &[("ip", Value::Str("198.51.100.9"))]);
        drain(&monitor);
        monitor.close(Duration::from_secs(5));
        let all: String = wire.0.lock().unwrap().iter().map(|(_, text)| text.as_str()).collect();
        for address in ["203.0.113.7", "198.51.100.9", "2001:db8::7"] {
            assert_eq!(all.contains(address), !mask, "{address}");
        }
    }
}
