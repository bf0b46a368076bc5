//! Cutting a batch, and giving the same one out again after a restart.

use super::error::Result;
use super::ledger::Books;
use super::memory::{Brief, InFlight, PASSED, signed, unsigned};
use super::parked::Exception;
use super::routes::RETRY;
use super::schema::{ROW, Read, read_row};
use super::types::{Cut, InflightState, Lease, Now};
use super::{Store, Tx};
use crate::destination::Want;
use crate::limits;
use crate::reason::Reason;
use crate::row::{Row, Run};
use rusqlite::{OptionalExtension, params};
use std::sync::Arc;

/// A lease looks at no more than this many times the rows it may take.
const LOOKS: usize = 4;

/// Rows are read in portions of this, so that a cut of 500 does not read 2,000.
const PORTION: usize = 64;

/// Counting what waits stops here, per lane: enough to decide, and some 100 microseconds.
pub(crate) const WAITING: i64 = 10_000;

/// What one cut has gathered.
struct Gather<'a> {
    number: i64,
    cut: Cut,
    wants: &'a mut dyn FnMut(&Row) -> Want,
    now: Now,
    looked: usize,
    bytes: usize,
    full: bool,
    rows: Vec<(Row, Brief)>,
    books: Books,
    freed: Vec<(u64, u8)>,
}

impl Gather<'_> {
    fn exhausted(&self) -> bool {
        self.full || self.looked >= self.cut.max_events.max(1).saturating_mul(LOOKS)
    }

    /// Takes the row if it fits; else the cut is full.
    fn take(&mut self, row: Row, parked: bool) -> bool {
        let bytes = self.bytes.saturating_add(row.json.len());
        if !self.rows.is_empty() && (self.rows.len() >= self.cut.max_events.max(1) || bytes > self.cut.max_bytes) {
            self.full = true;
            return false;
        }
        self.bytes = bytes;
        let brief = Brief { seq: row.seq, lane: row.kind.lane().number(), kind: row.kind, id: row.id, parked };
        self.rows.push((row, brief));
        self.full = self.rows.len() >= self.cut.max_events.max(1);
        true
    }
}

impl Store {
    /// Puts rows in flight on a route and gives them out; `None` = nothing is due (see [`Store::lease_again`]).
    ///
    /// A batch that is in flight already (restart, retry) is given out again, the same rows under the same id; if
    /// one of its rows is gone or another encoder cut it, it is cut anew under a new id, unless it is `Sending`: such
    /// a batch comes back with the rows it still has, and its old encoder, for the courier to decide.
    ///
    /// `wants` is asked for each row: `No` passes it for good, `Later` parks it. Parked rows that are due come first,
    /// then lanes 0 to 3 from the route's cursors.
    pub(crate) fn lease(
        &mut self,
        route: &str,
        cut: Cut,
        encoder: u32,
        batch_id: &dyn Fn() -> String,
        wants: &mut dyn FnMut(&Row) -> Want,
        now: Now,
    ) -> Result<Option<Lease>> {
        let Some(found) = self.memory.route(route) else { return Ok(None) };
        let number = found.number;
        let leased = self.write(false, |tx| {
            if let Some(rows) = tx.again(number, encoder, now)? {
                return Ok(Some(rows));
            }
            let mut gather = Gather {
                number,
                cut,
                wants,
                now,
                looked: 0,
                bytes: 0,
                full: false,
                rows: Vec::new(),
                books: Books::default(),
                freed: Vec::new(),
            };
            tx.gather_parked(&mut gather)?;
            for lane in 0..4 {
                tx.gather_lane(&mut gather, lane)?;
            }
            let exhausted = !gather.full && gather.exhausted();
            let Gather { mut rows, books, freed, .. } = gather;
            books.write(tx, now)?;
            tx.unpark_all(number, &freed)?;
            tx.free(&freed)?;
            tx.sweep()?;
            rows.sort_by_key(|(_, brief)| (brief.lane, brief.seq));
            let again = exhausted && rows.is_empty();
            if let Some(route) = tx.memory.route_mut(number) {
                route.again = again;
            }
            if rows.is_empty() {
                return Ok(None);
            }
            let (rows, briefs): (Vec<Row>, Vec<Brief>) = rows.into_iter().unzip();
            tx.put_in_flight(
                number,
                InFlight {
                    batch_id: batch_id(),
                    attempt: 0,
                    encoder: Some(encoder),
                    state: InflightState::Prepared,
                    rows: briefs,
                    known: true,
                },
            )?;
            Ok(Some(rows))
        })?;
        let Some(rows) = leased else { return Ok(None) };
        let batch = self.memory.route(route).and_then(|route| route.inflight.clone());
        let Some(batch) = batch else { return Ok(None) };
        Ok(Some(Lease {
            batch_id: batch.batch_id.clone(),
            attempt: batch.attempt,
            encoder: batch.encoder.unwrap_or(encoder),
            state: batch.state,
            runs: self.runs_of(&rows)?,
            rows,
            lost: self.lost(route)?,
        }))
    }

