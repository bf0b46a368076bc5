//! Losses in the superblock: counts of lost events that a server does not know of yet.
//!
//! The ledger has the counts, but the database that holds it may be lost. Only the counts of the ring's own refusals
//! are missing here, because the ring has them.

use super::layout::SUPERBLOCK_BYTES;
use crate::kind::Kind;
use crate::reason::Reason;
use crate::row::Lost;

/// Bytes of one entry: epoch, reason, kind, route, count.
const BYTES: usize = 2 + 1 + 1 + 8 + 8;

/// Most entries in a superblock; their number is one byte.
const MOST: usize = 255;

/// Number of a kind that is not known.
const UNKNOWN: u8 = 0xff;

/// Epochs whose losses are kept. Losses of a route that is never used again end with them.
const EPOCHS: u64 = 8;

/// Events lost in one epoch for one reason, to be reported by one route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct UnreportedLoss {
    pub(crate) epoch: u64,
    /// Hash of destination and route.
    pub(crate) route: u64,
    /// The count to report: of the whole epoch, or where the server adds reports up, what it has not been told.
    pub(crate) lost: Lost,
}

/// Replaces the losses of `epoch` and keeps those of the epochs before it.
pub(super) fn replace(losses: &mut Vec<UnreportedLoss>, epoch: u64, current: Vec<UnreportedLoss>) {
    losses.retain(|mark| mark.epoch < epoch && mark.epoch.saturating_add(EPOCHS) > epoch);
    losses.extend(current);
}

/// Encodes as many entries as fit into `room` bytes, the oldest first: later ones are also in the database.
pub(super) fn encode(losses: &[UnreportedLoss], room: usize) -> (u8, Vec<u8>) {
    let count = losses.len().min(MOST).min(room / BYTES);
    let mut bytes = Vec::with_capacity(count * BYTES);
    for mark in losses.iter().take(count) {
        bytes.extend_from_slice(&u16::try_from(mark.epoch).unwrap_or(u16::MAX).to_le_bytes());
        bytes.extend_from_slice(&[mark.lost.reason as u8, mark.lost.kind.map_or(UNKNOWN, |kind| kind as u8)]);
        bytes.extend_from_slice(&mark.route.to_le_bytes());
        bytes.extend_from_slice(&mark.lost.count.to_le_bytes());
    }
    (count as u8, bytes)
}

/// Reads `count` entries and returns the bytes after them. Entries with a reason or kind of a newer build are left out.
pub(super) fn decode(bytes: &[u8], count: u8) -> Option<(Vec<UnreportedLoss>, &[u8])> {
    let (entries, rest) = bytes.split_at_checked(usize::from(count) * BYTES)?;
    Some((entries.chunks_exact(BYTES).filter_map(entry).collect(), rest))
}

fn entry(bytes: &[u8]) -> Option<UnreportedLoss> {
    let number = |at: usize| Some(u64::from_le_bytes(bytes.get(at..at + 8)?.try_into().ok()?));
    let reason = Reason::from_number(*bytes.get(2)?)?;
    let kind = match *bytes.get(3)? {
        UNKNOWN => None,
        number => Some(Kind::from_number(number)?),
    };
    let epoch = u16::from_le_bytes(bytes.get(..2)?.try_into().ok()?);
    Some(UnreportedLoss { epoch: u64::from(epoch), route: number(4)?, lost: Lost { reason, kind, count: number(12)? } })
}

/// Bytes of a superblock that are left beside its other content.
pub(super) fn room(others: usize) -> usize {
    SUPERBLOCK_BYTES.saturating_sub(others)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mark(epoch: u64, kind: Option<Kind>) -> UnreportedLoss {
        UnreportedLoss {
            epoch,
            route: u64::MAX - epoch,
            lost: Lost { reason: Reason::EvictedBytes, kind, count: 1 << 40 },
        }
    }

    #[test]
    fn losses_are_read_as_written_and_those_that_do_not_fit_are_left_out() {
        let losses = [mark(1, Some(Kind::Error)), mark(8_191, None), mark(3, Some(Kind::Metric))];
        for room in [0, BYTES - 1, BYTES, 3 * BYTES, 4_000] {
            let (count, bytes) = encode(&losses, room);
            assert!(bytes.len() <= room);
            let read = decode(&bytes, count).unwrap();
            assert_eq!(read, (losses[..(room / BYTES).min(3)].to_vec(), &[][..]));
        }
        assert_eq!(decode(&[0; 10], 1), None, "too short");
        assert_eq!(encode(&[losses[0]; 300], usize::MAX).0, 255);
    }

    #[test]
    fn an_entry_of_a_newer_build_is_left_out() {
        let (count, mut bytes) = encode(&[mark(1, None), mark(2, None)], 4_000);
        bytes[2] = 200;
        assert_eq!(decode(&bytes, count).unwrap().0, [mark(2, None)]);
        bytes[3 + BYTES] = 200;
        assert_eq!(decode(&bytes, count).unwrap().0, []);
    }

    #[test]
    fn losses_of_earlier_epochs_stay_until_they_are_reported_or_eight_epochs_old() {
        let mut losses = vec![mark(1, None), mark(2, None), mark(9, None)];
        replace(&mut losses, 9, vec![mark(9, Some(Kind::Error))]);
        assert_eq!(losses, [mark(2, None), mark(9, Some(Kind::Error))]);
    }
}
