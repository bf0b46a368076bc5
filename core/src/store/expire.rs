//! The age cap: deletes rows that are too old.

use super::error::Result;
use super::evict::{RowToDelete, Wants};
use super::memory::signed;
use super::schema::Read;
use super::types::Now;
use super::{Store, Tx};
use crate::kind::{Kind, Lane};
use crate::limits;
use crate::reason::Reason;
use rusqlite::params;
use std::collections::HashMap;

/// Rows examined in one call per lane, at its head and at the moving position.
const WINDOW: i64 = 64;

const MS_PER_DAY: i64 = 24 * 3600 * 1000;

/// The boot in which a row was recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Boot {
    /// The current boot.
    Same,
    /// An earlier boot, with the last stored offset of its wall clock from its monotonic clock.
    Earlier(i64),
    /// Nothing.
    Unknown,
}

/// Age of a row in milliseconds. An impossible age counts from the start of this boot.
fn age_ms(boot: Boot, row_mono_ms: i64, now: Now) -> i64 {
    match boot {
        Boot::Same => now.mono_ms.saturating_sub(row_mono_ms).max(0),
        Boot::Earlier(offset) => {
            let age = now.wall_ms.saturating_sub(offset.saturating_add(row_mono_ms)).max(0);
            if age > limits::AGE_UNKNOWN_DAYS * MS_PER_DAY { now.mono_ms.max(0) } else { age }
        }
        Boot::Unknown => now.mono_ms.max(0),
    }
}

impl Store {
    /// Deletes rows that are over their maximum age. Examines the head of each lane and a part of the rest; call again
    /// while it returns more than 0.
    pub(crate) fn expire(&mut self, wants: Wants<'_>, now: Now) -> Result<usize> {
        let options = self.options;
        let present = self.boot.clone();
        self.write(false, |tx| {
            let mut boots = HashMap::new();
            let mut to_delete = Vec::new();
            for lane in Lane::ALL {
                let number = usize::from(lane.number());
                let limit = if lane == Lane::Crash { options.max_age_crash } else { options.max_age };
                let limit = i64::try_from(limit.as_millis()).unwrap_or(i64::MAX);
                let from = tx.memory.aged.get(number).copied().unwrap_or(0);
                let head = tx.old(lane, 0, limit, &present, now, &mut boots, &mut to_delete)?;
                let place = if from < head || head == 0 {
                    head
                } else {
                    tx.old(lane, from, limit, &present, now, &mut boots, &mut to_delete)?
                };
                if let Some(aged) = tx.memory.aged.get_mut(number) {
                    *aged = place;
                }
            }
            tx.take_away(&to_delete, Reason::EvictedAge, Some(wants), now)?;
            Ok(to_delete.len())
        })
    }
}

