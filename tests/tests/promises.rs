//! One test per promise of the README, each against a real child process and a real file system.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use rez_inspect::collector::{Fault, Switches, What};
use rez_monitor_tests::kid::{Kid, Said};
use rez_monitor_tests::scene::{Scene, balance, dropped, rows};
use rez_monitor_tests::seeded::Seeded;
use std::collections::BTreeMap;
use std::io::{Seek, SeekFrom, Write};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

const CHILD: &str = env!("CARGO_BIN_EXE_child");

/// Where the ring's header holds the boot it was last open in.
const BOOT_WORD: u64 = 80;

#[test]
fn promise_1_what_was_recorded_survives_the_death_of_the_process() {
    const KILLS: u64 = 100;
    let mut random = Seeded::of("promise_1", 1);
    let scene = Scene::new(CHILD);
    let mut acknowledged = Vec::new();
    let mut refused = 0;
    for life in 0..KILLS {
        // Some lives have a network, some have not; all are killed at a random instant.
        scene.collector.set_network(random.below(3) > 0);
        let pause = random.below(3) * 150;
        let kid = scene.start(&format!("n=1000000 first={} pause_us={pause} persist_every=400", life * 1_000_000));
        std::thread::sleep(Duration::from_micros(random.below(60_000)));
        let said = kid.kill();
        acknowledged.extend(said.recorded);
        refused += said.refused.values().sum::<u64>();
    }
    scene.collector.set_network(true);
    let found = scene.deliver();
    println!(
        "{KILLS} kills, {} acknowledged, {refused} refused, {} delivered",
        acknowledged.len(),
        found.collected.len()
    );
    assert!(acknowledged.len() > 5_000, "the children had no time: {}", acknowledged.len());
    found.has_all(&acknowledged);
    found.nothing_dropped();
    // A kill may fall between the publication and the acknowledgement, once a life.
    assert!(found.collected.len() as u64 <= acknowledged.len() as u64 + KILLS);
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_file() {
            std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
        }
    }
}

