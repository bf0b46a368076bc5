//! Tests of the guarantees in the README, with real child processes and a real file system.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use rez_inspect::collector::{Fault, Switches, What};
use rez_monitor::inspect::Reader;
use rez_monitor_tests::child_process::{ChildOutput, ChildProcess, TIMEOUT};
use rez_monitor_tests::scenario::{Scenario, balance, dropped, rows};
use rez_monitor_tests::seeded::Seeded;
use rez_monitor_tests::skipped;
use std::collections::BTreeMap;
use std::io::{Seek, SeekFrom, Write};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

const CHILD: &str = env!("CARGO_BIN_EXE_child");

/// Offset of the boot id in the header of the ring.
const BOOT_WORD: u64 = 80;

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
fn promise_1_recorded_events_survive_the_process_being_killed() {
    const KILLS: u64 = 100;
    // Large enough that nothing is evicted: an error includes a hundred breadcrumbs.
    const CAP: u64 = 1 << 30;
    println!("size cap raised to {CAP} bytes");
    let mut random = Seeded::of("promise_1", 1);
    let scenario = Scenario::new(CHILD);
    let mut acknowledged = Vec::new();
    let mut refused = 0;
    for run in 0..KILLS {
        // In some runs the network is up. Every fourth run is killed at a random time, so that a kill can also hit
        // the start; the others after a random number of events, so that a busy machine records as many.
        scenario.collector.set_network(random.below(3) > 0);
        let pause = random.below(3) * 150;
        let child = scenario
            .start(&format!("n=1000000 first={} pause_us={pause} persist_every=400 cap={CAP}", run * 1_000_000));
        if run % 4 == 0 {
            std::thread::sleep(Duration::from_micros(random.below(60_000)));
        } else {
            let least = random.below(300) as usize;
            child.until("enough events", |output| output.recorded.len() + output.refusals() as usize >= least);
        }
        let output = child.kill();
        acknowledged.extend(output.recorded);
        refused += output.refused.values().sum::<u64>();
    }
    scenario.collector.set_network(true);
    let last = scenario.run(&format!("n=0 end=flush cap={CAP}"));
    assert_eq!(last.value("left"), Some("0"));
    let found = scenario.delivered();
    println!(
        "{KILLS} kills, {} acknowledged, {refused} refused, {} delivered",
        acknowledged.len(),
        found.collected.len()
    );
    assert!(acknowledged.len() > 5_000, "too few events to prove anything: {}", acknowledged.len());
    found.has_all(&acknowledged);
    found.nothing_dropped();
    // In each run, a kill can hit between the publication and the acknowledgement of one event.
    assert!(found.collected.len() as u64 <= acknowledged.len() as u64 + KILLS);
}

/// Bytes of the log that a checkpoint of the killed process has copied, or begun to copy, into the database: the fields
/// `nBackfill` and `nBackfillAttempted` of the log's index (SQLite's file format of `-shm`).
fn checkpointed_log_bytes(folder: &Path) -> u64 {
    let index = std::fs::read(folder.join("queue.db-shm")).unwrap();
    let number = |at: usize| u64::from(u32::from_ne_bytes(index[at..at + 4].try_into().unwrap()));
    match number(96).max(number(128)) {
        0 => 0,
        frames => 32 + frames * (24 + 4096),
    }
}

