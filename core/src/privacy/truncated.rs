//! Texts that were cut where they were recorded: half a secret at their end has lost what a rule would know it by.

use crate::limits::NAME_BYTES;

/// Ends a text that was cut.
const ELLIPSIS: char = '…';

/// Bytes of the shortest text that was cut, about: the limit of a name.
const SHORTEST: usize = NAME_BYTES - 16;

/// The cut text without the token that the cut went through, when that can be half of a secret; `None` = it is whole.
pub(super) fn whole(text: &str) -> Option<String> {
    let kept = text.strip_suffix(ELLIPSIS).filter(|kept| kept.len() >= SHORTEST)?;
    let token = |char: char| char.is_alphanumeric() || "@._+-%~#".contains(char);
    let before = kept.trim_end_matches(token);
    // The groups of a number belong together: `4111 1111 11`.
    let number = kept.trim_end_matches(|char: char| char.is_ascii_digit() || matches!(char, ' ' | '-' | '+'));
    let before = if number.len() < before.len() { number } else { before };
    let dropped = kept.get(before.len()..)?;
    let secret = dropped.contains(|char: char| char.is_numeric() || char == '@') && !dropped.ends_with(' ');
    // The space keeps the rest a token of its own, so that a second look finds it whole.
    secret.then(|| [before, " …"].concat())
}

#[cfg(test)]
mod tests {
    use super::super::scrub_text;

    #[test]
    fn half_a_secret_at_the_end_of_a_cut_text_goes() {
        let long = "a word ".repeat(30);
        for half in
            ["priya.sharma@exa", "priya@", "4111 1111 1111 1", "98765 432", "eyJhbGciOiJIUzI1", "AKIA2BCDEF", "+91 98"]
        {
            let scrubbed = scrub_text(&format!("{long}{half}…")).into_owned();
            assert!(
                !scrubbed.contains(half.split(' ').next().unwrap()) && scrubbed.ends_with('…'),
                "{half}: {scrubbed}"
            );
            assert_eq!(scrub_text(&scrubbed), scrubbed);
        }
    }

    #[test]
    fn other_ends_stay() {
        let long = "a word ".repeat(30);
        for text in ["Loading 12…".to_owned(), format!("{long}and so o…"), format!("{long}4711 done…"), long.clone()]
        {
            assert_eq!(scrub_text(&text), text);
        }
    }
}
