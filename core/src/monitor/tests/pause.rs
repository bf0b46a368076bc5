//! Pausing one destination.

use super::{WAIT, config};
use crate::destination::Rez;
use crate::inspect::{Reader, RowState};
use crate::transport::{Completion, Request, Response, Sent, Transport};
use crate::{ConfigError, From, Monitor, Purpose};
use std::path::Path;
use std::sync::{Arc, Mutex};

/// Takes every request, and remembers its host and body.
#[derive(Clone, Default)]
struct Wire(Arc<Mutex<Vec<(String, String)>>>);

impl Transport for Wire {
    fn send(&self, request: Request, done: Completion) {
        let mut body = String::new();
        let mut gzip = flate2::read::GzDecoder::new(&request.body[..]);
        std::io::Read::read_to_string(&mut gzip, &mut body).unwrap();
        let sent: serde_json::Value = serde_json::from_str(&body).unwrap();
        let accepted = sent["events"].as_array().map_or(0, Vec::len);
        let answer = serde_json::json!({"batch_id": sent["batch_id"], "accepted": accepted}).to_string();
        self.0.lock().unwrap().push((request.url, body));
        done.finish(Sent::Response(Response { status: 200, body: answer.into_bytes(), ..Response::default() }));
    }
}

impl Wire {
    /// The names of the events that this host got.
    fn names(&self, host: &str) -> Vec<String> {
        let sent = self.0.lock().unwrap();
        let bodies = sent.iter().filter(|(url, _)| url.contains(host)).map(|(_, body)| body);
        let events = bodies.flat_map(|body| {
            let body: serde_json::Value = serde_json::from_str(body).unwrap();
            body["events"].as_array().unwrap().clone()
        });
        events.filter_map(|event| Some(event["json"]["name"].as_str().or(event["name"].as_str())?.to_owned())).collect()
    }
}

fn rez(host: &str) -> Rez {
    Rez::builder(format!("https://{host}.example.com"), "key").purposes(&Purpose::ALL).build().unwrap()
}

fn open(folder: &Path, wire: &Wire) -> Monitor {
    let config = config(folder).transport(wire.clone()).destination("one", rez("one")).destination("two", rez("two"));
    Monitor::open(config.build().unwrap()).unwrap()
}

#[test]
fn a_paused_destination_gets_what_was_recorded_before_and_after_the_pause_and_nothing_of_the_time_between() {
    let folder = tempfile::tempdir().unwrap();
    let wire = Wire::default();
    let monitor = open(folder.path(), &wire);
    monitor.pause_destination("two").unwrap();
    monitor.flush(WAIT).unwrap();
    let meanwhile = monitor.track("meanwhile", &[]).id().unwrap();
    let flushed = monitor.flush(WAIT).unwrap();
    let two = flushed.iter().find(|one| one.destination == "two").unwrap();
    assert_eq!((two.delivered, two.left), (0, 1));
    assert!(two.held.as_ref().unwrap().why.contains("paused by the app"), "{two:?}");
    monitor.resume_destination("two").unwrap();
    let _ = monitor.track("after", &[]);
    monitor.flush(WAIT).unwrap();
    assert_eq!(wire.names("one"), ["meanwhile", "after"]);
    assert_eq!(wire.names("two"), ["after"]);
    let fate = monitor.why(meanwhile, WAIT).unwrap();
    assert!(fate.routes.iter().all(|route| route.route.starts_with("one")) || fate.row.is_some(), "{fate:?}");
    monitor.close(WAIT);
    let balance = Reader::open(folder.path()).unwrap().balance().unwrap();
    assert!(balance.holds(), "{balance:?}");
}

#[test]
fn what_the_app_asks_before_delivery_is_started_is_done_when_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let wire = Wire::default();
    let config = config(folder.path()).transport(wire.clone()).suspended(true).build().unwrap();
    let monitor = Monitor::open(config).unwrap();
    for network in [crate::Network::Online, crate::Network::Offline].into_iter().cycle().take(2_000) {
        monitor.hint(crate::Hint::Network(network));
    }
    monitor
        .add_destination("late", Rez::builder("https://late.example.com", "k").build().unwrap(), From::Oldest)
        .unwrap();
    let gone = Rez::builder("https://gone.example.com", "k").build().unwrap();
    monitor.add_destination("gone", gone, From::Oldest).unwrap();
    monitor.remove_destination("gone");
    let _ = monitor.track("early", &[]);
    monitor.resume();
    monitor.persist(WAIT).unwrap();
    let end = std::time::Instant::now() + WAIT;
    let held = loop {
        let routes = monitor.status().routes;
        if let Some(held) = routes.into_iter().find_map(|route| route.held) {
            break held;
        }
        assert!(std::time::Instant::now() < end, "the destination does not wait");
        std::thread::yield_now();
    };
    assert_eq!(held.code.as_str(), "offline");
    assert_eq!(wire.names("late.example.com"), [""; 0], "the host has no network");
    monitor.hint(crate::Hint::Network(crate::Network::Online));
    monitor.flush(WAIT).unwrap();
    assert_eq!((wire.names("late.example.com"), wire.names("gone.example.com")), (vec!["early".into()], vec![]));
    monitor.close(WAIT);
}

