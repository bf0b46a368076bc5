//! The log, and what to do when the disk is full.

use super::error::{Result, StoreError};
use super::evict::Wants;
use super::types::Now;
use super::{Store, schema};
use crate::limits;
use crate::reason::Reason;
use crate::sys::file;
use rusqlite::params;
use std::io::Write;
use std::path::{Path, PathBuf};

/// Name of the ballast inside the queue's folder.
pub(crate) const BALLAST: &str = "ballast.bin";

/// Rows evicted at once on a full disk: the delete itself needs room in the log (measured: a quarter of the table in
/// one transaction did not fit).
const FULL_CHUNK: usize = 64;

/// Rounds after which freeing space is given up for now.
const ROUNDS: usize = 64;

/// Bytes of the write that shows whether there is room again: several rows.
const PROBE_BYTES: usize = 64 * 1024;

/// Free pages given back after each step: more than a step of ordinary rows frees, and few enough for the log.
const VACUUM_PAGES: usize = 2 * PROBE_BYTES / 4096;

/// Room on the disk below which the log is kept at its cap even while commits come without a pause.
const SCARCE_BYTES: u64 = 8 * limits::BALLAST_BYTES;

/// How many times its cap the log may grow to while there is room.
const BUSY_LOG: u32 = 4;

/// Route number of the probe's row; no route has it.
const PROBE: i64 = -1;

impl Store {
    /// Pages in the log that are not in the file yet; 0 when it cannot be asked.
    pub(crate) fn wal_pages(&self) -> u32 {
        let ask = || -> Result<i64> {
            let mut noop = self.db.prepare_cached("PRAGMA wal_checkpoint(NOOP)")?;
            Ok(noop.query_row([], |row| Ok(row.get::<_, i64>(1)?.saturating_sub(row.get::<_, i64>(2)?)))?)
        };
        ask().map_or(0, |pages| u32::try_from(pages.max(0)).unwrap_or(u32::MAX))
    }

    /// Copies the log into the file and syncs both: what was committed before survives a power cut. `truncate` also
    /// cuts the log to nothing. A reader that is in the way (the inspector) leaves part of it for the next time.
    pub(crate) fn checkpoint(&mut self, truncate: bool) -> Result<()> {
        schema::pragma(&self.db, if truncate { "wal_checkpoint(TRUNCATE)" } else { "wal_checkpoint(PASSIVE)" })
    }

    /// Makes the ballast if it is not there: blocks that [`Store::free_space_for`] can give back. On a disk with little
    /// room a small one, which holds the place until the next call finds more.
    pub(crate) fn ballast(&mut self) -> Result<()> {
        let there = std::fs::metadata(self.ballast_path()).map_or(0, |file| file.len());
        self.ballast =
            [limits::BALLAST_BYTES, limits::SMALL_BALLAST_BYTES].into_iter().find(|n| *n <= there).unwrap_or(0);
        if self.ballast == limits::BALLAST_BYTES {
            return Ok(());
        }
        // As much again stays for others, else it would go back and forth.
        let free = file::free_bytes(&self.folder);
        if free.is_none_or(|free| free.saturating_add(there) >= 2 * limits::BALLAST_BYTES)
            && self.make_ballast(limits::BALLAST_BYTES).is_ok()
        {
            return Ok(());
        }
        if self.is_secured() { Ok(()) } else { self.make_ballast(limits::SMALL_BALLAST_BYTES) }
    }

    /// The ballast is smaller than it should be: the disk is full or nearly so. Commits are to be small, and each is to
    /// be brought into the file before the next: what the log holds and the file cannot take in wedges both.
    pub(crate) fn is_tight(&self) -> bool {
        self.ballast < limits::BALLAST_BYTES
    }

    /// Whether the log must be brought into the file before the next commit. While commits come without a pause it may
    /// grow over its cap, for each checkpoint syncs twice; not where the file may find no room to take it in.
    pub(crate) fn must_checkpoint(&self) -> bool {
        let pages = self.wal_pages();
        let scarce = || file::free_bytes(&self.folder).is_none_or(|free| free < SCARCE_BYTES);
        self.is_tight() || pages >= BUSY_LOG * limits::WAL_PAGES || (pages >= limits::WAL_PAGES && scarce())
    }

    /// Whether there is a ballast to free should the next commit not fit into the file.
    pub(crate) fn is_secured(&self) -> bool {
        self.ballast > 0
    }

    /// The disk is full: shrinks the ballast and evicts in small steps, booked `disk_full`, with a checkpoint after
    /// each, until a write works again. `Err(Full)` = not even that helped.
    #[cfg(test)]
    pub(crate) fn free_space(&mut self, wants: Wants<'_>, now: Now) -> Result<()> {
        self.free_space_for(PROBE_BYTES, wants, now)
    }

