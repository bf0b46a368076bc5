//! Packing the rows around evicted ones, so that an eviction frees pages.

use super::Tx;
use super::error::Result;
use super::evict::{RowToDelete, used_bytes};
use super::memory::signed;
use super::schema::{INSERT_EVENT, SELECT_EVENTS_BETWEEN};
use rusqlite::types::Value;
use rusqlite::{params, params_from_iter};

impl Tx<'_> {
    /// Repacks the rows around `gone`, unless that takes more pages than it frees: pages that were filled in order are
    /// denser than repacked ones, and on a full disk there is no page to spare.
    pub(super) fn repack_if_smaller(&self, gone: &[RowToDelete]) -> Result<()> {
        let before = used_bytes(self.db)?;
        self.db.execute_batch("SAVEPOINT repack")?;
        self.repack(gone)?;
        if used_bytes(self.db)? > before {
            self.db.execute_batch("ROLLBACK TO repack")?;
        }
        Ok(self.db.execute_batch("RELEASE repack")?)
    }

    /// Packs the rows that remain between deleted ones. Rows of different lanes are mixed in the pages, and SQLite
    /// joins pages only when one is two thirds empty: without this a whole lane could be deleted before a single page
    /// is free.
    pub(super) fn repack(&self, gone: &[RowToDelete]) -> Result<()> {
        let (Some(first), Some(last)) = (gone.iter().map(|row| row.seq).min(), gone.iter().map(|row| row.seq).max())
        else {
            return Ok(());
        };
        let mut left = Vec::new();
        {
            let mut select = self.db.prepare_cached(SELECT_EVENTS_BETWEEN)?;
            let columns = select.column_count();
            let mut rows = select.query(params![signed(first), signed(last)])?;
            while let Some(row) = rows.next()? {
                left.push((0..columns).map(|column| row.get(column)).collect::<Result<Vec<Value>, _>>()?);
            }
        }
        let seq = |row: Option<&Vec<Value>>| row.and_then(|row| row.first()).cloned();
        let (Some(first), Some(last)) = (seq(left.first()), seq(left.last())) else { return Ok(()) };
        self.db.prepare_cached("DELETE FROM event WHERE seq BETWEEN ?1 AND ?2")?.execute([first, last])?;
        let mut insert = self.db.prepare_cached(INSERT_EVENT)?;
        for row in left {
            insert.execute(params_from_iter(row))?;
        }
        Ok(())
    }
}
