//! Queries: the balance, the state of each route, the fate of an event. The app's own writer runs them, and, through
//! [`Reader`], the inspector while the app writes.

use super::error::{Result, StoreError};
use super::evict::used_bytes;
use super::fate::fate;
use super::memory::{Memory, PASSED, Route, signed, unsigned};
use super::results::{Balance, Fate, KindBalance, Overview, RouteBalance, RouteView};
use super::schema;
use super::settle::NO_BATCH;
use super::types::InflightState;
use super::{FILE, Store, Tx};
use crate::hash::fnv1a;
use crate::id::EventId;
use crate::row::Run;
use crate::sys::file;
use rusqlite::{Connection, OptionalExtension, params};
use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::{Path, PathBuf};

/// A read-only view of the queue of another process.
#[derive(Debug)]
pub struct Reader {
    pub(super) db: Connection,
    live: bool,
    folder: PathBuf,
    /// Identity of the file that is open.
    file: Option<(u64, u64)>,
}

/// The state of the log beside the file, which shows whether the file is in use.
#[derive(Clone, Copy, PartialEq, Eq)]
enum LogState {
    /// No connection has the file open; SQLite would create files beside it only to read.
    Missing,
    /// Closed cleanly: a log without a header.
    Empty,
    InUse,
}

fn log_state(log: &Path) -> LogState {
    let mut magic = [0; 4];
    match std::fs::File::open(log).map(|mut file| file.read_exact(&mut magic)) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => LogState::Missing,
        Ok(Ok(())) if magic != [0; 4] => LogState::InUse,
        Ok(_) => LogState::Empty,
        Err(_) => LogState::InUse,
    }
}

impl Reader {
    /// Opens the queue of a folder. While an app has it open, each query sees its latest commit; open it anew for
    /// each query when no app had (see [`Reader::live`]).
    pub fn open(folder: &Path) -> Result<Reader> {
        let path = folder.join(FILE);
        if !path.is_file() {
            return Err(StoreError::Unavailable(format!("there is no {}", path.display())));
        }
        let log = log_state(&folder.join(format!("{FILE}-wal")));
        // Before the file is opened: if it is replaced meanwhile, the next check finds that.
        let file = file::identity(&path);
        let (db, live) = match schema::open_read_only(&path, log == LogState::Missing) {
            // A log without content in a folder that takes no new files.
            Err(StoreError::Unavailable(_)) if log == LogState::Empty => (schema::open_read_only(&path, true)?, false),
            db => (db?, log == LogState::InUse),
        };
        Ok(Reader { db, live, folder: folder.to_owned(), file })
    }

    /// Whether the file that is open is still the one of its folder. If not, open it anew.
    #[must_use]
    pub fn is_in_place(&self) -> bool {
        self.file == file::identity(&self.folder.join(FILE))
    }

    /// The folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// An app had the queue open, or ended without closing it.
    #[must_use]
    pub fn live(&self) -> bool {
        self.live
    }

    /// The balance.
    pub fn balance(&self) -> Result<Balance> {
        self.look(balance)
    }

    /// A summary of the queue.
    pub fn overview(&self) -> Result<Overview> {
        self.look(overview)
    }

    /// The fate of an event.
    pub fn fate(&self, id: EventId) -> Result<Fate> {
        self.look(|db, memory| fate(db, memory, id))
    }

    /// The runs still known, oldest first.
    pub fn runs(&self) -> Result<Vec<Run>> {
        self.look(|db, _| super::start::runs(db))
    }

    /// Another number after a commit, also of an app that opened the file after this reader did, or replaced it. At most 53 bits, so that
    /// JavaScript can compare it.
    pub(crate) fn version(&self) -> Result<u64> {
        let commits: i64 = self.db.query_row("SELECT data_version FROM pragma_data_version", [], |row| row.get(0))?;
        let path = self.folder.join(FILE);
        // Of this connection only: a reader that is opened again begins to count anew.
        let seen = (commits, self.live, file::identity(&path), path.metadata().and_then(|file| file.modified()).ok());
        Ok(fnv1a(format!("{seen:?}").bytes()) >> 11)
    }

