//! Damaged files under a real engine: what is lost, and what must not come back.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use rez_monitor_tests::kid::Kid;
use rez_monitor_tests::scene::{Scene, dropped, rows};
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
fn accounted(scene: &Scene, acknowledged: &[(String, u64)], what: &str) {
    let found = scene.deliver();
    found.none_doubled();
    let lost = acknowledged.iter().filter(|(id, _)| !found.collected.contains_key(id)).count() as u64;
    let counted: u64 = dropped(&found.balance).values().sum();
    println!("{what}: {lost} of {} lost, {:?}", acknowledged.len(), dropped(&found.balance));
    assert!(lost <= counted, "{what}: {lost} are lost, {counted} are counted");
    assert_eq!(scene.collector.counts().unwrap().duplicates, 0, "{what}");
}

#[test]
fn flipped_bits_lose_only_the_rows_they_hit_and_those_are_counted() {
    let mut random = Seeded::of("flipped_bits", 7);
    for round in 0..6 {
        let scene = Scene::new(CHILD);
        let mut acknowledged = scene.run("n=500 url=none persist_every=100 end=close").recorded;
        let path = scene.folder().join("queue.db");
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
        acknowledged.extend(scene.run("n=50 first=1000 url=none end=close").recorded);
        accounted(&scene, &acknowledged, &format!("round {round}"));
    }
}

#[test]
fn the_rest_of_a_truncated_queue_is_recovered_and_the_missing_rows_are_counted() {
    let mut random = Seeded::of("cut_short", 8);
    for round in 0..4 {
        let scene = Scene::new(CHILD);
        let mut acknowledged = scene.run("n=500 url=none persist_every=100 end=close").recorded;
        let file = std::fs::OpenOptions::new().write(true).open(scene.folder().join("queue.db")).unwrap();
        file.set_len(random.below(file.metadata().unwrap().len())).unwrap();
        drop(file);
        acknowledged.extend(scene.run("n=50 first=1000 url=none end=close").recorded);
        accounted(&scene, &acknowledged, &format!("round {round}"));
    }
}

#[test]
fn a_delivered_event_never_comes_back_from_a_damaged_file() {
    let scene = Scene::new(CHILD);
    let delivered = scene.run("n=300 persist_every=50 end=flush").recorded;
    let waiting = scene.run("n=100 first=1000 url=none end=close").recorded;
    garble(&scene.folder());
    let found = scene.deliver();
    assert_eq!(scene.collector.counts().unwrap().duplicates, 0, "delivered events were sent again");
    found.has_exactly(&[delivered, waiting].concat());
    found.nothing_dropped();
}

#[test]
fn an_evicted_event_never_comes_back_from_a_damaged_file() {
    let scene = Scene::new(CHILD);
    let said = scene.run("n=1600 url=none fill=1500 crumbs=0 persist_every=100 cap=1048576 end=close");
    assert_eq!(said.refusals(), 0);
    let kept: HashSet<String> = rows(&scene.folder()).iter().map(|row| row.row.id.to_string()).collect();
    assert!(kept.len() > 100 && kept.len() < 1500, "{} were kept", kept.len());
    garble(&scene.folder());
    let found = scene.deliver();
    let back = found.collected.keys().filter(|id| !kept.contains(*id)).count();
    let gone = kept.iter().filter(|id| !found.collected.contains_key(*id)).count();
    assert_eq!((back, gone), (0, 0), "came back, and did not arrive");
    assert_eq!(dropped(&found.balance).get("carved_stale"), None, "their loss is counted already");
}

#[test]
fn losses_that_a_lost_queue_had_counted_and_not_reported_are_reported_once_under_their_epoch() {
    for garbled in [true, false] {
        let scene = Scene::new(CHILD);
        let offline = "url=http://127.0.0.1:9 kinds=message crumbs=0 fill=1500 persist_every=100 cap=1048576";
        scene.run(&format!("n=1600 {offline} end=persist,close"));
        let before = scene.found().balance;
        let evicted = dropped(&before)["evicted_bytes"];
        assert!(evicted > 100, "{evicted} were evicted");
        if garbled {
            garble(&scene.folder());
        } else {
            remove(&scene.folder(), &FILES);
        }
        let found = scene.deliver();
        assert!(found.balance.epoch > before.epoch);
        let lost = scene.collector.counts().unwrap().lost;
        let of_before = lost.iter().filter(|row| row.epoch == before.epoch && row.lost.reason == "evicted_bytes");
        assert_eq!(of_before.map(|row| row.lost.count).sum::<u64>(), evicted, "garbled {garbled}");
        let batches = scene.collector.counts().unwrap().batches;
        scene.deliver();
        let counts = scene.collector.counts().unwrap();
        assert_eq!((counts.lost, counts.batches), (lost, batches), "garbled {garbled}");
    }
}

#[test]
fn a_wiped_event_never_comes_back_from_a_damaged_file() {
    let scene = Scene::new(CHILD);
    scene.run("n=300 url=none persist_every=50 end=persist,forget,persist,close");
    let kept = scene.run("n=100 first=1000 url=none end=close").recorded;
    garble(&scene.folder());
    scene.deliver().has_exactly(&kept);
}

