//! Words around a number, compared without regard to case.

use super::marker;

/// Bytes before or after a number in which words are looked for.
const WINDOW: usize = 96;

/// Words that stand between the name of a number and the number itself.
pub(super) const NUMBER: &[&str] = &["number", "numbers", "no", "nos", "num", "nr", "is", "was"];

/// Whether `word` (lower case) stands at `at`, in any case.
pub(super) fn starts_with(bytes: &[u8], at: usize, word: &[u8]) -> bool {
    bytes.get(at..).and_then(|rest| rest.get(..word.len())).is_some_and(|start| start.eq_ignore_ascii_case(word))
}

/// Whether one of the words stands in `bytes[from..to]`, also inside a longer word, but not inside a marker.
pub(super) fn any_within(bytes: &[u8], from: usize, to: usize, words: &[&str]) -> bool {
    (from..to.min(bytes.len())).any(|at| {
        words.iter().any(|word| {
            let word = word.as_bytes();
            at + word.len() <= to && starts_with(bytes, at, word) && !marker::encloses(bytes, at, at + word.len())
        })
    })
}

/// The same, but a word only counts when no letter stands beside it.
pub(super) fn any_whole_within(bytes: &[u8], from: usize, to: usize, words: &[&str]) -> bool {
    let letter = |at: Option<usize>| at.and_then(|at| bytes.get(at)).is_some_and(u8::is_ascii_alphabetic);
    (from..to.min(bytes.len())).any(|at| {
        words.iter().any(|word| {
            let end = at + word.len();
            end <= to
                && starts_with(bytes, at, word.as_bytes())
                && (!letter(at.checked_sub(1)) || ends_escape(bytes, at))
                && !letter(Some(end))
                && !marker::encloses(bytes, at, end)
        })
    })
}

/// Whether a word is one of these (lower case).
pub(super) fn is_any(word: &[u8], of: &[&str]) -> bool {
    of.iter().any(|known| word.eq_ignore_ascii_case(known.as_bytes()))
}

/// Whether the escape `\n`, `\r` or `\t` of JSON ends at `at`.
pub(super) fn ends_escape(bytes: &[u8], at: usize) -> bool {
    matches!(bytes.get(at.saturating_sub(2)..at), Some([b'\\', b'n' | b'r' | b't']))
}

/// Whether a token can start at `at`: no letter or digit before it, other than that of an escape.
pub(super) fn starts_token(bytes: &[u8], at: usize) -> bool {
    let before = at.checked_sub(1).and_then(|before| bytes.get(before));
    !before.is_some_and(u8::is_ascii_alphanumeric) || ends_escape(bytes, at)
}

/// The words before `at`, the nearest first, each as start and end.
///
/// A word is a run of ASCII letters without the letter of an escape (`\n`); `userPhone` and `OTPCode` are two.
pub(super) fn before(bytes: &[u8], at: usize) -> impl Iterator<Item = (usize, usize)> + Clone {
    let first = at.saturating_sub(WINDOW);
    let mut end = at.min(bytes.len());
    std::iter::from_fn(move || {
        loop {
            let last = first + bytes.get(first..end)?.iter().rposition(u8::is_ascii_alphabetic)? + 1;
            let mut start = last - 1;
            while start > first
                && bytes.get(start - 1).is_some_and(u8::is_ascii_alphabetic)
                && !turns(bytes, start, last)
            {
                start -= 1;
            }
            end = start;
            start += usize::from(ends_escape(bytes, start + 1));
            if start < last {
                return Some((start, last));
            }
        }
    })
}

/// Whether a word of camel case starts at `at`; `end` is where it ends.
fn turns(bytes: &[u8], at: usize, end: usize) -> bool {
    let is = |at: usize, of: fn(&u8) -> bool| bytes.get(at).is_some_and(of);
    is(at, u8::is_ascii_uppercase)
        && (is(at - 1, u8::is_ascii_lowercase)
            || (at + 1 < end && is(at - 1, u8::is_ascii_uppercase) && is(at + 1, u8::is_ascii_lowercase)))
}

/// The words after `at`, the nearest first, each as start and end.
pub(super) fn after(bytes: &[u8], at: usize) -> impl Iterator<Item = (usize, usize)> {
    let last = bytes.len().min(at.saturating_add(WINDOW));
    let mut next = at;
    std::iter::from_fn(move || {
        let start = next + bytes.get(next..last)?.iter().position(u8::is_ascii_alphabetic)?;
        let len = bytes.get(start..last)?.iter().take_while(|byte| byte.is_ascii_alphabetic()).count();
        next = start + len;
        Some((start, next))
    })
}
