//! The fold: stores everything of one pass over the ring, in one transaction with the position it reached.

use super::blocks::Blocks;
use super::error::{Result, StoreError};
use super::ledger::{BEFORE, LedgerChanges, spelling};
use super::memory::{EPOCH_SHIFT, MAX_EPOCH, Memory, PASSED, signed};
use super::schema::{INSERT_EVENT, RawRow, row_crc};
use super::types::{FoldPosition, NewRow, Now};
use super::{Store, Tx, begin, commit, rollback};
use crate::kind::Kind;
use crate::limits;
use crate::reason::Reason;
use crate::row::Run;
use crate::sys::map;
use rusqlite::{CachedStatement, Connection, params};

/// Most placeholder routes: an app that makes up destination names must not fill the table.
const PLACEHOLDERS: usize = 32;

/// Changes of the offset between wall clock and monotonic clock that are not stored, in milliseconds.
const OFFSET_DRIFT_MS: u64 = 1_000;

/// What one fold adds to a kind's counts.
#[derive(Clone, Copy)]
struct Count {
    kind: Option<Kind>,
    folded: u64,
    late: u64,
    stored: u64,
}

/// One transaction of the fold. Dropping it rolls everything back.
pub(crate) struct Fold<'a> {
    pub(super) db: &'a Connection,
    pub(super) blocks: &'a Blocks,
    pub(super) memory: &'a mut Memory,
    pub(super) before: Option<Box<Memory>>,
    pub(super) insert: CachedStatement<'a>,
    counts: Vec<Count>,
    pub(super) ledger: LedgerChanges,
    /// Rows given to target placeholders: (route, n).
    pub(super) given: Vec<(i64, u64)>,
    pub(super) now: Now,
    /// See [`Store::is_index_whole`].
    pub(super) replaced_before: u32,
}

impl Store {
    /// Begins a fold. `critical` = its commit is synced before it returns.
    pub(crate) fn begin(&mut self, critical: bool, now: Now) -> Result<Fold<'_>> {
        self.keep_log_short(limits::HELD_LOG_PAGES)?;
        self.synchronous(critical)?;
        self.check_index()?;
        let Store { db, memory, blocks, replaced_before, .. } = self;
        begin(db)?;
        Fold::in_transaction(db, blocks, memory, *replaced_before, now)
    }

    /// Numbers rows in a higher epoch from now on. A lower or equal epoch changes nothing. The counts of each route
    /// restart with the rows it still holds.
    pub(crate) fn raise_epoch(&mut self, at_least: u64) -> Result<()> {
        let epoch = at_least.min(MAX_EPOCH);
        if epoch <= self.memory.epoch {
            return Ok(());
        }
        self.write(true, |tx| {
            tx.memory.epoch = epoch;
            tx.memory.next_n = 1;
            tx.db.execute("UPDATE fold SET epoch = ?1, next_n = 1", [signed(epoch)])?;
            let first = tx.memory.next_seq();
            for route in tx.memory.routes.clone() {
                let base = tx.held(&route)?;
                tx.start_flow(&route, base, first)?;
            }
            Ok(())
        })
    }
}

impl Tx<'_> {
    pub(super) fn set_install(&mut self, install: &str) -> Result<()> {
        self.memory.install = install.into();
        self.db.execute("UPDATE fold SET install = ?1", [install])?;
        Ok(())
    }
}

impl<'a> Fold<'a> {
    /// A fold in the transaction that has begun.
    pub(super) fn in_transaction(
        db: &'a Connection,
        blocks: &'a Blocks,
        memory: &'a mut Memory,
        replaced_before: u32,
        now: Now,
    ) -> Result<Fold<'a>> {
        let insert = db.prepare_cached(INSERT_EVENT).inspect_err(|_| rollback(db))?;
        let before = Some(Box::new(memory.clone()));
        Ok(Fold {
            db,
            blocks,
            memory,
            before,
            insert,
            counts: Vec::new(),
            ledger: LedgerChanges::default(),
            given: Vec::new(),
            now,
            replaced_before,
        })
    }
}

