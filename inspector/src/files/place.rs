//! What a path means, and how a file begins.

use super::copy::RING;
use super::error::FileError;
use crate::queue;
use crate::received::is_received;
use std::io::Read as _;
use std::path::{Path, PathBuf};

pub(super) use rez_monitor::inspect::doctor::rows;

/// First bytes of an SQLite file.
pub(super) const SQLITE: &[u8] = b"SQLite format 3\0";

/// The database or export that this path means.
pub(super) fn locate(path: &Path) -> Result<PathBuf, FileError> {
    let file = find(path, queue::FILE)?.ok_or_else(|| FileError::NoQueue(path.to_owned()))?;
    if is_received(&file) {
        return Err(FileError::Received(file));
    }
    Ok(file)
}

/// The ring of a folder, of a folder of `rezq demo --keep`, or the file itself.
///
/// # Errors
/// There is none.
pub fn ring_file(path: &Path) -> Result<PathBuf, FileError> {
    find(path, RING)?.ok_or_else(|| FileError::unreadable(&path.join(RING), "there is no such file"))
}

/// The path itself if it is a file; else the file of this name in the folder, or in the folder of the app that `rezq demo --keep` leaves
/// in it.
fn find(path: &Path, name: &str) -> Result<Option<PathBuf>, FileError> {
    let metadata = path.metadata().map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => FileError::Missing(path.to_owned()),
        _ => FileError::unreadable(path, error),
    })?;
    if !metadata.is_dir() {
        return Ok(Some(path.to_owned()));
    }
    for place in [path.join(name), path.join("app").join(name)] {
        match place.metadata() {
            Ok(found) if found.is_file() => return Ok(Some(place)),
            // A folder that may not be entered can have one.
            Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => {
                return Err(FileError::unreadable(&place, error));
            }
            _ => {}
        }
    }
    Ok(None)
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
