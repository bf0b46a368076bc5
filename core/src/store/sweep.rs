//! Deletion of rows that no route needs any more.

use super::error::Result;
use super::memory::{floor, signed, unsigned};
use super::{Store, Tx};
use rusqlite::{OptionalExtension, params};

/// Most rows of a lane in one sweep: keeps a transaction at a millisecond or two.
const SWEEP: i64 = 1024;

/// Rows of all lanes deleted in one transaction on a disk that is nearly full: each may be a page in the log.
const SMALL_SWEEP: i64 = 128;

impl Store {
    /// Whether all rows that every route has passed are deleted.
    pub(super) fn is_swept(&self) -> bool {
        let last = self.memory.next_seq().saturating_sub(1);
        self.memory.floor().into_iter().zip(self.memory.swept).all(|(floor, swept)| swept >= floor.min(last))
    }
}

impl Tx<'_> {
    /// Deletes the rows that every route has passed and no exception names: at most [`SWEEP`] rows of each lane, on a
    /// disk that is nearly full at most [`SMALL_SWEEP`] of all lanes. Returns whether nothing is left to delete.
    pub(super) fn sweep(&mut self) -> Result<bool> {
        let floor = self.memory.floor();
        let mut budget = SMALL_SWEEP;
        let mut done = true;
        let last = self.memory.next_seq().saturating_sub(1);
        let named: bool =
            self.db.prepare_cached("SELECT EXISTS (SELECT 1 FROM exception)")?.query_row([], |row| row.get(0))?;
        for (lane, floor) in floor.into_iter().enumerate() {
            let (Some(swept), floor) = (self.memory.swept.get(lane).copied(), floor.min(last)) else { continue };
            if swept >= floor {
                continue;
            }
            let portion = if self.small { budget } else { SWEEP };
            if portion == 0 {
                done = false;
                break;
            }
            let bound: Option<i64> = self
                .db
                .prepare_cached(
                    "SELECT seq FROM event WHERE lane = ?1 AND seq > ?2 AND seq <= ?3 ORDER BY seq LIMIT 1 OFFSET ?4",
                )?
                .query_row(params![lane as i64, signed(swept), signed(floor), portion - 1], |row| row.get(0))
                .optional()?;
            let bound = bound.map_or(floor, unsigned).min(floor);
            done &= bound == floor;
            let delete = if named {
                "DELETE FROM event WHERE lane = ?1 AND seq > ?2 AND seq <= ?3
                   AND NOT EXISTS (SELECT 1 FROM exception x WHERE x.seq = event.seq)"
            } else {
                "DELETE FROM event WHERE lane = ?1 AND seq > ?2 AND seq <= ?3"
            };
            let deleted =
                self.db.prepare_cached(delete)?.execute(params![lane as i64, signed(swept), signed(bound)])?;
            budget = budget.saturating_sub(deleted as i64);
            self.memory.rows_deleted(deleted);
            if let Some(swept) = self.memory.swept.get_mut(lane) {
                *swept = bound;
            }
        }
        Ok(done)
    }

    /// Deletes these rows unless a route still holds them.
    pub(super) fn free(&mut self, rows: &[(u64, u8)]) -> Result<()> {
        let floor = floor(self.memory.routes.iter());
        for (seq, lane) in rows {
            if floor.get(usize::from(*lane)).is_some_and(|floor| seq <= floor) {
                let deleted = self
                    .db
                    .prepare_cached(
                        "DELETE FROM event WHERE seq = ?1 AND NOT EXISTS (SELECT 1 FROM exception x WHERE x.seq = ?1)",
                    )?
                    .execute([signed(*seq)])?;
                self.memory.rows_deleted(deleted);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Bench, NOW};
    use super::super::{From, RowState};
    use super::*;
    use crate::kind::Kind;

    #[test]
    fn a_large_backlog_is_swept_in_several_transactions() {
        let mut bench = Bench::fresh();
        for _ in 0..30 {
            bench.add(&[Kind::Metric; 100]);
        }
        bench.store.declare("main", &["rez.batch"], From::Now, NOW).unwrap();
        bench.store.maintain(NOW).unwrap();
        assert_eq!(bench.seqs().len(), 3_000 - SWEEP as usize);
        bench.store.maintain(NOW).unwrap();
        bench.store.maintain(NOW).unwrap();
        assert!(bench.seqs().is_empty());
        let id = Bench::id(1);
        assert!(!matches!(
            bench.store.fate(id).unwrap().routes.first().map(|fate| &fate.state),
            Some(RowState::Queued)
        ));
    }
}