impl Tx<'_> {
    /// Adds the rows over their maximum age among the next [`WINDOW`] rows of a lane. Returns the last row examined, 0
    /// at the end of the lane.
    #[allow(clippy::too_many_arguments)]
    fn old(
        &mut self,
        lane: Lane,
        after: u64,
        limit_ms: i64,
        present: &str,
        now: Now,
        boots: &mut HashMap<i64, Boot>,
        to_delete: &mut Vec<RowToDelete>,
    ) -> Result<u64> {
        let mut seen = Vec::new();
        {
            let mut select = self.db.prepare_cached(
                "SELECT seq, run, mono_ms, kind FROM event WHERE lane = ?1 AND seq > ?2 ORDER BY seq LIMIT ?3",
            )?;
            let mut rows = select.query(params![lane.number(), signed(after), WINDOW])?;
            while let Some(row) = rows.next()? {
                let kind = row.get::<_, String>(3).ok().and_then(|kind| Kind::parse(&kind));
                seen.push((row.get::<_, i64>(0)?.max(0) as u64, row.get::<_, i64>(1)?, row.get::<_, i64>(2)?, kind));
            }
        }
        let ended = (seen.len() as i64) < WINDOW;
        let last = seen.last().map_or(0, |row| row.0);
        for (seq, run, mono_ms, kind) in seen {
            let boot = match boots.get(&run) {
                Some(boot) => *boot,
                None => {
                    let boot = self.boot_of(run, present)?;
                    boots.insert(run, boot);
                    boot
                }
            };
            let known = to_delete.iter().any(|row| row.seq == seq);
            if age_ms(boot, mono_ms, now) < limit_ms || known || self.memory.is_pinned(seq) {
                continue;
            }
            to_delete.push(match self.row(seq)? {
                Some(Read::Good(row)) => RowToDelete::of(row),
                _ => RowToDelete { seq, lane: lane.number(), kind, row: None },
            });
        }
        Ok(if ended { 0 } else { last })
    }

    fn boot_of(&self, run: i64, present: &str) -> Result<Boot> {
        let mut select = self.db.prepare_cached(
            "SELECT run.boot, boot.wall_offset_ms FROM run LEFT JOIN boot ON boot.boot = run.boot WHERE run.number = ?1",
        )?;
        let mut rows = select.query([run])?;
        let Some(row) = rows.next()? else { return Ok(Boot::Unknown) };
        if row.get::<_, String>(0)? == present {
            return Ok(Boot::Same);
        }
        Ok(row.get::<_, Option<i64>>(1)?.map_or(Boot::Unknown, Boot::Earlier))
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Bench, NOW, ROUTE, all};
    use super::*;

    #[test]
    fn an_age_is_monotonic_within_a_boot_and_by_wall_clock_across_boots() {
        let now = Now { wall_ms: 1_000_000, mono_ms: 5_000 };
        assert_eq!(age_ms(Boot::Same, 2_000, now), 3_000);
        assert_eq!(age_ms(Boot::Same, 9_000, now), 0);
        assert_eq!(age_ms(Boot::Earlier(900_000), 40_000, now), 60_000);
        // The clock was set back: the age is at least 0.
        assert_eq!(age_ms(Boot::Earlier(2_000_000), 0, now), 0);
        assert_eq!(age_ms(Boot::Unknown, 2_000, now), 5_000);
    }

    #[test]
    fn rows_expire_at_their_age_crashes_later_and_rows_in_flight_never() {
        let day = |days: i64, more: i64| Now { mono_ms: NOW.mono_ms + days * MS_PER_DAY + more, ..NOW };
        let mut bench = Bench::new();
        let rows = bench.add(&[Kind::Crash, Kind::Error, Kind::Metric]);
        assert_eq!(bench.store.expire(&all, day(14, -1)).unwrap(), 0);
        assert_eq!(bench.store.expire(&all, day(14, 0)).unwrap(), 2);
        bench.check();
        assert_eq!(bench.seqs(), rows[..1]);
        assert_eq!(bench.account(ROUTE).dropped["evicted_age"], 2);
        assert_eq!(bench.store.expire(&all, day(30, -1)).unwrap(), 0);
        bench.lease(1).unwrap();
        assert_eq!(bench.store.expire(&all, day(31, 0)).unwrap(), 0);
        bench.store.release(ROUTE, None, None).unwrap();
        assert_eq!(bench.store.expire(&all, day(31, 0)).unwrap(), 1);
    }

    #[test]
    fn old_rows_behind_young_ones_expire() {
        let mut bench = Bench::new();
        bench.add(&[Kind::Metric; 200]);
        let young = NOW.mono_ms + 20 * MS_PER_DAY;
        // By their clocks they are younger than the last ten.
        bench
            .store
            .db
            .execute("UPDATE event SET mono_ms = ?1 WHERE seq < (SELECT max(seq) - 9 FROM event)", [young])
            .unwrap();
        let mut gone = 0;
        for _ in 0..5 {
            gone += bench.store.expire(&all, Now { mono_ms: young, ..NOW }).unwrap();
        }
        assert_eq!(gone, 10);
        bench.check();
    }

    #[test]
    fn an_age_over_400_days_counts_from_this_boot() {
        let day = MS_PER_DAY;
        let now = Now { wall_ms: 500 * day, mono_ms: 7 };
        assert_eq!(age_ms(Boot::Earlier(0), 100 * day, now), 400 * day);
        assert_eq!(age_ms(Boot::Earlier(0), 100 * day - 1, now), 7);
        assert_eq!(age_ms(Boot::Earlier(i64::MIN), i64::MIN, Now { wall_ms: i64::MAX, mono_ms: 7 }), 7);
    }
}
