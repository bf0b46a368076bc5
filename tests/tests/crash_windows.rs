//! One test per line of the crash window table. The child is killed at a named point in the code; then its acknowledged
//! events, the balance and the collector are compared.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use rez_inspect::collector::{Collector, Fault, Options, Switches, What};
use rez_monitor::inspect::Reader;
use rez_monitor_tests::child_process::ChildProcess;
use rez_monitor_tests::scenario::{Scenario, dropped, rows, serial};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::io::{Seek, SeekFrom, Write};
use std::path::Path;

const CHILD: &str = env!("CARGO_BIN_EXE_child");

/// Writes over the first bytes of a file.
fn garble(file: &Path) {
    let mut file = std::fs::OpenOptions::new().write(true).open(file).unwrap();
    file.write_all(&[0xa5; 100]).unwrap();
    file.sync_all().unwrap();
}

/// Damages the database beyond what the log can repair.
fn lose_database(scenario: &Scenario) {
    garble(&scenario.folder().join("queue.db"));
    let wal = scenario.folder().join("queue.db-wal");
    if wal.exists() {
        std::fs::OpenOptions::new().write(true).open(wal).unwrap().set_len(0).unwrap();
    }
}

#[test]
fn append_started_but_not_published_is_neither_recorded_nor_counted() {
    for at in [2, 3, 17] {
        let scenario = Scenario::new(CHILD);
        // The first append is the run record.
        let output = scenario.killed_at(&format!("append_started:{at}"), "n=100 kinds=message url=none");
        let found = scenario.deliver();
        found.has_exactly(&output.recorded);
        found.nothing_dropped();
    }
}

#[test]
fn published_but_not_folded_is_imported_once_with_the_release_of_its_own_run() {
    let scenario = Scenario::new(CHILD);
    let output = scenario.killed_at("append_published:40", "n=100 kinds=message url=none release=shop@1");
    let next = scenario.run("n=10 first=500 kinds=message url=none release=shop@2 end=close");
    let reader = Reader::open(&scenario.folder()).unwrap();
    let release: HashMap<i64, String> =
        reader.runs().unwrap().into_iter().map(|run| (run.number, run.release)).collect();
    let mut seen = BTreeMap::new();
    for row in rows(&scenario.folder()) {
        let serial = serial(&row.row.json).unwrap();
        let expected = if serial < 500 { "shop@1" } else { "shop@2" };
        assert_eq!(release.get(&row.row.run).map(String::as_str), Some(expected), "of event {serial}");
        *seen.entry(expected).or_insert(0) += 1;
    }
    // The last one was published and its call did not return.
    assert_eq!(seen.get("shop@1"), Some(&(output.recorded.len() + 1)));
    assert_eq!(seen.get("shop@2"), Some(&10));
    let found = scenario.deliver();
    found.has_all(&output.recorded);
    found.has_all(&next.recorded);
    found.nothing_dropped();
}

#[test]
fn runs_that_die_before_they_end_the_session_of_the_run_before_leave_no_session_without_an_end() {
    let scenario = Scenario::new(CHILD);
    for _ in 0..2 {
        let _ = scenario.killed_at("fold_committed:1", "n=5 kinds=analytics url=none sessions=1 end=wait");
    }
    let _ = scenario.run("n=5 kinds=analytics url=none sessions=1 end=close");
    let mut sessions: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for listed in rows(&scenario.folder()) {
        let json: serde_json::Value = serde_json::from_str(&listed.row.json).unwrap();
        if let (Some(id), Some(_)) = (json["session"].as_str(), json["init"].as_bool()) {
            sessions.entry(id.to_owned()).or_default().push(json["status"].as_str().unwrap().to_owned());
        }
    }
    let mut ends: Vec<_> = sessions.into_values().collect();
    ends.sort();
    assert_eq!(ends, [["ok", "abnormal"], ["ok", "abnormal"], ["ok", "exited"]]);
}

#[test]
fn a_kill_around_the_commit_of_a_fold_loses_and_doubles_nothing() {
    for fault in [
        "fold_commit:1",
        "fold_commit:3",
        "fold_committed:1",
        "fold_committed:2",
        "superblock_written:1",
        "superblock_written:2",
    ] {
        let scenario = Scenario::new(CHILD);
        let output = scenario.killed_at(fault, "n=3000 url=none pause_us=300 end=wait");
        let found = scenario.deliver();
        found.has_all(&output.recorded);
        found.nothing_dropped();
        // At most the call that was under way is there without an acknowledgement.
        assert!(found.collected.len() <= output.recorded.len() + 1, "{fault}");
        assert_eq!(scenario.collector.counts().unwrap().duplicates, 0, "{fault}");
    }
}

