//! The folder is moved, removed or replaced while the engine runs.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use rez_monitor::inspect::{Filter, Reader};
use rez_monitor::{Config, Consent, Monitor, Purpose, StoreState};
use rez_monitor_tests::child_process::{ChildOutput, ChildProcess};
use rez_monitor_tests::scenario::{Scenario, balance, dropped, rows, serial};
use rez_monitor_tests::seeded::Seeded;
use std::collections::HashSet;
use std::path::Path;
use std::time::Duration;

const CHILD: &str = env!("CARGO_BIN_EXE_child");
const WAIT: Duration = Duration::from_secs(30);

fn open(folder: &Path) -> Monitor {
    let config = Config::builder(folder, "shop", "shop@1")
        .consent(Purpose::Monitoring, Consent::Granted)
        .consent(Purpose::Analytics, Consent::Granted)
        .sessions(false);
    Monitor::open(config.build().unwrap()).unwrap()
}

fn record(monitor: &Monitor, n: usize) -> HashSet<String> {
    (0..n).map(|_| monitor.track("bought", &[]).id().unwrap().to_string()).collect()
}

fn ids(folder: &Path) -> HashSet<String> {
    let reader = Reader::open(folder).unwrap();
    reader.list(&Filter::default()).unwrap().iter().map(|listed| listed.row.id.to_string()).collect()
}

#[test]
fn events_recorded_after_the_folder_was_moved_or_removed_are_found_in_a_new_folder_at_its_path() {
    for moved in [true, false] {
        let dir = tempfile::tempdir().unwrap();
        let (folder, away) = (dir.path().join("app"), dir.path().join("away"));
        let monitor = open(&folder);
        let before = record(&monitor, 10);
        monitor.persist(WAIT).unwrap();
        let install = Reader::open(&folder).unwrap().overview().unwrap().install;
        std::fs::rename(&folder, &away).unwrap();
        if !moved {
            std::fs::remove_dir_all(&away).unwrap();
        }
        let mut after = record(&monitor, 20);
        assert!(monitor.persist(WAIT).is_ok(), "moved {moved}: {:?}", monitor.status().store);
        assert_eq!(monitor.status().store, StoreState::Ready, "moved {moved}");
        after.extend(record(&monitor, 5));
        // As if the app were killed: what is in the ring must be in the folder too.
        monitor.persist(WAIT).unwrap();
        monitor.close(WAIT);
        assert_eq!(ids(&folder), after, "moved {moved}");
        assert_eq!(dropped(&balance(&folder)), [("corrupt_file".to_owned(), 10)].into(), "moved {moved}");
        assert_eq!(Reader::open(&folder).unwrap().overview().unwrap().install, install, "moved {moved}");
        if moved {
            assert_eq!(ids(&away), before, "the moved folder has a whole queue");
        }
        let monitor = open(&folder);
        after.extend(record(&monitor, 5));
        monitor.close(WAIT);
        assert_eq!(ids(&folder), after, "moved {moved}");
    }
}

/// Each event that was lost with the folder is counted once, and none that was delivered is.
fn counts_what_was_lost(scenario: &Scenario, output: &ChildOutput, context: &str) {
    let found = scenario.deliver();
    found.none_doubled();
    let lost = output.recorded.iter().filter(|(id, _)| !found.collected.contains_key(id)).count() as u64;
    let counted = dropped(&found.balance);
    let count = |reason: &str| counted.get(reason).copied().unwrap_or(0);
    println!("{context}: {lost} lost, {counted:?}");
    assert_eq!(count("corrupt_file") + count("ambiguous"), counted.values().sum::<u64>(), "{context}");
    let (least, most) = (count("corrupt_file"), count("corrupt_file") + count("ambiguous"));
    assert!((least..=most).contains(&lost), "{context}: {lost} lost, counted {counted:?}");
}

#[test]
fn of_a_folder_removed_during_delivery_no_delivered_event_is_counted_as_lost_in_a_file() {
    let mut random = Seeded::of("removed_during_delivery", 12);
    for round in 0..2 {
        let scenario = Scenario::new(CHILD);
        let options = "n=40000 kinds=message crumbs=0 patient=1 persist_every=2000 end=flush";
        let child = scenario.start(options);
        let at = 4_000 + random.below(30_000);
        child.until("some more", |output| output.recorded.len() as u64 >= at);
        // In one step, so that the engine does not meet half a folder.
        std::fs::rename(scenario.folder(), scenario.path("away")).unwrap();
        std::fs::remove_dir_all(scenario.path("away")).unwrap();
        let (code, output) = child.wait();
        assert_eq!((code, output.value("left")), (Some(0), Some("0")), "round {round}: {:?}", output.lines);
        counts_what_was_lost(&scenario, &output, &format!("round {round}, removed at {at}"));
    }
}

