//! What a queue has done with its events: the balance, and the state of its routes.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Name of the database file in the folder of a queue.
pub const FILE: &str = "queue.db";

/// Counts by reason.
pub type Reasons = BTreeMap<String, u64>;

/// A snapshot of a queue.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Overview {
    /// Id of the installation.
    pub install: String,
    /// The current epoch. The balance covers this epoch.
    pub epoch: u64,
    /// Rows numbered in this epoch.
    pub numbered: u64,
    /// Rows in the database.
    pub rows: u64,
    /// Rows of each lane: crash, critical, normal, bulk.
    pub lanes: Vec<u64>,
    /// Bytes of the rows in the file, which the size cap limits.
    pub bytes: u64,
    /// The size cap in bytes, if the app answers.
    pub cap: Option<u64>,
    /// When the oldest row happened, milliseconds since 1970.
    pub oldest_ms: Option<i64>,
    /// True if an app has the queue open, or ended without closing it.
    #[serde(skip)]
    pub live: bool,
    /// The balance before insertion, per kind.
    pub kinds: Vec<KindBalance>,
    /// The balance after insertion, per route.
    pub routes: Vec<RouteBalance>,
    /// Events refused at the call, by reason. Not part of the balance.
    pub refused: Reasons,
    /// Rows with a wrong checksum; `None` if they were not counted.
    pub unreadable: Option<u64>,
}

/// The balance of one kind: every folded event was stored or dropped.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
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
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
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
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub waits: Vec<String>,
    /// The last request and its response.
    #[serde(default, skip_serializing_if = "Option::is_none")]
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
}
