//! Damaged files under a real engine: what is lost, and what must not come back.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use rez_monitor_tests::child_process::ChildProcess;
use rez_monitor_tests::scenario::{Scenario, dropped, rows};
use rez_monitor_tests::seeded::Seeded;
use std::collections::HashSet;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::Path;

const CHILD: &str = env!("CARGO_BIN_EXE_child");

/// Overwrites the first bytes of the queue, so that SQLite cannot open it.
fn garble(folder: &Path) {
    let mut file = std::fs::OpenOptions::new().write(true).open(folder.join("queue.db")).unwrap();
    file.write_all(&[0xa5; 100]).unwrap();
    file.sync_all().unwrap();
}

/// The files of the queue, the database first.
const FILES: [&str; 3] = ["queue.db", "queue.db-wal", "queue.db-shm"];

fn remove(folder: &Path, files: &[&str]) {
    for name in files {
        let _ = std::fs::remove_file(folder.join(name));
    }
}

/// Every acknowledged event is at the collector or counted as lost, and none is there twice.
fn accounted(scenario: &Scenario, acknowledged: &[(String, u64)], what: &str) {
    let found = scenario.deliver();
    found.none_doubled();
    let lost = acknowledged.iter().filter(|(id, _)| !found.collected.contains_key(id)).count() as u64;
    let counted: u64 = dropped(&found.balance).values().sum();
    println!("{what}: {lost} of {} lost, {:?}", acknowledged.len(), dropped(&found.balance));
    assert!(lost <= counted, "{what}: {lost} are lost, {counted} are counted");
    assert_eq!(scenario.collector.counts().unwrap().duplicates, 0, "{what}");
}

#[test]
fn flipped_bits_lose_only_the_rows_they_hit_and_those_are_counted() {
    let mut random = Seeded::of("flipped_bits", 7);
    for round in 0..6 {
        let scenario = Scenario::new(CHILD);
        let mut acknowledged = scenario.run("n=500 url=none persist_every=100 end=close").recorded;
        let path = scenario.folder().join("queue.db");
        let mut file = std::fs::OpenOptions::new().read(true).write(true).open(&path).unwrap();
        let len = file.metadata().unwrap().len();
        for _ in 0..1 + round * 10 {
            let at = random.below(len);
            let mut byte = [0];
            file.seek(SeekFrom::Start(at)).unwrap();
            file.read_exact(&mut byte).unwrap();
            file.seek(SeekFrom::Start(at)).unwrap();
            file.write_all(&[byte[0] ^ (1 << random.below(8))]).unwrap();
        }
        drop(file);
        acknowledged.extend(scenario.run("n=50 first=1000 url=none end=close").recorded);
        accounted(&scenario, &acknowledged, &format!("round {round}"));
    }
}

#[test]
fn the_rest_of_a_truncated_queue_is_recovered_and_the_missing_rows_are_counted() {
    let mut random = Seeded::of("cut_short", 8);
    for round in 0..4 {
        let scenario = Scenario::new(CHILD);
        let mut acknowledged = scenario.run("n=500 url=none persist_every=100 end=close").recorded;
        let file = std::fs::OpenOptions::new().write(true).open(scenario.folder().join("queue.db")).unwrap();
        file.set_len(random.below(file.metadata().unwrap().len())).unwrap();
        drop(file);
        acknowledged.extend(scenario.run("n=50 first=1000 url=none end=close").recorded);
        accounted(&scenario, &acknowledged, &format!("round {round}"));
    }
}

#[test]
fn a_delivered_event_never_comes_back_from_a_damaged_file() {
    let scenario = Scenario::new(CHILD);
    let delivered = scenario.run("n=300 persist_every=50 end=flush").recorded;
    let waiting = scenario.run("n=100 first=1000 url=none end=close").recorded;
    garble(&scenario.folder());
    let found = scenario.deliver();
    assert_eq!(scenario.collector.counts().unwrap().duplicates, 0, "delivered events were sent again");
    found.has_exactly(&[delivered, waiting].concat());
    found.nothing_dropped();
}

#[test]
fn an_evicted_event_never_comes_back_from_a_damaged_file() {
    let scenario = Scenario::new(CHILD);
    let output = scenario.run("n=1600 url=none fill=1500 crumbs=0 persist_every=100 cap=1048576 end=close");
    assert_eq!(output.refusals(), 0);
    let kept: HashSet<String> = rows(&scenario.folder()).iter().map(|row| row.row.id.to_string()).collect();
    assert!(kept.len() > 100 && kept.len() < 1500, "{} were kept", kept.len());
    garble(&scenario.folder());
    let found = scenario.deliver();
    let back = found.collected.keys().filter(|id| !kept.contains(*id)).count();
    let gone = kept.iter().filter(|id| !found.collected.contains_key(*id)).count();
    assert_eq!((back, gone), (0, 0), "came back, and did not arrive");
    assert_eq!(dropped(&found.balance).get("carved_stale"), None, "their loss is counted already");
}