    /// The same, for a transaction of this many bytes: room for less would be found again and again. When it returns
    /// there is a ballast, if only a small one: without it the next commit could fill the log and never get out of it.
    pub(crate) fn free_space_for(&mut self, need: usize, wants: Wants<'_>, now: Now) -> Result<()> {
        if self.ballast > limits::SMALL_BALLAST_BYTES {
            // Its blocks are given back without a write.
            std::fs::OpenOptions::new()
                .write(true)
                .open(self.ballast_path())
                .and_then(|file| file.set_len(limits::SMALL_BALLAST_BYTES))?;
            self.ballast = limits::SMALL_BALLAST_BYTES;
        }
        let mut last = StoreError::Full("no room".to_string());
        for _ in 0..ROUNDS {
            // Makes room in the log for the delete; when the file cannot grow, the log may still have some.
            let _ = self.checkpoint(true);
            match self.secure(need) {
                Ok(()) => return Ok(()),
                Err(StoreError::Full(why)) => last = StoreError::Full(why),
                Err(error) => return Err(error),
            }
            let evicted = self.evict_some(FULL_CHUNK, Reason::DiskFull, wants, &[], now).and_then(|evicted| {
                // Shorter, the file needs no room to take the log in.
                schema::pragma(&self.db, &format!("incremental_vacuum({VACUUM_PAGES})"))?;
                self.checkpoint(true).map(|()| evicted)
            });
            match evicted {
                Ok(0) if !self.is_secured() => return Err(last),
                // Not even the delete fits: the rest of the ballast is for this.
                Ok(0) | Err(StoreError::Full(_)) => self.drop_ballast(),
                Ok(_) => {}
                Err(error) => return Err(error),
            }
        }
        Err(last)
    }

    /// A ballast and room for this many bytes beside it, or neither.
    fn secure(&mut self, need: usize) -> Result<()> {
        let had = self.is_secured();
        if !had {
            let wanted = limits::SMALL_BALLAST_BYTES.saturating_add(need as u64);
            if file::free_bytes(&self.folder).is_some_and(|free| free < wanted) {
                return Err(StoreError::Full("no room for the ballast".to_string()));
            }
            self.make_ballast(limits::SMALL_BALLAST_BYTES)?;
        }
        let room = self.probe(need);
        if room.is_err() && !had {
            self.drop_ballast();
        }
        room
    }

    fn make_ballast(&mut self, bytes: u64) -> Result<()> {
        let path = self.ballast_path();
        let write = || -> std::io::Result<()> {
            let mut file = std::fs::File::create(&path)?;
            // Not zeros: some file systems store those as holes.
            let block = [0xA5u8; 4096];
            for _ in 0..bytes.div_ceil(block.len() as u64) {
                file.write_all(&block)?;
            }
            file.sync_data()
        };
        self.ballast = 0;
        match write().map_err(StoreError::from) {
            Ok(()) => self.ballast = bytes,
            Err(StoreError::Full(why)) => {
                let _ = std::fs::remove_file(&path);
                return Err(StoreError::Full(why));
            }
            // Not for want of room (somebody put something else in its place): the queue works without, as well as it can.
            Err(_) => self.ballast = limits::SMALL_BALLAST_BYTES,
        }
        Ok(())
    }

    fn drop_ballast(&mut self) {
        self.ballast = 0;
        // One that cannot be removed gives nothing back; eviction may still.
        let _ = remove_ballast(&self.folder);
    }

    /// Writes and removes some pages, and brings them from the log into the file: whether there is room. A log that
    /// still has room says nothing about the file.
    fn probe(&mut self, need: usize) -> Result<()> {
        let filler = "x".repeat(need.max(PROBE_BYTES));
        self.write(false, |tx| {
            tx.db
                .prepare_cached(
                    "INSERT INTO receipt (route, at_ms, status, batch_id, note, outcomes) VALUES (?1, 0, 0, '', '', ?2)",
                )?
                .execute(params![PROBE, filler])?;
            Ok(())
        })?;
        self.write(false, |tx| {
            tx.db.prepare_cached("DELETE FROM receipt WHERE route = ?1")?.execute([PROBE])?;
            Ok(())
        })?;
        self.checkpoint(true)
    }

    fn ballast_path(&self) -> PathBuf {
        self.folder.join(BALLAST)
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

/// Gives the ballast's blocks back to the disk: so that a file can be opened at all.
pub(crate) fn remove_ballast(folder: &Path) -> Result<()> {
    match std::fs::remove_file(folder.join(BALLAST)) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error.into()),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Bench, NOW, ROUTE, all};
    use super::super::{Result, RowEnd};
    use super::*;
    use crate::kind::Kind;

    #[test]
    fn the_log_is_counted_and_emptied() {
        let mut bench = Bench::new();
        bench.store.checkpoint(true).unwrap();
        assert_eq!(bench.store.wal_pages(), 0);
        bench.add(&[Kind::Error]);
        let pages = bench.store.wal_pages();
        assert!((1..20).contains(&pages), "{pages}");
        bench.store.checkpoint(false).unwrap();
        assert_eq!(bench.store.wal_pages(), 0);
        bench.add(&[Kind::Error]);
        bench.store.checkpoint(true).unwrap();
        assert_eq!(std::fs::metadata(bench.folder.path().join("queue.db-wal")).unwrap().len(), 0);
        assert!(bench.store.disk_bytes() > 0);
    }

