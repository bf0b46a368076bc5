//! Numbers that repeat with their seed (SplitMix64).

/// A stream of numbers that its seed fixes.
#[derive(Clone, Debug)]
pub struct Seeded(u64);

impl Seeded {
    /// The seed of this test: `REZ_SEED`, or the one given. It is printed, so that a failure can be run again.
    #[must_use]
    pub fn of(test: &str, seed: u64) -> Seeded {
        let seed = std::env::var("REZ_SEED").ok().and_then(|text| text.parse().ok()).unwrap_or(seed);
        println!("{test}: seed {seed} (REZ_SEED={seed} repeats it)");
        Seeded(seed)
    }

    /// The next number.
    #[allow(clippy::should_implement_trait)]
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `bound`, which is not 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    /// So many characters of the alphabet.
    pub fn text(&mut self, alphabet: &str, len: usize) -> String {
        (0..len).map(|_| char::from(alphabet.as_bytes()[self.below(alphabet.len() as u64) as usize])).collect()
    }
}
