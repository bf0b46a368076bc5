//! What a start does if earlier starts died in the engine. [`crate::ring::crash_loop`] detects it.

use super::Writer;
use super::shared::StoreState;
use crate::ring::crash_loop::{Deaths, Step};
use crate::store::repair;

/// Consecutive runs that must have died in one step of their start before that step counts as the cause.
const DEATHS: u64 = 3;

impl Writer {
    /// Quarantines the queue after three consecutive runs died in the same step of their start. After three more,
    /// returns `false`: this run does not open the queue. If they died over a record, that record is skipped instead,
    /// see [`Writer::is_deadly`].
    pub(super) fn check_crash_loop(&mut self) -> bool {
        let runs = match self.shared.found.deaths {
            Some(Deaths { step: Step::Open | Step::Load | Step::Commit, runs }) => runs,
            _ => return true,
        };
        if runs >= 2 * DEATHS {
            // Only this run: the next one tries again, and two more deaths lead to this branch.
            self.shared.ring.set_deaths(2 * DEATHS - 2);
            self.shared.set_state(StoreState::Unavailable(
                "the last six starts died while opening the queue: it is not opened in this run".into(),
            ));
            return false;
        }
        if runs == DEATHS && !std::mem::replace(&mut self.crash_loop_handled, true) {
            let superblock = self.shared.ring.superblock().to_bytes();
            // If this fails, the start continues with the files as they are.
            if repair::quarantine(&self.shared.folder, &superblock, self.shared.now()).is_ok() {
                self.shared.ring.change_superblock(|state| state.superblock.rows = 0);
            }
        }
        true
    }

    /// Whether three consecutive runs died while reading this record. It is skipped and counted.
    pub(super) fn is_deadly(&self, ticket: u64) -> bool {
        let deaths = self.shared.found.deaths;
        deaths.is_some_and(|deaths| deaths.step == Step::Record(ticket) && deaths.runs >= DEATHS)
    }
}
