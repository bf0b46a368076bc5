//! The ledger: counts of events that were lost, delivered or unwanted.

use super::error::Result;
use super::memory::{signed, unsigned};
use super::types::Now;
use super::{Store, Tx};
use crate::kind::Kind;
use crate::reason::Reason;
use crate::row::Lost;
use rusqlite::params;

/// Route number for events lost before a row was stored.
pub(super) const BEFORE: i64 = 0;

/// Spelling of a kind that cannot be read.
pub(super) const UNKNOWN: &str = "unknown";

const MS_PER_DAY: i64 = 24 * 3600 * 1000;

/// What one transaction adds to the ledger. There are few entries, so they are searched one by one.
#[derive(Debug, Default)]
pub(super) struct LedgerChanges {
    lost: Vec<(i64, Option<Kind>, Reason, u64)>,
    flows: Vec<(i64, u64, u64)>,
}

impl LedgerChanges {
    pub(super) fn lost(&mut self, route: i64, kind: Option<Kind>, reason: Reason, n: u64) {
        let entry = self.lost.iter_mut().find(|entry| entry.0 == route && entry.1 == kind && entry.2 == reason);
        match entry {
            Some(entry) => entry.3 = entry.3.saturating_add(n),
            None if n > 0 => self.lost.push((route, kind, reason, n)),
            None => {}
        }
    }

    pub(super) fn delivered(&mut self, route: i64, n: u64) {
        self.flow(route, n, 0);
    }

    pub(super) fn unwanted(&mut self, route: i64, n: u64) {
        self.flow(route, 0, n);
    }

    fn flow(&mut self, route: i64, delivered: u64, unwanted: u64) {
        match self.flows.iter_mut().find(|entry| entry.0 == route) {
            Some(entry) => {
                entry.1 = entry.1.saturating_add(delivered);
                entry.2 = entry.2.saturating_add(unwanted);
            }
            None if delivered > 0 || unwanted > 0 => self.flows.push((route, delivered, unwanted)),
            None => {}
        }
    }

    /// Writes the entries, in the transaction that deletes the rows.
    pub(super) fn write(self, tx: &Tx<'_>, now: Now) -> Result<()> {
        let epoch = signed(tx.memory.epoch);
        for (route, kind, reason, n) in self.lost {
            tx.db
                .prepare_cached(
                    "INSERT INTO ledger (epoch, day, route, kind, reason, n) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
                     ON CONFLICT DO UPDATE SET n = n + excluded.n",
                )?
                .execute(params![epoch, day(now), route, spelling(kind), reason.as_str(), signed(n)])?;
        }
        for (route, delivered, unwanted) in self.flows {
            tx.db
                .prepare_cached(
                    "UPDATE flow SET delivered = delivered + ?3, unwanted = unwanted + ?4 WHERE route = ?1 AND epoch = ?2",
                )?
                .execute(params![route, epoch, signed(delivered), signed(unwanted)])?;
        }
        Ok(())
    }
}

/// Days since 1970.
pub(super) fn day(now: Now) -> i64 {
    now.wall_ms.div_euclid(MS_PER_DAY)
}

pub(super) fn spelling(kind: Option<Kind>) -> &'static str {
    kind.map_or(UNKNOWN, Kind::as_str)
}

impl Store {
    /// Events of this epoch that never reach this route: lost before a row was stored, lost on this route, or refused
    /// at the gate (as of the last fold). Dead letters count once they are deleted.
    pub(crate) fn lost(&self, route: &str) -> Result<Vec<Lost>> {
        self.losses(route, true)
    }

    /// [`Store::lost`] without what was refused at the gate, which the ring counts too.
    pub(crate) fn lost_in_store(&self, route: &str) -> Result<Vec<Lost>> {
        self.losses(route, false)
    }

    fn losses(&self, route: &str, with_gate: bool) -> Result<Vec<Lost>> {
        let number = self.memory.route(route).map_or(BEFORE, |route| route.number);
        let mut select = self.db.prepare_cached(
            "SELECT reason, kind, sum(n) FROM (
               SELECT reason, kind, n FROM ledger WHERE epoch = ?1 AND route IN (?3, ?2)
               UNION ALL SELECT reason, kind, n FROM gate WHERE ?4
             ) GROUP BY reason, kind ORDER BY reason, kind",
        )?;
        let mut rows = select.query(params![signed(self.memory.epoch), number, BEFORE, with_gate])?;
        let mut lost = Vec::new();
        while let Some(row) = rows.next()? {
            let (reason, kind, count): (String, String, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
            // A reason of a newer build has no name here; the inspector still shows it.
            if let Some(reason) = Reason::parse(&reason) {
                lost.push(Lost { reason, kind: Kind::parse(&kind), count: unsigned(count) });
            }
        }
        Ok(lost)
    }

    /// Events refused before the ring: the ring's counters as of the last fold.
    pub(crate) fn gate(&self) -> Result<Vec<(Reason, Option<Kind>, u64)>> {
        let mut select = self.db.prepare("SELECT reason, kind, n FROM gate")?;
        let mut rows = select.query([])?;
        let mut counts = Vec::new();
        while let Some(row) = rows.next()? {
            let (reason, kind, count): (String, String, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
            if let Some(reason) = Reason::parse(&reason) {
                counts.push((reason, Kind::parse(&kind), unsigned(count)));
            }
        }
        Ok(counts)
    }
}
