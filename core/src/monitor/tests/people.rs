//! Log entries, changes of the profile, super properties and timed events.

use super::{WAIT, config, only, rows};
use crate::inspect::{Filter, Reader};
use crate::{
    Clock, Consent, Event, Level, Log, Monitor, Outcome, People, Purpose, Reason, ScopeChange, SuperProperties, Value,
};
use serde_json::{Value as Json, json};
use std::path::Path;
use std::time::Duration;

fn open(folder: &Path) -> Monitor {
    Monitor::open(config(folder).build().unwrap()).unwrap()
}

#[test]
fn log_entries_below_the_level_are_refused_without_a_trace_and_those_above_never_collapse() {
    let folder = tempfile::tempdir().unwrap();
    let config = config(folder.path()).log_level(Level::Warning).build().unwrap();
    let monitor = Monitor::open(config).unwrap();
    for level in [Level::Trace, Level::Debug, Level::Info] {
        assert_eq!(monitor.log(level, "quiet", &[]), Outcome::Dropped(Reason::LogLevel));
    }
    for _ in 0..50 {
        assert!(monitor.log_entry(Log::new(Level::Warning, "socket closed").logger("net")).id().is_some());
    }
    assert!(monitor.message("a message of any level", Level::Trace, &[]).id().is_some());
    monitor.persist(WAIT).unwrap();
    assert_eq!(monitor.status().refused, [], "refused entries are not counted");
    let logs = only(rows(monitor, folder.path()), "log");
    assert_eq!(logs.len(), 50, "equal entries are all stored");
    assert_eq!((&logs[0]["level"], &logs[0]["logger"]), (&"warning".into(), &"net".into()));
}

#[test]
fn a_property_that_was_set_once_keeps_its_value_over_a_restart_until_it_is_removed() {
    let folder = tempfile::tempdir().unwrap();
    let monitor = open(folder.path());
    let _ = monitor.people(People::SetOnce("source", "mail".into()));
    let _ = monitor.people(People::Increment("orders", 2.0));
    monitor.close(WAIT);
    let monitor = open(folder.path());
    let _ = monitor.people(People::SetOnce("source", "web".into()));
    let _ = monitor.people(People::Unset("source"));
    let _ = monitor.people(People::SetOnce("source", "ad".into()));
    let _ = monitor.people(People::Delete);
    let _ = monitor.people(People::Increment("orders", 1.0));
    monitor.close(WAIT);
    let monitor = open(folder.path());
    let _ = monitor.people(People::SetOnce("source", Value::Null));
    let _ = monitor.people(People::Increment("orders", 1.0));
    let found = only(rows(monitor, folder.path()), "user_prop");
    let values: Vec<_> = found.iter().map(|row| (row["op"].as_str().unwrap(), row["value"].clone())).collect();
    let expected: [(&str, Json); 9] = [
        ("set_once", "mail".into()),
        ("increment", 2.0.into()),
        ("set_once", "mail".into()),
        ("unset", Json::Null),
        ("set_once", "ad".into()),
        ("delete", Json::Null),
        ("increment", 1.0.into()),
        ("set_once", Json::Null),
        ("increment", 2.0.into()),
    ];
    assert_eq!(values, expected);
}

#[test]
fn super_properties_survive_a_restart_and_are_removed_one_by_one_or_all() {
    let folder = tempfile::tempdir().unwrap();
    let monitor = open(folder.path());
    monitor.super_properties(&[("plan", "gold".into()), ("cohort", 11.into())]);
    monitor.close(WAIT);
    let monitor = open(folder.path());
    monitor.super_properties_once(&[("plan", "silver".into()), ("visit", 2.into())]);
    let _ = monitor.track("a", &[("cohort", 12.into())]);
    let _ = monitor.record(Event::interaction("tap", "Pay"));
    let _ = monitor.message("not analytics", Level::Info, &[]);
    monitor.unset_super_property("cohort");
    monitor.unset_super_property("never set");
    let _ = monitor.track("b", &[]);
    monitor.clear_super_properties();
    monitor.close(WAIT);
    let monitor = open(folder.path());
    let _ = monitor.track("c", &[]);
    let rows = rows(monitor, folder.path());
    let attrs = |name: &str| rows.iter().find(|(_, row)| row["name"] == name).unwrap().1["attrs"].clone();
    assert_eq!(attrs("a"), json!({"cohort": 12, "plan": "gold", "visit": 2}));
    assert_eq!(attrs("b"), json!({"plan": "gold", "visit": 2}));
    assert_eq!(attrs("c"), Json::Null);
    assert_eq!(only(rows.clone(), "interaction")[0]["attrs"]["plan"], "gold");
    assert_eq!(only(rows, "message")[0]["attrs"], Json::Null);
}