    /// Runs one query on one snapshot of the file, and releases the snapshot.
    pub(super) fn look<T>(&self, query: impl FnOnce(&Connection, &mut Memory) -> Result<T>) -> Result<T> {
        self.db.execute_batch("BEGIN")?;
        let result = Memory::load(&self.db).and_then(|mut memory| query(&self.db, &mut memory));
        super::rollback(&self.db);
        result
    }
}

impl Store {
    /// The balance.
    #[cfg(test)]
    pub(crate) fn balance(&self) -> Result<Balance> {
        balance(&self.db, &mut self.memory.clone())
    }

    /// A summary of the queue.
    #[cfg(test)]
    pub(crate) fn overview(&self) -> Result<Overview> {
        overview(&self.db, &mut self.memory.clone())
    }

    /// The fate of an event. Reads all rows: some 20 ms at 100,000.
    pub(crate) fn fate(&self, id: EventId) -> Result<Fate> {
        fate(&self.db, &self.memory, id)
    }
}

fn balance(db: &Connection, memory: &mut Memory) -> Result<Balance> {
    let epoch = signed(memory.epoch);
    let mut balance = Balance { epoch: memory.epoch, numbered: memory.next_n.saturating_sub(1), ..Balance::default() };
    let mut kinds: BTreeMap<String, KindBalance> = BTreeMap::new();
    let mut select = db.prepare("SELECT kind, folded, late, stored FROM tally WHERE epoch = ?1")?;
    let mut rows = select.query([epoch])?;
    while let Some(row) = rows.next()? {
        let kind: String = row.get(0)?;
        let account = kinds.entry(kind.clone()).or_default();
        account.folded = unsigned(row.get(1)?);
        account.late = unsigned(row.get(2)?);
        account.stored = unsigned(row.get(3)?);
    }
    let mut dropped: BTreeMap<i64, BTreeMap<String, u64>> = BTreeMap::new();
    let mut select = db.prepare("SELECT route, kind, reason, sum(n) FROM ledger WHERE epoch = ?1 GROUP BY 1, 2, 3")?;
    let mut rows = select.query([epoch])?;
    while let Some(row) = rows.next()? {
        let (route, kind, reason, n): (i64, String, String, i64) = (row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?);
        let reasons = match route {
            super::ledger::BEFORE => &mut kinds.entry(kind).or_default().dropped,
            _ => dropped.entry(route).or_default(),
        };
        let sum = reasons.entry(reason).or_default();
        *sum = sum.saturating_add(unsigned(n));
    }
    balance.kinds = kinds.into_iter().map(|(kind, account)| KindBalance { kind, ..account }).collect();
    for route in memory.routes.clone() {
        let dropped = dropped.remove(&route.number).unwrap_or_default();
        balance.routes.push(route_balance(&Tx { db, memory: &mut *memory, small: false }, &route, dropped)?);
    }
    Ok(balance)
}

fn route_balance(tx: &Tx<'_>, route: &Route, dropped: BTreeMap<String, u64>) -> Result<RouteBalance> {
    let next = tx.memory.next_seq();
    let flow = tx
        .db
        .prepare_cached("SELECT base, first_seq, delivered, unwanted FROM flow WHERE route = ?1 AND epoch = ?2")?
        .query_row(params![route.number, signed(tx.memory.epoch)], |row| {
            let first = row.get::<_, Option<i64>>(1)?.map_or(next, unsigned);
            Ok((unsigned(row.get(0)?), first, unsigned(row.get(2)?), unsigned(row.get(3)?)))
        })
        .optional()?;
    let (base, first, delivered, unwanted) = flow.unwrap_or((0, next, 0, 0));
    let dead: i64 = tx
        .db
        .prepare_cached("SELECT count(*) FROM exception WHERE route = ?1 AND state = 2")?
        .query_row([route.number], |row| row.get(0))?;
    let dead = unsigned(dead);
    let in_flight = route.inflight.as_ref().map_or(0, |batch| batch.rows.len() as u64);
    let held = tx.held(route)?;
    Ok(RouteBalance {
        route: route.name.to_string(),
        stored: base.saturating_add(next.saturating_sub(first)),
        queued: held.saturating_sub(dead).saturating_sub(in_flight),
        in_flight,
        delivered,
        dead,
        unwanted,
        dropped,
    })
}