#[test]
fn if_the_database_is_lost_after_a_commit_the_ring_restores_the_events_with_the_same_ids() {
    let scenario = Scenario::new(CHILD);
    let output = scenario.killed_at("fold_committed:1", "n=3000 url=none pause_us=300 end=wait");
    lose_database(&scenario);
    let found = scenario.deliver();
    found.has_all(&output.recorded);
    assert_eq!(scenario.collector.counts().unwrap().duplicates, 0);
}

#[test]
fn if_the_database_is_lost_after_the_superblock_was_written_the_carver_restores_the_rows() {
    let scenario = Scenario::new(CHILD);
    let output = scenario.run("n=500 url=none pause_us=100 end=close");
    garble(&scenario.folder().join("queue.db"));
    let more = scenario.killed_at("superblock_written:1", "n=100 first=5000 url=none pause_us=100 end=wait");
    let found = scenario.deliver();
    found.has_all(&output.recorded);
    found.has_all(&more.recorded);
    assert_eq!(scenario.collector.counts().unwrap().duplicates, 0);
}

#[test]
fn after_a_kill_around_a_request_every_event_arrives_once() {
    for fault in [
        "inflight_committed:1",
        "inflight_committed:2",
        "sent:1",
        "sent:2",
        "answered:1",
        "answered:2",
        "settlement_noted:1",
        "settlement_noted:2",
        "settled:1",
        "settled:2",
    ] {
        let scenario = Scenario::new(CHILD);
        let output = scenario.killed_at(fault, "n=700 pause_us=20 end=try,try,try,try,wait");
        let found = scenario.deliver();
        found.has_all(&output.recorded);
        found.nothing_dropped();
        assert!(found.collected.len() <= output.recorded.len() + 1, "{fault}");
    }
}

#[test]
fn if_the_response_to_a_committed_request_is_lost_the_same_ids_are_sent_again() {
    let scenario = Scenario::new(CHILD);
    scenario
        .collector
        .set_switches(Switches { faults: [Fault::once(What::DropResponse)].into(), ..Switches::default() });
    let output = scenario.killed_at("answered:1", "n=100 kinds=message end=try,wait");
    let at_server = scenario.delivered();
    assert!(!at_server.collected.is_empty(), "the server had committed");
    let found = scenario.deliver();
    found.has_exactly(&output.recorded);
    let counts = scenario.collector.counts().unwrap();
    assert!(counts.duplicates + counts.replays > 0, "it was sent again: {counts:?}");
}

#[test]
fn records_that_wait_while_the_database_is_lost_keep_the_ids_and_the_release_of_their_run() {
    let scenario = Scenario::new(CHILD);
    // What comes after the persist waits in the ring for the next fold; the run's record is folded.
    let options = "n=3000 kinds=message crumbs=0 url=none persist_every=100 release=shop@1 end=wait";
    let output = scenario.killed_at("append_published:190", options);
    for name in ["queue.db", "queue.db-wal", "queue.db-shm"] {
        let _ = std::fs::remove_file(scenario.folder().join(name));
    }
    scenario.run("n=0 url=none release=shop@2 end=persist,close");
    let ids: HashMap<&str, u64> = output.recorded.iter().map(|(id, serial)| (id.as_str(), *serial)).collect();
    let reader = Reader::open(&scenario.folder()).unwrap();
    let release: HashMap<i64, String> =
        reader.runs().unwrap().into_iter().map(|run| (run.number, run.release)).collect();
    let there = rows(&scenario.folder());
    assert!(there.len() > 30, "{} of {} waited in the ring", there.len(), output.recorded.len());
    let published = output.recorded.len() as u64;
    for row in there {
        let serial = serial(&row.row.json).unwrap();
        // The last one was published and its call did not return.
        let id = row.row.id.to_string();
        assert!(serial == published || ids.get(id.as_str()) == Some(&serial), "event {serial} has another id");
        assert_eq!(release.get(&row.row.run).map(String::as_str), Some("shop@1"), "of event {serial}");
    }
}

