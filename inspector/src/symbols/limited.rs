//! What may be read of the tables of a file.

use object::{ReadCache, ReadRef};
use std::cell::Cell;
use std::fs::File;
use std::ops::Range;

/// A file of which `left` bytes may be read. The cache keeps every range, and a damaged file can name many long ones.
#[derive(Clone, Copy)]
pub(super) struct Limited<'c> {
    pub(super) cache: &'c ReadCache<File>,
    pub(super) left: &'c Cell<u64>,
}

impl Limited<'_> {
    fn charge(self, bytes: u64) -> Result<(), ()> {
        self.left.set(self.left.get().checked_sub(bytes).ok_or(())?);
        Ok(())
    }
}

impl<'c> ReadRef<'c> for Limited<'c> {
    fn len(self) -> Result<u64, ()> {
        self.cache.len()
    }

    fn read_bytes_at(self, offset: u64, size: u64) -> Result<&'c [u8], ()> {
        self.charge(size)?;
        self.cache.read_bytes_at(offset, size)
    }

    fn read_bytes_at_until(self, range: Range<u64>, delimiter: u8) -> Result<&'c [u8], ()> {
        let bytes = self.cache.read_bytes_at_until(range, delimiter)?;
        self.charge(bytes.len() as u64 + 1)?;
        Ok(bytes)
    }
}
