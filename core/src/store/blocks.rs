//! Disk blocks for `queue.db` and its log, allocated before a commit needs them.
//!
//! A commit writes only to the log; a checkpoint later copies the pages into `queue.db`. On a full disk both can run
//! out of blocks, and a committed page that `queue.db` has no block for keeps the log from being restarted. Therefore:
//!
//! - The log keeps [`limits::LOG_BYTES`] of allocated blocks for the life of the queue: it is restarted, never truncated.
//! - A commit that makes `queue.db` longer allocates the new blocks first ([`Blocks::back`]). If the disk has none, the
//!   transaction is packed into the blocks that are there, or it fails as [`StoreError::Full`] and changes nothing.
//!
//! SQLite's own file handles are used: opening and closing the files in this process would drop SQLite's locks.

use super::error::{Result, StoreError};
use super::schema::{self, PAGE_BYTES};
use crate::limits;
use rusqlite::{Connection, ffi};
use std::cell::Cell;
use std::path::{Path, PathBuf};

/// Zeros written in one call: a page. Larger writes put several pages into one unit of the page cache, and then each
/// later write of a page counts as a write of the unit (measured: 1,420 bytes an event instead of 1,221).
const ZEROS: usize = PAGE_BYTES as usize;

/// Least bytes of log with which the queue works: one transaction on a full disk.
const MIN_LOG_BYTES: u64 = limits::LOG_BYTES / 2;

/// The schema's name in SQLite's calls.
const MAIN: &std::ffi::CStr = c"main";

/// Which parts of the two files are known to have blocks.
pub(super) struct Blocks {
    db: PathBuf,
    log: PathBuf,
    /// Pages of `queue.db` that are known to have blocks.
    backed: Cell<u64>,
    /// Bytes of the log that are known to have blocks.
    reserved: Cell<u64>,
}

impl Blocks {
    pub(super) fn new(db: &Path) -> Blocks {
        let mut log = db.as_os_str().to_owned();
        log.push("-wal");
        Blocks { db: db.to_owned(), log: log.into(), backed: Cell::new(0), reserved: Cell::new(0) }
    }

    /// Keeps the log and its index when the connection closes.
    pub(super) fn set_up(&self, db: &Connection) {
        // A file system layer without this call keeps SQLite's own behaviour.
        control(db, ffi::SQLITE_FCNTL_PERSIST_WAL, &mut 1i32);
        self.measure();
    }

    /// Reads how long `queue.db` is: a checkpoint may have changed it.
    pub(super) fn measure(&self) {
        self.backed.set(bytes_of(&self.db) / PAGE_BYTES);
    }

    /// Pages of `queue.db` that have blocks.
    pub(super) fn backed(&self) -> u64 {
        self.backed.get()
    }

    /// Bytes of the log that have blocks, at least.
    pub(super) fn reserved_log(&self) -> u64 {
        self.reserved.get()
    }

    fn log_bytes(&self) -> u64 {
        bytes_of(&self.log)
    }

    /// Allocates the log's blocks if they are not there. `Err(Full)`: fewer than the queue needs.
    pub(super) fn reserve_log(&self, db: &Connection) -> Result<()> {
        if self.log_bytes() < limits::LOG_BYTES {
            // SQLite opens the log with the first read.
            db.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get::<_, i64>(0))?;
            if let Some(log) = SqliteFile::log_of(db) {
                log.grow(limits::LOG_BYTES);
            }
        }
        self.reserved.set(self.log_bytes().min(limits::LOG_BYTES));
        match self.reserved.get() {
            bytes if bytes >= MIN_LOG_BYTES => Ok(()),
            bytes => Err(StoreError::Full(format!(
                "its log has {} KiB and needs {} KiB; free some disk space",
                bytes / 1024,
                MIN_LOG_BYTES / 1024
            ))),
        }
    }

    /// Inside a transaction, before its commit: allocates the blocks of the pages it adds. Where the disk has none,
    /// moves the last pages into free ones; `Err(Full)` = there are not enough of those either.
    pub(super) fn back(&self, db: &Connection) -> Result<()> {
        let pages = count(db, "PRAGMA page_count")?;
        if pages <= self.backed.get() {
            return Ok(());
        }
        // A file system layer without file handles allocates at the checkpoint.
        let Some(file) = SqliteFile::database_of(db) else { return Ok(()) };
        self.backed.set(file.grow(pages.saturating_mul(PAGE_BYTES)) / PAGE_BYTES);
        let missing = pages.saturating_sub(self.backed.get());
        if missing == 0 {
            return Ok(());
        }
        if count(db, "PRAGMA freelist_count")? >= missing {
            schema::pragma(db, &format!("incremental_vacuum({missing})"))?;
            if count(db, "PRAGMA page_count")? <= self.backed.get() {
                return Ok(());
            }
        }
        Err(StoreError::Full(format!("it needs {} KiB more", missing.saturating_mul(PAGE_BYTES) / 1024)))
    }

    /// Overwrites the log with zeros, in place: its blocks stay allocated. Call after a checkpoint that copied all of
    /// it and found no reader. `whole` = every byte (erasure); else only the header, so that the next open has nothing
    /// to recover.
    pub(super) fn clear_log(&self, db: &Connection, whole: bool) -> Result<()> {
        let Some(log) = SqliteFile::log_of(db) else { return Ok(()) };
        let bytes = self.log_bytes();
        log.zero(if whole { bytes } else { bytes.min(PAGE_BYTES) })?;
        // Only a log without a header may be cut: a prefix of it would bring back old pages.
        log.truncate(limits::LOG_BYTES);
        Ok(())
    }
}

