//! Files that are open.

use super::guard::guarded;
use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// The longest file that is read whole: of the largest apps, the mapping has 200 MiB and the source map 100 MiB.
pub(super) const LONGEST: u64 = 1 << 30;

/// Files that are open at once.
const MOST: usize = 32;

/// What was read of files, or why it could not be read.
pub(super) struct Opened<T>(HashMap<PathBuf, Result<T, String>>);

impl<T> Default for Opened<T> {
    fn default() -> Opened<T> {
        Opened(HashMap::new())
    }
}

impl<T> Opened<T> {
    /// Reads a file unless it is open.
    pub(super) fn get(&mut self, path: &Path, read: impl FnOnce() -> Result<T, String>) -> Result<&T, &String> {
        // The events of one build follow each other, so the files of an earlier one are rarely needed again.
        if self.0.len() >= MOST && !self.0.contains_key(path) {
            self.0.clear();
        }
        self.0.entry(path.to_owned()).or_insert_with(|| guarded(read)).as_ref()
    }
}

/// Reads a whole file.
pub(super) fn whole(path: &Path) -> Result<Vec<u8>, String> {
    let about = std::fs::metadata(path).map_err(|error| error.to_string())?;
    if about.len() > LONGEST {
        return Err("it is longer than 1 GiB".to_owned());
    }
    std::fs::read(path).map_err(|error| error.to_string())
}
