//! Phone numbers: with `+`, in a grouping that phone numbers have, with a keyword, or after a verb of sending.

use super::marker::{self, Found};
use super::number::{Chain, Gap, Group};
use super::words;

/// Digits of a number with `+` (E.164 allows fifteen; fewer than eight is a difference or a time zone).
const PLUS_DIGITS: std::ops::RangeInclusive<usize> = 8..=15;

/// Digits of a number that a keyword announces.
const NAMED_DIGITS: std::ops::RangeInclusive<usize> = 7..=15;

/// Bytes before a number of a mobile's form in which a keyword counts.
const NEAR_BEFORE: usize = 40;

/// The same after it: `9876543210 (mobile)`.
const NEAR_AFTER: usize = 12;

/// Words between keyword and number, at most.
const WORDS_BETWEEN: usize = 6;

/// Keywords that stand for a phone number in any word: `userPhone`, `phone_number`.
const STRONG: [&str; 8] = ["phone", "mobile", "whatsapp", "msisdn", "telefon", "फोन", "फ़ोन", "मोबाइल"];

/// Keywords only as whole words.
const WHOLE: &[&str] = &["tel", "ph", "mob", "cell", "fax", "sms", "cellular", "wa"];

/// Words, verbs above all, that also announce other numbers; they count only before a number of a mobile's form.
const WEAK: &[&str] = &[
    "call",
    "calls",
    "calling",
    "called",
    "contact",
    "contacting",
    "contacted",
    "dial",
    "dialing",
    "dialling",
    "dialed",
    "dialled",
    "ring",
    "ringing",
    "text",
    "texting",
    "texted",
    "reach",
    "reached",
    "messaging",
    "caller",
    "callback",
    "missed",
    "voicemail",
    "to",
];

/// Words of sending; they count only before a number of a mobile's form and with a preposition between:
/// `OTP sent to 9876543210`, but not `sent 9876543210 bytes`.
const SENDING: &[&str] = &[
    "send",
    "sends",
    "sent",
    "sending",
    "resend",
    "resent",
    "resending",
    "deliver",
    "delivered",
    "delivering",
    "forward",
    "forwarded",
    "forwarding",
    "notify",
    "notified",
    "notifying",
    "dispatched",
    "pushed",
    "invited",
    "inviting",
    "otp",
    "code",
    "message",
    "msg",
    "link",
    "invite",
    "notification",
    "reminder",
    "alert",
    "verify",
    "verifying",
    "verified",
    "pay",
    "paid",
    "paying",
    "transfer",
    "transferred",
    "refund",
    "refunded",
    "recharge",
    "recharged",
    "share",
    "shared",
];

/// Prepositions of sending.
const PREPOSITIONS: &[&str] = &["to", "from", "on", "at", "via", "for"];

/// Words after a number that say that it counts something.
const UNITS: &[&str] = &[
    "bytes", "byte", "kb", "mb", "ms", "us", "ns", "s", "sec", "seconds", "users", "devices", "rows", "items",
    "events", "records", "times", "requests",
];

/// Words that may stand between a keyword and its number.
const BETWEEN: &[&str] = &[
    "at",
    "on",
    "me",
    "us",
    "my",
    "his",
    "her",
    "their",
    "your",
    "our",
    "the",
    "a",
    "of",
    "to",
    "or",
    "and",
    "for",
    "from",
    "via",
    "with",
    "home",
    "work",
    "office",
    "primary",
    "alternate",
    "customer",
    "user",
    "new",
    "registered",
];

/// The phone number at the start of the chain.
pub(super) fn find(chain: &Chain<'_>) -> Option<Found> {
    let count = plus(chain).or_else(|| grouped(chain)).or_else(|| named(chain))?;
    let mut start = chain.start();
    // `+` and `(` belong to the number; a plus behind a word stands for a space.
    while matches!(chain.byte_before(start), Some(b'+' | b'(')) {
        if chain.byte_before(start) == Some(b'+') && is_joined_plus(chain, start - 1) {
            break;
        }
        start -= 1;
    }
    Some(Found { start, end: chain.head(count).last()?.end, marker: marker::PHONE })
}

