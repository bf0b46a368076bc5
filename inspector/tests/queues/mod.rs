//! Queues of a real engine for tests: delivered, erased and waiting events, whole and damaged.

// Each test program uses a part of it.
#![allow(dead_code, clippy::unwrap_used, clippy::panic)]

use rez_inspect::collector::{Collector, Options, Running};
use rez_monitor::destination::Rez;
use rez_monitor::{Attrs, Config, Consent, ErrorEvent, Level, Monitor, Outcome, Purpose, ScopeChange, User, Value};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;

/// Long enough for a busy machine.
pub const WAIT: Duration = Duration::from_secs(120);

/// An address at which nothing listens.
pub const OFFLINE: &str = "http://127.0.0.1:9";

pub const EMAIL: &str = "priya@example.com";
pub const USER: &str = "user-4711-priya";
pub const DEVICE: &str = "9774d56d682e549c";

/// Runs the program.
pub fn rezq(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_rezq")).args(arguments).output().unwrap()
}

/// Exit code, standard output and standard error.
pub fn run(arguments: &[&str]) -> (Option<i32>, String, String) {
    let output = rezq(arguments);
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

pub fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

pub fn config(folder: &Path, url: &str) -> rez_monitor::ConfigBuilder {
    let rez = Rez::builder(url, "key").purposes(&Purpose::ALL).build().unwrap();
    Config::builder(folder, "shop", "shop@1.4.0")
        .destination("main", rez)
        .consent(Purpose::Monitoring, Consent::Granted)
        .consent(Purpose::Analytics, Consent::Granted)
        .sessions(false)
}

pub fn open(folder: &Path, url: &str) -> Monitor {
    let monitor = Monitor::open(config(folder, url).build().unwrap()).unwrap();
    let user = User { id: Some(USER), email: Some(EMAIL), ..User::default() };
    monitor.scope(ScopeChange::User(Some(user)));
    monitor
}

/// Records events of several kinds and sizes. Returns their ids.
pub fn record(monitor: &Monitor, n: u32, first: u32) -> Vec<String> {
    let outcomes = (first..first + n).map(|n| match n % 5 {
        0 => {
            let attrs = [("step", Value::from(n)), ("device_id", Value::from(DEVICE)), ("price", Value::from(1.5))];
            monitor.track("checkout", Attrs::from(&attrs[..]))
        }
        1 => monitor.error(ErrorEvent::new("PaymentError", &format!("declined {n} for {EMAIL}"))),
        2 => monitor.message(&format!("message {n} {}", "x".repeat(n as usize % 700)), Level::Info, Attrs::default()),
        3 => monitor.log(Level::Warning, &format!("a line of the log, number {n}"), Attrs::default()),
        _ => monitor.track(&format!("opened_{n}"), Attrs::default()),
    });
    let ids = outcomes.map(|outcome| match outcome {
        Outcome::Recorded(id) => id.to_string(),
        Outcome::Dropped(reason) => panic!("dropped: {reason}"),
    });
    let ids = ids.collect();
    monitor.persist(WAIT).unwrap();
    ids
}

/// Starts a collector with its file in this folder.
pub fn collector(folder: &Path) -> Running {
    Collector::start(Options::new(folder.join("collector.sqlite"))).unwrap()
}

/// A folder of a queue and the ids of its events by what became of them.
pub struct Queue {
    pub root: tempfile::TempDir,
    /// Closed by the app: everything is in `queue.db`.
    pub closed: PathBuf,
    /// As the app was killed: the newest rows are in the log only.
    pub killed: PathBuf,
    pub delivered: BTreeSet<String>,
    pub erased: BTreeSet<String>,
    /// In both folders.
    pub waiting: BTreeSet<String>,
    /// In the killed one only: in the log.
    pub in_log: BTreeSet<String>,
}

/// Delivers, erases and keeps events.
pub fn queue() -> Queue {
    let root = tempfile::tempdir().unwrap();
    let app = root.path().join("live");
    // First: an erasure rewrites the whole file, and the copies of delivered rows would be gone with it.
    let monitor = open(&app, OFFLINE);
    let erased = record(&monitor, 60, 1_000).into_iter().collect();
    monitor.forget_user();
    monitor.persist(WAIT).unwrap();
    monitor.close(WAIT);
    let collector = collector(root.path());
    let monitor = open(&app, &format!("http://{}", collector.address()));
    let delivered = record(&monitor, 450, 0).into_iter().collect();
    let left: u64 = monitor.flush(WAIT).unwrap().iter().map(|one| one.left).sum();
    assert_eq!(left, 0);
    monitor.close(WAIT);
    collector.stop();
    let monitor = open(&app, OFFLINE);
    let mut waiting: BTreeSet<String> = record(&monitor, 150, 2_000).into_iter().collect();
    waiting.extend(record(&monitor, 100, 3_000));
    monitor.close(WAIT);
    let closed = root.path().join("closed");
    copy(&app, &closed);
    let monitor = open(&app, OFFLINE);
    let in_log = (0..4).flat_map(|n| record(&monitor, 20, 4_000 + n * 100)).collect();
    let killed = root.path().join("killed");
    copy(&app, &killed);
    monitor.close(WAIT);
    Queue { root, closed, killed, delivered, erased, waiting, in_log }
}

/// Copies a folder in another process: closing a file here would release the locks of SQLite.
pub fn copy(from: &Path, to: &Path) {
    let status = Command::new("cp").arg("-r").arg(from).arg(to).status().unwrap();
    assert!(status.success());
    // An index of the log is not valid in another place.
    let _ = std::fs::remove_file(to.join("queue.db-shm"));
}

/// The lines of `--json` output.
pub fn lines(output: &str) -> Vec<serde_json::Value> {
    output.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("no JSON: {line}"))).collect()
}

/// Ids of the rows that a source has.
pub fn ids(source: &Path) -> BTreeSet<String> {
    let (code, output, error) = run(&["sql", text(source), "SELECT id FROM inspect", "--json"]);
    assert!(matches!(code, Some(0 | 4)), "{error}");
    let rows = lines(&output).into_iter().filter(|line| line["line"] == "row");
    rows.map(|line| line["row"]["id"].as_str().unwrap().to_owned()).collect()
}

/// Numbers that repeat with the seed.
pub struct Seeded(u64);

impl Seeded {
    pub fn new(seed: u64) -> Seeded {
        Seeded(seed)
    }

    pub fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % bound.max(1)
    }
}
