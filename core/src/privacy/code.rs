//! One-time codes, PINs and the check numbers of cards: three to eight digits that a word announces.

use super::marker::{self, Found};
use super::number::{Chain, Gap, Group};
use super::words;
use std::ops::RangeInclusive;

/// A word that announces a code.
struct Announcer {
    word: &'static str,
    /// The word only counts after one of these; empty = always.
    after: &'static [&'static str],
    /// Digits of the code.
    digits: RangeInclusive<usize>,
}

/// Digits of the shortest code.
pub(super) const SHORTEST: usize = 3;

const fn announcer(word: &'static str, after: &'static [&'static str], digits: RangeInclusive<usize>) -> Announcer {
    Announcer { word, after, digits }
}

/// What a code or password must be called to be one that is used once.
const SORTS: &[&str] = &[
    "verification",
    "security",
    "auth",
    "authentication",
    "login",
    "confirmation",
    "time",
    "otp",
    "access",
    "sms",
    "fa",
    "signin",
    "your",
    "use",
    "reset",
    "activation",
    "verify",
    "pin",
    "secret",
];

const ANNOUNCERS: &[Announcer] = &[
    announcer("otp", &[], 4..=8),
    announcer("totp", &[], 4..=8),
    announcer("fa", &[], 4..=8),
    announcer("passcode", &[], 4..=8),
    announcer("pin", &[], 4..=8),
    announcer("mpin", &[], 4..=8),
    announcer("tpin", &[], 4..=8),
    announcer("cvv", &[], 3..=4),
    announcer("cvc", &[], 3..=4),
    announcer("cvn", &[], 3..=4),
    announcer("code", SORTS, 4..=8),
    announcer("code", &["security", "card"], 3..=8),
    announcer("password", &["time"], 4..=8),
    announcer("number", &["security", "otp"], 3..=8),
];

/// Announcers in scripts without spaces or capitals, directly before the code.
const OTHER_SCRIPTS: &[&str] = &["ओटीपी", "पिन", "कोड", "验证码", "驗證碼", "رمز التحقق"];

/// Words that join an announcer to its code.
const JOINTS: &[&str] = &["is", "are", "was", "as", "no", "number", "num", "value", "now", "to", "here", "code"];

/// Words that say that the number is another one.
const OTHERS: &[&str] = &[
    "limit",
    "timeout",
    "count",
    "counts",
    "retries",
    "retry",
    "ttl",
    "length",
    "size",
    "attempts",
    "attempt",
    "interval",
    "port",
    "version",
    "status",
    "after",
    "expired",
    "expires",
    "expiry",
    "error",
    "errors",
    "line",
    "lines",
    "id",
    "order",
    "ref",
    "reference",
    "failed",
    "failure",
    "http",
    "request",
    "requests",
    "service",
    "server",
    "api",
    "took",
    "in",
    "response",
    "responded",
    "rate",
    "total",
    "max",
    "min",
    "page",
    "user",
    "users",
    "year",
    "build",
    "delay",
    "duration",
    "elapsed",
    "latency",
    "window",
    "queue",
    "row",
    "rows",
    "zip",
    "postal",
];

/// Units that say that the number before them is a quantity.
const UNITS: &[&str] = &[
    "ms",
    "s",
    "sec",
    "secs",
    "second",
    "seconds",
    "us",
    "ns",
    "min",
    "mins",
    "minute",
    "minutes",
    "h",
    "hours",
    "day",
    "days",
    "times",
    "bytes",
    "kb",
    "mb",
    "px",
    "items",
    "attempts",
    "chars",
    "characters",
    "digits",
    "requests",
    "users",
    "rows",
    "retries",
];

/// Words before an announcer that can say of what sort it is.
const SORTED: usize = 3;

/// Words between an announcer and its code.
const WORDS_BETWEEN: usize = 8;

/// Bytes between the last word and the code: quotes, signs, spaces.
const GAP: usize = 12;

/// The code at the start of the chain.
pub(super) fn find(chain: &Chain<'_>) -> Option<Found> {
    let (count, digits) = extent(chain)?;
    let groups = chain.head(count);
    let (start, end) = (groups.first()?.start, groups.last()?.end);
    (follows(chain.bytes, start, digits) || leads(chain.bytes, end, digits)).then_some(Found {
        start,
        end,
        marker: marker::CODE,
    })
}

/// How many groups make a code, and its digits: `482113`, `482 113`, `4 8 2 1 1 3`.
fn extent(chain: &Chain<'_>) -> Option<(usize, usize)> {
    let all = chain.groups();
    let even = |len: usize| {
        let same = |group: &&Group| group.len() == len && matches!(group.gap, Gap::Space | Gap::Dash);
        1 + all.iter().skip(1).take_while(same).count()
    };
    let first = all.first()?;
    let count = match first.len() {
        1 if even(1) >= 4 => even(1),
        2 if even(2) == 3 => 3,
        3 | 4 if even(first.len()) == 2 => 2,
        3..=8 => 1,
        _ => return None,
    };
    let groups = chain.head(count);
    let end = groups.last()?.end;
    let digits = groups.iter().map(Group::len).sum();
    (digits <= 8 && starts_clean(chain) && ends_clean(chain, end)).then_some((count, digits))
}

/// No letter before it, nor the start of a date, a time or a decimal; `G-482113` is a code.
fn starts_clean(chain: &Chain<'_>) -> bool {
    let start = chain.start();
    let before = start.checked_sub(2).and_then(|at| chain.bytes.get(at..start)).unwrap_or_default();
    chain.starts_clean() && !matches!(before, [b'0'..=b'9', b',' | b'/' | b':' | b'-'])
}

/// No unit behind it, nor the rest of a date, a time, a range or a longer token.
fn ends_clean(chain: &Chain<'_>, end: usize) -> bool {
    let rest = chain.bytes.get(end..).unwrap_or_default();
    let longer = matches!(rest, [b'-' | b'_' | b':' | b'/' | b',', next, ..] if next.is_ascii_digit())
        || matches!(rest, [b'-' | b'_', next, ..] if next.is_ascii_alphabetic())
        || matches!(rest, [b'%', ..]);
    let unit = words::after(chain.bytes, end).next().is_some_and(|(start, last)| {
        start <= end + 1 && words::is_any(chain.bytes.get(start..last).unwrap_or_default(), UNITS)
    });
    chain.ends_clean(end) && !longer && !unit
}

/// Whether an announcer leads to the code from before it.
fn follows(bytes: &[u8], start: usize, digits: usize) -> bool {
    let scripts = bytes.get(..start).unwrap_or_default();
    let trimmed = scripts.len() - scripts.iter().rev().take(GAP).take_while(|byte| b" :=-\"'".contains(byte)).count();
    let scripts = scripts.get(..trimmed).unwrap_or_default();
    if digits >= 4 && OTHER_SCRIPTS.iter().any(|word| scripts.ends_with(word.as_bytes())) {
        return true;
    }
    let mut joined = false;
    let mut before = words::before(bytes, start);
    let mut right = start;
    for nth in 0..WORDS_BETWEEN {
        let Some((from, to)) = before.next() else { return false };
        let gap = bytes.get(to..right).unwrap_or_default();
        let word = bytes.get(from..to).unwrap_or_default();
        let sorts = words::before(bytes, from).take(SORTED).map(|(from, to)| bytes.get(from..to).unwrap_or_default());
        if marker::encloses(bytes, from, to) || (nth == 0 && !is_gap(gap)) || (nth > 0 && ends_sentence(gap)) {
            return false;
        }
        joined |= nth == 0 && (words::is_any(word, JOINTS) || gap.iter().any(|byte| matches!(byte, b':' | b'=')));
        if announces(word, sorts, digits) && (nth == 0 || joined) {
            // The number of a post office has six digits, and so can a PIN.
            return !is_postal(bytes, from, to, digits);
        }
        if (nth == 0 && !joined) || words::is_any(word, OTHERS) {
            return false;
        }
        right = from;
    }
    false
}

/// Whether an announcer follows: `482113 is your OTP`.
fn leads(bytes: &[u8], end: usize, digits: usize) -> bool {
    if digits < 4 {
        return false;
    }
    let mut left = end;
    let mut after = words::after(bytes, end).peekable();
    for nth in 0..WORDS_BETWEEN {
        let Some((from, to)) = after.next() else { return false };
        let gap = bytes.get(left..from).unwrap_or_default();
        let word = bytes.get(from..to).unwrap_or_default();
        let next = after.peek().and_then(|(from, to)| bytes.get(*from..*to)).unwrap_or_default();
        let bracket = nth == 0 && gap.ends_with(b"(");
        if ends_sentence(gap) || gap.len() > GAP || marker::encloses(bytes, from, to) {
            return false;
        }
        let sorts =
            words::before(bytes, from).take(SORTED.min(nth)).map(|(from, to)| bytes.get(from..to).unwrap_or_default());
        // `482113 OTP` ends a sentence; `5000 OTP requests` counts.
        let beside = nth == 0 && digits == 6;
        if announces(word, sorts, digits) && (nth > 0 || bracket || beside) && !words::is_any(next, OTHERS) {
            return !(words::is_any(word, &["pin"]) && words::is_any(next, &["code"]) && digits == 6);
        }
        if (nth == 0 && !bracket && !words::is_any(word, &["is", "are", "was", "as"])) || words::is_any(word, OTHERS) {
            return false;
        }
        left = to;
    }
    false
}

/// Whether this word announces a code of so many digits; `before` are the words before it, the nearest first.
fn announces<'t>(word: &[u8], before: impl Iterator<Item = &'t [u8]> + Clone, digits: usize) -> bool {
    ANNOUNCERS.iter().any(|one| {
        let sorted = || {
            let mut before = before.clone().enumerate();
            // `your REZ code`, but not `your error code`.
            before.find_map(|(nth, sort)| match (words::is_any(sort, one.after), nth) {
                (true, _) => Some(true),
                (false, 0) if words::is_any(sort, OTHERS) => Some(false),
                _ => None,
            })
        };
        word.eq_ignore_ascii_case(one.word.as_bytes())
            && one.digits.contains(&digits)
            && (one.after.is_empty() || sorted() == Some(true))
    })
}