    /// The last lease of this route answered `None` only because it had looked at its share of rows: lease again.
    pub(crate) fn lease_again(&self, route: &str) -> bool {
        self.memory.route(route).is_some_and(|route| route.again)
    }

    /// The transport is about to get the batch in flight; synced before it returns. For routes on which a resend
    /// could double an event.
    pub(crate) fn sending(&mut self, route: &str) -> Result<()> {
        let batch = self.memory.route(route).and_then(|route| Some((route.number, route.inflight.clone()?)));
        let Some((number, batch)) = batch else { return Ok(()) };
        self.write(true, |tx| {
            tx.put_in_flight(number, InFlight { state: InflightState::Sending, ..InFlight::clone(&batch) })
        })
    }

    /// Rows per lane that this route has before it, parked and in flight ones included, unwanted ones too; each count
    /// stops at about [`WAITING`].
    pub(crate) fn waiting(&self, route: &str) -> Result<[u64; 4]> {
        let mut waiting = [0; 4];
        let Some(route) = self.memory.route(route) else { return Ok(waiting) };
        let mut count = self.db.prepare_cached(
            "SELECT (SELECT count(*) FROM (SELECT 1 FROM event WHERE lane = ?2 AND seq > ?3 LIMIT ?4))
                  - (SELECT count(*) FROM exception WHERE route = ?1 AND lane = ?2 AND state IN (1, 2) AND seq > ?3)
                  + (SELECT count(*) FROM exception WHERE route = ?1 AND lane = ?2 AND state = 1)",
        )?;
        for ((lane, waiting), cursor) in waiting.iter_mut().enumerate().zip(route.cursors) {
            let n: i64 =
                count.query_row(params![route.number, lane as i64, signed(cursor), WAITING], |row| row.get(0))?;
            *waiting = unsigned(n);
        }
        Ok(waiting)
    }

    /// When the next row parked with a time is due (wall clock); `None` = there is none. Rows parked without a time
    /// are asked at each lease.
    pub(crate) fn next_retry(&self, route: &str) -> Result<Option<i64>> {
        let Some(route) = self.memory.route(route) else { return Ok(None) };
        Ok(self
            .db
            .prepare_cached(
                "SELECT min(until_ms) FROM exception WHERE route = ?1 AND lane IN (0, 1, 2, 3) AND state = 1",
            )?
            .query_row([route.number], |row| row.get(0))?)
    }

    fn runs_of(&self, rows: &[Row]) -> Result<Vec<Run>> {
        let mut numbers: Vec<i64> = rows.iter().map(|row| row.run).collect();
        numbers.sort_unstable();
        numbers.dedup();
        let mut runs = Vec::with_capacity(numbers.len());
        for number in numbers {
            // Every row names a run; should its record be gone, the row still goes out, with an empty one.
            runs.push(Store::run(&self.db, number)?.unwrap_or(Run { number, ..Run::default() }));
        }
        Ok(runs)
    }
}

