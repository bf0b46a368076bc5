//! Cutting a batch, and giving the same one out again after a restart.

use super::cut::Gather;
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

/// Counting what waits stops here, per lane: enough to decide, and some 100 microseconds.
pub(crate) const WAITING: i64 = 10_000;

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
                more: false,
                rows: Vec::new(),
                books: Books::default(),
                freed: Vec::new(),
            };
            tx.gather_parked(&mut gather)?;
            for lane in 0..4 {
                tx.gather_lane(&mut gather, lane)?;
            }
            let exhausted = !gather.full && (gather.more || gather.exhausted());
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
