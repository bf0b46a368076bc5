//! Taking rows away before they were delivered, so that every route's account stays right; and the size cap.

use super::error::Result;
use super::ledger::Books;
use super::memory::{GHOST, InFlight, Route, floor, signed, unsigned};
use super::routes::DEAD;
use super::schema::{PAGE_BYTES, ROW, Read, read_row};
use super::types::Now;
use super::{Store, Tx};
use crate::kind::Kind;
use crate::reason::Reason;
use crate::row::Row;
use rusqlite::{Connection, OptionalExtension, params};

/// Rows evicted in one transaction: some 0.5 ms.
const CHUNK: usize = 64;

/// Transactions in one call.
const CHUNKS: usize = 8;

/// Whether a route wants a row; asked when a row goes that the route has not settled.
pub(crate) type Wants<'a> = &'a dyn Fn(&str, &Row) -> bool;

/// A row that goes.
pub(super) struct Going {
    pub(super) seq: u64,
    pub(super) lane: u8,
    pub(super) kind: Option<Kind>,
    /// `None` when it cannot be read: then it counts as wanted.
    pub(super) row: Option<Row>,
}

impl Going {
    pub(super) fn of(row: Row) -> Going {
        Going { seq: row.seq, lane: row.kind.lane().number(), kind: Some(row.kind), row: Some(row) }
    }
}

impl Store {
    /// Bytes of used pages: what the size cap is held against.
    pub(crate) fn used_bytes(&self) -> Result<u64> {
        used_bytes(&self.db)
    }

    /// While the file is over its cap: takes rows away, first those that only idle routes (dormant, or named in
    /// `idle_routes` because they are stopped) still hold, then lane 3, 2, 1, the oldest first. Never lane 0, never a
    /// row in flight. Does a bounded amount of work: call again while it answers more than 0.
    pub(crate) fn evict(&mut self, wants: Wants<'_>, idle_routes: &[String], now: Now) -> Result<usize> {
        let mut evicted = 0;
        for _ in 0..CHUNKS {
            if self.used_bytes()? <= self.options.cap_bytes {
                break;
            }
            let chunk = self.evict_some(CHUNK, Reason::EvictedBytes, wants, idle_routes, now)?;
            evicted += chunk;
            if chunk == 0 {
                break;
            }
        }
        Ok(evicted)
    }

    /// Takes up to `most` rows away, in the order of [`Store::evict`].
    pub(super) fn evict_some(
        &mut self,
        most: usize,
        reason: Reason,
        wants: Wants<'_>,
        idle_routes: &[String],
        now: Now,
    ) -> Result<usize> {
        let idle =
            |route: &&Route| route.dormant_since_ms.is_some() || idle_routes.iter().any(|name| **name == *route.name);
        let active: Vec<i64> =
            self.memory.routes.iter().filter(|route| !idle(route)).map(|route| route.number).collect();
        let passed = floor(self.memory.routes.iter().filter(|route| !idle(route)));
        self.write(false, |tx| {
            // What nobody needs goes first; if there is much of it, that is enough for one call.
            for _ in 0..CHUNKS {
                if tx.sweep()? {
                    break;
                }
            }
            let mut going = Vec::new();
            if active.len() < tx.memory.routes.len() {
                for lane in [3, 2, 1] {
                    let up_to = passed.get(lane).copied().unwrap_or(0);
                    tx.oldest(lane, up_to, &active, most, &mut going)?;
                }
            }
            for lane in [3, 2, 1] {
                tx.oldest(lane, super::memory::PASSED, &[], most, &mut going)?;
            }
            tx.take_away(&going, reason, Some(wants), now)?;
            Ok(going.len())
        })
    }
}

/// Bytes of used pages.
pub(super) fn used_bytes(db: &Connection) -> Result<u64> {
    let pages: i64 = db.prepare_cached("PRAGMA page_count")?.query_row([], |row| row.get(0))?;
    let free: i64 = db.prepare_cached("PRAGMA freelist_count")?.query_row([], |row| row.get(0))?;
    Ok(unsigned(pages.saturating_sub(free)).saturating_mul(PAGE_BYTES))
}