impl Fold<'_> {
    /// Stores a run, or a change of one, and returns its number. What is already stored (same [`Run::key`]) keeps its
    /// number.
    pub(crate) fn run(&mut self, run: &Run) -> Result<i64> {
        let json = serde_json::to_string(run).map_err(|error| StoreError::Unavailable(error.to_string()))?;
        self.db
            .prepare_cached("INSERT INTO run (id, boot, json) VALUES (?1, ?2, ?3) ON CONFLICT (id) DO NOTHING")?
            .execute(params![run.key(), run.boot, json])?;
        let number =
            self.db.prepare_cached("SELECT number FROM run WHERE id = ?1")?.query_row([run.key()], |row| row.get(0))?;
        Ok(number)
    }

    /// Stores a run that ended before, found in a damaged file or deleted meanwhile, and gives its number, which is lower than that of
    /// every run recorded into this file: the newest run stays the last one. Also stores the offset between the clocks of its boot.
    pub(crate) fn earlier_run(&mut self, run: &Run) -> Result<i64> {
        let json = serde_json::to_string(run).map_err(|error| StoreError::Unavailable(error.to_string()))?;
        self.db
            .prepare_cached(
                "INSERT INTO run (number, id, boot, json)
                 VALUES ((SELECT min(0, ifnull(min(number), 0)) - 1 FROM run), ?1, ?2, ?3) ON CONFLICT (id) DO NOTHING",
            )?
            .execute(params![run.key(), run.boot, json])?;
        self.db
            .prepare_cached("INSERT OR IGNORE INTO boot (boot, wall_offset_ms) VALUES (?1, ?2)")?
            .execute(params![run.boot, run.wall_ms.saturating_sub(run.mono_ms)])?;
        self.run(run)
    }

    /// Stores an event and returns its `seq`. Counts it as stored, and as late if it is.
    pub(crate) fn insert(&mut self, row: &NewRow<'_>) -> Result<u64> {
        if self.memory.next_n >= (1 << EPOCH_SHIFT) - 1 {
            return Err(StoreError::Unavailable("this epoch has no numbers left".to_string()));
        }
        let seq = self.memory.next_seq();
        let id = row.id.to_string();
        let lane = row.kind.lane().number();
        let targets = match row.targets {
            [] => None,
            targets => {
                Some(serde_json::to_string(targets).map_err(|error| StoreError::Unavailable(error.to_string()))?)
            }
        };
        let crc = row_crc(&RawRow {
            seq: signed(seq),
            id: id.as_bytes(),
            lane: i64::from(lane),
            kind: row.kind.as_str().as_bytes(),
            run: row.run,
            wall_ms: row.wall_ms,
            mono_ms: row.mono_ms,
            targets: targets.as_deref().map(str::as_bytes),
            json: row.json.as_bytes(),
        });
        self.insert.execute(params![
            signed(seq),
            id,
            lane,
            row.kind.as_str(),
            row.run,
            row.wall_ms,
            row.mono_ms,
            targets,
            row.json,
            crc
        ])?;
        self.memory.next_n += 1;
        self.memory.row_inserted();
        for target in row.targets {
            self.keep_for(target, seq, row.kind)?;
        }
        let count = self.count(Some(row.kind));
        count.stored += 1;
        count.late += u64::from(row.late);
        Ok(seq)
    }

    /// Counts events read from the ring, whatever happens to them later. `None` = the kind cannot be read.
    pub(crate) fn intake(&mut self, kind: Option<Kind>, n: u64) -> Result<()> {
        let count = self.count(kind);
        count.folded = count.folded.saturating_add(n);
        Ok(())
    }

    /// Counts events that are dropped before a row is stored.
    pub(crate) fn drop(&mut self, kind: Option<Kind>, reason: Reason, n: u64) -> Result<()> {
        self.ledger.lost(BEFORE, kind, reason, n);
        Ok(())
    }

    /// Stores a breadcrumb. It replaces the one recorded [`limits::CRUMBS`] before it.
    pub(crate) fn crumb(&mut self, number: u64, run: i64, json: &str) -> Result<()> {
        self.db
            .prepare_cached("INSERT OR REPLACE INTO crumb (slot, number, run, json) VALUES (?1, ?2, ?3, ?4)")?
            .execute(params![signed(number % limits::CRUMBS as u64), signed(number), run, json])?;
        Ok(())
    }

    /// Deletes all breadcrumbs.
    pub(crate) fn clear_crumbs(&mut self) -> Result<()> {
        self.db.prepare_cached("DELETE FROM crumb")?.execute([])?;
        Ok(())
    }

    /// Sets or removes one part of the scope.
    pub(crate) fn scope(&mut self, key: &str, json: Option<&str>) -> Result<()> {
        match json {
            Some(json) => self
                .db
                .prepare_cached("INSERT OR REPLACE INTO scope (key, json) VALUES (?1, ?2)")?
                .execute(params![key, json])?,
            None => self.db.prepare_cached("DELETE FROM scope WHERE key = ?1")?.execute([key])?,
        };
        Ok(())
    }

    /// Empties the scope (a new run).
    pub(crate) fn clear_scope(&mut self) -> Result<()> {
        self.db.prepare_cached("DELETE FROM scope")?.execute([])?;
        Ok(())
    }

    /// Sets or removes one property of the user.
    pub(crate) fn property(&mut self, name: &str, json: Option<&str>) -> Result<()> {
        match json {
            Some(json) => self
                .db
                .prepare_cached("INSERT OR REPLACE INTO property (name, json) VALUES (?1, ?2)")?
                .execute(params![name, json])?,
            None => self.db.prepare_cached("DELETE FROM property WHERE name = ?1")?.execute([name])?,
        };
        Ok(())
    }

    /// Replaces the snapshot of the gate's cumulative counters (kept in the ring header).
    pub(crate) fn gate(&mut self, counts: &[(Reason, Option<Kind>, u64)]) -> Result<()> {
        self.db.prepare_cached("DELETE FROM gate")?.execute([])?;
        for (reason, kind, n) in counts.iter().filter(|count| count.2 > 0) {
            self.db
                .prepare_cached(
                    "INSERT INTO gate (reason, kind, n) VALUES (?1, ?2, ?3) ON CONFLICT DO UPDATE SET n = n + excluded.n",
                )?
                .execute(params![reason.as_str(), spelling(*kind), signed(*n)])?;
        }
        Ok(())
    }

    /// Stores how far the ring is folded with this transaction, and the offset of the wall clock from the monotonic
    /// clock.
    pub(crate) fn set_position(&mut self, position: FoldPosition, boot: &str, wall_offset_ms: i64) -> Result<()> {
        self.memory.position = position;
        let known = self.memory.offset_ms.filter(|_| *self.memory.boot_seen == *boot);
        // Clocks drift by milliseconds; that is not worth another page in each commit.
        if known.is_none_or(|known| wall_offset_ms.abs_diff(known) > OFFSET_DRIFT_MS) {
            self.db
                .prepare_cached("INSERT OR REPLACE INTO boot (boot, wall_offset_ms) VALUES (?1, ?2)")?
                .execute(params![boot, wall_offset_ms])?;
            self.memory.boot_seen = boot.into();
            self.memory.offset_ms = Some(wall_offset_ms);
        }
        Ok(())
    }

    /// Commits: the rows survive the process being killed, and a power failure too if the commit is critical.
    pub(crate) fn commit(mut self) -> Result<()> {
        let epoch = signed(self.memory.epoch);
        for count in &self.counts {
            self.db
                .prepare_cached(
                    "INSERT INTO tally (epoch, kind, folded, late, stored) VALUES (?1, ?2, ?3, ?4, ?5)
                     ON CONFLICT DO UPDATE SET folded = folded + excluded.folded, late = late + excluded.late,
                       stored = stored + excluded.stored",
                )?
                .execute(params![
                    epoch,
                    spelling(count.kind),
                    signed(count.folded),
                    signed(count.late),
                    signed(count.stored)
                ])?;
        }
        for (route, n) in &self.given {
            self.db
                .prepare_cached("UPDATE flow SET base = base + ?3 WHERE route = ?1 AND epoch = ?2")?
                .execute(params![route, epoch, signed(*n)])?;
        }
        let ledger = std::mem::take(&mut self.ledger);
        self.memory.clean = false;
        let memory = &*self.memory;
        let position = memory.position;
        self.db
            .prepare_cached(
                "UPDATE fold SET next_n = ?1, generation = ?2, ticket = ?3, total = ?4, reserve_generation = ?5,
                   reserve_total = ?6, boot = ?7, clean = 0",
            )?
            .execute(params![
                signed(memory.next_n),
                position.generation as i64,
                position.ticket as i64,
                position.total as i64,
                position.reserve_generation as i64,
                position.reserve_total as i64,
                &*memory.boot_seen
            ])?;
        ledger.write(&Tx { db: self.db, memory: &mut *self.memory, small: false }, self.now)?;
        if self.replaced_before != map::replaced_pages() {
            return Err(StoreError::Unavailable("queue.db-shm was cut short".to_string()));
        }
        commit(self.db, self.blocks)?;
        self.before = None;
        Ok(())
    }

    fn count(&mut self, kind: Option<Kind>) -> &mut Count {
        let found = self.counts.iter().position(|count| count.kind == kind);
        let place = found.unwrap_or_else(|| {
            self.counts.push(Count { kind, folded: 0, late: 0, stored: 0 });
            self.counts.len() - 1
        });
        &mut self.counts[place]
    }

    /// Keeps the row for a destination that is not declared yet: by an exception of its placeholder route.
    fn keep_for(&mut self, target: &str, seq: u64, kind: Kind) -> Result<()> {
        let known = self.memory.routes.iter().any(|route| &*route.destination == target && !route.is_placeholder());
        if known {
            return Ok(());
        }
        let name = format!("{target}/*");
        let mut tx = Tx { db: self.db, memory: &mut *self.memory, small: false };
        let placeholder = tx.memory.route(&name).map(|route| route.number);
        let number = match placeholder {
            Some(number) => number,
            None if tx.memory.routes.iter().filter(|route| route.is_placeholder()).count() > PLACEHOLDERS => {
                return Ok(());
            }
            None => tx.add_route(&name, target, [PASSED; 4], Some(self.now.wall_ms))?,
        };
        if tx.park(number, seq, kind, self.now.wall_ms, None)? {
            match self.given.iter_mut().find(|given| given.0 == number) {
                Some(given) => given.1 += 1,
                None => self.given.push((number, 1)),
            }
        }
        Ok(())
    }
}

