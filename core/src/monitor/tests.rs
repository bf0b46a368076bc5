use super::*;
use crate::inspect::{Filter, Reader};
use crate::{Clock, Config, Consent, Purpose, StoreState, Timing, User};
use serde_json::Value as Json;
use std::path::Path;
use std::time::Duration;

mod batch;
mod batch_faults;
mod batch_fuzz;
mod inspect;
mod inspect_folder;
mod pause;
mod people;
mod starts;
mod test_mode;
mod times;
mod views;

const WAIT: Duration = Duration::from_secs(60);

pub(super) fn config(folder: &Path) -> crate::ConfigBuilder {
    Config::builder(folder, "shop", "shop@1")
        .consent(Purpose::Monitoring, Consent::Granted)
        .consent(Purpose::Analytics, Consent::Granted)
        .sessions(false)
}

fn open(folder: &Path) -> Monitor {
    Monitor::open(config(folder).build().unwrap()).unwrap()
}

/// Closes, then reads every row back; the balance holds.
pub(super) fn rows(monitor: Monitor, folder: &Path) -> Vec<(String, Json)> {
    monitor.close(WAIT);
    let reader = Reader::open(folder).unwrap();
    assert!(reader.balance().unwrap().holds(), "{:?}", reader.balance());
    let listed = reader.list(&Filter::default()).unwrap();
    let mut rows: Vec<_> = listed.into_iter().map(|listed| listed.row).collect();
    rows.sort_by_key(|row| row.seq);
    rows.into_iter().map(|row| (row.kind.as_str().to_owned(), serde_json::from_str(&row.json).unwrap())).collect()
}

pub(super) fn only(rows: Vec<(String, Json)>, kind: &str) -> Vec<Json> {
    rows.into_iter().filter(|(found, _)| found == kind).map(|(_, json)| json).collect()
}

#[test]
fn an_event_has_the_user_tags_and_screen_of_the_time_it_was_recorded() {
    let folder = tempfile::tempdir().unwrap();
    let monitor = open(folder.path());
    let _ = monitor.track("before", &[]);
    monitor.scope(ScopeChange::User(Some(User { id: Some("u-1"), email: Some("a@b.example"), ..User::default() })));
    monitor.scope(ScopeChange::Tag("plan", Some("gold")));
    let _ = monitor.record(Event::screen_view("Cart", None));
    let _ = monitor.track("while", &[("note", "mail me at a@b.example".into())]);
    monitor.scope(ScopeChange::User(None));
    let _ = monitor.track("after", &[]);
    let events = only(rows(monitor, folder.path()), "analytics");
    assert_eq!(events[0]["user"], Json::Null);
    assert_eq!(events[1]["user"]["email"], "a@b.example");
    assert_eq!(events[1]["tags"]["plan"], "gold");
    assert_eq!(events[1]["view"]["name"], "Cart");
    assert_eq!(events[1]["attrs"]["note"], "mail me at [email]");
    // Nobody is named any more, and whoever comes next is not taken for `u-1`.
    let device = events[2]["user"]["anonymous"].as_str().unwrap().to_owned();
    assert_eq!(events[2]["user"], serde_json::json!({ "anonymous": device }));
    assert_eq!(events[2]["tags"]["plan"], "gold");
    let monitor = open(folder.path());
    let _ = monitor.track("next run", &[]);
    monitor.scope(ScopeChange::User(Some(User { id: Some("u-2"), ..User::default() })));
    let _ = monitor.track("known again", &[]);
    let events = only(rows(monitor, folder.path()), "analytics");
    assert_eq!(events[3]["user"], serde_json::json!({ "anonymous": device }));
    assert_eq!(events[4]["user"], serde_json::json!({ "id": "u-2", "anonymous": device }));
}

#[test]
fn an_error_contains_the_last_100_breadcrumbs_and_repeated_errors_collapse() {
    let folder = tempfile::tempdir().unwrap();
    let clock = Clock::manual(1_795_400_000_000, 1_000);
    let monitor = Monitor::open(config(folder.path()).clock(clock.clone()).build().unwrap()).unwrap();
    for n in 0..130 {
        monitor.breadcrumb(Breadcrumb::new("test", &format!("step {n}")));
    }
    for _ in 0..25 {
        let _ = monitor.error(ErrorEvent::new("PaymentError", "declined"));
    }
    clock.advance(Duration::from_secs(61));
    let _ = monitor.error(ErrorEvent::new("PaymentError", "declined"));
    let errors = only(rows(monitor, folder.path()), "error");
    assert_eq!(errors.len(), 11);
    let trail = errors[0]["trail"].as_array().unwrap();
    assert_eq!(
        (trail.len(), &trail[0]["message"], &trail[99]["message"]),
        (100, &"step 30".into(), &"step 129".into())
    );
    assert_eq!(errors[9]["collapsed_before"], Json::Null);
    assert_eq!(errors[10]["collapsed_before"], 15);
}

