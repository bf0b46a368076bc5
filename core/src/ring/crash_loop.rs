//! Crash loop detection: the step of the start in which earlier runs ended.
//!
//! An app may be killed at any moment, and such kills must not count. A fault of the engine repeats at the same place.
//! So until the first fold of a run is committed, the header records the current step, and only consecutive runs that
//! ended in the *same* step are counted. A run that ended outside of a step changes nothing. A committed fold resets the
//! count.

use super::Ring;
use super::layout::{self, Word};
use crate::sys::map::Map;

/// A step of a start in which a fault could kill the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Opening the database.
    Open,
    /// Reading the stored scope.
    Load,
    /// Reading and stamping the record with this ticket; includes the app's `before_send` hook.
    Record(u64),
    /// Committing the first transaction.
    Commit,
}

impl Step {
    fn word(self) -> u64 {
        match self {
            Step::Open => 1,
            Step::Load => 2,
            Step::Record(ticket) => ticket << 8 | 3,
            Step::Commit => 4,
        }
    }

    fn of(word: u64) -> Option<Step> {
        match word {
            1 => Some(Step::Open),
            2 => Some(Step::Load),
            4 => Some(Step::Commit),
            word if word & 0xff == 3 => Some(Step::Record(word >> 8)),
            _ => None,
        }
    }
}

/// Consecutive runs that ended in one step of their start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FailedStarts {
    /// The step.
    pub(crate) step: Step,
    /// Number of runs, at least one.
    pub(crate) runs: u64,
}

/// Counts the last run if it ended in a step, and returns the count. Called once per open, before anything else is read.
pub(super) fn count_failed_starts(map: &Map) -> Option<FailedStarts> {
    let at = layout::get(map, Word::Step);
    if at != 0 {
        let before = if layout::get(map, Word::FailedStep) == at { layout::get(map, Word::FailedStarts) } else { 0 };
        layout::set(map, Word::FailedStep, at);
        layout::set(map, Word::FailedStarts, before.saturating_add(1));
        layout::set(map, Word::Step, 0);
    }
    let step = Step::of(layout::get(map, Word::FailedStep))?;
    Some(FailedStarts { step, runs: layout::get(map, Word::FailedStarts) })
}

impl Ring {
    /// Records that a step of the start begins.
    pub(crate) fn enter(&self, step: Step) {
        layout::set(&self.map(), Word::Step, step.word());
    }

    /// Records that no step is running: a kill from now on does not count.
    pub(crate) fn leave(&self) {
        layout::set(&self.map(), Word::Step, 0);
    }

    /// Records that the first fold is committed, and resets the count.
    pub(crate) fn started(&self) {
        let map = self.map();
        [Word::Step, Word::FailedStep, Word::FailedStarts].into_iter().for_each(|word| layout::set(&map, word, 0));
    }

    /// Sets the number of failed starts that the next start sees.
    pub(crate) fn set_failed_starts(&self, runs: u64) {
        layout::set(&self.map(), Word::FailedStarts, runs);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn end_in(folder: &std::path::Path, step: Option<Step>) -> Option<FailedStarts> {
        let (ring, found) = Ring::open_file(folder, 1).unwrap();
        step.into_iter().for_each(|step| ring.enter(step));
        found.failed_starts
    }

    #[test]
    fn only_consecutive_failed_starts_in_the_same_step_are_counted() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        assert_eq!(end_in(folder, Some(Step::Open)), None);
        assert_eq!(end_in(folder, Some(Step::Open)), Some(FailedStarts { step: Step::Open, runs: 1 }));
        assert_eq!(end_in(folder, None), Some(FailedStarts { step: Step::Open, runs: 2 }));
        assert_eq!(end_in(folder, Some(Step::Record(9))), Some(FailedStarts { step: Step::Open, runs: 2 }));
        assert_eq!(end_in(folder, Some(Step::Record(10))), Some(FailedStarts { step: Step::Record(9), runs: 1 }));
        assert_eq!(end_in(folder, Some(Step::Record(10))), Some(FailedStarts { step: Step::Record(10), runs: 1 }));
        assert_eq!(end_in(folder, None), Some(FailedStarts { step: Step::Record(10), runs: 2 }));
    }

    #[test]
    fn a_committed_fold_resets_the_count_and_leaving_a_step_ends_it() {
        let folder = tempfile::tempdir().unwrap();
        for _ in 0..3 {
            let (ring, found) = Ring::open_file(folder.path(), 1).unwrap();
            assert_eq!(found.failed_starts, None);
            ring.enter(Step::Commit);
            ring.started();
        }
        let (ring, _) = Ring::open_file(folder.path(), 1).unwrap();
        ring.enter(Step::Load);
        ring.leave();
        drop(ring);
        assert_eq!(end_in(folder.path(), None), None);
    }
}
