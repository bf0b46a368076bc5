//! Release and facts that change while the process lives: every row keeps those of its own moment, whatever ends the process or
//! damages the files.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use rez_monitor::inspect::Reader;
use rez_monitor::{Facts, Run};
use rez_monitor_tests::scenario::{Scenario, rows, serial};
use std::collections::HashMap;
use std::io::{Seek, SeekFrom, Write};
use std::path::Path;

const CHILD: &str = env!("CARGO_BIN_EXE_child");

/// Events between two changes.
const EVERY: u64 = 10;

/// Writes over the first bytes of the queue.
fn garble(scenario: &Scenario) {
    let path = scenario.folder().join("queue.db");
    let mut file = std::fs::OpenOptions::new().write(true).open(path).unwrap();
    file.write_all(&[0xa5; 100]).unwrap();
    file.sync_all().unwrap();
}

/// Checks release and facts of every row with a number from `first` on, and returns their number. One run id covers them all.
fn check(folder: &Path, first: u64) -> usize {
    check_every(EVERY, folder, first)
}

fn check_every(every: u64, folder: &Path, first: u64) -> usize {
    let runs: HashMap<i64, Run> =
        Reader::open(folder).unwrap().runs().unwrap().into_iter().map(|run| (run.number, run)).collect();
    let mut ids = Vec::new();
    for listed in rows(folder) {
        let number = serial(&listed.row.json).unwrap();
        if number < first {
            continue;
        }
        let run = runs.get(&listed.row.run).unwrap_or_else(|| panic!("no run of event {number}"));
        let begun = number / every * every;
        let (release, build) = match begun == first {
            true => ("shop@1".to_owned(), None),
            false => (format!("shop@{begun}"), Some(begun.to_string())),
        };
        assert_eq!((&run.release, &run.facts.app_build), (&release, &build), "event {number}, {run:?}");
        ids.push(run.id.clone());
    }
    let count = ids.len();
    ids.dedup();
    assert_eq!(ids.len(), 1, "{ids:?}");
    count
}

#[test]
fn a_kill_between_a_change_and_its_fold_leaves_every_row_its_release_and_facts() {
    for fault in [
        // Of an event, of the change of the facts before event 30, of the change of its release.
        "append_published:45",
        "append_published:46",
        "append_published:47",
        "append_started:48",
        "fold_commit:1",
        "fold_committed:1",
        "superblock_written:1",
        "superblock_written:2",
    ] {
        let scenario = Scenario::new(CHILD);
        let output = scenario.killed_at(
            fault,
            &format!("n=900 url=none kinds=message crumbs=0 pause_us=500 change_every={EVERY} end=wait"),
        );
        scenario.run("n=0 url=none end=close");
        let found = check(&scenario.folder(), 0);
        assert!(found >= output.recorded.len(), "{fault}: {found} of {}", output.recorded.len());
    }
}

#[test]
fn rows_of_a_damaged_queue_keep_the_release_and_facts_of_their_moment() {
    let scenario = Scenario::new(CHILD);
    let options = format!("n=200 url=none kinds=message crumbs=0 persist_every=50 change_every={EVERY} end=close");
    let output = scenario.run(&options);
    garble(&scenario);
    scenario.run("n=0 url=none end=persist,close");
    assert_eq!(check(&scenario.folder(), 0), output.recorded.len());
}

#[test]
fn records_that_wait_while_the_database_is_lost_keep_the_last_change_of_their_run() {
    let scenario = Scenario::new(CHILD);
    // The changes are folded, and the records of events 95 to 99 wait in the ring: the record of the last change is freed.
    let options = format!("n=95 url=none kinds=message crumbs=0 change_every={EVERY} end=persist,again,wait again=5");
    let child = scenario.start(&options);
    child.until("recorded", |output| output.lines.iter().any(|word| word == "waiting"));
    let output = child.kill();
    assert_eq!(output.recorded.len(), 100);
    garble(&scenario);
    let wal = scenario.folder().join("queue.db-wal");
    std::fs::OpenOptions::new().write(true).open(wal).unwrap().set_len(0).unwrap();
    scenario.run("n=0 url=none end=persist,close");
    // What the log held is lost; what waited in the ring is there.
    let there: Vec<u64> = rows(&scenario.folder()).iter().filter_map(|listed| serial(&listed.row.json)).collect();
    assert!((95..100).all(|number| there.contains(&number)), "{there:?}");
    check(&scenario.folder(), 0);
}

#[test]
fn a_power_failure_that_reverts_the_database_leaves_the_records_in_the_ring_their_release() {
    let scenario = Scenario::new(CHILD);
    // Synced up to event 300. Later folds are in the log only, and the ring no longer has their records.
    let options = "n=100000 url=none kinds=message crumbs=0 pause_us=3000 persist_every=100 change_every=40 end=wait";
    let child = scenario.start(options);
    child.until("recorded", |output| output.recorded.len() >= 396);
    child.kill();
    // Nothing of the log reached the disk.
    std::fs::remove_file(scenario.folder().join("queue.db-wal")).unwrap();
    let _ = std::fs::remove_file(scenario.folder().join("queue.db-shm"));
    let mut ring = std::fs::OpenOptions::new().write(true).open(scenario.folder().join("ring.bin")).unwrap();
    ring.seek(SeekFrom::Start(80)).unwrap();
    ring.write_all(&0x1234_5678_u64.to_le_bytes()).unwrap();
    scenario.run("n=0 url=none end=persist,close");
    assert!(check_every(40, &scenario.folder(), 0) >= 300);
}

#[test]
fn a_queue_with_changes_and_facts_is_read_by_what_knows_neither() {
    // What a build without facts reads of a run: it ignores members that it does not know.
    #[derive(serde::Deserialize)]
    struct Before {
        id: String,
        release: String,
    }
    let run = Run { id: "r".into(), release: "shop@2".into(), facts: Facts::new().model("Pixel 9"), ..Run::default() };
    let read: Before = serde_json::from_str(&serde_json::to_string(&run).unwrap()).unwrap();
    assert_eq!((read.id.as_str(), read.release.as_str()), ("r", "shop@2"));
    // And a run that such a build wrote.
    let old =
        r#"{"number":0,"id":"r","boot":"b","app":"shop","release":"shop@1","os":"Linux","wall_ms":1,"mono_ms":2}"#;
    let run: Run = serde_json::from_str(old).unwrap();
    assert!(run.facts.is_empty() && run.change == 0);
}
