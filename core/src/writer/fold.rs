//! The fold: copies the ring into the store, one transaction per batch with the fold position inside it.

use super::Writer;
use super::batch::{Batch, Op};
use super::schedule::TIDY_WAIT;
use super::shared::StoreState;
use crate::kind::Kind;
use crate::limits;
use crate::ring::crash_loop::Step;
use crate::ring::reserve;
use crate::ring::superblock::CurrentRun;
use crate::store::{Store, StoreError};
use crate::sys::fault;
use std::time::Instant;

impl Writer {
    pub(super) fn can_fold(&self) -> bool {
        let paused = self.full_until.is_some_and(|until| until > Instant::now());
        self.store.is_some() && !self.suspended && !paused
    }

    /// Position after the last record read.
    pub(super) fn position(&self) -> u64 {
        self.pending.as_ref().map_or_else(|| self.shared.ring.tail(), |batch| batch.end)
    }

    /// Folds everything in the ring, and runs each requested wipe at its ticket. Under continuous recording that may never end, so
    /// a command that waits ends it once what was there at the start is folded.
    pub(super) fn fold(&mut self) {
        self.fold_while(|writer| !writer.shared.has_commands());
    }

    /// Folds what is in the ring now.
    pub(super) fn fold_present(&mut self) {
        self.fold_while(|_| false);
    }

    fn fold_while(&mut self, goes_on: impl Fn(&Writer) -> bool) {
        self.keep_store_in_place();
        self.keep_ring_intact();
        let present = self.shared.ring.head();
        let mut folded = false;
        while self.can_fold() {
            if self.pending.is_none() {
                if folded && self.position() >= present && !goes_on(self) {
                    break;
                }
                match self.read() {
                    Some(batch) => self.pending = Some(batch),
                    None if self.wipe_due() => continue,
                    None => break,
                }
            }
            let wipe = self.pending.as_ref().and_then(|batch| batch.wipe.filter(|_| batch.wipe_next));
            if !self.commit() || wipe.is_some_and(|wipe| !self.erase(wipe)) {
                break;
            }
            folded = true;
        }
    }

    /// Runs the next wipe once everything before it is folded. `true` = there may be more to do.
    fn wipe_due(&mut self) -> bool {
        let superblock = self.shared.ring.superblock();
        let Some(wipe) = superblock.wipes.next() else { return false };
        if wipe.ticket > superblock.fold_ticket && self.shared.ring.tail() != self.shared.ring.published() {
            // Records up to its ticket arrived after the last read.
            return true;
        }
        // Every record up to its ticket is stored or counted, and none after it was read.
        self.erase(wipe)
    }

    /// Commits the pending batch. `false` = it must wait.
    pub(super) fn commit(&mut self) -> bool {
        let Some(mut batch) = self.pending.take() else { return true };
        let Some(store) = &mut self.store else {
            self.pending = Some(batch);
            return false;
        };
        let asked_full = batch.critical;
        let lately = self.last_critical_sync.is_some_and(|at| at.elapsed() < limits::CRITICAL_SYNC_INTERVAL);
        let crash = batch.ops.iter().any(|op| matches!(op, Op::Row { kind: Kind::Crash, .. }));
        batch.critical = asked_full && (!lately || crash);
        let now = self.shared.now();
        let gate = self.shared.ring.refusals();
        if self.first_fold {
            self.shared.ring.enter(Step::Commit);
        }
        match batch.commit(store, self.run, &self.shared.boot, &gate, now) {
            Ok(stored) => {
                self.run = stored.run;
                if self.shared.config.inspects() {
                    self.shared.recent.add(batch.stored_rows(&stored));
                    if !stored.amended.is_empty() {
                        self.shared.recent.replace(&stored.amended);
                    }
                }
                self.stored_refusals = gate;
                self.tries = 0;
                if let Some(Op::Run(row)) = batch.ops.iter().rev().find(|op| matches!(op, Op::Run(_))) {
                    self.run_row = Some((**row).clone());
                }
                self.committed(&batch, asked_full);
                true
            }
            Err(error) => {
                // It has ended with an error, so it does not kill: whoever waits may die as soon as it is told.
                self.shared.ring.leave();
                batch.critical = asked_full;
                self.pending = Some(batch);
                self.failed(&error)
            }
        }
    }