/// How many groups make the longest number with a count of digits in `allowed`.
fn longest(groups: &[Group], allowed: std::ops::RangeInclusive<usize>) -> Option<usize> {
    let (mut digits, mut best) = (0, None);
    for (at, group) in groups.iter().enumerate() {
        digits += group.len();
        if allowed.contains(&digits) {
            best = Some(at + 1);
        }
    }
    best
}

/// `+91 98765 43210`.
fn plus(chain: &Chain<'_>) -> Option<usize> {
    let start = chain.start();
    let open = if chain.byte_before(start) == Some(b'(') { start - 1 } else { start };
    let sign = open.checked_sub(1).filter(|at| chain.byte(*at) == Some(b'+'))?;
    // A time zone and a signed decimal start with `+0` or have one dot.
    if is_joined_plus(chain, sign) || chain.byte(start) == Some(b'0') {
        return None;
    }
    let count = longest(chain.groups(), PLUS_DIGITS)?;
    match chain.head(count) {
        [_, fraction] if fraction.gap == Gap::Dot && fraction.len() < 9 => None,
        [_] if !chain.ends_clean(chain.head(count).last()?.end) => None,
        _ => Some(count),
    }
}

/// Whether the plus at `at` joins two things: the build of a version (`1.2.3+20261123`), a sum, base64.
fn is_joined_plus(chain: &Chain<'_>, at: usize) -> bool {
    chain.byte_before(at).is_some_and(|byte| byte.is_ascii_alphanumeric()) && !words::ends_escape(chain.bytes, at)
}

/// `98765 43210`, `(415) 555-0123`, `022-2345 6789`.
fn grouped(chain: &Chain<'_>) -> Option<usize> {
    if !chain.starts_clean() || chain.groups().len() < 2 {
        return None;
    }
    (2..=chain.groups().len().min(5)).rev().find(|count| {
        let groups = chain.head(*count);
        let end = groups.last().map_or(0, |group| group.end);
        let dashed = groups.iter().skip(1).any(|group| group.gap == Gap::Dash);
        let joined = chain.is_joined(chain.start(), end) && (dashed || chain.byte(end) == Some(b'_'));
        is_phone_grouping(chain, groups) && chain.ends_clean(end) && !joined
    })
}

fn is_phone_grouping(chain: &Chain<'_>, groups: &[Group]) -> bool {
    let mut lens = [0; 5];
    lens.iter_mut().zip(groups).for_each(|(len, group)| *len = group.len());
    let text =
        |group: usize| groups.get(group).and_then(|group| chain.bytes.get(group.start..group.end)).unwrap_or_default();
    let first_digit = |group: usize| text(group).first().copied().unwrap_or_default();
    let mobile = |group: usize| matches!(first_digit(group), b'6'..=b'9');
    let area = |group: usize| matches!(first_digit(group), b'2'..=b'9');
    // A trunk prefix, then the number of a town.
    let trunk = matches!(text(0), [b'0', b'1'..=b'9', ..]);
    let dots = groups.iter().skip(1).filter(|group| group.gap == Gap::Dot).count();
    if dots > 0 && (dots + 1 < groups.len() || !matches!(lens, [3, 3, 4, 0, 0] | [2, 2, 2, 2, 2])) {
        return false;
    }
    match lens {
        [5, 5, 0, 0, 0] | [4, 3, 3, 0, 0] => mobile(0),
        [3, 3, 4, 0, 0] => (area(0) && area(1)) || mobile(0) || trunk,
        [1, 3, 3, 4, 0] => text(0) == b"1" && area(1),
        [2, 10, 0, 0, 0] | [2, 5, 5, 0, 0] => text(0) == b"91" && mobile(1),
        [4, 10, 0, 0, 0] | [4, 5, 5, 0, 0] => text(0) == b"0091" && mobile(1),
        [1, 10, 0, 0, 0] | [1, 5, 5, 0, 0] => text(0) == b"0" && mobile(1),
        [2, 4, 4, 0, 0]
        | [2, 8, 0, 0, 0]
        | [3, 4, 4, 0, 0]
        | [3, 8, 0, 0, 0]
        | [3, 7, 0, 0, 0]
        | [4, 3, 4, 0, 0]
        | [4, 6, 0, 0, 0]
        | [4, 7, 0, 0, 0]
        | [5, 3, 3, 0, 0]
        | [5, 6, 0, 0, 0]
        | [6, 5, 0, 0, 0]
        | [2, 2, 2, 2, 2] => trunk,
        _ => false,
    }
}

