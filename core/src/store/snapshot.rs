//! A copy of the queue as of one moment.

use super::Store;
use super::error::Result;
use super::recent::keep_recent;
use super::restore::{copy, remove, write};
use crate::row::Row;

impl Store {
    /// The queue as the bytes of one SQLite file, without free pages. Takes about as long as a `VACUUM`. A copy that a killed process
    /// leaves in the folder is deleted by the next [`Store::open`]. `recent`: what was stored lately, also what is delivered.
    pub(crate) fn snapshot(&self, recent: &[Row]) -> Result<Vec<u8>> {
        let path = copy(&self.folder);
        remove(&path)?;
        let bytes =
            write(&self.db, &path).and_then(|()| keep_recent(&path, recent)).and_then(|()| Ok(std::fs::read(&path)?));
        let _ = remove(&path);
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::Bench;
    use super::*;
    use crate::kind::Kind;

    #[test]
    fn a_snapshot_has_the_rows_of_its_moment_and_leaves_no_file() {
        let mut bench = Bench::new();
        bench.add(&[Kind::Error, Kind::Metric]);
        let names = || std::fs::read_dir(bench.store.folder.as_path()).unwrap().count();
        let before = names();
        std::fs::write(copy(&bench.store.folder), b"left by a process that was killed").unwrap();
        let bytes = bench.store.snapshot(&[]).unwrap();
        assert_eq!(names(), before);
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(super::super::FILE), bytes).unwrap();
        let copied = super::super::Reader::open(folder.path()).unwrap().overview().unwrap();
        assert_eq!((copied.rows, copied.balance.holds()), (2, true));
    }
}