#[test]
fn promise_2_power_loss_never_corrupts_the_queue() {
    let mut random = Seeded::of("promise_2", 2);
    let scenario = Scenario::new(CHILD);
    let safe = scenario.run("n=200 url=none pause_us=50 end=close").recorded;
    let child = scenario.start("n=600 first=10000 url=none pause_us=200 end=wait");
    child.until("some hundred", |output| output.recorded.len() >= 500);
    let more = child.kill().recorded;
    for round in 0..12 {
        let folder = scenario.path(&format!("cut{round}"));
        copy(&scenario.folder(), &folder);
        let wal = folder.join("queue.db-wal");
        let mut log = std::fs::OpenOptions::new().read(true).write(true).open(&wal).unwrap();
        let len = log.metadata().unwrap().len();
        // A power failure loses what was not synced. A checkpoint syncs the frames before it copies them.
        let synced = checkpointed_log_bytes(&folder);
        assert!(len > synced + 4096, "the log is too short: {len} bytes, of which {synced} are copied");
        let at = synced + random.below(len - synced);
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
        let (code, output) = ChildProcess::start(
            CHILD,
            &scenario.args("record", &format!("folder={} url=none n=10 first=90000 end=close", folder.display())),
            None,
        )
        .wait();
        assert_eq!((code, output.recorded.len()), (Some(0), 10));
        let quarantined: Vec<_> = std::fs::read_dir(&folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
            .filter(|name| name.contains("quarantine"))
            .collect();
        assert!(quarantined.is_empty(), "round {round}: the queue was quarantined: {quarantined:?}");
        let ids: Vec<_> = rows(&folder).iter().map(|row| row.row.id.to_string()).collect();
        for (id, serial) in safe.iter().chain(&output.recorded) {
            assert!(ids.contains(id), "round {round}: event {serial} is lost, although it was on disk");
        }
        let distinct: std::collections::HashSet<_> = ids.iter().collect();
        assert_eq!(distinct.len(), ids.len());
        assert!(ids.len() <= safe.len() + more.len() + 11);
        balance(&folder);
        std::fs::remove_dir_all(&folder).unwrap();
    }
}

#[test]
fn promise_3_every_lost_event_is_counted_and_reported() {
    let scenario = Scenario::new(CHILD);
    let mut refused: BTreeMap<String, u64> = BTreeMap::new();
    let mut acknowledged = 0;
    let mut add = |output: &ChildOutput| {
        acknowledged += output.recorded.len() as u64;
        output.refused.iter().for_each(|(reason, n)| *refused.entry(reason.clone()).or_default() += n);
    };
    // The ring is full, since there is no database to fold into.
    scenario.put_newer_queue();
    add(&scenario.run("n=2000 url=none fill=2000 kinds=message crumbs=0"));
    scenario.remove_newer_queue();
    // No consent.
    add(&scenario.run("n=0 end=deny,close url=none"));
    add(&scenario.run("n=70 first=5000 kinds=analytics url=none end=close"));
    // More than the size cap.
    scenario.collector.set_network(false);
    // Without breadcrumbs: one that a full ring refuses on a busy machine is counted, but not returned to the caller.
    let many = scenario.run("n=3000 first=10000 fill=1500 pause_us=100 kinds=message crumbs=0 cap=1048576 end=close");
    scenario.collector.set_network(true);
    add(&many);
    let found = scenario.deliver();
    found.none_doubled();
    assert!(refused.get("ring_full").is_some_and(|n| *n > 1000), "{refused:?}");
    assert_eq!(refused.get("consent"), Some(&70), "{refused:?}");
    // Some were evicted before the destination was known. They are in no balance of a route, but are reported.
    let evicted = acknowledged - found.collected.len() as u64;
    assert!(evicted >= dropped(&found.balance).get("evicted_bytes").copied().unwrap_or(0));
    assert!(evicted > 500, "{evicted} were evicted");
    let mut expected = refused;
    expected.insert("evicted_bytes".into(), evicted);
    let output = scenario.run("n=1 first=99999 kinds=message end=flush");
    assert_eq!(output.value("left"), Some("0"));
    let mut reported: BTreeMap<String, u64> = BTreeMap::new();
    for row in scenario.collector.counts().unwrap().lost {
        let lost = serde_json::to_value(&row).unwrap();
        *reported.entry(lost["reason"].as_str().unwrap().to_owned()).or_default() += lost["count"].as_u64().unwrap();
    }
    assert_eq!(reported, expected);
}

#[test]
fn promise_4_a_retry_never_creates_a_duplicate() {
    let mut random = Seeded::of("promise_4", 4);
    let scenario = Scenario::new(CHILD);
    let mut acknowledged = Vec::new();
    for run in 0..8 {
        // The server stores the batch and loses the response; then the process is killed.
        let what = match run % 3 {
            0 => What::DropResponse,
            1 => What::CutBody { bytes: random.below(20) },
            _ => What::CutResponse { bytes: random.below(60) },
        };
        let faults = [Fault { what, times: 0, commit: Some(true) }].into();
        scenario.collector.set_switches(Switches { faults, ..Switches::default() });
        let before = scenario.collector.arrived().unwrap();
        let child = scenario.start(&format!("n=150 first={} pause_us=20 end=try,try,wait wait_ms=2000", run * 1000));
        let end = Instant::now() + TIMEOUT;
        let seen = child.until("all recorded", |output| output.recorded.len() as u64 + output.refusals() == 150);
        assert_eq!(seen.refusals(), 0);
        while run == 0 && scenario.collector.arrived().unwrap() == before {
            assert!(Instant::now() < end, "nothing reached the server");
            std::thread::yield_now();
        }
        std::thread::sleep(Duration::from_micros(random.below(30_000)));
        acknowledged.extend(child.kill().recorded);
    }
    scenario.collector.set_switches(Switches::default());
    let end = Instant::now() + TIMEOUT;
    let found = loop {
        let output = scenario.run("n=0 end=flush flush_s=20");
        if output.value("left") == Some("0") {
            break scenario.delivered();
        }
        assert!(Instant::now() < end, "{:?}", output.lines);
    };
    found.has_exactly(&acknowledged);
    found.nothing_dropped();
    let counts = scenario.collector.counts().unwrap();
    println!("{} acknowledged, {counts:?}", acknowledged.len());
    assert!(counts.duplicates + counts.replays > 0, "no batch was sent twice");
}

#[test]
fn promise_6_recording_costs_memory_not_io() {
    let scenario = Scenario::new(CHILD);
    let (code, output) = ChildProcess::start(CHILD, &scenario.args("allocations", "url=none"), None).wait();
    assert_eq!(code, Some(0));
    assert_eq!(output.number("control"), 1, "the allocation counter does not work");
    assert_eq!(output.number("allocations"), 0, "heap allocations in 2,000 calls");

    let trace = scenario.path("trace");
    let mut command = Command::new("strace");
    command.arg("-f").arg("-o").arg(&trace).arg(CHILD).args(scenario.args("steady", "url=none n=1000"));
    if Command::new("strace").arg("-V").output().is_err() {
        skipped("system calls per record", "strace is not installed");
        return;
    }
    let (code, output) = ChildProcess::run(command, None).wait();
    if code != Some(0) {
        skipped("system calls per record", "strace may not trace here");
        return;
    }
    assert_eq!(output.value("steady"), Some("1000"));
    let trace = std::fs::read_to_string(trace).unwrap();
    let marks: Vec<_> = trace.lines().enumerate().filter(|(_, line)| line.contains("getppid(")).collect();
    assert_eq!(marks.len(), 2, "two getppid calls");
    let thread = marks[0].1.split_whitespace().next().unwrap();
    let between: Vec<_> = trace
        .lines()
        .take(marks[1].0)
        .skip(marks[0].0 + 1)
        .filter(|line| line.split_whitespace().next() == Some(thread))
        .collect();
    // Permitted: waking the writer, and waiting for the lock while the writer holds it.
    let others: Vec<_> = between.iter().filter(|line| !line.contains("futex") && !line.contains("getppid")).collect();
    assert!(others.is_empty(), "system calls on the calling thread: {others:?}");
    println!("{} of them in 1,000 records", between.len());
    assert!(between.len() <= 20, "{} system calls in 1,000 records: {between:?}", between.len());
}

/// Waits for a child that must end by itself, and must have a result for each call.
fn unaffected(child: ChildProcess, calls: u64) -> ChildOutput {
    let (code, output) = child.wait();
    assert_eq!(code, Some(0), "the app did not end by itself: {:?}", output.lines);
    assert!(output.done());
    assert_eq!(output.recorded.len() as u64 + output.refusals(), calls);
    output
}

#[test]
fn promise_5_the_host_app_is_unaffected_by_an_unusable_folder() {
    let scenario = Scenario::new(CHILD);
    std::fs::write(scenario.path("file"), b"not a folder").unwrap();
    for folder in [scenario.path("file"), scenario.path("file").join("below"), Path::new("/proc/rez").to_path_buf()] {
        let options = format!("folder={} n=500 url=none pause_us=50 end=try,state,close", folder.display());
        let output = unaffected(scenario.start(&options), 500);
        assert!(!output.recorded.is_empty(), "records are kept in memory");
        assert!(output.value("store").is_some_and(|state| state.starts_with("Unavailable")), "{:?}", output.lines);
    }
    assert_eq!(std::fs::read(scenario.path("file")).unwrap(), b"not a folder");
}

#[test]
fn promise_5_the_host_app_is_unaffected_by_an_unlinked_ring() {
    let scenario = Scenario::new(CHILD);
    let child = scenario.start("n=4000 url=none pause_us=100 end=try,close");
    child.until("it records", |output| output.recorded.len() > 300);
    std::fs::remove_file(scenario.folder().join("ring.bin")).unwrap();
    let output = unaffected(child, 4000);
    assert_eq!(output.refusals(), 0, "{:?}", output.refused);
    let found = scenario.deliver();
    found.has_exactly(&output.recorded);
    found.nothing_dropped();
}

#[test]
fn promise_5_the_host_app_is_unaffected_by_a_truncated_ring() {
    for (round, len) in [0, 8192, 30_000, 400_000].into_iter().enumerate() {
        let scenario = Scenario::new(CHILD);
        let mut child = scenario.start("after_line=2000 url=none pause_us=100 analytics=denied end=try,close");
        child.until("it records", |output| output.recorded.len() > 300 + 100 * round);
        let ring = std::fs::OpenOptions::new().write(true).open(scenario.folder().join("ring.bin")).unwrap();
        ring.set_len(len).unwrap();
        child.write_line("truncated");
        // The process survives, nothing is lost once the ring is replaced, and every lost event is counted.
        let (code, output) = child.wait();
        assert_eq!((code, output.done()), (Some(0), true), "the app did not end by itself: {:?}", output.lines);
        let found = scenario.deliver();
        found.none_doubled();
        found.has_all(&output.recorded[output.recorded.len() - 500..]);
        let lost: u64 = dropped(&found.balance).values().sum();
        assert_eq!(found.collected.len() as u64 + lost, output.recorded.len() as u64, "{:?}", dropped(&found.balance));
        let refused = Reader::open(&scenario.folder()).unwrap().overview().unwrap().refused;
        let counted: u64 = refused.iter().filter(|(reason, ..)| reason == "consent").map(|(.., n)| n).sum();
        assert_eq!(Some(&counted), output.refused.get("consent"), "{refused:?}");
    }
}

#[test]
fn forget_user_works_while_the_ring_is_unlinked() {
    let scenario = Scenario::new(CHILD);
    let mut child = scenario.start("n=300 url=none pause_us=20 end=wait,forget,persist,close");
    child.until("it waits", |output| output.lines.iter().any(|line| line == "waiting"));
    std::fs::remove_file(scenario.folder().join("ring.bin")).unwrap();
    child.write_line("go on");
    let (code, output) = child.wait();
    assert_eq!((code, output.value("persisted")), (Some(0), Some("true")));
    assert_eq!(rows(&scenario.folder()).len(), 0);
    let kept = scenario.run("n=20 first=1000 url=none end=close").recorded;
    scenario.deliver().has_exactly(&kept);
}

#[test]
fn promise_5_the_host_app_is_unaffected_by_damaged_files() {
    let mut random = Seeded::of("promise_5_damaged", 5);
    for name in ["queue.db", "ring.bin"] {
        let scenario = Scenario::new(CHILD);
        let output = unaffected(scenario.start("n=300 url=none pause_us=50 end=close"), 300);
        let mut file = std::fs::OpenOptions::new().write(true).open(scenario.folder().join(name)).unwrap();
        file.write_all(&(0..100).map(|_| random.next() as u8).collect::<Vec<_>>()).unwrap();
        drop(file);
        let more = unaffected(scenario.start("n=300 first=1000 url=none pause_us=50 end=close"), 300);
        let found = scenario.deliver();
        found.has_all(&more.recorded);
        found.has_all(&output.recorded);
    }
}

#[test]
fn promise_3_a_clock_that_jumps_a_day_forward_and_back_loses_and_delays_nothing() {
    let scenario = Scenario::new(CHILD);
    let now = 1_795_400_000_000_i64;
    let mut recorded = Vec::new();
    // The clock jumps during recording, while the server responds with 503.
    let steps = "more,persist,day_back,more,try,day_ahead,more,day_ahead,more,try,day_back,more";
    let busy = What::Status { code: 503, retry_after: Some("5".into()), body: String::new() };
    let faults = [Fault { what: busy, times: 0, commit: None }].into();
    scenario.collector.set_switches(Switches { faults, ..Switches::default() });
    recorded.extend(scenario.run(&format!("n=20 clock={now} end={steps},persist wait_ms=500")).recorded);
    assert_eq!(scenario.collector.arrived().unwrap(), 0);
    // The clock jumps between two runs. A wait of 5 s must not become a day.
    scenario.collector.set_switches(Switches::default());
    for (run, days) in [(1_i64, -1_i64), (2, 1), (3, 0)] {
        let clock = now + days * 24 * 3_600_000;
        let output =
            scenario.run(&format!("n=10 first={} clock={clock} end={steps},persist wait_ms=500", run * 10_000));
        recorded.extend(output.recorded);
    }
    let found = scenario.deliver();
    found.has_exactly(&recorded);
    found.nothing_dropped();
}

#[test]
fn promise_5_the_host_app_is_unaffected_by_a_hostile_server() {
    let status = |code: u16| What::Status { code, retry_after: None, body: "<html>".into() };
    let text = |body: &str| What::Text { body: body.into() };
    for what in [
        status(500),
        status(503),
        status(429),
        status(401),
        status(404),
        status(418),
        What::Redirect { to: "http://127.0.0.1:1/elsewhere".into() },
        text("{\"accepted\":"),
        text("[]"),
        text("{\"batch_id\":1,\"accepted\":\"all\"}"),
        What::Huge { bytes: 10 * 1024 * 1024 },
        What::CutBody { bytes: 3 },
        What::CutResponse { bytes: 3 },
        What::Drip { every_ms: 200 },
        What::Hang,
    ] {
        let scenario = Scenario::new(CHILD);
        let faults = [Fault { what: what.clone(), times: 0, commit: Some(false) }].into();
        scenario.collector.set_switches(Switches { faults, ..Switches::default() });
        let began = Instant::now();
        let output = unaffected(scenario.start("n=60 kinds=message crumbs=0 end=try,exit wait_ms=1500"), 60);
        // A request may take 30 s; an app that waited for one would take longer than that.
        assert!(began.elapsed() < Duration::from_secs(29), "{what:?} blocked the app for {:?}", began.elapsed());
        assert_eq!(output.recorded.len(), 60, "{what:?}");
        let account = balance(&scenario.folder());
        let waiting: u64 = account.routes.iter().map(|route| route.queued + route.in_flight).sum();
        assert_eq!(waiting, 60, "{what:?}: events were dropped: {account:#?}");
        assert_eq!(dropped(&account), BTreeMap::new(), "{what:?}");
    }
}

#[test]
fn promise_5_the_host_app_is_unaffected_by_its_malformed_arguments() {
    for clock in ["", "clock=-86400000", "clock=-9000000000000000", "clock=9000000000000000"] {
        let scenario = Scenario::new(CHILD);
        let (code, output) = ChildProcess::start(CHILD, &scenario.args("hostile", clock), None).wait();
        assert_eq!(code, Some(0), "{clock}: {:?}", output.lines);
        assert!(output.done());
        assert_eq!(output.refusals(), 0, "{clock}: {:?}", output.refused);
        let account = balance(&scenario.folder());
        let folded: u64 = account.kinds.iter().map(|kind| kind.folded).sum();
        // Slow calls also record warnings.
        assert!(folded >= output.recorded.len() as u64, "{clock}: {folded}");
        let stored: u64 = account.kinds.iter().map(|kind| kind.stored).sum();
        println!("{clock}: {} recorded, {stored} stored, lost {:?}", output.recorded.len(), dropped(&account));
    }
}
