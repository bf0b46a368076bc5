//! Cutting a batch, and giving the same one out again after a restart.

use super::cut::Gather;
use super::error::Result;
use super::ledger::Books;
use super::memory::{Brief, InFlight, signed, unsigned};
use super::routes::DONE;
use super::schema::{ROW, Read, read_row};
use super::types::{Cut, InflightState, Lease, Now};
use super::{Store, Tx};
use crate::destination::Want;
use crate::row::{Row, Run};
use rusqlite::{OptionalExtension, params};
use std::sync::Arc;

/// Counting what waits stops here, per lane: two full cuts, and some 50 microseconds.
pub(crate) const WAITING: i64 = 1_000;

impl Store {
    /// Puts rows in flight on a route and gives them out; `None` = nothing is due (see [`Store::lease_again`]).
    ///
    /// A batch that is in flight already (restart, retry) is given out again, the same rows under the same id; if
    /// one of its rows is gone or another encoder cut it, it is cut anew under a new id, unless it is `Sending`: such
    /// a batch comes back with the rows it still has, and its old encoder, for the delivery to decide.
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
                bad: 0,
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
            gather.check()?;
            let exhausted = !gather.full && (gather.more || gather.exhausted());
            let Gather { mut rows, books, freed, .. } = gather;
            books.write(tx, now)?;
            tx.end(number, &freed)?;
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
                  - (SELECT count(*) FROM exception WHERE route = ?1 AND lane = ?2 AND state IN (1, 2, 3) AND seq > ?3)
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

