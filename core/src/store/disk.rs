//! The log, and what to do when the disk is full.

use super::error::{Result, StoreError};
use super::evict::Wants;
use super::memory::unsigned;
use super::types::Now;
use super::{Store, schema};
use crate::limits;
use crate::reason::Reason;
use rusqlite::params;
use std::io::Write;
use std::path::PathBuf;

/// Name of the ballast inside the queue's folder.
pub(crate) const BALLAST: &str = "ballast.bin";

/// Rows evicted at once on a full disk: the delete itself needs room in the log (measured: a quarter of the table in
/// one transaction did not fit into a ballast that 20 rows fit into).
const FULL_CHUNK: usize = 20;

/// Rounds after which freeing space is given up for now.
const ROUNDS: usize = 64;

/// Bytes of the write that shows whether there is room again: several batches of rows.
const PROBE_BYTES: usize = 64 * 1024;

/// Route number of the probe's row; no route has it.
const PROBE: i64 = -1;

impl Store {
    /// Pages in the log that are not in the file yet; 0 when it cannot be asked.
    pub(crate) fn wal_pages(&self) -> u32 {
        let ask = || -> Result<i64> {
            let mut noop = self.db.prepare_cached("PRAGMA wal_checkpoint(NOOP)")?;
            Ok(noop.query_row([], |row| Ok(row.get::<_, i64>(1)?.saturating_sub(row.get::<_, i64>(2)?)))?)
        };
        ask().map_or(0, |pages| u32::try_from(pages.max(0)).unwrap_or(u32::MAX))
    }

    /// Copies the log into the file and syncs both: what was committed before survives a power cut. `truncate` also
    /// cuts the log to nothing. A reader that is in the way (the inspector) leaves part of it for the next time.
    pub(crate) fn checkpoint(&mut self, truncate: bool) -> Result<()> {
        schema::pragma(&self.db, if truncate { "wal_checkpoint(TRUNCATE)" } else { "wal_checkpoint(PASSIVE)" })
    }

    /// Makes the ballast if it is not there: blocks that [`Store::free_space`] can give back.
    pub(crate) fn ballast(&mut self) -> Result<()> {
        let path = self.ballast_path();
        if std::fs::metadata(&path).is_ok_and(|file| file.len() == limits::BALLAST_BYTES) {
            return Ok(());
        }
        let write = || -> std::io::Result<()> {
            let mut file = std::fs::File::create(&path)?;
            // Not zeros: some file systems store those as holes.
            let block = [0xA5u8; 4096];
            for _ in 0..limits::BALLAST_BYTES.div_ceil(block.len() as u64) {
                file.write_all(&block)?;
            }
            file.sync_data()
        };
        write().map_err(|error| {
            let _ = std::fs::remove_file(&path);
            StoreError::from(error)
        })
    }

    /// The disk is full: gives the ballast back and evicts in small steps, booked `disk_full`, with a checkpoint
    /// after each, until a write works again. Then tries to make the ballast anew. `Err(Full)` = not even that helped.
    pub(crate) fn free_space(&mut self, wants: Wants<'_>, now: Now) -> Result<()> {
        if self.probe().is_ok() {
            return Ok(());
        }
        match std::fs::remove_file(self.ballast_path()) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error.into()),
            _ => {}
        }
        let mut last = StoreError::Full("no room".to_string());
        for _ in 0..ROUNDS {
            // The checkpoint before makes room in the log for the delete, the one after gives the pages to the file.
            let evicted = self
                .checkpoint(true)
                .and_then(|()| self.evict_some(FULL_CHUNK, Reason::DiskFull, wants, &[], now))
                .and_then(|evicted| self.checkpoint(true).map(|()| evicted));
            match (self.probe(), evicted) {
                (Ok(()), _) => {
                    self.give_back()?;
                    // No room for it yet: the next upkeep tries again.
                    let _ = self.ballast();
                    return Ok(());
                }
                (Err(error), Ok(0)) => return Err(error),
                (Err(_), Err(error @ (StoreError::Corrupt(_) | StoreError::Unavailable(_)))) => return Err(error),
                (Err(error), _) => last = error,
            }
        }
        Err(last)
    }

    /// Writes and removes some pages: whether there is room.
    fn probe(&mut self) -> Result<()> {
        let filler = "x".repeat(PROBE_BYTES);
        self.write(false, |tx| {
            tx.db
                .prepare_cached(
                    "INSERT INTO receipt (route, at_ms, status, batch_id, note, outcomes) VALUES (?1, 0, 0, '', '', ?2)",
                )?
                .execute(params![PROBE, filler])?;
            Ok(())
        })?;
        self.write(false, |tx| {
            tx.db.prepare_cached("DELETE FROM receipt WHERE route = ?1")?.execute([PROBE])?;
            Ok(())
        })
    }

    fn ballast_path(&self) -> PathBuf {
        self.folder.join(BALLAST)
    }

    /// Bytes of the file and its log on the disk.
    pub(crate) fn disk_bytes(&self) -> u64 {
        ["", "-wal"]
            .iter()
            .filter_map(|end| std::fs::metadata(self.folder.join(format!("{}{end}", super::FILE))).ok())
            .fold(unsigned(0), |sum, file| sum.saturating_add(file.len()))
    }
}
