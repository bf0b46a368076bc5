//! Rows that the carver found in a damaged file, and its position in that file.

use super::Tx;
use super::error::Result;
use super::insert::Fold;
use super::memory::{signed, unsigned};
use super::types::{NewRow, SettledBefore};
use crate::reason::Reason;
use rusqlite::params;

impl Fold<'_> {
    /// Stores a row found in a damaged file for all routes but those that had settled it there (by the hash of their
    /// name): a destination that does not recognise a second copy would count it twice.
    pub(crate) fn insert_carved(&mut self, row: &NewRow<'_>, settled: &[SettledBefore]) -> Result<u64> {
        let seq = self.insert(row)?;
        let lane = row.kind.lane().number();
        let mut tx = Tx { db: self.db, memory: &mut *self.memory, small: false };
        for SettledBefore { hash, ambiguous } in settled {
            let known = tx.memory.routes.iter().find(|route| super::route_hash(&route.name) == *hash);
            match known.map(|route| route.number) {
                Some(number) => {
                    tx.mark_done(number, seq, lane)?;
                    tx.pass_done(number, usize::from(lane))?;
                    match ambiguous {
                        true => self.ledger.lost(number, Some(row.kind), Reason::Ambiguous, 1),
                        false => self.ledger.unwanted(number, 1),
                    }
                }
                None => {
                    let mut note = tx
                        .db
                        .prepare_cached("INSERT OR IGNORE INTO settled (seq, hash, ambiguous) VALUES (?1, ?2, ?3)")?;
                    note.execute(params![signed(seq), *hash as i64, *ambiguous])?;
                }
            }
        }
        Ok(seq)
    }

    /// Stores how far the carver has read a quarantined folder, in the transaction of the rows it found there. `found`
    /// of them were not settled. Returns how many were found so far.
    pub(crate) fn carved(&mut self, folder: &str, page: u64, found: u64) -> Result<u64> {
        let found = self
            .db
            .prepare_cached(
                "INSERT INTO carve (folder, page, found) VALUES (?1, ?2, ?3)
                 ON CONFLICT (folder) DO UPDATE SET page = excluded.page, found = found + excluded.found RETURNING found",
            )?
            .query_row(params![folder, signed(page), signed(found)], |row| row.get(0))?;
        Ok(unsigned(found))
    }
}
