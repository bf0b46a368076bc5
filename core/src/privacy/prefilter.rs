//! One look at a text that says which rules can find anything in it. Most texts need no second one.

use super::{label, words};

/// Digits of the shortest code.
pub(super) const CODE: usize = 3;

const DIGIT: u8 = 1;
/// Ends a run of letters, digits, `-` and `_`.
const BREAK: u8 = 2;
/// Starts another spelling of a character: not ASCII, `%` or `\`.
const FOLDS: u8 = 4;
const AT: u8 = 8;
const DASH: u8 = 16;
/// The byte needs a closer look: it can end a label or start `bearer`, `basic` or `password`.
const LOOK: u8 = 32;

const CLASS: [u8; 256] = {
    let mut table = [BREAK; 256];
    let mut at = 0;
    while at < 256 {
        let byte = at as u8;
        table[at] = match byte {
            b'0'..=b'9' => DIGIT,
            b'b' | b'B' | b'p' | b'P' => LOOK,
            b'a'..=b'z' | b'A'..=b'Z' | b'_' => 0,
            b'-' => DASH,
            b'@' => BREAK | AT,
            b'%' | b'\\' | 0x80.. => BREAK | FOLDS,
            b'=' | b':' | b'>' => BREAK | LOOK,
            _ => BREAK,
        };
        at += 1;
    }
    table
};

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
    /// The longest run of letters, digits, `-` and `_`.
    pub(super) run: usize,
    /// Digits in all; 0 when they cannot be a code.
    pub(super) digits: usize,
}

impl Seen {
    pub(super) fn of(bytes: &[u8]) -> Self {
        let mut seen = Seen::default();
        let (mut all, mut digits, mut longest, mut run) = (0_u8, 0_usize, 0_usize, 0_usize);
        for (at, byte) in bytes.iter().enumerate() {
            let class = CLASS[usize::from(*byte)];
            all |= class;
            digits += usize::from(class & DIGIT);
            // Without a branch: the mask is all ones inside a run, else 0.
            run = (run + 1) & (usize::from((class & BREAK) >> 1).wrapping_sub(1));
            longest = longest.max(run);
            if class & LOOK != 0 {
                match byte {
                    b'b' | b'B' => {
                        seen.scheme |=
                            words::starts_with(bytes, at, b"bearer") || words::starts_with(bytes, at, b"basic");
                    }
                    b'p' | b'P' => seen.label = seen.label || words::starts_with(bytes, at, b"pass"),
                    _ => seen.label = seen.label || label::ends_at(bytes, at).is_some(),
                }
            }
        }
        (seen.folds, seen.at, seen.dash) = (all & FOLDS != 0, all & AT != 0, all & DASH != 0);
        // Three digits that are apart, as in `3 of 12`, are no number.
        let apart = digits == CODE && !bytes.windows(CODE).any(|three| three.iter().all(u8::is_ascii_digit));
        (seen.run, seen.digits) = (longest, if apart { 0 } else { digits });
        seen
    }
}
