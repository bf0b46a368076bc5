//! PAN, India's tax number: five letters, of which the fourth is the kind of holder, four digits, one letter.

use super::marker::{self, Found};
use super::words;

const LEN: usize = 10;

/// Bytes before a number in small letters in which the word `pan` is looked for.
const NEAR: usize = 24;

/// Person, company, family, firm, association, trust, body, local authority, artificial person, government.
const HOLDERS: &[u8] = b"PCHFATBLJG";

/// The next PAN from `from` on.
pub(super) fn next(text: &str, from: usize) -> Option<Found> {
    let bytes = text.as_bytes();
    let mut at = from;
    loop {
        // Digits are rarer than letters.
        at += bytes.get(at..)?.iter().position(u8::is_ascii_digit)?;
        if let Some(start) = at.checked_sub(5).filter(|start| *start >= from && is_pan(bytes, *start)) {
            return Some(Found { start, end: start + LEN, marker: marker::PAN });
        }
        at += bytes.get(at..)?.iter().take_while(|byte| byte.is_ascii_digit()).count();
    }
}

fn is_pan(bytes: &[u8], start: usize) -> bool {
    let Some(pan) = bytes.get(start..start + LEN) else { return false };
    if !has_shape(pan)
        || bytes.get(start + LEN).is_some_and(u8::is_ascii_alphanumeric)
        || !words::starts_token(bytes, start)
    {
        return false;
    }
    // `order1234x` has the shape; in small letters it takes a word to tell.
    let upper = pan.iter().all(|byte| !byte.is_ascii_lowercase());
    upper || words::any_within(bytes, start.saturating_sub(NEAR), start, &["pan"])
}

/// Whether the ten characters are letters and digits in the places of a PAN, in any case.
pub(super) fn has_shape(pan: &[u8]) -> bool {
    let [letters @ .., d1, d2, d3, d4, last] = pan else { return false };
    letters.len() == 5
        && letters.iter().all(u8::is_ascii_alphabetic)
        && [d1, d2, d3, d4].iter().all(|byte| byte.is_ascii_digit())
        && last.is_ascii_alphabetic()
        && letters.get(3).is_some_and(|holder| HOLDERS.contains(&holder.to_ascii_uppercase()))
}

#[cfg(test)]
mod tests {
    use super::super::tests::{check, check_unchanged};

    #[test]
    fn tax_numbers_are_found_in_capitals_or_after_their_name() {
        check(&[
            ("ABCPE1234F", "[pan]"),
            ("(ABCPE1234F)", "([pan])"),
            ("PAN:ABCPE1234F.", "PAN:[pan]."),
            ("éABCPE1234Fé", "é[pan]é"),
            ("x_ABCPE1234F-1", "x_[pan]-1"),
            ("\\nABCPE1234F\\n", "\\n[pan]\\n"),
            ("%20ABCPE1234F", "%20[pan]"),
            ("my pan is abcpe1234f", "my pan is [pan]"),
        ]);
    }

    #[test]
    fn words_with_digits_stay() {
        check_unchanged(&[
            "ABCDE1234F",
            "XABCPE1234F",
            "ABCPE1234FX",
            "ABCPE12345",
            "ABCPE123F",
            "abcpe1234f",
            "pan ......................... abcpe1234f",
            "ORDER1234A",
        ]);
    }
}
