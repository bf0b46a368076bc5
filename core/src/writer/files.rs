//! The store's files: opening and quarantine.

use super::Writer;
use super::batch::Batch;
use super::shared::{Role, StoreState};
use super::stamp::Stamper;
use super::store_access::StoreAccess;
use crate::delivery::{Delivery, ForDelivery, Options};
use crate::id::IdKey;
use crate::inspect::Recent;
use crate::limits;
use crate::logger::LogCode;
use crate::ring::crash_loop::Step;
use crate::ring::superblock::Superblock;
use crate::store::{Gone, Identity, Store, StoreError, repair};
use crate::sys::fault;
use crate::sys::ids::Fresh;
use crate::transport::{Faulty, Transport};
use std::sync::Arc;
use std::time::Instant;

/// Hash of a boot id, for the ring's header.
pub(crate) fn boot_hash(boot: &str) -> u64 {
    (u64::from(crc32fast::hash(boot.as_bytes())) << 32) | (boot.len() as u64 + 1)
}

impl Writer {
    /// Opens the store and starts what depends on it.
    pub(super) fn open(&mut self) {
        if self.store.is_some() || self.suspended {
            return;
        }
        if !self.shared.ring.has_file() && self.take_folder().is_none() {
            return self.give_up_for_now("the folder cannot be used".into());
        }
        if let Err(message) = self.return_to_folder() {
            return self.give_up_for_now(message);
        }
        if self.first_fold {
            if !self.check_crash_loop() {
                return;
            }
            self.shared.ring.enter(Step::Open);
            fault::point("queue_opening");
        }
        let superblock = self.shared.ring.superblock();
        let known = (superblock.install != [0; 16]).then(|| uuid::Uuid::from_bytes(superblock.install).to_string());
        let install = known.unwrap_or_else(|| self.shared.config.ids.uuid(Fresh::Install));
        let (in_flight, now) = (self.left_in_flight, self.shared.now());
        let gone = |rows| Gone { rows: u64::from(rows), in_flight, now };
        let identity = Identity {
            install,
            epoch: superblock.epoch.saturating_add(1).max(1),
            boot: self.shared.boot.clone(),
            gone: gone(self.without_moved_rows(superblock.clone()).rows),
        };
        let options = crate::store::Options {
            cap_bytes: self.shared.config.cap_bytes,
            max_age: self.shared.config.max_age,
            max_age_crash: limits::MAX_AGE_CRASH.max(self.shared.config.max_age),
        };
        let folder = &self.shared.folder;
        let opened = Store::open(folder, &identity, options).and_then(|mut store| {
            if store.is_new() {
                // Counted; an attempt after this one finds a file that is not new.
                (self.left_behind, self.left_in_flight) = (0, 0);
            }
            if store.must_erase_log()? {
                let erased = store.erase_log()?;
                self.log_erased(erased);
            }
            if store.epoch() < superblock.epoch || self.history_was_cut(&store) {
                store.raise_epoch(superblock.epoch.max(store.epoch()).saturating_add(1))?;
            }
            let (stamper, run) = match &self.run_row {
                // Opened again in this run. A new file needs the state in memory too: its rows belong to this run, and
                // the next start closes its session.
                Some(row) => {
                    let mut fold = store.begin(true, self.shared.now())?;
                    let number = fold.run(row)?;
                    self.stamper.write(&mut fold, number)?;
                    fold.commit()?;
                    (None, Some(crate::row::Run { number, ..row.clone() }))
                }
                None => {
                    self.shared.ring.enter(Step::Load);
                    fault::point("queue_loading");
                    if matches!(self.shared.role, Role::App) {
                        let declared = &self.shared.config.destinations;
                        let declared: Vec<&str> = declared.iter().map(|(name, _)| name.as_str()).collect();
                        store.retire_all_but(&declared, self.shared.now())?;
                    }
                    (Some(Stamper::load(&store, &self.shared.config)?), store.runs()?.pop())
                }
            };
            if self.left_behind > 0 && !store.is_new() {
                // The file with these rows is in a folder that was moved away.
                let mut fold = store.begin(true, now)?;
                fold.count_gone(gone(self.left_behind))?;
                fold.commit()?;
            }
            (self.left_behind, self.left_in_flight) = (0, 0);
            let gate = store.gate()?;
            self.reported.restoring(&self.shared, || self.shared.ring.restore_refusals(&gate));
            let noted = store.count_rows().and_then(|()| self.shared.write_superblock(&store));
            match noted {
                // Damage is repaired.
                Err(error @ (StoreError::Corrupt(_) | StoreError::OtherFormat(_))) => return Err(error),
                // What cannot be read now ends no start: the last note stays, and is that of this file.
                Err(_) => self.shared.ring.change_superblock(|state| state.superblock.epoch = store.epoch()),
                Ok(()) => {}
            }
            let shared = Arc::clone(&self.shared);
            // If the store cannot be read, its next user reports the error.
            store.on_settle(Box::new(move |store| drop(shared.write_superblock(store))));
            Ok((store, stamper, run))
        });
        match opened {
            Ok((store, stamper, run)) => {
                self.store = Some(store);
                if let Some(stamper) = stamper {
                    // It was decided with the state that an earlier attempt loaded; the ring still has its records.
                    self.pending = None;
                    self.stamper = stamper;
                    self.adopt_run(&superblock);
                }
                self.run = run.as_ref().map_or(0, |run| run.number);
                self.keep_recent();
                self.run_row = run;
                self.shared.set_state(StoreState::Ready);
                self.report_folder();
                self.find_carving();
                if self.shared.delivery.get().is_some() {
                    self.start_delivery();
                }
            }
            Err(error) => {
                self.shared.ring.leave();
                self.failed(&error);
                if self.store.is_none() && self.reopen_at.is_none() {
                    self.give_up_for_now(error.to_string());
                }
            }
        }
    }