#[test]
fn a_pause_survives_a_restart_and_rows_of_before_wait_until_it_ends() {
    let folder = tempfile::tempdir().unwrap();
    let wire = Wire::default();
    // Without a destination, nothing is sent before the pause.
    let monitor = Monitor::open(config(folder.path()).transport(wire.clone()).build().unwrap()).unwrap();
    let before = monitor.track("before", &[]).id().unwrap();
    monitor.pause_destination("two").unwrap();
    let meanwhile = monitor.track("meanwhile", &[]).id().unwrap();
    monitor.close(WAIT);
    for run in 0..3 {
        let monitor = open(folder.path(), &wire);
        let _ = monitor.track(&format!("run {run}"), &[]);
        monitor.flush(WAIT).unwrap();
        assert_eq!(wire.names("two"), [""; 0], "run {run}");
        let state = |id| {
            let fate = monitor.why(id, WAIT).unwrap();
            fate.routes.into_iter().find(|route| route.route.starts_with("two")).unwrap().state
        };
        assert_eq!((state(before), state(meanwhile)), (RowState::Queued, RowState::Paused));
        let status = monitor.status();
        let two = status.routes.iter().find(|route| route.destination == "two").unwrap();
        assert!(two.held.as_ref().unwrap().why.contains("paused by the app"), "{two:?}");
        monitor.close(WAIT);
    }
    let monitor = open(folder.path(), &wire);
    monitor.resume_destination("two").unwrap();
    let _ = monitor.track("after", &[]);
    monitor.flush(WAIT).unwrap();
    monitor.close(WAIT);
    assert_eq!(wire.names("one").len(), 6, "{:?}", wire.names("one"));
    assert_eq!(wire.names("two"), ["before", "after"]);
}

#[test]
fn a_pause_that_a_killed_process_recorded_last_is_known_before_anything_is_sent() {
    let folder = tempfile::tempdir().unwrap();
    let wire = Wire::default();
    let monitor = Monitor::open(config(folder.path()).transport(wire.clone()).build().unwrap()).unwrap();
    let _ = monitor.track("before", &[]);
    monitor.persist(WAIT).unwrap();
    // The database is released: what follows is in the ring only, as after a kill.
    monitor.suspend(WAIT);
    monitor.pause_destination("two").unwrap();
    let ring = std::fs::read(folder.path().join("ring.bin")).unwrap();
    let copy = tempfile::tempdir().unwrap();
    std::fs::copy(folder.path().join("queue.db"), copy.path().join("queue.db")).unwrap();
    for name in ["queue.db-wal", "queue.db-shm"] {
        let _ = std::fs::copy(folder.path().join(name), copy.path().join(name));
    }
    std::fs::write(copy.path().join("ring.bin"), ring).unwrap();
    let next = open(copy.path(), &wire);
    next.flush(WAIT).unwrap();
    assert_eq!(wire.names("one"), ["before"]);
    assert_eq!(wire.names("two"), [""; 0]);
    next.close(WAIT);
    monitor.close(WAIT);
}

#[test]
fn a_destination_that_is_declared_later_can_be_paused_and_an_invalid_name_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let wire = Wire::default();
    let monitor = Monitor::open(config(folder.path()).transport(wire.clone()).build().unwrap()).unwrap();
    for name in ["", "a b", "\"]", &"x".repeat(65)] {
        assert!(matches!(monitor.pause_destination(name), Err(ConfigError::Destination { .. })), "{name}");
        assert!(matches!(monitor.resume_destination(name), Err(ConfigError::Destination { .. })), "{name}");
    }
    for n in 0..40 {
        monitor.pause_destination(&format!("never{n}")).unwrap();
        monitor.resume_destination(&format!("never{n}")).unwrap();
    }
    monitor.pause_destination("late").unwrap();
    monitor.pause_destination("late").unwrap();
    let _ = monitor.track("meanwhile", &[]);
    monitor.add_destination("late", rez("late"), From::Oldest).unwrap();
    monitor.flush(WAIT).unwrap();
    monitor.resume_destination("late").unwrap();
    monitor.resume_destination("late").unwrap();
    let _ = monitor.track("after", &[]);
    monitor.flush(WAIT).unwrap();
    assert_eq!(wire.names("late.example.com"), ["after"]);
    monitor.close(WAIT);
}

