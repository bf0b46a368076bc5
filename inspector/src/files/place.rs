//! What a path means, and how a file begins.

use super::copy::RING;
use super::error::FileError;
use crate::queue;
use rez_monitor::inspect::number;
use std::io::Read as _;
use std::path::{Path, PathBuf};

/// First bytes of an SQLite file.
pub(super) const SQLITE: &[u8] = b"SQLite format 3\0";

/// The database or export that this path means.
pub(super) fn locate(path: &Path) -> Result<PathBuf, FileError> {
    let metadata = path.metadata().map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => FileError::Missing(path.to_owned()),
        _ => FileError::unreadable(path, error),
    })?;
    if !metadata.is_dir() {
        return Ok(path.to_owned());
    }
    let places = [path.join(queue::FILE), path.join("app").join(queue::FILE)];
    places.into_iter().find(|place| place.is_file()).ok_or_else(|| FileError::NoQueue(path.to_owned()))
}

/// The ring of a folder, of a folder of `rezq demo --keep`, or the file itself.
///
/// # Errors
/// There is none.
pub fn ring_file(path: &Path) -> Result<PathBuf, FileError> {
    let metadata = path.metadata().map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => FileError::Missing(path.to_owned()),
        _ => FileError::unreadable(path, error),
    })?;
    if !metadata.is_dir() {
        return Ok(path.to_owned());
    }
    let places = [path.join(RING), path.join("app").join(RING)];
    let found = places.into_iter().find(|place| place.is_file());
    found.ok_or_else(|| FileError::unreadable(&path.join(RING), "there is no such file"))
}

/// The folder of a file, also of one that is named without a folder.
pub(super) fn parent(file: &Path) -> PathBuf {
    match file.parent() {
        Some(folder) if folder != Path::new("") => folder.to_owned(),
        _ => PathBuf::from("."),
    }
}

pub(super) fn first_bytes(file: &Path) -> Result<Vec<u8>, FileError> {
    let mut bytes = Vec::new();
    // Opening a pipe would block.
    let read = file.metadata().and_then(|metadata| {
        if !metadata.is_file() {
            return Err(std::io::Error::other("it is not a regular file"));
        }
        std::fs::File::open(file)?.take(SQLITE.len() as u64).read_to_end(&mut bytes)
    });
    read.map_err(|error| FileError::unreadable(file, error))?;
    Ok(bytes)
}

/// SQLite writes some messages in several lines.
pub(super) fn one_line(message: &str) -> String {
    message.split_whitespace().collect::<Vec<_>>().join(" ")
}

pub(super) fn rows(n: u64) -> String {
    format!("{} {}", number(n), if n == 1 { "row" } else { "rows" })
}