    /// What was stored lately stays in a file while inspection is on.
    fn keep_recent(&self) {
        let shared = &self.shared;
        // The app's own engine keeps the file of the folder that this one only folds.
        if matches!(shared.role, Role::Predecessor) {
            return;
        }
        if !shared.config.inspects() || shared.ring.superblock().wipes.next().is_some() {
            Recent::discard(&shared.folder);
        }
        if shared.config.inspects() {
            shared.recent.keep_in(&shared.folder);
        }
    }

    /// Takes the run of the waiting records from the superblock if the database was lost or reverted by a power failure and
    /// does not have that run, or not its last change.
    fn adopt_run(&mut self, superblock: &Superblock) {
        self.adopted.clear();
        let (Some(store), Some(run)) = (&self.store, &superblock.run) else { return };
        let folded = store.fold_position();
        let ahead = folded.generation == superblock.fold_generation && folded.ticket >= superblock.fold_ticket;
        if ahead || superblock.fold_generation != self.shared.ring.generation() {
            return;
        }
        let Ok(row) = serde_json::from_str(&run.json) else { return };
        let known = self.stamper.key.is_some_and(|key| key.to_bytes() == run.key);
        let mut batch = Batch::default();
        match known {
            true if self.stamper.has_read(&row) => {}
            true => self.stamper.continue_run(row, &mut batch),
            false => self.stamper.begin_run(row, Some(IdKey::from_bytes(run.key)), 0, &mut batch),
        }
        self.adopted = batch.ops;
    }

    /// Whether the last run was in another boot and did not close cleanly: commits that were not synced may be lost.
    fn history_was_cut(&self, store: &Store) -> bool {
        let (boot, clean) = store.boot_seen();
        !clean && !boot.is_empty() && boot != self.shared.boot
    }

    /// Whether the store can be used and the delivery thread was not started yet.
    pub(super) fn is_unserved(&self) -> bool {
        self.store.is_some() && self.shared.delivery.get().is_none() && !matches!(self.shared.role, Role::Predecessor)
    }

    /// Starts the delivery thread after the first fold, so that it knows what the records of an earlier run paused.
    pub(super) fn start_first_delivery(&mut self) {
        if self.is_unserved() {
            self.start_delivery();
            self.report_notes();
            if !self.first_fold {
                self.adopt_orphans();
            }
        }
    }

    fn start_delivery(&mut self) {
        if matches!(self.shared.role, Role::Predecessor) {
            return;
        }
        if let Some(delivery) = self.shared.delivery.get() {
            return delivery.store_back();
        }
        let transport = self.shared.config.transport.clone().or_else(default_transport);
        let Some(transport) = transport else {
            return self.log().say(LogCode::NoTransport, "", || "there is no HTTP client, so nothing is sent".into());
        };
        let may_fail = self.shared.config.inspects() || !matches!(self.shared.role, Role::App);
        let transport: Arc<dyn Transport> = match may_fail {
            true => Arc::new(Faulty::new(transport, self.shared.config.faults.clone())),
            false => transport,
        };
        let options = Options {
            boot: self.shared.boot.clone(),
            key: self.shared.key,
            clock: self.shared.clock.clone(),
            foreground: true,
            pace: self.shared.config.pace,
            log: self.shared.config.log.clone(),
        };
        let Ok(delivery) = Delivery::start(Arc::new(StoreAccess::new(&self.shared)), transport, options) else {
            return;
        };
        if matches!(self.shared.role, Role::App) {
            self.shared.set_paused(self.stamper.paused());
        }
        // Before the destinations: nothing is sent to one that an earlier run paused.
        self.shared.paused().iter().for_each(|name| delivery.pause(name, true));
        delivery.add(self.shared.config.destinations.clone(), crate::store::From::Oldest);
        std::mem::take(&mut self.for_delivery).into_iter().for_each(|request| (request.work)(&delivery));
        let _ = self.shared.delivery.set(delivery);
    }

