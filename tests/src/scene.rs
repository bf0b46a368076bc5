//! A folder, a collector, and the comparison of what was promised with what can be found.

use crate::kid::{Kid, Said};
use rez_inspect::collector::{Collector, Options, Running};
use rez_monitor::inspect::{Balance, Filter, Listed, Reader};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::{Path, PathBuf};

/// The stage of one test.
pub struct Scene {
    child: &'static str,
    dir: tempfile::TempDir,
    /// The collector.
    pub collector: Running,
}

/// What was found after all runs.
#[derive(Debug)]
pub struct Found {
    /// Serial number by id, of the events at the collector that carry one.
    pub collected: HashMap<String, u64>,
    /// The accounts of the present epoch.
    pub balance: Balance,
}

impl Scene {
    /// A fresh folder and collector.
    #[must_use]
    pub fn new(child: &'static str) -> Scene {
        let dir = tempfile::tempdir().expect("a folder");
        let collector = Collector::start(Options::new(dir.path().join("collector.sqlite"))).expect("a collector");
        Scene { child, dir, collector }
    }

    /// The engine's folder.
    #[must_use]
    pub fn folder(&self) -> PathBuf {
        self.dir.path().join("app")
    }

    /// A path beside it.
    #[must_use]
    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Arguments of a child of this scene: mode and options.
    #[must_use]
    pub fn args(&self, mode: &str, options: &str) -> Vec<String> {
        let mut args = vec![format!("mode={mode}")];
        // Options come first: of two of the same name the child takes the first.
        args.extend(options.split_whitespace().map(str::to_owned));
        args.push(format!("folder={}", self.folder().display()));
        args.push(format!("url={}", self.collector.url()));
        args
    }

    /// Starts a child that records.
    #[must_use]
    pub fn start(&self, options: &str) -> Kid {
        Kid::start(self.child, &self.args("record", options), None)
    }

    /// Runs a child that is to be killed at a fault point; returns what it had acknowledged.
    pub fn killed_at(&self, fault: &str, options: &str) -> Said {
        let (code, said) = Kid::start(self.child, &self.args("record", options), Some(fault)).wait();
        assert_eq!(code, None, "the child was to be killed at {fault}; it said {:?}", said.words);
        assert!(!said.done() || options.contains("end="), "it got past {fault}");
        said
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

    /// Runs a child to its end.
    pub fn run(&self, options: &str) -> Said {
        let (code, said) = self.start(options).wait();
        assert_eq!(code, Some(0), "the child failed: {:?}", said.words);
        said
    }

    /// A last life that records nothing and delivers all that is left.
    pub fn deliver(&self) -> Found {
        let said = self.run("n=0 end=flush");
        assert_eq!(said.word("left"), Some("0"), "not all was delivered: {:?}", said.words);
        self.found()
    }

    /// What is at the collector, and the accounts.
    #[must_use]
    pub fn found(&self) -> Found {
        Found { collected: collected(&self.collector), balance: balance(&self.folder()) }
    }
}

/// Serial number by id, of the events at the collector.
#[must_use]
pub fn collected(collector: &Running) -> HashMap<String, u64> {
    let db = rusqlite::Connection::open(collector.db()).expect("the collector's file");
    let mut select = db.prepare("SELECT id, json FROM event").expect("its table");
    let rows = select.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?))).expect("rows");
    let mut found = HashMap::new();
    for row in rows {
        let (id, json) = row.expect("a row");
        if let Some(serial) = serial(&json) {
            assert_eq!(found.insert(id.clone(), serial), None, "{id} is there twice");
        }
    }
    found
}

/// The serial number in an event's JSON.
#[must_use]
pub fn serial(json: &str) -> Option<u64> {
    let at = json.find("\"serial\":")? + "\"serial\":".len();
    let rest = json.get(at..)?;
    rest[..rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len())].parse().ok()
}

/// The accounts of a folder, checked.
#[allow(clippy::must_use_candidate)]
pub fn balance(folder: &Path) -> Balance {
    let balance = Reader::open(folder).expect("the queue opens").balance().expect("its accounts");
    assert!(balance.holds(), "the balance does not hold: {balance:#?}");
    balance
}

/// The rows of a folder; none is damaged.
#[must_use]
pub fn rows(folder: &Path) -> Vec<Listed> {
    let reader = Reader::open(folder).expect("the queue opens");
    assert_eq!(reader.damaged().expect("rows"), 0, "damaged rows");
    reader.list(&Filter::default()).expect("rows")
}

/// How many of all kinds were lost before a row and on the routes, by reason.
#[must_use]
pub fn dropped(balance: &Balance) -> BTreeMap<String, u64> {
    let mut all = BTreeMap::new();
    let parts = balance.kinds.iter().map(|kind| &kind.dropped).chain(balance.routes.iter().map(|route| &route.dropped));
    for (reason, n) in parts.flatten() {
        *all.entry(reason.clone()).or_default() += n;
    }
    all
}

impl Found {
    /// All acknowledged events are at the collector under their own id, and none is there under two.
    pub fn has_all(&self, acknowledged: &[(String, u64)]) {
        let lost: Vec<_> = acknowledged.iter().filter(|(id, n)| self.collected.get(id) != Some(n)).collect();
        assert!(lost.is_empty(), "{} of {} acknowledged are lost, first {:?}", lost.len(), acknowledged.len(), lost[0]);
        self.none_doubled();
    }

    /// No event is at the collector under two ids.
    pub fn none_doubled(&self) {
        let serials: HashSet<u64> = self.collected.values().copied().collect();
        assert_eq!(serials.len(), self.collected.len(), "an event is there under two ids");
    }

    /// Exactly these are at the collector.
    pub fn has_exactly(&self, acknowledged: &[(String, u64)]) {
        self.has_all(acknowledged);
        assert_eq!(self.collected.len(), acknowledged.len(), "more at the collector than was acknowledged");
    }

    /// Nothing was lost anywhere.
    pub fn nothing_dropped(&self) {
        assert_eq!(dropped(&self.balance), BTreeMap::new());
    }
}
