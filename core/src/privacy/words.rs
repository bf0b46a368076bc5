//! Keywords in the neighbourhood of a number, found without regard to case.

/// Whether `word` (lower case) stands at `at`, in any case.
pub(super) fn starts_with(bytes: &[u8], at: usize, word: &[u8]) -> bool {
    bytes.get(at..).and_then(|rest| rest.get(..word.len())).is_some_and(|start| start.eq_ignore_ascii_case(word))
}

/// Whether one of the words stands in `bytes[from..to]`, anywhere in a longer word too, but not as a marker.
pub(super) fn any_within(bytes: &[u8], from: usize, to: usize, words: &[&str]) -> bool {
    (from..to.min(bytes.len())).any(|at| {
        words.iter().any(|word| {
            let word = word.as_bytes();
            at + word.len() <= to && starts_with(bytes, at, word) && !is_marker(bytes, at, at + word.len())
        })
    })
}

/// Whether the word at `start..end` is the inside of a marker such as `[phone]`.
pub(super) fn is_marker(bytes: &[u8], start: usize, end: usize) -> bool {
    bytes.get(end) == Some(&b']') && start.checked_sub(1).and_then(|before| bytes.get(before)) == Some(&b'[')
}

/// Bytes before a number in which words are looked for.
const WINDOW: usize = 96;

/// The words before `at`, the nearest first, each as start and end; a word is a run of ASCII letters, without the
/// letter of an escape (`\n`).
pub(super) fn before(bytes: &[u8], at: usize) -> impl Iterator<Item = (usize, usize)> {
    let first = at.saturating_sub(WINDOW);
    let mut end = at.min(bytes.len());
    std::iter::from_fn(move || {
        let last = first + bytes.get(first..end)?.iter().rposition(u8::is_ascii_alphabetic)? + 1;
        let other = bytes.get(first..last)?.iter().rposition(|byte| !byte.is_ascii_alphabetic());
        end = first + other.map_or(0, |other| other + 1);
        let escape = matches!(bytes.get(end.saturating_sub(1)..last), Some([b'\\', b'n' | b'r' | b't', ..]));
        Some((end + usize::from(escape), last))
    })
}
