//! A seeded pseudo-random number generator (SplitMix64).

/// A stream of pseudo-random numbers.
#[derive(Clone, Debug)]
pub struct Seeded(u64);

impl Seeded {
    /// Returns the stream of `REZ_SEED`, or of the given seed. Prints the seed, so that a failure can be reproduced.
    #[must_use]
    pub fn of(test: &str, seed: u64) -> Seeded {
        let seed = std::env::var("REZ_SEED").ok().and_then(|text| text.parse().ok()).unwrap_or(seed);
        println!("{test}: seed {seed} (REZ_SEED={seed} repeats it)");
        Seeded(seed)
    }

    /// Returns the next number.
    #[allow(clippy::should_implement_trait)]
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Returns a number below `bound`, which must not be 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    /// Returns a random text of this length.
    pub fn text(&mut self, alphabet: &str, len: usize) -> String {
        (0..len).map(|_| char::from(alphabet.as_bytes()[self.below(alphabet.len() as u64) as usize])).collect()
    }
}
