//! What the writer does when the disk is full.

use super::Writer;
use super::shared::StoreState;
use crate::store::StoreError;
use std::time::{Duration, Instant};

/// Tries of one batch on a full disk before the writer pauses.
const FULL_TRIES: u32 = 3;

/// Bytes of a step on a full disk besides the batch: a lease, a settlement, the books.
const FULL_STEP_BYTES: usize = 64 * 1024;

/// Pause between tries on a full disk.
const FULL_PAUSE: Duration = Duration::from_secs(5);

impl Writer {
    /// The disk is full: the ballast goes, then the least important rows. `true` = there is room again.
    pub(super) fn make_room(&mut self) -> bool {
        let directory = self.shared.delivery.get().map(crate::delivery::DeliveryHandle::directory);
        let now = self.shared.now();
        // Indexes, tallies and page ends come on top of the rows.
        let need = self.pending.as_ref().map_or(0, |batch| batch.bytes + batch.bytes / 4) + FULL_STEP_BYTES;
        let Some(store) = &mut self.store else { return false };
        let wants = |route: &str, row: &crate::row::Row| directory.as_ref().is_none_or(|d| d.wants(route, row));
        self.tries += 1;
        match store.free_space_for(need, &wants, now) {
            // Room for a probe, yet not for the batch: not in a circle at full speed.
            Ok(()) if self.tries > FULL_TRIES => {
                self.pause("the disk is full".into());
                false
            }
            Ok(()) => {
                self.mark_settled();
                self.full_until = None;
                self.shared.set_state(StoreState::Ready);
                true
            }
            Err(StoreError::Corrupt(_)) => self.quarantine(),
            Err(error) => {
                self.pause(error.to_string());
                false
            }
        }
    }

    /// The store stays open, for the delivery can deliver rows and so make room; folding is tried again a little later.
    fn pause(&mut self, why: String) {
        self.tries = 0;
        self.shared.set_state(StoreState::Unavailable(why));
        self.full_until = Some(Instant::now() + FULL_PAUSE);
    }
}