#[test]
fn promise_2_power_loss_never_corrupts_the_queue() {
    let mut random = Seeded::of("promise_2", 2);
    let scene = Scene::new(CHILD);
    let safe = scene.run("n=200 url=none pause_us=50 end=close").recorded;
    let kid = scene.start("n=2000 first=10000 url=none pause_us=200 end=wait");
    kid.until("a thousand", |said| said.recorded.len() >= 1000);
    let more = kid.kill().recorded;
    for round in 0..12 {
        let folder = scene.path(&format!("cut{round}"));
        copy(&scene.folder(), &folder);
        let wal = folder.join("queue.db-wal");
        let mut log = std::fs::OpenOptions::new().read(true).write(true).open(&wal).unwrap();
        let len = log.metadata().unwrap().len();
        assert!(len > 4096, "there is a log to cut: {len}");
        let at = random.below(len);
        if round % 2 == 0 {
            log.set_len(at).unwrap();
        } else {
            log.seek(SeekFrom::Start(at)).unwrap();
            let garbage: Vec<u8> = (0..(len - at).min(5000)).map(|_| random.next() as u8).collect();
            log.write_all(&garbage).unwrap();
        }
        drop(log);
        let mut ring = std::fs::OpenOptions::new().write(true).open(folder.join("ring.bin")).unwrap();
        ring.seek(SeekFrom::Start(BOOT_WORD)).unwrap();
        ring.write_all(&random.next().to_le_bytes()).unwrap();
        drop(ring);
        let (code, said) = Kid::start(
            CHILD,
            &scene.args("record", &format!("folder={} url=none n=10 first=90000 end=close", folder.display())),
            None,
        )
        .wait();
        assert_eq!((code, said.recorded.len()), (Some(0), 10));
        let quarantined: Vec<_> = std::fs::read_dir(&folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
            .filter(|name| name.contains("quarantine"))
            .collect();
        assert!(quarantined.is_empty(), "round {round}: the queue was taken for corrupt: {quarantined:?}");
        let ids: Vec<_> = rows(&folder).iter().map(|row| row.row.id.to_string()).collect();
        for (id, serial) in safe.iter().chain(&said.recorded) {
            assert!(ids.contains(id), "round {round}: event {serial} was on the disk");
        }
        let distinct: std::collections::HashSet<_> = ids.iter().collect();
        assert_eq!(distinct.len(), ids.len());
        assert!(ids.len() <= safe.len() + more.len() + 11);
        balance(&folder);
        std::fs::remove_dir_all(&folder).unwrap();
    }
}

#[test]
fn promise_3_whatever_is_lost_is_counted_and_reported() {
    let scene = Scene::new(CHILD);
    let mut refused: BTreeMap<String, u64> = BTreeMap::new();
    let mut add =
        |said: &Said| said.refused.iter().for_each(|(reason, n)| *refused.entry(reason.clone()).or_default() += n);
    // The ring is full because there is no database to fold into.
    std::fs::create_dir_all(scene.folder().join("queue.db")).unwrap();
    add(&scene.run("n=2000 url=none fill=2000 kinds=message crumbs=0"));
    std::fs::remove_dir(scene.folder().join("queue.db")).unwrap();
    assert!(refused.get("ring_full").is_some_and(|n| *n > 1000), "{refused:?}");
    // No consent.
    let mut add =
        |said: &Said| said.refused.iter().for_each(|(reason, n)| *refused.entry(reason.clone()).or_default() += n);
    add(&scene.run("n=0 end=deny,close url=none"));
    add(&scene.run("n=70 first=5000 kinds=analytics url=none end=close"));
    assert_eq!(refused.get("consent"), Some(&70), "{refused:?}");
    // More than the queue may hold.
    scene.collector.set_network(false);
    let many = scene.run("n=3000 first=10000 fill=1500 pause_us=100 kinds=message cap=1048576 end=close");
    scene.collector.set_network(true);
    assert_eq!(many.refusals(), 0);
    let found = scene.deliver();
    found.none_doubled();
    let evicted = dropped(&found.balance).get("evicted_bytes").copied().unwrap_or(0);
    assert!(evicted > 500, "{evicted} were evicted");
    let mut expected = refused;
    expected.insert("evicted_bytes".into(), evicted);
    let said = scene.run("n=1 first=99999 kinds=message end=flush");
    assert_eq!(said.word("left"), Some("0"));
    let mut reported: BTreeMap<String, u64> = BTreeMap::new();
    for row in scene.collector.counts().unwrap().lost {
        let lost = serde_json::to_value(&row).unwrap();
        *reported.entry(lost["reason"].as_str().unwrap().to_owned()).or_default() += lost["count"].as_u64().unwrap();
    }
    assert_eq!(reported, expected);
}

#[test]
fn promise_4_a_retry_never_shows_twice() {
    let mut random = Seeded::of("promise_4", 4);
    let scene = Scene::new(CHILD);
    let mut acknowledged = Vec::new();
    for life in 0..8 {
        // Stored, but the answer never comes; then the process dies.
        let what = match life % 3 {
            0 => What::DropAnswer,
            1 => What::CutBody { bytes: random.below(20) },
            _ => What::CutAnswer { bytes: random.below(60) },
        };
        let faults = [Fault { what, times: 0, commit: Some(true) }].into();
        scene.collector.set_switches(Switches { faults, ..Switches::default() });
        let before = scene.collector.arrived().unwrap();
        let kid = scene.start(&format!("n=150 first={} pause_us=20 end=try,try,wait wait_ms=2000", life * 1000));
        let end = Instant::now() + Duration::from_secs(20);
        let seen = kid.until("all recorded", |said| said.recorded.len() as u64 + said.refusals() == 150);
        assert_eq!(seen.refusals(), 0);
        while life == 0 && scene.collector.arrived().unwrap() == before {
            assert!(Instant::now() < end, "nothing reached the server");
            std::thread::yield_now();
        }
        std::thread::sleep(Duration::from_micros(random.below(30_000)));
        acknowledged.extend(kid.kill().recorded);
    }
    scene.collector.set_switches(Switches::default());
    let end = Instant::now() + Duration::from_secs(60);
    let found = loop {
        let said = scene.run("n=0 end=flush flush_s=20");
        if said.word("left") == Some("0") {
            break scene.found();
        }
        assert!(Instant::now() < end, "{:?}", said.words);
    };
    found.has_exactly(&acknowledged);
    found.nothing_dropped();
    let counts = scene.collector.counts().unwrap();
    println!("{} acknowledged, {counts:?}", acknowledged.len());
    assert!(counts.duplicates + counts.replays > 0, "something was sent twice");
}

#[test]
fn promise_6_recording_costs_memory_not_io() {
    let scene = Scene::new(CHILD);
    let (code, said) = Kid::start(CHILD, &scene.args("allocations", "url=none"), None).wait();
    assert_eq!(code, Some(0));
    assert_eq!(said.number("control"), 1, "the counter counts");
    assert_eq!(said.number("allocations"), 0, "heap allocations in 1,200 calls");

    let trace = scene.path("trace");
    let mut command = Command::new("strace");
    command.arg("-f").arg("-o").arg(&trace).arg(CHILD).args(scene.args("steady", "url=none n=1000"));
    if Command::new("strace").arg("-V").output().is_err() {
        println!("skipped: system calls per record (strace is not installed)");
        return;
    }
    let (code, said) = Kid::run(command, None).wait();
    if code != Some(0) {
        println!("skipped: system calls per record (strace may not trace here)");
        return;
    }
    assert_eq!(said.word("steady"), Some("1000"));
    let trace = std::fs::read_to_string(trace).unwrap();
    let marks: Vec<_> = trace.lines().enumerate().filter(|(_, line)| line.contains("getppid(")).collect();
    assert_eq!(marks.len(), 2, "two marks");
    let thread = marks[0].1.split_whitespace().next().unwrap();
    let between: Vec<_> = trace
        .lines()
        .take(marks[1].0)
        .skip(marks[0].0 + 1)
        .filter(|line| line.split_whitespace().next() == Some(thread))
        .collect();
    // The wake of a writer that sleeps, and the lock while it looks, are the two allowed.
    let others: Vec<_> = between.iter().filter(|line| !line.contains("futex")).collect();
    assert!(others.is_empty(), "system calls on the caller's thread: {others:?}");
    assert!(between.len() <= 20, "{} system calls in 1,000 records: {between:?}", between.len());
}
