//! Erasure: rows, breadcrumbs, scope, properties and receipts leave the file for good.

use super::error::Result;
use super::ledger::Books;
use super::memory::{Memory, unsigned};
use super::types::{Now, Wipe};
use super::{Store, Tx, repair, schema};
use crate::kind::{Kind, Purpose};
use crate::reason::Reason;
use std::collections::HashSet;

impl Store {
    /// Erases what `keep` does not keep, and what belongs to it, and books it for each route that had not settled it:
    /// `cleared_by_user` for [`Wipe::All`], else `consent`. Then nothing of it is left in any page of the file or its
    /// log, and no quarantine. `install` = the new id of this installation. May be repeated after a failure.
    ///
    /// For purposes, breadcrumbs go with monitoring and properties with analytics; scope and receipts (ids only) stay.
    pub(crate) fn wipe(
        &mut self,
        what: Wipe,
        keep: &dyn Fn(Kind) -> bool,
        install: Option<&str>,
        now: Now,
    ) -> Result<()> {
        schema::pragma(&self.db, "secure_delete = ON")?;
        let wiped = self.write(true, |tx| tx.wipe(&what, keep, install, now)).and_then(|()| {
            // Pages and log frames that were free before the transaction still hold older copies.
            schema::pragma(&self.db, "wal_checkpoint(TRUNCATE)")?;
            self.db.execute_batch("VACUUM")?;
            schema::pragma(&self.db, "wal_checkpoint(TRUNCATE)")
        });
        schema::pragma(&self.db, "secure_delete = OFF")?;
        wiped?;
        repair::discard_all(&self.folder)
    }
}

impl Tx<'_> {
    fn wipe(&mut self, what: &Wipe, keep: &dyn Fn(Kind) -> bool, install: Option<&str>, now: Now) -> Result<()> {
        let kept: Vec<&str> = Kind::ALL.into_iter().filter(|kind| keep(*kind)).map(Kind::as_str).collect();
        let reason = match what {
            Wipe::All => Reason::ClearedByUser,
            Wipe::Purposes(_) => Reason::Consent,
        };
        // A kind that cannot be read is in no list, so it goes.
        let mut gone: HashSet<u64> = HashSet::new();
        let mut kinds: Vec<String> = Vec::new();
        {
            let mut select = self.db.prepare("SELECT seq, kind FROM event")?;
            let mut rows = select.query([])?;
            while let Some(row) = rows.next()? {
                let kind: String = row.get(1)?;
                if !kept.contains(&kind.as_str()) {
                    gone.insert(unsigned(row.get(0)?));
                    if !kinds.contains(&kind) {
                        kinds.push(kind);
                    }
                }
            }
        }
        let kinds: Vec<&str> = kinds.iter().map(String::as_str).collect();
        let mut books = Books::default();
        for route in &self.memory.routes {
            self.book_all(route, Some(&kinds), reason, &mut books)?;
        }
        books.write(self, now)?;
        for kind in &kinds {
            self.db.execute("DELETE FROM exception WHERE seq IN (SELECT seq FROM event WHERE kind = ?1)", [kind])?;
            self.db.execute("DELETE FROM event WHERE kind = ?1", [kind])?;
        }
        self.forget_in_flight(&|seq| gone.contains(&seq))?;
        let denied = |purpose| match what {
            Wipe::All => true,
            Wipe::Purposes(denied) => denied.contains(&purpose),
        };
        if denied(Purpose::Monitoring) {
            self.db.execute("DELETE FROM crumb", [])?;
        }
        if denied(Purpose::Analytics) {
            self.db.execute("DELETE FROM property", [])?;
        }
        if *what == Wipe::All {
            self.db.execute("DELETE FROM scope", [])?;
            self.db.execute("DELETE FROM receipt", [])?;
        }
        self.db.execute("DELETE FROM carve", [])?;
        if let Some(install) = install {
            self.set_install(install)?;
        }
        let Memory { swept, aged, .. } = &mut *self.memory;
        (*swept, *aged) = ([0; 4], [0; 4]);
        Ok(())
    }
}
