//! Reads a queue: its balance, the state of its routes, and its rows.

use rez_monitor::inspect::{self, Reader, RouteView, StoreError};
use rez_monitor::{EventId, Kind, Run};
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Name of the database file in the folder of a queue.
pub const FILE: &str = "queue.db";

/// Counts by reason.
pub type Reasons = BTreeMap<String, u64>;

/// A snapshot of a queue.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Overview {
    /// Id of the installation.
    pub install: String,
    /// The current epoch. The balance covers this epoch.
    pub epoch: u64,
    /// Rows numbered in this epoch.
    pub numbered: u64,
    /// Rows in the database.
    pub rows: u64,
    /// Bytes of the rows in the file, which the size cap limits.
    pub bytes: u64,
    /// True if an app has the queue open, or ended without closing it.
    pub live: bool,
    /// The balance before insertion, per kind.
    pub kinds: Vec<KindBalance>,
    /// The balance after insertion, per route.
    pub routes: Vec<RouteBalance>,
    /// Events refused at the call, by reason. Not part of the balance.
    pub refused: Reasons,
    /// Rows with a wrong checksum.
    pub unreadable: u64,
}

/// The balance of one kind: every folded event was stored or dropped.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct KindBalance {
    /// The kind. `unknown` if it is lost to damage.
    pub kind: String,
    /// Events folded from the ring.
    pub folded: u64,
    /// Events from other sources: a crash found at start, or a row carved from a damaged file.
    pub late: u64,
    /// Events stored as rows.
    pub stored: u64,
    /// Events dropped before insertion, by reason.
    pub dropped: Reasons,
}

impl KindBalance {
    /// Returns true if `folded + late = stored + dropped`.
    #[must_use]
    pub fn holds(&self) -> bool {
        sum([self.folded, self.late]) == sum([self.stored, total(&self.dropped)])
    }
}

/// The balance of one route, over all rows since its first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct RouteBalance {
    /// `<destination>/<route>`.
    pub route: String,
    /// Stored rows since its first.
    pub stored: u64,
    /// Rows that wait.
    pub queued: u64,
    /// Rows in a request without a response yet.
    pub in_flight: u64,
    /// Rows that the destination accepted.
    pub delivered: u64,
    /// Dead letters: rows that the destination refused and that are kept for inspection.
    pub dead: u64,
    /// Rows of kinds that the destination does not want.
    pub unwanted: u64,
    /// Rows dropped on this route, by reason.
    pub dropped: Reasons,
    /// Why the route waits. Empty if it does not.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub waits: Vec<String>,
    /// The last request and its response.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last: Option<String>,
}

impl RouteBalance {
    /// Returns true if `stored = queued + in flight + delivered + dead + unwanted + dropped`.
    #[must_use]
    pub fn holds(&self) -> bool {
        let ends = [self.queued, self.in_flight, self.delivered, self.dead, self.unwanted, total(&self.dropped)];
        self.stored == sum(ends)
    }
}

impl Overview {
    /// Returns true if every line holds and the kinds account for every assigned number.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.numbered == sum(self.kinds.iter().map(|kind| kind.stored))
            && self.kinds.iter().all(KindBalance::holds)
            && self.routes.iter().all(RouteBalance::holds)
    }
}

/// A row of the queue.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct QueueRow {
    /// Its sequence number.
    pub seq: u64,
    /// Its id.
    pub id: String,
    /// Its kind.
    pub kind: String,
    /// Time of the call, by the clock of the device.
    pub ts: String,
    /// Its state, for each route that has not passed it.
    pub state: BTreeMap<String, String>,
    /// The fields of the event.
    pub event: serde_json::Value,
    /// Release, system and facts as they were when the event was recorded; `None` if the row of the run is damaged.
    pub run: Option<Run>,
}

