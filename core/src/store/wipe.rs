//! Erasure of rows, breadcrumbs, scope, properties and receipts, including their copies in free pages and in the log.

use super::error::Result;
use super::evict::RowToDelete;
use super::ledger::LedgerChanges;
use super::memory::{Memory, unsigned};
use super::types::{Now, Wipe};
use super::{Store, Tx, repair, schema};
use crate::kind::{Kind, Purpose};
use crate::reason::Reason;
use std::collections::HashSet;

/// Rows erased in one transaction on a disk that is nearly full.
const WIPE_CHUNK: usize = 64;

impl Store {
    /// Erases the kinds that `keep` rejects and counts them for each route that had not settled them: as
    /// `cleared_by_user` for [`Wipe::All`], else as `consent`. Afterwards no page of the file, no byte of the log and
    /// no quarantine holds them. `install` = the new id of this installation. Safe to repeat after a failure.
    ///
    /// For purposes, breadcrumbs go with monitoring, properties with analytics, and the scope when both are denied;
    /// receipts (ids only) stay.
    ///
    /// `false` = a reader keeps the log from being erased: call [`Store::erase_log`] until it is done. `Err(Full)` = the
    /// rows are gone, but the disk has no room to rewrite the file without their traces.
    pub(crate) fn wipe(
        &mut self,
        what: Wipe,
        keep: &dyn Fn(Kind) -> bool,
        install: Option<&str>,
        now: Now,
    ) -> Result<bool> {
        schema::pragma(&self.db, "secure_delete = ON")?;
        let wiped = self.wipe_rows(&what, keep, install, now).and_then(|()| {
            // Pages that were free before the transaction still hold older copies.
            self.restart_log()?;
            Ok(self.db.execute_batch("VACUUM")?)
        });
        schema::pragma(&self.db, "secure_delete = OFF")?;
        wiped?;
        repair::discard_all(&self.folder)?;
        self.erase_log()
    }

    /// One transaction. On a disk that is nearly full its pages would not fit into the log, so most rows are deleted
    /// before it, in small transactions.
    fn wipe_rows(&mut self, what: &Wipe, keep: &dyn Fn(Kind) -> bool, install: Option<&str>, now: Now) -> Result<()> {
        let reason = what.reason();
        while self.is_scarce() && self.write(true, |tx| tx.wipe_some(WIPE_CHUNK, keep, reason, now))? > 0 {}
        self.write(true, |tx| tx.wipe(what, keep, install, now))
    }

    /// Overwrites the copies of erased rows that the log still holds. `false` = a reader uses the log: call again.
    pub(crate) fn erase_log(&mut self) -> Result<bool> {
        if !self.restart_log()? {
            return Ok(false);
        }
        self.blocks.clear_log(&self.db, true)?;
        self.write(false, |tx| {
            tx.db.execute("UPDATE fold SET erase = 0", [])?;
            Ok(true)
        })
    }

    /// Whether the log still holds copies of erased rows.
    pub(crate) fn must_erase_log(&self) -> Result<bool> {
        Ok(self.db.query_row("SELECT erase FROM fold", [], |row| row.get(0))?)
    }
}

impl Wipe {
    fn reason(&self) -> Reason {
        match self {
            Wipe::All => Reason::ClearedByUser,
            Wipe::Purposes(_) => Reason::Consent,
        }
    }
}

