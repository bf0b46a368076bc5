//! Quarantine: a damaged queue is put aside, never deleted before it was carved.
//!
//! `quarantine/<n>/` holds `queue.db`, its log and `marks` (the copy of the ring's marks at that moment);
//! `quarantine/log` one line per quarantine with its wall clock, which outlives the folders.

use super::error::{Result, StoreError};
use super::memory::unsigned;
use super::types::Now;
use super::{FILE, Store};
use crate::limits;
use rusqlite::OptionalExtension;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// Folder of the quarantines inside the queue's folder.
pub(crate) const FOLDER: &str = "quarantine";

/// Copy of the ring's marks inside a quarantine.
pub(crate) const MARKS: &str = "marks";

/// Present while files are being moved in.
const MOVING: &str = "moving";

const LOG: &str = "log";

/// Lines of the log that are kept.
const LOG_LINES: usize = 16;

/// The files of a queue, the one that matters first.
fn files() -> [String; 3] {
    [FILE.to_string(), format!("{FILE}-wal"), format!("{FILE}-shm")]
}

/// Moves a queue that no connection has open out of the way and keeps a copy of the marks beside it. A process that
/// dies in between is finished by [`finish`]. Answers the folder, whose name is its number.
pub(crate) fn quarantine(folder: &Path, marks_copy: &[u8], now: Now) -> Result<PathBuf> {
    finish(folder)?;
    let root = folder.join(FOLDER);
    fs::create_dir_all(&root)?;
    let mut log = read_log(&root);
    log.push(now.wall_ms);
    let kept = log.get(log.len().saturating_sub(LOG_LINES)..).unwrap_or_default();
    let text: String = kept.iter().map(|wall_ms| format!("{wall_ms}\n")).collect();
    fs::write(root.join(LOG), text)?;
    let number = numbered(&root)?.last().map_or(1, |(number, _)| number.saturating_add(1));
    let target = root.join(number.to_string());
    fs::create_dir(&target)?;
    write_synced(&target.join(MARKS), marks_copy)?;
    write_synced(&target.join(MOVING), b"")?;
    sync_folder(&root)?;
    sync_folder(&target)?;
    move_in(folder, &target)?;
    Ok(target)
}

/// Finishes a quarantine that a dying process began. Called by `open`.
pub(super) fn finish(folder: &Path) -> Result<()> {
    for (_, target) in numbered(&folder.join(FOLDER))? {
        if target.join(MOVING).exists() {
            move_in(folder, &target)?;
        }
    }
    Ok(())
}

fn move_in(folder: &Path, target: &Path) -> Result<()> {
    for name in files() {
        match fs::rename(folder.join(&name), target.join(&name)) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error.into()),
            _ => {}
        }
    }
    sync_folder(target)?;
    sync_folder(folder)?;
    fs::remove_file(target.join(MOVING))?;
    Ok(())
}

/// Quarantines in the last [`limits::QUARANTINE_WINDOW`]. A time ahead of now (a clock set back) counts.
pub(crate) fn quarantines_lately(folder: &Path, now: Now) -> usize {
    let window = limits::QUARANTINE_WINDOW.as_millis() as i64;
    let log = read_log(&folder.join(FOLDER));
    log.iter().filter(|wall_ms| now.wall_ms.saturating_sub(**wall_ms) <= window).count()
}

/// Quarantines that are still to be carved, the oldest first.
pub(crate) fn to_carve(folder: &Path) -> Result<Vec<PathBuf>> {
    let found = numbered(&folder.join(FOLDER))?;
    Ok(found.into_iter().map(|(_, path)| path).filter(|path| !path.join(MOVING).exists()).collect())
}

/// Deletes all quarantines (a wipe covers them).
pub(crate) fn discard_all(folder: &Path) -> Result<()> {
    numbered(&folder.join(FOLDER))?.into_iter().try_for_each(|(_, path)| discard(&path))
}

fn discard(quarantine: &Path) -> Result<()> {
    match fs::remove_dir_all(quarantine) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error.into()),
        _ => Ok(()),
    }
}

impl Store {
    /// The page up to which a quarantine was carved, as committed by [`super::Fold::carved`].
    pub(crate) fn carve_position(&self, quarantine: &Path) -> Result<u64> {
        let page: Option<i64> = self
            .db
            .prepare_cached("SELECT page FROM carve WHERE folder = ?1")?
            .query_row([carve_key(quarantine)], |row| row.get(0))
            .optional()?;
        Ok(page.map_or(0, unsigned))
    }

    /// A quarantine was carved to its end: deletes it, then its position.
    pub(crate) fn carve_done(&mut self, quarantine: &Path) -> Result<()> {
        // Until all it brought is on the disk, the folder is the only copy.
        self.checkpoint(false)?;
        discard(quarantine)?;
        let key = carve_key(quarantine);
        self.write(false, |tx| {
            tx.db.execute("DELETE FROM carve WHERE folder = ?1", [key])?;
            Ok(())
        })
    }
}

/// How a quarantine is named in table `carve` and by [`super::Fold::carved`]: its number.
pub(crate) fn carve_key(quarantine: &Path) -> String {
    quarantine.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned())
}

fn numbered(root: &Path) -> Result<Vec<(u64, PathBuf)>> {
    let entries = match fs::read_dir(root) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut found = Vec::new();
    for entry in entries {
        let path = entry.map_err(StoreError::from)?.path();
        if let Some(number) = path.file_name().and_then(|name| name.to_str()?.parse::<u64>().ok()) {
            found.push((number, path));
        }
    }
    found.sort();
    Ok(found)
}

fn read_log(root: &Path) -> Vec<i64> {
    let text = fs::read_to_string(root.join(LOG)).unwrap_or_default();
    text.lines().filter_map(|line| line.trim().parse().ok()).collect()
}

fn write_synced(path: &Path, bytes: &[u8]) -> Result<()> {
    fs::write(path, bytes)?;
    fs::File::open(path)?.sync_all()?;
    Ok(())
}

/// Makes renames in a folder durable. Where a folder cannot be opened as a file there is nothing to do.
fn sync_folder(folder: &Path) -> Result<()> {
    if let Ok(folder) = fs::File::open(folder) {
        folder.sync_all()?;
    }
    Ok(())
}
