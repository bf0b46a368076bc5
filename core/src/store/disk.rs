//! The log, and what is done when the disk is full.
//!
//! Nothing is written to learn whether there is room: free pages of the file are counted, and a commit that does not
//! fit fails without a trace (see [`super::blocks`]). Settling, deleting, evicting and the reuse of free pages need no
//! new block, so they go on with 0 bytes free.

use super::blocks::count;
use super::error::{Result, StoreError};
use super::evict::Wants;
use super::schema::PAGE_BYTES;
use super::types::Now;
use super::{Store, schema};
use crate::limits;
use crate::reason::Reason;
use crate::sys::file;
use std::time::Duration;

/// Rows evicted in one transaction on a full disk.
const FULL_CHUNK: usize = 64;

/// Free space below which the log stays within its allocated blocks and transactions are small.
const SCARCE_BYTES: u64 = 8 * limits::LOG_BYTES;

/// How many times [`limits::WAL_PAGES`] the log may grow to while commits come without a pause and there is room.
const BUSY_LOG: u32 = 4;

/// Bytes of one page in the log.
const FRAME_BYTES: u64 = PAGE_BYTES + 24;

/// Log pages that one transaction on a full disk may need.
const STEP_PAGES: u64 = 160;

/// Receipts kept per route on a full disk: events are worth more.
const FULL_RECEIPTS: usize = 10;

/// Transactions that use one measurement of the free space. At 300 KiB each they stay below [`SCARCE_BYTES`].
const SCARCE_USES: u32 = 16;

/// Free pages given back to the file system in one step: some 0.3 ms.
const TIDY_PAGES: u64 = 128;

/// Free pages that stay in the file for the next rows.
const KEPT_PAGES: u64 = 64;

/// When [`Store::tidy`] is to be called again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tidy {
    /// At once.
    More,
    /// A little later: a reader uses the log.
    Blocked,
    /// There is nothing to do.
    Done,
}

impl Store {
    /// Pages in the log that are not in the file yet; 0 when SQLite cannot tell.
    pub(crate) fn wal_pages(&self) -> u32 {
        let (pages, copied) = self.log_state();
        pages.saturating_sub(copied)
    }

    /// Pages in the log, and how many of them are copied into the file.
    fn log_state(&self) -> (u32, u32) {
        let query = || -> Result<(i64, i64)> {
            let mut noop = self.db.prepare_cached("PRAGMA wal_checkpoint(NOOP)")?;
            Ok(noop.query_row([], |row| Ok((row.get(1)?, row.get(2)?)))?)
        };
        let number = |n: i64| u32::try_from(n.max(0)).unwrap_or(u32::MAX);
        query().map_or((0, 0), |(pages, copied)| (number(pages), number(copied)))
    }

    /// Copies the log into the file and syncs both: what was committed before survives a power failure. A reader (the
    /// inspector) may keep part of it in the log until the next time.
    pub(crate) fn checkpoint(&mut self) -> Result<()> {
        let done = schema::pragma(&self.db, "wal_checkpoint(PASSIVE)");
        self.blocks.measure();
        done
    }

    /// The same, and the next commit starts at the log's beginning. Waits for readers for up to 250 ms; `false` = one
    /// of them still uses the log.
    pub(super) fn restart_log(&mut self) -> Result<bool> {
        let busy = self.db.prepare_cached("PRAGMA wal_checkpoint(RESTART)")?.query_row([], |row| row.get::<_, i64>(0));
        self.blocks.measure();
        // A log that only seems to be copied must not be cleared.
        self.check_index()?;
        Ok(busy? == 0)
    }

    /// Before a transaction: on a full disk, restarts a log that could grow over its allocated blocks; on any disk, one
    /// that has `most` pages. `Err(Held)` = a reader keeps it from being restarted.
    pub(super) fn keep_log_short(&mut self, most: u32) -> Result<()> {
        let (pages, copied) = self.log_state();
        if pages >= most {
            return self.restart_long_log(pages);
        }
        // A log that was copied to its end starts anew by itself.
        if pages == copied || u64::from(pages) + STEP_PAGES <= self.blocks.reserved_log() / FRAME_BYTES {
            return Ok(());
        }
        if self.was_scarce() { self.restart_log().map(drop) } else { Ok(()) }
    }

