//! The rows of a damaged queue, in an export.

use super::copy::Files;
use super::db;
use super::error::FileError;
use super::export::{Exported, Snapshot};
use super::place::{self, locate};
use super::temp;
use crate::queue;
use rez_monitor::inspect::{self, Marks, Salvage};
use serde::Serialize;
use std::path::Path;
use tempfile::TempDir;

/// A salvage that was written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Salvaged {
    /// What was found.
    #[serde(flatten)]
    pub found: Salvage,
    /// The export. It has fewer rows if what a row holds cannot be told, so that it was not masked.
    pub export: Exported,
}

/// Reads a damaged `queue.db` page by page and writes the rows that wait for a destination to a new export. Works on a copy,
/// so the app may run. `path` is a queue folder, a quarantine, or the file. Personal data is hidden unless `unmasked`.
///
/// # Errors
/// The file cannot be read or is no queue, or the export exists or cannot be written.
pub fn salvage(path: &Path, out: &Path, unmasked: bool) -> Result<Salvaged, FileError> {
    if out.symlink_metadata().is_ok() {
        return Err(FileError::Taken(out.to_owned()));
    }
    let file = locate(path)?;
    let (temp, found) = carve(&Files::of(&file))?;
    refuse_foreign(&file, &found)?;
    let export = Snapshot::of(temp, unmasked)?.pack(path, true, out)?;
    Ok(Salvaged { found, export })
}

/// Carves a copy of these files. The new `queue.db` is in the folder that is returned.
pub(super) fn carve(files: &Files) -> Result<(TempDir, Salvage), FileError> {
    let copy = files.copy()?;
    let temp = temp::folder()?;
    let found = inspect::salvage(copy.path(), &temp.path().join(queue::FILE))
        .map_err(|error| FileError::unreadable(&files.db, place::one_line(&error.to_string())))?;
    Ok((temp, found))
}

/// Returns an error if nothing in the file looks like a row of a queue, and the file is that of another program.
pub(super) fn refuse_foreign(file: &Path, found: &Salvage) -> Result<(), FileError> {
    let inspect::Rejected { checksum, settled, erased, deleted, repeated, unknown } = found.rejected;
    if [found.rows, checksum, settled, erased, deleted, repeated, unknown].iter().any(|n| *n > 0) {
        return Ok(());
    }
    let wrong = |message: &str| Err(FileError::NotAQueue { path: file.to_owned(), message: message.to_owned() });
    if !place::first_bytes(file)?.starts_with(place::SQLITE) {
        return wrong("it is no SQLite file and holds no row of a queue");
    }
    let tables = "SELECT count(*) FROM sqlite_schema WHERE name IN ('event', 'fold', 'route')";
    if db::connect(file).is_ok_and(|db| db::number(&db, tables).is_ok_and(|n| n == 0)) {
        return wrong("it is an SQLite file of another program");
    }
    Ok(())
}

impl Salvaged {
    /// The report for people, one sentence each.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        let Salvage { pages, rows, marks, rejected, expected, .. } = &self.found;
        let count = inspect::number;
        let mut lines = vec![format!("{} page images were read", count(u64::from(*pages)))];
        lines.push(format!("{} that wait for a destination were found", place::rows(*rows)));
        if let Some(missing) = expected.map(|expected| u64::from(expected).saturating_sub(*rows)).filter(|n| *n > 0) {
            lines.push(format!(
                "{} of those that were not settled before the damage are missing, parked or dead",
                place::rows(missing)
            ));
        }
        let reasons = [
            (rejected.checksum, "a wrong checksum"),
            (rejected.settled, "settled before: delivered, dropped or dead"),
            (rejected.erased, "to be erased on the user's request"),
            (rejected.deleted, "outside of the table, and perhaps delivered"),
            (rejected.repeated, "another copy of a row that was found"),
            (rejected.unknown, "of a kind that this version does not know"),
        ];
        for (n, why) in reasons.into_iter().filter(|(n, _)| *n > 0) {
            lines.push(format!("not taken: {}, {why}", place::rows(n)));
        }
        if *marks == Marks::None {
            lines.push(
                "ring.bin is not beside the file, so what was delivered lately is not known: copy the whole folder"
                    .to_owned(),
            );
        }
        lines
    }
}