    pub(super) fn move_cursor(&mut self, number: i64, lane: usize, seq: u64) -> Result<()> {
        self.db.prepare_cached("UPDATE cursor SET seq = ?3 WHERE route = ?1 AND lane = ?2")?.execute(params![
            number,
            lane as i64,
            signed(seq)
        ])?;
        self.db
            .prepare_cached("DELETE FROM exception WHERE route = ?1 AND lane = ?2 AND state = ?4 AND seq <= ?3")?
            .execute(params![number, lane as i64, signed(seq), DONE])?;
        if let Some(cursor) = self.memory.route_mut(number).and_then(|route| route.cursors.get_mut(lane)) {
            *cursor = seq;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Bench, NOW, ROUTE, receipt, seqs};
    use super::super::{RowEnd, StoreError};
    use super::*;
    use crate::kind::Kind;
    use crate::reason::Reason;

    #[test]
    fn a_batch_in_flight_comes_back_the_same_after_a_crash_and_after_a_retry() {
        let mut bench = Bench::new();
        bench.add(&[Kind::Metric, Kind::Crash, Kind::Error]);
        let first = bench.lease(2).unwrap();
        assert_eq!(first.rows.iter().map(|row| row.kind).collect::<Vec<_>>(), [Kind::Crash, Kind::Error]);
        assert_eq!((first.attempt, first.state), (0, InflightState::Prepared));
        assert_eq!(first.runs[0].id, "run-1");
        bench.add(&[Kind::Crash]);
        bench.store.retry(ROUTE, &receipt(503), None).unwrap();
        let mut bench = bench.crash();
        let again = bench.lease(2).unwrap();
        assert_eq!(again, Lease { attempt: 1, ..first });
    }

    #[test]
    fn another_encoder_or_a_missing_row_cuts_a_new_batch() {
        let mut bench = Bench::new();
        let rows = bench.add(&[Kind::Error, Kind::Error]);
        let first = bench.lease(2).unwrap();
        let cut = Cut { max_events: 2, max_bytes: 1 << 20 };
        let second = bench.store.lease(ROUTE, cut, 2, &|| "new".to_string(), &mut |_| Want::Yes, NOW).unwrap().unwrap();
        assert_eq!((second.batch_id.as_str(), second.encoder, seqs(&second)), ("new", 2, rows.clone()));
        assert_ne!(first.batch_id, second.batch_id);
        bench.store.db.execute("UPDATE event SET json = '{\"evil\":1}' WHERE seq = ?1", [signed(rows[0])]).unwrap();
        let third =
            bench.store.lease(ROUTE, cut, 2, &|| "newer".to_string(), &mut |_| Want::Yes, NOW).unwrap().unwrap();
        assert_eq!((third.batch_id.as_str(), seqs(&third)), ("newer", vec![rows[1]]));
        bench.check();
        assert_eq!(bench.account(ROUTE).dropped["corrupt_row"], 1);
    }

    #[test]
    fn a_batch_that_may_have_arrived_is_never_cut_anew() {
        let mut bench = Bench::new();
        let rows = bench.add(&[Kind::Error, Kind::Error]);
        let first = bench.lease(2).unwrap();
        bench.store.sending(ROUTE).unwrap();
        assert_eq!(bench.store.settled().unwrap()[0].sending, rows[1]);
        bench.store.db.execute("UPDATE event SET crc = crc + 1 WHERE seq = ?1", [signed(rows[0])]).unwrap();
        let mut bench = bench.crash();
        let cut = Cut { max_events: 2, max_bytes: 1 << 20 };
        let second = bench.store.lease(ROUTE, cut, 9, &|| "new".to_string(), &mut |_| Want::Yes, NOW).unwrap().unwrap();
        assert_eq!((&second.batch_id, second.state), (&first.batch_id, InflightState::Sending));
        assert_eq!(seqs(&second), [rows[1]]);
        bench.settle(&second, &RowEnd::Dropped(Reason::Ambiguous));
        assert_eq!(bench.account(ROUTE).dropped["ambiguous"], 1);
        assert_eq!(bench.store.settled().unwrap()[0].sending, 0);
    }

    #[test]
    fn damage_in_any_column_of_a_row_loses_that_row_only() {
        for change in ["id = 'x'", "json = json || ' '", "kind = 'other'", "run = 7", "wall_ms = 0", "targets = '[]'"] {
            let mut bench = Bench::new();
            let rows = bench.add(&[Kind::Error, Kind::Error, Kind::Error]);
            bench.store.db.execute(&format!("UPDATE event SET {change} WHERE seq = ?1"), [signed(rows[1])]).unwrap();
            assert_eq!(seqs(&bench.lease(10).unwrap()), [rows[0], rows[2]], "{change}");
            assert_eq!(bench.seqs(), [rows[0], rows[2]]);
            assert_eq!(bench.account(ROUTE).dropped["corrupt_row"], 1, "{change}");
        }
    }

    #[test]
    fn a_row_larger_than_the_cut_goes_alone() {
        let mut bench = Bench::new();
        let json = format!("\"{}\"", "x".repeat(5_000));
        let rows = bench.add_for(&[Kind::Error, Kind::Error], &[], &json);
        let cut = Cut { max_events: 10, max_bytes: 100 };
        let lease = bench.store.lease(ROUTE, cut, 1, &|| "b".to_string(), &mut |_| Want::Yes, NOW).unwrap().unwrap();
        assert_eq!(seqs(&lease), [rows[0]]);
    }

    #[test]
    fn unwanted_rows_are_passed_in_bounded_steps_and_the_caller_is_told_to_ask_again() {
        let mut bench = Bench::new();
        bench.add(&[Kind::Metric; 20]);
        let wanted = bench.add(&[Kind::Metric]);
        let mut asked = 0;
        let mut wants = |row: &Row| {
            asked += 1;
            if row.seq == wanted[0] { Want::Yes } else { Want::No }
        };
        let mut found = None;
        for _ in 0..10 {
            found = bench.lease_on(ROUTE, 2, &mut wants);
            if found.is_some() {
                break;
            }
            assert!(bench.store.lease_again(ROUTE));
        }
        assert_eq!(seqs(&found.unwrap()), wanted);
        assert_eq!(asked, 21);
        assert_eq!(bench.seqs(), wanted);
    }

    #[test]
    fn a_large_park_keeps_nobody_waiting_and_is_asked_once_in_full() {
        let mut bench = Bench::new();
        bench.add(&[Kind::Analytics; 40]);
        for _ in 0..20 {
            assert!(bench.lease_on(ROUTE, 2, &mut |_| Want::Later).is_none());
        }
        let fresh = bench.add(&[Kind::ApiCall]);
        let lease = bench
            .lease_on(ROUTE, 2, &mut |row| if row.kind == Kind::ApiCall { Want::Yes } else { Want::Later })
            .unwrap();
        assert_eq!(seqs(&lease), fresh);
        bench.settle(&lease, &RowEnd::Delivered);
        let mut asked = std::collections::BTreeSet::new();
        for calls in 0.. {
            let lease = bench.lease_on(ROUTE, 2, &mut |row| {
                asked.insert(row.seq);
                Want::Later
            });
            assert!(lease.is_none());
            if !bench.store.lease_again(ROUTE) {
                break;
            }
            assert!(calls < 100, "asked for ever");
        }
        assert_eq!(asked.len(), 40);
        assert_eq!(bench.store.waiting(ROUTE).unwrap(), [0, 0, 40, 0]);
    }

    #[test]
    fn a_row_put_back_until_a_time_is_due_then_or_when_that_time_cannot_be() {
        let mut bench = Bench::new();
        let rows = bench.add(&[Kind::Error]);
        let lease = bench.lease(1).unwrap();
        bench.settle(&lease, &RowEnd::Later { until_wall_ms: Some(NOW.wall_ms + 60_000) });
        assert_eq!(bench.store.next_retry(ROUTE).unwrap(), Some(NOW.wall_ms + 60_000));
        assert_eq!(bench.store.waiting(ROUTE).unwrap(), [0, 1, 0, 0]);
        assert!(bench.lease(1).is_none());
        let cut = Cut { max_events: 1, max_bytes: 1 << 20 };
        for wall_ms in [NOW.wall_ms + 60_000, NOW.wall_ms - 2 * 24 * 3_600_000] {
            let now = Now { wall_ms, ..NOW };
            let lease = bench.store.lease(ROUTE, cut, 1, &|| "b".to_string(), &mut |_| Want::Yes, now).unwrap();
            assert_eq!(seqs(&lease.unwrap()), rows);
            bench.store.release(ROUTE, None, None).unwrap();
        }
    }

    #[test]
    fn a_damaged_exception_is_booked_and_lets_the_row_go() {
        let mut bench = Bench::new();
        bench.add(&[Kind::Error]);
        let lease = bench.lease(1).unwrap();
        bench.settle(&lease, &RowEnd::Keep);
        bench.store.db.execute("UPDATE exception SET at_ms = at_ms + 1", []).unwrap();
        assert!(bench.lease(1).is_none());
        assert_eq!(bench.account(ROUTE).dropped["corrupt_row"], 1);
        assert!(bench.seqs().is_empty());
    }

    #[test]
    fn a_damaged_index_is_a_damaged_file() {
        let mut bench = Bench::new();
        let rows = bench.add(&[Kind::Error, Kind::Error]);
        // The index now names rows of a lane they are not in.
        bench.store.db.set_db_config(rusqlite::config::DbConfig::SQLITE_DBCONFIG_DEFENSIVE, false).unwrap();
        bench.store.db.execute_batch("PRAGMA writable_schema = ON; UPDATE sqlite_schema SET rootpage = (SELECT rootpage FROM sqlite_schema WHERE name = 'run') WHERE name = 'event_lane'; PRAGMA writable_schema = RESET").unwrap();
        assert_eq!(rows.len(), 2);
        let cut = Cut { max_events: 1, max_bytes: 1 << 20 };
        let error = bench.store.lease(ROUTE, cut, 1, &|| "b".to_string(), &mut |_| Want::Yes, NOW).unwrap_err();
        assert!(matches!(error, StoreError::Corrupt(_)), "{error:?}");
    }

    #[test]
    fn a_storm_of_bad_rows_is_a_damaged_file_and_a_few_of_many_are_bad_rows() {
        let mut bench = Bench::new();
        bench.add(&[Kind::Error; 400]);
        let cut = Cut { max_events: 500, max_bytes: 1 << 20 };
        let spoil = |bench: &Bench, every: u64| {
            let changed = format!("UPDATE event SET crc = crc + 1 WHERE seq % {every} = 7");
            bench.store.db.execute(&changed, []).unwrap()
        };
        let spoiled = spoil(&bench, 100);
        assert_eq!(spoiled, 4);
        let lease = bench.lease(500).unwrap();
        assert_eq!(lease.rows.len(), 396);
        assert_eq!(bench.account(ROUTE).dropped["corrupt_row"], 4);
        bench.settle(&lease, &RowEnd::Delivered);
        bench.add(&[Kind::Error; 400]);
        let spoiled = spoil(&bench, 40);
        assert_eq!(spoiled, 10);
        let before = bench.store.balance().unwrap();
        let error = bench
            .store
            .lease(ROUTE, cut, 1, &|| "b".to_string(), &mut |_| crate::destination::Want::Yes, NOW)
            .unwrap_err();
        assert!(matches!(&error, StoreError::Corrupt(why) if why.contains("10 of 400")), "{error:?}");
        assert_eq!(bench.store.balance().unwrap(), before, "nothing of it was booked");
    }
}