    #[test]
    fn the_ballast_is_made_once_with_real_blocks() {
        let mut bench = Bench::new();
        bench.store.ballast().unwrap();
        bench.store.ballast().unwrap();
        let file = std::fs::metadata(bench.folder.path().join(BALLAST)).unwrap();
        assert_eq!(file.len(), limits::BALLAST_BYTES);
        #[cfg(unix)]
        assert!(std::os::unix::fs::MetadataExt::blocks(&file) * 512 >= limits::BALLAST_BYTES);
    }

    #[test]
    fn on_a_small_disk_a_small_ballast_holds_the_place_and_something_else_there_is_no_obstacle() {
        let mut bench = Bench::new();
        assert!(!bench.store.is_secured());
        bench.store.ballast().unwrap();
        assert!(bench.store.is_secured() && !bench.store.is_tight());
        let path = bench.folder.path().join(BALLAST);
        std::fs::OpenOptions::new().write(true).open(&path).unwrap().set_len(limits::SMALL_BALLAST_BYTES + 1).unwrap();
        bench.store.ballast().unwrap();
        assert!(!bench.store.is_tight(), "there is room: it is made whole");
        std::fs::remove_file(&path).unwrap();
        std::fs::create_dir(&path).unwrap();
        bench.store.ballast().unwrap();
        assert!(bench.store.is_secured() && bench.store.is_tight());
        bench.store.free_space(&all, NOW).unwrap();
    }

    /// Records until nothing goes any more, frees space, and goes on: 20 times.
    fn fill_and_recover(bench: &mut Bench) -> Result<()> {
        let json = format!("\"{}\"", "x".repeat(600));
        let mut recovered = 0;
        for _ in 0..4_000 {
            let written = bench.try_add(&[Kind::Metric, Kind::Error], &[], &json).and_then(|_| {
                if bench.store.wal_pages() >= limits::WAL_PAGES { bench.store.checkpoint(false) } else { Ok(()) }
            });
            match written {
                Ok(()) => {}
                Err(StoreError::Full(_)) => {
                    bench.store.free_space(&all, NOW)?;
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
    fn a_full_file_is_told_and_evicting_makes_room() {
        let mut bench = Bench::new();
        bench.store.ballast().unwrap();
        schema::pragma(&bench.store.db, "max_page_count = 200").unwrap();
        fill_and_recover(&mut bench).unwrap();
    }

    #[test]
    fn a_full_disk_with_nothing_to_evict_is_an_error_and_a_disk_with_room_costs_nothing() {
        let mut bench = Bench::new();
        bench.store.ballast().unwrap();
        bench.add(&[Kind::Crash]);
        bench.add(&[Kind::Metric]);
        bench.store.free_space(&all, NOW).unwrap();
        assert_eq!(bench.seqs().len(), 2);
        schema::pragma(&bench.store.db, "incremental_vacuum(1000)").unwrap();
        let pages: i64 = bench.store.db.query_row("PRAGMA page_count", [], |row| row.get(0)).unwrap();
        schema::pragma(&bench.store.db, &format!("max_page_count = {pages}")).unwrap();
        let error = bench.store.free_space(&all, NOW).unwrap_err();
        assert!(matches!(error, StoreError::Full(_)), "{error:?}");
        assert_eq!(bench.seqs().len(), 1, "the crash stays");
    }

    /// The same in a process that may not write files over 2 MiB: what the kernel answers then is not SQLite's own
    /// "full". The test runs itself as a child, since the limit holds for the whole process.
    #[cfg(unix)]
    #[test]
    fn a_disk_that_takes_no_more_bytes_is_told_and_recovered_from() {
        const CHILD: &str = "REZ_STORE_TEST_SMALL_FILES";
        if std::env::var_os(CHILD).is_some() {
            let mut bench = Bench::new();
            bench.store.ballast().unwrap();
            let limit = libc::rlimit { rlim_cur: 2 * 1024 * 1024, rlim_max: libc::RLIM_INFINITY };
            // SAFETY: both calls only change limits and dispositions of this process, which is the test's own child.
            unsafe {
                libc::signal(libc::SIGXFSZ, libc::SIG_IGN);
                assert_eq!(libc::setrlimit(libc::RLIMIT_FSIZE, &limit), 0);
            }
            fill_and_recover(&mut bench).unwrap();
            return;
        }
        let name = "store::disk::tests::a_disk_that_takes_no_more_bytes_is_told_and_recovered_from";
        let child = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", name, "--nocapture"])
            .env(CHILD, "1")
            .output()
            .unwrap();
        assert!(child.status.success(), "{}", String::from_utf8_lossy(&child.stderr));
    }
}
