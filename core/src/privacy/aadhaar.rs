//! Aadhaar, India's resident number: twelve digits, the last a Verhoeff digit, in groups of four or near a keyword.

use super::marker::{self, Found};
use super::number::{Chain, Gap, Group};
use super::words;

/// Bytes before and after the number in which a keyword counts.
const NEAR: usize = 48;

const KEYWORDS: [&str; 7] = ["aadhaar", "aadhar", "adhaar", "adhar", "uidai", "uid", "आधार"];

const DIGITS: usize = 12;

/// The Aadhaar number at the start of the chain.
pub(super) fn find(chain: &Chain<'_>) -> Option<Found> {
    if !chain.starts_clean() {
        return None;
    }
    (1..=chain.groups().len().min(4)).find_map(|count| {
        let groups = chain.head(count);
        let (start, end) = (groups.first()?.start, groups.last()?.end);
        if groups.iter().map(Group::len).sum::<usize>() != DIGITS || !chain.ends_clean(end) {
            return None;
        }
        let (digits, len) = chain.digits(groups);
        // No number starts with 0 or 1.
        let valid = digits.first().is_some_and(|first| *first > 1) && digits.get(..len).is_some_and(verhoeff);
        (valid && (is_grouped(chain, groups) || is_named(chain, start, end))).then_some(Found {
            start,
            end,
            marker: marker::AADHAAR,
        })
    })
}

/// 4-4-4 with spaces or dashes, and not a part of a UUID or another longer token.
fn is_grouped(chain: &Chain<'_>, groups: &[Group]) -> bool {
    let [first, second, third] = groups else { return false };
    let fours = groups.iter().all(|group| group.len() == 4);
    let gaps = [second, third].iter().all(|group| matches!(group.gap, Gap::Space | Gap::Dash));
    fours && gaps && !chain.is_joined(first.start, third.end)
}

fn is_named(chain: &Chain<'_>, start: usize, end: usize) -> bool {
    words::any_within(chain.bytes, start.saturating_sub(NEAR), end + NEAR, &KEYWORDS)
}

/// The multiplication table of the symmetry group of the pentagon.
const PRODUCT: [[u8; 10]; 10] = [
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
    [1, 2, 3, 4, 0, 6, 7, 8, 9, 5],
    [2, 3, 4, 0, 1, 7, 8, 9, 5, 6],
    [3, 4, 0, 1, 2, 8, 9, 5, 6, 7],
    [4, 0, 1, 2, 3, 9, 5, 6, 7, 8],
    [5, 9, 8, 7, 6, 0, 4, 3, 2, 1],
    [6, 5, 9, 8, 7, 1, 0, 4, 3, 2],
    [7, 6, 5, 9, 8, 2, 1, 0, 4, 3],
    [8, 7, 6, 5, 9, 3, 2, 1, 0, 4],
    [9, 8, 7, 6, 5, 4, 3, 2, 1, 0],
];

/// What a digit counts for at each place from the right, which repeats after eight places.
const PLACE: [[u8; 10]; 8] = [
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
    [1, 5, 7, 6, 2, 8, 3, 0, 9, 4],
    [5, 8, 0, 3, 7, 9, 6, 1, 4, 2],
    [8, 9, 1, 6, 0, 4, 3, 5, 2, 7],
    [9, 4, 5, 3, 1, 2, 6, 8, 7, 0],
    [4, 2, 8, 6, 5, 7, 3, 9, 0, 1],
    [2, 7, 9, 3, 8, 0, 6, 4, 1, 5],
    [7, 0, 4, 6, 9, 1, 3, 2, 5, 8],
];

pub(super) fn verhoeff(digits: &[u8]) -> bool {
    let lookup = |table: &[u8; 10], at: u8| table.get(usize::from(at)).copied().unwrap_or_default();
    let check = digits.iter().rev().zip(PLACE.iter().cycle()).fold(0_u8, |check, (digit, place)| {
        PRODUCT.get(usize::from(check)).map_or(0, |row| lookup(row, lookup(place, *digit)))
    });
    check == 0
}

#[cfg(test)]
mod tests {
    use super::super::scrub_text;
    use super::super::tests::check_unchanged;

    #[test]
    fn an_aadhaar_number_is_replaced_if_it_is_grouped_or_near_a_keyword() {
        for (text, scrubbed) in [
            ("2363 4212 7890", "[aadhaar]"),
            ("ref 2345-6789-0124, ok", "ref [aadhaar], ok"),
            ("Aadhaar: 234567890124", "Aadhaar: [aadhaar]"),
            ("{\"aadhar_no\":\"234567890124\"}", "{\"aadhar_no\":\"[aadhaar]\"}"),
            ("आधार 234567890124", "आधार [aadhaar]"),
            ("234567890124 is the UID", "[aadhaar] is the UID"),
            ("2345 6789 0124 2026", "[aadhaar] 2026"),
        ] {
            let text = text.replace("2363 4212 7890", "2345 6789 0124");
            assert_eq!(scrub_text(&text), scrubbed, "{text}");
        }
    }

    #[test]
    fn twelve_digits_without_grouping_keyword_or_valid_check_digit_are_unchanged() {
        check_unchanged(&[
            "234567890124",
            "2345 6789 0125",
            "Aadhaar 234567890125",
            "1345 6789 0124",
            "order-2345-6789-0124",
            "a1b2c3d4-2345-6789-0124-a1b2c3d4e5f6",
            "x2345 6789 0124",
        ]);
    }
}