    /// The log becomes this long only while a reader uses it. Waits for the reader the first time; later calls only
    /// check.
    fn restart_long_log(&mut self, pages: u32) -> Result<()> {
        if self.held {
            self.db.busy_timeout(Duration::ZERO)?;
        }
        let restarted = self.restart_log();
        self.db.busy_timeout(schema::BUSY)?;
        self.held = !restarted?;
        if !self.held {
            return Ok(());
        }
        Err(StoreError::Held(format!("it has {} KiB", u64::from(pages) * FRAME_BYTES / 1024)))
    }

    /// Whether a reader keeps the log from being restarted, so that no row is stored.
    pub(crate) fn is_log_held(&mut self) -> Result<bool> {
        match self.keep_log_short(limits::HELD_LOG_PAGES) {
            Err(StoreError::Held(_)) => Ok(true),
            done => done.map(|()| false),
        }
    }

    /// Whether the file system has little free space: then transactions are to be small.
    pub(crate) fn is_scarce(&self) -> bool {
        self.scarce.set(file::free_bytes(&self.folder).is_none_or(|free| free < SCARCE_BYTES));
        self.scarce_uses.set(SCARCE_USES);
        self.scarce.get()
    }

    /// The same as of one of the last [`SCARCE_USES`] transactions.
    pub(super) fn was_scarce(&self) -> bool {
        match self.scarce_uses.get() {
            0 => self.is_scarce(),
            uses => {
                self.scarce_uses.set(uses - 1);
                self.scarce.get()
            }
        }
    }

    /// Whether the log must be copied into the file before the next commit. While commits come without a pause it may
    /// grow over [`limits::WAL_PAGES`], since each checkpoint syncs twice; not on a disk with little free space.
    pub(crate) fn must_checkpoint(&self) -> bool {
        let pages = self.wal_pages();
        pages >= BUSY_LOG * limits::WAL_PAGES || (pages >= limits::WAL_PAGES && self.was_scarce())
    }

    /// The disk is full: drops rows of these lanes, the oldest first, counted as `disk_full`, until the file has free
    /// pages for `bytes` more. `false` = these lanes have no row left to drop. `Err(Full)` = not even a delete
    /// fits into the log, because a reader keeps it from being restarted.
    pub(crate) fn make_room(&mut self, bytes: usize, lanes: &[usize], wants: Wants<'_>, now: Now) -> Result<bool> {
        self.scarce_uses.set(0);
        self.restart_log()?;
        // Page ends, indexes and counts come on top of the rows.
        let pages = (bytes as u64).saturating_mul(5) / 4 / PAGE_BYTES + 4;
        let before = self.free_pages()?;
        if before >= pages {
            return Ok(true);
        }
        self.trim_receipts_to(FULL_RECEIPTS)?;
        while self.free_pages()? < pages {
            if self.evict_some(FULL_CHUNK, lanes, Reason::DiskFull, wants, &[], now)? == 0 {
                // All remaining rows may be in a request.
                self.trim_receipts_to(0)?;
                // The estimate is high, so a commit may fit into fewer pages.
                return Ok(self.free_pages()? > before);
            }
        }
        Ok(true)
    }

    fn free_pages(&self) -> Result<u64> {
        count(&self.db, "PRAGMA freelist_count")
    }

    fn trim_receipts_to(&mut self, most: usize) -> Result<()> {
        self.write(false, |tx| {
            for route in tx.memory.routes.clone() {
                tx.trim_receipts(route.number, most)?;
            }
            Ok(())
        })
    }

    /// One step of the maintenance of an idle writer: deletes rows that every route has passed, then returns free pages
    /// to the file system. Returns when to call again: at once, after a while because a reader blocks it, or never.
    pub(crate) fn tidy(&mut self) -> Result<Tidy> {
        if !self.is_swept() {
            return self.write(false, |tx| tx.sweep().map(|_| Tidy::More));
        }
        let free = self.free_pages()?;
        let used = count(&self.db, "PRAGMA page_count")?.saturating_sub(free);
        let surplus = free.saturating_sub(KEPT_PAGES.max(used / 3));
        if surplus == 0 && self.blocks.backed() > used + free + KEPT_PAGES {
            self.checkpoint()?;
        }
        if surplus == 0 {
            return Ok(self.after_tidy());
        }
        let pages = surplus.min(TIDY_PAGES);
        self.write(false, |tx| schema::pragma(tx.db, &format!("incremental_vacuum({pages})")))?;
        if surplus == pages || self.wal_pages() >= limits::WAL_PAGES {
            // Only a checkpoint makes the file shorter.
            self.checkpoint()?;
        }
        Ok(if surplus > pages { Tidy::More } else { self.after_tidy() })
    }

