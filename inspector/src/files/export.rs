//! A snapshot of a queue without personal data, as an export, NDJSON or CSV.

use super::error::FileError;
use super::rezq::{self, FORMAT, Info};
use super::source::{Origin, Source};
use super::{db, sql};
use crate::queue;
use rez_monitor::inspect::{Masked, mask};
use serde::Serialize;
use serde_json::Value;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// What was stored lately and is no row of the queue any more.
const DELIVERED: &str = "SELECT count(*) FROM recent WHERE json_extract(line, '$.seq') NOT IN (SELECT seq FROM event)";

/// A consistent copy of a queue in a temporary folder.
#[derive(Debug)]
pub struct Snapshot {
    temp: TempDir,
    /// Personal data is hidden.
    pub masked: bool,
    /// What was hidden; `None` with `unmasked`.
    pub changes: Option<Masked>,
}

/// An export that was written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Exported {
    /// The file.
    pub file: PathBuf,
    /// Its size in bytes.
    pub bytes: u64,
    /// Rows in it.
    pub rows: u64,
    /// Events in it that are no rows of the queue any more: nearly all of them were delivered.
    pub delivered: u64,
    /// Personal data is hidden.
    pub masked: bool,
    /// Rows whose JSON was changed to hide it.
    pub changed: u64,
    /// Rows left out because their checksum is wrong.
    pub removed: u64,
}

/// Copies a queue as of one moment, also while an app writes to it. Personal data is hidden unless `unmasked`.
///
/// # Errors
/// The queue cannot be read, or the temporary folder cannot be written.
pub fn snapshot(source: &Source, unmasked: bool) -> Result<Snapshot, FileError> {
    let temp = source.snapshot()?;
    let path = temp.path().join(queue::FILE);
    let was_masked = matches!(source.origin(), Origin::Export(info) if info.masked);
    let changes =
        if unmasked { None } else { Some(mask(&path).map_err(|error| FileError::of_store(source.file(), error))?) };
    Ok(Snapshot { temp, masked: was_masked || !unmasked, changes })
}

/// Writes an export to a new file.
///
/// # Errors
/// The queue cannot be read, or the file exists or cannot be written.
pub fn export(source: &Source, out: &Path, unmasked: bool) -> Result<Exported, FileError> {
    // Before the work.
    if out.symlink_metadata().is_ok() {
        return Err(FileError::Taken(out.to_owned()));
    }
    let snapshot = snapshot(source, unmasked)?;
    let salvaged = source.salvage().is_some() || matches!(source.origin(), Origin::Export(info) if info.salvaged);
    snapshot.pack(source.path(), salvaged, out)
}

impl Snapshot {
    /// A copy of another database that nobody else uses.
    pub(super) fn of(temp: TempDir, unmasked: bool) -> Result<Snapshot, FileError> {
        let path = temp.path().join(queue::FILE);
        let changes =
            if unmasked { None } else { Some(mask(&path).map_err(|error| FileError::of_store(&path, error))?) };
        Ok(Snapshot { temp, masked: !unmasked, changes })
    }

    /// Writes it to a new file.
    pub(super) fn pack(&self, path: &Path, salvaged: bool, out: &Path) -> Result<Exported, FileError> {
        let db = self.temp.path().join(queue::FILE);
        let made_ms = jiff::Timestamp::now().as_millisecond();
        let source = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let rezq = env!("CARGO_PKG_VERSION").to_owned();
        let info = Info { format: FORMAT, made_ms, source, masked: self.masked, salvaged, rezq };
        rezq::describe(&db, &info).map_err(|error| FileError::unwritable(&db, error))?;
        // Without the table there are none.
        let counts = db::connect(&db).and_then(|db| {
            Ok((db::number(&db, "SELECT count(*) FROM event")?, db::number(&db, DELIVERED).unwrap_or(0)))
        });
        let (rows, delivered) = counts.map_err(|error| FileError::unreadable(&db, error))?;
        let changes = self.changes.unwrap_or_default();
        Ok(Exported {
            file: out.to_owned(),
            bytes: rezq::pack(&db, out)?,
            rows: u64::try_from(rows).unwrap_or(0),
            delivered: u64::try_from(delivered).unwrap_or(0),
            masked: self.masked,
            changed: changes.rows,
            removed: changes.removed,
        })
    }

    /// Calls `take` with every event, oldest first: an object with the columns of the view `inspect`.
    ///
    /// # Errors
    /// The copy cannot be read.
    pub fn events(&self, mut take: impl FnMut(serde_json::Map<String, Value>)) -> Result<u64, FileError> {
        let path = self.temp.path().join(queue::FILE);
        let unreadable = |error: rusqlite::Error| FileError::unreadable(&path, error);
        let db = db::connect(&path).map_err(unreadable)?;
        sql::create_view(&db).map_err(unreadable)?;
        let mut select = db.prepare("SELECT * FROM inspect ORDER BY seq").map_err(unreadable)?;
        let columns: Vec<String> = select.column_names().map(str::to_owned).collect();
        let mut rows = select.query([]).map_err(unreadable)?;
        let mut n = 0;
        while let Some(row) = rows.next().map_err(unreadable)? {
            let values = columns.iter().enumerate().map(|(at, name)| (name.clone(), sql::value(row, at)));
            let mut event: serde_json::Map<String, Value> = values.collect();
            for name in ["json", "routes"] {
                let parsed = event.get(name).and_then(Value::as_str).and_then(|text| serde_json::from_str(text).ok());
                if let Some(parsed) = parsed {
                    event.insert(name.to_owned(), parsed);
                }
            }
            take(event);
            n += 1;
        }
        Ok(n)
    }
}