#[test]
fn calls_during_a_screen_load_become_its_child_spans_and_slow_calls_record_a_warning() {
    let folder = tempfile::tempdir().unwrap();
    let clock = Clock::manual(1_795_400_000_000, 1_000);
    let monitor = Monitor::open(config(folder.path()).clock(clock.clone()).build().unwrap()).unwrap();
    let mut screen = monitor.screen("Home");
    clock.advance(Duration::from_millis(100));
    screen.initial_display();
    let call = monitor.api_call("GET", "https://api.example/products/17?token=x");
    clock.advance(Duration::from_millis(5_001));
    let _ = call.finish(200, 10);
    let _ = screen.finish();
    let exactly = Timing::screen_load("Exactly", Duration::from_millis(3_000));
    let _ = monitor.timing(exactly);
    let names: Vec<_> = monitor.metrics().into_iter().map(|summary| summary.name).collect();
    assert!(
        names.contains(&"screen_Home_load".to_owned()) && names.contains(&"api_/products/{id}".to_owned()),
        "{names:?}"
    );
    let rows = rows(monitor, folder.path());
    let loads = only(rows.clone(), "screen_load");
    assert_eq!((&loads[0]["duration_us"], &loads[0]["initial_us"]), (&5_101_000.into(), &100_000.into()));
    assert_eq!((&loads[0]["slow"], &loads[1]["slow"]), (&true.into(), &Json::Null));
    assert_eq!(loads[0]["children"][0]["name"], "/products/{id}");
    let calls = only(rows.clone(), "api_call");
    assert_eq!(calls[0]["url"], "https://api.example/products/17");
    assert_eq!(calls[0]["trace"]["parent"], loads[0]["trace"]["span_id"]);
    assert_eq!(calls[0]["child_of"], loads[0]["view"]["id"]);
    let messages = only(rows, "message");
    assert_eq!(messages[0]["message"], "Slow API: /products/{id}");
    assert_eq!(messages[0]["context"]["performance"]["duration"], 5_001);
}

#[test]
fn denying_consent_refuses_new_events_at_once_and_deletes_stored_ones() {
    let folder = tempfile::tempdir().unwrap();
    let monitor = open(folder.path());
    let _ = monitor.track("secret-analytics-name", &[]);
    let _ = monitor.message("kept", Level::Info, &[]);
    monitor.persist(WAIT).unwrap();
    monitor.set_consent(Purpose::Analytics, Consent::Denied);
    assert_eq!(monitor.track("refused", &[]), Outcome::Dropped(Reason::Consent));
    let rows = rows(monitor, folder.path());
    assert_eq!(rows.iter().map(|(kind, _)| kind.as_str()).collect::<Vec<_>>(), ["message"]);
    for name in ["queue.db", "queue.db-wal", "ring.bin"] {
        let bytes = std::fs::read(folder.path().join(name)).unwrap_or_default();
        assert!(!String::from_utf8_lossy(&bytes).contains("secret-analytics-name"), "{name}");
    }
    // The user's answer takes precedence over the configuration.
    let monitor = open(folder.path());
    assert_eq!(monitor.track("refused", &[]), Outcome::Dropped(Reason::Consent));
}

#[test]
fn forget_user_deletes_earlier_events_and_keeps_later_ones() {
    let folder = tempfile::tempdir().unwrap();
    let monitor = open(folder.path());
    monitor.scope(ScopeChange::User(Some(User { id: Some("user-to-forget"), ..User::default() })));
    for n in 0..50 {
        let _ = monitor.track("t", &[("n", n.into())]);
    }
    monitor.persist(WAIT).unwrap();
    let _ = monitor.track("still in the ring", &[]);
    monitor.forget_user();
    let after = monitor.track("after", &[]);
    assert!(after.id().is_some());
    let rows = rows(monitor, folder.path());
    assert_eq!(rows.len(), 1);
    assert_eq!((&rows[0].1["name"], &rows[0].1["user"]), (&"after".into(), &Json::Null));
    for name in ["queue.db", "queue.db-wal", "ring.bin"] {
        let bytes = std::fs::read(folder.path().join(name)).unwrap_or_default();
        assert!(!String::from_utf8_lossy(&bytes).contains("user-to-forget"), "{name}");
    }
}