    /// Whether the file is longer than its pages because a reader prevents the checkpoint that shortens it from
    /// finishing.
    fn after_tidy(&self) -> Tidy {
        let pages = count(&self.db, "PRAGMA page_count").unwrap_or(u64::MAX);
        if self.blocks.backed() > pages.saturating_add(KEPT_PAGES) { Tidy::Blocked } else { Tidy::Done }
    }

    /// Bytes of the file and its log on the disk.
    #[cfg(test)]
    pub(crate) fn disk_bytes(&self) -> u64 {
        ["", "-wal"]
            .iter()
            .filter_map(|end| std::fs::metadata(self.folder.join(format!("{}{end}", super::FILE))).ok())
            .fold(0, |sum: u64, file| sum.saturating_add(file.len()))
    }
}

#[cfg(test)]
mod tests {
    use super::super::evict::LANES;
    use super::super::testing::{Bench, NOW, ROUTE, all};
    use super::super::{RowEnd, StoreError};
    use super::*;
    use crate::kind::Kind;

    fn log_bytes(bench: &Bench) -> u64 {
        std::fs::metadata(bench.folder.path().join("queue.db-wal")).unwrap().len()
    }

    #[test]
    fn the_log_is_counted_and_keeps_its_blocks_across_checkpoints_and_restarts() {
        let mut bench = Bench::new();
        bench.store.checkpoint().unwrap();
        assert_eq!((bench.store.wal_pages(), log_bytes(&bench)), (0, limits::LOG_BYTES));
        bench.add(&[Kind::Error]);
        let pages = bench.store.wal_pages();
        assert!((1..20).contains(&pages), "{pages}");
        bench.store.checkpoint().unwrap();
        assert_eq!(bench.store.wal_pages(), 0);
        bench.add(&[Kind::Error]);
        assert!(bench.store.restart_log().unwrap());
        assert_eq!(log_bytes(&bench), limits::LOG_BYTES);
        let seqs = bench.seqs();
        let mut bench = bench.close_and_open();
        assert_eq!((log_bytes(&bench), bench.store.wal_pages()), (limits::LOG_BYTES, 0));
        assert_eq!(bench.seqs(), seqs);
        bench.add(&[Kind::Error]);
        let bench = bench.crash();
        assert_eq!((log_bytes(&bench), bench.seqs().len()), (limits::LOG_BYTES, 3));
        #[cfg(unix)]
        {
            let file = std::fs::metadata(bench.folder.path().join("queue.db-wal")).unwrap();
            assert!(std::os::unix::fs::MetadataExt::blocks(&file) * 512 >= limits::LOG_BYTES);
        }
    }

    #[test]
    fn a_reader_that_holds_the_log_stops_new_rows_at_a_limit_and_deletes_at_twice_that_limit() {
        let mut bench = Bench::new();
        let json = format!("\"{}\"", "x".repeat(3_000));
        let reader = schema::open_read_only(&bench.folder.path().join("queue.db"), false).unwrap();
        reader.execute_batch("BEGIN; SELECT count(*) FROM event").unwrap();
        let error = (0..100).find_map(|_| bench.try_add(&[Kind::Metric; 100], &[], &json).err());
        assert!(matches!(error, Some(StoreError::Held(_))), "{error:?}");
        assert!(bench.store.is_log_held().unwrap());
        let limit = u64::from(limits::HELD_LOG_PAGES) * FRAME_BYTES;
        assert!((limit..limit + 600_000).contains(&log_bytes(&bench)), "{}", log_bytes(&bench));
        // Stored rows can still be delivered.
        let lease = bench.lease(100).unwrap();
        bench.settle(&lease, &RowEnd::Delivered);
        let error = (0..10_000).find_map(|_| bench.store.raise_epoch(bench.store.epoch() + 1).err());
        assert!(matches!(error, Some(StoreError::Held(_))), "{error:?}");
        assert!(log_bytes(&bench) < 2 * limit + 600_000, "{}", log_bytes(&bench));
        drop(reader);
        assert!(!bench.store.is_log_held().unwrap());
        bench.add(&[Kind::Metric]);
        assert_eq!(log_bytes(&bench), limits::LOG_BYTES, "the log is short again");
        bench.check();
    }

    #[test]
    fn a_log_that_grew_while_busy_is_short_again_after_a_close() {
        let mut bench = Bench::new();
        let json = format!("\"{}\"", "x".repeat(900));
        while log_bytes(&bench) <= limits::LOG_BYTES {
            bench.add_for(&[Kind::Metric; 50], &[], &json);
        }
        let rows = bench.seqs().len();
        let bench = bench.close_and_open();
        assert_eq!((log_bytes(&bench), bench.seqs().len()), (limits::LOG_BYTES, rows));
    }