/// `pincode 560001` and `PIN code: 560001`.
fn is_postal(bytes: &[u8], from: usize, to: usize, digits: usize) -> bool {
    let word = bytes.get(from..to).unwrap_or_default();
    let pin = words::is_any(word, &["pin"]);
    let rest = bytes.get(to..).unwrap_or_default();
    let rest = rest.get(rest.iter().take(2).take_while(|byte| !byte.is_ascii_alphabetic()).count()..);
    let code = rest.is_some_and(|rest| words::starts_with(rest, 0, b"code"));
    let before_code = words::is_any(word, &["code"])
        && words::before(bytes, from).next().is_some_and(|(from, to)| {
            words::is_any(bytes.get(from..to).unwrap_or_default(), &["pin", "zip", "postal"])
        });
    digits == 6 && ((pin && code) || before_code)
}

fn is_gap(gap: &[u8]) -> bool {
    let plain = |byte: &u8| b" \t:=\\\"'`-_>([{#*,~/+".contains(byte);
    // The letter of the escape `\n`, and the 2 of `CVV2`.
    let gap = gap.strip_suffix(b"n").unwrap_or(gap);
    let gap = gap.strip_prefix(b"2").unwrap_or(gap);
    gap.len() <= GAP && gap.iter().all(plain)
}