#[test]
fn losses_that_a_lost_queue_had_counted_and_not_reported_are_reported_once_under_their_epoch() {
    for garbled in [true, false] {
        let scenario = Scenario::new(CHILD);
        let offline = "url=http://127.0.0.1:9 kinds=message crumbs=0 fill=1500 persist_every=100 cap=1048576";
        scenario.run(&format!("n=1600 {offline} end=persist,close"));
        let before = scenario.delivered().balance;
        let evicted = dropped(&before)["evicted_bytes"];
        assert!(evicted > 100, "{evicted} were evicted");
        if garbled {
            garble(&scenario.folder());
        } else {
            remove(&scenario.folder(), &FILES);
        }
        let found = scenario.deliver();
        assert!(found.balance.epoch > before.epoch);
        let lost = scenario.collector.counts().unwrap().lost;
        let of_before = lost.iter().filter(|row| row.epoch == before.epoch && row.lost.reason == "evicted_bytes");
        assert_eq!(of_before.map(|row| row.lost.count).sum::<u64>(), evicted, "garbled {garbled}");
        let batches = scenario.collector.counts().unwrap().batches;
        scenario.deliver();
        let counts = scenario.collector.counts().unwrap();
        assert_eq!((counts.lost, counts.batches), (lost, batches), "garbled {garbled}");
    }
}

#[test]
fn a_wiped_event_never_comes_back_from_a_damaged_file() {
    let scenario = Scenario::new(CHILD);
    scenario.run("n=300 url=none persist_every=50 end=persist,forget,persist,close");
    let kept = scenario.run("n=100 first=1000 url=none end=close").recorded;
    garble(&scenario.folder());
    scenario.deliver().has_exactly(&kept);
}

#[test]
fn a_queue_deleted_between_two_runs_is_created_again_and_its_rows_are_counted() {
    let scenario = Scenario::new(CHILD);
    let mut acknowledged = scenario.run("n=300 kinds=message url=none persist_every=100 end=close").recorded;
    remove(&scenario.folder(), &FILES);
    acknowledged.extend(scenario.run("n=50 first=9000 kinds=message url=none end=close").recorded);
    let found = scenario.deliver();
    found.none_doubled();
    let lost = acknowledged.iter().filter(|(id, _)| !found.collected.contains_key(id)).count() as u64;
    assert_eq!((lost, dropped(&found.balance)), (300, [("corrupt_file".to_owned(), lost)].into()));
}

#[test]
fn rows_of_a_deleted_queue_are_counted_once_even_if_the_next_start_is_killed_when_it_has_created_a_new_one() {
    let scenario = Scenario::new(CHILD);
    scenario.run("n=300 kinds=message url=none persist_every=100 end=close");
    remove(&scenario.folder(), &FILES);
    for _ in 0..2 {
        scenario.killed_at("queue_loading:1", "n=0 url=none end=wait");
    }
    let found = scenario.deliver();
    assert_eq!(dropped(&found.balance), [("corrupt_file".to_owned(), 300)].into());
}

#[test]
fn a_quarantine_that_is_killed_is_finished_and_its_rows_are_recovered_and_not_counted() {
    for moment in ["quarantine_begun:1", "quarantined:1"] {
        let scenario = Scenario::new(CHILD);
        let recorded = scenario.run("n=300 url=none persist_every=100 end=close").recorded;
        garble(&scenario.folder());
        scenario.killed_at(moment, "n=0 url=none end=wait");
        let found = scenario.deliver();
        found.has_exactly(&recorded);
        found.nothing_dropped();
    }
}

#[test]
fn parked_rows_of_a_damaged_file_are_counted() {
    let scenario = Scenario::new(CHILD);
    let recorded = scenario.run("n=700 analytics=pending persist_every=100 end=try,try,close").recorded;
    let delivered = scenario.delivered().collected;
    let parked = recorded.iter().filter(|(id, _)| !delivered.contains_key(id)).count() as u64;
    assert!(parked > 50 && parked < 350, "{parked}");
    garble(&scenario.folder());
    let found = scenario.deliver();
    let lost = recorded.iter().filter(|(id, _)| !found.collected.contains_key(id)).count() as u64;
    assert_eq!(dropped(&found.balance).values().sum::<u64>(), lost);
    assert_eq!(lost, parked);
}

#[test]
fn a_queue_deleted_again_and_again_during_delivery_loses_and_counts_no_event_and_sends_none_twice() {
    let mut random = Seeded::of("deleted_during_delivery", 11);
    for files in [&FILES[..1], &FILES[..2], &FILES] {
        let scenario = Scenario::new(CHILD);
        let earlier = scenario.run("n=500 kinds=message url=none persist_every=100 end=close").recorded;
        let child = scenario.start("n=40000 first=1000 kinds=message crumbs=0 patient=1 persist_every=2000 end=flush");
        let mut at = 0;
        while at < 36_000 {
            at += 2_000 + random.below(6_000);
            child.until("some more", |output| output.recorded.len() as u64 >= at || output.done());
            remove(&scenario.folder(), files);
        }
        let (code, output) = child.wait();
        assert_eq!((code, output.value("left")), (Some(0), Some("0")), "{files:?}: {:?}", output.lines);
        let found = scenario.deliver();
        found.has_exactly(&[earlier, output.recorded].concat());
        found.nothing_dropped();
        let counts = scenario.collector.counts().unwrap();
        assert_eq!((counts.duplicates, counts.lost), (0, Vec::new()), "{files:?}");
    }
}