    /// Keeps a request until delivery is started: by an engine that is suspended, or when its folder can be used.
    pub(super) fn keep_for_delivery(&mut self, request: ForDelivery) {
        self.for_delivery.retain(|known| known.about != request.about);
        if self.for_delivery.len() < limits::FOR_DELIVERY {
            self.for_delivery.push(request);
        }
    }

    /// Opens the queue again if one of its files was unlinked or replaced under the open connection, or the log's index was
    /// cut short. A deleted `queue.db` is restored from the connection. If that is impossible, `open` counts its rows.
    pub(super) fn keep_store_in_place(&mut self) {
        let Some(store) = &self.store else { return };
        let (whole, log_in_place) = (store.is_index_whole(), store.is_log_in_place());
        fault::point("store_checked");
        // Last, so that a folder that is moved between the checks is not taken for a queue without an index.
        let in_place = store.is_in_place();
        if in_place && whole && log_in_place {
            return;
        }
        let moved = !in_place && !self.shared.folder_is_in_place();
        let restored = !in_place && !moved && store.copy_deleted_file().is_ok();
        if !restored {
            // The queue may be gone by the time it is opened again, and a lease may have passed rows since the last settlement.
            self.left_in_flight = store.rows_in_flight();
            if whole || !in_place {
                self.mark_settled();
            }
        }
        match self.store.take() {
            // Whoever finds the moved folder finds a whole queue in it.
            Some(store) if moved => drop(store.close()),
            Some(store) if restored || (in_place && !whole) => store.abandon(),
            store => drop(store),
        }
        self.carving = None;
        self.open();
        if !in_place && !restored {
            self.report_replaced_store();
        }
    }

    /// Quarantines a damaged file and opens a new one in a new epoch; the damaged one is carved in the background.
    /// Returns whether the store is open.
    pub(super) fn quarantine(&mut self) -> bool {
        self.store = None;
        self.carving = None;
        // Rows that are carved get other numbers.
        self.shared.recent.forget();
        Recent::discard(&self.shared.folder);
        let (folder, now) = (self.shared.folder.clone(), self.shared.now());
        if repair::quarantines_lately(&folder, now) >= limits::QUARANTINES {
            self.give_up_for_now(
                "queue.db was damaged more than 3 times in 7 days: this run keeps its events in the ring".into(),
            );
            return false;
        }
        let superblock = self.without_moved_rows(self.shared.ring.superblock());
        if let Err(error) = repair::quarantine(&folder, &superblock.to_bytes(), now) {
            self.give_up_for_now(error.to_string());
            return false;
        }
        self.sync_at = None;
        // From here on the superblock describes the new file.
        self.shared.ring.change_superblock(|state| state.superblock.rows = 0);
        // The pending batch stays and is committed to the new file.
        self.log()
            .say(LogCode::Quarantined, "", || "queue.db was damaged and moved into the folder `quarantine`".into());
        self.open();
        self.report_replaced_store();
        self.store.is_some()
    }

    fn report_replaced_store(&self) {
        if let (Some(store), Some(delivery)) = (&self.store, self.shared.delivery.get()) {
            delivery.store_replaced(store.serial());
        }
    }

    /// Closes the store and tries again after a minute, in test mode after a second. Until then events stay in the ring, as long as it has space.
    pub(super) fn give_up_for_now(&mut self, why: String) {
        self.store = None;
        // The next open resumes the carve; without a store it would only keep the thread awake.
        self.carving = None;
        self.sync_at = None;
        self.reopen_at = Some(Instant::now() + self.shared.config.pace.wait(limits::REOPEN_INTERVAL));
        let state = StoreState::Unavailable(why);
        self.log().say(LogCode::StoreUnavailable, "", || state.text());
        self.shared.set_state(state);
    }
}

#[cfg(feature = "transport-reqwest")]
fn default_transport() -> Option<Arc<dyn crate::transport::Transport>> {
    Some(Arc::new(crate::transport::Reqwest::new()))
}

#[cfg(not(feature = "transport-reqwest"))]
fn default_transport() -> Option<Arc<dyn crate::transport::Transport>> {
    None
}
