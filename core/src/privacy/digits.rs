//! Offers every number of a text to the rules for numbers.

use super::marker::Found;
use super::number::Chain;
use super::{aadhaar, account, card, code, phone, words};

/// Digits of the shortest number of the rules but [`code`].
const LONG: usize = 7;

/// The next number from `from` on that is personal.
pub(super) fn next(text: &str, from: usize) -> Option<Found> {
    let bytes = text.as_bytes();
    let mut at = from;
    loop {
        at += bytes.get(at..)?.iter().position(u8::is_ascii_digit)?;
        // No rule takes a number that a letter joins to a word, and none so short that stands alone.
        let len = bytes.get(at..)?.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let next = bytes.get(at + len).copied().unwrap_or_default();
        let alone = len < code::SHORTEST && (next.is_ascii_alphanumeric() || b":,;=/\"'".contains(&next) || next == 0);
        if alone || !words::starts_token(bytes, at) {
            at += len;
            continue;
        }
        let chain = Chain::at(bytes, at);
        let count: usize = chain.groups().iter().map(|group| group.len()).sum();
        let long = || {
            card::find(&chain)
                .or_else(|| aadhaar::find(&chain))
                .or_else(|| account::find(&chain))
                .or_else(|| phone::find(&chain))
        };
        let found = if count >= LONG { long() } else { None };
        let found = found.or_else(|| code::find(&chain)).filter(|found| found.start >= from);
        if found.is_some() {
            return found;
        }
        at = chain.groups().first().map_or(at + 1, |first| first.end.max(at + 1));
    }
}