#[test]
fn a_session_ends_after_thirty_seconds_in_the_background_and_counts_its_errors() {
    let folder = tempfile::tempdir().unwrap();
    let clock = Clock::manual(1_795_400_000_000, 1_000);
    let monitor = Monitor::open(config(folder.path()).sessions(true).clock(clock.clone()).build().unwrap()).unwrap();
    let _ = monitor.error(ErrorEvent::new("E", "one"));
    monitor.scope(ScopeChange::Foreground(false));
    clock.advance(Duration::from_secs(29));
    monitor.scope(ScopeChange::Foreground(true));
    monitor.scope(ScopeChange::Foreground(false));
    clock.advance(Duration::from_secs(30));
    monitor.scope(ScopeChange::Foreground(true));
    let _ = monitor.track("in the second", &[]);
    let rows = rows(monitor, folder.path());
    let sessions = only(rows.clone(), "session");
    let said: Vec<_> = sessions
        .iter()
        .map(|s| (s["status"].as_str().unwrap(), s["init"].as_bool().unwrap(), s["errors"].as_u64()))
        .collect();
    assert_eq!(
        said,
        [("ok", true, Some(0)), ("exited", false, Some(1)), ("ok", true, Some(0)), ("exited", false, Some(0))]
    );
    assert_eq!(sessions[1]["duration_us"], 29_000_000);
    assert_eq!(only(rows, "analytics")[0]["session"], sessions[2]["session"]);
}

#[test]
fn opening_a_folder_twice_returns_the_same_engine_and_an_unusable_folder_sets_the_store_state() {
    let folder = tempfile::tempdir().unwrap();
    let one = open(folder.path());
    let two = open(folder.path());
    assert!(Arc::ptr_eq(&one.0, &two.0));
    let file = folder.path().join("a file");
    std::fs::write(&file, b"").unwrap();
    let nowhere = open(&file.join("below"));
    assert!(nowhere.track("kept in memory", &[]).id().is_some());
    assert_eq!(nowhere.persist(WAIT), Err(WaitError::Unavailable));
    assert!(matches!(nowhere.status().store, StoreState::Unavailable(_)));
}

#[test]
fn a_hook_can_drop_an_event_and_events_recorded_inside_a_hook_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let slot: Arc<Mutex<Option<Monitor>>> = Arc::default();
    let inside = Arc::clone(&slot);
    let hook = move |kind: Kind, row: &mut Json| {
        if let Some(monitor) = &*inside.lock().unwrap() {
            assert_eq!(monitor.track("from the hook", &[]), Outcome::Dropped(Reason::Reentrant));
        }
        row["attrs"] = serde_json::json!({"contact": "a@b.example"});
        kind != Kind::Message
    };
    let monitor = Monitor::open(config(folder.path()).before_send(hook).build().unwrap()).unwrap();
    *slot.lock().unwrap() = Some(monitor.clone());
    let _ = monitor.message("filtered", Level::Info, &[]);
    let _ = monitor.track("kept", &[]);
    monitor.persist(WAIT).unwrap();
    *slot.lock().unwrap() = None;
    let rows = rows(monitor, folder.path());
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0].1["attrs"]["contact"], "[email]");
}

#[test]
fn increments_of_a_user_property_accumulate_across_restarts() {
    let folder = tempfile::tempdir().unwrap();
    for _ in 0..2 {
        let monitor = open(folder.path());
        let _ = monitor.people(People::Increment("orders", 2.0));
        let _ = monitor.people(People::Increment("orders", 1.5));
        monitor.close(WAIT);
    }
    let props = only(rows(open(folder.path()), folder.path()), "user_prop");
    assert_eq!(props.iter().map(|prop| prop["value"].as_f64().unwrap()).collect::<Vec<_>>(), [2.0, 3.5, 5.5, 7.0]);
}

#[test]
fn sampling_is_decided_once_per_session_and_counted() {
    let folder = tempfile::tempdir().unwrap();
    let monitor = Monitor::open(config(folder.path()).sample(Kind::Metric, 0.0).build().unwrap()).unwrap();
    assert_eq!(monitor.metric("m", Metric::Gauge(1.0)), Outcome::Dropped(Reason::Sampled));
    assert!(monitor.status().refused.contains(&crate::Refused {
        reason: Reason::Sampled,
        kind: Some(Kind::Metric),
        count: 1
    }));
}

#[test]
fn a_fatal_error_is_synced_when_the_call_returns() {
    let folder = tempfile::tempdir().unwrap();
    let monitor = open(folder.path());
    monitor.persist(WAIT).unwrap();
    let durability = monitor.fatal(ErrorEvent::new("Panic", "the end"), Duration::from_secs(5));
    let Durability::Synced(id) = durability else { panic!("{durability:?}") };
    let reader = Reader::open(folder.path()).unwrap();
    let listed = reader.list(&Filter::default()).unwrap();
    assert_eq!((listed[0].row.id, listed[0].row.kind), (id, Kind::Crash));
}

#[test]
fn deleting_the_ring_file_while_threads_record_loses_no_event() {
    let folder = tempfile::tempdir().unwrap();
    let monitor = open(folder.path());
    let recorder = monitor.clone();
    let thread = std::thread::spawn(move || {
        let track = |n: i64| recorder.track("step", &[("n", n.into())]).id().is_some();
        (0..20_000).filter(|n| track(*n)).count()
    });
    for _ in 0..3 {
        std::fs::remove_file(folder.path().join("ring.bin")).unwrap();
        while !folder.path().join("ring.bin").exists() {
            monitor.persist(WAIT).unwrap();
        }
    }
    let recorded = thread.join().unwrap();
    assert_eq!(only(rows(monitor, folder.path()), "analytics").len(), recorded);
}

