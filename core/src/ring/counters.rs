//! Counters of refused events in the ring's file, each under a checksum of its own.
//!
//! A counter is one word: 40 bits of count and 24 bits of checksum, so an update is a single store and a damaged
//! counter costs only itself. The count of a damaged one is taken from the database, which holds the counters as of the
//! last fold.

use super::Ring;
use super::layout::{self, COUNTER_KINDS, COUNTER_REASONS, COUNTERS};
use crate::kind::Kind;
use crate::reason::Reason;
use crate::sys::map::Map;
use std::sync::atomic::Ordering;

/// How many counters there are.
pub(super) const COUNT: usize = COUNTER_KINDS * COUNTER_REASONS;

const COUNT_BITS: u32 = 40;

/// The largest count; larger ones stay at it.
const MOST: u64 = (1 << COUNT_BITS) - 1;

/// Index of the counter of these refusals.
pub(crate) fn index(reason: Reason, kind: Option<Kind>) -> usize {
    let kind = kind.map_or(COUNTER_KINDS - 1, |kind| kind as usize);
    (reason as usize % COUNTER_REASONS) * COUNTER_KINDS + kind
}

/// Reads a counter; `None` if it is damaged.
pub(crate) fn read(map: &Map, index: usize) -> Option<u64> {
    let mut word = [0; 8];
    layout::read(map, at(index), &mut word);
    decode(index, u64::from_le_bytes(word))
}

/// Overwrites a counter. The caller holds the append lock, or the map is its own.
pub(super) fn write(map: &Map, index: usize, count: u64) {
    layout::write(map, at(index), &encode(index, count).to_le_bytes());
}

/// Adds to a counter, without a lock: a thread that crashed may hold it. `total` replaces a damaged count.
pub(super) fn add(map: &Map, index: usize, n: u64, total: u64) {
    layout::update(map, at(index), |word| {
        let count = decode(index, word).map_or(total, |count| count.saturating_add(n));
        encode(index, count)
    });
}

fn at(index: usize) -> usize {
    COUNTERS + 8 * index
}

/// A count of 0 is the word 0, as in a new file.
fn encode(index: usize, count: u64) -> u64 {
    let count = count.min(MOST);
    if count == 0 { 0 } else { checksum(index, count) << COUNT_BITS | count }
}

fn decode(index: usize, word: u64) -> Option<u64> {
    let count = word & MOST;
    (encode(index, count) == word).then_some(count)
}

fn checksum(index: usize, count: u64) -> u64 {
    let mut bytes = [0; 10];
    bytes[..8].copy_from_slice(&count.to_le_bytes());
    bytes[8..].copy_from_slice(&(index as u16).to_le_bytes());
    u64::from(crc32fast::hash(&bytes) >> 8)
}

impl Ring {
    /// Counts events that were not accepted.
    pub(crate) fn refuse(&self, reason: Reason, kind: Option<Kind>, n: u64) {
        let state = self.lock();
        self.anchor.refuse(&state.map, reason, kind, n);
    }

    /// Counts a refused crash without the append lock, which the crashed thread may hold.
    pub(crate) fn refuse_crash(&self, reason: Reason, kind: Kind) {
        self.anchor.refuse(&self.reserve_map(), reason, Some(kind), 1);
    }

    /// All counters of refusals that are not zero.
    pub(crate) fn refusals(&self) -> Vec<(Reason, Option<Kind>, u64)> {
        let kinds = || Kind::ALL.into_iter().map(Some).chain([None]);
        let all = Reason::ALL.into_iter().flat_map(|reason| kinds().map(move |kind| (reason, kind)));
        let count = |at: usize| self.anchor.refused.get(at).map_or(0, |refused| refused.load(Ordering::Relaxed));
        all.map(|(reason, kind)| (reason, kind, count(index(reason, kind)))).filter(|(.., n)| *n > 0).collect()
    }

    /// Raises counters to at least these counts: what the database has of them, where the file's own were damaged.
    pub(crate) fn restore_refusals(&self, counts: &[(Reason, Option<Kind>, u64)]) {
        let state = self.lock();
        for (reason, kind, count) in counts {
            let index = index(*reason, *kind);
            if let Some(refused) = self.anchor.refused.get(index)
                && refused.fetch_max(*count, Ordering::Relaxed) < *count
            {
                write(&state.map, index, *count);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_flipped_bit_of_a_counter_is_noticed() {
        for (index, count) in [(0, 1), (7, 40), (1023, MOST), (33, 0)] {
            let word = encode(index, count);
            assert_eq!(decode(index, word), Some(count));
            for bit in 0..64 {
                assert_eq!(decode(index, word ^ 1 << bit), None, "counter {index}, bit {bit}");
            }
            assert!(count == 0 || decode(index + 1, word).is_none(), "a counter in the place of another one");
        }
        assert_eq!(decode(5, encode(5, u64::MAX)), Some(MOST));
    }

    #[test]
    fn adding_to_a_damaged_counter_continues_from_the_total_in_memory() {
        let map = Map::anonymous(layout::FILE_BYTES).unwrap();
        add(&map, 3, 5, 5);
        add(&map, 3, 2, 7);
        assert_eq!(read(&map, 3), Some(7));
        layout::write(&map, at(3), &[0xff]);
        assert_eq!(read(&map, 3), None);
        add(&map, 3, 1, 8);
        assert_eq!(read(&map, 3), Some(8));
    }
}
