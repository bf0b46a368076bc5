//! Queries: the balance, the state of each route, the fate of an event. The app's own writer runs them, and, through
//! [`Reader`], the inspector while the app writes.

use super::error::{Result, StoreError};
use super::evict::used_bytes;
use super::memory::{InFlight, Memory, PASSED, Route, signed, unsigned};
use super::parked::{EXCEPTION, Exception};
use super::results::{Balance, Fate, KindBalance, Overview, RouteBalance, RouteFate, RouteView, RowState};
use super::routes::{DEAD, DONE};
use super::schema::{self, ROW, Read, read_row};
use super::settle::DELIVERED;
use super::types::InflightState;
use super::{FILE, Store, Tx};
use crate::id::EventId;
use crate::row::{Row, Run};
use rusqlite::{Connection, OptionalExtension, params};
use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::Path;

/// A read-only view of the queue of another process.
#[derive(Debug)]
pub struct Reader {
    pub(super) db: Connection,
    live: bool,
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
        match schema::open_read_only(&path, log == LogState::Missing) {
            // A log without content in a folder that takes no new files.
            Err(StoreError::Unavailable(_)) if log == LogState::Empty => {
                Ok(Reader { db: schema::open_read_only(&path, true)?, live: false })
            }
            db => Ok(Reader { db: db?, live: log == LogState::InUse }),
        }
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