#[test]
fn a_crash_folded_out_of_the_reserve_is_not_folded_again() {
    let scenario = Scenario::new(CHILD);
    // With no database to fold into the ring fills up, and the last crash goes into the reserve.
    scenario.put_newer_queue();
    let output = scenario.run("n=0 url=none fatals=2000 fill=6000 release=shop@1");
    assert_eq!(output.refused.get("ring_full"), Some(&1), "ring and reserve were filled: {:?}", output.refused);
    assert!(output.recorded.len() > 50, "{}", output.recorded.len());
    scenario.remove_newer_queue();
    let args = scenario.args("record", "n=0 url=none release=shop@2 end=persist,wait");
    let (code, _) = ChildProcess::start(CHILD, &args, Some("reserve_folded:1")).wait();
    assert_eq!(code, None, "the crash came out of the reserve");
    let more = scenario.run("n=5 first=5000 url=none release=shop@3 end=close");
    let reader = Reader::open(&scenario.folder()).unwrap();
    let release: HashMap<i64, String> =
        reader.runs().unwrap().into_iter().map(|run| (run.number, run.release)).collect();
    for row in rows(&scenario.folder()) {
        let serial = serial(&row.row.json).unwrap();
        let expected = if serial < 5000 { "shop@1" } else { "shop@3" };
        assert_eq!(release.get(&row.row.run).map(String::as_str), Some(expected), "of event {serial}");
    }
    let refused = reader.overview().unwrap().refused;
    assert!(refused.contains(&("ring_full".into(), "crash".into(), 1)), "{refused:?}");
    drop(reader);
    let found = scenario.deliver();
    found.has_exactly(&[output.recorded, more.recorded].concat());
}

#[test]
fn if_the_file_is_lost_right_before_or_after_a_settlement_nothing_is_sent_again_and_nothing_counted() {
    let mut arrived = 0;
    // Maintenance notes what it deletes too, so not each of the first ones is a request's.
    for fault in ["settlement_noted:1", "settlement_noted:2", "settlement_noted:3", "settled:1", "settled:2"] {
        let scenario = Scenario::new(CHILD);
        let output = scenario.run("n=700 kinds=message url=none end=close");
        scenario.killed_at(fault, "n=0 end=try,try,try,wait");
        arrived += scenario.delivered().collected.len();
        lose_database(&scenario);
        let found = scenario.deliver();
        found.has_exactly(&output.recorded);
        found.nothing_dropped();
        assert_eq!(scenario.collector.counts().unwrap().duplicates, 0, "{fault}");
    }
    assert!(arrived > 0);
}

#[test]
fn many_damaged_rows_quarantine_the_file_and_rows_that_are_not_recovered_are_counted() {
    for (every, storm) in [(10, true), (150, false)] {
        let scenario = Scenario::new(CHILD);
        let output = scenario.run("n=300 kinds=message url=none end=close");
        let db = rusqlite::Connection::open(scenario.folder().join("queue.db")).unwrap();
        let spoiled = db.execute(&format!("UPDATE event SET crc = crc + 1 WHERE seq % {every} = 3"), []).unwrap();
        drop(db);
        let found = scenario.deliver();
        assert_eq!(scenario.folder().join("quarantine").exists(), storm, "{spoiled} of 300 rows were damaged");
        found.none_doubled();
        let missing = output.recorded.iter().filter(|(id, _)| !found.collected.contains_key(id)).count();
        assert_eq!(missing, spoiled);
        let reason = if storm { "corrupt_file" } else { "corrupt_row" };
        assert_eq!(dropped(&found.balance), BTreeMap::from([(reason.to_owned(), spoiled as u64)]));
    }
}

#[test]
fn rows_of_a_damaged_file_go_only_to_the_destinations_that_had_not_settled_them() {
    let scenario = Scenario::new(CHILD);
    let second = Collector::start(Options::new(scenario.path("second.sqlite"))).unwrap();
    second.set_network(false);
    let output = scenario.run(&format!("n=300 second_url={} end=try,close wait_ms=5000", second.url()));
    let first_time = scenario.delivered().collected;
    assert!(first_time.len() > 100, "the first destination has {} of them", first_time.len());
    garble(&scenario.folder().join("queue.db"));
    second.set_network(true);
    let last = scenario.run(&format!("n=0 second_url={} end=persist,flush", second.url()));
    assert_eq!(last.value("left"), Some("0"), "{:?}", last.lines);
    scenario.delivered().has_exactly(&output.recorded);
    let counts = scenario.collector.counts().unwrap();
    assert_eq!((counts.duplicates, counts.replays), (0, 0), "the first one had settled them: {counts:?}");
    let at_second = rez_monitor_tests::scenario::collected(&second);
    assert!(output.recorded.iter().all(|(id, serial)| at_second.get(id) == Some(serial)));
}

