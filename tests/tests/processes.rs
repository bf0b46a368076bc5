//! Several processes, several handles, several threads on one folder.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use rez_monitor_tests::child_process::{ChildProcess, TIMEOUT};
use rez_monitor_tests::scenario::{Scenario, balance, dropped, rows, serial};
use std::collections::HashSet;
use std::time::Instant;

const CHILD: &str = env!("CARGO_BIN_EXE_child");

#[test]
fn two_processes_on_one_folder_use_a_queue_each_and_lose_nothing() {
    let scenario = Scenario::new(CHILD);
    let mut first = scenario.start("n=100 pause_us=100 end=persist,wait,flush");
    first.until("the first waits", |output| output.lines.iter().any(|line| line == "waiting"));
    let second = scenario.run("n=100 first=1000 pause_us=100 end=flush");
    first.write_line("go on");
    let (code, first) = first.wait();
    assert_eq!(code, Some(0));
    let sibling = scenario.path("app.1");
    assert_eq!(first.value("folder"), scenario.folder().to_str());
    assert_eq!(second.value("folder"), sibling.to_str());
    assert_eq!((first.recorded.len(), second.recorded.len()), (100, 100));
    let found = scenario.delivered();
    let both: Vec<_> = first.recorded.into_iter().chain(second.recorded).collect();
    found.has_exactly(&both);
    found.nothing_dropped();
    balance(&sibling);
    // Each is a device of its own to the server.
    let events =
        scenario.collector.events(&rez_inspect::collector::Filter { limit: 1000, ..Default::default() }).unwrap();
    assert_eq!(events.iter().map(|event| event.install.as_str()).collect::<HashSet<_>>().len(), 2);
}

#[test]
fn the_queue_of_an_ended_process_is_delivered_by_the_owner_of_the_folder_and_removed() {
    let scenario = Scenario::new(CHILD);
    let mut first = scenario.start("n=10 url=none end=persist,wait,exit");
    first.until("the first waits", |output| output.lines.iter().any(|line| line == "waiting"));
    // One process is killed with records in its ring only, the other has losses that are not reported.
    let mut recorded = scenario.killed_at("fold_commit:1", "n=50 first=1000 url=none end=wait").recorded;
    let sibling = scenario.path("app.1");
    assert!(sibling.exists());
    first.write_line("go on");
    recorded.extend(first.wait().1.recorded);
    let mut next = scenario.start("n=20 first=2000 end=persist,wait,flush");
    let end = Instant::now() + TIMEOUT;
    while sibling.exists() {
        assert!(
            Instant::now() < end,
            "the orphan was not removed: {:?}",
            std::fs::read_dir(&sibling).map(Iterator::count)
        );
        std::thread::yield_now();
    }
    next.write_line("go on");
    recorded.extend(next.wait().1.recorded);
    let found = scenario.delivered();
    found.has_all(&recorded);
    found.nothing_dropped();
    assert!(found.collected.len() <= recorded.len() + 1);
}

#[test]
fn a_user_forgotten_right_after_open_is_also_forgotten_in_the_folders_of_ended_processes() {
    let scenario = Scenario::new(CHILD);
    let first = scenario.start("n=0 url=none end=wait");
    first.until("the first waits", |output| output.lines.iter().any(|line| line == "waiting"));
    scenario.run("n=50 first=1000 url=none end=close");
    assert!(scenario.path("app.1").exists());
    drop(first);
    let mut next = scenario.start("n=0 end=forget,persist,try,try,wait,flush");
    let end = Instant::now() + TIMEOUT;
    while scenario.path("app.1").exists() {
        assert!(Instant::now() < end, "the orphan was not removed");
        std::thread::yield_now();
    }
    next.write_line("go on");
    next.wait();
    assert_eq!(scenario.delivered().collected.len(), 0);
}

#[test]
fn losses_of_an_orphan_are_reported_before_it_is_removed() {
    let scenario = Scenario::new(CHILD);
    let first = scenario.start("n=0 url=none end=wait");
    first.until("the first waits", |output| output.lines.iter().any(|line| line == "waiting"));
    let evicting = "n=3000 first=1000 url=none fill=1500 pause_us=50 kinds=message crumbs=0 cap=1048576 end=close";
    let orphan = scenario.run(evicting);
    let sibling = scenario.path("app.1");
    let evicted = dropped(&balance(&sibling)).get("evicted_bytes").copied().unwrap_or(0);
    assert!(evicted > 500, "{evicted} evicted");
    drop(first);
    let mut next = scenario.start("n=1 first=9000 end=persist,wait,flush");
    let end = Instant::now() + TIMEOUT;
    while sibling.exists() {
        assert!(Instant::now() < end, "the orphan was not removed");
        std::thread::yield_now();
    }
    next.write_line("go on");
    next.wait();
    let told: u64 = scenario.collector.counts().unwrap().lost.iter().map(|row| row.lost.count).sum();
    assert_eq!(told, evicted + orphan.refusals());
    assert_eq!(scenario.delivered().collected.len() as u64, orphan.recorded.len() as u64 - evicted + 1);
}

