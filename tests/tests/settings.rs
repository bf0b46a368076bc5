//! The settings as other languages pass them: JSON in both spellings, the schemas, and an engine that is opened from them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use rez_monitor::transport::{Completion, Request, Response, Sent, Transport};
use rez_monitor::{Config, ErrorEvent, HeldCode, Monitor, Platform, Settings, Spelling, StoreState, settings_schema};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};
use std::time::Duration;

const WAIT: Duration = Duration::from_secs(30);

/// What a JavaScript app passes.
fn settings(folder: &str) -> Value {
    json!({
        "folder": folder, "app": "shop", "release": "shop@1.4.0+52", "environment": "production", "dist": null,
        "consentMonitoring": "granted", "consentAnalytics": "pending",
        "sampleRates": {"frames": 0.1}, "slowApiMs": 3000, "traceTargets": ["api.example.com"],
        "hangMs": 1500, "breadcrumbConsole": false,
        "destinations": [
            {"name": "team", "kind": "rez", "endpoint": "https://in.example.com", "key": "write-key"},
            {"name": "issues", "kind": "sentry", "dsn": "https://0123abcd@sentry.example.com/42", "tracesSampleRate": 0.2},
        ],
    })
}

/// Refuses every request, and keeps their addresses.
#[derive(Clone, Default)]
struct Server(Arc<Mutex<Vec<String>>>);

impl Transport for Server {
    fn send(&self, request: Request, done: Completion) {
        self.0.lock().unwrap().push(request.url.clone());
        done.finish(Sent::Response(Response { status: 401, headers: Vec::new(), body: Vec::new(), cut: false }));
    }
}

#[test]
fn an_engine_that_is_opened_from_json_sends_to_its_destinations_and_answers_in_records() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().to_str().unwrap();
    let settings = Settings::from_json(&settings(folder).to_string(), Spelling::Camel).unwrap();
    let server = Server::default();
    let config = Config::from_settings(&settings, Spelling::Camel).unwrap().transport(server.clone()).build().unwrap();
    let monitor = Monitor::open(config).unwrap();
    let id = monitor.error(ErrorEvent::new("PaymentError", "card declined")).id().unwrap();
    let flushed = monitor.flush(WAIT).unwrap();
    let held: Vec<_> = flushed.iter().map(|one| one.held.as_ref().map(|held| held.code)).collect();
    assert_eq!(held, [Some(HeldCode::Stopped), Some(HeldCode::Stopped)], "{flushed:?}");
    let mut urls = server.0.lock().unwrap().clone();
    urls.sort();
    urls.dedup();
    let wanted = ["https://in.example.com/v1/batch", "https://sentry.example.com/api/42/envelope/"];
    assert_eq!(urls, wanted);
    let status = monitor.status();
    assert_eq!((status.store.clone(), status.folder.as_str()), (StoreState::Ready, folder));
    let json: Value = serde_json::from_str(&status.to_json()).unwrap();
    assert_eq!(json["lines"].as_array().unwrap().len(), status.lines().len());
    let stopped = status.lines().iter().filter(|line| line.contains("stopped: ")).count();
    assert_eq!(stopped, 2, "{:#?}", status.lines());
    let fate = monitor.why(id, WAIT).unwrap();
    assert_eq!(fate.text(), "team/rez.batch: queued; issues/sentry.envelope: queued");
    let json: Value = serde_json::from_str(&fate.to_json()).unwrap();
    assert_eq!((json["routes"][0]["state"].as_str(), json["row"]["kind"].as_str()), (Some("queued"), Some("error")));
    let platform = settings.platform(Platform::Android);
    assert_eq!((platform.hang_ms, platform.breadcrumb_console, platform.frozen_frame_ms), (1_500, false, 700));
    // The live sentence is the one that the inspector prints of the file.
    let live = status.routes[0].held.as_ref().unwrap().text();
    monitor.close(WAIT);
    let overview = rez_monitor::inspect::Reader::open(std::path::Path::new(folder)).unwrap().overview().unwrap();
    let route = overview.routes.iter().find(|view| view.route == status.routes[0].route).unwrap();
    // The time of the next probe can differ by the rounding between two clocks.
    let sentence = |text: &str| text.split("; next probe").next().unwrap_or_default().to_owned();
    assert_eq!(route.lines().iter().map(|line| sentence(line)).collect::<Vec<_>>(), [sentence(&live)]);
}

#[test]
fn the_schema_takes_what_the_reader_takes_and_refuses_what_it_refuses() {
    let camel = jsonschema::validator_for(&settings_schema(Spelling::Camel)).unwrap();
    let good = settings("/data/queue");
    assert!(camel.is_valid(&good), "{:?}", camel.iter_errors(&good).map(|error| error.to_string()).collect::<Vec<_>>());
    let read = |value: &Value| {
        let settings = Settings::from_json(&value.to_string(), Spelling::Camel)?;
        Config::from_settings(&settings, Spelling::Camel).map(drop)
    };
    read(&good).unwrap();
    for (pointer, bad) in [
        ("/slowApiMs", json!(-1)),
        ("/slowApiMs", json!("3000")),
        ("/slowApiMs", json!(1.5)),
        ("/sampleRates/frames", json!(1.1)),
        ("/sampleRates/frmaes", json!(0.1)),
        ("/consentMonitoring", json!("yes")),
        ("/app", json!("")),
        ("/app", json!(["shop"])),
        ("/hangMs", json!(0)),
        ("/hangMs", json!(true)),
        ("/unknown", json!(1)),
        ("/slow_api_ms", json!(1)),
        ("/destinations", json!({})),
        ("/destinations", json!(vec![json!({"name": "a", "kind": "rez"}); 10_000])),
        ("/destinations/0/kind", json!("statsd")),
        ("/destinations/0/dns", json!("x")),
        ("/destinations/1/tracesSampleRate", json!(2)),
        ("/traceTargets/0", json!(7)),
        ("/traceTargets/0", json!("")),
    ] {
        let mut value = good.clone();
        let (parent, name) = pointer.rsplit_once('/').unwrap();
        match value.pointer_mut(parent).unwrap() {
            Value::Object(members) => drop(members.insert(name.to_owned(), bad)),
            Value::Array(items) => items[name.parse::<usize>().unwrap()] = bad,
            other => panic!("{other}"),
        }
        let error = read(&value).expect_err(pointer);
        assert!(!camel.is_valid(&value), "the schema takes {pointer}");
        // The error names the very member, or the map or list around it.
        let place = pointer.trim_start_matches('/').replace('/', ".").replace(".0", "[0]").replace("s.1", "s[1]");
        assert!(place.starts_with(error.field.as_str()), "{place}: {error}");
    }
}
