//! The delivery thread's access to the store: the writer runs all of its work.

use super::shared::{Command, Shared};
use crate::delivery::WriterAccess;
use crate::destination::Granted;
use crate::ring::losses::UnreportedLoss;
use crate::store::{Now, Store, StoreError};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Implements the delivery thread's [`WriterAccess`] on the writer.
pub(crate) struct StoreAccess {
    shared: Arc<Shared>,
    /// Serial number of the store that ran the last work.
    serial: Arc<AtomicU64>,
}

impl StoreAccess {
    pub(crate) fn new(shared: &Arc<Shared>) -> StoreAccess {
        StoreAccess { shared: Arc::clone(shared), serial: Arc::default() }
    }
}

impl WriterAccess for StoreAccess {
    fn with_store<R: Send + 'static>(&self, work: impl FnOnce(&mut Store, Now) -> R + Send + 'static) -> Option<R> {
        let serial = Arc::clone(&self.serial);
        self.shared.run_within(None, move |store, now| {
            serial.store(store.serial(), Ordering::Relaxed);
            work(store, now)
        })
    }

    fn granted(&self) -> Granted {
        let consent = self.shared.ring.consent();
        Granted { monitoring: consent[0] == 2, analytics: consent[1] == 2 }
    }

    fn denied(&self) -> Granted {
        let consent = self.shared.ring.consent();
        Granted { monitoring: consent[0] == 3, analytics: consent[1] == 3 }
    }

    fn write_superblock(&self) {
        let shared = Arc::clone(&self.shared);
        // If the store cannot be read, the next work on it reports the error.
        let _ = self.with_store(move |store, _| shared.write_superblock(store).is_ok());
    }

    fn old_losses(&self, route: u64, epoch: u64) -> Vec<UnreportedLoss> {
        let losses = self.shared.ring.superblock().losses;
        losses.into_iter().filter(|mark| mark.route == route && mark.epoch < epoch).collect()
    }

    fn old_losses_reported(&self, route: u64, epoch: u64) {
        self.shared.ring.change_superblock(|state| {
            state.superblock.losses.retain(|mark| mark.route != route || mark.epoch != epoch);
        });
    }

    fn store_failed(&self, error: &StoreError) {
        self.shared.command(Command::Failed(error.clone(), self.serial.load(Ordering::Relaxed)));
    }
}
