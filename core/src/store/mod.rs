//! The queue on disk. Only this module contains SQL.
//!
//! One connection, owned by the writer's thread. Rows are plain JSON with a checksum; each route of each destination
//! has a cursor per lane, and a row is deleted when every route has passed it and no exception names it. Events that do
//! not reach a destination are counted. Every count has its own source, so that the counts can be compared: see
//! [`Balance`].
//!
//! Every call that changes the file is one transaction; when it fails, the file and the copies in memory are as
//! before. No call reads a clock.
//!
//! | file | idea |
//! | --- | --- |
//! | `types`, `error` | arguments, results and errors |
//! | `schema` | tables, pragmas, how a row is read and checked |
//! | `memory` | the copy of routes and cursors that is kept beside the file |
//! | `create` | a new file |
//! | `insert`, `start` | the fold: one transaction from the ring; what a new process reads back |
//! | `routes` | declaring and retiring destinations; placeholders that keep rows for destinations not declared yet |
//! | `lease`, `select`, `parked`, `settle` | choosing the rows of a batch, parking rows, settling a batch |
//! | `sweep`, `evict`, `expire`, `maintenance` | caps in bytes, age and numbers |
//! | `ledger`, `unsettled` | counts of lost, delivered and unwanted events; of rows that some route has not settled |
//! | `blocks`, `disk` | blocks of the file and its log; a full disk |
//! | `snapshot` | a copy as of one moment |
//! | `names`, `repair`, `carved`, `wipe` | names of the files; damaged file and the rows found in it; erasure |
//! | `salvaged`, `masked` | files of the inspector: rows found in a damaged file; a copy without personal data |
//! | `read`, `fate`, `view`, `results`, `list` | queries of the app and of the inspector |
//! | `amend` | a later report of the same crash |
//! | `chosen` | what a tester does with single events |

mod amend;
mod blocks;
mod carved;
mod chosen;
mod create;
mod disk;
mod error;
mod evict;
mod expire;
mod fate;
mod insert;
mod lease;
mod ledger;
mod list;
mod maintenance;
mod masked;
mod memory;
#[cfg(test)]
mod model_test;
mod names;
mod parked;
mod read;
pub(crate) mod recent;
mod repack;
pub(crate) mod repair;
mod restore;
mod results;
mod routes;
mod salvaged;
mod schema;
mod select;
mod settle;
mod snapshot;
mod start;
mod sweep;
#[cfg(test)]
mod testing;
mod types;
mod unsettled;
mod view;
mod wipe;

pub(crate) use disk::Tidy;
pub(crate) use error::Result;
pub use error::StoreError;
pub(crate) use evict::Wants;
pub(crate) use insert::Fold;
pub(crate) use list::{CHUNK, RowsBefore, count_damaged};
pub use list::{Filter, Listed};
pub use masked::{Masked, mask};
pub(crate) use memory::{EPOCH_SHIFT, MAX_EPOCH, PLACEHOLDER, route_hash};
pub use read::Reader;
pub(crate) use results::LostOnDay;
pub use results::{Balance, Fate, KindBalance, Overview, RouteBalance, RouteFate, RouteView, RowState};
pub(crate) use salvaged::{SalvagedRoute, routes_of, write_salvaged};
pub(crate) use schema::{candidate_crc, crc_of};
pub use types::From;
pub(crate) use types::{
    FoldPosition, Gone, Identity, InflightState, Lease, LeaseLimits, NewRow, Now, Options, Receipt, RouteKey, RowEnd,
    Selector, Settled, SettledBefore, Wipe,
};
pub(crate) use view::View;

use crate::sys::{fault, file, map};
use blocks::Blocks;
use memory::Memory;
use rusqlite::Connection;
use std::cell::Cell;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// Name of the queue's file inside its folder.
pub(crate) const FILE: &str = "queue.db";

/// Bytes of `queue.db-shm` that SQLite maps at once.
const INDEX_BYTES: u64 = 32 * 1024;

/// Files opened so far.
static OPENED: AtomicU64 = AtomicU64::new(1);

/// The queue. `Send`, used by one thread at a time.
pub(crate) struct Store {
    db: Connection,
    folder: PathBuf,
    options: Options,
    /// Id of the present boot.
    boot: String,
    /// What is in the file, as of the last commit.
    memory: Memory,
    /// `synchronous` is FULL now, not NORMAL.
    full: bool,
    /// This open created the file.
    fresh: bool,
    /// Device and inode of the file. Not an open file: closing it would release SQLite's locks.
    file: Option<(u64, u64)>,
    /// Device and inode of the log, `queue.db-wal`.
    log: Option<(u64, u64)>,
    /// Device and inode of the log's index, `queue.db-shm`.
    index: Option<(u64, u64)>,
    /// Pages replaced under this thread before the file was opened.
    replaced_before: u32,
    /// Different for each file opened in this process.
    serial: u64,
    blocks: Blocks,
    /// A reader kept a long log from being restarted.
    held: bool,
    /// Whether the disk had little free space when it was last measured, and how many transactions may still use that
    /// result.
    scarce: Cell<bool>,
    scarce_uses: Cell<u32>,
    /// Transactions committed through this connection.
    commits: u64,
    on_settle: Option<OnSettle>,
}

