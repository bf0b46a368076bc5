//! Promise 5 on a disk without room: a small tmpfs, and a process that may not write large files.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use rez_monitor_tests::child_process::{ChildOutput, ChildProcess};
use rez_monitor_tests::disk::SmallDisk;
use rez_monitor_tests::scenario::{Scenario, balance, dropped, rows};
use rez_monitor_tests::skipped;
use std::path::Path;

const CHILD: &str = env!("CARGO_BIN_EXE_child");

/// CPU time of a process so far, in clock ticks (10 ms).
fn ticks(pid: u32) -> u64 {
    let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let fields: Vec<&str> = text.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    fields
        .get(11)
        .zip(fields.get(12))
        .map_or(0, |(user, system)| user.parse::<u64>().unwrap_or(0) + system.parse::<u64>().unwrap_or(0))
}

/// Nothing is at the collector that was not acknowledged, and what is not there is counted.
fn all_accounted(scenario: &Scenario, folder: &Path, output: &ChildOutput) {
    let account = balance(folder);
    let lost: u64 = dropped(&account).values().sum();
    let collected = rez_monitor_tests::scenario::collected(&scenario.collector);
    println!("{} recorded, refused {:?}, lost {:?}", output.recorded.len(), output.refused, dropped(&account));
    assert!(!collected.is_empty());
    assert!(output.recorded.iter().filter(|(id, _)| collected.contains_key(id)).count() == collected.len());
    assert_eq!(collected.len() as u64 + lost, output.recorded.len() as u64);
}

#[test]
fn promise_5_the_host_app_is_unaffected_by_a_full_disk() {
    let scenario = Scenario::new(CHILD);
    let Some(disk) = SmallDisk::mount(&scenario.path("small"), "4m") else {
        skipped("full disk", "no small file system can be mounted here");
        return;
    };
    let folder = disk.path().join("app");
    let options = format!(
        "folder={} fill=1500 kinds=message pause_us=100 crumbs=0 url=none n=6000 end=persist,state,wait,close",
        folder.display()
    );
    let mut child = scenario.start(&options);
    let full = child.until("all recorded", |output| output.lines.iter().any(|word| word == "waiting"));
    assert_eq!(full.value("store"), Some("Ready"), "rows are given up for the new ones: {:?}", full.lines);
    // With nothing more to record it sleeps.
    let before = ticks(child.pid());
    std::thread::sleep(std::time::Duration::from_secs(2));
    let spun = ticks(child.pid()) - before;
    assert!(spun < 40, "{spun} ticks of CPU time in 2 s with nothing to do");
    child.write_line("");
    let (code, output) = child.wait();
    assert_eq!((code, output.recorded.len() as u64 + output.refusals()), (Some(0), 6000));
    let evicted = dropped(&balance(&folder)).get("disk_full").copied().unwrap_or(0);
    assert!(evicted > 100, "{evicted} were given up for room");
    // The same full disk, the network is back: all that was not given up arrives.
    let deliver = format!("folder={} n=0 end=flush", folder.display());
    let (code, last) = ChildProcess::start(CHILD, &scenario.args("record", &deliver), None).wait();
    assert_eq!((code, last.value("left")), (Some(0), Some("0")), "{:?}", last.lines);
    all_accounted(&scenario, &folder, &output);
}

#[test]
fn promise_5_the_host_app_is_unaffected_by_a_file_size_limit() {
    let scenario = Scenario::new(CHILD);
    let folder = scenario.folder();
    let options =
        "max_file=3000000 fill=1500 kinds=message pause_us=100 crumbs=0 url=none n=6000 end=persist,state,close";
    let output = scenario.run(options);
    assert_eq!(output.value("store"), Some("Ready"), "{:?}", output.lines);
    assert_eq!(output.recorded.len() as u64 + output.refusals(), 6000);
    let evicted = dropped(&balance(&folder)).get("disk_full").copied().unwrap_or(0);
    assert!(evicted > 100, "{evicted} were given up for room");
    let last = scenario.run("max_file=3000000 n=0 end=flush");
    assert_eq!(last.value("left"), Some("0"), "{:?}", last.lines);
    all_accounted(&scenario, &folder, &output);
}

