//! A full disk in every combination: the queue keeps its most important events, drains when the network is back, and gives
//! its pages back.
//!
//! Each row of the table runs a real process on a real small file system. `dbstat` measures how much of the file is events.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use rez_monitor::inspect::Reader;
use rez_monitor_tests::child_process::{ChildOutput, TIMEOUT};
use rez_monitor_tests::disk::SmallDisk;
use rez_monitor_tests::scenario::{Scenario, balance, collected, dropped};
use rez_monitor_tests::skipped;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

const CHILD: &str = env!("CARGO_BIN_EXE_child");

#[derive(Clone, Copy, Debug, PartialEq)]
enum Fill {
    /// The queue itself grows until the disk is full.
    Own,
    /// Another program takes every free byte while the queue holds events.
    Others,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Network {
    /// The server cannot be reached until the app records no more.
    Down,
    /// It is back while the disk is still full.
    BackBefore,
    /// It is back after the disk has room again.
    BackAfter,
}

#[derive(Clone, Copy, Debug)]
struct Case {
    disk: &'static str,
    /// Events in a second; 0 = as fast as it goes.
    rate: u64,
    fill: Fill,
    network: Network,
    restart: bool,
    inspector: bool,
}

/// Every pair of values occurs in some row.
fn table() -> Vec<Case> {
    let disks = ["4m", "6m", "8m", "16m", "ext4"];
    let mut cases = Vec::new();
    for (row, (fill, network, restart)) in [Fill::Own, Fill::Others]
        .into_iter()
        .flat_map(|fill| [Network::Down, Network::BackBefore, Network::BackAfter].map(|network| (fill, network)))
        .flat_map(|(fill, network)| [false, true].map(|restart| (fill, network, restart)))
        .enumerate()
    {
        for half in 0..2 {
            let disk = disks[(row * 2 + half + row / 5) % disks.len()];
            let rate = if (row + half) % 2 == 0 { 0 } else { 2_000 };
            cases.push(Case { disk, rate, fill, network, restart, inspector: (row / 2 + half) % 2 == 0 });
        }
    }
    cases
}

/// Bytes of the tables that hold events, and of the whole file.
fn event_share(folder: &Path) -> (u64, u64) {
    let db = rusqlite::Connection::open_with_flags(
        folder.join("queue.db"),
        rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY | rusqlite::OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )
    .unwrap();
    db.busy_timeout(TIMEOUT).unwrap();
    let events = "SELECT sum(pgsize) FROM dbstat WHERE name IN ('event', 'event_lane')";
    let events: i64 = db.query_row(events, [], |row| row.get(0)).unwrap();
    let pages: i64 = db.query_row("PRAGMA page_count", [], |row| row.get(0)).unwrap();
    (events as u64, pages as u64 * 4096)
}

/// Events given up for room, by lane.
fn given_up(folder: &Path) -> [u64; 4] {
    let db = rusqlite::Connection::open_with_flags(folder.join("queue.db"), rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY)
        .unwrap();
    db.busy_timeout(TIMEOUT).unwrap();
    let mut select = db.prepare("SELECT kind, sum(n) FROM ledger WHERE reason = 'disk_full' GROUP BY kind").unwrap();
    let mut rows = select.query([]).unwrap();
    let mut by_lane = [0; 4];
    while let Some(row) = rows.next().unwrap() {
        let kind: String = row.get(0).unwrap();
        let lane = rez_monitor::Kind::parse(&kind).map_or(3, |kind| kind.lane().number());
        by_lane[usize::from(lane)] += row.get::<_, i64>(1).unwrap() as u64;
    }
    by_lane
}

/// Runs a test of this file in a process of its own, with the folder in this variable.
fn own_process(test: &str, variable: &str, folder: &Path) -> std::process::Command {
    let mut command = std::process::Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", test, "--nocapture"]).env(variable, folder);
    command
}

/// What a folder holds while the app uses it.
struct Measured {
    given_up: [u64; 4],
    events: u64,
    bytes: u64,
}

impl Measured {
    /// Reads the queue in a process of its own: the app can cut `queue.db-shm` short at any time, which kills a reader.
    fn of(folder: &Path) -> Measured {
        let output =
            own_process("the_folder_of_a_running_app_is_measured", "REZ_MEASURE_FOLDER", folder).output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        let line = text.lines().find_map(|line| line.strip_prefix("measured "));
        let line =
            line.unwrap_or_else(|| panic!("{:?}: {text} {}", output.status, String::from_utf8_lossy(&output.stderr)));
        let numbers: Vec<u64> = line.split(' ').map(|number| number.parse().unwrap()).collect();
        let [a, b, c, d, events, bytes] = numbers[..] else { panic!("{line}") };
        Measured { given_up: [a, b, c, d], events, bytes }
    }
}

#[test]
fn the_folder_of_a_running_app_is_measured() {
    let Some(folder) = std::env::var_os("REZ_MEASURE_FOLDER") else { return };
    let (given_up, (events, bytes)) = (given_up(Path::new(&folder)), event_share(Path::new(&folder)));
    let [a, b, c, d] = given_up;
    println!("\nmeasured {a} {b} {c} {d} {events} {bytes}");
}

/// Reads the queue again and again, as the inspector does, in a process of its own: a reader whose file is cut dies, not the
/// app. Ends when dropped.
struct Inspector(std::process::Child);

impl Inspector {
    fn start(folder: &Path) -> Inspector {
        let mut command = own_process("the_inspector_of_the_table_reads_a_folder", "REZ_INSPECT_FOLDER", folder);
        Inspector(command.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null()).spawn().unwrap())
    }
}