#[test]
fn a_folder_moved_while_the_engine_checks_its_files_is_not_counted_with_what_was_delivered() {
    for check in [5, 12, 20, 35, 50] {
        let scenario = Scenario::new(CHILD);
        let options = "n=20000 kinds=message crumbs=0 patient=1 persist_every=500 end=flush";
        let fault = format!("store_checked:{check}:move:{}", scenario.folder().display());
        let (code, output) = ChildProcess::start(CHILD, &scenario.args("record", options), Some(&fault)).wait();
        assert_eq!((code, output.value("left")), (Some(0), Some("0")), "check {check}: {:?}", output.lines);
        assert!(scenario.path("app.away").exists(), "check {check} was reached");
        counts_what_was_lost(&scenario, &output, &format!("moved at check {check}"));
    }
}

#[test]
fn a_process_killed_after_its_folder_was_removed_leaves_its_events_in_the_new_folder() {
    let scenario = Scenario::new(CHILD);
    let mut child =
        scenario.start("n=10 url=none kinds=message crumbs=0 end=persist,wait,more,persist,more,wait clock=1");
    child.until("persisted", |output| output.lines.iter().any(|word| word == "waiting"));
    // In one step, so that the engine does not meet half a folder.
    std::fs::rename(scenario.folder(), scenario.path("away")).unwrap();
    std::fs::remove_dir_all(scenario.path("away")).unwrap();
    child.write_line("go on");
    let output =
        child.until("waits again", |output| output.lines.iter().filter(|word| *word == "waiting").count() == 2);
    child.kill();
    assert_eq!(output.value("persisted"), Some("true"));
    let later: HashSet<u64> =
        output.recorded.iter().map(|(_, serial)| *serial).filter(|serial| *serial >= 10).collect();
    let next = scenario.run("n=0 url=none end=persist,close");
    assert_eq!(next.value("persisted"), Some("true"));
    assert_eq!(rows(&scenario.folder()).iter().filter_map(|row| serial(&row.row.json)).collect::<HashSet<_>>(), later);
}

#[test]
fn a_path_that_another_process_took_is_reported_in_the_status_and_taken_again_when_it_is_free() {
    let scenario = Scenario::new(CHILD);
    let end = "persist,wait,more,persist,state,wait,resume,persist,state,close";
    let mut first = scenario.start(&format!("n=10 url=none kinds=message crumbs=0 clock=1 end={end}"));
    first.until("persisted", |output| output.lines.iter().any(|word| word == "waiting"));
    std::fs::rename(scenario.folder(), scenario.path("away")).unwrap();
    let second = scenario.start("n=30 first=1000 url=none kinds=message crumbs=0 persist_every=20 end=wait");
    second.until("recorded", |output| output.lines.iter().any(|word| word == "waiting"));
    first.write_line("go on");
    let output =
        first.until("waits again", |output| output.lines.iter().filter(|word| *word == "waiting").count() == 2);
    assert_eq!(output.value("persisted"), Some("false"));
    let state = output.value("store").unwrap();
    assert!(state.contains("Unavailable") && state.contains("another process uses that path"), "{state}");
    second.kill();
    first.write_line("go on");
    let (code, output) = first.wait();
    assert_eq!((code, output.value("persisted"), output.value("store")), (Some(0), Some("true"), Some("Ready")));
    let found: HashSet<u64> = rows(&scenario.folder()).iter().filter_map(|row| serial(&row.row.json)).collect();
    let expected = output.recorded.iter().map(|(_, serial)| *serial).filter(|serial| *serial >= 10).chain(1000..1030);
    assert_eq!(found, expected.collect());
    assert_eq!(dropped(&balance(&scenario.folder())), [("corrupt_file".to_owned(), 10)].into());
}

#[test]
fn deleting_the_lock_file_lets_no_second_process_into_the_folder() {
    let scenario = Scenario::new(CHILD);
    let mut first = scenario.start("n=10 url=none kinds=message crumbs=0 end=persist,wait,close");
    first.until("persisted", |output| output.lines.iter().any(|word| word == "waiting"));
    std::fs::remove_file(scenario.folder().join("owner.lock")).unwrap();
    let second = scenario.run("n=10 first=1000 url=none kinds=message crumbs=0 end=close");
    assert_eq!(second.value("folder"), scenario.path("app.1").to_str());
    first.write_line("go on");
    first.wait();
    assert_eq!(rows(&scenario.folder()).len(), 10);
}
