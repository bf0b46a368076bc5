//! A folder and a collector for a test, and the comparison of acknowledged with delivered events.

use crate::child_process::{ChildOutput, ChildProcess};
use rez_inspect::collector::{Collector, Options, Running};
use rez_monitor::inspect::{Balance, Filter, Listed, Reader};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::{Path, PathBuf};

/// The folder and the collector of one test.
pub struct Scenario {
    child: &'static str,
    dir: tempfile::TempDir,
    /// The collector.
    pub collector: Running,
}

/// The state after all runs.
#[derive(Debug)]
pub struct Delivered {
    /// Serial numbers by id, of all events at the collector that have one.
    pub collected: HashMap<String, u64>,
    /// The balance of the current epoch.
    pub balance: Balance,
}

impl Scenario {
    /// Creates a folder and a collector.
    #[must_use]
    pub fn new(child: &'static str) -> Scenario {
        let dir = tempfile::tempdir().expect("a folder");
        let collector = Collector::start(Options::new(dir.path().join("collector.sqlite"))).expect("a collector");
        Scenario { child, dir, collector }
    }

    /// Returns the folder of the engine.
    #[must_use]
    pub fn folder(&self) -> PathBuf {
        self.dir.path().join("app")
    }

    /// Returns a path in the parent folder.
    #[must_use]
    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Returns the arguments of a child process.
    #[must_use]
    pub fn args(&self, mode: &str, options: &str) -> Vec<String> {
        let mut args = vec![format!("mode={mode}")];
        // The child uses the first of two arguments with the same name, so options override the defaults.
        args.extend(options.split_whitespace().map(str::to_owned));
        args.push(format!("folder={}", self.folder().display()));
        args.push(format!("url={}", self.collector.url()));
        args
    }

    /// Starts a child in the mode `record`.
    #[must_use]
    pub fn start(&self, options: &str) -> ChildProcess {
        ChildProcess::start(self.child, &self.args("record", options), None)
    }

    /// Runs a child until it is killed at a fault point. Returns its output.
    pub fn killed_at(&self, fault: &str, options: &str) -> ChildOutput {
        let (code, output) = ChildProcess::start(self.child, &self.args("record", options), Some(fault)).wait();
        assert_eq!(code, None, "the child was not killed at {fault}; output {:?}", output.lines);
        assert!(!output.done() || options.contains("end="), "the child did not reach {fault}");
        output
    }

    /// Puts a queue of a newer build into the folder, which the engine leaves alone: events stay in the ring.
    pub fn put_newer_queue(&self) {
        std::fs::create_dir_all(self.folder()).expect("a folder");
        let queue = rusqlite::Connection::open(self.folder().join("queue.db")).expect("a database");
        queue.execute_batch("PRAGMA application_id = 1380276817; PRAGMA user_version = 99").expect("its version");
    }

    /// Removes that queue.
    pub fn remove_newer_queue(&self) {
        std::fs::remove_file(self.folder().join("queue.db")).expect("it is there");
    }

    /// Runs a child to its end, which must be a success.
    pub fn run(&self, options: &str) -> ChildOutput {
        let (code, output) = self.start(options).wait();
        assert_eq!(code, Some(0), "the child failed: {:?}", output.lines);
        output
    }

    /// Runs a child that records nothing and delivers all events.
    pub fn deliver(&self) -> Delivered {
        let output = self.run("n=0 end=flush");
        assert_eq!(output.value("left"), Some("0"), "events are left: {:?}", output.lines);
        self.delivered()
    }

    /// Returns the events at the collector, and the balance.
    #[must_use]
    pub fn delivered(&self) -> Delivered {
        Delivered { collected: collected(&self.collector), balance: balance(&self.folder()) }
    }
}

/// Returns the serial numbers by id, of all events at the collector.
#[must_use]
pub fn collected(collector: &Running) -> HashMap<String, u64> {
    let db = rusqlite::Connection::open(collector.db()).expect("the collector's file");
    let mut select = db.prepare("SELECT id, text FROM event WHERE code IS NULL").expect("its table");
    let rows = select.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?))).expect("rows");
    let mut found = HashMap::new();
    for row in rows {
        let (id, json) = row.expect("a row");
        if let Some(serial) = serial(&json) {
            assert_eq!(found.insert(id.clone(), serial), None, "{id} is stored twice");
        }
    }
    found
}

/// Returns the serial number in the JSON of an event.
#[must_use]
pub fn serial(json: &str) -> Option<u64> {
    let at = json.find("\"serial\":")? + "\"serial\":".len();
    let rest = json.get(at..)?;
    rest[..rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len())].parse().ok()
}

/// Returns the balance of a folder, which must hold.
#[allow(clippy::must_use_candidate)]
pub fn balance(folder: &Path) -> Balance {
    let balance = Reader::open(folder).expect("the queue opens").balance().expect("the balance");
    assert!(balance.holds(), "the balance does not hold: {balance:#?}");
    balance
}

/// Returns the rows of a folder. None may be damaged.
#[must_use]
pub fn rows(folder: &Path) -> Vec<Listed> {
    let reader = Reader::open(folder).expect("the queue opens");
    assert_eq!(reader.damaged().expect("rows"), 0, "damaged rows");
    reader.list(&Filter::default()).expect("rows")
}

/// Returns all dropped events by reason, before insertion and on routes.
#[must_use]
pub fn dropped(balance: &Balance) -> BTreeMap<String, u64> {
    let mut all = BTreeMap::new();
    let parts = balance.kinds.iter().map(|kind| &kind.dropped).chain(balance.routes.iter().map(|route| &route.dropped));
    for (reason, n) in parts.flatten() {
        *all.entry(reason.clone()).or_default() += n;
    }
    all
}

impl Delivered {
    /// Checks that all acknowledged events are at the collector under their id, and none under two ids.
    pub fn has_all(&self, acknowledged: &[(String, u64)]) {
        let lost: Vec<_> = acknowledged.iter().filter(|(id, n)| self.collected.get(id) != Some(n)).collect();
        assert!(lost.is_empty(), "{} of {} acknowledged are lost, first {:?}", lost.len(), acknowledged.len(), lost[0]);
        self.none_doubled();
    }

    /// Checks that no event is at the collector under two ids.
    pub fn none_doubled(&self) {
        let serials: HashSet<u64> = self.collected.values().copied().collect();
        assert_eq!(serials.len(), self.collected.len(), "an event is stored under two ids");
    }

    /// Checks that exactly these events are at the collector.
    pub fn has_exactly(&self, acknowledged: &[(String, u64)]) {
        self.has_all(acknowledged);
        assert_eq!(self.collected.len(), acknowledged.len(), "the collector has events that were not acknowledged");
    }

    /// Checks that no event was dropped.
    pub fn nothing_dropped(&self) {
        assert_eq!(dropped(&self.balance), BTreeMap::new());
    }
}
