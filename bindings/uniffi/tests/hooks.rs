//! What the host implements may throw, answer twice or not at all, and may be ready later than the engine.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use rezmonitor::events::{Extras, Outcome};
use rezmonitor::hooks::{BeforeSend, Hooks, HostCall, HostError, HostLogger, HostRequest, HostResponse, HostTransport};
use rezmonitor::{control, open, record, test_access};
use serde_json::Value as Json;
use std::sync::{Arc, Mutex};

const WAIT_MS: i64 = 60_000;

fn thrown() -> HostError {
    HostError::Thrown { text: "java.lang.IllegalStateException".into() }
}

/// A server in the host's transport: its answers in order, by name.
#[derive(Default)]
struct Host {
    plan: Mutex<Vec<&'static str>>,
    urls: Mutex<Vec<String>>,
    held: Mutex<Vec<Arc<HostCall>>>,
    /// What became of events that the transport recorded, and the engine for which it did.
    recorded: Mutex<Vec<Outcome>>,
    engine: Mutex<Option<u64>>,
}

impl HostTransport for Host {
    fn send(&self, request: HostRequest, call: Arc<HostCall>) -> Result<(), HostError> {
        self.urls.lock().unwrap().push(request.url.clone());
        if let Some(handle) = *self.engine.lock().unwrap() {
            let outcome = record::track(handle, "upload".into(), Extras::default());
            self.recorded.lock().unwrap().push(outcome);
        }
        let mut plan = self.plan.lock().unwrap();
        let step = if plan.is_empty() { "accept" } else { plan.remove(0) };
        match step {
            "throw" => return Err(thrown()),
            "drop" => {}
            "hold" => self.held.lock().unwrap().push(call),
            "nonsense" => call.respond(HostResponse { status: 0, headers: Vec::new(), body: vec![0xff; 200_000] }),
            "not_sent" => call.not_sent("no network".into()),
            _ => {
                let mut text = String::new();
                let mut gzip = flate2::read::GzDecoder::new(request.body.as_slice());
                std::io::Read::read_to_string(&mut gzip, &mut text).unwrap();
                let sent: Json = serde_json::from_str(&text).unwrap();
                let accepted = sent["events"].as_array().map_or(0, Vec::len);
                let body = serde_json::json!({"batch_id": sent["batch_id"], "accepted": accepted}).to_string();
                call.respond(HostResponse { status: 200, headers: Vec::new(), body: body.into_bytes() });
                // A second answer means nothing.
                call.respond(HostResponse { status: 500, headers: Vec::new(), body: Vec::new() });
                call.ambiguous("again".into());
            }
        }
        Ok(())
    }
}

fn settings(folder: &std::path::Path) -> String {
    serde_json::json!({
        "folder": folder, "app": "shop", "release": "shop@1", "consentMonitoring": "granted", "consentAnalytics": "granted",
        "sessions": false, "debug": true,
        "destinations": [{"name": "own", "kind": "rez", "endpoint": "https://in.example.com", "key": "write-key"}],
    })
    .to_string()
}

fn track(handle: u64, name: &str) {
    assert!(matches!(record::track(handle, name.into(), Extras::default()), Outcome::Recorded { .. }));
}

fn rows(folder: &std::path::Path) -> Vec<Json> {
    let all: Json = serde_json::from_str(&test_access::test_rows(folder.to_str().unwrap().into())).unwrap();
    all["rows"].as_array().unwrap().iter().map(|row| row["json"].clone()).collect()
}

#[test]
fn a_transport_that_throws_hangs_answers_nonsense_twice_or_not_at_all_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let host = Arc::new(Host::default());
    *host.plan.lock().unwrap() = vec!["throw", "drop", "nonsense", "not_sent", "hold"];
    let hooks = Hooks { transport: Some(host.clone()), ..Hooks::default() };
    let handle = open::open(settings(folder.path()), None, hooks).unwrap();
    for n in 0..20 {
        track(handle, &format!("event {n}"));
    }
    let left = |handle| control::flush(handle, 2_000).unwrap()[0].left;
    while !host.held.lock().unwrap().iter().any(|_| true) {
        assert_eq!(left(handle), 20);
    }
    // The request that hangs is answered late.
    let call = host.held.lock().unwrap().remove(0);
    call.not_sent("late".into());
    while left(handle) > 0 {}
    assert!(host.urls.lock().unwrap().iter().all(|url| url.starts_with("https://in.example.com/")));
    open::close(handle, WAIT_MS);
    assert_eq!(rows(folder.path()).len(), 0);
}

