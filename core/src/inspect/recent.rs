//! The events that this process has stored lately, so that a debug screen can show what is delivered and no longer in the file.

use crate::id::EventId;
use crate::limits::{RECENT_BYTES, RECENT_EVENTS};
use crate::row::Row;
use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

/// The newest rows, oldest first. In memory only, and only while inspection is on.
#[derive(Default)]
pub(crate) struct Recent(Mutex<Rows>);

#[derive(Default)]
struct Rows {
    rows: VecDeque<Row>,
    bytes: usize,
}

impl Recent {
    /// Adds a row. The oldest ones make room for it.
    pub(crate) fn add(&self, row: Row) {
        let rows = &mut *self.rows();
        rows.bytes = rows.bytes.saturating_add(row.json.len());
        rows.rows.push_back(row);
        while rows.rows.len() > RECENT_EVENTS || (rows.bytes > RECENT_BYTES && rows.rows.len() > 1) {
            if let Some(oldest) = rows.rows.pop_front() {
                rows.bytes = rows.bytes.saturating_sub(oldest.json.len());
            }
        }
    }

    /// Forgets everything.
    pub(crate) fn clear(&self) {
        *self.rows() = Rows::default();
    }

    /// The row of an event.
    pub(crate) fn get(&self, id: EventId) -> Option<Row> {
        self.rows().rows.iter().rev().find(|row| row.id == id).cloned()
    }

    /// At most `most` rows that `wanted` accepts, newest first.
    pub(crate) fn select(&self, most: usize, wanted: impl Fn(&Row) -> bool) -> Vec<Row> {
        self.rows().rows.iter().rev().filter(|row| wanted(row)).take(most).cloned().collect()
    }

    fn rows(&self) -> std::sync::MutexGuard<'_, Rows> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kind::Kind;

    fn row(seq: u64, bytes: usize) -> Row {
        let mut id = [0; 16];
        id[8..].copy_from_slice(&seq.to_be_bytes());
        let json = "x".repeat(bytes);
        Row {
            seq,
            id: EventId::from_bytes(id),
            kind: Kind::Error,
            run: 1,
            wall_ms: 0,
            mono_ms: 0,
            targets: Vec::new(),
            json,
        }
    }

    fn seqs(recent: &Recent) -> Vec<u64> {
        recent.select(usize::MAX, |_| true).iter().map(|row| row.seq).collect()
    }

    #[test]
    fn the_newest_rows_are_kept_within_both_limits() {
        let recent = Recent::default();
        (0..RECENT_EVENTS as u64 * 10).for_each(|seq| recent.add(row(seq, 1)));
        let last = RECENT_EVENTS as u64 * 10;
        assert_eq!(seqs(&recent), (last - RECENT_EVENTS as u64..last).rev().collect::<Vec<_>>());
        recent.clear();
        for seq in 0..5 {
            recent.add(row(seq, RECENT_BYTES / 3));
        }
        assert_eq!(seqs(&recent), [4, 3, 2]);
        recent.add(row(9, RECENT_BYTES * 2));
        assert_eq!(seqs(&recent), [9], "one row stays, however large");
        recent.add(row(10, 1));
        assert_eq!(seqs(&recent), [10]);
    }

    #[test]
    fn a_row_is_found_by_its_id_until_all_is_forgotten() {
        let recent = Recent::default();
        recent.add(row(7, 4));
        assert_eq!(recent.get(row(7, 0).id).map(|row| row.json.len()), Some(4));
        assert!(recent.get(row(8, 0).id).is_none());
        recent.clear();
        assert!(recent.get(row(7, 0).id).is_none());
    }
}
