//! Taking rows away before they were delivered, so that every route's account stays right; and the size cap.

use super::error::Result;
use super::ledger::Books;
use super::memory::{InFlight, PLACEHOLDER, Route, floor, signed, unsigned};
use super::routes::{DEAD, DONE};
use super::schema::{PAGE_BYTES, ROW, Read, read_row};
use super::types::Now;
use super::{Store, Tx};
use crate::kind::Kind;
use crate::reason::Reason;
use crate::row::Row;
use rusqlite::{Connection, OptionalExtension, params};

/// Rows evicted in one transaction: some 0.5 ms.
const CHUNK: usize = 64;

/// Lanes whose rows may be given up, in this order. Never a crash.
pub(super) const LANES: [usize; 3] = [3, 2, 1];

/// Transactions in one call.
const CHUNKS: usize = 8;

/// Most rows packed after a chunk: some 2 ms.
const REPACK: usize = 512;

/// Most bytes of them: on a full disk the log must have room for it.
const REPACK_BYTES: u64 = 128 * 1024;

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
            let chunk = self.evict_some(CHUNK, &LANES, Reason::EvictedBytes, wants, idle_routes, now)?;
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
        lanes: &[usize],
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
                for lane in lanes.iter().copied() {
                    let up_to = passed.get(lane).copied().unwrap_or(0);
                    tx.oldest(lane, up_to, &active, most, &mut going)?;
                }
            }
            for lane in lanes.iter().copied() {
                tx.oldest(lane, super::memory::PASSED, &[], most, &mut going)?;
            }
            tx.take_away(&going, reason, Some(wants), now)?;
            tx.repack(&going)?;
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
        let mut select = self.db.prepare_cached("SELECT route FROM exception WHERE seq = ?1 AND state IN (1, 2)")?;
        let mut rows = select.query([signed(seq)])?;
        while let Some(row) = rows.next()? {
            if routes.contains(&row.get::<_, i64>(0)?) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Packs the rows around those that went: lanes lie mixed in the pages, and SQLite joins two pages only when one is
    /// two thirds empty, so that without this a whole lane could go before a single page came free.
    fn repack(&self, gone: &[Going]) -> Result<()> {
        let (Some(first), Some(last)) = (gone.iter().map(|row| row.seq).min(), gone.iter().map(|row| row.seq).max())
        else {
            return Ok(());
        };
        let (mut bytes, mut until) = (0, signed(first));
        {
            let mut select = self.db.prepare_cached(
                "SELECT seq, octet_length(json) FROM event WHERE seq BETWEEN ?1 AND ?2 ORDER BY seq LIMIT ?3",
            )?;
            let mut rows = select.query(params![signed(first), signed(last), REPACK as i64])?;
            while let Some(row) = rows.next()? {
                bytes += unsigned(row.get(1)?);
                if bytes > REPACK_BYTES {
                    break;
                }
                until = row.get(0)?;
            }
        }
        let last = until;
        self.db.prepare_cached("CREATE TEMP TABLE IF NOT EXISTS repack AS SELECT * FROM event WHERE 0")?.execute([])?;
        for step in [
            "INSERT INTO temp.repack SELECT * FROM event WHERE seq BETWEEN ?1 AND ?2",
            "DELETE FROM event WHERE seq BETWEEN ?1 AND ?2",
            "INSERT INTO event SELECT * FROM temp.repack WHERE seq BETWEEN ?1 AND ?2 ORDER BY seq",
            "DELETE FROM temp.repack WHERE seq BETWEEN ?1 AND ?2",
        ] {
            self.db.prepare_cached(step)?.execute(params![signed(first), last])?;
        }
        Ok(())
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
                    exceptions.push((route, state, own.filter(|_| state == DEAD)));
                }
            }
            for (route, _, own) in exceptions.iter().filter(|(_, state, _)| *state != DONE) {
                books.lost(*route, row.kind, own.unwrap_or(reason), 1);
            }
            for route in &self.memory.routes {
                if route.passed(row.lane, row.seq) || exceptions.iter().any(|(number, ..)| *number == route.number) {
                    continue;
                }
                let wanted = match (wants, &row.row) {
                    (Some(wants), Some(row)) => &*route.name == PLACEHOLDER || wants(&route.name, row),
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

#[cfg(test)]
mod tests {
    use super::super::testing::{Bench, NOW, ROUTE, all};
    use super::super::{From, Options, RowEnd};
    use super::*;

    fn full(bench: &mut Bench) {
        bench.store.set_options(Options { cap_bytes: 0, ..Options::default() });
    }

    #[test]
    fn eviction_takes_the_least_important_and_oldest_first_and_never_a_crash() {
        let mut bench = Bench::new();
        let crash = bench.add(&[Kind::Crash]);
        let error = bench.add(&[Kind::Error]);
        let call = bench.add(&[Kind::ApiCall]);
        let metric = bench.add(&[Kind::Metric, Kind::Metric]);
        let mut order = Vec::new();
        loop {
            let before = bench.seqs();
            if bench.store.evict_some(1, &LANES, Reason::EvictedBytes, &all, &[], NOW).unwrap() == 0 {
                break;
            }
            bench.check();
            let after = bench.seqs();
            order.extend(before.into_iter().filter(|seq| !after.contains(seq)));
        }
        assert_eq!(order, [metric[0], metric[1], call[0], error[0]]);
        assert_eq!(bench.seqs(), crash);
        assert_eq!(bench.account(ROUTE).dropped["evicted_bytes"], 4);
    }

    #[test]
    fn what_only_a_stopped_or_dormant_route_holds_goes_first() {
        for stopped in [true, false] {
            let mut bench = Bench::new();
            bench.store.declare("idle", &["x"], From::Oldest, NOW).unwrap();
            let done = bench.add(&[Kind::Error]);
            let lease = bench.lease(10).unwrap();
            bench.settle(&lease, &RowEnd::Delivered);
            let metric = bench.add(&[Kind::Metric]);
            let idle = if stopped { vec!["idle/x".to_string()] } else { Vec::new() };
            if !stopped {
                bench.store.retire("idle", NOW).unwrap();
            }
            bench.store.evict_some(1, &LANES, Reason::EvictedBytes, &all, &idle, NOW).unwrap();
            assert_eq!(bench.seqs(), metric, "{done:?} was only wanted by the idle route");
            bench.check();
            assert_eq!(bench.account("idle/x").dropped["evicted_bytes"], 1);
            assert!(bench.account(ROUTE).dropped.is_empty());
        }
    }

    #[test]
    fn rows_in_flight_are_not_evicted_and_unwanted_ones_are_not_called_lost() {
        let mut bench = Bench::new();
        let rows = bench.add(&[Kind::Error, Kind::ApiCall]);
        bench.lease(1).unwrap();
        full(&mut bench);
        let evicted = bench.store.evict(&|_, _| false, &[], NOW).unwrap();
        assert_eq!((evicted, bench.seqs()), (1, vec![rows[0]]));
        bench.check();
        assert_eq!((bench.account(ROUTE).unwanted, bench.account(ROUTE).dropped.len()), (1, 0));
    }

    #[test]
    fn a_dead_letter_that_is_evicted_is_booked_under_its_own_reason() {
        let mut bench = Bench::new();
        bench.add(&[Kind::Error]);
        let lease = bench.lease(1).unwrap();
        bench.settle(&lease, &RowEnd::Dead { reason: Reason::Poison, status: 400, note: String::new() });
        full(&mut bench);
        assert_eq!(bench.store.evict(&all, &[], NOW).unwrap(), 1);
        bench.check();
        assert_eq!(bench.account(ROUTE).dropped["poison"], 1);
    }

    #[test]
    fn eviction_stops_at_the_cap() {
        let mut bench = Bench::new();
        for _ in 0..10 {
            bench.add_for(&[Kind::Metric; 100], &[], &format!("\"{}\"", "x".repeat(500)));
        }
        let cap_bytes = bench.store.used_bytes().unwrap() / 2;
        bench.store.set_options(Options { cap_bytes, ..Options::default() });
        while bench.store.evict(&all, &[], NOW).unwrap() > 0 {}
        let used = bench.store.used_bytes().unwrap();
        assert!(used <= cap_bytes && used > cap_bytes - 64 * 1_000, "{used} of {cap_bytes}");
        bench.check();
    }

    #[test]
    fn eviction_from_mixed_pages_frees_about_what_it_takes() {
        for mix in
            [&[Kind::Metric, Kind::Error][..], &[Kind::Metric, Kind::Error, Kind::Error, Kind::Error, Kind::Error]]
        {
            let mut bench = Bench::new();
            for _ in 0..50 {
                let kinds: Vec<Kind> = mix.iter().copied().cycle().take(50).collect();
                bench.add_for(&kinds, &[], &format!("\"{}\"", "x".repeat(500)));
            }
            let before = bench.store.used_bytes().unwrap();
            let cap_bytes = before - 100 * 1024;
            bench.store.set_options(Options { cap_bytes, ..Options::default() });
            let mut evicted = 0;
            loop {
                match bench.store.evict(&all, &[], NOW).unwrap() {
                    0 => break,
                    n => evicted += n,
                }
            }
            // A row takes some 600 bytes in a page.
            assert!(evicted * 600 < 250 * 1024, "{evicted} rows went");
            bench.check();
            assert_eq!(bench.seqs().len(), 2_500 - evicted);
        }
    }

    #[test]
    fn evicted_rows_are_past_in_the_superblock() {
        let mut bench = Bench::new();
        let rows = bench.add(&[Kind::Metric, Kind::Metric, Kind::Metric]);
        bench.store.evict_some(2, &LANES, Reason::EvictedBytes, &all, &[], NOW).unwrap();
        let settled = bench.store.settled().unwrap();
        assert_eq!(settled[0].lanes[3], rows[1]);
        bench.store.evict_some(1, &LANES, Reason::EvictedBytes, &all, &[], NOW).unwrap();
        assert_eq!(bench.store.settled().unwrap()[0].lanes[3], rows[2]);
        assert_eq!(settled[0].hash, super::super::route_hash(ROUTE));
    }
}