/// Notes elsewhere what a transaction settles, see [`Store::on_settle`].
pub(crate) type OnSettle = Box<dyn Fn(&Store) + Send>;

/// One transaction: the file and the copy in memory that goes with it.
struct Tx<'a> {
    db: &'a Connection,
    memory: &'a mut Memory,
    /// The disk is nearly full: few pages may change.
    small: bool,
}

impl Store {
    /// Opens the queue in this folder, or creates it. Neither counts nor checks rows, so the time does not depend on
    /// the size of the queue.
    pub(crate) fn open(folder: &Path, identity: &Identity, options: Options) -> Result<Store> {
        repair::prepare(folder)?;
        let replaced_before = map::replaced_pages();
        let path = folder.join(FILE);
        let (db, fresh) = schema::open(&path)?;
        let blocks = Blocks::new(&path);
        blocks.set_up(&db);
        blocks.reserve_log(&db)?;
        let memory = match fresh {
            true => create::create(&db, &blocks, identity, replaced_before)?,
            false => Memory::load(&db)?,
        };
        let serial = OPENED.fetch_add(1, Ordering::Relaxed);
        Ok(Store {
            db,
            folder: folder.to_path_buf(),
            options,
            boot: identity.boot.clone(),
            memory,
            full: false,
            fresh,
            file: file::identity(&path),
            log: file::identity(&folder.join(format!("{FILE}-wal"))),
            index: file::identity(&folder.join(format!("{FILE}-shm"))),
            replaced_before,
            serial,
            blocks,
            held: false,
            scarce: Cell::new(true),
            scarce_uses: Cell::new(0),
            commits: 0,
            on_settle: None,
        })
    }

    /// Sets what notes which rows are settled. It is called before the commit of each answer of a server, and of what a tester deletes;
    /// it reads the state that is about to be committed. If the commit fails, it is called again with the state as it was. After a
    /// lease that let rows go because nobody wants them, and a new destination that takes none of them, it is called after the commit.
    ///
    /// A process that dies right after the commit of an answer could not tell the rows that arrived from rows that are lost with the
    /// file. One that dies right before it has noted that they arrived, which is true.
    pub(crate) fn on_settle(&mut self, note: OnSettle) {
        self.on_settle = Some(note);
    }

    /// Whether this open created the file.
    pub(crate) fn is_new(&self) -> bool {
        self.fresh
    }

    /// Whether `queue.db` is still the file that is open.
    pub(crate) fn is_in_place(&self) -> bool {
        self.file.is_none() || self.file == file::identity(&self.folder.join(FILE))
    }

    /// Whether `queue.db-wal` is still the file that is open. If not, closing the connection copies the log into
    /// `queue.db`, and the next one creates a new log.
    pub(crate) fn is_log_in_place(&self) -> bool {
        self.log.is_none() || self.log == file::identity(&self.folder.join(format!("{FILE}-wal")))
    }

    /// Whether `queue.db-shm`, which SQLite maps, is still the file that is mapped, and was not truncated. If not,
    /// this connection may read old pages: drop it with [`Store::abandon`]. The log has everything that the
    /// next connection needs.
    pub(crate) fn is_index_whole(&self) -> bool {
        let path = self.folder.join(format!("{FILE}-shm"));
        let is_long = path.symlink_metadata().is_ok_and(|index| index.len() >= INDEX_BYTES);
        self.is_index_readable() && (self.index.is_none() || (self.index == file::identity(&path) && is_long))
    }

    fn is_index_readable(&self) -> bool {
        self.replaced_before == map::replaced_pages()
    }

    /// Returns an error if the log's index was truncated under this connection.
    fn check_index(&self) -> Result<()> {
        if self.is_index_readable() {
            return Ok(());
        }
        Err(StoreError::Unavailable(format!("{FILE}-shm was cut short")))
    }

    /// Drops the connection without a checkpoint, which would trust the log's index.
    pub(crate) fn abandon(self) {
        let _ = self.db.set_db_config(rusqlite::config::DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true);
    }

    /// Opens the queue of a folder read-only. Works while an app writes to it.
    #[cfg(test)]
    pub fn open_read_only(folder: &Path) -> Result<Reader> {
        Reader::open(folder)
    }

