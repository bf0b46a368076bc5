//! What the app's own writer and a [`super::Reader`] can both be asked.

use super::Store;
use super::error::Result;
use super::fate::{fate, fates};
use super::ledger::BEFORE;
use super::memory::{Memory, unsigned};
use super::read::{Reader, overview, refused, route_view};
use super::results::{Fate, LostOnDay, Overview, RouteFate, RouteView};
use crate::id::EventId;
use crate::row::{Row, Run};
use rusqlite::Connection;

/// The queue at one moment.
#[derive(Clone, Copy)]
pub(crate) struct View<'a> {
    pub(super) db: &'a Connection,
    pub(super) memory: &'a Memory,
}

impl View<'_> {
    /// A summary of the queue.
    pub(crate) fn overview(&self) -> Result<Overview> {
        overview(self.db, &mut self.memory.clone())
    }

    /// Id of the installation.
    pub(crate) fn install(&self) -> &str {
        &self.memory.install
    }

    /// Refused at the gate, cumulative, as of the last fold: (reason, kind, n).
    pub(crate) fn refused(&self) -> Result<Vec<(String, String, u64)>> {
        refused(self.db)
    }

    /// The fate of an event. Reads all rows: some 20 ms at 100,000.
    pub(crate) fn fate(&self, id: EventId) -> Result<Fate> {
        fate(self.db, self.memory, id)
    }

    /// What happened to each of these events, per route, in the order of the events. The row is that of an event that is stored.
    pub(crate) fn fates(&self, events: &[(EventId, Option<&Row>)]) -> Result<Vec<Vec<RouteFate>>> {
        fates(self.db, self.memory, events)
    }

    /// The runs still known, oldest first.
    pub(crate) fn runs(&self) -> Result<Vec<Run>> {
        super::start::runs(self.db)
    }

    /// Details of each route.
    pub(crate) fn routes(&self) -> Result<Vec<RouteView>> {
        self.memory.routes.iter().map(|route| route_view(self.db, route)).collect()
    }

    /// Counts of lost events, the latest day first.
    pub(crate) fn drops(&self) -> Result<Vec<LostOnDay>> {
        let mut select = self.db.prepare(
            "SELECT day, route, kind, reason, sum(n) FROM ledger GROUP BY 1, 2, 3, 4 ORDER BY 1 DESC, 5 DESC, 2, 3, 4",
        )?;
        let mut rows = select.query([])?;
        let mut drops = Vec::new();
        while let Some(row) = rows.next()? {
            let number: i64 = row.get(1)?;
            let route = self.memory.routes.iter().find(|route| route.number == number);
            // A route that was removed has no name any more.
            let name = || route.map_or_else(|| format!("route {number}"), |route| route.name.to_string());
            let name = (number != BEFORE).then(name);
            let (day, kind, reason) = (row.get(0)?, row.get(2)?, row.get(3)?);
            drops.push(LostOnDay { day, route: name, kind, reason, n: unsigned(row.get(4)?) });
        }
        Ok(drops)
    }
}

impl Reader {
    /// Runs queries on one snapshot of the file, and releases the snapshot.
    pub(crate) fn view<T>(&self, query: impl FnOnce(View<'_>) -> Result<T>) -> Result<T> {
        self.look(|db, memory| query(View { db, memory }))
    }
}

impl Store {
    /// The queue now.
    pub(crate) fn view(&self) -> View<'_> {
        View { db: &self.db, memory: &self.memory }
    }
}