#[test]
fn rows_recorded_after_a_damaged_queue_have_their_run_and_user() {
    let folder = tempfile::tempdir().unwrap();
    let monitor = open(folder.path());
    monitor.scope(ScopeChange::User(Some(User { id: Some("u-1"), ..User::default() })));
    monitor.breadcrumb(Breadcrumb::new("shop", "cart opened"));
    monitor.persist(WAIT).unwrap();
    let damage = crate::store::StoreError::Corrupt("damaged for the test".into());
    let serial = monitor.0.shared.run_within(None, |store, _| store.serial()).unwrap();
    monitor.0.shared.command(crate::writer::shared::Command::Failed(damage, serial));
    monitor.persist(WAIT).unwrap();
    let _ = monitor.error(ErrorEvent::new("Oops", "after"));
    monitor.close(WAIT);
    let reader = Reader::open(folder.path()).unwrap();
    let listed = reader.list(&Filter::default()).unwrap();
    let row = &listed.iter().find(|listed| listed.row.kind == Kind::Error).unwrap().row;
    let json: Json = serde_json::from_str(&row.json).unwrap();
    assert_eq!(json["user"]["id"], "u-1");
    assert_eq!(json["trail"][0]["message"], "cart opened");
    assert!(row.run > 0, "{row:?}");
}

#[test]
fn errors_keep_user_and_breadcrumbs_when_analytics_is_denied() {
    let folder = tempfile::tempdir().unwrap();
    let monitor = open(folder.path());
    monitor.scope(ScopeChange::User(Some(User { id: Some("u-1"), ..User::default() })));
    monitor.breadcrumb(Breadcrumb::new("shop", "cart opened"));
    monitor.set_consent(Purpose::Analytics, Consent::Denied);
    monitor.persist(WAIT).unwrap();
    let _ = monitor.error(ErrorEvent::new("Oops", "after"));
    let errors = only(rows(monitor, folder.path()), "error");
    assert_eq!(errors[0]["user"]["id"], "u-1");
    assert_eq!(errors[0]["trail"][0]["message"], "cart opened");
}

#[test]
fn a_crash_in_the_reserve_is_refused_when_monitoring_is_denied() {
    let folder = tempfile::tempdir().unwrap();
    let monitor = open(folder.path());
    monitor.set_consent(Purpose::Monitoring, Consent::Denied);
    let mut buffer = [0u8; 4096];
    let len = ErrorEvent::new("Boom", "secret").into_event(Kind::Crash).encode(&mut buffer, 1_795_400_000_000, 1);
    crate::ring::reserve::write(&monitor.0.shared.ring.reserve_map(), Kind::Crash as u8, [1; 16], &buffer[..len])
        .unwrap();
    monitor.persist(WAIT).unwrap();
    assert_eq!(only(rows(monitor, folder.path()), "crash").len(), 0);
}

#[test]
fn close_releases_the_folder_and_closes_every_clone() {
    let folder = tempfile::tempdir().unwrap();
    let monitor = open(folder.path());
    let clone = monitor.clone();
    assert!(monitor.message("one", Level::Info, &[]).id().is_some());
    monitor.close(WAIT);
    assert_eq!(clone.message("late", Level::Info, &[]), Outcome::Dropped(Reason::StoreUnavailable));
    assert_eq!(
        clone.fatal(ErrorEvent::new("E", "late"), Duration::ZERO),
        Durability::Dropped(Reason::StoreUnavailable)
    );
    clone.set_consent(Purpose::Monitoring, Consent::Denied);
    let again = open(folder.path());
    assert_eq!(Path::new(&again.status().folder), folder.path());
    assert!(again.message("two", Level::Info, &[]).id().is_some());
    again.persist(WAIT).unwrap();
    assert_eq!(again.status().accepted, 2);
    again.close(WAIT);
}

#[test]
fn an_engine_opened_while_the_previous_one_closes_records_in_memory_until_the_folder_is_free() {
    let folder = tempfile::tempdir().unwrap();
    let (asked, hears) = std::sync::mpsc::channel();
    let (go, wait) = std::sync::mpsc::channel::<()>();
    let (asked, wait) = (std::sync::Mutex::new(asked), std::sync::Mutex::new(wait));
    let slow = Config::builder(folder.path(), "shop", "1").sessions(false).before_send(move |_, _| {
        let _ = asked.lock().unwrap().send(());
        let _ = wait.lock().unwrap().recv();
        true
    });
    let first = Monitor::open(slow.build().unwrap()).unwrap();
    let early = first.message("one", Level::Info, &[]).id().unwrap();
    hears.recv_timeout(WAIT).unwrap();
    // Its writer is in the app's hook.
    first.close(Duration::ZERO);
    let second = Monitor::open(Config::builder(folder.path(), "shop", "2").sessions(false).build().unwrap()).unwrap();
    let late = second.message("two", Level::Info, &[]).id().unwrap();
    assert!(second.persist(Duration::ZERO).is_err());
    drop(go);
    let end = std::time::Instant::now() + WAIT;
    while second.persist(WAIT).is_err() {
        assert!(std::time::Instant::now() < end, "{:?}", second.status().store);
    }
    assert!(!folder.path().with_extension("1").exists());
    second.close(WAIT);
    let reader = crate::inspect::Reader::open(folder.path()).unwrap();
    let listed = reader.list(&crate::inspect::Filter::default()).unwrap();
    let found: Vec<_> = listed.iter().map(|row| row.row.id).collect();
    assert_eq!(found, [early, late]);
}