#[test]
fn more_pauses_than_the_limit_are_an_error_and_not_half_a_pause() {
    let folder = tempfile::tempdir().unwrap();
    let wire = Wire::default();
    let monitor = open(folder.path(), &wire);
    for n in 0..crate::limits::PAUSED {
        monitor.pause_destination(&format!("never{n}")).unwrap();
    }
    monitor.flush(WAIT).unwrap();
    assert!(
        matches!(monitor.pause_destination("two"), Err(ConfigError::Destination { why, .. }) if why.contains("64"))
    );
    monitor.pause_destination("never0").unwrap();
    let _ = monitor.track("meanwhile", &[]);
    monitor.flush(WAIT).unwrap();
    assert_eq!(wire.names("two"), ["meanwhile"]);
    monitor.resume_destination("never0").unwrap();
    monitor.flush(WAIT).unwrap();
    monitor.pause_destination("two").unwrap();
    let _ = monitor.track("paused", &[]);
    monitor.flush(WAIT).unwrap();
    assert_eq!(wire.names("two"), ["meanwhile"]);
    monitor.close(WAIT);
}

#[test]
fn trace_headers_follow_pauses_whatever_comes_between_and_the_first_declared_speaks_again_after_its_pause() {
    use crate::destination::Sentry;
    use crate::{IdGenerator, TraceStyle};
    let sentry = |key: &str, rate| {
        let dsn = format!("https://{}@o1.ingest.example.com/1", key.repeat(8));
        Sentry::builder(dsn).traces_sample_rate(rate).build().unwrap()
    };
    let folder = tempfile::tempdir().unwrap();
    let open = || {
        let config = config(folder.path()).transport(Wire::default()).trace_targets(["a.example"]);
        let config = config.trace_styles([TraceStyle::Sentry]).destination("a", sentry("aaaa", 0.0));
        Monitor::open(config.destination("b", sentry("bbbb", 1.0)).build().unwrap()).unwrap()
    };
    let monitor = open();
    let said = |monitor: &Monitor| {
        let trace = IdGenerator::from_seed([7; 16]).root();
        let mut all = String::new();
        monitor.trace_headers(&trace, "https://a.example/x", |name, value| all.push_str(&format!("{name}: {value}\n")));
        let flag = all.lines().find_map(|line| line.strip_prefix("sentry-trace: ")).unwrap().ends_with("-1");
        (flag, all.contains("public_key=aaaa"), all.contains("public_key=bbbb"))
    };
    assert_eq!(said(&monitor), (false, true, false));
    monitor.pause_destination("a").unwrap();
    assert_eq!(said(&monitor), (true, false, true));
    monitor.add_destination("a", sentry("aaaa", 1.0), From::Now).unwrap();
    assert_eq!(said(&monitor), (true, false, true), "added while paused");
    monitor.resume_destination("a").unwrap();
    assert_eq!(said(&monitor), (true, true, false));
    monitor.add_destination("a", sentry("aaaa", 0.0), From::Now).unwrap();
    monitor.pause_destination("b").unwrap();
    monitor.remove_destination("b");
    monitor.resume_destination("b").unwrap();
    assert_eq!(said(&monitor), (false, true, false));
    monitor.pause_destination("a").unwrap();
    monitor.close(WAIT);
    let monitor = open();
    monitor.persist(WAIT).unwrap();
    assert_eq!(said(&monitor), (true, false, true), "paused by the run before");
    monitor.close(WAIT);
}

#[test]
fn destinations_that_are_added_together_all_get_what_was_recorded_before() {
    for _ in 0..20 {
        let folder = tempfile::tempdir().unwrap();
        let wire = Wire::default();
        let monitor = Monitor::open(config(folder.path()).transport(wire.clone()).build().unwrap()).unwrap();
        let _ = monitor.track("early", &[]);
        monitor.persist(WAIT).unwrap();
        let names: Vec<String> = (0..12).map(|n| format!("d{n}")).collect();
        let all: Vec<String> = names
            .iter()
            .map(|name| {
                let rez = r#""kind":"rez","key":"k","purposes":["monitoring","analytics"]"#;
                format!(r#"{{"name":"{name}",{rez},"endpoint":"https://{name}.example.com"}}"#)
            })
            .collect();
        let json = format!(r#"{{"destinations":[{}]}}"#, all.join(","));
        let settings = crate::Settings::from_json(&json, crate::Spelling::Camel).unwrap();
        monitor.add_destinations(&settings, crate::Spelling::Camel, From::Oldest).unwrap();
        monitor.flush(WAIT).unwrap();
        for name in &names {
            assert_eq!(wire.names(&format!("/{name}.example.com")), ["early"], "{name}");
        }
        monitor.close(WAIT);
    }
}