impl Tx<'_> {
    /// The rows of the batch in flight, if it can be sent again as it was; else it is released.
    fn again(&mut self, number: i64, encoder: u32, now: Now) -> Result<Option<Vec<Row>>> {
        let Some(batch) = self.memory.route_mut(number).and_then(|route| route.inflight.clone()) else {
            return Ok(None);
        };
        let mut rows = Vec::with_capacity(batch.rows.len());
        let mut bad = Vec::new();
        for brief in &batch.rows {
            match self.row(brief.seq)? {
                Some(Read::Good(row)) => rows.push(row),
                Some(Read::Bad(..)) => bad.push(brief.seq),
                None => {}
            }
        }
        let whole = rows.len() == batch.rows.len() && batch.encoder == Some(encoder);
        self.corrupt(&bad, now)?;
        if !rows.is_empty() && (whole || batch.state == InflightState::Sending) {
            return Ok(Some(rows));
        }
        self.out_of_flight(number)?;
        Ok(None)
    }

    pub(super) fn row(&self, seq: u64) -> Result<Option<Read>> {
        Ok(self
            .db
            .prepare_cached(&format!("SELECT {ROW} FROM event WHERE seq = ?1"))?
            .query_row([signed(seq)], read_row)
            .optional()?)
    }

    pub(super) fn put_in_flight(&mut self, number: i64, batch: InFlight) -> Result<()> {
        let state = match batch.state {
            InflightState::Prepared => "prepared",
            InflightState::Sending => "sending",
        };
        self.db
            .prepare_cached(
                "INSERT OR REPLACE INTO inflight (route, batch_id, seqs, encoder, state, attempt)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            )?
            .execute(params![number, batch.batch_id, batch.seqs(), batch.encoder, state, batch.attempt])?;
        if let Some(route) = self.memory.route_mut(number) {
            route.inflight = Some(Arc::new(batch));
        }
        Ok(())
    }

    pub(super) fn out_of_flight(&mut self, number: i64) -> Result<()> {
        self.db.prepare_cached("DELETE FROM inflight WHERE route = ?1")?.execute([number])?;
        if let Some(route) = self.memory.route_mut(number) {
            route.inflight = None;
        }
        Ok(())
    }

    /// Parked rows that are due, from where the last lease stopped; at most half of the looks, so that a large park
    /// does not keep new rows waiting.
    fn gather_parked(&mut self, gather: &mut Gather<'_>) -> Result<()> {
        let limit = gather.cut.max_events.max(1).saturating_mul(LOOKS / 2);
        let Some(from) = self.memory.route_mut(gather.number).map(|route| route.asked) else { return Ok(()) };
        let mut asked = from;
        for (after, up_to) in [(from, PASSED), (0, from)] {
            let room = limit.saturating_sub(gather.looked);
            if gather.exhausted() || room == 0 {
                break;
            }
            asked = self.gather_parked_in(gather, after, up_to, room)?;
        }
        if let Some(route) = self.memory.route_mut(gather.number) {
            route.asked = asked;
        }
        Ok(())
    }

    /// Answers the last `seq` asked, or 0 when the range has been asked to its end.
    fn gather_parked_in(&mut self, gather: &mut Gather<'_>, after: u64, up_to: u64, room: usize) -> Result<u64> {
        // A time further ahead than any server may ask for is a clock that was set back: due.
        let far = gather.now.wall_ms.saturating_add(limits::RETRY_AFTER.as_millis() as i64);
        let mut select = self.db.prepare_cached(
            "SELECT seq, route, lane, state, reason, status, note, at_ms, until_ms, crc FROM (
               SELECT * FROM exception WHERE route = ?1 AND lane = 0 AND state = 1 AND seq > ?2 AND seq <= ?3
                 AND (until_ms IS NULL OR until_ms <= ?4 OR until_ms > ?5)
               UNION ALL SELECT * FROM exception WHERE route = ?1 AND lane = 1 AND state = 1 AND seq > ?2 AND seq <= ?3
                 AND (until_ms IS NULL OR until_ms <= ?4 OR until_ms > ?5)
               UNION ALL SELECT * FROM exception WHERE route = ?1 AND lane = 2 AND state = 1 AND seq > ?2 AND seq <= ?3
                 AND (until_ms IS NULL OR until_ms <= ?4 OR until_ms > ?5)
               UNION ALL SELECT * FROM exception WHERE route = ?1 AND lane = 3 AND state = 1 AND seq > ?2 AND seq <= ?3
                 AND (until_ms IS NULL OR until_ms <= ?4 OR until_ms > ?5)
             ) ORDER BY seq LIMIT ?6",
        )?;
        let mut due = Vec::new();
        let mut rows = select.query(params![
            gather.number,
            signed(after),
            signed(up_to),
            gather.now.wall_ms,
            far,
            signed(room as u64)
        ])?;
        while let Some(row) = rows.next()? {
            due.push(Exception::read(row)?);
        }
        let all = due.len() < room;
        let mut asked = after;
        for exception in due {
            let exception = match exception {
                Ok(exception) if exception.state == RETRY => exception,
                Ok(exception) => {
                    asked = exception.seq;
                    continue;
                }
                Err(seq) => {
                    self.corrupt_exception(gather.number, seq, gather)?;
                    asked = seq;
                    continue;
                }
            };
            gather.looked += 1;
            match self.row(exception.seq)? {
                Some(Read::Good(row)) => match (gather.wants)(&row) {
                    Want::Yes => {
                        if !gather.take(row, true) {
                            return Ok(asked);
                        }
                    }
                    Want::No => {
                        gather.books.unwanted(gather.number, 1);
                        gather.freed.push((exception.seq, exception.lane));
                    }
                    Want::Later => {}
                },
                Some(Read::Bad(..)) => self.corrupt(&[exception.seq], gather.now)?,
                None => self.unpark(gather.number, exception.seq)?,
            }
            asked = exception.seq;
            if gather.full {
                return Ok(asked);
            }
        }
        Ok(if all { 0 } else { asked })
    }

    /// An exception that fails its checksum says nothing certain: what it held is lost for this route.
    fn corrupt_exception(&mut self, number: i64, seq: u64, gather: &mut Gather<'_>) -> Result<()> {
        if let Some(read) = self.row(seq)? {
            let (kind, lane) = match read {
                Read::Good(row) => (Some(row.kind), row.kind.lane().number()),
                Read::Bad(_, kind) => (kind, kind.map_or(3, |kind| kind.lane().number())),
            };
            gather.books.lost(number, kind, Reason::CorruptRow, 1);
            gather.freed.push((seq, lane));
        }
        Ok(())
    }

    /// Rows of a lane behind the cursor. Those before the first one taken are passed at once.
    fn gather_lane(&mut self, gather: &mut Gather<'_>, lane: usize) -> Result<()> {
        let route = self.memory.route_mut(gather.number);
        let Some(start) = route.and_then(|route| route.cursors.get(lane).copied()) else { return Ok(()) };
        let mut at = start;
        let mut lead = start;
        let mut leading = true;
        let mut passed = 0;
        'lane: while !gather.exhausted() {
            let mut portion = Vec::with_capacity(PORTION);
            let mut select = self.db.prepare_cached(&format!(
                "SELECT {ROW} FROM event WHERE lane = ?2 AND seq > ?3
                   AND NOT EXISTS (SELECT 1 FROM exception x WHERE x.seq = event.seq AND x.route = ?1)
                 ORDER BY seq LIMIT ?4"
            ))?;
            let mut rows = select.query(params![gather.number, lane as i64, signed(at), PORTION as i64])?;
            while let Some(row) = rows.next()? {
                portion.push(read_row(row)?);
            }
            let last = portion.len() < PORTION;
            for read in portion {
                if gather.exhausted() {
                    break 'lane;
                }
                gather.looked += 1;
                let seq = match &read {
                    Read::Good(row) => row.seq,
                    Read::Bad(seq, _) => *seq,
                };
                match read {
                    Read::Bad(seq, _) => self.corrupt(&[seq], gather.now)?,
                    Read::Good(row) => match (gather.wants)(&row) {
                        Want::Yes => {
                            if !gather.take(row, false) {
                                break 'lane;
                            }
                            leading = false;
                        }
                        Want::No => passed += u64::from(leading),
                        Want::Later => {
                            self.park(gather.number, seq, lane as u8, gather.now.wall_ms, None)?;
                        }
                    },
                }
                at = seq;
                if leading {
                    lead = seq;
                }
            }
            if last {
                break;
            }
        }
        if lead > start {
            gather.books.unwanted(gather.number, passed);
            self.move_cursor(gather.number, lane, lead)?;
        }
        Ok(())
    }

    pub(super) fn unpark_all(&self, number: i64, rows: &[(u64, u8)]) -> Result<()> {
        rows.iter().try_for_each(|(seq, _)| self.unpark(number, *seq))
    }

    pub(super) fn move_cursor(&mut self, number: i64, lane: usize, seq: u64) -> Result<()> {
        self.db.prepare_cached("UPDATE cursor SET seq = ?3 WHERE route = ?1 AND lane = ?2")?.execute(params![
            number,
            lane as i64,
            signed(seq)
        ])?;
        if let Some(cursor) = self.memory.route_mut(number).and_then(|route| route.cursors.get_mut(lane)) {
            *cursor = seq;
        }
        Ok(())
    }
}