#[test]
fn a_screen_load_that_is_not_sampled_ends_its_screen_too() {
    let folder = tempfile::tempdir().unwrap();
    let monitor = Monitor::open(config(folder.path()).sample(Kind::ScreenLoad, 0.0).build().unwrap()).unwrap();
    let screen = monitor.screen("Home");
    assert_eq!(screen.finish(), Outcome::Dropped(Reason::Sampled));
    let _ =
        monitor.timing(Timing::api_call("GET", "https://api.example.com/cart", Duration::from_millis(5)).status(500));
    let calls = only(rows(monitor, folder.path()), "api_call");
    assert_eq!(calls[0].get("child_of"), None, "{}", calls[0]);
}

#[test]
fn a_session_ended_by_a_later_run_keeps_its_own_release() {
    let folder = tempfile::tempdir().unwrap();
    let session = |release: &str| {
        let config = Config::builder(folder.path(), "shop", release)
            .consent(Purpose::Monitoring, Consent::Granted)
            .consent(Purpose::Analytics, Consent::Granted);
        Monitor::open(config.build().unwrap()).unwrap()
    };
    let first = session("shop@1");
    first.persist(WAIT).unwrap();
    // As if the process had died: the engine goes without the end of its session.
    let gone = Arc::downgrade(&first.0.shared);
    std::mem::drop(first);
    let end = std::time::Instant::now() + WAIT;
    while gone.strong_count() > 0 {
        assert!(std::time::Instant::now() < end, "the first engine does not end");
        std::thread::yield_now();
    }
    let second = session("shop@2");
    second.persist(WAIT).unwrap();
    assert_eq!(Path::new(&second.status().folder), folder.path());
    let sessions = only(rows(second, folder.path()), "session");
    let said = |row: &Json| (row["status"].as_str().unwrap().to_owned(), row.get("release").cloned());
    let all: Vec<_> = sessions.iter().map(said).collect();
    assert!(all.contains(&("abnormal".into(), Some("shop@1".into()))), "{all:?}");
    assert!(all.iter().filter(|(status, _)| status != "abnormal").all(|(_, release)| release.is_none()), "{all:?}");
}

#[test]
fn slow_calls_of_one_endpoint_record_at_most_ten_warnings_a_minute_with_the_number_collapsed() {
    let folder = tempfile::tempdir().unwrap();
    let clock = Clock::manual(1_795_400_000_000, 1_000);
    let monitor = Monitor::open(config(folder.path()).clock(clock.clone()).build().unwrap()).unwrap();
    let slow = |n: u32| {
        let url = format!("https://api.example.com/products/{n}");
        let _ = monitor.timing(Timing::api_call("GET", &url, Duration::from_secs(6)));
    };
    (0..100).for_each(slow);
    clock.advance(Duration::from_secs(60));
    slow(100);
    let _ = monitor.message("another text", Level::Warning, &[]);
    let rows = rows(monitor, folder.path());
    let messages = only(rows.clone(), "message");
    assert_eq!(messages.len(), 12);
    assert_eq!(messages[9].get("collapsed_before"), None);
    assert_eq!(
        (&messages[10]["message"], &messages[10]["collapsed_before"]),
        (&"Slow API: /products/{id}".into(), &90.into())
    );
    assert_eq!(messages[11].get("collapsed_before"), None);
    assert_eq!(only(rows, "api_call").len(), 101, "the calls themselves are all there");
}