/// `phone: 9876543210`.
fn named(chain: &Chain<'_>) -> Option<usize> {
    let count = longest(chain.groups(), NAMED_DIGITS)?;
    // An address in the net and a decimal have dots, a phone number of the other rules may.
    let plain = |count: usize| chain.head(count).iter().skip(1).all(|group| group.gap != Gap::Dot);
    let count =
        (1..=count).rev().find(|count| plain(*count) && longest(chain.head(*count), NAMED_DIGITS) == Some(*count))?;
    let end = chain.head(count).last()?.end;
    if !chain.starts_clean() || !chain.ends_clean(end) || is_quantity(chain.bytes, end) {
        return None;
    }
    let start = chain.start();
    let mobile = is_mobile(chain);
    let near = || {
        words::any_within(chain.bytes, start.saturating_sub(NEAR_BEFORE), start, &STRONG)
            || words::any_within(chain.bytes, end, end + NEAR_AFTER, &STRONG)
    };
    (is_announced(chain, mobile.is_some()) || (mobile.is_some() && near())).then(|| mobile.unwrap_or(count).max(count))
}

/// How many groups make an Indian mobile number: ten digits from 6 on, after 0 or 91 or nothing.
fn is_mobile(chain: &Chain<'_>) -> Option<usize> {
    (1..=chain.groups().len().min(3)).find(|count| {
        let (digits, len) = chain.digits(chain.head(*count));
        match digits {
            [6..=9, ..] if len == 10 => true,
            [0, 6..=9, ..] => len == 11,
            [9, 1, 6..=9, ..] => len == 12,
            _ => false,
        }
    })
}

/// Whether the words before the number lead back to a keyword.
fn is_announced(chain: &Chain<'_>, mobile: bool) -> bool {
    let bytes = chain.bytes;
    let mut preposition = false;
    for (nth, (start, end)) in words::before(bytes, chain.start()).take(WORDS_BETWEEN).enumerate() {
        if chain.start() - end > NEAR_BEFORE || marker::encloses(bytes, start, end) {
            return false;
        }
        let word = bytes.get(start..end).unwrap_or_default();
        if words::any_within(bytes, start, end, &STRONG)
            || words::is_any(word, WHOLE)
            || (mobile && (words::is_any(word, WEAK) || (preposition && words::is_any(word, SENDING))))
        {
            return true;
        }
        preposition |= nth == 0 && words::is_any(word, PREPOSITIONS);
        // `phoneNo` and `phone_no` are two words each.
        if !words::is_any(word, words::NUMBER) && !words::is_any(word, BETWEEN) {
            return false;
        }
    }
    false
}

/// Whether a word behind the number says that it counts something.
fn is_quantity(bytes: &[u8], end: usize) -> bool {
    words::after(bytes, end).next().is_some_and(|(start, last)| {
        start == end + 1 && words::is_any(bytes.get(start..last).unwrap_or_default(), UNITS)
    })
}

#[cfg(test)]
mod tests {
    use super::super::tests::{check, check_unchanged};

