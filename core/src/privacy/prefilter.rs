//! One look at a text that says which rules can find anything in it. Most texts need no second one.

use super::{label, words};

/// Digits of the shortest code.
pub(super) const CODE: usize = 3;

/// Bytes that are classified together, without branches, so that the compiler can use vector instructions.
const STEP: usize = 16;

/// Bytes of one [`Block`], a bit for each.
const BLOCK: usize = 64;

/// Lengths of a run of letters, digits, `-` and `_` that [`Seen::run`] tells apart.
pub(super) const SHORT_RUN: usize = 10;
pub(super) const LONG_RUN: usize = 14;

/// Bits of a class. `WORD` is part of a run; `FOLDS` starts another spelling of a character; `LOOK` can end a label or
/// start `bearer`, `basic` or `password`.
const DIGIT: u32 = 0;
const WORD: u32 = 1;
const FOLDS: u32 = 2;
const AT: u32 = 3;
const DASH: u32 = 4;
const LOOK: u32 = 5;

/// A one in each byte of a word.
const ONES: u64 = 0x0101_0101_0101_0101;

/// What a text holds that a rule starts from.
#[derive(Default)]
pub(super) struct Seen {
    /// Other spellings of ASCII characters, perhaps.
    pub(super) folds: bool,
    pub(super) at: bool,
    pub(super) dash: bool,
    /// A label of a secret with its separator, or the word `password`.
    pub(super) label: bool,
    /// The word `bearer` or `basic`.
    pub(super) scheme: bool,
    /// The longest run of letters, digits, `-` and `_`: 0, [`SHORT_RUN`] or [`LONG_RUN`] at least.
    pub(super) run: usize,
    /// Digits in all; 0 when they cannot be a code.
    pub(super) digits: usize,
}

/// What is added up over the blocks.
#[derive(Default)]
struct Sums {
    /// The bits of all classes.
    all: u64,
    digits: u32,
    /// Whether three digits stand side by side.
    three: bool,
    /// The digits of the block before.
    last: u64,
    /// Length of the run that reaches the end of the block before.
    carry: usize,
}

/// Up to [`BLOCK`] bytes of a text: a bit for each byte that is of a class, the lowest for the first byte.
#[derive(Default)]
struct Block {
    /// The bits of all classes.
    all: u64,
    digits: u64,
    words: u64,
    look: u64,
}

impl Block {
    /// Adds bytes. The first of them has bit `at`; the `overlap` before it were added already.
    #[inline]
    fn add(&mut self, step: &[u8; STEP], overlap: usize, at: usize) {
        let mut classes = [0; STEP];
        for (class, byte) in classes.iter_mut().zip(step) {
            *class = classify(*byte);
        }
        let classes = u128::from_le_bytes(classes) >> (overlap * 8);
        for (class, at) in [(classes as u64, at), ((classes >> 64) as u64, at + 8)] {
            self.all |= class;
            self.digits |= pack(class, DIGIT) << at;
            self.words |= pack(class, WORD) << at;
            self.look |= pack(class, LOOK) << at;
        }
    }
}

impl Seen {
    pub(super) fn of(bytes: &[u8]) -> Self {
        let mut seen = Seen::default();
        let mut sums = Sums::default();
        for (nth, text) in bytes.chunks(BLOCK).enumerate() {
            let start = nth * BLOCK;
            let mut block = Block::default();
            let (steps, tail) = text.as_chunks::<STEP>();
            for (nth, step) in steps.iter().enumerate() {
                block.add(step, 0, nth * STEP);
            }
            if !tail.is_empty() {
                let at = steps.len() * STEP;
                match bytes.last_chunk() {
                    // Cheaper than a copy of the tail.
                    Some(step) => block.add(step, STEP - tail.len(), at),
                    None => {
                        let mut step = [b' '; STEP];
                        for (to, from) in step.iter_mut().zip(tail) {
                            *to = *from;
                        }
                        block.add(&step, 0, at);
                    }
                }
            }
            seen.take(bytes, start, &block, &mut sums);
        }
        let any = |bit: u32| sums.all & (ONES << bit) != 0;
        (seen.folds, seen.at, seen.dash) = (any(FOLDS), any(AT), any(DASH));
        // Three digits that are apart, as in `3 of 12`, are no number.
        seen.digits = if sums.digits == CODE as u32 && !sums.three { 0 } else { sums.digits as usize };
        seen
    }

