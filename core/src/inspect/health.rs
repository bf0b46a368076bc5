//! What lies beside a queue: its quarantines, and the room on its disk.

use crate::ring::superblock::Superblock;
use crate::store::{Result, repair};
use crate::sys::file;
use serde::Serialize;
use std::path::{Path, PathBuf};

/// A damaged queue that the app has moved to a folder of its own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Quarantine {
    /// The folder, with `queue.db`.
    pub folder: PathBuf,
    /// Rows that some destination had not settled; `None` if that is not known.
    pub rows: Option<u32>,
}

/// The quarantines of a queue that the app has not recovered yet, oldest first.
///
/// # Errors
/// The folder cannot be read.
pub fn quarantines(folder: &Path) -> Result<Vec<Quarantine>> {
    let rows = |folder: &Path| Superblock::from_bytes(&repair::superblock_copy(folder)?).map(|copy| copy.rows);
    let found = repair::to_carve(folder)?;
    Ok(found.into_iter().map(|folder| Quarantine { rows: rows(&folder), folder }).collect())
}

/// Free bytes of the file system of a folder that this user can use; `None` where the system cannot tell.
#[must_use]
pub fn free_bytes(folder: &Path) -> Option<u64> {
    file::free_bytes(folder)
}
