//! The guard against ourselves: which step of a start the earlier runs died in.
//!
//! An app may be killed at any moment, and that must not count. A fault of ours comes back at the same place: until the
//! first fold of a run is committed, the step it is at stands in the header, and only runs that died in the *same* step,
//! one after the other, are counted. A run that died outside of them changes nothing, a committed fold clears it all.

use super::Ring;
use super::layout::{self, Word};
use crate::sys::map::Map;

/// A step of a start that could take the process with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// The database is opened.
    Open,
    /// What it knows of the scope is read.
    Load,
    /// The record of this ticket is read and stamped; the app's own hook runs here.
    Record(u64),
    /// The first transaction.
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

/// Runs in a row that died in one step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Deaths {
    /// Where.
    pub(crate) step: Step,
    /// How many, at least one.
    pub(crate) runs: u64,
}

/// What the earlier runs left; counts the last one. Once an open, before anything else is read.
pub(super) fn look(map: &Map) -> Option<Deaths> {
    let at = layout::get(map, Word::Step);
    if at != 0 {
        let before = if layout::get(map, Word::DiedAt) == at { layout::get(map, Word::Died) } else { 0 };
        layout::set(map, Word::DiedAt, at);
        layout::set(map, Word::Died, before.saturating_add(1));
        layout::set(map, Word::Step, 0);
    }
    let step = Step::of(layout::get(map, Word::DiedAt))?;
    Some(Deaths { step, runs: layout::get(map, Word::Died) })
}

impl Ring {
    /// A step of the start begins.
    pub(crate) fn enter(&self, step: Step) {
        layout::set(&self.map(), Word::Step, step.word());
    }

    /// None is under way: whatever kills the app now is not our start.
    pub(crate) fn leave(&self) {
        layout::set(&self.map(), Word::Step, 0);
    }

    /// The first fold is committed.
    pub(crate) fn started(&self) {
        let map = self.map();
        [Word::Step, Word::DiedAt, Word::Died].into_iter().for_each(|word| layout::set(&map, word, 0));
    }

    /// How many runs the next start takes to have died in the step they died in.
    pub(crate) fn set_deaths(&self, runs: u64) {
        layout::set(&self.map(), Word::Died, runs);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dies(folder: &std::path::Path, step: Option<Step>) -> Option<Deaths> {
        let (ring, found) = Ring::open_file(folder, 1).unwrap();
        step.into_iter().for_each(|step| ring.enter(step));
        found.deaths
    }

    #[test]
    fn only_deaths_in_the_same_step_add_up() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        assert_eq!(dies(folder, Some(Step::Open)), None);
        assert_eq!(dies(folder, Some(Step::Open)), Some(Deaths { step: Step::Open, runs: 1 }));
        assert_eq!(dies(folder, None), Some(Deaths { step: Step::Open, runs: 2 }));
        assert_eq!(dies(folder, Some(Step::Record(9))), Some(Deaths { step: Step::Open, runs: 2 }));
        assert_eq!(dies(folder, Some(Step::Record(10))), Some(Deaths { step: Step::Record(9), runs: 1 }));
        assert_eq!(dies(folder, Some(Step::Record(10))), Some(Deaths { step: Step::Record(10), runs: 1 }));
        assert_eq!(dies(folder, None), Some(Deaths { step: Step::Record(10), runs: 2 }));
    }

    #[test]
    fn a_committed_fold_and_a_pause_clear_it() {
        let folder = tempfile::tempdir().unwrap();
        for _ in 0..3 {
            let (ring, found) = Ring::open_file(folder.path(), 1).unwrap();
            assert_eq!(found.deaths, None);
            ring.enter(Step::Commit);
            ring.started();
        }
        let (ring, _) = Ring::open_file(folder.path(), 1).unwrap();
        ring.enter(Step::Load);
        ring.leave();
        drop(ring);
        assert_eq!(dies(folder.path(), None), None);
    }
}
