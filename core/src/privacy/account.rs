//! Numbers of bank accounts: nine to eighteen digits after `A/c` or `account`, or near the code of a branch (IFSC).

use super::marker::{self, Found};
use super::number::{Chain, Gap, Group};
use super::words;
use std::ops::RangeInclusive;

const DIGITS: RangeInclusive<usize> = 9..=18;

/// Bytes around a number in which the code of a branch or the word `IFSC` counts.
const NEAR: usize = 48;

/// Words between the word for an account and its number.
const WORDS_BETWEEN: usize = 6;

/// Words for an account.
const ACCOUNTS: &[&str] = &["account", "acct", "acc", "accountno", "acctno", "accountnumber", "acno", "iban"];

/// Words that can stand between that word and the number.
const BETWEEN: &[&str] = &[
    "of",
    "to",
    "from",
    "in",
    "into",
    "bank",
    "savings",
    "saving",
    "current",
    "beneficiary",
    "your",
    "my",
    "the",
    "customer",
    "holder",
    "ending",
];

/// The account number at the start of the chain.
pub(super) fn find(chain: &Chain<'_>) -> Option<Found> {
    if !chain.starts_clean() {
        return None;
    }
    (1..=chain.groups().len()).rev().find_map(|count| {
        let groups = chain.head(count);
        let (start, end) = (groups.first()?.start, groups.last()?.end);
        let even = groups.iter().take(count - 1).all(|group| group.len() >= 3)
            && groups.iter().skip(1).all(|group| matches!(group.gap, Gap::Space | Gap::Dash));
        let digits: usize = groups.iter().map(Group::len).sum();
        let fits = even && DIGITS.contains(&digits) && chain.ends_clean(end) && !chain.is_joined(start, end);
        (fits && (is_announced(chain.bytes, start) || (count == 1 && is_near_branch(chain.bytes, start, end))))
            .then_some(Found { start, end, marker: marker::ACCOUNT })
    })
}

fn is_announced(bytes: &[u8], start: usize) -> bool {
    let mut before = words::before(bytes, start).peekable();
    let mut right = start;
    for _ in 0..WORDS_BETWEEN {
        let Some((from, to)) = before.next() else { return false };
        let word = bytes.get(from..to).unwrap_or_default();
        if right - to > 12 || marker::encloses(bytes, from, to) {
            return false;
        }
        // `A/c` is two words, and `AC` alone is none of ours.
        let slash = from.checked_sub(2).and_then(|at| bytes.get(at..from));
        let short = words::is_any(word, &["c"]) && matches!(slash, Some([b'a' | b'A', b'/']));
        let number = words::is_any(word, &["no", "number"]);
        let next = before.peek().and_then(|(from, to)| bytes.get(*from..*to)).unwrap_or_default();
        if short || words::is_any(word, ACCOUNTS) || (number && words::is_any(next, &["ac"])) {
            return true;
        }
        if !words::is_any(word, words::NUMBER) && !words::is_any(word, BETWEEN) {
            return false;
        }
        right = from;
    }
    false
}

fn is_near_branch(bytes: &[u8], start: usize, end: usize) -> bool {
    let (first, last) = (start.saturating_sub(NEAR), bytes.len().min(end + NEAR));
    words::any_whole_within(bytes, first, last, &["ifsc"])
        || (first..last).any(|at| words::starts_token(bytes, at) && is_branch(bytes, at))
}

/// Four letters, a zero, six letters or digits: `HDFC0001234`.
fn is_branch(bytes: &[u8], at: usize) -> bool {
    let Some([bank @ .., b'0', b1, b2, b3, b4, b5, b6]) = bytes.get(at..at + 11) else { return false };
    let end = bytes.get(at + 11).is_some_and(u8::is_ascii_alphanumeric);
    let branch = [b1, b2, b3, b4, b5, b6];
    !end && bank.iter().all(u8::is_ascii_uppercase)
        && branch.iter().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
        && branch.iter().any(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::super::tests::{check, check_unchanged};

    #[test]
    fn account_numbers_are_found_by_their_word_or_their_branch() {
        check(&[
            ("A/c 50100123456789", "A/c [account]"),
            ("a/c no. 50100123456789 debited", "a/c no. [account] debited"),
            ("acct: 123456789012", "acct: [account]"),
            ("account number is 123456789", "account number is [account]"),
            ("{\"accountNumber\":\"123456789012\"}", "{\"accountNumber\":\"[account]\"}"),
            ("{\\\"account_no\\\": \\\"123456789012\\\"}", "{\\\"account_no\\\": \\\"[account]\\\"}"),
            ("AC No 1234 5678 9012 34", "AC No [account]"),
            ("IFSC HDFC0001234 50100123456789", "IFSC HDFC0001234 [account]"),
            ("50100123456789, SBIN0000300", "[account], SBIN0000300"),
            ("credited to account 50100123456789", "credited to account [account]"),
        ]);
    }

    #[test]
    fn other_long_numbers_stay() {
        check_unchanged(&[
            "50100123456789",
            "invoice 50100123456789",
            "account created at 1732356000000",
            "account_id=1234567890",
            "accounting 123456789012",
            "ac 123456789012",
            "EAN 4006381333931",
            "ISBN 9783161484100",
            "tracking 123456789012",
            "account 12345678",
        ]);
    }
}