/// The result of [`Queue::rows`].
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Listed {
    /// The newest rows, in order of their sequence numbers.
    pub rows: Vec<QueueRow>,
    /// Number of all rows.
    pub total: u64,
    /// Number of rows with a wrong checksum. They are omitted.
    pub unreadable: u64,
}

/// Why a queue cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum QueueError {
    /// The folder has no queue.
    #[error("there is no queue.db in {}", .0.display())]
    Missing(PathBuf),
    /// The file is damaged.
    #[error("{} is damaged: {message}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// The error of SQLite.
        message: String,
    },
    /// The file is not a queue, or an older version wrote it.
    #[error("{} {message}", path.display())]
    OtherFormat {
        /// The file.
        path: PathBuf,
        /// What it is.
        message: String,
    },
    /// A newer version wrote the file.
    #[error("{} has format {version}, which this version of rezq does not support", path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its format.
        version: u32,
    },
    /// The file cannot be read.
    #[error("cannot read {}: {message}", path.display())]
    Unusable {
        /// The file.
        path: PathBuf,
        /// The error of the operating system.
        message: String,
    },
}

/// A queue, opened read-only. Works while an app writes to it.
#[derive(Debug)]
pub struct Queue {
    path: PathBuf,
    reader: Reader,
}

impl Queue {
    /// Opens the queue in this folder.
    pub fn open(folder: &Path) -> Result<Queue, QueueError> {
        let path = folder.join(FILE);
        if !path.is_file() {
            return Err(QueueError::Missing(folder.to_owned()));
        }
        let reader = Reader::open(folder).map_err(|error| wrong(&path, error))?;
        Ok(Queue { path, reader })
    }

    /// Returns the balance and the state of the routes.
    pub fn overview(&self) -> Result<Overview, QueueError> {
        let seen = self.read(Reader::overview)?;
        let kinds = seen.balance.kinds.into_iter().map(|kind| {
            let inspect::KindBalance { kind, folded, late, stored, dropped } = kind;
            KindBalance { kind, folded, late, stored, dropped }
        });
        let mut views: BTreeMap<&str, &RouteView> = seen.routes.iter().map(|view| (&*view.route, view)).collect();
        let routes = seen.balance.routes.into_iter().map(|route| {
            let view = views.remove(&*route.route);
            let inspect::RouteBalance { route, stored, queued, in_flight, delivered, dead, unwanted, dropped } = route;
            let waits = view.map(|view| view.lines()).unwrap_or_default();
            let last = view.and_then(|view| view.last_text());
            RouteBalance { route, stored, queued, in_flight, delivered, dead, unwanted, dropped, waits, last }
        });
        let mut overview = Overview {
            install: seen.install,
            epoch: seen.balance.epoch,
            numbered: seen.balance.numbered,
            rows: seen.rows,
            bytes: seen.bytes,
            live: self.reader.live(),
            kinds: kinds.collect(),
            routes: routes.collect(),
            refused: Reasons::new(),
            unreadable: self.read(Reader::damaged)?,
        };
        for (reason, _, n) in seen.refused {
            let sum = overview.refused.entry(reason).or_default();
            *sum = sum.saturating_add(n);
        }
        Ok(overview)
    }

    /// Returns the newest rows, at most `limit` (0 means all), of one kind or of all kinds.
    pub fn rows(&self, kind: Option<Kind>, limit: usize) -> Result<Listed, QueueError> {
        let filter = inspect::Filter { kind, limit, ..inspect::Filter::default() };
        let runs = self.read(Reader::runs)?;
        let rows = self.read(|reader| reader.list(&filter))?.into_iter().map(|listed| {
            let state = listed.routes.into_iter().map(|fate| (fate.route, fate.state.text()));
            QueueRow {
                seq: listed.row.seq,
                id: listed.row.id.to_string(),
                kind: listed.row.kind.as_str().to_owned(),
                ts: inspect::time(listed.row.wall_ms),
                state: state.collect(),
                event: serde_json::from_str(&listed.row.json).unwrap_or_default(),
                run: runs.iter().find(|run| run.number == listed.row.run).cloned(),
            }
        });
        let total = self.read(Reader::overview)?.rows;
        Ok(Listed { rows: rows.collect(), total, unreadable: self.read(Reader::damaged)? })
    }