impl Tx<'_> {
    /// Deletes and counts up to `most` rows that `keep` does not keep. Returns how many.
    fn wipe_some(&mut self, most: usize, keep: &dyn Fn(Kind) -> bool, reason: Reason, now: Now) -> Result<usize> {
        let kept: Vec<&str> = Kind::ALL.into_iter().filter(|kind| keep(*kind)).map(Kind::as_str).collect();
        let mut to_delete = Vec::new();
        {
            let mut select = self.db.prepare_cached("SELECT seq, lane, kind FROM event ORDER BY seq")?;
            let mut rows = select.query([])?;
            while let Some(row) = rows.next()?.filter(|_| to_delete.len() < most) {
                let kind: String = row.get(2)?;
                if !kept.contains(&kind.as_str()) {
                    let lane = u8::try_from(row.get::<_, i64>(1)?).unwrap_or(3);
                    to_delete.push(RowToDelete {
                        seq: unsigned(row.get(0)?),
                        lane,
                        kind: Kind::parse(&kind),
                        row: None,
                    });
                }
            }
        }
        self.take_away(&to_delete, reason, None, now)?;
        Ok(to_delete.len())
    }

    /// Deletes the parts of the scope that are (`IN`), or are not (`NOT IN`), among these.
    fn delete_scope(&self, which: &str, keys: &[&str]) -> Result<()> {
        let keys = keys.iter().map(|key| format!("'{key}'")).collect::<Vec<_>>().join(", ");
        self.db.execute(&format!("DELETE FROM scope WHERE key {which} ({keys})"), [])?;
        Ok(())
    }

    fn wipe(&mut self, what: &Wipe, keep: &dyn Fn(Kind) -> bool, install: Option<&str>, now: Now) -> Result<()> {
        let kept: Vec<&str> = Kind::ALL.into_iter().filter(|kind| keep(*kind)).map(Kind::as_str).collect();
        let reason = what.reason();
        // A kind that cannot be read is in no list, so its rows are deleted.
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
        let mut ledger = LedgerChanges::default();
        for route in &self.memory.routes {
            self.count_as_lost(route, Some(&kinds), reason, &mut ledger)?;
        }
        ledger.write(self, now)?;
        for kind in &kinds {
            self.db.execute("DELETE FROM exception WHERE seq IN (SELECT seq FROM event WHERE kind = ?1)", [kind])?;
            let deleted = self.db.execute("DELETE FROM event WHERE kind = ?1", [kind])?;
            self.memory.rows_deleted(deleted);
        }
        self.forget_in_flight(&|seq| gone.contains(&seq))?;
        let denied = |purpose| match what {
            Wipe::All => true,
            Wipe::Purposes(denied) => denied.contains(&purpose),
        };
        if denied(Purpose::Monitoring) {
            self.db.execute("DELETE FROM crumb", [])?;
            self.delete_scope("IN", &Wipe::MONITORING_SCOPE)?;
        }
        if denied(Purpose::Analytics) {
            self.db.execute("DELETE FROM property", [])?;
        }
        if Purpose::ALL.into_iter().all(denied) {
            self.delete_scope("NOT IN", &Wipe::KEPT_SCOPE)?;
        }
        if *what == Wipe::All {
            self.db.execute("DELETE FROM receipt", [])?;
        }
        self.db.execute("DELETE FROM carve", [])?;
        self.db.execute("UPDATE fold SET erase = 1", [])?;
        if let Some(install) = install {
            self.set_install(install)?;
        }
        let Memory { swept, aged, routes, .. } = &mut *self.memory;
        (*swept, *aged) = ([0; 4], [0; 4]);
        routes.iter_mut().for_each(|route| route.parked = None);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Bench, NOW, ROUTE, receipt};
    use super::super::{RowEnd, RowState};
    use super::*;

    const SECRET: &str = "secret-of-the-user";

    fn traces(bench: &Bench) -> usize {
        let mut found = 0;
        for entry in std::fs::read_dir(bench.folder.path()).unwrap() {
            let path = entry.unwrap().path();
            if path.is_file() && !path.ends_with("queue.db-shm") {
                let bytes = std::fs::read(&path).unwrap();
                found += bytes.windows(SECRET.len()).filter(|window| *window == SECRET.as_bytes()).count();
            }
        }
        found
    }

    fn filled() -> Bench {
        let mut bench = Bench::new();
        let json = format!("{{\"message\":\"{SECRET}\"}}");
        bench.add_for(&[Kind::Error, Kind::Analytics, Kind::Crash], &[], &json);
        bench.add_for(&[Kind::Metric; 50], &[], &json);
        let lease = bench.lease(20).unwrap();
        bench.settle(&lease, &RowEnd::Delivered);
        bench.store.checkpoint().unwrap();
        let mut fold = bench.store.begin(false, NOW).unwrap();
        fold.crumb(1, 1, &format!("\"{SECRET}\"")).unwrap();
        fold.scope("user", Some(&format!("\"{SECRET}\""))).unwrap();
        fold.property(SECRET, Some("1")).unwrap();
        fold.commit().unwrap();
        bench.add_for(&[Kind::Error, Kind::Analytics, Kind::Error, Kind::Session], &[], &json);
        assert!(traces(&bench) > 10);
        bench
    }

    #[test]
    fn after_a_wipe_no_byte_of_the_user_is_left_in_the_file_or_the_log() {
        let mut bench = filled();
        let left = bench.account(ROUTE).queued;
        assert!(bench.store.wipe(Wipe::All, &|_| false, Some("install-2"), NOW).unwrap());
        assert_eq!(traces(&bench), 0);
        bench.check();
        assert_eq!(bench.account(ROUTE).dropped["cleared_by_user"], left);
        assert_eq!(bench.account(ROUTE).delivered, 20);
        assert_eq!(bench.store.install(), "install-2");
        assert!(bench.seqs().is_empty() && bench.store.crumbs().unwrap().is_empty());
        assert!(bench.store.scope().unwrap().is_empty() && bench.store.properties().unwrap().is_empty());
        assert!(bench.store.fate(Bench::id(1)).unwrap().routes.is_empty());
        let mut bench = bench.crash();
        let new = bench.add(&[Kind::Error]);
        assert_eq!((bench.store.install(), bench.seqs()), ("install-2", new));
        bench.store.wipe(Wipe::All, &|_| false, None, NOW).unwrap();
        let vacuum: i64 = bench.store.db.query_row("PRAGMA auto_vacuum", [], |row| row.get(0)).unwrap();
        assert_eq!(vacuum, 2, "the file can still be shortened");
    }

    #[test]
    fn denying_a_purpose_deletes_only_what_no_other_purpose_needs() {
        let mut bench = filled();
        let keep = |kind: Kind| kind.purposes().contains(&Purpose::Monitoring);
        bench.store.wipe(Wipe::Purposes(vec![Purpose::Analytics]), &keep, None, NOW).unwrap();
        bench.check();
        assert_eq!(bench.account(ROUTE).dropped["consent"], 1);
        assert!(bench.store.properties().unwrap().is_empty());
        assert_eq!((bench.store.crumbs().unwrap().len(), bench.store.scope().unwrap().len()), (1, 1));
        let lease = bench.lease(100).unwrap();
        assert!(lease.rows.iter().all(|row| row.kind != Kind::Analytics));
        assert!(lease.rows.iter().any(|row| row.kind == Kind::Session), "wanted for monitoring as well");
        assert!(matches!(bench.store.fate(Bench::id(1)).unwrap().routes[0].state, RowState::Delivered { .. }));
    }

    #[test]
    fn a_wipe_during_a_read_erases_the_log_once_the_reader_has_closed_and_before_the_next_start_reads() {
        for restart in [false, true] {
            let mut bench = filled();
            let reader = super::super::schema::open_read_only(&bench.folder.path().join("queue.db"), false).unwrap();
            reader.execute_batch("BEGIN; SELECT count(*) FROM event").unwrap();
            assert!(!bench.store.wipe(Wipe::All, &|_| false, None, NOW).unwrap(), "the reader uses the log");
            assert!(traces(&bench) > 0);
            assert!(bench.store.must_erase_log().unwrap());
            let after = bench.add(&[Kind::Error]);
            if restart {
                drop(reader);
                bench = bench.crash();
                assert!(bench.store.must_erase_log().unwrap());
                assert!(bench.store.erase_log().unwrap());
            } else {
                assert!(!bench.store.erase_log().unwrap());
                drop(reader);
                assert!(bench.store.erase_log().unwrap());
            }
            assert_eq!((traces(&bench), bench.store.must_erase_log().unwrap()), (0, false));
            assert_eq!(bench.seqs(), after, "what came after the wipe stays");
            bench.check();
        }
    }

    #[test]
    fn settling_a_request_after_a_wipe_counts_only_the_remaining_rows() {
        let mut bench = Bench::new();
        let rows = bench.add(&[Kind::Error, Kind::Analytics]);
        let lease = bench.lease(10).unwrap();
        let keep = |kind: Kind| kind == Kind::Error;
        bench.store.wipe(Wipe::Purposes(vec![Purpose::Analytics]), &keep, None, NOW).unwrap();
        bench.check();
        let ends: Vec<_> = lease.rows.iter().map(|row| (row.seq, RowEnd::Delivered)).collect();
        bench.store.settle(ROUTE, &ends, &receipt(200), None, NOW).unwrap();
        bench.check();
        let account = bench.account(ROUTE);
        assert_eq!((account.delivered, account.dropped["consent"], account.queued), (1, 1, 0));
        assert!(!bench.seqs().contains(&rows[0]));
    }
}