#[test]
fn a_disk_filled_by_others_is_worked_on_as_soon_as_there_is_room_again() {
    let scenario = Scenario::new(CHILD);
    let Some(disk) = SmallDisk::mount(&scenario.path("small"), "4m") else {
        skipped("full disk", "no small file system can be mounted here");
        return;
    };
    let folder = disk.path().join("app");
    // Crashes are never given up, so nothing can be freed for them.
    let options = format!(
        "folder={} fill=6000 kinds=message crumbs=0 url=none n=20 fatals=300 end=state,wait,persist,state,close",
        folder.display()
    );
    let mut child = scenario.start(&options);
    child.until("it records", |output| output.recorded.len() > 20);
    let filler = disk.path().join("others");
    let taken = {
        use std::io::Write;
        let mut file = std::fs::File::create(&filler).unwrap();
        while file.write_all(&[7; 4096]).is_ok() {}
        file.metadata().unwrap().len()
    };
    println!("others took {taken} bytes");
    let full = child.until("its end", |output| output.lines.iter().any(|word| word == "waiting"));
    assert!(full.value("store").is_some_and(|state| state.starts_with("Unavailable")), "{:?}", full.lines);
    let before = ticks(child.pid());
    std::thread::sleep(std::time::Duration::from_secs(2));
    let spun = ticks(child.pid()) - before;
    assert!(spun < 40, "{spun} ticks of CPU time in 2 s on a full disk");
    std::fs::remove_file(&filler).unwrap();
    child.write_line("");
    let (code, output) = child.wait();
    assert_eq!((code, output.value("persisted")), (Some(0), Some("true")), "{:?}", output.lines);
    let deliver = format!("folder={} n=0 end=flush", folder.display());
    let (code, last) = ChildProcess::start(CHILD, &scenario.args("record", &deliver), None).wait();
    assert_eq!((code, last.value("left")), (Some(0), Some("0")), "{:?}", last.lines);
    all_accounted(&scenario, &folder, &output);
}

#[test]
fn a_disk_of_two_megabytes_keeps_recording_or_says_why_not_and_delivers_each_event_once() {
    let scenario = Scenario::new(CHILD);
    let Some(mut disk) = SmallDisk::mount(&scenario.path("small"), "2m") else {
        skipped("full disk", "no small file system can be mounted here");
        return;
    };
    let folder = disk.path().join("app");
    let options = format!(
        "folder={} fill=300 kinds=message crumbs=0 patient=1 n=1000 again=3000 \
         end=persist,state,wait,again,persist,state,wait,drain,state,close",
        folder.display()
    );
    scenario.collector.set_network(false);
    let mut child = scenario.start(&options);
    child.until("the first events", |output| output.lines.iter().any(|word| word == "waiting"));
    disk.fill();
    child.write_line("");
    let full = child.until("the others", |output| output.lines.iter().filter(|word| *word == "waiting").count() == 2);
    // All rows of so small a queue wait for the server; they are given up for more important ones.
    assert_eq!(full.value("store"), Some("Ready"), "{:?}", full.lines);
    scenario.collector.set_network(true);
    child.write_line("");
    let (code, output) = child.wait();
    assert_eq!(
        (code, output.value("left"), output.value("store")),
        (Some(0), Some("0"), Some("Ready")),
        "{:?}",
        output.lines
    );
    all_accounted(&scenario, &folder, &output);
}

#[test]
fn a_copy_of_the_queue_that_finds_no_room_is_an_error_and_harms_nothing() {
    let scenario = Scenario::new(CHILD);
    let Some(mut disk) = SmallDisk::mount(&scenario.path("small"), "8m") else {
        skipped("full disk", "no small file system can be mounted here");
        return;
    };
    let folder = disk.path().join("app");
    let options = format!(
        "folder={} fill=300 kinds=message crumbs=0 patient=1 n=3000 again=200 \
         end=persist,wait,snapshot,again,persist,state,wait,snapshot,drain,state,close",
        folder.display()
    );
    scenario.collector.set_network(false);
    let mut child = scenario.start(&options);
    child.until("the events", |output| output.lines.iter().any(|word| word == "waiting"));
    disk.fill();
    child.write_line("");
    let full = child.until("the others", |output| output.lines.iter().filter(|word| *word == "waiting").count() == 2);
    assert!(full.value("snapshot").is_some_and(|error| error.contains("free some space")), "{:?}", full.lines);
    assert_eq!(full.value("store"), Some("Ready"), "{:?}", full.lines);
    let copies = std::fs::read_dir(&folder)
        .unwrap()
        .filter(|entry| entry.as_ref().unwrap().file_name().to_string_lossy().contains("copy"));
    assert_eq!(copies.count(), 0, "nothing of it takes room");
    disk.free();
    scenario.collector.set_network(true);
    child.write_line("");
    let (code, output) = child.wait();
    assert!(output.value("snapshot").is_some_and(|bytes| bytes.parse::<u64>().is_ok_and(|bytes| bytes > 500_000)));
    assert_eq!((code, output.value("left")), (Some(0), Some("0")), "{:?}", output.lines);
    all_accounted(&scenario, &folder, &output);
}