    /// Returns the ids of all rows that a route has not passed.
    pub fn ids(&self) -> Result<Vec<EventId>, QueueError> {
        let all = self.read(|reader| reader.list(&inspect::Filter::default()))?;
        Ok(all.into_iter().filter(|listed| !listed.routes.is_empty()).map(|listed| listed.row.id).collect())
    }

    fn read<T>(&self, query: impl FnOnce(&Reader) -> Result<T, StoreError>) -> Result<T, QueueError> {
        query(&self.reader).map_err(|error| wrong(&self.path, error))
    }
}

fn wrong(path: &Path, error: StoreError) -> QueueError {
    let path = path.to_owned();
    match error {
        StoreError::Corrupt(message) => QueueError::Damaged { path, message },
        StoreError::OtherFormat(message) => QueueError::OtherFormat { path, message },
        StoreError::Newer(version) => QueueError::Newer { path, version },
        StoreError::Full(message) | StoreError::Held(message) | StoreError::Unavailable(message) => {
            QueueError::Unusable { path, message }
        }
    }
}

/// Returns the sum over all reasons.
#[must_use]
pub fn total(reasons: &Reasons) -> u64 {
    sum(reasons.values().copied())
}

fn sum(numbers: impl IntoIterator<Item = u64>) -> u64 {
    numbers.into_iter().fold(0, u64::saturating_add)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_holds_only_when_every_term_is_counted() {
        let one = |reason: &str| Reasons::from([(reason.to_owned(), 1)]);
        let kind = KindBalance { folded: 5, late: 1, stored: 5, dropped: one("collapsed"), ..KindBalance::default() };
        assert!(kind.holds());
        assert!(!KindBalance { stored: 6, ..kind.clone() }.holds());
        let route = RouteBalance {
            stored: 6,
            queued: 1,
            in_flight: 1,
            delivered: 1,
            dead: 1,
            unwanted: 1,
            dropped: one("expired"),
            ..RouteBalance::default()
        };
        assert!(route.holds());
        for wrong in [
            RouteBalance { queued: 0, ..route.clone() },
            RouteBalance { dead: 2, ..route.clone() },
            RouteBalance { dropped: Reasons::new(), ..route.clone() },
        ] {
            assert!(!wrong.holds());
            assert!(!Overview { routes: vec![route.clone(), wrong], ..Overview::default() }.holds());
        }
        let kinds = vec![kind];
        assert!(Overview { numbered: 5, kinds: kinds.clone(), ..Overview::default() }.holds());
        assert!(!Overview { numbered: 6, kinds, ..Overview::default() }.holds());
    }

    #[test]
    fn a_file_that_is_not_a_queue_is_named_in_the_error() {
        let folder = tempfile::tempdir().unwrap();
        assert!(matches!(Queue::open(folder.path()), Err(QueueError::Missing(_))));
        std::fs::write(folder.path().join(FILE), "these are words, not a database, and quite a few of them").unwrap();
        let error = Queue::open(folder.path()).and_then(|queue| queue.overview()).unwrap_err();
        assert!(matches!(&error, QueueError::Damaged { path, .. } if path.ends_with(FILE)), "{error}");
    }

    #[test]
    fn another_database_is_not_called_damaged() {
        let folder = tempfile::tempdir().unwrap();
        let other = rusqlite::Connection::open(folder.path().join(FILE)).unwrap();
        other.execute_batch("CREATE TABLE other (x)").unwrap();
        drop(other);
        let error = Queue::open(folder.path()).unwrap_err();
        assert!(matches!(&error, QueueError::OtherFormat { .. }), "{error}");
        assert!(error.to_string().contains("queue.db is not a queue of REZ Monitor"), "{error}");
    }
}