#[test]
fn a_kill_while_a_deleted_queue_is_restored_loses_no_event() {
    let scenario = Scenario::new(CHILD);
    let mut child = ChildProcess::start(
        CHILD,
        &scenario.args("record", "n=500 again=20 url=none kinds=message crumbs=0 end=persist,wait,again,persist,close"),
        Some("queue_copied:1"),
    );
    child.until("persisted", |output| output.lines.iter().any(|word| word == "waiting"));
    remove(&scenario.folder(), &FILES[..1]);
    child.write_line("go on");
    let (code, output) = child.wait();
    assert_eq!(code, None, "the child was not killed");
    let found = scenario.deliver();
    found.has_all(&output.recorded);
    found.nothing_dropped();
}

#[test]
fn a_ring_header_overwritten_while_the_app_runs_loses_no_event() {
    let scenario = Scenario::new(CHILD);
    let child = scenario.start("n=2000 kinds=message crumbs=0 url=none pause_us=100 end=persist,close");
    child.until("five hundred", |output| output.recorded.len() >= 500);
    let mut ring = std::fs::OpenOptions::new().write(true).open(scenario.folder().join("ring.bin")).unwrap();
    ring.write_all(&[0x5a; 100]).unwrap();
    drop(ring);
    let (code, output) = child.wait();
    assert_eq!((code, output.value("persisted")), (Some(0), Some("true")));
    let more = scenario.run("n=50 first=9000 kinds=message url=none end=close").recorded;
    let found = scenario.deliver();
    found.has_exactly(&[output.recorded, more].concat());
    found.nothing_dropped();
}

#[test]
fn a_log_index_truncated_or_unlinked_while_the_app_runs_loses_no_event_and_does_not_kill_the_app() {
    for unlink in [false, true] {
        let scenario = Scenario::new(CHILD);
        let child = scenario.start("n=3000 crumbs=0 url=none pause_us=200 persist_every=50 end=persist,state,close");
        let index = scenario.folder().join("queue.db-shm");
        for round in 1..=25u64 {
            child.until("some more", |output| output.recorded.len() as u64 >= round * 100);
            if unlink {
                let _ = std::fs::remove_file(&index);
            } else if let Ok(file) = std::fs::OpenOptions::new().write(true).open(&index) {
                file.set_len([0, 100, 4096, 20_000][round as usize % 4]).unwrap();
            }
        }
        let (code, output) = child.wait();
        assert_eq!((code, output.value("persisted"), output.value("store")), (Some(0), Some("true"), Some("Ready")));
        assert_eq!(output.refusals(), 0);
        let found = scenario.deliver();
        found.has_exactly(&output.recorded);
        found.nothing_dropped();
    }
}

/// Overwrites some of the log's index, or all of it, and sometimes makes it longer or shorter.
fn garble_index(folder: &Path, random: &mut Seeded) {
    let Ok(mut file) = std::fs::OpenOptions::new().write(true).open(folder.join("queue.db-shm")) else { return };
    let len = file.metadata().unwrap().len();
    match random.below(4) {
        // The whole of it.
        0 => {
            let bytes: Vec<u8> = (0..len + random.below(2) * 32_768).map(|_| random.below(256) as u8).collect();
            file.write_all(&bytes).unwrap();
        }
        // The header and the superblock of the readers.
        1 => {
            let bytes: Vec<u8> = (0..136).map(|_| random.below(256) as u8).collect();
            file.write_all(&bytes).unwrap();
        }
        // Frame numbers and hash tables.
        2 => {
            for _ in 0..50 {
                file.seek(SeekFrom::Start(136 + random.below(len.max(137) - 136))).unwrap();
                file.write_all(&[random.below(256) as u8; 16]).unwrap();
            }
        }
        _ => file.set_len(random.below(len + 1)).unwrap(),
    }
}

#[test]
fn a_log_index_with_garbage_at_the_start_loses_no_event() {
    let mut random = Seeded::of("garbled_index", 11);
    for round in 0..3 {
        let scenario = Scenario::new(CHILD);
        let mut acknowledged = Vec::new();
        for life in 0..3u64 {
            let mut options = format!("n=400 first={} crumbs=0 pause_us=100 persist_every=40 end=wait", life * 1_000);
            if random.below(2) == 0 {
                options.push_str(" url=none");
            }
            let child = scenario.start(&options);
            let enough = 50 + random.below(350) as usize;
            child.until("some", |output| output.recorded.len() >= enough);
            acknowledged.extend(child.kill().recorded);
            garble_index(&scenario.folder(), &mut random);
        }
        let found = scenario.deliver();
        let lost = acknowledged.iter().filter(|(id, _)| !found.collected.contains_key(id)).count();
        assert_eq!((lost, dropped(&found.balance)), (0, Default::default()), "round {round}");
        // A batch whose response the kill came before is sent again with the same ids.
        found.none_doubled();
    }
}