    #[test]
    fn free_pages_are_returned_to_the_file_system_in_steps_except_a_reserve() {
        let mut bench = Bench::new();
        let json = format!("\"{}\"", "x".repeat(3_000));
        for _ in 0..20 {
            bench.add_for(&[Kind::Metric; 100], &[], &json);
        }
        while let Some(lease) = bench.lease(500) {
            bench.settle(&lease, &RowEnd::Delivered);
        }
        let before = bench.store.disk_bytes();
        let mut steps = 0;
        while bench.store.tidy().unwrap() == Tidy::More {
            steps += 1;
        }
        assert!(steps > 5, "{steps}");
        assert_eq!(bench.store.free_pages().unwrap(), KEPT_PAGES);
        let after = bench.store.disk_bytes();
        assert!(before > 6_000_000 && after < limits::LOG_BYTES + 1_000_000, "{before}, then {after}");
        assert_eq!(bench.store.tidy().unwrap(), Tidy::Done);
    }

    /// Records until nothing fits any more, drops rows, and continues: 20 times.
    fn fill_and_recover(bench: &mut Bench) -> Result<()> {
        let json = format!("\"{}\"", "x".repeat(600));
        let mut recovered = 0;
        for _ in 0..4_000 {
            let written = bench.try_add(&[Kind::Metric, Kind::Error], &[], &json).and_then(|_| {
                if bench.store.wal_pages() >= limits::WAL_PAGES { bench.store.checkpoint() } else { Ok(()) }
            });
            match written {
                Ok(()) => {}
                Err(StoreError::Full(_)) => {
                    assert!(bench.store.make_room(64 * 1024, &LANES, &all, NOW)?);
                    recovered += 1;
                    assert!(bench.store.balance()?.holds());
                }
                Err(error) => return Err(error),
            }
            if recovered == 20 {
                break;
            }
        }
        assert_eq!(recovered, 20);
        assert!(bench.account(ROUTE).dropped["disk_full"] > 0);
        let lease = bench.lease(100).unwrap();
        bench.settle(&lease, &RowEnd::Delivered);
        let whole: String = bench.store.db.query_row("PRAGMA integrity_check", [], |row| row.get(0))?;
        assert_eq!(whole, "ok");
        Ok(())
    }

    #[test]
    fn a_full_file_is_reported_and_dropping_rows_frees_pages() {
        let mut bench = Bench::new();
        schema::pragma(&bench.store.db, "max_page_count = 200").unwrap();
        fill_and_recover(&mut bench).unwrap();
    }

    #[test]
    fn with_no_row_left_to_drop_the_disk_stays_full_and_crashes_are_kept() {
        let mut bench = Bench::new();
        bench.add(&[Kind::Crash]);
        bench.add(&[Kind::Metric]);
        assert!(!bench.store.make_room(1 << 20, &LANES, &all, NOW).unwrap());
        assert_eq!(bench.seqs().len(), 1, "the crash stays");
        bench.check();
    }

    /// The same in a process that may not write files over 2 MiB: what the kernel returns then is not SQLite's own
    /// "full". The test runs itself as a child, since the limit holds for the whole process.
    #[cfg(unix)]
    #[test]
    fn a_file_at_its_size_limit_is_reported_and_dropping_rows_frees_pages() {
        const CHILD: &str = "REZ_STORE_TEST_SMALL_FILES";
        if std::env::var_os(CHILD).is_some() {
            let mut bench = Bench::new();
            let limit = libc::rlimit { rlim_cur: 2 * 1024 * 1024, rlim_max: libc::RLIM_INFINITY };
            // SAFETY: both calls only change limits and dispositions of this process, which is the test's own child.
            unsafe {
                libc::signal(libc::SIGXFSZ, libc::SIG_IGN);
                assert_eq!(libc::setrlimit(libc::RLIMIT_FSIZE, &limit), 0);
            }
            fill_and_recover(&mut bench).unwrap();
            return;
        }
        let name = "store::disk::tests::a_file_at_its_size_limit_is_reported_and_dropping_rows_frees_pages";
        let child = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", name, "--nocapture"])
            .env(CHILD, "1")
            .output()
            .unwrap();
        assert!(child.status.success(), "{}", String::from_utf8_lossy(&child.stderr));
    }
}
