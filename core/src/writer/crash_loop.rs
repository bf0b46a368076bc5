//! What a start does if earlier starts failed in the engine. [`crate::ring::crash_loop`] detects it.

use super::Writer;
use super::shared::StoreState;
use crate::logger::LogCode;
use crate::ring::crash_loop::{FailedStarts, Step};
use crate::ring::superblock::Superblock;
use crate::store::repair;

/// Consecutive runs that must have ended in one step of their start before that step counts as the cause.
const FAILED_STARTS: u64 = 3;

impl Writer {
    /// Quarantines the queue after three consecutive runs ended in the same step of their start. After three more,
    /// returns `false`: this run does not open the queue. If they ended while reading a record, that record is skipped instead,
    /// see [`Writer::is_deadly`].
    pub(super) fn check_crash_loop(&mut self) -> bool {
        let runs = match self.shared.found.failed_starts {
            Some(FailedStarts { step: Step::Open | Step::Load | Step::Commit, runs }) => runs,
            _ => return true,
        };
        if runs > 2 * FAILED_STARTS {
            // Only this run: the next one tries again, and two more failed starts lead to this branch.
            self.shared.ring.set_failed_starts(2 * FAILED_STARTS - 1);
            let why = "the last six starts died while opening the queue: it is not opened in this run";
            self.log().say(LogCode::CrashLoop, "", || why.into());
            self.shared.set_state(StoreState::Unavailable(why.into()));
            return false;
        }
        if runs == FAILED_STARTS && !std::mem::replace(&mut self.crash_loop_handled, true) {
            let superblock = self.without_moved_rows(self.shared.ring.superblock()).to_bytes();
            let moved = repair::quarantine(&self.shared.folder, &superblock, self.shared.now()).is_ok();
            if !moved {
                // The start continues with the files as they are; the next failed one tries again.
                self.shared.ring.set_failed_starts(FAILED_STARTS - 1);
                return true;
            }
            // Not a second time, even if this run ends without a fold and without a failure.
            self.shared.ring.set_failed_starts(FAILED_STARTS + 1);
            let text = || "the last three starts died while opening the queue: it was moved into `quarantine`".into();
            self.log().say(LogCode::CrashLoop, "", text);
            self.shared.ring.change_superblock(|state| state.superblock.rows = 0);
        }
        true
    }

    /// The superblock without the rows of a file that is in a quarantine. A process that is killed right after it moved the file leaves
    /// them in the superblock; they are carved in the quarantine, whose copy of the superblock has the same epoch.
    pub(super) fn without_moved_rows(&self, mut superblock: Superblock) -> Superblock {
        let copies = repair::superblock_copies(&self.shared.folder);
        if copies.iter().filter_map(|copy| Superblock::from_bytes(copy)).any(|copy| copy.epoch == superblock.epoch) {
            superblock.rows = 0;
        }
        superblock
    }

    /// Whether three consecutive runs ended while reading this record. It is skipped and counted.
    pub(super) fn is_deadly(&self, ticket: u64) -> bool {
        let failed = self.shared.found.failed_starts;
        failed.is_some_and(|failed| failed.step == Step::Record(ticket) && failed.runs >= FAILED_STARTS)
    }
}