impl Tx<'_> {
    /// Adds the oldest rows of a lane up to `up_to` that none of `active` names in an exception and that are not in
    /// flight, until there are `most`.
    fn oldest(&mut self, lane: usize, up_to: u64, active: &[i64], most: usize, going: &mut Vec<Going>) -> Result<()> {
        let mut after = 0;
        while going.len() < most {
            let mut portion = Vec::with_capacity(CHUNK);
            let mut select = self.db.prepare_cached(&format!(
                "SELECT {ROW} FROM event WHERE lane = ?1 AND seq > ?2 AND seq <= ?3 ORDER BY seq LIMIT ?4"
            ))?;
            let mut rows = select.query(params![lane as i64, signed(after), signed(up_to), CHUNK as i64])?;
            while let Some(row) = rows.next()? {
                portion.push(read_row(row)?);
            }
            let last = portion.len() < CHUNK;
            for read in portion {
                if going.len() >= most {
                    break;
                }
                let next = match read {
                    Read::Good(row) => Going::of(row),
                    Read::Bad(seq, kind) => Going { seq, lane: lane as u8, kind, row: None },
                };
                after = next.seq;
                if self.memory.in_flight(next.seq)
                    || going.iter().any(|other| other.seq == next.seq)
                    || self.named_by(next.seq, active)?
                {
                    continue;
                }
                going.push(next);
            }
            if last {
                break;
            }
        }
        Ok(())
    }

    fn named_by(&self, seq: u64, routes: &[i64]) -> Result<bool> {
        if routes.is_empty() {
            return Ok(false);
        }
        let mut select = self.db.prepare_cached("SELECT route FROM exception WHERE seq = ?1")?;
        let mut rows = select.query([signed(seq)])?;
        while let Some(row) = rows.next()? {
            if routes.contains(&row.get::<_, i64>(0)?) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Deletes rows whose checksum is wrong.
    pub(super) fn corrupt(&mut self, seqs: &[u64], now: Now) -> Result<()> {
        let mut going = Vec::with_capacity(seqs.len());
        for seq in seqs {
            let found = self
                .db
                .prepare_cached("SELECT lane, kind FROM event WHERE seq = ?1")?
                .query_row([signed(*seq)], |row| {
                    let kind = row.get::<_, String>(1).ok().and_then(|kind| Kind::parse(&kind));
                    Ok((row.get::<_, i64>(0).unwrap_or(3).clamp(0, 3) as u8, kind))
                })
                .optional()?;
            going.extend(found.map(|(lane, kind)| Going { seq: *seq, lane, kind, row: None }));
        }
        self.take_away(&going, Reason::CorruptRow, None, now)
    }

    /// Deletes rows and books them for each route that has not settled them: `reason` if it wants them, else
    /// unwanted; a dead letter under its own reason. Batches in flight forget them.
    pub(super) fn take_away(
        &mut self,
        going: &[Going],
        reason: Reason,
        wants: Option<Wants<'_>>,
        now: Now,
    ) -> Result<()> {
        if going.is_empty() {
            return Ok(());
        }
        let mut books = Books::default();
        let mut exceptions = Vec::new();
        for row in going {
            exceptions.clear();
            {
                let mut select = self.db.prepare_cached("SELECT route, state, reason FROM exception WHERE seq = ?1")?;
                let mut rows = select.query([signed(row.seq)])?;
                while let Some(exception) = rows.next()? {
                    let (route, state): (i64, i64) = (exception.get(0)?, exception.get(1)?);
                    let own = exception.get::<_, Option<String>>(2)?.and_then(|own| Reason::parse(&own));
                    exceptions.push((route, own.filter(|_| state == DEAD)));
                }
            }
            for (route, own) in &exceptions {
                books.lost(*route, row.kind, own.unwrap_or(reason), 1);
            }
            for route in &self.memory.routes {
                if route.passed(row.lane, row.seq) || exceptions.iter().any(|(number, _)| *number == route.number) {
                    continue;
                }
                let wanted = match (wants, &row.row) {
                    (Some(wants), Some(row)) => &*route.name == GHOST || wants(&route.name, row),
                    _ => true,
                };
                if wanted {
                    books.lost(route.number, row.kind, reason, 1);
                } else {
                    books.unwanted(route.number, 1);
                }
            }
            if !exceptions.is_empty() {
                self.db.prepare_cached("DELETE FROM exception WHERE seq = ?1")?.execute([signed(row.seq)])?;
            }
            self.db.prepare_cached("DELETE FROM event WHERE seq = ?1")?.execute([signed(row.seq)])?;
        }
        books.write(self, now)?;
        self.forget_in_flight(&|seq| going.iter().any(|row| row.seq == seq))
    }

    /// Takes rows that are gone out of the batches in flight, which can then not be sent again as they were.
    pub(super) fn forget_in_flight(&mut self, gone: &dyn Fn(u64) -> bool) -> Result<()> {
        for route in self.memory.routes.clone() {
            let Some(batch) = route.inflight else { continue };
            if batch.rows.iter().any(|row| gone(row.seq)) {
                let mut batch = InFlight::clone(&batch);
                batch.rows.retain(|row| !gone(row.seq));
                batch.encoder = None;
                self.put_in_flight(route.number, batch)?;
            }
        }
        Ok(())
    }
}
