//! What a queue says about itself, in the words every face shows: the balance, what waits, the rows.

use serde::Serialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Name of the queue's file inside its folder.
pub const FILE: &str = "queue.db";

/// Counts by reason.
pub type Reasons = BTreeMap<String, u64>;

/// A queue at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Overview {
    /// The installation.
    pub install: String,
    /// The epoch rows are numbered in now.
    pub epoch: u64,
    /// Size of the file in bytes.
    pub bytes: u64,
    /// Before a row, per kind.
    pub kinds: Vec<KindBalance>,
    /// After a row, per route.
    pub routes: Vec<RouteBalance>,
    /// Refused before the ring took them; beside the balance.
    pub refused: Reasons,
    /// Rows that fail their checksum.
    pub unreadable: u64,
}

/// One kind in one epoch: what came out of the ring is stored or dropped.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct KindBalance {
    /// The kind; `unknown` where damage hid it.
    pub kind: String,
    /// The epoch.
    pub epoch: u64,
    /// Came out of the ring.
    pub folded: u64,
    /// Came another way: a crash found at start, a row saved from a damaged file.
    pub late: u64,
    /// Became rows.
    pub stored: u64,
    /// Ended before they were rows.
    pub dropped: Reasons,
}

impl KindBalance {
    /// Whether `folded + late = stored + dropped`.
    #[must_use]
    pub fn holds(&self) -> bool {
        sum([self.folded, self.late]) == sum([self.stored, total(&self.dropped)])
    }
}

/// One route in one epoch: every row since its first is somewhere.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct RouteBalance {
    /// `<destination>/<route>`.
    pub route: String,
    /// The epoch.
    pub epoch: u64,
    /// Rows since its first.
    pub stored: u64,
    /// Waiting.
    pub queued: u64,
    /// In a request whose end is not known.
    pub in_flight: u64,
    /// The destination has them.
    pub delivered: u64,
    /// Refused by the destination and kept for a look.
    pub dead: u64,
    /// Of kinds the destination does not take.
    pub unwanted: u64,
    /// Ended on this route.
    pub dropped: Reasons,
    /// Why it waits, if it does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waits: Option<String>,
    /// The last request, if there was one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last: Option<String>,
}

impl RouteBalance {
    /// Whether `stored = queued + in flight + delivered + dead + unwanted + dropped`.
    #[must_use]
    pub fn holds(&self) -> bool {
        let ends = [self.queued, self.in_flight, self.delivered, self.dead, self.unwanted, total(&self.dropped)];
        self.stored == sum(ends)
    }
}

impl Overview {
    /// Whether every line holds.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.kinds.iter().all(KindBalance::holds) && self.routes.iter().all(RouteBalance::holds)
    }
}

/// A row.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct QueueRow {
    /// Its number.
    pub seq: u64,
    /// Its id.
    pub id: String,
    /// What it is.
    pub kind: String,
    /// When it was recorded, by the device's clock.
    pub ts: String,
    /// Per route where it is not settled: `queued`, `in_flight`, `dead` and the like.
    pub state: BTreeMap<String, String>,
    /// The row's JSON.
    pub event: serde_json::Value,
}

/// Rows that were asked for.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Listed {
    /// The newest ones, in order of their numbers.
    pub rows: Vec<QueueRow>,
    /// How many there are in all.
    pub total: u64,
    /// Rows that fail their checksum and are left out.
    pub unreadable: u64,
}

/// Why a queue cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum QueueError {
    /// There is none.
    #[error("there is no queue.db in {}", .0.display())]
    Missing(PathBuf),
    /// SQLite cannot read it.
    #[error("{} is damaged: {message}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        message: String,
    },
    /// A newer version wrote it.
    #[error("{} has format {version}, which this rezq does not know", path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its format.
        version: u32,
    },
    /// The system does not let us.
    #[error("cannot read {}: {message}", path.display())]
    Unusable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        message: String,
    },
}

/// The balance of the queue in this folder, and what waits. Works while an app writes, changes nothing.
pub fn overview(folder: &Path) -> Result<Overview, QueueError> {
    Err(unusable(folder))
}

/// The newest rows of the queue in this folder, at most `limit`, of one kind or all. Works while an app writes.
pub fn rows(folder: &Path, _kind: Option<&str>, _limit: usize) -> Result<Listed, QueueError> {
    Err(unusable(folder))
}

fn unusable(folder: &Path) -> QueueError {
    let path = folder.join(FILE);
    if !path.exists() {
        return QueueError::Missing(folder.to_owned());
    }
    QueueError::Unusable { path, message: "this build has no reader".to_owned() }
}

/// The sum of all reasons.
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
    }
}