/// One number.
pub(super) fn count(db: &Connection, pragma: &str) -> Result<u64> {
    let n: i64 = db.prepare_cached(pragma)?.query_row([], |row| row.get(0))?;
    Ok(super::memory::unsigned(n))
}

fn bytes_of(path: &Path) -> u64 {
    std::fs::metadata(path).map_or(0, |file| file.len())
}

/// Sends a file control to `queue.db`. Returns whether it succeeded.
fn control<T>(db: &Connection, op: i32, argument: &mut T) -> bool {
    // SAFETY: the connection is open for as long as it is borrowed, the name ends with a zero, and each caller passes
    // the type that SQLite documents for its control.
    unsafe {
        ffi::sqlite3_file_control(db.handle(), MAIN.as_ptr(), op, std::ptr::from_mut(argument).cast()) == ffi::SQLITE_OK
    }
}

/// SQLite's own handle of the file or of its log.
struct SqliteFile<'a> {
    file: *mut ffi::sqlite3_file,
    methods: &'a ffi::sqlite3_io_methods,
}

impl<'a> SqliteFile<'a> {
    fn log_of(db: &'a Connection) -> Option<SqliteFile<'a>> {
        SqliteFile::of(db, ffi::SQLITE_FCNTL_JOURNAL_POINTER)
    }

    fn database_of(db: &'a Connection) -> Option<SqliteFile<'a>> {
        SqliteFile::of(db, ffi::SQLITE_FCNTL_FILE_POINTER)
    }

    fn of(db: &'a Connection, op: i32) -> Option<SqliteFile<'a>> {
        let mut file: *mut ffi::sqlite3_file = std::ptr::null_mut();
        if !control(db, op, &mut file) || file.is_null() {
            return None;
        }
        // SAFETY: SQLite returns the handle of the open file, or in WAL mode of the open log, which lives as long as
        // the connection; its method table is null only while it is closed.
        let methods = unsafe { (*file).pMethods.as_ref()? };
        Some(SqliteFile { file, methods })
    }

    /// Makes it this long with blocks, or as long as the disk allows, and returns its length. Writes behind its end
    /// only. SQLite's own size hint writes one byte in each page, which takes longer: the kernel fills the rest of the
    /// page first.
    fn grow(&self, bytes: u64) -> u64 {
        if let Some(size) = self.size()
            && size < bytes
        {
            // What fits of a write that fails stays.
            let _ = self.write_zeros(size, bytes);
        }
        self.size().unwrap_or(0)
    }

    fn size(&self) -> Option<u64> {
        let mut now = 0i64;
        // SAFETY: an open file of SQLite.
        let code = unsafe { self.methods.xFileSize?(self.file, &raw mut now) };
        (code == ffi::SQLITE_OK).then_some(now.max(0) as u64)
    }

    fn write_zeros(&self, from: u64, to: u64) -> Result<()> {
        let Some(write) = self.methods.xWrite else { return Ok(()) };
        let zeros = [0u8; ZEROS];
        let mut at = from;
        while at < to {
            let part = (to - at).min(ZEROS as u64);
            // SAFETY: an open file of SQLite; `part` is at most the buffer's length.
            let code = unsafe { write(self.file, zeros.as_ptr().cast(), part as i32, at as i64) };
            if code != ffi::SQLITE_OK {
                return Err(rusqlite::Error::SqliteFailure(ffi::Error::new(code), None).into());
            }
            at += part;
        }
        Ok(())
    }

    fn zero(&self, bytes: u64) -> Result<()> {
        self.write_zeros(0, bytes)?;
        if let Some(sync) = self.methods.xSync {
            // SAFETY: as above. A sync that fails leaves what a power failure leaves.
            unsafe { sync(self.file, ffi::SQLITE_SYNC_NORMAL) };
        }
        Ok(())
    }

    fn truncate(&self, bytes: u64) {
        if let Some(truncate) = self.methods.xTruncate
            && self.size().is_some_and(|size| size > bytes)
        {
            // SAFETY: an open file of SQLite.
            unsafe { truncate(self.file, bytes as i64) };
        }
    }
}
