//! Evicting rows before they are delivered, counted for each route that still held them; and the size cap.

use super::error::Result;
use super::ledger::LedgerChanges;
use super::memory::{InFlight, PASSED, PLACEHOLDER, Route, floor, signed, unsigned};
use super::routes::{DEAD, DONE, RETRY};
use super::schema::{PAGE_BYTES, ROW, Read, read_row};
use super::types::Now;
use super::{Store, Tx};
use crate::kind::Kind;
use crate::reason::Reason;
use crate::row::Row;
use rusqlite::{Connection, OptionalExtension, params};

/// Eviction continues until the file is this share of its cap below it (one sixteenth), so that a full queue evicts
/// once in some thousand rows and not with every commit.
const HEADROOM: u64 = 16;

/// Rows evicted in one transaction: some 0.5 ms.
const CHUNK: usize = 256;

/// Lanes whose rows may be given up, in this order. Never a crash.
pub(super) const LANES: [usize; 3] = [3, 2, 1];

/// Transactions in one call: more rows than one commit of the fold stores.
const CHUNKS: usize = 16;

/// Bytes that a row takes in the file beside its JSON: the other columns, its place in the page and in the index.
const ROW_BYTES: u64 = 120;

/// Sweeps before one eviction.
const SWEEPS: usize = 8;

/// Rows that one eviction reads to find those that only idle routes hold.
const IDLE_LOOKS: usize = 2_048;

/// Rows read at once.
const PORTION: usize = 64;

/// The rows evicted in one transaction lie within this many bytes of rows, so that all rows left among them can be
/// packed: some 3 ms and 70 pages of the log.
const REPACK_BYTES: u64 = 256 * 1024;

/// Whether a route wants a row. Decides whether a row that the route has not settled counts as lost or as unwanted.
pub(crate) type Wants<'a> = &'a dyn Fn(&str, &Row) -> bool;

/// Whether a row that this route has not settled counts as lost when it is deleted.
pub(super) fn is_wanted(wants: Wants<'_>, route: &str, row: &Row) -> bool {
    route == PLACEHOLDER || wants(route, row)
}

/// A row that is about to be deleted.
pub(super) struct RowToDelete {
    pub(super) seq: u64,
    pub(super) lane: u8,
    pub(super) kind: Option<Kind>,
    /// `None` = it cannot be read. Then every route counts as wanting it.
    pub(super) row: Option<Row>,
}

impl RowToDelete {
    pub(super) fn of(row: Row) -> RowToDelete {
        RowToDelete { seq: row.seq, lane: row.kind.lane().number(), kind: Some(row.kind), row: Some(row) }
    }
}

/// Rows picked for one transaction.
#[derive(Default)]
struct Picked {
    most: usize,
    most_bytes: u64,
    bytes: u64,
    rows: Vec<RowToDelete>,
}

impl Picked {
    fn is_full(&self) -> bool {
        self.rows.len() >= self.most || self.bytes >= self.most_bytes
    }

    fn push(&mut self, to_delete: RowToDelete) {
        let json = to_delete.row.as_ref().map_or(0, |row| row.json.len() as u64);
        self.bytes = self.bytes.saturating_add(ROW_BYTES + json);
        self.rows.push(to_delete);
    }
}

impl Store {
    /// Bytes of used pages. The size cap limits these.
    pub(crate) fn used_bytes(&self) -> Result<u64> {
        used_bytes(&self.db)
    }

    /// Evicts rows once the file is over its cap, until it is a sixteenth below it. Rows that only idle routes
    /// (dormant, or named in `idle_routes` because they are stopped) still hold go first, then lanes 3, 2 and 1, the
    /// oldest first. A row of lane 0 is never evicted, nor one of a batch that is pinned (see [`Store::pin`]). One call
    /// does a bounded amount of work. Returns the number of rows evicted.
    pub(crate) fn evict(&mut self, wants: Wants<'_>, idle_routes: &[String], now: Now) -> Result<usize> {
        let cap = self.options.cap_bytes;
        if self.used_bytes()? <= cap {
            return Ok(0);
        }
        let target = cap.saturating_sub(cap / HEADROOM);
        let mut evicted = 0;
        for _ in 0..CHUNKS {
            let over = self.used_bytes()?.saturating_sub(target);
            if over == 0 {
                break;
            }
            let picked = Picked { most: CHUNK, most_bytes: over, ..Picked::default() };
            let chunk = self.evict_picked(picked, &LANES, Reason::EvictedBytes, wants, idle_routes, now)?;
            evicted += chunk;
            if chunk == 0 {
                break;
            }
            if self.must_checkpoint() {
                self.checkpoint()?;
            }
        }
        Ok(evicted)
    }

