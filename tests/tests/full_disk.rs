//! Promise 5 on a disk without room: a small tmpfs, and a process that may not write large files.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use rez_monitor_tests::disk::SmallDisk;
use rez_monitor_tests::kid::{Kid, Said};
use rez_monitor_tests::scene::{Scene, balance, dropped, rows};
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
fn all_accounted(scene: &Scene, folder: &Path, said: &Said) {
    let account = balance(folder);
    let lost: u64 = dropped(&account).values().sum();
    let collected = rez_monitor_tests::scene::collected(&scene.collector);
    println!("{} recorded, refused {:?}, lost {:?}", said.recorded.len(), said.refused, dropped(&account));
    assert!(!collected.is_empty());
    assert!(said.recorded.iter().filter(|(id, _)| collected.contains_key(id)).count() == collected.len());
    assert_eq!(collected.len() as u64 + lost, said.recorded.len() as u64);
}

#[test]
fn promise_5_the_host_app_is_unaffected_by_a_full_disk() {
    let scene = Scene::new(CHILD);
    let Some(disk) = SmallDisk::mount(&scene.path("small"), "4m") else {
        println!("skipped: full disk (a tmpfs cannot be mounted here)");
        return;
    };
    let folder = disk.path().join("app");
    let options = format!(
        "folder={} fill=1500 kinds=message pause_us=100 crumbs=0 url=none n=6000 end=persist,state,wait,close",
        folder.display()
    );
    let mut kid = scene.start(&options);
    let full = kid.until("all recorded", |said| said.words.iter().any(|word| word == "waiting"));
    assert_eq!(full.word("store"), Some("Ready"), "rows are given up for the new ones: {:?}", full.words);
    // With nothing more to record it sleeps.
    let before = ticks(kid.pid());
    std::thread::sleep(std::time::Duration::from_secs(2));
    let spun = ticks(kid.pid()) - before;
    assert!(spun < 40, "{spun} ticks of CPU time in 2 s with nothing to do");
    kid.tell("");
    let (code, said) = kid.wait();
    assert_eq!((code, said.recorded.len() as u64 + said.refusals()), (Some(0), 6000));
    let evicted = dropped(&balance(&folder)).get("disk_full").copied().unwrap_or(0);
    assert!(evicted > 100, "{evicted} were given up for room");
    // The same full disk, the network is back: all that was not given up arrives.
    let deliver = format!("folder={} n=0 end=flush", folder.display());
    let (code, last) = Kid::start(CHILD, &scene.args("record", &deliver), None).wait();
    assert_eq!((code, last.word("left")), (Some(0), Some("0")), "{:?}", last.words);
    all_accounted(&scene, &folder, &said);
}

#[test]
fn promise_5_the_host_app_is_unaffected_by_a_file_size_limit() {
    let scene = Scene::new(CHILD);
    let folder = scene.folder();
    let options =
        "max_file=3000000 fill=1500 kinds=message pause_us=100 crumbs=0 url=none n=6000 end=persist,state,close";
    let said = scene.run(options);
    assert_eq!(said.word("store"), Some("Ready"), "{:?}", said.words);
    assert_eq!(said.recorded.len() as u64 + said.refusals(), 6000);
    let evicted = dropped(&balance(&folder)).get("disk_full").copied().unwrap_or(0);
    assert!(evicted > 100, "{evicted} were given up for room");
    let last = scene.run("max_file=3000000 n=0 end=flush");
    assert_eq!(last.word("left"), Some("0"), "{:?}", last.words);
    all_accounted(&scene, &folder, &said);
}

#[test]
fn a_disk_filled_by_others_is_worked_on_as_soon_as_there_is_room_again() {
    let scene = Scene::new(CHILD);
    let Some(disk) = SmallDisk::mount(&scene.path("small"), "4m") else {
        println!("skipped: full disk (a tmpfs cannot be mounted here)");
        return;
    };
    let folder = disk.path().join("app");
    // Crashes are never given up, so nothing can be freed for them.
    let options = format!(
        "folder={} fill=6000 kinds=message crumbs=0 url=none n=20 fatals=300 end=state,wait,persist,state,close",
        folder.display()
    );
    let mut kid = scene.start(&options);
    kid.until("it records", |said| said.recorded.len() > 20);
    let filler = disk.path().join("others");
    let taken = {
        use std::io::Write;
        let mut file = std::fs::File::create(&filler).unwrap();
        while file.write_all(&[7; 4096]).is_ok() {}
        file.metadata().unwrap().len()
    };
    println!("others took {taken} bytes");
    let full = kid.until("its end", |said| said.words.iter().any(|word| word == "waiting"));
    assert!(full.word("store").is_some_and(|state| state.starts_with("Unavailable")), "{:?}", full.words);
    let before = ticks(kid.pid());
    std::thread::sleep(std::time::Duration::from_secs(2));
    let spun = ticks(kid.pid()) - before;
    assert!(spun < 40, "{spun} ticks of CPU time in 2 s on a full disk");
    std::fs::remove_file(&filler).unwrap();
    kid.tell("");
    let (code, said) = kid.wait();
    assert_eq!((code, said.word("persisted")), (Some(0), Some("true")), "{:?}", said.words);
    let deliver = format!("folder={} n=0 end=flush", folder.display());
    let (code, last) = Kid::start(CHILD, &scene.args("record", &deliver), None).wait();
    assert_eq!((code, last.word("left")), (Some(0), Some("0")), "{:?}", last.words);
    all_accounted(&scene, &folder, &said);
}