#[test]
fn a_queue_deleted_between_two_runs_is_created_again_and_its_rows_are_counted() {
    let scene = Scene::new(CHILD);
    let mut acknowledged = scene.run("n=300 kinds=message url=none persist_every=100 end=close").recorded;
    remove(&scene.folder(), &FILES);
    acknowledged.extend(scene.run("n=50 first=9000 kinds=message url=none end=close").recorded);
    let found = scene.deliver();
    found.none_doubled();
    let lost = acknowledged.iter().filter(|(id, _)| !found.collected.contains_key(id)).count() as u64;
    assert_eq!((lost, dropped(&found.balance)), (300, [("corrupt_file".to_owned(), lost)].into()));
}

#[test]
fn a_queue_deleted_again_and_again_during_delivery_loses_and_counts_no_event_and_sends_none_twice() {
    let mut random = Seeded::of("deleted_during_delivery", 11);
    for files in [&FILES[..1], &FILES[..2], &FILES] {
        let scene = Scene::new(CHILD);
        let earlier = scene.run("n=500 kinds=message url=none persist_every=100 end=close").recorded;
        let kid = scene.start("n=40000 first=1000 kinds=message crumbs=0 patient=1 persist_every=2000 end=flush");
        let mut at = 0;
        while at < 36_000 {
            at += 2_000 + random.below(6_000);
            kid.until("some more", |said| said.recorded.len() as u64 >= at || said.done());
            remove(&scene.folder(), files);
        }
        let (code, said) = kid.wait();
        assert_eq!((code, said.word("left")), (Some(0), Some("0")), "{files:?}: {:?}", said.words);
        let found = scene.deliver();
        found.has_exactly(&[earlier, said.recorded].concat());
        found.nothing_dropped();
        let counts = scene.collector.counts().unwrap();
        assert_eq!((counts.duplicates, counts.lost), (0, Vec::new()), "{files:?}");
    }
}

#[test]
fn a_kill_while_a_deleted_queue_is_restored_loses_no_event() {
    let scene = Scene::new(CHILD);
    let mut kid = Kid::start(
        CHILD,
        &scene.args("record", "n=500 again=20 url=none kinds=message crumbs=0 end=persist,wait,again,persist,close"),
        Some("queue_copied:1"),
    );
    kid.until("persisted", |said| said.words.iter().any(|word| word == "waiting"));
    remove(&scene.folder(), &FILES[..1]);
    kid.tell("go on");
    let (code, said) = kid.wait();
    assert_eq!(code, None, "the child was not killed");
    let found = scene.deliver();
    found.has_all(&said.recorded);
    found.nothing_dropped();
}

#[test]
fn a_ring_header_overwritten_while_the_app_runs_loses_no_event() {
    let scene = Scene::new(CHILD);
    let kid = scene.start("n=2000 kinds=message crumbs=0 url=none pause_us=100 end=persist,close");
    kid.until("five hundred", |said| said.recorded.len() >= 500);
    let mut ring = std::fs::OpenOptions::new().write(true).open(scene.folder().join("ring.bin")).unwrap();
    ring.write_all(&[0x5a; 100]).unwrap();
    drop(ring);
    let (code, said) = kid.wait();
    assert_eq!((code, said.word("persisted")), (Some(0), Some("true")));
    let more = scene.run("n=50 first=9000 kinds=message url=none end=close").recorded;
    let found = scene.deliver();
    found.has_exactly(&[said.recorded, more].concat());
    found.nothing_dropped();
}

#[test]
fn a_log_index_truncated_or_unlinked_while_the_app_runs_loses_no_event_and_does_not_kill_the_app() {
    for unlink in [false, true] {
        let scene = Scene::new(CHILD);
        let kid = scene.start("n=3000 crumbs=0 url=none pause_us=200 persist_every=50 end=persist,state,close");
        let index = scene.folder().join("queue.db-shm");
        for round in 1..=25u64 {
            kid.until("some more", |said| said.recorded.len() as u64 >= round * 100);
            if unlink {
                let _ = std::fs::remove_file(&index);
            } else if let Ok(file) = std::fs::OpenOptions::new().write(true).open(&index) {
                file.set_len([0, 100, 4096, 20_000][round as usize % 4]).unwrap();
            }
        }
        let (code, said) = kid.wait();
        assert_eq!((code, said.word("persisted"), said.word("store")), (Some(0), Some("true"), Some("Ready")));
        assert_eq!(said.refusals(), 0);
        let found = scene.deliver();
        found.has_exactly(&said.recorded);
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
        // The header and the marks of the readers.
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
        let scene = Scene::new(CHILD);
        let mut acknowledged = Vec::new();
        for life in 0..3u64 {
            let mut options = format!("n=400 first={} crumbs=0 pause_us=100 persist_every=40 end=wait", life * 1_000);
            if random.below(2) == 0 {
                options.push_str(" url=none");
            }
            let kid = scene.start(&options);
            let enough = 50 + random.below(350) as usize;
            kid.until("some", |said| said.recorded.len() >= enough);
            acknowledged.extend(kid.kill().recorded);
            garble_index(&scene.folder(), &mut random);
        }
        let found = scene.deliver();
        let lost = acknowledged.iter().filter(|(id, _)| !found.collected.contains_key(id)).count();
        assert_eq!((lost, dropped(&found.balance)), (0, Default::default()), "round {round}");
        // A batch whose answer the kill came before is sent again with the same ids.
        found.none_doubled();
    }
}