    /// Identifies the file among those that this process opened one after the other: an error of an earlier file is
    /// ignored.
    pub(crate) fn serial(&self) -> u64 {
        self.serial
    }

    /// Transactions committed through this connection, except those of folds.
    pub(crate) fn commits(&self) -> u64 {
        self.commits
    }

    /// Id of this installation.
    pub(crate) fn install(&self) -> &str {
        &self.memory.install
    }

    /// The epoch in which rows are numbered now.
    pub(crate) fn epoch(&self) -> u64 {
        self.memory.epoch
    }

    /// How far the ring was folded.
    pub(crate) fn fold_position(&self) -> FoldPosition {
        self.memory.position
    }

    /// The number the next row will have.
    #[cfg(test)]
    pub(crate) fn next_seq(&self) -> u64 {
        self.memory.next_seq()
    }

    /// The boot of the last fold, and whether the file was closed cleanly after it. Empty for a new file.
    pub(crate) fn boot_seen(&self) -> (String, bool) {
        (self.memory.boot_seen.to_string(), self.memory.clean)
    }

    /// Sets the caps.
    #[cfg(test)]
    pub(crate) fn set_options(&mut self, options: Options) {
        self.options = options;
    }

    /// Syncs and shortens the log, records a clean end, and releases the file.
    pub(crate) fn close(mut self) -> Result<()> {
        self.write(false, |tx| {
            tx.memory.clean = true;
            tx.db.prepare_cached("UPDATE fold SET clean = 1")?.execute([])?;
            Ok(())
        })?;
        if self.restart_log()? {
            self.blocks.clear_log(&self.db, false)?;
        }
        // With a limit, SQLite would truncate the log.
        schema::pragma(&self.db, "journal_size_limit = -1")?;
        let Store { db, .. } = self;
        db.close().map_err(|(_, error)| StoreError::from(error))
    }

    /// Runs `work` in one transaction. On an error neither the file nor the memory has changed.
    fn write<T>(&mut self, full: bool, work: impl FnOnce(&mut Tx<'_>) -> Result<T>) -> Result<T> {
        self.transact(full, false, work)
    }

    /// Like [`Store::write`], noted before the commit: see [`Store::on_settle`].
    fn write_noted<T>(&mut self, work: impl FnOnce(&mut Tx<'_>) -> Result<T>) -> Result<T> {
        self.transact(false, true, work)
    }

    fn transact<T>(&mut self, full: bool, note_it: bool, work: impl FnOnce(&mut Tx<'_>) -> Result<T>) -> Result<T> {
        // Deliveries and evictions may use as much log again as new rows.
        self.keep_log_short(2 * crate::limits::HELD_LOG_PAGES)?;
        self.synchronous(full)?;
        self.check_index()?;
        let small = self.was_scarce();
        begin(&self.db)?;
        let before = self.memory.clone();
        let done = work(&mut Tx { db: &self.db, memory: &mut self.memory, small });
        let mut noted = false;
        let done = done.and_then(|value| {
            self.check_index()?;
            noted = note_it && self.note_settled();
            if noted && self.db.is_autocommit() {
                // Reading may have needed room in the log for changed pages, and SQLite has rolled back.
                return Err(StoreError::Full("the transaction did not fit".to_string()));
            }
            commit(&self.db, &self.blocks)?;
            Ok(value)
        });
        match &done {
            Ok(_) => self.commits = self.commits.wrapping_add(1),
            Err(_) => {
                rollback(&self.db);
                self.memory = before;
                if noted {
                    self.note_settled();
                }
            }
        }
        done
    }

    /// Calls what [`Store::on_settle`] has set; `false` if nothing is.
    fn note_settled(&self) -> bool {
        let Some(note) = &self.on_settle else { return false };
        note(self);
        fault::point("settlement_noted");
        true
    }

    /// The next commit is synced (`full`), or with the next checkpoint.
    fn synchronous(&mut self, full: bool) -> Result<()> {
        if self.full != full {
            self.db.execute_batch(if full { "PRAGMA synchronous = FULL" } else { "PRAGMA synchronous = NORMAL" })?;
            self.full = full;
        }
        Ok(())
    }
}

fn begin(db: &Connection) -> Result<()> {
    db.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
    Ok(())
}

fn commit(db: &Connection, blocks: &Blocks) -> Result<()> {
    blocks.back(db)?;
    db.prepare_cached("COMMIT")?.execute([])?;
    Ok(())
}

/// Best effort: SQLite has rolled back by itself after the errors that make this one fail.
fn rollback(db: &Connection) {
    if !db.is_autocommit() {
        let _ = db.execute_batch("ROLLBACK");
    }
}