#[test]
fn an_interrupted_wipe_is_finished_before_anything_is_sent() {
    for fault in ["wipe_begun:1", "wipe_ended:1"] {
        for (wish, analytics_only) in [("forget", false), ("deny", true)] {
            let scenario = Scenario::new(CHILD);
            scenario.collector.set_network(false);
            let output = scenario.killed_at(fault, &format!("n=200 pause_us=50 end=persist,{wish},wait"));
            scenario.collector.set_network(true);
            let found = scenario.deliver();
            let wiped = |serial: u64| !analytics_only || serial % 7 == 1;
            let back: Vec<_> = found.collected.values().filter(|serial| wiped(**serial)).collect();
            assert!(back.is_empty(), "{fault}, {wish}: {} wiped events came back", back.len());
            let kept: Vec<_> = output.recorded.iter().filter(|(_, serial)| !wiped(*serial)).cloned().collect();
            found.has_exactly(&kept);
            let bytes = std::fs::read(scenario.folder().join("queue.db")).unwrap();
            let gone = output.recorded.iter().filter(|(_, serial)| wiped(*serial));
            for (id, _) in gone.take(20) {
                assert!(!bytes.windows(id.len()).any(|window| window == id.as_bytes()), "{id} is still in the file");
            }
        }
    }
}

#[test]
fn a_carve_killed_in_a_step_is_repeated_and_doubles_nothing() {
    for fault in ["carve_step:1", "carve_step:3"] {
        let scenario = Scenario::new(CHILD);
        // Rows of 6 KiB spill over into other pages.
        let output = scenario.run("n=400 url=none kinds=message fill=6000 persist_every=50 end=close");
        assert_eq!(output.refusals(), 0);
        garble(&scenario.folder().join("queue.db"));
        scenario.killed_at(fault, "n=0 url=none end=wait");
        let found = scenario.deliver();
        found.has_exactly(&output.recorded);
        assert_eq!(scenario.collector.counts().unwrap().duplicates, 0);
    }
}

#[test]
fn a_carve_killed_before_its_folder_is_deleted_counts_its_losses_once() {
    let scenario = Scenario::new(CHILD);
    let output = scenario.run("n=400 url=none kinds=message crumbs=0 persist_every=50 end=close");
    let file = std::fs::OpenOptions::new().write(true).open(scenario.folder().join("queue.db")).unwrap();
    file.set_len(file.metadata().unwrap().len() * 2 / 3).unwrap();
    garble(&scenario.folder().join("queue.db"));
    for _ in 0..3 {
        scenario.killed_at("carve_done:1", "n=0 url=none end=wait");
    }
    let found = scenario.deliver();
    let lost = output.recorded.iter().filter(|(id, _)| !found.collected.contains_key(id)).count() as u64;
    assert!(lost > 50, "{lost}");
    assert_eq!(dropped(&found.balance), [("corrupt_file".to_owned(), lost)].into());
}

#[test]
fn a_carve_whose_new_database_is_lost_continues_and_neither_doubles_nor_miscounts() {
    for step in [2, 5, 30] {
        let scenario = Scenario::new(CHILD);
        let output = scenario.run("n=400 url=none kinds=message fill=6000 crumbs=0 persist_every=50 end=close");
        garble(&scenario.folder().join("queue.db"));
        scenario.killed_at(&format!("carve_committed:{step}"), "n=0 end=try,wait");
        garble(&scenario.folder().join("queue.db"));
        let found = scenario.deliver();
        found.has_exactly(&output.recorded);
        found.nothing_dropped();
    }
}

#[test]
fn carved_events_keep_the_release_of_their_own_run() {
    let scenario = Scenario::new(CHILD);
    let mut recorded = Vec::new();
    for life in 1..=3 {
        let options = format!("n=40 first={} url=none release=shop@{life} persist_every=10 end=close", life * 1000);
        recorded.extend(scenario.run(&options).recorded);
    }
    garble(&scenario.folder().join("queue.db"));
    scenario.run("n=5 first=4000 url=none release=shop@4 end=persist,close");
    let reader = Reader::open(&scenario.folder()).unwrap();
    let runs = reader.runs().unwrap();
    assert_eq!(runs.last().map(|run| run.release.as_str()), Some("shop@4"), "the newest run is the last one");
    let release: HashMap<i64, String> = runs.into_iter().map(|run| (run.number, run.release)).collect();
    let mut counts = BTreeMap::new();
    for row in rows(&scenario.folder()) {
        let serial = serial(&row.row.json).unwrap();
        let expected = format!("shop@{}", serial / 1000);
        assert_eq!(release.get(&row.row.run), Some(&expected), "of event {serial}");
        *counts.entry(expected).or_insert(0) += 1;
    }
    assert_eq!(counts.into_values().collect::<Vec<_>>(), [40, 40, 40, 5]);
    drop(reader);
    scenario.deliver().has_all(&recorded);
}

