//! Reads the file of a collector without changing it, also while the collector runs.

use super::CollectorError;
use super::db::{self, Db, Filter, StoredEvent};
use rusqlite::{Connection, OpenFlags};
use std::path::Path;

/// Returns all stored events in order of arrival.
///
/// # Errors
/// The file does not exist, cannot be read, or is no file of a collector of this version.
pub fn read(path: &Path) -> Result<Vec<StoredEvent>, CollectorError> {
    let fail = |error: rusqlite::Error| super::fail(path, &error);
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(fail)?;
    if !db::is_ours(&connection).map_err(fail)? {
        return Err(CollectorError::NotOurs(path.to_owned()));
    }
    let db = Db { connection, path: path.to_owned(), pruned_ms: i64::MAX };
    let all = Filter { limit: usize::MAX, ..Filter::default() };
    Ok(db.events(&all).map_err(fail)?.unwrap_or_default())
}