#[test]
fn super_properties_are_erased_with_the_user_and_with_a_denied_consent() {
    for wipe in [(|monitor: &Monitor| monitor.forget_user()) as fn(&Monitor), |monitor| {
        monitor.set_consent(Purpose::Analytics, Consent::Denied);
        monitor.set_consent(Purpose::Analytics, Consent::Granted);
    }] {
        let folder = tempfile::tempdir().unwrap();
        let monitor = open(folder.path());
        monitor.super_properties(&[("plan", "gold".into())]);
        monitor.time_event("checkout");
        monitor.persist(WAIT).unwrap();
        wipe(&monitor);
        monitor.persist(WAIT).unwrap();
        let _ = monitor.track("checkout", &[]);
        monitor.close(WAIT);
        let reader = Reader::open(folder.path()).unwrap();
        let listed = reader.list(&Filter::default()).unwrap();
        let json: Json = serde_json::from_str(&listed[0].row.json).unwrap();
        assert_eq!((&json["attrs"], &json["duration_us"]), (&Json::Null, &Json::Null));
    }
}

#[test]
fn super_properties_that_are_set_while_analytics_is_denied_stay_out_of_the_file_and_apply_after_a_grant() {
    let folder = tempfile::tempdir().unwrap();
    let monitor = open(folder.path());
    monitor.set_consent(Purpose::Analytics, Consent::Denied);
    monitor.super_properties(&[("plan", "gold-plated".into())]);
    let _ = monitor.record(Event::screen_view("Cart", None));
    monitor.persist(WAIT).unwrap();
    let file = std::fs::read(folder.path().join("queue.db")).unwrap();
    let log = std::fs::read(folder.path().join("queue.db-wal")).unwrap_or_default();
    let holds = |bytes: &[u8]| bytes.windows(11).any(|window| window == b"gold-plated");
    assert!(!holds(&file) && !holds(&log), "a denied purpose leaves nothing on the disk");
    monitor.set_consent(Purpose::Analytics, Consent::Granted);
    let _ = monitor.track("a", &[]);
    monitor.close(WAIT);
    let reader = Reader::open(folder.path()).unwrap();
    let listed = reader.list(&Filter::default()).unwrap();
    let attrs = |at: usize| serde_json::from_str::<Json>(&listed[at].row.json).unwrap()["attrs"].clone();
    assert_eq!(attrs(0), Json::Null, "a screen view is sent for monitoring too");
    assert_eq!(attrs(1), json!({"plan": "gold-plated"}));
}

#[test]
fn ten_thousand_super_properties_and_large_ones_are_cut_to_the_limit_and_no_event_is_lost() {
    let folder = tempfile::tempdir().unwrap();
    let monitor = open(folder.path());
    for n in 0..10_000 {
        monitor.super_properties(&[(&format!("p{n}"), n.into())]);
    }
    let long = "x".repeat(8_000);
    monitor.clear_super_properties();
    for n in 0..20 {
        monitor.super_properties(&[(&format!("long{n}"), long.as_str().into())]);
    }
    monitor.super_properties(&[("small", 1.into())]);
    let nothing: &[(&str, Value<'_>)] = &[];
    monitor.scope(ScopeChange::Super(SuperProperties::new(nothing).targets(&["ga4"])));
    monitor.persist(WAIT).unwrap();
    let _ = monitor.track("a", &[("y", long.as_str().into())]);
    let events = only(rows(monitor, folder.path()), "analytics");
    let names: Vec<_> = events[0]["attrs"].as_object().unwrap().keys().cloned().collect();
    assert_eq!(names, ["long0", "small", "y"], "one large one and a small one fit");
}

#[test]
fn a_restricted_super_property_is_only_on_events_that_go_nowhere_else() {
    let folder = tempfile::tempdir().unwrap();
    let monitor = open(folder.path());
    let attrs = [("shown", "INR".into())];
    monitor.scope(ScopeChange::Super(SuperProperties::new(&attrs).targets(&["ga4", "mixpanel"])));
    for targets in [&[][..], &["ga4"], &["ga4", "mixpanel"], &["ga4", "rez"]] {
        let _ = monitor.record(Event::analytics("a").targets(targets));
    }
    let events = only(rows(monitor, folder.path()), "analytics");
    let has: Vec<bool> = events.iter().map(|event| event["attrs"]["shown"] == "INR").collect();
    assert_eq!(has, [false, true, true, false]);
}

#[test]
fn a_timed_event_has_the_time_since_its_start_once() {
    let folder = tempfile::tempdir().unwrap();
    let clock = Clock::manual(1_795_400_000_000, 1_000);
    let monitor = Monitor::open(config(folder.path()).clock(clock.clone()).build().unwrap()).unwrap();
    monitor.time_event("checkout");
    monitor.time_event("search");
    clock.advance(Duration::from_millis(1_250));
    let _ = monitor.track("checkout", &[]);
    let _ = monitor.track("checkout", &[]);
    // The app gives the time of the event, which is before its start.
    let _ = monitor.record(Event::analytics("search").at(1_795_399_999_000));
    let found = only(rows(monitor, folder.path()), "analytics");
    let durations: Vec<_> = found.iter().map(|row| row["duration_us"].clone()).collect();
    assert_eq!(durations, [json!(1_250_000), Json::Null, json!(0)]);
}