#[test]
fn a_folder_that_becomes_usable_keeps_the_events_of_its_ring_and_those_in_memory() {
    let scenario = Scenario::new(CHILD);
    let mut recorded = scenario.killed_at("fold_commit:2", "n=60 url=none pause_us=2000 end=wait").recorded;
    let (folder, away) = (scenario.folder(), scenario.path("away"));
    std::fs::rename(&folder, &away).unwrap();
    std::fs::write(&folder, b"no folder").unwrap();
    let mut child = scenario.start("n=100 first=1000 url=none end=persist,state,wait,resume,persist,state,close");
    let output = child.until("it waits", |output| output.lines.iter().any(|line| line == "waiting"));
    assert!(output.value("store").is_some_and(|state| state.starts_with("Unavailable")), "{:?}", output.lines);
    std::fs::remove_file(&folder).unwrap();
    std::fs::rename(&away, &folder).unwrap();
    child.write_line("go on");
    let (code, output) = child.wait();
    assert_eq!((code, output.value("store"), output.value("persisted")), (Some(0), Some("Ready"), Some("true")));
    assert_eq!(output.recorded.len(), 100);
    recorded.extend(output.recorded);
    let found = scenario.deliver();
    found.has_all(&recorded);
    found.nothing_dropped();
    assert!(found.collected.len() <= recorded.len() + 1);
}

#[test]
fn a_forked_child_is_refused_and_harms_nothing() {
    let scenario = Scenario::new(CHILD);
    let (code, output) = ChildProcess::start(CHILD, &scenario.args("fork", "url=none"), None).wait();
    assert_eq!(code, Some(0));
    assert_eq!(output.value("child"), Some("Dropped(Forked) Dropped(Forked) [true, true]"));
    assert_eq!(output.value("status"), Some("0"));
    let serials: Vec<_> = rows(&scenario.folder()).iter().filter_map(|row| serial(&row.row.json)).collect();
    assert_eq!(serials, [0, 2]);
    scenario.deliver().has_exactly(&output.recorded);
}

#[test]
fn the_same_folder_opened_twice_in_a_process_is_the_same_engine() {
    let scenario = Scenario::new(CHILD);
    let (code, output) = ChildProcess::start(CHILD, &scenario.args("twice", "url=none"), None).wait();
    assert_eq!(code, Some(0));
    assert_eq!((output.value("accepted"), output.value("folders")), (Some("2 2"), Some("1")));
    assert!(!scenario.path("app.1").exists());
    let found = scenario.deliver();
    assert_eq!(output.recorded.len(), 3);
    found.has_exactly(&output.recorded);
}

#[test]
fn every_call_of_eight_threads_at_full_speed_is_counted() {
    const CALLS: u64 = 20_000;
    const CAP: u64 = 256 * 1024 * 1024;
    println!("size cap raised to {CAP} bytes");
    let scenario = Scenario::new(CHILD);
    let args = scenario.args("threads", &format!("url=none threads=8 n={CALLS} cap={CAP}"));
    let (code, output) = ChildProcess::start(CHILD, &args, None).wait();
    assert_eq!(code, Some(0));
    println!("recorded {}, refused {}", output.recorded.len(), output.number("refused"));
    assert_eq!(8 * CALLS, output.recorded.len() as u64 + output.number("refused"));
    assert_eq!(output.number("refused"), output.number("counted"));
    let stored: Vec<_> = rows(&scenario.folder()).iter().map(|row| row.row.id.to_string()).collect();
    let distinct: HashSet<&str> = stored.iter().map(String::as_str).collect();
    assert_eq!(distinct.len(), stored.len(), "a row is there twice");
    assert_eq!(distinct, output.recorded.iter().map(|(id, _)| id.as_str()).collect());
    balance(&scenario.folder());
}

#[test]
fn the_environment_switches_a_debug_build_into_test_mode_with_the_seed_and_a_release_build_not() {
    let status = |debug: &str, variable: Option<&str>| -> serde_json::Value {
        let folder = tempfile::tempdir().unwrap();
        let mut child = std::process::Command::new(CHILD);
        child.args(["mode=status", "sessions=1", &format!("debug={debug}")]);
        child.arg(format!("folder={}", folder.path().display())).env_remove("REZ_TEST");
        if let Some(variable) = variable {
            child.env("REZ_TEST", variable);
        }
        serde_json::from_slice(&child.output().unwrap().stdout).unwrap()
    };
    for (debug, variable, is_test) in
        [("1", Some("7"), true), ("1", Some("0"), false), ("1", None, false), ("0", Some("7"), false)]
    {
        assert_eq!(status(debug, variable)["test_mode"], is_test, "{debug} {variable:?}");
    }
    let code = |variable| status("1", Some(variable))["support_code"].as_str().unwrap().to_owned();
    assert_eq!(code("7"), code("7"));
    assert_ne!(code("7"), code("8"));
    assert_ne!(code("yes"), code("yes"), "no seed");
}