pub(super) fn overview(db: &Connection, memory: &mut Memory) -> Result<Overview> {
    let mut overview = Overview {
        install: memory.install.to_string(),
        boot: memory.boot_seen.to_string(),
        balance: balance(db, memory)?,
        bytes: used_bytes(db)?,
        ..Overview::default()
    };
    for (lane, count) in overview.lanes.iter_mut().enumerate() {
        let rows =
            db.query_row("SELECT count(*) FROM event WHERE lane = ?1", [lane as i64], |row| row.get::<_, i64>(0))?;
        *count = unsigned(rows);
    }
    overview.rows = overview.lanes.iter().sum();
    overview.oldest_ms =
        db.query_row("SELECT wall_ms FROM event ORDER BY seq LIMIT 1", [], |row| row.get(0)).optional()?;
    overview.refused = refused(db)?;
    for route in &memory.routes {
        overview.routes.push(route_view(db, route)?);
    }
    Ok(overview)
}

/// Refused at the gate: (reason, kind, n).
pub(super) fn refused(db: &Connection) -> Result<Vec<(String, String, u64)>> {
    let mut select = db.prepare("SELECT reason, kind, n FROM gate ORDER BY 1, 2")?;
    let refused = select.query_map([], |row| Ok((row.get(0)?, row.get(1)?, unsigned(row.get(2)?))))?;
    Ok(refused.collect::<Result<_, _>>()?)
}

pub(super) fn route_view(db: &Connection, route: &Route) -> Result<RouteView> {
    let last = db
        .query_row(
            "SELECT at_ms, status, note FROM receipt WHERE route = ?1 AND batch_id <> ?2 ORDER BY number DESC LIMIT 1",
            params![route.number, NO_BATCH],
            |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
        )
        .optional()?;
    let (state, ever): (Option<String>, i64) = db.query_row(
        "SELECT state, (SELECT coalesce(sum(delivered), 0) FROM flow WHERE route = number) FROM route WHERE number = ?1",
        [route.number],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?;
    Ok(RouteView {
        route: route.name.to_string(),
        destination: route.destination.to_string(),
        dormant_since_ms: route.dormant_since_ms,
        state,
        batch: route.inflight.as_ref().map(|batch| (batch.batch_id.clone(), batch.attempt)),
        last,
        delivered_ever: unsigned(ever),
    })
}

impl Store {
    /// Whether no row is left.
    pub(crate) fn is_empty(&self) -> Result<bool> {
        let any: bool =
            self.db.prepare_cached("SELECT EXISTS (SELECT 1 FROM event)")?.query_row([], |row| row.get(0))?;
        Ok(!any)
    }

    /// How far each declared or dormant route is settled, for the ring's superblock: its cursors, moved over the rows
    /// that were deleted otherwise (evicted, expired, wiped), so that those do not come back from a damaged file
    /// either.
    pub(crate) fn settled(&self) -> Result<Vec<super::Settled>> {
        let last = self.memory.next_seq().saturating_sub(1);
        let mut before = [last; 4];
        for (lane, before) in before.iter_mut().enumerate() {
            let first: Option<i64> = self
                .db
                .prepare_cached("SELECT seq FROM event WHERE lane = ?1 ORDER BY seq LIMIT 1")?
                .query_row([lane as i64], |row| row.get(0))
                .optional()?;
            if let Some(first) = first {
                *before = unsigned(first).saturating_sub(1);
            }
        }
        let settled = self.memory.routes.iter().filter(|route| !route.is_target_placeholder()).map(|route| {
            let mut lanes = route.cursors;
            for (cursor, before) in lanes.iter_mut().zip(before) {
                *cursor = (*cursor).max(before).min(PASSED);
            }
            let sending = route.inflight.as_ref().filter(|batch| batch.state == InflightState::Sending);
            super::Settled {
                route: route.name.to_string(),
                hash: super::route_hash(&route.name),
                lanes,
                sending: sending.and_then(|batch| batch.rows.iter().map(|row| row.seq).max()).unwrap_or(0),
            }
        });
        Ok(settled.collect())
    }
}