    /// Stores the refusals that were counted after the last fold, so that the next report of losses includes them.
    pub(super) fn store_refusals(&mut self) {
        let Some(folded) = self.store.as_ref().map(Store::fold_position) else { return };
        let known = folded.generation == self.shared.ring.generation() && !self.first_fold;
        if !known || self.pending.is_some() || self.stored_refusals == self.shared.ring.refusals() {
            return;
        }
        self.pending = Some(Batch { end: self.shared.ring.tail(), folded, ..Batch::default() });
        self.commit();
    }

    /// After the commit: updates the superblock, frees the ring, wakes the delivery thread.
    fn committed(&mut self, batch: &Batch, asked_full: bool) {
        self.report_batch(batch);
        if let Some(carving) = &mut self.carving {
            carving.skip_ids_of(batch);
        }
        let ring = &self.shared.ring;
        let folded = batch.folded;
        let run = batch.ops.iter().any(|op| matches!(op, Op::Run(_))).then(|| self.current_run()).flatten();
        ring.change_superblock(|state| {
            state.superblock.run = run.or(state.superblock.run.take());
            state.superblock.fold_generation = folded.generation;
            state.superblock.fold_ticket = folded.ticket;
            state.superblock.fold_total = folded.total;
            state.superblock.rows = state.superblock.rows.saturating_add(batch.row_count());
        });
        if batch.ops.iter().any(|op| matches!(op, Op::Drop(..)))
            && let Some(store) = &self.store
        {
            // If the store cannot be read, its next user reports the error.
            let _ = self.shared.write_losses(store);
        }
        fault::point("superblock_written");
        ring.free(batch.end);
        ring.place_held();
        let map = ring.map();
        if reserve::read(&map).is_some_and(|crash| crash.generation <= folded.reserve_generation) {
            fault::point("reserve_folded");
            reserve::free(&map);
        }
        if std::mem::take(&mut self.first_fold) {
            ring.started();
            self.adopt_orphans();
        }
        let now = Instant::now();
        if batch.critical {
            self.last_critical_sync = Some(now);
        }
        let wait = if asked_full && !batch.critical { limits::CRITICAL_SYNC_INTERVAL } else { limits::SYNC_INTERVAL };
        let at = now + wait;
        self.sync_at = Some(self.sync_at.map_or(at, |before| before.min(at)));
        self.maintenance_at.get_or_insert(now + self.maintenance_wait());
        self.tidy_at = Some(now + TIDY_WAIT);
        let cap = self.shared.config.cap_bytes;
        if self.store.as_ref().and_then(|store| store.used_bytes().ok()).is_some_and(|used| used > cap) {
            self.evict();
        }
        if let Some(delivery) = self.shared.delivery.get() {
            delivery.wake(batch.rows());
        }
        if self.shared.state() != StoreState::Ready {
            self.shared.set_state(StoreState::Ready);
        }
        if self.store.as_ref().is_some_and(Store::must_checkpoint) {
            // The log must not grow into blocks that a full disk does not have.
            self.sync();
        }
        self.account_for_earlier_runs();
    }

    /// The run of the records to fold next.
    fn current_run(&self) -> Option<CurrentRun> {
        Some(CurrentRun::new(self.stamper.key?.to_bytes(), self.run_row.as_ref()?))
    }

    /// Handles a failure of the store. `true` = try again at once.
    pub(super) fn failed(&mut self, error: &StoreError) -> bool {
        if self.store.as_ref().is_some_and(|store| !store.is_in_place() || !store.is_index_whole()) {
            // Whatever the error is, it may come from the lost file or the log's index, not from the disk or the content.
            self.keep_store_in_place();
            return self.store.is_some();
        }
        match error {
            StoreError::Full(_) => self.make_room(),
            StoreError::Held(_) => {
                self.log_held = true;
                self.pause(error.to_string());
                false
            }
            StoreError::Corrupt(_) | StoreError::OtherFormat(_) => self.quarantine(),
            StoreError::Unavailable(_) | StoreError::Newer(_) => {
                self.give_up_for_now(error.to_string());
                false
            }
        }
    }
}