impl Drop for Inspector {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn the_inspector_of_the_table_reads_a_folder() {
    let Some(folder) = std::env::var_os("REZ_INSPECT_FOLDER") else { return };
    loop {
        let _ = Reader::open(Path::new(&folder)).and_then(|reader| reader.balance());
        std::thread::yield_now();
    }
}

/// The most bytes that an idle file may have: its used pages, which are receipts after a drain; the free ones that it keeps, 64 or a third
/// of those; and 64 that a checkpoint has yet to cut off.
fn allowed(folder: &Path) -> u64 {
    const PAGE: u64 = 4096;
    let count = |pragma: &str| -> Option<u64> {
        let db =
            rusqlite::Connection::open_with_flags(folder.join("queue.db"), rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY);
        let number: i64 = db.ok()?.query_row(pragma, [], |row| row.get(0)).ok()?;
        u64::try_from(number).ok()
    };
    let used =
        count("PRAGMA page_count").zip(count("PRAGMA freelist_count")).map(|(all, free)| all.saturating_sub(free));
    // What cannot be read now is asked again.
    let used = used.unwrap_or(0);
    (used + (used / 3).max(64) + 64) * PAGE
}

fn waiting(output: &ChildOutput, times: usize) -> bool {
    output.lines.iter().filter(|word| *word == "waiting").count() >= times
}

fn run(case: Case) -> Result<(), String> {
    let scenario = Scenario::new(CHILD);
    let Some(mut disk) = SmallDisk::mount(&scenario.path("small"), case.disk) else {
        skipped("full disk", &format!("{} cannot be mounted here", case.disk));
        return Ok(());
    };
    let folder = disk.path().join("app");
    let _inspector = case.inspector.then(|| Inspector::start(&folder));
    play(case, &scenario, &mut disk, &folder)
}

fn play(case: Case, scenario: &Scenario, disk: &mut SmallDisk, folder: &Path) -> Result<(), String> {
    let check = |ok: bool, what: String| if ok { Ok(()) } else { Err(format!("{case:?}: {what}")) };
    scenario.collector.set_network(false);
    // The second number is more than fits into the space of the inspector's file, which is given up before any row.
    let (first, second) = match case.fill {
        Fill::Own => (7_000, 2_000),
        Fill::Others => (disk.bytes() / 800, 8_000),
    };
    let pause = 1_000_000u64.checked_div(case.rate).unwrap_or(0);
    // With small events the disk would not be full in time.
    let fill = if case.fill == Fill::Own { disk.bytes() / 5_000 } else { 60 };
    let options = format!(
        "folder={} fill={fill} kinds=mixed pause_us={pause} patient=1 crumbs=0 n={first} again={second} \
         end=persist,state,wait,again,persist,state,wait,drain,state,wait,close",
        folder.display()
    );
    let mut child = scenario.start(&options);
    child.until("the first events", |output| waiting(output, 1));
    if case.fill == Fill::Others {
        disk.fill();
    }
    child.write_line("");
    let full = child.until("the other events", |output| waiting(output, 2));
    check(full.value("store") == Some("Ready"), format!("store {:?}", full.lines))?;
    let Measured { given_up: lost, events, bytes } = Measured::of(folder);
    check(lost[2] + lost[3] > 0, format!("nothing was given up: {lost:?}, {bytes} bytes"))?;
    check(lost[0] == 0 && lost[1] == 0, format!("errors were given up: {lost:?}"))?;
    check(events * 100 >= bytes * 85, format!("{events} of {bytes} bytes are events, given up {lost:?}"))?;
    if case.network == Network::BackAfter {
        disk.free();
    }
    let mut output = full;
    if case.restart {
        output = child.kill();
        let options = format!("folder={} n=0 end=state,wait,drain,state,wait,close", folder.display());
        child = scenario.start(&options);
        let new = child.until("the restart", |output| waiting(output, 1));
        check(new.lines.iter().any(|word| word.starts_with("store")), format!("{:?}", new.lines))?;
    }
    scenario.collector.set_network(true);
    child.write_line("");
    let times = if case.restart { 2 } else { 3 };
    let drained = child.until("the drain", |output| waiting(output, times));
    check(drained.value("left") == Some("0"), format!("not drained: {:?}", drained.lines))?;
    check(drained.value("store") == Some("Ready"), format!("store after the drain {:?}", drained.lines))?;
    // Idle now: the file gives its pages back.
    let deadline = Instant::now() + TIMEOUT;
    let size = || std::fs::metadata(folder.join("queue.db")).map_or(0, |file| file.len());
    while size() > allowed(folder) && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(20));
    }
    check(size() <= allowed(folder), format!("the file keeps {} bytes, {} are allowed", size(), allowed(folder)))?;
    child.write_line("");
    let (code, last) = child.wait();
    check(code == Some(0), format!("the app ended with {code:?}: {:?}", last.lines))?;
    if !case.restart {
        output = last;
    }
    let account = balance(folder);
    let lost: u64 = dropped(&account).values().sum();
    let arrived = collected(&scenario.collector);
    let own = output.recorded.iter().filter(|(id, _)| arrived.contains_key(id)).count();
    check(own == arrived.len(), format!("{} arrived that were not recorded", arrived.len() - own))?;
    check(
        arrived.len() as u64 + lost == output.recorded.len() as u64,
        format!("{} recorded, {} arrived, lost {:?}", output.recorded.len(), arrived.len(), dropped(&account)),
    )?;
    let twice = sent_twice(&scenario.collector.db());
    check(twice == 0, format!("{twice} events were sent twice"))?;
    println!(
        "{case:?}: {} recorded, refused {:?}, lost {:?}, {} % events",
        output.recorded.len(),
        output.refused,
        dropped(&account),
        events * 100 / bytes
    );
    Ok(())
}

fn sent_twice(db: &Path) -> i64 {
    let db = rusqlite::Connection::open(db).unwrap();
    db.query_row("SELECT coalesce(sum(duplicate + replayed), 0) FROM batch", [], |row| row.get(0)).unwrap()
}

#[test]
fn a_full_disk_keeps_the_important_events_and_the_queue_drains_in_every_combination() {
    let cases = table();
    let only: Option<usize> = std::env::var("REZ_FULL_DISK_ROW").ok().and_then(|row| row.parse().ok());
    let next = AtomicUsize::new(0);
    let failures = std::sync::Mutex::new(Vec::new());
    std::thread::scope(|threads| {
        for _ in 0..2 {
            threads.spawn(|| {
                loop {
                    let row = next.fetch_add(1, Ordering::Relaxed);
                    let Some(case) = cases.get(row) else { break };
                    if only.is_some_and(|only| only != row) {
                        continue;
                    }
                    if let Err(what) = run(*case) {
                        failures.lock().unwrap().push(format!("row {row}: {what}"));
                    }
                }
            });
        }
    });
    let failures = failures.into_inner().unwrap();
    assert!(failures.is_empty(), "{} of {} rows:\n{}", failures.len(), cases.len(), failures.join("\n"));
}