#[test]
fn a_user_is_forgotten_on_a_disk_without_a_free_byte() {
    let scenario = Scenario::new(CHILD);
    let Some(mut disk) = SmallDisk::mount(&scenario.path("small"), "8m") else {
        skipped("full disk", "no small file system can be mounted here");
        return;
    };
    let folder = disk.path().join("app");
    // The filler is a run of `x`.
    let secret = [b'x'; 300];
    let holds_secret = || {
        ["queue.db", "queue.db-wal"].iter().any(|name| {
            let bytes = std::fs::read(folder.join(name)).unwrap();
            bytes.windows(secret.len()).any(|window| window == secret)
        })
    };
    let options = format!(
        "folder={} url=none fill=400 kinds=mixed crumbs=0 patient=1 n=6000 end=persist,wait,forget,persist,state,wait,close",
        folder.display()
    );
    let mut child = scenario.start(&options);
    child.until("the events", |output| output.lines.iter().any(|word| word == "waiting"));
    disk.fill();
    assert!(holds_secret());
    child.write_line("");
    let output =
        child.until("the erasure", |output| output.lines.iter().filter(|word| *word == "waiting").count() == 2);
    assert_eq!((output.value("persisted"), output.value("store")), (Some("true"), Some("Ready")), "{:?}", output.lines);
    assert!(!holds_secret(), "nothing of the user is left in the queue");
    child.write_line("");
    assert_eq!(child.wait().0, Some(0));
    assert!(rows(&folder).is_empty());
}

/// Bytes of the queue and of its log.
fn sizes(folder: &Path) -> (u64, u64) {
    let bytes = |name: &str| std::fs::metadata(folder.join(name)).map_or(0, |file| file.len());
    (bytes("queue.db"), bytes("queue.db-wal"))
}

#[test]
fn a_reader_that_holds_a_snapshot_bounds_the_log_and_the_queue_recovers_when_it_ends() {
    const CAP: u64 = 4 << 20;
    const HELD: u64 = rez_monitor::limits::HELD_LOG_PAGES as u64 * 4096;
    let scenario = Scenario::new(CHILD);
    let folder = scenario.folder();
    scenario.collector.set_network(false);
    let options = format!(
        "cap={CAP} fill=3000 kinds=all crumbs=0 pause_us=100 after_line=100 end=state,wait,persist,state,drain,state,close"
    );
    let mut child = scenario.start(&options);
    child.until("it records", |output| output.recorded.len() > 20);
    // The first fold makes the tables.
    let reader = loop {
        let opened =
            rusqlite::Connection::open_with_flags(folder.join("queue.db"), rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY)
                .and_then(|db| db.execute_batch("BEGIN; SELECT count(*) FROM event").map(|()| db));
        if let Ok(reader) = opened {
            break reader;
        }
        std::thread::yield_now();
    };
    // Events are refused only when the ring is full, and at this rate it is full only while nothing is folded.
    let most = CAP + 2 * HELD + (1 << 20);
    let held = child.until("the log is held", |output| {
        let (file, log) = sizes(&folder);
        assert!(file + log <= most, "the queue has {file} bytes and its log {log}");
        log >= HELD && output.refusals() > 2_000
    });
    let before = sizes(&folder);
    child.write_line("");
    let told = child.until("its state", |output| output.lines.iter().any(|word| word == "waiting"));
    let state = told.value("store").unwrap_or_default();
    assert!(state.contains("another program reads queue.db"), "{:?}", told.lines);
    let after = sizes(&folder);
    assert!(after.0 + after.1 <= most, "{before:?}, then {after:?}");
    println!("held with {before:?} bytes after {} events, refused {:?}", held.recorded.len(), told.refused);
    drop(reader);
    scenario.collector.set_network(true);
    child.write_line("");
    let (code, output) = child.wait();
    assert_eq!(
        (code, output.value("persisted"), output.value("left")),
        (Some(0), Some("true"), Some("0")),
        "{:?}",
        output.lines
    );
    assert_eq!(output.value("store"), Some("Ready"), "{:?}", output.lines);
    let (file, log) = sizes(&folder);
    assert!(log <= rez_monitor::limits::LOG_BYTES, "the log keeps {log} bytes, the file has {file}");
    all_accounted(&scenario, &folder, &output);
}
