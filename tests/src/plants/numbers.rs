//! Numbers with check digits, made by other means than the rules that find them.

use super::{DIGITS, UPPER, pick};
use crate::seeded::Seeded;

/// A card number with a right check digit.
pub fn card(random: &mut Seeded) -> String {
    let body = format!("{}{}", pick(random, &["4111", "5399", "4000", "6521"]), random.text(DIGITS, 11));
    let sum: u32 = body
        .bytes()
        .rev()
        .enumerate()
        .map(|(at, byte)| {
            let digit = u32::from(byte - b'0') * if at % 2 == 0 { 2 } else { 1 };
            if digit > 9 { digit - 9 } else { digit }
        })
        .sum();
    format!("{body}{}", (10 - sum % 10) % 10)
}

/// An Aadhaar number from its first eleven digits: Verhoeff's scheme over the dihedral group of ten.
///
/// # Panics
/// Never: one of the ten digits fits.
#[must_use]
pub fn with_verhoeff(digits: &str) -> String {
    const PERMUTATION: [u32; 10] = [1, 5, 7, 6, 2, 8, 3, 0, 9, 4];
    let multiply = |a: u32, b: u32| match (a < 5, b < 5) {
        (true, true) => (a + b) % 5,
        (true, false) => (a + b - 5) % 5 + 5,
        (false, true) => (a + 5 - b) % 5 + 5,
        (false, false) => (a + 5 - b) % 5,
    };
    let mut check = 0;
    for (at, byte) in digits.bytes().rev().enumerate() {
        let digit = (0..=at % 8).fold(u32::from(byte - b'0'), |digit, _| PERMUTATION[digit as usize]);
        check = multiply(check, digit);
    }
    let last = (0..10).find(|last| multiply(check, *last) == 0).unwrap_or_default();
    format!("{digits}{last}")
}

/// The digits in groups of four.
pub(super) fn groups(digits: &str, separator: &str) -> String {
    let groups: Vec<&str> = (0..digits.len()).step_by(4).map(|at| &digits[at..(at + 4).min(digits.len())]).collect();
    groups.join(separator)
}

/// A GSTIN from its first fourteen characters.
pub(super) fn with_gst_check(body: &str) -> String {
    let sum: u32 = body
        .chars()
        .enumerate()
        .map(|(at, char)| {
            let product = char.to_digit(36).unwrap_or_default() * if at % 2 == 0 { 1 } else { 2 };
            product / 36 + product % 36
        })
        .sum();
    let check = std::char::from_digit((36 - sum % 36) % 36, 36).unwrap_or('0').to_ascii_uppercase();
    format!("{body}{check}")
}

/// An IBAN with right check digits, plain or in groups.
pub fn iban(random: &mut Seeded) -> String {
    let (country, body) = match random.below(3) {
        0 => ("DE", random.text(DIGITS, 18)),
        1 => ("GB", format!("{}{}", random.text(UPPER, 4), random.text(DIGITS, 14))),
        _ => ("NL", format!("{}{}", random.text(UPPER, 4), random.text(DIGITS, 10))),
    };
    let remainder = format!("{body}{country}00").chars().fold(0_u32, |remainder, char| {
        let value = char.to_digit(36).unwrap_or_default();
        (remainder * if value > 9 { 100 } else { 10 } + value) % 97
    });
    let iban = format!("{country}{:02}{body}", 98 - remainder);
    if random.below(2) == 0 { iban } else { groups(&iban, " ") }
}
