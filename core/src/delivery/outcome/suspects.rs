//! Suspects: events that were refused alone by an endpoint that had accepted nothing else.

use super::super::bisect::{Bisect, RowResult};
use super::super::state::Suspect;
use super::Decider;
use crate::reason::Reason;
use crate::store::RowEnd;

impl Decider<'_> {
    /// Dead-letters the events that were refused alone both now and before another event was accepted. The others of
    /// the batch are no longer suspects.
    pub(super) fn dead_letter_repeated(&mut self, bisect: &Bisect, ends: &mut [RowEnd]) {
        let rows = self.attempt.rows.iter().zip(&bisect.results).zip(ends);
        for (((seq, _), result), end) in rows {
            let Some(at) = self.state.refused_alone.iter().position(|suspect| suspect.seq == *seq) else { continue };
            if let RowResult::Alone { status, note, .. } = result {
                *end = RowEnd::Dead { reason: Reason::Poison, status: *status, note: note.clone() };
            }
            if *result != RowResult::Open {
                self.state.refused_alone.remove(at);
            }
        }
    }

    /// The events that were refused alone and are not dead-lettered.
    pub(super) fn suspects(&self, bisect: &Bisect, ends: &[RowEnd]) -> Vec<Suspect> {
        let rows = self.attempt.rows.iter().zip(&bisect.results).zip(ends);
        rows.filter_map(|(((seq, _), result), end)| match (result, end) {
            (_, RowEnd::Dead { .. }) => None,
            (RowResult::Alone { status, note, .. }, _) => {
                Some(Suspect { seq: *seq, status: *status, note: note.clone() })
            }
            _ => None,
        })
        .collect()
    }

    /// The batch was accepted or rejected row by row: its rows are no longer suspects.
    pub(super) fn clear_suspects(&mut self) {
        let rows = self.attempt.rows;
        self.state.refused_alone.retain(|suspect| !rows.iter().any(|(seq, _)| *seq == suspect.seq));
    }
}