    #[test]
    fn a_phone_number_is_replaced_if_it_has_a_plus_grouping_or_a_keyword() {
        check(&[
            ("+919876543210", "[phone]"),
            ("+91 98765 43210", "[phone]"),
            ("+91-98765-43210.", "[phone]."),
            ("(+91) 98765 43210", "[phone]"),
            ("+1 (415) 555-0123", "[phone]"),
            ("+1.415.555.0123", "[phone]"),
            ("+91.9876543210", "[phone]"),
            ("+44 20 7946 0958", "[phone]"),
            ("%2B919876543210", "[phone]"),
            ("/call/%2b919876543210/now", "/call/[phone]/now"),
            ("98765 43210", "[phone]"),
            ("98765-43210", "[phone]"),
            ("call 98765\u{a0}43210 now", "call [phone] now"),
            ("(415) 555-0123", "[phone]"),
            ("415-555-0123", "[phone]"),
            ("415.555.0123", "[phone]"),
            ("1-800-555-0123", "[phone]"),
            ("022-2345 6789", "[phone]"),
            ("0161 496 0123", "[phone]"),
            ("07700 900123", "[phone]"),
            ("01 23 45 67 89", "[phone]"),
            ("91-9876543210", "[phone]"),
            ("phone: 9876543210", "phone: [phone]"),
            ("{\"phone_number\":\"9876543210\"}", "{\"phone_number\":\"[phone]\"}"),
            ("userPhone=9876543210&x=1", "userPhone=[phone]&x=1"),
            ("Tel. 2345678", "Tel. [phone]"),
            ("call me on 9876543210", "call me on [phone]"),
            ("mobile number of the customer is 09876543210", "mobile number of the customer is [phone]"),
            ("phones 9876543210 or 9876543211", "phones [phone] or [phone]"),
            ("9876543210 (mobile)", "[phone] (mobile)"),
            ("tel:9876543210", "tel:[phone]"),
            // A marker is no keyword, or a second look would find more than the first.
            ("+919123456789, order 9876543210", "[phone], order 9876543210"),
            ("contact 919876543210", "contact [phone]"),
            ("line\\ncall me at 9876543210\\n", "line\\ncall me at [phone]\\n"),
            ("/phone/9876543210/verify", "/phone/[phone]/verify"),
            ("फ़ोन 9876543210", "फ़ोन [phone]"),
            ("OTP sent to 9876543210", "OTP sent to [phone]"),
            ("calling 9876543210", "calling [phone]"),
            ("SMS delivered to 9876543210.", "SMS delivered to [phone]."),
            ("link+sent+to+9876543210", "link+sent+to+[phone]"),
            ("https://wa.me/919876543210", "https://wa.me/[phone]"),
            ("missed call from 9876543210", "missed call from [phone]"),
            ("to 9876543210", "to [phone]"),
            ("dialled 919876543210", "dialled [phone]"),
            ("notification for 9876543210", "notification for [phone]"),
        ]);
    }

    #[test]
    fn numbers_that_are_not_phone_numbers_are_unchanged() {
        check_unchanged(&[
            "9876543210",
            "order 9876543210",
            "api call 1732356000000",
            "mobile checkout failed at 1732356000000",
            "2026-11-23 10:15:30",
            "2026-11-23T10:15:30+05:30",
            "1.2.3+20261123",
            "+1500.50",
            "+12.97160000",
            "12.971600 77.594600",
            "77.59456 98.71600",
            "ORD-98765-43210",
            "402-1234567-1234567",
            "192.168.100.200",
            "4.15.555.0123",
            "phone 12345",
            "cancelled 1234567890",
            "sent 9876543210 bytes",
            "sent order 9876543210",
            "shipped to hub 9876543210",
            "seq 1099511627",
            "AWB 9876543210",
            "OTP sent to 5876543210",
            "calling 5876543210",
            "sent to 1099511627",
        ]);
    }
}