    /// Adds a block of the text, which starts at `start`.
    #[inline]
    fn take(&mut self, bytes: &[u8], start: usize, block: &Block, sums: &mut Sums) {
        sums.all |= block.all;
        sums.digits += block.digits.count_ones();
        let (before, second) = (block.digits << 1 | sums.last >> 63, block.digits << 2 | sums.last >> 62);
        sums.three |= block.digits & before & second != 0;
        sums.last = block.digits;
        sums.carry = self.take_run(block.words, sums.carry);
        let mut look = block.look;
        while look != 0 {
            self.look_at(bytes, start + look.trailing_zeros() as usize);
            look &= look - 1;
        }
    }

    /// Notes the longest run of ones in `words`, the first of which continues one of `carry` bytes; returns the length
    /// of the run that reaches its end.
    fn take_run(&mut self, words: u64, carry: usize) -> usize {
        let (first, last) = (words.trailing_ones() as usize, words.leading_ones() as usize);
        let last = if first == BLOCK { carry + BLOCK } else { last };
        let eight = words & words >> 1;
        let eight = eight & eight >> 2;
        let eight = eight & eight >> 4;
        let short = eight & eight >> 2;
        let inside = match (short & short >> 4 != 0, short != 0) {
            (true, _) => LONG_RUN,
            (_, true) => SHORT_RUN,
            _ => 0,
        };
        self.run = self.run.max(inside).max(carry + first);
        last
    }

    /// Looks at a byte of the class `LOOK`.
    fn look_at(&mut self, bytes: &[u8], at: usize) {
        match bytes.get(at) {
            Some(b'b' | b'B') => {
                self.scheme |= words::starts_with(bytes, at, b"bearer") || words::starts_with(bytes, at, b"basic");
            }
            Some(b'p' | b'P') => self.label = self.label || words::starts_with(bytes, at, b"pass"),
            _ => self.label = self.label || label::ends_at(bytes, at).is_some(),
        }
    }
}

/// The class of a byte, without a branch.
#[inline]
fn classify(byte: u8) -> u8 {
    let lower = byte | 0x20;
    let digit = byte.wrapping_sub(b'0') < 10;
    let dash = byte == b'-';
    let word = (lower.wrapping_sub(b'a') < 26) | digit | dash | (byte == b'_');
    let folds = (byte >= 0x80) | (byte == b'%') | (byte == b'\\');
    let look = (byte == b':') | (byte == b'=') | (byte == b'>') | (lower == b'b') | (lower == b'p');
    u8::from(digit) << DIGIT
        | u8::from(word) << WORD
        | u8::from(folds) << FOLDS
        | u8::from(byte == b'@') << AT
        | u8::from(dash) << DASH
        | u8::from(look) << LOOK
}

/// One bit of each of eight classes, as the bits of one byte.
#[inline]
fn pack(classes: u64, bit: u32) -> u64 {
    (classes >> bit & ONES).wrapping_mul(0x0102_0408_1020_4080) >> 56
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The longest run, counted byte by byte.
    fn longest_run(text: &[u8]) -> usize {
        let ends = |byte: &u8| !byte.is_ascii_alphanumeric() && !matches!(byte, b'-' | b'_');
        text.split(ends).map(<[u8]>::len).max().unwrap_or_default()
    }

    proptest! {
        #[test]
        fn blocks_say_what_single_bytes_say(text in "[ a:%9@-]{0,8}([a-z0-9_-]{0,40}[ .@é%=\\\\]){0,6}[0-9]{0,3}[a-z0-9]{0,20}") {
            let (seen, bytes) = (Seen::of(text.as_bytes()), text.as_bytes());
            let run = longest_run(bytes);
            prop_assert_eq!(seen.run >= LONG_RUN, run >= LONG_RUN);
            prop_assert_eq!(seen.run >= SHORT_RUN, run >= SHORT_RUN);
            prop_assert_eq!(seen.at, text.contains('@'));
            prop_assert_eq!(seen.dash, text.contains('-'));
            prop_assert_eq!(seen.folds, text.contains(['%', '\\']) || !text.is_ascii());
            let digits = bytes.iter().filter(|byte| byte.is_ascii_digit()).count();
            let three = bytes.windows(CODE).any(|three| three.iter().all(u8::is_ascii_digit));
            prop_assert_eq!(seen.digits, if digits == CODE && !three { 0 } else { digits });
        }
    }

    #[test]
    fn labels_and_schemes_are_seen_in_every_block() {
        for at in 0..100 {
            let before = ".".repeat(at);
            assert!(Seen::of(format!("{before} token=x").as_bytes()).label, "{at}");
            assert!(Seen::of(format!("{before} bearer x").as_bytes()).scheme, "{at}");
            assert!(!Seen::of(format!("{before} number=x").as_bytes()).label, "{at}");
        }
    }
}
