//! Which numbers of a device have not arrived, and how far its own losses explain it.

use serde::Serialize;

/// Bits of a `seq` below the epoch.
const EPOCH_BITS: u32 = 40;

/// Ranges named per epoch; more are only counted.
const RANGES: usize = 100;

/// Losses that can befall an event after it got its number. The other reasons end it before, so they leave no gap.
const AFTER_A_ROW: [&str; 14] = [
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

/// Whether this reason can leave a gap.
pub(crate) fn leaves_a_gap(reason: &str) -> bool {
    AFTER_A_ROW.contains(&reason)
}

/// The epoch a number belongs to.
pub(crate) fn epoch_of(seq: u64) -> u64 {
    seq >> EPOCH_BITS
}

/// What one epoch of one device is missing between its first and its last number seen here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Gaps {
    /// The device.
    pub install: String,
    /// The epoch.
    pub epoch: u64,
    /// Lowest number seen.
    pub first_seq: u64,
    /// Highest number seen.
    pub last_seq: u64,
    /// Numbers between them that have not arrived.
    pub missing: u64,
    /// Where, both ends included; at most 100 ranges.
    pub ranges: Vec<(u64, u64)>,
    /// Losses this device reported for the epoch that can leave gaps.
    pub lost: u64,
    /// Missing and not explained by `lost`: still queued on the device, meant for other destinations, or gone.
    pub unexplained: u64,
}

/// Finds the gaps in (install, seq) sorted by both. Rejected events count as arrived.
#[derive(Debug, Default)]
pub(crate) struct Finder {
    done: Vec<Gaps>,
    open: Option<Gaps>,
}

impl Finder {
    /// The next number.
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

    /// What was found; `lost` answers how many losses of (install, epoch) can leave gaps.
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
    fn holes_are_found_per_device_and_epoch_and_explained_by_losses() {
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
    fn what_never_got_a_number_explains_no_gap() {
        assert!(leaves_a_gap("evicted_bytes"));
        assert!(!leaves_a_gap("sampled"));
        assert!(!leaves_a_gap("ring_full"));
        let known = |word: &str| rez_monitor::Reason::ALL.iter().any(|reason| reason.as_str() == word);
        assert!(AFTER_A_ROW.iter().all(|word| known(word)));
    }
}
