//! What a collector received, read from its file.

use super::{Inspect, SourceError};
use crate::received::{Reader, ReceivedError};
use std::path::Path;

/// The file of a collector, which may be running.
#[derive(Debug)]
pub struct Collected(Reader);

impl Collected {
    /// Opens the file for reading only.
    ///
    /// # Errors
    /// It is not the file of a collector of this version.
    pub fn open(path: &Path) -> Result<Collected, ReceivedError> {
        Reader::open(path).map(Collected)
    }
}

impl Inspect for Collected {
    fn try_inspect(&self, request: &str) -> Result<String, SourceError> {
        Ok(self.0.inspect(request)?)
    }
}