#[test]
fn a_background_that_is_reported_twice_counts_from_the_first_report() {
    let folder = tempfile::tempdir().unwrap();
    let clock = Clock::manual(1_795_400_000_000, 1_000);
    let config = config(folder.path()).sessions(true).session_background(Duration::from_secs(30));
    let monitor = Monitor::open(config.clock(clock.clone()).build().unwrap()).unwrap();
    monitor.scope(ScopeChange::Foreground(false));
    clock.advance(Duration::from_secs(20));
    monitor.scope(ScopeChange::Foreground(false));
    clock.advance(Duration::from_secs(20));
    monitor.scope(ScopeChange::Foreground(true));
    monitor.persist(WAIT).unwrap();
    let listed = Reader::open(folder.path()).unwrap().list(&Filter::default()).unwrap();
    let begun = listed.iter().filter(|listed| listed.row.json.contains(r#""init":true"#)).count();
    assert_eq!(begun, 2);
    monitor.close(WAIT);
}

#[test]
fn a_visit_to_a_payment_app_within_session_background_does_not_end_the_session() {
    let folder = tempfile::tempdir().unwrap();
    let clock = Clock::manual(1_795_400_000_000, 1_000);
    let config = config(folder.path()).sessions(true).session_background(Duration::from_secs(120));
    let monitor = Monitor::open(config.clock(clock.clone()).build().unwrap()).unwrap();
    for (away, sessions) in [(119, 1), (120, 2)] {
        monitor.scope(ScopeChange::Foreground(false));
        clock.advance(Duration::from_secs(away));
        monitor.scope(ScopeChange::Foreground(true));
        monitor.persist(WAIT).unwrap();
        let listed = Reader::open(folder.path()).unwrap().list(&Filter::default()).unwrap();
        let begun = listed.iter().filter(|listed| listed.row.json.contains(r#""init":true"#)).count();
        assert_eq!(begun, sessions, "after {away} s in the background");
    }
    monitor.close(WAIT);
}

/// The files of the engine that contain a text.
fn files_with(folder: &Path, text: &str) -> Vec<&'static str> {
    let contains = |name: &&str| {
        let bytes = std::fs::read(folder.join(name)).unwrap_or_default();
        bytes.windows(text.len()).any(|window| window == text.as_bytes())
    };
    ["queue.db", "queue.db-wal", "ring.bin"].into_iter().filter(contains).collect()
}

#[test]
fn denying_both_purposes_deletes_the_user_from_the_database() {
    let folder = tempfile::tempdir().unwrap();
    let monitor = open(folder.path());
    let user = |id| ScopeChange::User(Some(User { id: Some(id), ..User::default() }));
    monitor.scope(user("user-before"));
    monitor.scope(ScopeChange::Tag("plan", Some("tag-before")));
    let _ = monitor.people(People::Set("city", "property-before".into()));
    monitor.persist(WAIT).unwrap();
    let install = monitor.0.shared.run_within(None, |store, _| store.install().to_owned()).unwrap();
    monitor.set_consent(Purpose::Analytics, Consent::Denied);
    monitor.persist(WAIT).unwrap();
    assert_ne!(files_with(folder.path(), "user-before"), [""; 0], "errors still need it");
    monitor.set_consent(Purpose::Monitoring, Consent::Denied);
    monitor.persist(WAIT).unwrap();
    for text in ["user-before", "tag-before", "property-before"] {
        assert_eq!(files_with(folder.path(), text), [""; 0], "{text}");
    }
    assert_ne!(monitor.0.shared.run_within(None, |store, _| store.install().to_owned()).unwrap(), install);
    // An app sets its user without a look at consent; a later grant applies to whoever uses it then.
    monitor.scope(user("user-meanwhile"));
    monitor.persist(WAIT).unwrap();
    assert_eq!(files_with(folder.path(), "user-meanwhile"), ["ring.bin"]);
    monitor.set_consent(Purpose::Monitoring, Consent::Granted);
    let _ = monitor.message("after the grant", Level::Info, &[]);
    let messages = only(rows(monitor, folder.path()), "message");
    assert_eq!(messages[0]["user"]["id"], "user-meanwhile");
}

/// Keeps the bodies of requests and responds to each with 503, so that the rows stay in the queue.
struct Keeps(Arc<Mutex<Vec<String>>>);

impl crate::transport::Transport for Keeps {
    fn send(&self, request: crate::transport::Request, done: crate::transport::Completion) {
        let mut body = request.body;
        if request.headers.iter().any(|(name, _)| name == "Content-Encoding") {
            let mut plain = Vec::new();
            std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(&body[..]), &mut plain).unwrap();
            body = plain;
        }
        self.0.lock().unwrap().push(String::from_utf8_lossy(&body).into_owned());
        let response = crate::transport::Response { status: 503, ..Default::default() };
        done.finish(crate::transport::Sent::Response(response));
    }
}

#[cfg(feature = "destination-mixpanel")]
#[test]
fn an_event_recorded_while_a_purpose_was_denied_is_never_sent_for_that_purpose() {
    let folder = tempfile::tempdir().unwrap();
    let sent = Arc::default();
    let config = config(folder.path()).transport(Keeps(Arc::clone(&sent)));
    let monitor = Monitor::open(config.build().unwrap()).unwrap();
    let _ = monitor.record(Event::screen_view("Granted", None));
    monitor.persist(WAIT).unwrap();
    monitor.set_consent(Purpose::Analytics, Consent::Denied);
    let _ = monitor.record(Event::screen_view("Denied", None));
    let _ = monitor.record(Event::interaction("tap", "DeniedButton"));
    monitor.set_consent(Purpose::Analytics, Consent::Granted);
    let _ = monitor.record(Event::screen_view("GrantedAgain", None));
    monitor.persist(WAIT).unwrap();
    let listed = Reader::open(folder.path()).unwrap().list(&Filter::default()).unwrap();
    let denied = |name: &str| listed.iter().find(|listed| listed.row.json.contains(name)).unwrap().row.denied();
    let denied = ["\"Granted\"", "\"Denied\"", "\"GrantedAgain\""].map(denied);
    assert_eq!(denied, [None, Some(Purpose::Analytics), None]);
    // No route existed until now, so nothing was leased in between.
    let mixpanel = crate::destination::Mixpanel::builder("0123456789abcdef0123456789abcdef").build().unwrap();
    monitor.add_destination("mixpanel", mixpanel, From::Oldest).unwrap();
    monitor.flush(WAIT).unwrap();
    let bodies = sent.lock().unwrap().concat();
    assert!(bodies.contains("GrantedAgain"), "{bodies}");
    assert!(!bodies.contains("Denied"), "{bodies}");
    monitor.close(WAIT);
}

#[cfg(feature = "destination-sentry")]
#[test]
fn status_lists_the_configuration_values_that_a_destination_changes() {
    let folder = tempfile::tempdir().unwrap();
    let sentry = crate::destination::Sentry::builder("http://key@127.0.0.1:9/1").build().unwrap();
    let config = Config::builder(folder.path(), "shop", "shop@1.0 (77)/verbatim").sessions(false);
    let monitor = Monitor::open(config.destination("issues", sentry).build().unwrap()).unwrap();
    // After a flush the destination is known.
    let _ = monitor.flush(WAIT);
    let notes = monitor.status().notes.clone();
    assert_eq!(notes.len(), 1, "{notes:?}");
    assert_eq!((notes[0].destination.as_str(), notes[0].field.as_str()), ("issues", "release"));
    assert_eq!(notes[0].what, "Sentry does not accept `shop@1.0 (77)/verbatim`: sent as `shop@1.0 (77)-verbatim`");
    monitor.close(WAIT);
}

#[test]
fn a_refusal_after_the_last_fold_is_stored_by_the_next_persist() {
    let folder = tempfile::tempdir().unwrap();
    let monitor = Monitor::open(config(folder.path()).build().unwrap()).unwrap();
    let _ = monitor.message("stored", Level::Info, &[]);
    monitor.persist(WAIT).unwrap();
    monitor.set_consent(Purpose::Analytics, Consent::Denied);
    monitor.persist(WAIT).unwrap();
    assert_eq!(monitor.track("refused", &[]), Outcome::Dropped(Reason::Consent));
    monitor.persist(WAIT).unwrap();
    let db = rusqlite::Connection::open(folder.path().join("queue.db")).unwrap();
    let stored: i64 = db.query_row("SELECT n FROM gate WHERE reason = 'consent'", [], |row| row.get(0)).unwrap();
    assert_eq!(stored, 1);
    monitor.close(WAIT);
}

#[test]
fn an_engine_that_is_opened_suspended_records_and_neither_stores_nor_calls_the_hook_until_it_is_resumed() {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    let folder = tempfile::tempdir().unwrap();
    let calls = Arc::new(AtomicUsize::new(0));
    let seen = Arc::clone(&calls);
    let config = config(folder.path()).suspended(true).before_send(move |_, row| {
        row["seen"] = seen.fetch_add(1, Ordering::SeqCst).into();
        true
    });
    let monitor = Monitor::open(config.build().unwrap()).unwrap();
    for n in 0..1_000 {
        assert!(monitor.track(&format!("early {n}"), &[]).id().is_some());
    }
    assert_eq!(monitor.persist(Duration::from_secs(5)), Err(crate::WaitError::Unavailable));
    assert_eq!(
        (calls.load(Ordering::SeqCst), monitor.status().store),
        (0, StoreState::Unavailable("suspended".into()))
    );
    monitor.resume();
    monitor.persist(WAIT).unwrap();
    let rows = only(rows(monitor, folder.path()), "analytics");
    assert_eq!((rows.len(), &rows[999]["seen"]), (1_000, &Json::from(999)));
    // Killed before it was resumed: the next run has the events.
    let config = super::tests::config(folder.path()).suspended(true);
    let monitor = Monitor::open(config.build().unwrap()).unwrap();
    let _ = monitor.track("in the ring", &[]);
    monitor.close(WAIT);
    let monitor = open(folder.path());
    assert_eq!(only(super::tests::rows(monitor, folder.path()), "analytics").len(), 1_001);
}

#[test]
fn a_flush_right_after_the_resume_of_an_engine_that_was_opened_suspended_finds_its_delivery() {
    for _ in 0..20 {
        let folder = tempfile::tempdir().unwrap();
        let monitor = Monitor::open(config(folder.path()).suspended(true).build().unwrap()).unwrap();
        let _ = monitor.track("early", &[]);
        monitor.resume();
        assert!(monitor.flush(WAIT).is_ok());
        monitor.close(WAIT);
    }
}

#[test]
fn under_continuous_recording_persist_suspend_and_close_end() {
    use std::sync::atomic::{AtomicBool, Ordering};
    let folder = tempfile::tempdir().unwrap();
    let monitor = open(folder.path());
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    let _ = monitor.track("again", &[]);
                }
            });
        }
        for n in 0..20 {
            assert_eq!(monitor.persist(WAIT), Ok(()), "{n}");
        }
        monitor.suspend(WAIT);
        let state = monitor.status().store;
        monitor.clone().close(WAIT);
        let closed = monitor.status().store;
        stop.store(true, Ordering::Relaxed);
        assert_eq!(state, StoreState::Unavailable("suspended".into()));
        assert_eq!(closed, StoreState::Unavailable("closed".into()));
    });
}

