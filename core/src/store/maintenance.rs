//! Periodic maintenance, so that no table grows without bound.

use super::error::Result;
use super::ledger::{LedgerChanges, day};
use super::memory::{PLACEHOLDER, signed};
use super::parked::{EXCEPTION, Exception};
use super::routes::DEAD;
use super::types::Now;
use super::{Store, Tx};
use crate::kind::Kind;
use crate::limits;
use crate::reason::Reason;
use crate::sorted::sort_by_key;
use rusqlite::{OptionalExtension, params};

/// Days of the ledger that are kept separately; older ones are summed.
const LEDGER_DAYS: i64 = 30;

/// Epochs whose counts are kept.
const EPOCHS: u64 = 8;

/// Runs in the table above which unreferenced ones are deleted.
const RUNS: i64 = 64;

/// An age above this means a wrong clock.
const FAR_MS: i64 = limits::AGE_UNKNOWN_DAYS * 24 * 3600 * 1000;

impl Store {
    /// Trims dead letters, receipts, old counts and unreferenced runs, and frees the rows of destinations that were
    /// dormant for too long. Takes a few milliseconds.
    pub(crate) fn maintain(&mut self, now: Now) -> Result<()> {
        self.write(false, |tx| {
            for route in tx.memory.routes.clone() {
                tx.trim_dead(route.number, now)?;
                tx.trim_receipts(route.number, limits::RECEIPTS)?;
                if let Some(since) = route.dormant_since_ms.filter(|_| &*route.name != PLACEHOLDER) {
                    let waited = now.wall_ms.saturating_sub(since);
                    if !(0..=FAR_MS).contains(&waited) {
                        tx.sleep_from(route.number, now.wall_ms)?;
                    } else if waited > limits::DORMANT_AGE.as_millis() as i64 {
                        tx.remove_route(&route, Some(Reason::DestinationRemoved), now)?;
                    }
                }
            }
            tx.trim_ledger(now)?;
            tx.trim_runs()?;
            tx.db.prepare_cached("DELETE FROM settled WHERE seq NOT IN (SELECT seq FROM event)")?.execute([])?;
            tx.sweep()?;
            Ok(())
        })
    }
}