#[test]
fn an_event_that_the_transport_records_while_it_sends_is_refused_so_that_no_upload_is_the_reason_for_another() {
    let folder = tempfile::tempdir().unwrap();
    let host = Arc::new(Host::default());
    let hooks = Hooks { transport: Some(host.clone()), ..Hooks::default() };
    let handle = open::open(settings(folder.path()), None, hooks).unwrap();
    *host.engine.lock().unwrap() = Some(handle);
    track(handle, "event");
    let left = (0..100).map(|_| control::flush(handle, 2_000).unwrap()[0].left).find(|left| *left == 0);
    assert_eq!(left, Some(0), "each upload was the reason for another");
    open::close(handle, WAIT_MS);
    let recorded = host.recorded.lock().unwrap();
    let refused = |outcome: &Outcome| matches!(outcome, Outcome::Dropped { reason } if reason == "reentrant");
    assert!(!recorded.is_empty() && recorded.iter().all(refused), "{recorded:?}");
}

struct Renames;

impl BeforeSend for Renames {
    fn before_send(&self, kind: String, row_json: String) -> Result<Option<String>, HostError> {
        assert_eq!(kind, "analytics");
        let mut row: Json = serde_json::from_str(&row_json).unwrap();
        let name = row["name"].as_str().unwrap().to_owned();
        match name.as_str() {
            "drop" => return Ok(None),
            "throw" => return Err(thrown()),
            "nonsense" => return Ok(Some("[]".into())),
            _ => row["name"] = format!("{name} (seen), priya@example.com").into(),
        }
        Ok(Some(row.to_string()))
    }
}

#[test]
fn before_send_changes_and_drops_events_obeys_the_privacy_rules_and_lets_nothing_through_after_a_failure() {
    for fault in ["throw", "nonsense"] {
        let folder = tempfile::tempdir().unwrap();
        let hooks = Hooks { before_send: Some(Arc::new(Renames)), ..Hooks::default() };
        let handle = open::open(settings(folder.path()), None, hooks).unwrap();
        for name in ["a", "drop", "b", fault, "c"] {
            track(handle, name);
        }
        control::persist(handle, WAIT_MS).unwrap();
        let names: Vec<_> = rows(folder.path()).iter().map(|row| row["name"].as_str().unwrap().to_owned()).collect();
        assert_eq!(names, ["a (seen), [email]", "b (seen), [email]"], "{fault}");
        open::close(handle, WAIT_MS);
    }
}

#[derive(Default)]
struct Heard(Mutex<Vec<(String, String, String)>>);

impl HostLogger for Heard {
    fn log(&self, level: String, code: String, text: String) -> Result<(), HostError> {
        self.0.lock().unwrap().push((level, code, text));
        Err(thrown())
    }
}

#[test]
fn a_logger_hears_one_sentence_and_after_it_throws_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let heard = Arc::new(Heard::default());
    let hooks = Hooks { logger: Some(heard.clone()), ..Hooks::default() };
    let handle = open::open(settings(folder.path()), None, hooks).unwrap();
    assert!(!record::record_batch(handle, "no JSON".into()));
    control::persist(handle, WAIT_MS).unwrap();
    open::close(handle, WAIT_MS);
    let end = std::time::Instant::now() + std::time::Duration::from_secs(60);
    while heard.0.lock().unwrap().is_empty() {
        assert!(std::time::Instant::now() < end, "nothing was heard");
        std::thread::yield_now();
    }
    let heard = heard.0.lock().unwrap();
    assert_eq!((heard.len(), heard[0].1.as_str()), (1, "malformed"), "{heard:?}");
}