    /// Another number after a commit of another process.
    pub(crate) fn version(&self) -> Result<u64> {
        Ok(unsigned(self.db.query_row("SELECT data_version FROM pragma_data_version", [], |row| row.get(0))?))
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
    let mut select = db.prepare("SELECT reason, kind, n FROM gate ORDER BY 1, 2")?;
    let refused = select.query_map([], |row| Ok((row.get(0)?, row.get(1)?, unsigned(row.get(2)?))))?;
    overview.refused = refused.collect::<Result<_, _>>()?;
    for route in &memory.routes {
        overview.routes.push(route_view(db, route)?);
    }
    Ok(overview)
}

pub(super) fn route_view(db: &Connection, route: &Route) -> Result<RouteView> {
    let last = db
        .query_row(
            "SELECT at_ms, status, note FROM receipt WHERE route = ?1 ORDER BY number DESC LIMIT 1",
            [route.number],
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

/// Where a stored row is on one route; [`RowState::Passed`] when the route does not hold it.
pub(super) fn state_of(db: &Connection, route: &Route, seq: u64, lane: u8) -> Result<RowState> {
    let in_batch = |batch: &&std::sync::Arc<InFlight>| batch.rows.iter().any(|row| row.seq == seq);
    if let Some(batch) = route.inflight.as_ref().filter(in_batch) {
        return Ok(RowState::InFlight {
            batch_id: batch.batch_id.clone(),
            attempt: batch.attempt,
            sending: batch.state == InflightState::Sending,
        });
    }
    let mut select = db.prepare_cached(&format!("SELECT {EXCEPTION} FROM exception WHERE seq = ?1 AND route = ?2"))?;
    let mut rows = select.query(params![signed(seq), route.number])?;
    Ok(match rows.next()?.map(Exception::read).transpose()? {
        Some(Ok(letter)) if letter.state == DEAD => {
            RowState::Dead { reason: letter.reason, status: letter.status, note: letter.note }
        }
        Some(Ok(done)) if done.state == DONE => RowState::Passed,
        Some(Ok(parked)) => RowState::Parked { until_ms: parked.until_ms },
        Some(Err(_)) => RowState::Parked { until_ms: None },
        None if route.passed(lane, seq) => RowState::Passed,
        None => RowState::Queued,
    })
}

pub(super) fn fate(db: &Connection, memory: &Memory, id: EventId) -> Result<Fate> {
    let row = db.query_row(&format!("SELECT {ROW} FROM event WHERE id = ?1"), [id.to_string()], read_row).optional()?;
    let row = match row {
        Some(Read::Good(row)) => Some(row),
        _ => None,
    };
    let routes = fates(db, memory, &[(id, row.as_ref())])?.pop().unwrap_or_default();
    Ok(Fate { row, routes })
}

/// What happened to each of these events, per route. The row is that of an event that is stored.
pub(super) fn fates(
    db: &Connection,
    memory: &Memory,
    events: &[(EventId, Option<&Row>)],
) -> Result<Vec<Vec<RouteFate>>> {
    let mut all = vec![Vec::new(); events.len()];
    for route in &memory.routes {
        let mut states = Vec::with_capacity(events.len());
        for (_, row) in events {
            states.push(match row {
                Some(row) => Some(state_of(db, route, row.seq, row.kind.lane().number())?),
                None => None,
            });
        }
        let has_passed = |stored: &Option<RowState>| matches!(stored, None | Some(RowState::Passed));
        let passed = events.iter().zip(&states).filter(|(_, stored)| has_passed(stored)).map(|((id, _), _)| *id);
        let mut receipts = receipts_of(db, route, passed)?;
        for (((id, row), stored), fates) in events.iter().zip(states).zip(&mut all) {
            let paused = row.is_some_and(|row| row.is_paused_for(&route.destination));
            let state = match stored {
                Some(RowState::Passed | RowState::Queued) if paused => Some(RowState::Paused),
                Some(RowState::Passed) => Some(receipts.remove(id).unwrap_or(RowState::Passed)),
                None => receipts.remove(id),
                stored => stored,
            };
            fates.extend(state.map(|state| RouteFate { route: route.name.to_string(), state }));
        }
    }
    Ok(all)
}

/// The results of these events in the latest receipts that settle them.
fn receipts_of(
    db: &Connection,
    route: &Route,
    events: impl Iterator<Item = EventId>,
) -> Result<BTreeMap<EventId, RowState>> {
    let wanted: BTreeMap<String, EventId> = events.map(|id| (id.simple(), id)).collect();
    if wanted.is_empty() {
        return Ok(BTreeMap::new());
    }
    // For a single event, SQLite finds its receipts.
    let only = if wanted.len() == 1 { wanted.keys().next() } else { None };
    let mut select = db.prepare(
        "SELECT at_ms, status, outcomes FROM receipt WHERE route = ?1 AND (?2 IS NULL OR instr(outcomes, ?2) > 0)
         ORDER BY number DESC",
    )?;
    let mut rows = select.query(params![route.number, only])?;
    let mut states = BTreeMap::new();
    while let Some(row) = rows.next()? {
        let (at_ms, status, outcomes): (i64, u16, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
        let outcomes: BTreeMap<String, Vec<String>> = serde_json::from_str(&outcomes).unwrap_or_default();
        for (outcome, ids) in outcomes {
            let state = match outcome.as_str() {
                super::settle::KEPT => continue,
                DELIVERED => RowState::Delivered { at_ms, status },
                _ => RowState::Dropped { reason: outcome, at_ms, status },
            };
            for id in ids.iter().filter_map(|id| wanted.get(id)) {
                states.entry(*id).or_insert_with(|| state.clone());
            }
        }
    }
    Ok(states)
}

impl Store {
    /// Whether no row is left.
    pub(crate) fn is_empty(&self) -> Result<bool> {
        let any: bool =
            self.db.prepare_cached("SELECT EXISTS (SELECT 1 FROM event)")?.query_row([], |row| row.get(0))?;
        Ok(!any)
    }

    /// Rows that some route has not settled, as [`Store::settled`] reports them.
    pub(crate) fn unsettled(&self) -> Result<u64> {
        let settled = self.settled()?;
        let mut rows = 0;
        for lane in 0..4 {
            let floor = settled.iter().filter_map(|route| route.lanes.get(lane)).min().copied().unwrap_or(0);
            let mut count = self.db.prepare_cached("SELECT count(*) FROM event WHERE lane = ?1 AND seq > ?2")?;
            rows += unsigned(count.query_row(params![lane as i64, signed(floor)], |row| row.get(0))?);
        }
        Ok(rows)
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