#[test]
fn a_disk_of_two_megabytes_keeps_recording_or_says_why_not_and_delivers_each_event_once() {
    let scene = Scene::new(CHILD);
    let Some(mut disk) = SmallDisk::mount(&scene.path("small"), "2m") else {
        println!("skipped: full disk (a tmpfs cannot be mounted here)");
        return;
    };
    let folder = disk.path().join("app");
    let options = format!(
        "folder={} fill=300 kinds=message crumbs=0 patient=1 n=1000 again=3000 \
         end=persist,state,wait,again,persist,state,wait,drain,state,close",
        folder.display()
    );
    scene.collector.set_network(false);
    let mut kid = scene.start(&options);
    kid.until("the first events", |said| said.words.iter().any(|word| word == "waiting"));
    disk.fill();
    kid.tell("");
    let full = kid.until("the others", |said| said.words.iter().filter(|word| *word == "waiting").count() == 2);
    // All rows of so small a queue wait for the server; they are given up for more important ones.
    assert_eq!(full.word("store"), Some("Ready"), "{:?}", full.words);
    scene.collector.set_network(true);
    kid.tell("");
    let (code, said) = kid.wait();
    assert_eq!((code, said.word("left"), said.word("store")), (Some(0), Some("0"), Some("Ready")), "{:?}", said.words);
    all_accounted(&scene, &folder, &said);
}

#[test]
fn a_user_is_forgotten_on_a_disk_without_a_free_byte() {
    let scene = Scene::new(CHILD);
    let Some(mut disk) = SmallDisk::mount(&scene.path("small"), "8m") else {
        println!("skipped: full disk (a tmpfs cannot be mounted here)");
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
    let mut kid = scene.start(&options);
    kid.until("the events", |said| said.words.iter().any(|word| word == "waiting"));
    disk.fill();
    assert!(holds_secret());
    kid.tell("");
    let said = kid.until("the erasure", |said| said.words.iter().filter(|word| *word == "waiting").count() == 2);
    assert_eq!((said.word("persisted"), said.word("store")), (Some("true"), Some("Ready")), "{:?}", said.words);
    assert!(!holds_secret(), "nothing of the user is left in the queue");
    kid.tell("");
    assert_eq!(kid.wait().0, Some(0));
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
    let scene = Scene::new(CHILD);
    let folder = scene.folder();
    scene.collector.set_network(false);
    let options = format!(
        "cap={CAP} fill=3000 kinds=all crumbs=0 pause_us=100 after_line=100 end=state,wait,persist,state,drain,state,close"
    );
    let mut kid = scene.start(&options);
    kid.until("it records", |said| said.recorded.len() > 20);
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
    let held = kid.until("the log is held", |said| {
        let (file, log) = sizes(&folder);
        assert!(file + log <= most, "the queue has {file} bytes and its log {log}");
        log >= HELD && said.refusals() > 2_000
    });
    let before = sizes(&folder);
    kid.tell("");
    let told = kid.until("its state", |said| said.words.iter().any(|word| word == "waiting"));
    let state = told.word("store").unwrap_or_default();
    assert!(state.contains("another program reads queue.db"), "{:?}", told.words);
    let after = sizes(&folder);
    assert!(after.0 + after.1 <= most, "{before:?}, then {after:?}");
    println!("held with {before:?} bytes after {} events, refused {:?}", held.recorded.len(), told.refused);
    drop(reader);
    scene.collector.set_network(true);
    kid.tell("");
    let (code, said) = kid.wait();
    assert_eq!(
        (code, said.word("persisted"), said.word("left")),
        (Some(0), Some("true"), Some("0")),
        "{:?}",
        said.words
    );
    assert_eq!(said.word("store"), Some("Ready"), "{:?}", said.words);
    let (file, log) = sizes(&folder);
    assert!(log <= rez_monitor::limits::LOG_BYTES, "the log keeps {log} bytes, the file has {file}");
    all_accounted(&scene, &folder, &said);
}