    /// Evicts up to `most` rows in the order of [`Store::evict`].
    pub(super) fn evict_some(
        &mut self,
        most: usize,
        lanes: &[usize],
        reason: Reason,
        wants: Wants<'_>,
        idle_routes: &[String],
        now: Now,
    ) -> Result<usize> {
        let picked = Picked { most, most_bytes: u64::MAX, ..Picked::default() };
        self.evict_picked(picked, lanes, reason, wants, idle_routes, now)
    }

    fn evict_picked(
        &mut self,
        mut picked: Picked,
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
            // Rows that no route needs go first. If many remain, deleting these is enough for one call.
            for _ in 0..SWEEPS {
                if tx.sweep()? {
                    break;
                }
            }
            if active.len() < tx.memory.routes.len() {
                for lane in lanes.iter().copied() {
                    tx.held_by_idle_routes(lane, passed.get(lane).copied().unwrap_or(0), &active, &mut picked)?;
                }
            }
            for lane in lanes.iter().copied() {
                tx.oldest(lane, (0, PASSED), &[], usize::MAX, &mut picked)?;
            }
            let mut to_delete = picked.rows;
            tx.keep_close(&mut to_delete, REPACK_BYTES)?;
            tx.take_away(&to_delete, reason, Some(wants), now)?;
            tx.repack_if_smaller(&to_delete)?;
            Ok(to_delete.len())
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
    /// Adds rows of a lane up to `up_to`, which all active routes have passed, that no active route holds by an
    /// exception. The search reads a bounded number of rows and continues in the next call where this one ends, so that
    /// many parked rows do not make each eviction slow.
    fn held_by_idle_routes(&mut self, lane: usize, up_to: u64, active: &[i64], picked: &mut Picked) -> Result<()> {
        let from = self.memory.idle.get(lane).copied().unwrap_or(0);
        let stopped = self.oldest(lane, (from, up_to), active, IDLE_LOOKS, picked)?;
        if let Some(idle) = self.memory.idle.get_mut(lane) {
            *idle = stopped;
        }
        Ok(())
    }

    /// Picks the oldest rows of a lane with `after < seq <= up_to` that no exception of `active` names and that no
    /// batch pins. Returns the last row read, 0 at the end of the lane.
    fn oldest(
        &mut self,
        lane: usize,
        (mut after, up_to): (u64, u64),
        active: &[i64],
        mut looks: usize,
        picked: &mut Picked,
    ) -> Result<u64> {
        let known = picked.rows.len();
        while !picked.is_full() && looks > 0 {
            let mut portion = Vec::with_capacity(PORTION);
            let mut select = self.db.prepare_cached(&format!(
                "SELECT {ROW} FROM event WHERE lane = ?1 AND seq > ?2 AND seq <= ?3 ORDER BY seq LIMIT ?4"
            ))?;
            let mut rows = select.query(params![lane as i64, signed(after), signed(up_to), PORTION as i64])?;
            while let Some(row) = rows.next()? {
                portion.push(read_row(row)?);
            }
            let last = portion.len() < PORTION;
            looks = looks.saturating_sub(portion.len());
            for read in portion {
                if picked.is_full() {
                    return Ok(after);
                }
                let next = match read {
                    Read::Good(row) => RowToDelete::of(row),
                    Read::Bad(seq, kind) => RowToDelete { seq, lane: lane as u8, kind, row: None },
                };
                after = next.seq;
                let found = picked.rows.iter().take(known).any(|other| other.seq == next.seq);
                if found || self.memory.is_pinned(next.seq) || self.named_by(next.seq, active)? {
                    continue;
                }
                picked.push(next);
            }
            if last {
                return Ok(0);
            }
        }
        Ok(after)
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

    /// Removes rows from the end of `picked` until all of it lies within `most_bytes` of rows that begin with its first
    /// one. Evicting a row frees no page unless the rows around it are packed, and only so many are packed at once.
    fn keep_close(&mut self, picked: &mut Vec<RowToDelete>, most_bytes: u64) -> Result<()> {
        let Some(first) = picked.first().map(|row| row.seq) else { return Ok(()) };
        let last = picked.iter().map(|row| row.seq).max().unwrap_or(first);
        let (mut bytes, mut end) = (0, last);
        let mut select = self
            .db
            .prepare_cached("SELECT seq, octet_length(json) FROM event WHERE seq >= ?1 AND seq <= ?2 ORDER BY seq")?;
        let mut rows = select.query(params![signed(first), signed(last)])?;
        while let Some(row) = rows.next()? {
            bytes += ROW_BYTES + unsigned(row.get(1)?);
            if bytes > most_bytes {
                break;
            }
            end = unsigned(row.get(0)?);
        }
        let close = picked.iter().position(|row| !(first..=end).contains(&row.seq)).unwrap_or(picked.len());
        for row in picked.drain(close.max(1)..) {
            // The next search of the idle routes' rows must find them again: a lane is evicted in its order.
            if let Some(idle) = self.memory.idle.get_mut(usize::from(row.lane)) {
                *idle = (*idle).min(row.seq.saturating_sub(1));
            }
        }
        Ok(())
    }

    /// Deletes rows whose checksum is wrong.
    pub(super) fn corrupt(&mut self, seqs: &[u64], now: Now) -> Result<()> {
        let mut to_delete = Vec::with_capacity(seqs.len());
        for seq in seqs {
            let found = self
                .db
                .prepare_cached("SELECT lane, kind FROM event WHERE seq = ?1")?
                .query_row([signed(*seq)], |row| {
                    let kind = row.get::<_, String>(1).ok().and_then(|kind| Kind::parse(&kind));
                    Ok((row.get::<_, i64>(0).unwrap_or(3).clamp(0, 3) as u8, kind))
                })
                .optional()?;
            to_delete.extend(found.map(|(lane, kind)| RowToDelete { seq: *seq, lane, kind, row: None }));
        }
        self.take_away(&to_delete, Reason::CorruptRow, None, now)
    }

    /// Deletes rows and counts them for each route that has not settled them: under `reason` if the route wants them,
    /// else as unwanted; a dead letter under its own reason. Removes them from batches in flight.
    pub(super) fn take_away(
        &mut self,
        to_delete: &[RowToDelete],
        reason: Reason,
        wants: Option<Wants<'_>>,
        now: Now,
    ) -> Result<()> {
        if to_delete.is_empty() {
            return Ok(());
        }
        let mut ledger = LedgerChanges::default();
        let mut exceptions = Vec::new();
        // There are usually none: one search for all rows instead of one for each.
        let any: bool =
            self.db.prepare_cached("SELECT EXISTS (SELECT 1 FROM exception)")?.query_row([], |row| row.get(0))?;
        for row in to_delete {
            exceptions.clear();
            if any {
                let mut select = self.db.prepare_cached("SELECT route, state, reason FROM exception WHERE seq = ?1")?;
                let mut rows = select.query([signed(row.seq)])?;
                while let Some(exception) = rows.next()? {
                    let (route, state): (i64, i64) = (exception.get(0)?, exception.get(1)?);
                    let own = exception.get::<_, Option<String>>(2)?.and_then(|own| Reason::parse(&own));
                    exceptions.push((route, state, own.filter(|_| state == DEAD)));
                }
            }
            for (route, _, own) in exceptions.iter().filter(|(_, state, _)| *state != DONE) {
                ledger.lost(*route, row.kind, own.unwrap_or(reason), 1);
            }
            for route in &self.memory.routes {
                if route.passed(row.lane, row.seq) || exceptions.iter().any(|(number, ..)| *number == route.number) {
                    continue;
                }
                if wants.zip(row.row.as_ref()).is_none_or(|(wants, row)| is_wanted(wants, &route.name, row)) {
                    ledger.lost(route.number, row.kind, reason, 1);
                } else {
                    ledger.unwanted(route.number, 1);
                }
            }
            for (route, ..) in exceptions.iter().filter(|(_, state, _)| *state == RETRY) {
                self.memory.count_parked(*route, row.lane, -1);
            }
            if !exceptions.is_empty() {
                self.db.prepare_cached("DELETE FROM exception WHERE seq = ?1")?.execute([signed(row.seq)])?;
            }
            let deleted = self.db.prepare_cached("DELETE FROM event WHERE seq = ?1")?.execute([signed(row.seq)])?;
            self.memory.rows_deleted(deleted);
        }
        ledger.write(self, now)?;
        self.forget_in_flight(&|seq| to_delete.iter().any(|row| row.seq == seq))
    }

    /// Removes deleted rows from the batches in flight. Such a batch cannot be sent again as it was: it is released,
    /// or, if it is pinned, settled without these rows.
    pub(super) fn forget_in_flight(&mut self, gone: &dyn Fn(u64) -> bool) -> Result<()> {
        for route in self.memory.routes.clone() {
            let Some(batch) = route.inflight else { continue };
            if !batch.rows.iter().any(|row| gone(row.seq)) {
                continue;
            }
            if batch.is_pinned() {
                let mut batch = InFlight::clone(&batch);
                batch.rows.retain(|row| !gone(row.seq));
                batch.encoder = None;
                self.put_in_flight(route.number, batch)?;
            } else {
                self.out_of_flight(route.number)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Bench, NOW, ROUTE, all, receipt};
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
    fn rows_held_only_by_a_stopped_or_dormant_route_are_evicted_first() {
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
    fn rows_that_wait_for_a_resend_are_evicted_before_more_important_ones_and_the_batch_is_selected_anew() {
        let mut bench = Bench::new();
        let metrics = bench.add(&[Kind::Metric; 3]);
        let first = bench.lease(10).unwrap();
        let errors = bench.add(&[Kind::Error; 2]);
        let evict = |bench: &mut Bench| {
            let evicted = bench.store.evict_some(1, &LANES, Reason::EvictedBytes, &all, &[], NOW).unwrap();
            bench.check();
            (evicted, bench.seqs())
        };
        bench.store.retry(ROUTE, &receipt(503), None).unwrap();
        assert_eq!(evict(&mut bench), (1, [&metrics[1..], &errors[..]].concat()));
        let second = bench.lease(10).unwrap();
        assert_ne!(first.batch_id, second.batch_id);
        assert_eq!(second.rows.len(), 4);
        // The request is at the transport.
        assert_eq!(evict(&mut bench).0, 0);
        bench.settle(&second, &RowEnd::Delivered);
        assert!(bench.seqs().is_empty());
        let account = bench.account(ROUTE);
        assert_eq!((account.delivered, account.dropped["evicted_bytes"]), (4, 1));
    }

    #[test]
    fn rows_of_a_pinned_or_sending_batch_stay_and_those_of_a_dormant_route_do_not() {
        let mut bench = Bench::new();
        let rows = bench.add(&[Kind::Metric; 2]);
        bench.lease(10).unwrap();
        bench.store.retry(ROUTE, &receipt(503), None).unwrap();
        bench.store.pin(ROUTE, true);
        let evicted =
            |bench: &mut Bench| bench.store.evict_some(1, &LANES, Reason::EvictedBytes, &all, &[], NOW).unwrap();
        assert_eq!(evicted(&mut bench), 0);
        // Until the delivery thread has loaded the route, the results of some rows may be known.
        let mut bench = bench.crash();
        assert_eq!(evicted(&mut bench), 0);
        bench.store.pin(ROUTE, false);
        bench.store.sending(ROUTE).unwrap();
        assert_eq!(evicted(&mut bench), 0);
        bench.store.retry(ROUTE, &receipt(503), None).unwrap();
        bench.store.pin(ROUTE, true);
        bench.store.retire("main", NOW).unwrap();
        assert_eq!((evicted(&mut bench), bench.seqs()), (1, vec![rows[1]]));
        bench.check();
    }

    #[test]
    fn failed_attempts_do_not_fill_the_queue_with_receipts() {
        let mut bench = Bench::new();
        bench.add(&[Kind::Metric; 500]);
        bench.lease(500).unwrap();
        let before = bench.store.used_bytes().unwrap();
        for attempt in 0..100 {
            bench.store.retry(ROUTE, &receipt(503), None).unwrap();
            if attempt % 2 == 0 {
                bench.store.release(ROUTE, Some(&receipt(0)), None).unwrap();
            }
            bench.lease(500).unwrap();
        }
        let grown = bench.store.used_bytes().unwrap() - before;
        assert!(grown < 64 * 1024, "{grown} bytes");
    }

    #[test]
    fn rows_at_the_transport_are_not_evicted_and_unwanted_ones_are_not_counted_as_lost() {
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
    fn a_dead_letter_that_is_evicted_is_counted_under_its_own_reason() {
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
        let (used, target) = (bench.store.used_bytes().unwrap(), cap_bytes - cap_bytes / HEADROOM);
        assert!(used <= target && used > target - 16 * 1024, "{used} of {target}");
        bench.check();
    }

    #[test]
    fn a_queue_at_its_cap_evicts_only_once_in_many_commits() {
        let mut bench = Bench::new();
        let json = format!("\"{}\"", "x".repeat(500));
        for _ in 0..10 {
            bench.add_for(&[Kind::Metric; 100], &[], &json);
        }
        let cap_bytes = bench.store.used_bytes().unwrap();
        bench.store.set_options(Options { cap_bytes, ..Options::default() });
        let mut evictions = 0;
        for _ in 0..60 {
            bench.add_for(&[Kind::Metric; 10], &[], &json);
            evictions += u32::from(bench.store.evict(&all, &[], NOW).unwrap() > 0);
        }
        assert!((1..=15).contains(&evictions), "{evictions} evictions in 60 commits");
        bench.check();
    }

    #[test]
    fn large_rows_are_not_evicted_far_below_the_cap() {
        let mut bench = Bench::new();
        for _ in 0..40 {
            bench.add_for(&[Kind::Metric], &[], &format!("\"{}\"", "x".repeat(60_000)));
        }
        let cap_bytes = bench.store.used_bytes().unwrap() - 1;
        bench.store.set_options(Options { cap_bytes, ..Options::default() });
        let evicted = bench.store.evict(&all, &[], NOW).unwrap();
        assert!((2..=4).contains(&evicted), "{evicted} of 40 went for a sixteenth");
    }

    #[test]
    fn rows_held_only_by_an_idle_route_are_found_behind_many_parked_rows() {
        let mut bench = Bench::new();
        bench.store.declare("idle", &["x"], From::Oldest, NOW).unwrap();
        bench.add(&[Kind::ApiCall; 3_000]);
        while bench.lease_without(1_000, &[Kind::ApiCall]).is_some() || bench.store.lease_again(ROUTE) {}
        let done = bench.add(&[Kind::Message]);
        let lease = bench.lease_without(1, &[Kind::ApiCall]).unwrap();
        bench.settle(&lease, &RowEnd::Delivered);
        bench.store.retire("idle", NOW).unwrap();
        bench.add(&[Kind::Metric; 3]);
        let steps = |bench: &mut Bench| {
            let (store, count) = super::super::testing::count_steps(&mut bench.store);
            store.evict_some(1, &LANES, Reason::EvictedBytes, &all, &[], NOW).unwrap();
            count()
        };
        let first = steps(&mut bench);
        assert!(bench.seqs().contains(&done[0]), "the first call looks at a part of the parked rows");
        assert!(first < 120_000, "{first} steps");
        steps(&mut bench);
        assert!(!bench.seqs().contains(&done[0]), "the second call continues where the first one stopped");
        bench.check();
    }

    #[test]
    fn a_row_of_an_idle_route_that_lies_too_far_away_for_one_eviction_is_the_first_of_the_next() {
        let mut bench = Bench::new();
        bench.store.declare("idle", &["x"], From::Oldest, NOW).unwrap();
        let near = bench.add(&[Kind::Metric]);
        bench.add_for(&[Kind::ApiCall; 30], &[], &format!("\"{}\"", "x".repeat(10_000)));
        let far = bench.add(&[Kind::Metric, Kind::Metric]);
        let lease = bench.lease(100).unwrap();
        bench.settle(&lease, &RowEnd::Delivered);
        bench.store.retire("idle", NOW).unwrap();
        for (most, left) in [(2, &far[..]), (1, &far[1..]), (1, &[])] {
            bench.store.evict_some(most, &LANES, Reason::EvictedBytes, &all, &[], NOW).unwrap();
            let seqs = bench.seqs();
            assert!(!seqs.contains(&near[0]));
            assert_eq!(far.iter().copied().filter(|seq| seqs.contains(seq)).collect::<Vec<_>>(), left);
            bench.check();
        }
    }

    #[test]
    fn an_eviction_never_makes_the_file_use_more_pages() {
        for (every, json) in [(2, 900), (7, 900), (20, 900), (7, 300), (50, 1_200)] {
            let mut bench = Bench::new();
            let kinds: Vec<Kind> =
                (0..300).map(|row| if row % every == 0 { Kind::Frames } else { Kind::Error }).collect();
            for part in kinds.chunks(30) {
                bench.add_for(part, &[], &format!("\"{}\"", "x".repeat(json)));
            }
            let mut used = bench.store.used_bytes().unwrap();
            while bench.store.evict_some(2, &[3], Reason::EvictedBytes, &all, &[], NOW).unwrap() > 0 {
                let now = bench.store.used_bytes().unwrap();
                assert!(now <= used, "1 in {every}, {json} bytes: {used} bytes became {now}");
                used = now;
            }
        }
    }

    #[test]
    fn evicting_rows_from_mixed_pages_frees_about_their_size() {
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
            let freed = before - bench.store.used_bytes().unwrap();
            // A row takes some 600 bytes in a page.
            assert!(evicted as u64 * 600 < freed * 2, "{evicted} rows went, {freed} bytes are free");
            bench.check();
            assert_eq!(bench.seqs().len(), 2_500 - evicted);
        }
    }

    #[test]
    fn a_full_disk_takes_few_rows_from_mixed_pages_and_frees_about_their_bytes() {
        // One row in `every` is of lane 3. Its JSON has `json` bytes, the queue `rows` rows. Freeing 16 KiB may take
        // `most` rows, and deleting the whole lane must free `pages` pages.
        for (every, json, rows, most, pages) in [
            (7, 900, 675, 50, 20),
            (7, 5_000, 300, 12, 40),
            (3, 900, 675, 64, 50),
            (20, 900, 675, 34, 3),
            (50, 900, 1_500, 30, 2),
        ] {
            let mut bench = Bench::new();
            let kinds: Vec<Kind> =
                (0..rows).map(|row| if row % every == 0 { Kind::Frames } else { Kind::Error }).collect();
            for part in kinds.chunks(30) {
                bench.add_for(part, &[], &format!("\"{}\"", "x".repeat(json)));
            }
            let used = |bench: &Bench| bench.store.used_bytes().unwrap() / PAGE_BYTES;
            let (before, case) = (used(&bench), format!("1 in {every}, {json} bytes, {rows} rows"));
            assert!(bench.store.make_room(16 * 1024, &[3, 2], &all, NOW).unwrap(), "{case}");
            let taken = rows - bench.seqs().len();
            assert!(taken <= most, "{case}: {taken} rows were given up for 16 KiB");
            bench.store.make_room(1 << 20, &[3, 2], &all, NOW).unwrap();
            let freed = before - used(&bench);
            assert!(freed >= pages, "{case}: the lane freed {freed} pages");
            bench.check();
            assert_eq!(rows - bench.seqs().len(), rows.div_ceil(every), "{case}: errors stay");
        }
    }

    #[test]
    fn the_superblock_records_evicted_rows_as_settled() {
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