/// Simulates another boot: ring and database were last open in an earlier one.
fn another_boot(folder: &Path) {
    let mut ring = std::fs::OpenOptions::new().write(true).open(folder.join("ring.bin")).unwrap();
    ring.seek(SeekFrom::Start(80)).unwrap();
    ring.write_all(&0x1234_5678_u64.to_le_bytes()).unwrap();
    let db = rusqlite::Connection::open(folder.join("queue.db")).unwrap();
    assert_eq!(db.execute("UPDATE fold SET boot = 'another boot', clean = 0", []).unwrap(), 1);
}

#[test]
fn a_power_failure_after_a_commit_begins_a_new_epoch_and_counts_the_lost_events() {
    let scenario = Scenario::new(CHILD);
    let first = scenario.run("n=50 url=none pause_us=100 end=close");
    let before = Reader::open(&scenario.folder()).unwrap().balance().unwrap().epoch;
    let mut child = scenario.start("n=300 first=1000 kinds=metric url=none pause_us=100 end=wait");
    child.until("all recorded", |output| output.recorded.len() == 300);
    child.write_line("");
    let second = child.kill();
    // Nothing of the log had reached the disk, and the ring is of before too.
    std::fs::remove_file(scenario.folder().join("queue.db-wal")).unwrap();
    let _ = std::fs::remove_file(scenario.folder().join("queue.db-shm"));
    another_boot(&scenario.folder());
    let found = scenario.deliver();
    found.has_all(&first.recorded);
    found.none_doubled();
    let there: HashSet<u64> = found.collected.values().copied().collect();
    let lost = second.recorded.iter().filter(|(_, serial)| !there.contains(serial)).count() as u64;
    println!("the power failure lost {lost} of 300");
    let counted = dropped(&found.balance).get("power_loss").copied().unwrap_or(0);
    assert_eq!(counted, lost);
    assert!(found.balance.epoch > before, "epoch {} after {before}", found.balance.epoch);
    let ids: HashMap<u64, &String> = second.recorded.iter().map(|(id, serial)| (*serial, id)).collect();
    for (id, serial) in &found.collected {
        assert!(ids.get(serial).is_none_or(|own| *own == id), "event {serial} has another id than its call returned");
    }
    assert!(lost < 300, "some of them waited in the ring");
}

/// The ring is older than the database, and what the next life records waits in it when the process is killed.
fn ring_behind_the_database(booted: bool) {
    let scenario = Scenario::new(CHILD);
    scenario.run("n=20 url=none kinds=message crumbs=0 end=close");
    let ring = scenario.folder().join("ring.bin");
    let older = std::fs::read(&ring).unwrap();
    let first = scenario.start("n=200 first=1000 kinds=message url=none end=persist,wait");
    first.until("persisted", |output| output.lines.iter().any(|word| word == "waiting"));
    first.kill();
    // The database reached the disk, the ring's pages did not.
    std::fs::write(&ring, older).unwrap();
    if booted {
        another_boot(&scenario.folder());
    }
    // What the next life records waits in the ring, and one record of it is damaged there.
    let output =
        scenario.killed_at("fold_commit:1", "n=50 first=5000 kinds=message crumbs=0 url=none end=persist,wait");
    let mut bytes = std::fs::read(&ring).unwrap();
    let places: Vec<usize> =
        bytes.windows(5).enumerate().filter(|(_, text)| text == b"hello").map(|(at, _)| at).collect();
    let at = places[places.len() - 3];
    bytes[at] ^= 0x20;
    std::fs::write(&ring, bytes).unwrap();
    let found = scenario.deliver();
    found.none_doubled();
    let missing = output.recorded.iter().filter(|(id, _)| !found.collected.contains_key(id)).count() as u64;
    assert_eq!(missing, 1, "one record was damaged");
    let lost: u64 = dropped(&found.balance).values().sum();
    assert_eq!(lost, missing, "{:?}", dropped(&found.balance));
}

#[test]
fn a_power_failure_that_left_the_ring_behind_the_database_hides_no_later_loss() {
    ring_behind_the_database(true);
}

#[test]
fn a_ring_restored_from_a_copy_older_than_the_database_hides_no_later_record_and_no_later_loss() {
    ring_behind_the_database(false);
}