impl Tx<'_> {
    fn trim_dead(&mut self, route: i64, now: Now) -> Result<()> {
        let mut dead = Vec::new();
        let mut broken = Vec::new();
        {
            let mut select = self.db.prepare_cached(&format!(
                "SELECT {EXCEPTION} FROM exception WHERE route = ?1 AND lane IN (0, 1, 2, 3) AND state = ?2"
            ))?;
            let mut rows = select.query(params![route, DEAD])?;
            while let Some(row) = rows.next()? {
                match Exception::read(row)? {
                    Ok(exception) => dead.push(exception),
                    Err(seq) => broken.push(seq),
                }
            }
        }
        sort_by_key(&mut dead, |letter| (letter.at_ms, letter.seq));
        let too_many = dead.len().saturating_sub(limits::DEAD_LETTERS);
        let old = limits::DEAD_LETTER_AGE.as_millis() as i64;
        let mut ledger = LedgerChanges::default();
        let mut freed = Vec::new();
        for (place, letter) in dead.iter().enumerate() {
            let age = now.wall_ms.saturating_sub(letter.at_ms);
            if place < too_many || (age > old && age <= FAR_MS) {
                ledger.lost(route, self.kind_of(letter.seq)?, letter.reason.unwrap_or(Reason::Rejected), 1);
                freed.push((letter.seq, letter.lane));
            }
        }
        for seq in broken {
            let kind = self.kind_of(seq)?;
            ledger.lost(route, kind, Reason::CorruptRow, 1);
            freed.push((seq, kind.map_or(3, |kind| kind.lane().number())));
        }
        ledger.write(self, now)?;
        self.end(route, &freed)
    }

    fn kind_of(&self, seq: u64) -> Result<Option<Kind>> {
        let kind: Option<String> = self
            .db
            .prepare_cached("SELECT kind FROM event WHERE seq = ?1")?
            .query_row([signed(seq)], |row| row.get(0))
            .optional()?;
        Ok(kind.and_then(|kind| Kind::parse(&kind)))
    }

    pub(super) fn trim_receipts(&self, route: i64, most: usize) -> Result<()> {
        self.db
            .prepare_cached(
                "DELETE FROM receipt WHERE route = ?1 AND number <=
                   (SELECT number FROM receipt WHERE route = ?1 ORDER BY number DESC LIMIT 1 OFFSET ?2)",
            )?
            .execute(params![route, most as i64])?;
        Ok(())
    }

    fn trim_ledger(&self, now: Now) -> Result<()> {
        let before = day(now).saturating_sub(LEDGER_DAYS);
        let many: bool = self
            .db
            .prepare_cached("SELECT EXISTS (SELECT 1 FROM ledger WHERE day > 0 AND day < ?1)")?
            .query_row([before], |row| row.get(0))?;
        if many {
            self.db.execute(
                "INSERT INTO ledger (epoch, day, route, kind, reason, n)
                 SELECT epoch, 0, route, kind, reason, sum(n) FROM ledger WHERE day > 0 AND day < ?1 GROUP BY 1, 3, 4, 5
                 ON CONFLICT DO UPDATE SET n = n + excluded.n",
                [before],
            )?;
            self.db.execute("DELETE FROM ledger WHERE day > 0 AND day < ?1", [before])?;
        }
        if let Some(epoch) = self.memory.epoch.checked_sub(EPOCHS) {
            for table in ["ledger", "tally", "flow"] {
                self.db.execute(&format!("DELETE FROM {table} WHERE epoch <= ?1"), [signed(epoch)])?;
            }
        }
        Ok(())
    }

    /// Runs once per open, because the search reads all rows.
    fn trim_runs(&mut self) -> Result<()> {
        if self.memory.runs_pruned {
            return Ok(());
        }
        self.memory.runs_pruned = true;
        let runs: i64 = self.db.query_row("SELECT count(*) FROM run", [], |row| row.get(0))?;
        if runs > RUNS {
            self.db.execute(
                "DELETE FROM run WHERE number < (SELECT max(number) FROM run) AND number NOT IN
                   (SELECT run FROM event UNION SELECT run FROM crumb)",
                [],
            )?;
            self.db.execute(
                "DELETE FROM boot WHERE boot NOT IN (SELECT boot FROM run) AND boot <> (SELECT boot FROM fold)",
                [],
            )?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::RowEnd;
    use super::super::testing::{Bench, NOW, ROUTE, receipt};
    use super::*;

    const DAY: i64 = 24 * 3_600_000;

    fn kill(bench: &mut Bench, n: usize) {
        bench.add(&vec![Kind::Error; n]);
        let lease = bench.lease(500).unwrap();
        bench.settle(&lease, &RowEnd::Dead { reason: Reason::Rejected, status: 422, note: "bad".to_string() });
    }

    #[test]
    fn dead_letters_are_kept_up_to_a_number_and_an_age() {
        let mut bench = Bench::new();
        kill(&mut bench, limits::DEAD_LETTERS + 3);
        bench.store.maintain(NOW).unwrap();
        bench.check();
        assert_eq!((bench.account(ROUTE).dead, bench.account(ROUTE).dropped["rejected"]), (100, 3));
        assert_eq!(bench.seqs().len(), 100);
        bench.store.maintain(Now { wall_ms: NOW.wall_ms + 8 * DAY, ..NOW }).unwrap();
        bench.check();
        assert_eq!((bench.account(ROUTE).dead, bench.account(ROUTE).dropped["rejected"]), (0, 103));
        assert!(bench.seqs().is_empty());
    }

    #[test]
    fn a_damaged_dead_letter_is_counted_as_damaged() {
        let mut bench = Bench::new();
        kill(&mut bench, 1);
        bench.store.db.execute("UPDATE exception SET note = 'good'", []).unwrap();
        bench.store.maintain(NOW).unwrap();
        bench.check();
        assert_eq!(bench.account(ROUTE).dropped["corrupt_row"], 1);
    }

    #[test]
    fn receipts_are_kept_up_to_a_number() {
        let mut bench = Bench::new();
        bench.add(&[Kind::Error]);
        bench.lease(1).unwrap();
        for _ in 0..150 {
            bench.store.retry(ROUTE, &receipt(503), None).unwrap();
        }
        bench.store.maintain(NOW).unwrap();
        let kept: i64 = bench.store.db.query_row("SELECT count(*) FROM receipt", [], |row| row.get(0)).unwrap();
        assert_eq!(kept, limits::RECEIPTS as i64);
    }

    #[test]
    fn old_ledger_days_are_summed_without_changing_the_balance() {
        let mut bench = Bench::new();
        for day in 0..40 {
            let now = Now { wall_ms: NOW.wall_ms + day * DAY, ..NOW };
            let mut fold = bench.store.begin(false, now).unwrap();
            fold.intake(Some(Kind::Error), 1).unwrap();
            fold.drop(Some(Kind::Error), Reason::Filtered, 1).unwrap();
            fold.commit().unwrap();
        }
        bench.store.maintain(Now { wall_ms: NOW.wall_ms + 39 * DAY, ..NOW }).unwrap();
        bench.check();
        let entries: i64 = bench.store.db.query_row("SELECT count(*) FROM ledger", [], |row| row.get(0)).unwrap();
        assert_eq!(entries, LEDGER_DAYS + 2);
        assert_eq!(bench.store.lost(ROUTE).unwrap()[0].count, 40);
    }

    #[test]
    fn runs_that_no_row_names_are_deleted() {
        let mut bench = Bench::new();
        let rows = bench.add_for(&[Kind::Error; 300], &[], &format!("\"{}\"", "x".repeat(3_000)));
        let mut fold = bench.store.begin(false, NOW).unwrap();
        for n in 0..80 {
            let run = crate::row::Run { id: format!("old-{n}"), boot: format!("b-{n}"), ..Default::default() };
            fold.run(&run).unwrap();
        }
        fold.commit().unwrap();
        bench.store.maintain(NOW).unwrap();
        assert_eq!(
            bench.store.runs().unwrap().iter().map(|run| run.id.as_str()).collect::<Vec<_>>(),
            ["run-1", "old-79"]
        );
        assert_eq!(rows.len(), 300);
    }
}
