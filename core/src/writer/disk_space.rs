//! What the writer does when the disk is full, or when a reader keeps the log from being restarted.

use super::Writer;
use super::shared::StoreState;
use crate::logger::LogCode;
use crate::store::StoreError;
use std::time::{Duration, Instant};

/// Tries of one transaction on a full disk before the writer pauses.
const FULL_TRIES: u32 = 4;

/// Bytes of a transaction besides the batch: a lease, a settlement, the counts.
const FULL_STEP_BYTES: usize = 16 * 1024;

/// Pause between tries on a full disk.
const FULL_PAUSE: Duration = Duration::from_secs(1);

/// Lanes that are given up first.
const LESS_IMPORTANT: [usize; 2] = [3, 2];

/// Errors: given up only when nothing else is left. Crashes (lane 0) are never given up.
const ERRORS: [usize; 1] = [1];

impl Writer {
    /// A transaction found no room: gives up the least important rows. `true` = try the transaction again.
    pub(super) fn make_room(&mut self) -> bool {
        self.tries += 1;
        if self.tries > FULL_TRIES {
            self.pause("the disk is full; free some space".into());
            return false;
        }
        // The queue needs the space more than the inspector.
        if self.shared.recent.give_up_file() {
            self.full_until = None;
            return true;
        }
        match self.give_up_rows() {
            Ok(true) => {
                self.mark_settled();
                self.full_until = None;
                self.shared.set_state(StoreState::Ready);
                true
            }
            Ok(false) => {
                self.pause(
                    "the disk is full, and the rows that are left are crashes or being sent now; free some space"
                        .into(),
                );
                false
            }
            Err(StoreError::Corrupt(_) | StoreError::OtherFormat(_)) => self.quarantine(),
            Err(error) => {
                self.pause(error.to_string());
                false
            }
        }
    }

    /// `false` = there is nothing left that may be given up.
    fn give_up_rows(&mut self) -> Result<bool, StoreError> {
        if self.give_up(&LESS_IMPORTANT)? {
            return Ok(true);
        }
        // No stored row is less important than what waits to be stored.
        if let Some(batch) = &mut self.pending
            && batch.give_up_less_important()
        {
            return Ok(true);
        }
        self.give_up(&ERRORS)
    }

    fn give_up(&mut self, lanes: &[usize]) -> Result<bool, StoreError> {
        let wants = self.shared.wants();
        let now = self.shared.now();
        // More with each try: how many pages a transaction needs is an estimate.
        let bytes = self.pending.as_ref().map_or(0, |batch| batch.bytes_since(0));
        let need = (bytes + FULL_STEP_BYTES) * self.tries as usize;
        let Some(store) = &mut self.store else { return Ok(false) };
        store.make_room(need, lanes, &wants, now)
    }

    /// Checks whether the reader that held the log has ended. If so, storing and delivering go on.
    pub(super) fn check_held_log(&mut self) {
        let Some(store) = &mut self.store else { return };
        match store.is_log_held() {
            Ok(true) => self.full_until = Some(Instant::now() + FULL_PAUSE),
            Ok(false) => {
                (self.log_held, self.full_until) = (false, None);
                self.shared.set_state(StoreState::Ready);
                if let Some(delivery) = self.shared.delivery.get() {
                    delivery.store_back();
                }
            }
            Err(error) => {
                self.log_held = false;
                self.failed(&error);
            }
        }
    }

    /// The store stays open: the delivery thread can settle rows, which frees space. Folding is tried again a little later.
    pub(super) fn pause(&mut self, why: String) {
        self.tries = 0;
        self.log().say(LogCode::DiskFull, "", || why.clone());
        self.shared.set_state(StoreState::Unavailable(why));
        self.full_until = Some(Instant::now() + FULL_PAUSE);
    }
}
