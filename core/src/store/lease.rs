//! Selecting the rows of a batch, and returning the same batch again after a restart.

use super::error::Result;
use super::memory::{InFlight, InFlightRow, signed, unsigned};
use super::routes::DONE;
use super::schema::{ROW, Read, read_row};
use super::select::{Gather, next_due};
use super::types::{InflightState, Lease, LeaseLimits, Now, Selector};
use super::{Store, Tx};
use crate::row::{Row, Run};
use crate::sorted::sort_by_key;
use rusqlite::{Connection, OptionalExtension, params};
use std::sync::Arc;

/// Counting of queued rows stops at this number, per lane: two full batches, and some 50 microseconds.
pub(crate) const WAITING: i64 = 1_000;

impl Store {
    /// Puts rows in flight on a route and returns them; `None` = nothing is due (see [`Store::lease_again`]).
    ///
    /// A batch that is in flight already (restart, retry) is returned again, with the same rows and the same id. If one
    /// of its rows is gone or another encoder built it, it is selected anew under a new id. A batch that is `Sending`
    /// is not selected anew: it is returned with its remaining rows and its old encoder, and the delivery thread
    /// decides.
    ///
    /// Lanes 0 to 3 in order: of each, parked rows that are due come before those ahead of the route's cursor. The cost does not depend
    /// on how many rows are parked.
    pub(crate) fn lease(
        &mut self,
        route: &str,
        limits: LeaseLimits,
        encoder: u32,
        batch_id: &dyn Fn() -> String,
        select: Selector<'_>,
        now: Now,
    ) -> Result<Option<Lease>> {
        let Some(found) = self.memory.route(route) else { return Ok(None) };
        let number = found.number;
        let rows = self.memory.rows;
        let leased = self.write(false, |tx| {
            if let Some(rows) = tx.again(number, encoder, now)? {
                return Ok(Some((rows, true)));
            }
            let mut gather = Gather::new(number, limits, select, now);
            tx.gather(&mut gather)?;
            let more = gather.exhausted();
            let exhausted = !gather.full && (gather.more || gather.exhausted());
            let Gather { mut rows, ledger, freed, .. } = gather;
            ledger.write(tx, now)?;
            tx.end(number, &freed)?;
            tx.sweep()?;
            sort_by_key(&mut rows, |(_, row)| (row.lane, row.seq));
            let again = exhausted && rows.is_empty();
            if let Some(route) = tx.memory.route_mut(number) {
                route.again = again;
            }
            if rows.is_empty() {
                return Ok(None);
            }
            let (rows, in_flight): (Vec<Row>, Vec<InFlightRow>) = rows.into_iter().unzip();
            tx.put_in_flight(
                number,
                InFlight {
                    batch_id: batch_id(),
                    attempt: 0,
                    encoder: Some(encoder),
                    state: InflightState::Prepared,
                    rows: in_flight,
                    known: true,
                    pinned: true,
                },
            )?;
            Ok(Some((rows, more)))
        })?;
        if self.memory.rows != rows {
            self.note_settled();
        }
        let Some((rows, more)) = leased else { return Ok(None) };
        self.memory.pin(number, true);
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
            more,
        }))
    }

    /// Whether the rows of the batch in flight must stay although no request is running, because the results of some of
    /// them are known. Rows of other batches that wait for a resend can be evicted or expire; then the batch is
    /// selected anew. A lease pins the batch until [`Store::retry`], and so does opening the file until this call.
    pub(crate) fn pin(&mut self, route: &str, pinned: bool) {
        if let Some(number) = self.memory.route(route).map(|route| route.number) {
            self.memory.pin(number, pinned);
        }
    }

    /// Whether the last lease of this route returned `None` only because it reached its limit of rows to read: lease
    /// again.
    pub(crate) fn lease_again(&self, route: &str) -> bool {
        self.memory.route(route).is_some_and(|route| route.again)
    }

    /// Marks the batch in flight as handed to the transport, synced before it returns. For routes on which a resend
    /// could duplicate an event.
    pub(crate) fn sending(&mut self, route: &str) -> Result<()> {
        let batch = self.memory.route(route).and_then(|route| Some((route.number, route.inflight.clone()?)));
        let Some((number, batch)) = batch else { return Ok(()) };
        self.write(true, |tx| {
            tx.put_in_flight(number, InFlight { state: InflightState::Sending, ..InFlight::clone(&batch) })
        })
    }

    /// Rows per lane that this route has not finished with: queued, parked and in flight, unwanted ones included. The
    /// count of queued rows stops at about [`WAITING`] per lane. Parked rows are counted once after opening, then the
    /// count is updated.
    pub(crate) fn waiting(&mut self, route: &str) -> Result<[u64; 4]> {
        let Some(route) = self.memory.routes.iter_mut().find(|known| &*known.name == route) else { return Ok([0; 4]) };
        let parked = match route.parked {
            Some(parked) => parked,
            None => *route.parked.insert(parked(&self.db, route.number)?),
        };
        let mut waiting = [0; 4];
        let mut count = self.db.prepare_cached(
            "SELECT (SELECT count(*) FROM (SELECT 1 FROM event WHERE lane = ?2 AND seq > ?3 LIMIT ?4))
                  - (SELECT count(*) FROM exception WHERE route = ?1 AND lane = ?2 AND state IN (1, 2, 3) AND seq > ?3)",
        )?;
        for (lane, ((waiting, cursor), parked)) in waiting.iter_mut().zip(route.cursors).zip(parked).enumerate() {
            let queued: i64 =
                count.query_row(params![route.number, lane as i64, signed(cursor), WAITING], |row| row.get(0))?;
            *waiting = unsigned(queued).saturating_add(parked);
        }
        Ok(waiting)
    }

    /// The earliest time after now at which a parked row is due, milliseconds since 1970; `None` = there is none.
    pub(crate) fn next_retry(&self, route: &str, now: Now) -> Result<Option<i64>> {
        let Some(route) = self.memory.route(route) else { return Ok(None) };
        next_due(&self.db, route.number, now.wall_ms)
    }

    fn runs_of(&self, rows: &[Row]) -> Result<Vec<Run>> {
        let mut numbers: Vec<i64> = rows.iter().map(|row| row.run).collect();
        numbers.sort_unstable();
        numbers.dedup();
        let mut runs = Vec::with_capacity(numbers.len());
        for number in numbers {
            // Every row names a run. If its record is missing, the row is sent with an empty one.
            runs.push(Store::run(&self.db, number)?.unwrap_or(Run { number, ..Run::default() }));
        }
        Ok(runs)
    }
}

