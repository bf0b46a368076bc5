//! IBAN: a country, two check digits, and a length that the country uses; right when the remainder to 97 is 1.

use super::marker::{self, Found};
use super::words;

/// Bytes before a number in small letters in which the word `iban` is looked for.
const NEAR: usize = 24;

/// Digits of an IBAN, at least: every country has more, and words have none.
const DIGITS: usize = 8;

/// Countries and the lengths of their numbers.
const COUNTRIES: &[(&[u8; 2], usize)] = &[
    (b"AD", 24),
    (b"AE", 23),
    (b"AL", 28),
    (b"AT", 20),
    (b"AZ", 28),
    (b"BA", 20),
    (b"BE", 16),
    (b"BG", 22),
    (b"BH", 22),
    (b"BR", 29),
    (b"BY", 28),
    (b"CH", 21),
    (b"CR", 22),
    (b"CY", 28),
    (b"CZ", 24),
    (b"DE", 22),
    (b"DK", 18),
    (b"DO", 28),
    (b"EE", 20),
    (b"EG", 29),
    (b"ES", 24),
    (b"FI", 18),
    (b"FO", 18),
    (b"FR", 27),
    (b"GB", 22),
    (b"GE", 22),
    (b"GI", 23),
    (b"GL", 18),
    (b"GR", 27),
    (b"GT", 28),
    (b"HR", 21),
    (b"HU", 28),
    (b"IE", 22),
    (b"IL", 23),
    (b"IQ", 23),
    (b"IS", 26),
    (b"IT", 27),
    (b"JO", 30),
    (b"KW", 30),
    (b"KZ", 20),
    (b"LB", 28),
    (b"LC", 32),
    (b"LI", 21),
    (b"LT", 20),
    (b"LU", 20),
    (b"LV", 21),
    (b"LY", 25),
    (b"MC", 27),
    (b"MD", 24),
    (b"ME", 22),
    (b"MK", 19),
    (b"MR", 27),
    (b"MT", 31),
    (b"MU", 30),
    (b"NL", 18),
    (b"NO", 15),
    (b"PK", 24),
    (b"PL", 28),
    (b"PS", 29),
    (b"PT", 25),
    (b"QA", 29),
    (b"RO", 24),
    (b"RS", 22),
    (b"SA", 24),
    (b"SC", 31),
    (b"SD", 18),
    (b"SE", 24),
    (b"SI", 19),
    (b"SK", 24),
    (b"SM", 27),
    (b"ST", 25),
    (b"SV", 28),
    (b"TL", 23),
    (b"TN", 24),
    (b"TR", 26),
    (b"UA", 29),
    (b"VA", 22),
    (b"VG", 24),
    (b"XK", 20),
];

/// The next IBAN from `from` on.
pub(super) fn next(text: &str, from: usize) -> Option<Found> {
    let bytes = text.as_bytes();
    let mut at = from;
    loop {
        // Its check digits are rarer than its letters.
        at += bytes.get(at..)?.iter().position(u8::is_ascii_digit)?;
        if let Some(start) = at.checked_sub(2).filter(|start| *start >= from)
            && let Some(end) = end_of(bytes, start)
        {
            return Some(Found { start, end, marker: marker::IBAN });
        }
        at += bytes.get(at..)?.iter().take_while(|byte| byte.is_ascii_digit()).count();
    }
}

/// Where the IBAN that starts at `start` ends.
fn end_of(bytes: &[u8], start: usize) -> Option<usize> {
    let head = bytes.get(start..start + 4)?;
    let [a, b, b'0'..=b'9', b'0'..=b'9'] = head else { return None };
    let country = [a.to_ascii_uppercase(), b.to_ascii_uppercase()];
    let (_, len) = COUNTRIES.iter().find(|(name, _)| **name == country)?;
    if !words::starts_token(bytes, start) {
        return None;
    }
    let mut number = [0_u8; 34];
    let (mut at, mut lower) = (start, false);
    for (count, slot) in number.iter_mut().enumerate().take(*len) {
        // Groups of four.
        if count > 0 && count.is_multiple_of(4) && matches!(bytes.get(at), Some(b' ' | b'-')) {
            at += 1;
        }
        let byte = bytes.get(at).filter(|byte| byte.is_ascii_alphanumeric())?;
        lower |= byte.is_ascii_lowercase();
        *slot = *byte;
        at += 1;
    }
    let number = number.get(..*len)?;
    let digits = number.iter().filter(|byte| byte.is_ascii_digit()).count();
    let named = || words::any_within(bytes, start.saturating_sub(NEAR), start, &["iban"]);
    let whole = !bytes.get(at).is_some_and(u8::is_ascii_alphanumeric);
    (whole && digits >= DIGITS && is_checked(number) && (!lower || named())).then_some(at)
}

fn is_checked(number: &[u8]) -> bool {
    let (head, rest) = number.split_at(4.min(number.len()));
    let remainder = rest.iter().chain(head).fold(0_u32, |remainder, byte| {
        let value = char::from(*byte).to_digit(36).unwrap_or_default();
        (remainder * if value > 9 { 100 } else { 10 } + value) % 97
    });
    remainder == 1
}

#[cfg(test)]
mod tests {
    use super::super::tests::{check, check_unchanged};

    #[test]
    fn ibans_are_found_plain_and_grouped() {
        check(&[
            ("DE89370400440532013000", "[iban]"),
            ("IBAN: GB82 WEST 1234 5698 7654 32.", "IBAN: [iban]."),
            ("to FR1420041010050500013M02606, ok", "to [iban], ok"),
            ("AE07-0331-2345-6789-0123-456", "[iban]"),
            ("{\"iban\":\"nl91abna0417164300\"}", "{\"iban\":\"[iban]\"}"),
            ("\\nNO9386011117947", "\\n[iban]"),
        ]);
    }

    #[test]
    fn other_tokens_stay() {
        check_unchanged(&[
            "DE89370400440532013001",
            "nl91abna0417164300",
            "IN89370400440532013000",
            "XDE89370400440532013000",
            "DE89370400440532013000F",
            "SE12",
        ]);
    }
}
