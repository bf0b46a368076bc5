//! Finds sequence numbers that have not arrived, and compares them with the losses that the device reported.

use serde::Serialize;

/// Bits of a `seq` below the epoch.
const EPOCH_BITS: u32 = 40;

/// Maximum number of ranges listed per epoch. Further ones are counted only.
const RANGES: usize = 100;

/// Reasons for which a numbered event can be lost. The other reasons drop an event before it gets a number, so they leave
/// no gap.
const REASONS_WITH_GAPS: [&str; 14] = [
    "ambiguous",
    "cleared_by_user",
    "consent",
    "corrupt_file",
    "corrupt_row",
    "destination_removed",
    "disk_full",
    "evicted_age",
    "evicted_bytes",
    "expired",
    "poison",
    "power_loss",
    "rate_limited",
    "rejected",
];

/// Returns true if this reason can leave a gap.
pub(crate) fn leaves_a_gap(reason: &str) -> bool {
    REASONS_WITH_GAPS.contains(&reason)
}

/// The number `n` of an epoch as a sequence number.
#[cfg(feature = "cli")]
pub(crate) fn seq_of(epoch: u64, n: u64) -> u64 {
    (epoch << EPOCH_BITS).saturating_add(n)
}

/// Returns the epoch of a sequence number.
pub(crate) fn epoch_of(seq: u64) -> u64 {
    seq >> EPOCH_BITS
}

/// The numbers that are missing between the first and the last received number of one device and epoch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Gaps {
    /// The device.
    pub install: String,
    /// The epoch.
    pub epoch: u64,
    /// Lowest number received.
    pub first_seq: u64,
    /// Highest number received.
    pub last_seq: u64,
    /// Count of missing numbers.
    pub missing: u64,
    /// Missing ranges, both ends included. At most 100.
    pub ranges: Vec<(u64, u64)>,
    /// Losses that the device reported for this epoch and that can leave gaps.
    pub lost: u64,
    /// `missing` minus `lost`: still queued on the device, for other destinations only, or lost without a report.
    pub unexplained: u64,
}

/// Finds gaps in pairs of (install, seq), sorted by both. Rejected events count as received.
#[derive(Debug, Default)]
pub(crate) struct Finder {
    done: Vec<Gaps>,
    open: Option<Gaps>,
}

impl Finder {
    /// Adds the next pair.
    pub(crate) fn next(&mut self, install: &str, seq: u64) {
        let epoch = epoch_of(seq);
        match &mut self.open {
            Some(open) if open.install == install && open.epoch == epoch => {
                let gap = seq.saturating_sub(open.last_seq).saturating_sub(1);
                if gap > 0 {
                    open.missing = open.missing.saturating_add(gap);
                    if open.ranges.len() < RANGES {
                        open.ranges.push((open.last_seq.saturating_add(1), seq.saturating_sub(1)));
                    }
                }
                open.last_seq = seq.max(open.last_seq);
            }
            _ => {
                self.done.extend(self.open.take());
                self.open = Some(Gaps {
                    install: install.to_owned(),
                    epoch,
                    first_seq: seq,
                    last_seq: seq,
                    missing: 0,
                    ranges: Vec::new(),
                    lost: 0,
                    unexplained: 0,
                });
            }
        }
    }

    /// Returns the gaps. `lost` returns the number of losses of (install, epoch) that can leave gaps.
    pub(crate) fn finish(mut self, lost: impl Fn(&str, u64) -> u64) -> Vec<Gaps> {
        self.done.extend(self.open.take());
        for gaps in &mut self.done {
            gaps.lost = lost(&gaps.install, gaps.epoch);
            gaps.unexplained = gaps.missing.saturating_sub(gaps.lost);
        }
        self.done
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_are_found_per_device_and_epoch_and_matched_with_losses() {
        let epoch_two = 2 << EPOCH_BITS;
        let mut finder = Finder::default();
        for (install, seq) in [("a", 1), ("a", 2), ("a", 5), ("a", 5), ("a", 9), ("a", epoch_two), ("b", 7), ("b", 8)] {
            finder.next(install, seq);
        }
        let found = finder.finish(|install, epoch| if (install, epoch) == ("a", 0) { 4 } else { 0 });
        assert_eq!(found.len(), 3);
        assert_eq!(found[0].missing, 5);
        assert_eq!(found[0].ranges, [(3, 4), (6, 8)]);
        assert_eq!((found[0].lost, found[0].unexplained), (4, 1));
        assert_eq!((found[1].epoch, found[1].missing), (2, 0));
        assert_eq!((found[2].first_seq, found[2].last_seq, found[2].missing), (7, 8, 0));
    }

    #[test]
    fn a_loss_before_numbering_explains_no_gap() {
        assert!(leaves_a_gap("evicted_bytes"));
        assert!(!leaves_a_gap("sampled"));
        assert!(!leaves_a_gap("ring_full"));
        let known = |word: &str| rez_monitor::Reason::ALL.iter().any(|reason| reason.as_str() == word);
        assert!(REASONS_WITH_GAPS.iter().all(|word| known(word)));
    }
}