fn ends_sentence(gap: &[u8]) -> bool {
    gap.iter().any(|byte| matches!(byte, b'!' | b'?' | b';' | b'\n' | b'|' | b'{' | b'}'))
        || gap.windows(2).any(|pair| matches!(pair, [b'.', b' ']))
}

#[cfg(test)]
mod tests {
    use super::super::tests::{check, check_unchanged};

    #[test]
    fn codes_are_found_before_and_after_the_word_that_announces_them() {
        check(&[
            ("Your OTP is 482113", "Your OTP is [code]"),
            ("OTP 482113.", "OTP [code]."),
            ("otp: 482113", "otp: [code]"),
            ("otp-482113", "otp-[code]"),
            ("OTP for login at REZ is 482113, valid 5 min", "OTP for login at REZ is [code], valid 5 min"),
            ("OTP for login: 482113", "OTP for login: [code]"),
            ("482113 is your OTP", "[code] is your OTP"),
            ("482113 is the REZ verification code", "[code] is the REZ verification code"),
            ("Use 482113 as your one time password", "Use [code] as your one time password"),
            ("482 113 is your OTP", "[code] is your OTP"),
            ("G-482113 is your Google verification code", "G-[code] is your Google verification code"),
            ("one-time password: 4821", "one-time password: [secret]"),
            ("one-time password is 4821", "one-time password is [secret]"),
            ("use 482113 as one-time password", "use [code] as one-time password"),
            ("verification code 4 8 2 1 1 3", "verification code [code]"),
            ("pin: 4821", "pin: [code]"),
            ("PIN 4821", "PIN [code]"),
            ("upi pin is 482113", "upi pin is [code]"),
            ("userPin=4821&x=1", "userPin=[code]&x=1"),
            ("mpin=482113", "mpin=[code]"),
            ("mPIN: 4821", "mPIN: [code]"),
            ("changed pin to 4821", "changed pin to [code]"),
            ("cvv 123", "cvv [code]"),
            ("\"cvv\":\"123\"", "\"cvv\":\"[code]\""),
            ("cvc=1234", "cvc=[code]"),
            ("{\\\"pin\\\": \\\"4821\\\"}", "{\\\"pin\\\": \\\"[code]\\\"}"),
            ("{\"otpCode\":482113}", "{\"otpCode\":[code]}"),
            ("आपका OTP 482113 है", "आपका OTP [code] है"),
            ("ओटीपी: 482113", "ओटीपी: [code]"),
            ("验证码 482113", "验证码 [code]"),
            ("482113 (OTP)", "[code] (OTP)"),
            ("Your code is 482113", "Your code is [code]"),
            ("<#> 482113 is your REZ code. FA+9qCX9VSu", "<#> [code] is your REZ code. FA+9qCX9VSu"),
            ("Your REZ code is 482113", "Your REZ code is [code]"),
            ("2FA code: 482113", "2FA code: [code]"),
            ("482113 OTP", "[code] OTP"),
            ("2fa: 482113", "2fa: [code]"),
            ("CVV2: 123", "CVV2: [code]"),
            ("PIN #4821", "PIN #[code]"),
            ("/u/Your OTP is 482113/orders", "/u/Your OTP is [code]/orders"),
            ("/otp/482113/verify", "/otp/[code]/verify"),
            ("OTP+is+482113", "OTP+is+[code]"),
            ("PIN+4821", "PIN+[code]"),
            ("user+pin=4821&x=1", "user+pin=[code]&x=1"),
            ("upi+pin=+482113", "upi+pin=+[code]"),
            ("my+upi+pin+is+482113", "my+upi+pin+is+[code]"),
            ("OTP => 482113", "OTP => [code]"),
            ("{\\\\\\\"pin\\\\\\\": \\\\\\\"4821\\\\\\\"}", "{\\\\\\\"pin\\\\\\\": \\\\\\\"[code]\\\\\\\"}"),
            ("security code is 123", "security code is [code]"),
            ("login code\\n482113", "login code\\n[code]"),
        ]);
    }

    #[test]
    fn other_short_numbers_stay() {
        check_unchanged(&[
            "pincode 560001",
            "PIN code: 560001",
            "pin_code=560001",
            "pin to top",
            "pin+code+560001",
            "pin+code=560001",
            "spin+4821",
            "OTP expired",
            "OTP expired after 300 s",
            "OTP valid for 3000 ms",
            "OTP is 3000 ms old",
            "spin: 4821",
            "spin 4821",
            "pins 4821",
            "pinned 4821",
            "opinion: 4821",
            "OTP request failed: 4004",
            "OTP retry limit is 1000",
            "otp service responded: 5003",
            "error code 4821",
            "your error code is 4821",
            "status code: 404",
            "zip code 560001",
            "response code is 2000",
            "code 482113",
            "OTP sent. Order 482113",
            "pin 2026-11-23",
            "pin 10:15:30",
            "1000 is the OTP limit",
            "500 OTP requests",
            "2026 is a year",
            "otp_v2 4711-22",
            "cvv 12",
            "password reset took 1200 ms",
        ]);
    }
}