#[test]
fn a_super_property_that_does_not_fit_is_ignored_and_the_others_stay() {
    let folder = tempfile::tempdir().unwrap();
    let monitor = open(folder.path());
    let long = "x".repeat(8_000);
    monitor.super_properties(&[("a", 1.into()), ("b", 2.into()), ("c", 3.into())]);
    monitor.super_properties(&[("a", (&long).into()), ("d", (&long).into()), ("e", 5.into())]);
    let _ = monitor.track("x", &[]);
    let rows = only(rows(monitor, folder.path()), "analytics");
    assert_eq!(rows[0]["attrs"], serde_json::json!({"a": rows[0]["attrs"]["a"], "b": 2, "c": 3, "e": 5}));
}

#[test]
fn a_crash_while_changes_of_the_user_wait_in_memory_is_not_stored_under_the_user_before_them() {
    let folder = tempfile::tempdir().unwrap();
    let monitor = open(folder.path());
    monitor.scope(ScopeChange::User(Some(User { id: Some("u-1"), ..User::default() })));
    monitor.persist(WAIT).unwrap();
    monitor.suspend(WAIT);
    let long = "x".repeat(8_000);
    let context = [("a", crate::Value::Str(&long)), ("b", crate::Value::Str(&long)), ("c", crate::Value::Str(&long))];
    while !monitor.0.shared.ring.has_held() {
        monitor.scope(ScopeChange::Context("big", Some(&context)));
    }
    monitor.scope(ScopeChange::User(Some(User { id: Some("u-2"), ..User::default() })));
    let durability = monitor.fatal(ErrorEvent::new("E", "m"), Duration::from_millis(10));
    assert!(matches!(durability, Durability::InRing(_)), "{durability:?}");
    // As if killed now.
    let copy = tempfile::tempdir().unwrap();
    for name in ["ring.bin", "queue.db", "queue.db-wal"] {
        let _ = std::fs::copy(folder.path().join(name), copy.path().join(name));
    }
    let next = open(copy.path());
    next.persist(WAIT).unwrap();
    let crashes = only(rows(next, copy.path()), "crash");
    assert_eq!((crashes.len(), &crashes[0]["user"]["id"]), (1, &Json::Null));
    monitor.close(WAIT);
}

