//! The names of the queue's files.

use super::FILE;
use super::error::Result;
use crate::sys::place;
use std::path::Path;

/// The files of a queue, the database first.
pub(super) fn files() -> [String; 3] {
    [FILE.to_string(), format!("{FILE}-wal"), format!("{FILE}-shm")]
}

/// Renames whatever is not a regular file under the name of one of the queue's files. SQLite follows links and blocks on
/// pipes, so this comes before it opens anything.
pub(super) fn free(folder: &Path) -> Result<()> {
    let journal = format!("{FILE}-journal");
    Ok(files().iter().chain([&journal]).try_for_each(|name| place::for_file(&folder.join(name)))?)
}