/// Parked rows per lane.
fn parked(db: &Connection, route: i64) -> Result<[u64; 4]> {
    let mut parked = [0; 4];
    for (lane, parked) in parked.iter_mut().enumerate() {
        let count: i64 = db
            .prepare_cached("SELECT count(*) FROM exception WHERE route = ?1 AND lane = ?2 AND state = 1")?
            .query_row(params![route, lane as i64], |row| row.get(0))?;
        *parked = unsigned(count);
    }
    Ok(parked)
}

impl Tx<'_> {
    /// The rows of the batch in flight, if it can be sent again as it was; else it is released.
    fn again(&mut self, number: i64, encoder: u32, now: Now) -> Result<Option<Vec<Row>>> {
        let Some(batch) = self.memory.route_mut(number).and_then(|route| route.inflight.clone()) else {
            return Ok(None);
        };
        let mut rows = Vec::with_capacity(batch.rows.len());
        let mut bad = Vec::new();
        for row in &batch.rows {
            match self.row(row.seq)? {
                Some(Read::Good(row)) => rows.push(row),
                Some(Read::Bad(..)) => bad.push(row.seq),
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
    use crate::destination::Want;
    use crate::kind::Kind;
    use crate::reason::Reason;

    #[test]
    fn a_batch_in_flight_has_the_same_rows_after_a_crash_and_after_a_retry() {
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
        assert_eq!(again, Lease { attempt: 1, more: true, ..first });
    }

    #[test]
    fn another_encoder_or_a_missing_row_selects_a_new_batch() {
        let mut bench = Bench::new();
        let rows = bench.add(&[Kind::Error, Kind::Error]);
        let first = bench.lease(2).unwrap();
        let limits = LeaseLimits { max_events: 2, max_bytes: 1 << 20 };
        let second = bench
            .store
            .lease(ROUTE, limits, 2, &|| "new".to_string(), Selector::new(&mut |_| Want::Yes), NOW)
            .unwrap()
            .unwrap();
        assert_eq!((second.batch_id.as_str(), second.encoder, seqs(&second)), ("new", 2, rows.clone()));
        assert_ne!(first.batch_id, second.batch_id);
        bench.store.db.execute("UPDATE event SET json = '{\"evil\":1}' WHERE seq = ?1", [signed(rows[0])]).unwrap();
        let third = bench
            .store
            .lease(ROUTE, limits, 2, &|| "newer".to_string(), Selector::new(&mut |_| Want::Yes), NOW)
            .unwrap()
            .unwrap();
        assert_eq!((third.batch_id.as_str(), seqs(&third)), ("newer", vec![rows[1]]));
        bench.check();
        assert_eq!(bench.account(ROUTE).dropped["corrupt_row"], 1);
    }

    #[test]
    fn a_batch_that_may_have_arrived_is_never_selected_anew() {
        let mut bench = Bench::new();
        let rows = bench.add(&[Kind::Error, Kind::Error]);
        let first = bench.lease(2).unwrap();
        bench.store.sending(ROUTE).unwrap();
        assert_eq!(bench.store.settled().unwrap()[0].sending, rows[1]);
        bench.store.db.execute("UPDATE event SET crc = crc + 1 WHERE seq = ?1", [signed(rows[0])]).unwrap();
        let mut bench = bench.crash();
        let limits = LeaseLimits { max_events: 2, max_bytes: 1 << 20 };
        let second = bench
            .store
            .lease(ROUTE, limits, 9, &|| "new".to_string(), Selector::new(&mut |_| Want::Yes), NOW)
            .unwrap()
            .unwrap();
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
    fn a_row_larger_than_the_batch_limit_is_leased_alone() {
        let mut bench = Bench::new();
        let json = format!("\"{}\"", "x".repeat(5_000));
        let rows = bench.add_for(&[Kind::Error, Kind::Error], &[], &json);
        let limits = LeaseLimits { max_events: 10, max_bytes: 100 };
        let lease = bench
            .store
            .lease(ROUTE, limits, 1, &|| "b".to_string(), Selector::new(&mut |_| Want::Yes), NOW)
            .unwrap()
            .unwrap();
        assert_eq!(seqs(&lease), [rows[0]]);
    }

    #[test]
    fn unwanted_rows_are_skipped_in_steps_of_one_size_for_every_route_and_the_lease_says_that_more_follow() {
        for max_events in [1, 500] {
            let mut bench = Bench::new();
            for _ in 0..45 {
                bench.add(&[Kind::Metric; 100]);
            }
            let wanted = bench.add(&[Kind::Metric]);
            let mut wants = |row: &Row| if row.seq == wanted[0] { Want::Yes } else { Want::No };
            let mut empty = 0;
            let found = loop {
                if let Some(found) = bench.lease_on(ROUTE, max_events, &mut wants) {
                    break found;
                }
                assert!(bench.store.lease_again(ROUTE));
                empty += 1;
            };
            assert_eq!((seqs(&found), empty), (wanted, 2), "{max_events}");
        }
    }

    #[test]
    fn a_crash_does_not_wait_for_the_parked_rows_of_other_lanes() {
        let mut bench = Bench::new();
        for _ in 0..10 {
            bench.add(&[Kind::ApiCall; 100]);
        }
        for _ in 0..2 {
            let lease = bench.lease(500).unwrap();
            bench.settle(&lease, &RowEnd::Keep);
            bench.add(&[Kind::ApiCall]);
        }
        let crash = bench.add(&[Kind::Crash]);
        let lease = bench.lease(500).unwrap();
        assert_eq!(lease.rows.first().map(|row| row.seq), crash.first().copied());
    }

    #[test]
    fn unwanted_rows_are_skipped_before_a_wanted_one() {
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

    /// Virtual machine steps of SQLite for what the delivery thread does for one error, with this many rows parked.
    fn steps_of_one_request(parked: usize) -> u64 {
        let mut bench = Bench::new();
        let closed = [Kind::ApiCall, Kind::Revenue];
        for _ in 0..parked / 100 {
            bench.add(&[Kind::ApiCall; 50]);
            bench.add(&[Kind::Revenue; 50]);
            while bench.lease_without(500, &closed).is_some() || bench.store.lease_again(ROUTE) {}
        }
        assert_eq!(bench.store.waiting(ROUTE).unwrap().iter().sum::<u64>(), parked as u64);
        let mut steps = 0;
        // The first request moves the cursors; the others are all alike.
        for _ in 0..3 {
            bench.add(&[Kind::Error]);
            let wants = &mut |row: &Row| if closed.contains(&row.kind) { Want::Later } else { Want::Yes };
            let limits = LeaseLimits { max_events: 500, max_bytes: 1 << 20 };
            let (store, count) = super::super::testing::count_steps(&mut bench.store);
            let select = Selector { closed: &closed, ..Selector::new(wants) };
            let lease = store.lease(ROUTE, limits, 1, &|| "b".to_string(), select, NOW).unwrap().unwrap();
            assert_eq!(lease.rows.len(), 1);
            let ends = [(lease.rows[0].seq, RowEnd::Delivered)];
            store.settle(ROUTE, &ends, &receipt(200), None, NOW).unwrap();
            assert!(
                store
                    .lease(
                        ROUTE,
                        limits,
                        1,
                        &|| "b".to_string(),
                        Selector { closed: &closed, ..Selector::new(wants) },
                        NOW
                    )
                    .unwrap()
                    .is_none()
            );
            store.waiting(ROUTE).unwrap();
            store.next_retry(ROUTE, NOW).unwrap();
            store.settled().unwrap();
            steps = count();
        }
        steps
    }

    #[test]
    fn a_request_costs_the_same_however_many_rows_are_parked() {
        let (few, many) = (steps_of_one_request(100), steps_of_one_request(10_000));
        assert!(many <= few + few / 10, "{few} steps with 100 rows parked, {many} with 10,000");
    }

    #[test]
    fn parked_rows_of_a_closed_kind_are_not_read_until_the_kind_is_open_and_are_then_all_leased() {
        let mut bench = Bench::new();
        bench.add(&[Kind::Analytics; 40]);
        while bench.lease_without(2, &[Kind::Analytics]).is_some() || bench.store.lease_again(ROUTE) {}
        let fresh = bench.add(&[Kind::ApiCall]);
        let closed = [Kind::Analytics];
        let mut asked = Vec::new();
        let wants = &mut |row: &Row| {
            asked.push(row.seq);
            Want::Yes
        };
        let lease = bench.select(ROUTE, 2, Selector { closed: &closed, ..Selector::new(wants) }).unwrap();
        assert_eq!((seqs(&lease), asked), (fresh.clone(), fresh));
        bench.settle(&lease, &RowEnd::Delivered);
        let mut bench = bench.crash();
        assert_eq!(bench.store.waiting(ROUTE).unwrap(), [0, 0, 40, 0]);
        assert_eq!(bench.store.next_retry(ROUTE, NOW).unwrap(), None);
        let mut sent = 0;
        while let Some(lease) = bench.lease(7) {
            sent += lease.rows.len();
            bench.settle(&lease, &RowEnd::Delivered);
        }
        assert_eq!(sent, 40);
        assert!(bench.seqs().is_empty());
    }

    #[test]
    fn a_row_of_an_open_kind_that_a_destination_defers_is_offered_again_after_a_minute() {
        let mut bench = Bench::new();
        let rows = bench.add(&[Kind::Analytics; 40]);
        let mut asked = 0;
        for calls in 0.. {
            let lease = bench.lease_on(ROUTE, 2, &mut |_| {
                asked += 1;
                Want::Later
            });
            assert!(lease.is_none());
            if !bench.store.lease_again(ROUTE) {
                break;
            }
            assert!(calls < 100, "it never ends");
        }
        assert_eq!(asked, 40);
        assert!(bench.lease(2).is_none(), "a minute has not passed");
        let due = NOW.wall_ms + crate::limits::OFFER_INTERVAL.as_millis() as i64;
        assert_eq!(bench.store.next_retry(ROUTE, NOW).unwrap(), Some(due));
        let limits = LeaseLimits { max_events: 50, max_bytes: 1 << 20 };
        let now = Now { wall_ms: due, ..NOW };
        let lease = bench.store.lease(ROUTE, limits, 1, &|| "b".to_string(), Selector::new(&mut |_| Want::Yes), now);
        let lease = lease.unwrap().unwrap();
        assert_eq!(seqs(&lease), rows);
    }

    #[test]
    fn rows_excluded_from_one_lease_are_in_the_next() {
        let mut bench = Bench::new();
        let rows = bench.add(&[Kind::Error; 3]);
        let skip = [rows[0], rows[1]];
        let only = bench.select(ROUTE, 1, Selector { skip: &skip, ..Selector::new(&mut |_| Want::Yes) }).unwrap();
        assert_eq!(seqs(&only), [rows[2]]);
        bench.settle(&only, &RowEnd::Delivered);
        assert!(bench.select(ROUTE, 1, Selector { skip: &skip, ..Selector::new(&mut |_| Want::Yes) }).is_none());
        assert_eq!(seqs(&bench.lease(3).unwrap()), skip);
    }

    #[test]
    fn a_parked_row_that_no_route_takes_any_more_is_unwanted() {
        let mut bench = Bench::new();
        bench.add(&[Kind::Analytics; 5]);
        assert!(bench.lease_without(5, &[Kind::Analytics]).is_none());
        assert!(bench.lease_on(ROUTE, 5, &mut |_| Want::No).is_none());
        assert_eq!(bench.account(ROUTE).unwanted, 5);
        assert_eq!(bench.store.waiting(ROUTE).unwrap(), [0; 4]);
        assert!(bench.seqs().is_empty());
    }

    #[test]
    fn searches_for_parked_rows_use_the_index_and_need_no_sort() {
        let bench = Bench::new();
        let parked = "SELECT crc FROM exception WHERE route = 1 AND state = 1 AND";
        for (query, plan) in [
            (
                "SELECT kind FROM exception WHERE route = 1 AND state = 1 AND kind > 'a' ORDER BY kind LIMIT 1"
                    .to_string(),
                "SEARCH exception USING COVERING INDEX exception_parked (route=? AND kind>?)",
            ),
            (
                format!("{parked} kind IS 'error' AND until_ms IS NULL ORDER BY seq LIMIT 1"),
                "SEARCH exception USING INDEX exception_parked (route=? AND kind=? AND until_ms=?)",
            ),
            (
                format!("{parked} kind IS 'error' AND until_ms > 1 AND until_ms <= 9 ORDER BY until_ms, seq LIMIT 1"),
                "SEARCH exception USING INDEX exception_parked (route=? AND kind=? AND until_ms>? AND until_ms<?)",
            ),
        ] {
            let mut explain = bench.store.db.prepare(&format!("EXPLAIN QUERY PLAN {query}")).unwrap();
            let steps: Vec<String> =
                explain.query_map([], |row| row.get(3)).unwrap().map(|step| step.unwrap()).collect();
            assert_eq!(steps, [plan], "{query}");
        }
    }

    #[test]
    fn a_row_parked_until_a_time_is_due_at_that_time_or_at_once_if_the_time_is_implausible() {
        let mut bench = Bench::new();
        let rows = bench.add(&[Kind::Error]);
        let lease = bench.lease(1).unwrap();
        bench.settle(&lease, &RowEnd::Later { until_wall_ms: Some(NOW.wall_ms + 60_000) });
        assert_eq!(bench.store.next_retry(ROUTE, NOW).unwrap(), Some(NOW.wall_ms + 60_000));
        assert_eq!(bench.store.waiting(ROUTE).unwrap(), [0, 1, 0, 0]);
        assert!(bench.lease(1).is_none());
        let limits = LeaseLimits { max_events: 1, max_bytes: 1 << 20 };
        for wall_ms in [NOW.wall_ms + 60_000, NOW.wall_ms - 2 * 24 * 3_600_000] {
            let now = Now { wall_ms, ..NOW };
            let lease = bench
                .store
                .lease(ROUTE, limits, 1, &|| "b".to_string(), Selector::new(&mut |_| Want::Yes), now)
                .unwrap();
            assert_eq!(seqs(&lease.unwrap()), rows);
            bench.store.release(ROUTE, None, None).unwrap();
        }
    }

    #[test]
    fn a_damaged_exception_is_counted_and_its_row_is_deleted() {
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
        let limits = LeaseLimits { max_events: 1, max_bytes: 1 << 20 };
        let error = bench
            .store
            .lease(ROUTE, limits, 1, &|| "b".to_string(), Selector::new(&mut |_| Want::Yes), NOW)
            .unwrap_err();
        assert!(matches!(error, StoreError::Corrupt(_)), "{error:?}");
    }

    #[test]
    fn many_damaged_rows_mean_a_damaged_file_and_few_are_counted_one_by_one() {
        let mut bench = Bench::new();
        bench.add(&[Kind::Error; 400]);
        let limits = LeaseLimits { max_events: 500, max_bytes: 1 << 20 };
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
            .lease(ROUTE, limits, 1, &|| "b".to_string(), Selector::new(&mut |_| Want::Yes), NOW)
            .unwrap_err();
        assert!(matches!(&error, StoreError::Corrupt(why) if why.contains("10 of 400")), "{error:?}");
        assert_eq!(bench.store.balance().unwrap(), before, "nothing of it was counted");
    }
}
