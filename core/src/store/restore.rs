//! Restores `queue.db` after it was deleted while this process has it open.
//!
//! A deleted file exists until its last handle is closed, so the connection still reads all of it. The queue is copied
//! into a new file, which takes the place of the deleted one. A plain copy of the bytes is not possible: opening the
//! file a second time in this process would drop SQLite's locks, and the name is gone.
//!
//! | file | content |
//! | --- | --- |
//! | `queue.db-copy` | A copy being written. Deleted after a kill. |
//! | `queue.db-restored` | A complete, synced copy that is about to be renamed to `queue.db`. |

use super::error::{Result, StoreError};
use super::{FILE, Store};
use crate::sys::{fault, file, place};
use rusqlite::Connection;
use std::collections::HashSet;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

pub(super) fn copy(folder: &Path) -> PathBuf {
    folder.join(format!("{FILE}-copy"))
}

fn restored(folder: &Path) -> PathBuf {
    folder.join(format!("{FILE}-restored"))
}

impl Store {
    /// Copies the queue whose `queue.db` was deleted. The next [`Store::open`] of the folder puts the copy in its
    /// place, with the same rows, numbers, epoch and batches in flight. Drop the connection by [`Store::abandon`]
    /// before that. Takes about as long as a `VACUUM`.
    ///
    /// # Errors
    /// `queue.db` exists again, there is no space for the copy, or the deleted file cannot be read.
    pub(crate) fn copy_deleted_file(&self) -> Result<()> {
        if self.folder.join(FILE).symlink_metadata().is_ok() {
            return Err(StoreError::Unavailable(format!("{FILE} was replaced")));
        }
        let written = self.write_copy();
        if written.is_err() {
            let _ = remove(&copy(&self.folder));
        }
        written
    }

    fn write_copy(&self) -> Result<()> {
        self.check_index()?;
        let path = copy(&self.folder);
        remove(&path)?;
        write(&self.db, &path)?;
        self.check_index()?;
        file::open_private(&path)?.sync_all()?;
        fs::rename(&path, restored(&self.folder))?;
        file::sync_folder(&self.folder);
        fault::point("queue_copied");
        Ok(())
    }

    /// Rows in flight on any route. They may have arrived.
    pub(crate) fn rows_in_flight(&self) -> u64 {
        let batches = self.memory.routes.iter().filter_map(|route| route.inflight.as_ref());
        batches.flat_map(|batch| &batch.rows).map(|row| row.seq).collect::<HashSet<u64>>().len() as u64
    }
}

/// Writes the database to a new file that only this user can read.
pub(super) fn write(db: &Connection, path: &Path) -> Result<()> {
    let text = path.to_str().ok_or_else(|| StoreError::Unavailable("its path is not UTF-8".to_string()))?;
    // Created here, because SQLite would let others read it.
    drop(file::open_private(path)?);
    db.execute("VACUUM INTO ?1", [text])?;
    Ok(())
}

/// Finishes a restore that a killed process began: puts a complete copy in place if there is no queue, and deletes any
/// other copy. No connection may be open.
pub(super) fn finish(folder: &Path) -> Result<()> {
    remove(&copy(folder))?;
    if restored(folder).symlink_metadata().is_err() {
        return Ok(());
    }
    match folder.join(FILE).symlink_metadata() {
        Ok(_) => remove(&restored(folder)),
        Err(_) => put_in_place(folder),
    }
}

fn put_in_place(folder: &Path) -> Result<()> {
    // SQLite would apply the log of the deleted file to the copy.
    for suffix in ["-wal", "-shm"] {
        remove(&folder.join(format!("{FILE}{suffix}")))?;
    }
    fs::rename(restored(folder), folder.join(FILE))?;
    file::sync_folder(folder);
    Ok(())
}

