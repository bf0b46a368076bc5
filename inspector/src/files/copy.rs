//! Copies the files of a queue to a temporary folder.

use super::error::FileError;
use super::temp;
use crate::queue;
use rez_monitor::inspect::RECENT_FILE;
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;
use tempfile::TempDir;

/// Attempts to copy files that an app changes meanwhile.
const ATTEMPTS: usize = 20;

/// The files of one queue. Only the database must exist.
#[derive(Clone, Debug)]
pub(super) struct Files {
    pub(super) db: PathBuf,
    pub(super) wal: PathBuf,
    /// Files beside it that say what is settled and what was stored lately, with their names in the copy.
    beside: Vec<(PathBuf, &'static str)>,
}

/// The file that says what is settled: the ring of a queue, or its copy in a quarantine.
pub(super) const RING: &str = "ring.bin";
const SUPERBLOCK: &str = "superblock";

impl Files {
    /// The files of this database, whatever its name is.
    pub(super) fn of(db: &Path) -> Files {
        let mut wal = db.as_os_str().to_owned();
        wal.push("-wal");
        let beside = [RING, SUPERBLOCK, RECENT_FILE].map(|name| (db.with_file_name(name), name));
        Files { db: db.to_owned(), wal: wal.into(), beside: beside.into() }
    }

    /// Whether the header says that the database has a log.
    pub(super) fn needs_log(&self) -> bool {
        use std::io::Read as _;
        let mut header = [0; 20];
        let read = std::fs::File::open(&self.db).and_then(|mut file| file.read_exact(&mut header));
        read.is_ok() && header.starts_with(b"SQLite format 3\0") && header.ends_with(&[2, 2])
    }

    /// Copies the files under their usual names. Copies again while they change.
    pub(super) fn copy(&self) -> Result<TempDir, FileError> {
        let mut last = io::Error::other("another program changes it all the time; stop the app and try again");
        for _ in 0..ATTEMPTS {
            let folder = temp::folder()?;
            let before = self.stamp();
            match self.copy_once(folder.path()) {
                Ok(()) if before == self.stamp() => return Ok(folder),
                Ok(()) => {}
                Err(error) => last = error,
            }
        }
        Err(FileError::unreadable(&self.db, last))
    }

    fn copy_once(&self, folder: &Path) -> io::Result<()> {
        std::fs::copy(&self.db, folder.join(queue::FILE))?;
        let wal = (self.wal.clone(), "queue.db-wal");
        for (from, name) in self.beside.iter().chain([&wal]) {
            match std::fs::copy(from, folder.join(name)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        Ok(())
    }

    /// Changes when the database or the log changes.
    fn stamp(&self) -> [Option<(u64, SystemTime)>; 2] {
        [&self.db, &self.wal].map(|path| {
            let metadata = path.metadata().ok()?;
            Some((metadata.len(), metadata.modified().ok()?))
        })
    }
}
