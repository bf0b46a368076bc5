//! A new file: its tables, its first rows, and the count of what the file before it held.

use super::blocks::Blocks;
use super::error::Result;
use super::insert::Fold;
use super::memory::{EPOCH_SHIFT, MAX_EPOCH, Memory, PLACEHOLDER, signed};
use super::types::{Gone, Identity};
use super::{begin, rollback, schema};
use crate::reason::Reason;
use rusqlite::{Connection, params};

/// Creates the tables of a new file, and counts what the file before it held, in one transaction.
pub(super) fn create(db: &Connection, blocks: &Blocks, identity: &Identity, replaced_before: u32) -> Result<Memory> {
    if identity.gone.rows > 0 {
        // The ring forgets them as soon as they are counted here.
        schema::pragma(db, "synchronous = FULL")?;
    }
    begin(db)?;
    let made = schema::create(db).and_then(|()| first_rows(db, identity)).and_then(|()| Memory::load(db));
    let mut memory = made.inspect_err(|_| rollback(db))?;
    let mut fold = Fold::in_transaction(db, blocks, &mut memory, replaced_before, identity.gone.now)?;
    fold.count_gone(identity.gone)?;
    fold.commit()?;
    schema::pragma(db, "synchronous = NORMAL")?;
    Ok(memory)
}

/// The rows every new file starts with.
pub(super) fn first_rows(db: &Connection, identity: &Identity) -> Result<()> {
    let epoch = identity.epoch.min(MAX_EPOCH);
    db.execute(
        "INSERT INTO fold VALUES (1, ?1, ?2, 1, 0, 0, 0, 0, 0, '', 0, 0)",
        params![identity.install, signed(epoch)],
    )?;
    db.execute("INSERT INTO route VALUES (1, ?1, ?1, 0, NULL)", params![PLACEHOLDER])?;
    db.execute(
        "INSERT INTO flow VALUES (1, ?1, 0, ?2, 0, 0)",
        params![signed(epoch), signed((epoch << EPOCH_SHIFT) | 1)],
    )?;
    Ok(())
}

impl Fold<'_> {
    /// Counts the rows of a file that is gone as lost. Those in a request may have arrived.
    pub(crate) fn count_gone(&mut self, gone: Gone) -> Result<()> {
        if gone.rows == 0 {
            return Ok(());
        }
        let may_have_arrived = gone.in_flight.min(gone.rows);
        self.intake(None, gone.rows)?;
        self.drop(None, Reason::CorruptFile, gone.rows - may_have_arrived)?;
        self.drop(None, Reason::Ambiguous, may_have_arrived)
    }
}
