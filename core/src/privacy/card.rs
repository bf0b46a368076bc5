//! Payment cards: a known issuer's prefix, a length that issuer uses, the Luhn digit, and not inside a longer token.

use super::marker::{self, Found};
use super::number::{Chain, Gap};
use super::words;

/// Bytes around a number in which a keyword counts.
const NEAR: usize = 40;

/// The card at the start of the chain.
pub(super) fn find(chain: &Chain<'_>) -> Option<Found> {
    if !chain.starts_clean() {
        return None;
    }
    // The longest first, or the start of a card of 19 digits would be taken for one of 16.
    (1..=chain.groups().len()).rev().find_map(|count| {
        let groups = chain.head(count);
        let fours = count == 4 && groups.iter().all(|group| group.len() == 4);
        let grouped = fours
            || groups.iter().all(|group| (3..=8).contains(&group.len()))
                && groups.iter().skip(1).all(|group| matches!(group.gap, Gap::Space | Gap::Dash));
        let (start, end) = (groups.first()?.start, groups.last()?.end);
        // Order numbers such as 402-1234567-1234567 are longer tokens; cards are printed with a group of four first.
        let part = groups.first()?.len() != 4 && chain.is_joined(start, end);
        if !(count == 1 || (grouped && !part)) || !chain.ends_clean(end) {
            return None;
        }
        let (digits, len) = chain.digits(groups);
        let digits = digits.get(..len)?;
        let known =
            end - start >= 12 && (is_issued(digits) || (is_old_visa(digits) && is_called_card(chain, start, end)));
        (known && luhn(digits)).then_some(Found { start, end, marker: marker::CARD })
    })
}

/// Whether an issuer with this prefix uses this length.
fn is_issued(digits: &[u8]) -> bool {
    let len = digits.len();
    let prefix = digits.iter().chain(&[0; 4]).take(4).fold(0_u32, |number, digit| number * 10 + u32::from(*digit));
    match prefix {
        // Visa.
        4000..=4999 => len == 16 || len == 19,
        // Mastercard.
        5100..=5599 | 2221..=2720 => len == 16,
        // American Express.
        3400..=3499 | 3700..=3799 => len == 15,
        // Diners Club.
        3000..=3059 | 3095 | 3600..=3699 | 3800..=3999 => len == 14 || len == 16,
        // JCB, and RuPay's share of it.
        3528..=3589 => len == 16 || len == 19,
        // Maestro, which issues all lengths.
        5018 | 5020 | 5038 | 5893 | 6304 | 6759 | 6761..=6763 => (12..=19).contains(&len),
        // Discover, UnionPay, RuPay.
        6000..=6099 | 6200..=6299 | 6440..=6599 => (16..=19).contains(&len),
        5080..=5089 | 8100..=8299 => len == 16,
        // Mir.
        2200..=2204 => (16..=19).contains(&len),
        _ => false,
    }
}

/// Visa's old length is also that of the bar codes on goods, so it takes a word to tell them apart.
fn is_old_visa(digits: &[u8]) -> bool {
    digits.len() == 13 && digits.first() == Some(&4)
}

fn is_called_card(chain: &Chain<'_>, start: usize, end: usize) -> bool {
    words::any_within(chain.bytes, start.saturating_sub(NEAR), end + NEAR, &["card", "visa"])
}

fn luhn(digits: &[u8]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .zip([false, true].into_iter().cycle())
        .map(|(digit, double)| {
            let digit = u32::from(*digit);
            if double { digit * 2 % 10 + digit / 5 } else { digit }
        })
        .sum();
    sum.is_multiple_of(10)
}

#[cfg(test)]
mod tests {
    use super::super::scrub_text;
    use super::super::tests::check_unchanged;

    #[test]
    fn card_numbers_of_every_issuer_are_replaced_with_and_without_separators() {
        for card in [
            "4111111111111111",
            "4111 1111 1111 1111",
            "4111-1111-1111-1111",
            "4111\u{a0}1111\u{2011}1111 1111",
            "4111%201111%201111%201111",
            "5555555555554444",
            "2223003122003222",
            "378282246310005",
            "3782 822463 10005",
            "30569309025904",
            "3056 930902 5904",
            "6011111111111117",
            "3530111333300000",
            "6200000000000005",
            "4111.1111.1111.1111",
            "4111_1111_1111_1111",
            "4111\t1111\t1111\t1111",
            "6521111111111110",
            "5018000000000009",
            "2200000000000004",
        ] {
            assert_eq!(scrub_text(card), "[card]", "{card}");
            for (before, after) in [
                ("paid with ", "."),
                ("\"", "\""),
                ("(", ")"),
                ("é", "é"),
                ("x=", "&"),
                ("\\n", "\\n"),
                ("%20", "%20"),
                ("card_", "_"),
                ("1 ", " 22"),
            ] {
                assert_eq!(scrub_text(&format!("{before}{card}{after}")), format!("{before}[card]{after}"));
            }
        }
        assert_eq!(scrub_text("card 4222222222222"), "card [card]");
    }

    #[test]
    fn numbers_that_are_not_card_numbers_are_unchanged() {
        check_unchanged(&[
            "4111111111111112",
            "1111111111111117",
            "41111111111111110",
            "x4111111111111111",
            "4111111111111111a",
            "0.4111111111111111",
            "4111111111111111.25",
            "4222222222222",
            "1795400000000",
            "1795400000000000",
            "20261123101530",
            "402-1234567-1234567",
            "402-3812754-1868409",
            "9400111899223197428490",
        ]);
    }
}
