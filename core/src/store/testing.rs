//! A store in a temporary folder, with helpers for tests.

use super::*;
use crate::destination::Want;
use crate::id::EventId;
use crate::kind::Kind;
use crate::row::{Row, Run};

pub(super) const NOW: Now = Now { wall_ms: 1_795_000_000_000, mono_ms: 1_000_000 };

pub(super) const ROUTE: &str = "main/rez.batch";

pub(super) struct Bench {
    pub(super) folder: tempfile::TempDir,
    pub(super) store: Store,
    ids: u64,
}

pub(super) fn identity() -> Identity {
    Identity { install: "install-1".to_string(), epoch: 3, boot: "boot-1".to_string(), gone: Default::default() }
}

pub(super) fn receipt(status: u16) -> Receipt {
    Receipt { at_ms: NOW.wall_ms, status, batch_id: "batch".to_string(), note: "noted".to_string() }
}

/// Closes a store without a checkpoint, as a killed process does.
pub(super) fn die(store: Store) {
    store.db.set_db_config(rusqlite::config::DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true).unwrap();
}

pub(super) fn all(_: &str, _: &Row) -> bool {
    true
}

impl Bench {
    /// An empty store with one declared destination.
    pub(super) fn new() -> Bench {
        let mut bench = Bench::fresh();
        bench.store.declare("main", &["rez.batch"], From::Oldest, NOW).unwrap();
        bench
    }

    /// An empty store in which nothing was declared yet.
    pub(super) fn fresh() -> Bench {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path(), &identity(), Options::default()).unwrap();
        Bench { folder, store, ids: 0 }
    }

    /// Opens the file again after an end without a clean close.
    pub(super) fn crash(self) -> Bench {
        let Bench { folder, store, ids } = self;
        die(store);
        let store = Store::open(folder.path(), &identity(), Options::default()).unwrap();
        Bench { folder, store, ids }
    }

    /// Closes it cleanly, and opens it again.
    pub(super) fn close_and_open(self) -> Bench {
        let Bench { folder, store, ids } = self;
        store.close().unwrap();
        let store = Store::open(folder.path(), &identity(), Options::default()).unwrap();
        Bench { folder, store, ids }
    }

    pub(super) fn id(number: u64) -> EventId {
        EventId::from_bytes(u128::from(number).to_be_bytes())
    }

    /// Stores rows of these kinds and returns their numbers.
    pub(super) fn add(&mut self, kinds: &[Kind]) -> Vec<u64> {
        self.add_for(kinds, &[], "{}")
    }

    pub(super) fn add_for(&mut self, kinds: &[Kind], targets: &[String], json: &str) -> Vec<u64> {
        self.try_add(kinds, targets, json).unwrap()
    }

    pub(super) fn try_add(&mut self, kinds: &[Kind], targets: &[String], json: &str) -> Result<Vec<u64>> {
        let mut fold = self.store.begin(false, NOW)?;
        let run = fold.run(&Run { id: "run-1".to_string(), boot: "boot-1".to_string(), ..Run::default() })?;
        let mut seqs = Vec::new();
        for kind in kinds {
            self.ids += 1;
            fold.intake(Some(*kind), 1)?;
            seqs.push(fold.insert(&NewRow {
                id: Bench::id(self.ids),
                kind: *kind,
                run,
                wall_ms: NOW.wall_ms,
                mono_ms: NOW.mono_ms,
                targets,
                json,
                late: false,
            })?);
        }
        fold.set_position(
            FoldPosition { ticket: self.ids, ..FoldPosition::default() },
            "boot-1",
            NOW.wall_ms - NOW.mono_ms,
        )?;
        fold.commit()?;
        Ok(seqs)
    }

    pub(super) fn lease(&mut self, max_events: usize) -> Option<Lease> {
        self.lease_on(ROUTE, max_events, &mut |_| Want::Yes)
    }

    pub(super) fn lease_on(
        &mut self,
        route: &str,
        max_events: usize,
        wants: &mut dyn FnMut(&Row) -> Want,
    ) -> Option<Lease> {
        self.select(route, max_events, Selector::new(wants))
    }

    /// Leases while the route takes no rows of these kinds.
    pub(super) fn lease_without(&mut self, max_events: usize, closed: &[Kind]) -> Option<Lease> {
        let wants = &mut |row: &Row| if closed.contains(&row.kind) { Want::Later } else { Want::Yes };
        self.select(ROUTE, max_events, Selector { closed, ..Selector::new(wants) })
    }

    pub(super) fn select(&mut self, route: &str, max_events: usize, select: Selector<'_>) -> Option<Lease> {
        let limits = LeaseLimits { max_events, max_bytes: 1 << 20 };
        let id = format!("batch-{}", self.ids);
        let lease = self.store.lease(route, limits, 1, &|| id.clone(), select, NOW).unwrap();
        self.check();
        lease
    }

    /// Settles all rows of a lease with the same result.
    pub(super) fn settle(&mut self, lease: &Lease, end: &RowEnd) {
        let ends: Vec<(u64, RowEnd)> = lease.rows.iter().map(|row| (row.seq, end.clone())).collect();
        self.store.settle(ROUTE, &ends, &receipt(200), None, NOW).unwrap();
        self.check();
    }

    pub(super) fn seqs(&self) -> Vec<u64> {
        let mut select = self.store.db.prepare("SELECT seq FROM event ORDER BY seq").unwrap();
        let seqs = select.query_map([], |row| row.get::<_, i64>(0)).unwrap().map(|seq| seq.unwrap() as u64);
        seqs.collect()
    }

    pub(super) fn account(&self, route: &str) -> RouteBalance {
        let balance = self.store.balance().unwrap();
        balance.routes.into_iter().find(|account| account.route == route).unwrap()
    }

    pub(super) fn check(&self) {
        let balance = self.store.balance().unwrap();
        assert!(balance.holds(), "{balance:#?}");
    }
}

pub(super) fn seqs(lease: &Lease) -> Vec<u64> {
    lease.rows.iter().map(|row| row.seq).collect()
}

/// Counts the virtual machine steps of SQLite from now on: a measure of the work that does not depend on the
/// machine. The second value returns the count and stops counting.
pub(super) fn count_steps(store: &mut Store) -> (&mut Store, impl FnOnce() -> u64 + use<>) {
    use std::os::raw::{c_int, c_void};
    unsafe extern "C" fn step(count: *mut c_void) -> c_int {
        // SAFETY: `count` is the counter below, which outlives the handler.
        unsafe { *count.cast::<u64>() += 1 };
        0
    }
    let counter = Box::into_raw(Box::new(0u64));
    // SAFETY: the handle is open, and the store is used by this thread only.
    let handle = unsafe { store.db.handle() };
    // SAFETY: `step` and `counter` stay valid until the handler is removed below.
    unsafe { rusqlite::ffi::sqlite3_progress_handler(handle, 1, Some(step), counter.cast()) };
    let end = move || {
        // SAFETY: the connection is still open; nothing uses the counter after the handler is removed.
        unsafe {
            rusqlite::ffi::sqlite3_progress_handler(handle, 0, None, std::ptr::null_mut());
            *Box::from_raw(counter)
        }
    };
    (store, end)
}