#[test]
fn a_property_named_as_the_id_of_the_device_does_not_take_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let monitor = open(folder.path());
    let user = |id| User { id: Some(id), extra: &[("anonymous", crate::Value::Str("mine"))], ..User::default() };
    monitor.scope(ScopeChange::User(Some(user("u-1"))));
    let _ = monitor.track("one", &[]);
    monitor.scope(ScopeChange::User(None));
    monitor.scope(ScopeChange::User(Some(user("u-2"))));
    let _ = monitor.track("two", &[]);
    let _ = monitor.record(Event::analytics("own").user(user("u-3")));
    monitor.persist(WAIT).unwrap();
    for listed in Reader::open(folder.path()).unwrap().list(&Filter::default()).unwrap() {
        let json = &listed.row.json;
        assert!(!json.contains("mine") && json.matches("\"anonymous\"").count() <= 1, "{json}");
    }
    monitor.close(WAIT);
}

#[test]
fn a_crash_on_a_thread_that_holds_the_lock_of_the_appends_is_recorded_without_waiting_for_it() {
    let folder = tempfile::tempdir().unwrap();
    let monitor = open(folder.path());
    monitor.persist(WAIT).unwrap();
    let (done, ended) = std::sync::mpsc::channel();
    let other = monitor.clone();
    // As if this thread had crashed while it appended.
    monitor.0.shared.ring.change_superblock(|_| {
        std::thread::spawn(move || done.send(other.fatal(ErrorEvent::new("E", "m"), Duration::from_millis(10))));
        let durability = ended.recv_timeout(WAIT).expect("it ends");
        assert!(matches!(durability, Durability::InRing(_)), "{durability:?}");
    });
    assert_eq!(only(rows(monitor, folder.path()), "crash").len(), 1);
}
