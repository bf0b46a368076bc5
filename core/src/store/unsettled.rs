//! How many rows some route has not settled: what is lost if the file is.

use super::Store;
use super::error::Result;
use super::memory::{signed, unsigned};
use rusqlite::params;

/// The rows of a lane that every route has passed and the sweep has not visited.
struct Unswept {
    lane: usize,
    swept: u64,
    floor: u64,
}

impl Store {
    /// Counts the rows, about 10 ns each; from then on the number is kept in memory. Lanes in which every row that the routes have passed
    /// is held by an exception need no sweep.
    pub(crate) fn count_rows(&mut self) -> Result<()> {
        self.memory.rows = Some(self.all_rows()?);
        for unswept in self.unswept() {
            if self.not_held(&unswept)? == 0
                && let Some(swept) = self.memory.swept.get_mut(unswept.lane)
            {
                *swept = unswept.floor;
            }
        }
        Ok(())
    }

    /// Rows that some route has not settled: rows that wait, parked rows, and dead letters. Reads rows only after an open without
    /// [`Store::count_rows`], and while the sweep is behind.
    pub(crate) fn unsettled(&self) -> Result<u64> {
        let rows = match self.memory.rows {
            Some(rows) => rows,
            None => self.all_rows()?,
        };
        let settled = self.unswept().iter().map(|unswept| self.not_held(unswept)).sum::<Result<u64>>()?;
        Ok(rows.saturating_sub(settled))
    }

    fn all_rows(&self) -> Result<u64> {
        let rows = self.db.prepare_cached("SELECT count(*) FROM event")?.query_row([], |row| row.get(0))?;
        Ok(unsigned(rows))
    }

    fn unswept(&self) -> Vec<Unswept> {
        let last = self.memory.next_seq().saturating_sub(1);
        let lanes = self.memory.floor().into_iter().zip(self.memory.swept).enumerate();
        lanes
            .map(|(lane, (floor, swept))| Unswept { lane, swept, floor: floor.min(last) })
            .filter(|unswept| unswept.swept < unswept.floor)
            .collect()
    }

    /// How many of these rows no exception holds.
    fn not_held(&self, unswept: &Unswept) -> Result<u64> {
        let Unswept { lane, swept, floor } = unswept;
        let of = params![*lane as i64, signed(*swept), signed(*floor)];
        let rows: i64 = self
            .db
            .prepare_cached("SELECT count(*) FROM event WHERE lane = ?1 AND seq > ?2 AND seq <= ?3")?
            .query_row(of, |row| row.get(0))?;
        if rows == 0 {
            return Ok(0);
        }
        let held: i64 = self
            .db
            .prepare_cached("SELECT count(DISTINCT seq) FROM exception WHERE lane = ?1 AND seq > ?2 AND seq <= ?3")?
            .query_row(of, |row| row.get(0))?;
        Ok(unsigned(rows.saturating_sub(held)))
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Bench, NOW, ROUTE, all, receipt};
    use super::super::{Lease, RowEnd};
    use crate::kind::Kind;
    use crate::reason::Reason;

    /// Settles the next rows like this.
    fn settle(bench: &mut Bench, ends: &[RowEnd]) {
        let lease: Lease = bench.lease(ends.len()).unwrap();
        let ends: Vec<_> = lease.rows.iter().map(|row| row.seq).zip(ends.iter().cloned()).collect();
        bench.store.settle(ROUTE, &ends, &receipt(200), None, NOW).unwrap();
    }

    #[test]
    fn parked_rows_and_dead_letters_count_and_delivered_rows_do_not() {
        let mut bench = Bench::new();
        bench.add(&[Kind::Error; 6]);
        assert_eq!(bench.store.unsettled().unwrap(), 6);
        let dead = RowEnd::Dead { reason: Reason::Poison, status: 400, note: String::new() };
        settle(&mut bench, &[RowEnd::Delivered, RowEnd::Keep, dead, RowEnd::Dropped(Reason::Rejected)]);
        assert_eq!(bench.store.unsettled().unwrap(), 4);
        let mut bench = bench.crash();
        assert_eq!(bench.store.unsettled().unwrap(), 4);
        bench.store.count_rows().unwrap();
        assert_eq!(bench.store.unsettled().unwrap(), 4);
    }

    #[test]
    fn the_number_in_memory_is_that_of_the_file_whatever_deletes_or_rolls_back() {
        let mut bench = Bench::new();
        bench.store.count_rows().unwrap();
        let check = |bench: &mut Bench, rows: u64| {
            assert_eq!((bench.store.memory.rows, bench.store.all_rows().unwrap()), (Some(rows), rows));
        };
        let rows = bench.add(&[Kind::Error; 10]);
        check(&mut bench, 10);
        drop(bench.store.begin(false, NOW).unwrap());
        check(&mut bench, 10);
        settle(&mut bench, &[RowEnd::Delivered, RowEnd::Keep]);
        check(&mut bench, 9);
        bench.store.evict_some(3, &[1], Reason::EvictedBytes, &all, &[], NOW).unwrap();
        check(&mut bench, 6);
        bench.store.delete_events(&[Bench::id(rows.len() as u64)], &all, NOW).unwrap();
        check(&mut bench, 5);
        bench.store.wipe(super::super::Wipe::All, &|_| false, None, NOW).unwrap();
        check(&mut bench, 0);
    }

    #[test]
    fn rows_that_the_sweep_has_not_reached_are_settled() {
        let mut bench = Bench::fresh();
        for _ in 0..30 {
            bench.add(&[Kind::Metric; 100]);
        }
        bench.store.count_rows().unwrap();
        bench.store.declare("main", &["rez.batch"], super::super::From::Now, NOW).unwrap();
        assert!(bench.store.all_rows().unwrap() > 0);
        assert_eq!(bench.store.unsettled().unwrap(), 0);
        bench.store.maintain(NOW).unwrap();
        assert!(bench.store.all_rows().unwrap() > 0);
        assert_eq!(bench.store.unsettled().unwrap(), 0);
    }
}
