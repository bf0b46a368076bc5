//! A seeded pseudo-random number generator (SplitMix64), so that a run can be repeated exactly.

/// A stream of pseudo-random numbers.
#[derive(Clone, Debug)]
pub(crate) struct Seeded(u64);

impl Seeded {
    /// Returns the stream of this seed.
    pub(crate) fn new(seed: u64) -> Seeded {
        Seeded(seed)
    }

    /// Returns the stream of (seed, word). It does not depend on numbers drawn from other streams.
    pub(crate) fn for_word(seed: u64, word: &str) -> Seeded {
        let word = u64::from(crc32fast::hash(word.as_bytes()));
        let mut stream = Seeded::new(seed ^ word.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        stream.next();
        stream
    }

    /// Returns the next number.
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Returns a number below `bound`, or 0 if `bound` is 0. The modulo bias is negligible here.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.next().checked_rem(bound).unwrap_or(0)
    }

    /// Returns a number from `low` to `high`, both included.
    pub(crate) fn between(&mut self, low: u64, high: u64) -> u64 {
        low.saturating_add(self.below(high.saturating_sub(low).saturating_add(1)))
    }

    /// Returns true in `per_mille` of 1,000 cases.
    pub(crate) fn chance(&mut self, per_mille: u64) -> bool {
        self.below(1000) < per_mille
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_repeats_its_numbers_and_another_seed_does_not() {
        let draw = |seed| (0..20).scan(Seeded::new(seed), |s, _| Some(s.next())).collect::<Vec<_>>();
        assert_eq!(draw(7), draw(7));
        assert_ne!(draw(7), draw(8));
    }

    #[test]
    fn numbers_stay_in_range_and_both_ends_occur() {
        let mut stream = Seeded::new(1);
        let drawn: Vec<u64> = (0..1000).map(|_| stream.between(3, 5)).collect();
        assert!(drawn.iter().all(|n| (3..=5).contains(n)));
        assert!(drawn.contains(&3) && drawn.contains(&5));
        assert_eq!(stream.below(0), 0);
    }
}
