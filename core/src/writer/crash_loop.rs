//! What a start does when earlier starts died in the engine: see [`crate::ring::crash_loop`] for how it knows.

use super::Writer;
use super::shared::StoreState;
use crate::ring::crash_loop::{Deaths, Step};
use crate::store::repair;

/// Runs in a row that must have died in one step of their start before it is taken for the cause.
const DEATHS: u64 = 3;

impl Writer {
    /// Three runs in a row died over the queue, in the same step of their start: it is put aside (and carved); three more,
    /// and this run does nothing. A record they died over is skipped instead, see [`Writer::is_deadly`].
    pub(super) fn guarded(&mut self) -> bool {
        let runs = match self.shared.found.deaths {
            Some(Deaths { step: Step::Open | Step::Load | Step::Commit, runs }) => runs,
            _ => return true,
        };
        if runs >= 2 * DEATHS {
            // This run only: the next one tries again, and two more deaths lead back here.
            self.shared.ring.set_deaths(2 * DEATHS - 2);
            self.shared.set_state(StoreState::Unavailable(
                "six starts in a row died over the queue: this run does nothing".into(),
            ));
            return false;
        }
        if runs == DEATHS && !std::mem::replace(&mut self.guard_done, true) {
            let superblock = self.shared.ring.superblock().to_bytes();
            // If this fails too, the start goes on with the files as they are.
            if repair::quarantine(&self.shared.folder, &superblock, self.shared.now()).is_ok() {
                self.shared.ring.change_superblock(|state| state.superblock.rows = 0);
            }
        }
        true
    }

    /// Whether three runs in a row died while they read this record: it is left out and counted.
    pub(super) fn is_deadly(&self, ticket: u64) -> bool {
        let deaths = self.shared.found.deaths;
        deaths.is_some_and(|deaths| deaths.step == Step::Record(ticket) && deaths.runs >= DEATHS)
    }
}