impl Drop for Fold<'_> {
    fn drop(&mut self) {
        if let Some(before) = self.before.take() {
            rollback(self.db);
            *self.memory = *before;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Bench, NOW, ROUTE};
    use super::super::{Options, RowEnd};
    use super::*;

    #[test]
    fn a_fold_that_is_dropped_leaves_no_trace_in_file_and_memory() {
        let mut bench = Bench::new();
        let next = bench.store.next_seq();
        {
            let mut fold = bench.store.begin(false, NOW).unwrap();
            let row = NewRow {
                id: Bench::id(1),
                kind: Kind::Error,
                run: 1,
                wall_ms: 0,
                mono_ms: 0,
                targets: &["elsewhere".to_string()],
                json: "{}",
                late: false,
            };
            assert_eq!(fold.insert(&row).unwrap(), next);
            fold.drop(None, Reason::Malformed, 3).unwrap();
            fold.set_position(FoldPosition { ticket: 9, ..FoldPosition::default() }, "boot-9", 1).unwrap();
        }
        assert_eq!(bench.store.next_seq(), next);
        assert_eq!(bench.store.fold_position(), FoldPosition::default());
        assert_eq!(bench.store.boot_seen().0, "");
        assert!(bench.store.memory.route("elsewhere/*").is_none());
        assert!(bench.seqs().is_empty() && bench.store.lost(ROUTE).unwrap().is_empty());
        assert_eq!(bench.add(&[Kind::Error]), [next]);
    }

    #[test]
    fn rows_are_numbered_without_gaps_across_crashes_and_anew_in_a_higher_epoch() {
        let mut bench = Bench::new();
        let first = (3 << 40) | 1;
        assert_eq!(bench.add(&[Kind::Error, Kind::Metric]), [first, first + 1]);
        let mut bench = bench.crash();
        assert_eq!(bench.add(&[Kind::Error]), [first + 2]);
        bench.store.raise_epoch(3).unwrap();
        assert_eq!(bench.store.epoch(), 3);
        bench.store.raise_epoch(5).unwrap();
        assert_eq!(bench.add(&[Kind::Error]), [(5 << 40) | 1]);
        bench.check();
        assert_eq!(bench.account(ROUTE).stored, 4);
        assert_eq!(bench.crash().store.epoch(), 5);
    }

    #[test]
    fn the_next_process_reads_back_what_a_fold_wrote() {
        let mut bench = Bench::new();
        let position = FoldPosition {
            generation: u64::MAX,
            ticket: 7,
            total: 8,
            reserve_generation: u64::MAX - 1,
            reserve_total: 2,
        };
        let run =
            Run { id: "run-9".to_string(), boot: "boot-9".to_string(), app: "shop".to_string(), ..Run::default() };
        let mut fold = bench.store.begin(true, NOW).unwrap();
        let number = fold.run(&run).unwrap();
        assert_eq!(fold.run(&run).unwrap(), number);
        for crumb in 0..150 {
            fold.crumb(crumb, number, &format!("{{\"n\":{crumb}}}")).unwrap();
        }
        fold.scope("user", Some("{\"id\":1}")).unwrap();
        fold.scope("gone", Some("1")).unwrap();
        fold.scope("gone", None).unwrap();
        fold.property("plan", Some("\"pro\"")).unwrap();
        fold.gate(&[(Reason::RingFull, Some(Kind::Metric), 5), (Reason::Forked, None, 0)]).unwrap();
        fold.set_position(position, "boot-9", 77).unwrap();
        fold.commit().unwrap();
        let mut bench = bench.crash();
        assert_eq!(bench.store.fold_position(), position);
        assert_eq!(bench.store.boot_seen(), ("boot-9".to_string(), false));
        assert_eq!(bench.store.scope().unwrap(), [("user".to_string(), "{\"id\":1}".to_string())]);
        assert_eq!(bench.store.properties().unwrap(), [("plan".to_string(), "\"pro\"".to_string())]);
        assert_eq!(bench.store.runs().unwrap(), [Run { number, ..run }]);
        let crumbs = bench.store.crumbs().unwrap();
        assert_eq!(crumbs.iter().map(|crumb| crumb.number).collect::<Vec<_>>(), (50..150).collect::<Vec<_>>());
        let lost = bench.store.lost(ROUTE).unwrap();
        assert_eq!(lost, [crate::row::Lost { reason: Reason::RingFull, kind: Some(Kind::Metric), count: 5 }]);
        let mut fold = bench.store.begin(false, NOW).unwrap();
        fold.clear_scope().unwrap();
        fold.clear_crumbs().unwrap();
        fold.gate(&[]).unwrap();
        fold.commit().unwrap();
        assert!(bench.store.scope().unwrap().is_empty() && bench.store.crumbs().unwrap().is_empty());
        assert!(bench.store.lost(ROUTE).unwrap().is_empty());
    }

    #[test]
    fn a_clean_close_is_recorded_until_the_next_fold() {
        let mut bench = Bench::new();
        bench.add(&[Kind::Error]);
        let Bench { folder, store, .. } = bench;
        store.close().unwrap();
        let open = || Store::open(folder.path(), &super::super::testing::identity(), Options::default()).unwrap();
        let mut store = open();
        assert_eq!(store.boot_seen(), ("boot-1".to_string(), true));
        drop(store.begin(false, NOW).unwrap());
        assert!(store.boot_seen().1);
        store.begin(false, NOW).unwrap().commit().unwrap();
        assert!(!store.boot_seen().1);
        drop(store);
        assert!(!open().boot_seen().1);
    }

    #[test]
    fn the_balance_counts_a_late_row_apart_from_folded_ones() {
        let mut bench = Bench::new();
        let mut fold = bench.store.begin(false, NOW).unwrap();
        let row = NewRow {
            id: Bench::id(1),
            kind: Kind::Crash,
            run: 1,
            wall_ms: 0,
            mono_ms: 0,
            targets: &[],
            json: "{}",
            late: true,
        };
        fold.insert(&row).unwrap();
        fold.carved("1", 12, 0).unwrap();
        fold.commit().unwrap();
        bench.check();
        let kinds = bench.store.balance().unwrap().kinds;
        assert_eq!((kinds[0].folded, kinds[0].late, kinds[0].stored), (0, 1, 1));
    }

    #[test]
    fn a_critical_fold_is_synced_and_the_next_one_is_not() {
        let mut bench = Bench::new();
        let level = |store: &Store| store.db.query_row("PRAGMA synchronous", [], |row| row.get::<_, i64>(0)).unwrap();
        bench.store.begin(true, NOW).unwrap().commit().unwrap();
        assert_eq!(level(&bench.store), 2);
        bench.add(&[Kind::Metric]);
        assert_eq!(level(&bench.store), 1);
    }

    #[test]
    fn unknown_destination_names_do_not_grow_the_table_without_bound() {
        let mut bench = Bench::new();
        for n in 0..100 {
            bench.add_for(&[Kind::Analytics], &[format!("made-up-{n}")], "{}");
        }
        assert!(bench.store.memory.routes.len() <= PLACEHOLDERS + 3);
        let lease = bench.lease(500).unwrap();
        bench.settle(&lease, &RowEnd::Delivered);
        bench.check();
    }
}
