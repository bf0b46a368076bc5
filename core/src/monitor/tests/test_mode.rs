//! Test mode, as an app sees it: ids from a seed, support codes, and the inspector.

use super::{Json, WAIT, config, only};
use crate::inspect::{Filter, Reader};
use crate::{Clock, Monitor, ScopeChange, Timing, support_code};
use std::collections::HashSet;
use std::path::Path;
use std::time::Duration;

const WALL: i64 = 1_795_400_000_000;

/// What two starts of an app leave: installation, ids of the sessions, and ids of the events.
fn ids(seed: Option<u64>, folder: &Path) -> (String, Vec<String>, Vec<String>) {
    let clock = Clock::manual(WALL, 1_000);
    for _ in 0..2 {
        let mut builder = config(folder).clock(clock.clone()).sessions(true).test_mode(true);
        if let Some(seed) = seed {
            builder = builder.test_seed(seed);
        }
        let monitor = Monitor::open(builder.build().unwrap()).unwrap();
        let _ = monitor.track("tapped", &[]);
        monitor.scope(ScopeChange::NewSession);
        let _ = monitor.timing(Timing::screen_load("Cart", Duration::from_millis(20)));
        monitor.close(WAIT);
        clock.advance(Duration::from_secs(1));
    }
    let reader = Reader::open(folder).unwrap();
    let listed = reader.list(&Filter::default()).unwrap();
    let mut rows: Vec<_> = listed.into_iter().map(|listed| listed.row).collect();
    rows.sort_by_key(|row| row.seq);
    let json = |json: &str| serde_json::from_str::<Json>(json).unwrap();
    let sessions = rows.iter().filter_map(|row| Some(json(&row.json)["session"].as_str()?.to_owned())).collect();
    let install = reader.overview().unwrap().install;
    (install, sessions, rows.iter().map(|row| row.id.to_string()).collect())
}

#[test]
fn a_seed_gives_the_same_ids_in_each_test_and_never_the_same_twice() {
    let folders: Vec<_> = (0..5).map(|_| tempfile::tempdir().unwrap()).collect();
    let [first, again, other, none, none_again] = [(0, Some(7)), (1, Some(7)), (2, Some(8)), (3, None), (4, None)]
        .map(|(at, seed)| ids(seed, folders[at].path()));
    assert_eq!(first, again);
    for (one, two) in [(&first, &other), (&first, &none), (&none, &none_again)] {
        assert!(one.0 != two.0 && one.1[0] != two.1[0] && one.2[0] != two.2[0], "{one:?} {two:?}");
    }
    let sessions: HashSet<_> = first.1.iter().collect();
    assert_eq!(sessions.len(), 4, "two starts have two sessions each: {:?}", first.1);
    assert_eq!(first.2.iter().collect::<HashSet<_>>().len(), first.2.len());
    for id in first.1.iter().chain([&first.0]) {
        assert_eq!(uuid::Uuid::parse_str(id).unwrap().get_version_num(), 4);
    }
}

#[test]
fn the_traces_of_two_tests_with_one_seed_are_two_and_with_one_clock_they_are_the_same() {
    let trace = |clock: &Clock| {
        let folder = tempfile::tempdir().unwrap();
        let config = config(folder.path()).clock(clock.clone()).test_mode(true).test_seed(7);
        let monitor = Monitor::open(config.build().unwrap()).unwrap();
        let trace = monitor.ids().root().trace_id();
        monitor.close(WAIT);
        trace
    };
    let clock = Clock::manual(WALL, 1_000);
    let first = trace(&clock);
    assert_eq!(trace(&clock), first);
    clock.advance(Duration::from_millis(1));
    assert_ne!(trace(&clock), first);
}

#[test]
fn a_run_that_was_killed_before_it_stored_anything_shares_no_id_with_the_next() {
    let folder = tempfile::tempdir().unwrap();
    let open = || {
        let config = config(folder.path()).sessions(true).test_mode(true).test_seed(7).suspended(true);
        Monitor::open(config.build().unwrap()).unwrap()
    };
    let sessions: HashSet<String> = (0..3)
        .map(|_| {
            let monitor = open();
            let session = monitor.status().session.unwrap();
            // A suspended engine stores nothing when it closes.
            monitor.close(Duration::ZERO);
            session
        })
        .collect();
    assert_eq!(sessions.len(), 3);
}

#[test]
fn the_support_code_finds_the_events_of_its_session() {
    let folder = tempfile::tempdir().unwrap();
    let monitor = Monitor::open(config(folder.path()).sessions(true).inspector(true).build().unwrap()).unwrap();
    let _ = monitor.track("before", &[]);
    let before = monitor.status();
    monitor.scope(ScopeChange::NewSession);
    let _ = monitor.track("after", &[]);
    monitor.persist(WAIT).unwrap();
    let after = monitor.status();
    assert_eq!(before.support_code.as_deref(), support_code(before.session.as_deref().unwrap()));
    assert_ne!(before.support_code, after.support_code);
    let line = format!("support code of this session: {}", after.support_code.as_deref().unwrap());
    assert!(after.lines().contains(&line), "{:?}", after.lines());
    for (status, name) in [(before, "before"), (after, "after")] {
        // A person reads it in capitals.
        let code = status.support_code.unwrap().to_uppercase();
        let request = serde_json::json!({"ask": "list", "filter": {"session": code, "kind": "analytics"}});
        let answer: Json = serde_json::from_str(&monitor.inspect(&request.to_string(), WAIT)).unwrap();
        let names: Vec<_> = answer["events"].as_array().unwrap().iter().map(|event| &event["name"]).collect();
        assert_eq!(names, [name]);
    }
    monitor.close(WAIT);
    let without = Monitor::open(config(folder.path()).build().unwrap()).unwrap();
    assert_eq!((without.status().session, without.status().support_code), (None, None));
    assert!(only(super::rows(without, folder.path()), "session").len() >= 3);
}
