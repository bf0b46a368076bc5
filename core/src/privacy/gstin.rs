//! GSTIN, India's number of a taxed business: the code of a state, a PAN, the number of the registration, `Z` and a
//! check character. The PAN in it makes it personal also when the check character is wrong.

use super::marker::{self, Found};
use super::{pan, words};

const LEN: usize = 15;

/// Bytes before a number in small letters with a wrong check character in which the word `gst` is looked for.
const NEAR: usize = 24;

/// The next GSTIN from `from` on.
pub(super) fn next(text: &str, from: usize) -> Option<Found> {
    let bytes = text.as_bytes();
    let mut at = from;
    loop {
        at += bytes.get(at..)?.iter().position(u8::is_ascii_digit)?;
        if is_gstin(bytes, at) {
            return Some(Found { start: at, end: at + LEN, marker: marker::GSTIN });
        }
        at += 1;
    }
}

fn is_gstin(bytes: &[u8], start: usize) -> bool {
    let Some(number) = bytes.get(start..start + LEN) else { return false };
    let [s1 @ b'0'..=b'9', s2 @ b'0'..=b'9', tax @ .., entity, b'Z' | b'z', check] = number else { return false };
    let state = (s1 - b'0') * 10 + (s2 - b'0');
    let shape = matches!(state, 1..=38 | 97 | 99)
        && pan::has_shape(tax)
        && entity.is_ascii_alphanumeric()
        && check.is_ascii_alphanumeric()
        && words::starts_token(bytes, start)
        && !bytes.get(start + LEN).is_some_and(u8::is_ascii_alphanumeric);
    let upper = || number.iter().all(|byte| !byte.is_ascii_lowercase());
    shape && (upper() || is_checked(number) || words::any_within(bytes, start.saturating_sub(NEAR), start, &["gst"]))
}

/// Whether the last character is the check character of the others: Luhn's sum to the base of 36.
fn is_checked(number: &[u8]) -> bool {
    let value = |byte: &u8| char::from(*byte).to_digit(36).unwrap_or_default();
    let Some((last, rest)) = number.split_last() else { return false };
    let sum: u32 = rest
        .iter()
        .enumerate()
        .map(|(at, byte)| {
            let product = value(byte) * if at.is_multiple_of(2) { 1 } else { 2 };
            product / 36 + product % 36
        })
        .sum();
    (36 - sum % 36) % 36 == value(last)
}

#[cfg(test)]
mod tests {
    use super::super::tests::{check, check_unchanged};

    #[test]
    fn numbers_of_businesses_are_found() {
        check(&[
            ("27ABCPE1234F1Z5", "[gstin]"),
            ("GSTIN: 27AAPFU0939F1ZV.", "GSTIN: [gstin]."),
            ("{\"gst\":\"29AABCT1332L1ZD\"}", "{\"gst\":\"[gstin]\"}"),
            ("27aapfu0939f1zv", "[gstin]"),
            ("gstin 27aapfu0939f1zz", "gstin [gstin]"),
            ("x=27AAPFU0939F1ZV&y", "x=[gstin]&y"),
            ("\\n27AAPFU0939F1ZV", "\\n[gstin]"),
        ]);
        assert!(super::is_checked(b"27AAPFU0939F1ZV") && super::is_checked(b"29AABCT1332L1ZA"));
        assert!(!super::is_checked(b"27AAPFU0939F1ZW"));
    }

    #[test]
    fn other_tokens_stay() {
        check_unchanged(&[
            "47ABCPE1234F1Z5",
            "27ABCPE1234F1X5",
            "27abcpe1234f1z4",
            "A27ABCPE1234F1Z5B",
            "27ABCDE1234F1Z5",
        ]);
    }
}