pub(super) fn remove(path: &Path) -> Result<()> {
    place::for_file(path)?;
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error.into()),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Bench, NOW, ROUTE, identity, receipt};
    use super::super::{Options, RowEnd};
    use super::*;
    use crate::kind::Kind;

    /// A queue with a delivered row, two in flight and one waiting, whose files were deleted.
    fn deleted(files: &[&str]) -> (Bench, Vec<u64>) {
        let mut bench = Bench::new();
        let rows = bench.add(&[Kind::Error; 4]);
        let lease = bench.lease(1).unwrap();
        bench.settle(&lease, &RowEnd::Delivered);
        bench.lease(2).unwrap();
        for name in files {
            fs::remove_file(bench.folder.path().join(name)).unwrap();
        }
        (bench, rows)
    }

    fn names(folder: &Path) -> Vec<String> {
        let name = |entry: fs::DirEntry| entry.file_name().to_string_lossy().into_owned();
        let mut names: Vec<String> = fs::read_dir(folder).unwrap().map(|entry| name(entry.unwrap())).collect();
        names.retain(|name| name.starts_with(FILE));
        names.sort();
        names
    }

    #[test]
    fn a_deleted_queue_is_restored_with_its_rows_numbers_and_the_batch_in_flight() {
        for files in [&["queue.db"][..], &["queue.db", "queue.db-wal"], &["queue.db", "queue.db-wal", "queue.db-shm"]] {
            let (bench, rows) = deleted(files);
            let Bench { folder, store, .. } = bench;
            let (epoch, next) = (store.epoch(), store.next_seq());
            assert!(!store.is_in_place());
            assert_eq!(store.rows_in_flight(), 2);
            store.copy_deleted_file().unwrap();
            store.abandon();
            let mut store = Store::open(folder.path(), &identity(), Options::default()).unwrap();
            assert_eq!((store.is_new(), store.epoch(), store.next_seq()), (false, epoch, next), "{files:?}");
            assert_eq!(store.unsettled().unwrap(), 3, "{files:?}");
            let ends: Vec<_> = rows[1..3].iter().map(|seq| (*seq, RowEnd::Delivered)).collect();
            store.settle(ROUTE, &ends, &receipt(200), None, NOW).unwrap();
            assert_eq!(store.unsettled().unwrap(), 1, "{files:?}");
            assert_eq!(names(folder.path()), ["queue.db", "queue.db-shm", "queue.db-wal"], "{files:?}");
            let whole: String = store.db.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
            assert_eq!(whole, "ok", "{files:?}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn only_this_user_can_read_a_restored_queue() {
        use std::os::unix::fs::PermissionsExt;
        let Bench { folder, store, .. } = deleted(&["queue.db"]).0;
        store.copy_deleted_file().unwrap();
        store.abandon();
        drop(Store::open(folder.path(), &identity(), Options::default()).unwrap());
        let mode = fs::metadata(folder.path().join(FILE)).unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{mode:o}");
    }

    #[test]
    fn an_open_finishes_the_restore_of_a_killed_process_without_the_log_of_the_deleted_file() {
        let Bench { folder, store, .. } = deleted(&["queue.db"]).0;
        store.copy_deleted_file().unwrap();
        super::super::testing::die(store);
        fs::write(copy(folder.path()), b"incomplete").unwrap();
        assert!(folder.path().join("queue.db-wal").exists());
        let store = Store::open(folder.path(), &identity(), Options::default()).unwrap();
        assert_eq!((store.is_new(), store.unsettled().unwrap()), (false, 3));
        assert_eq!(names(folder.path()), ["queue.db", "queue.db-shm", "queue.db-wal"]);
    }

    #[test]
    fn a_copy_beside_a_queue_is_deleted_and_never_replaces_it() {
        let mut bench = Bench::new();
        bench.add(&[Kind::Error; 2]);
        let Bench { folder, store, .. } = bench;
        store.close().unwrap();
        for path in [copy(folder.path()), restored(folder.path())] {
            fs::write(path, b"left over").unwrap();
        }
        let store = Store::open(folder.path(), &identity(), Options::default()).unwrap();
        assert_eq!(store.unsettled().unwrap(), 2);
        assert_eq!(names(folder.path()), ["queue.db", "queue.db-shm", "queue.db-wal"]);
    }

    #[test]
    fn a_restore_that_fails_leaves_the_connection_open_and_no_copy() {
        let (bench, _) = deleted(&["queue.db"]);
        let Bench { folder, store, .. } = bench;
        // A directory has the name of the complete copy.
        fs::create_dir(restored(folder.path())).unwrap();
        assert!(store.copy_deleted_file().is_err());
        assert_eq!(store.unsettled().unwrap(), 3);
        assert!(!copy(folder.path()).exists());
    }
}
