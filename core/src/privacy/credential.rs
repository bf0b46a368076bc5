//! Credentials of providers that their prefixes give away. Keys that are public by design (`pk_live_`) have no row.

use super::marker::{self, Found};
use super::words;

/// Characters of what follows a prefix.
#[derive(Clone, Copy)]
enum Alphabet {
    Upper,
    Hex,
    Alnum,
    /// With `_` and `-`.
    Url,
    /// With `.`, too.
    Dotted,
    /// With all that a path, a port or base64 has.
    Path,
    /// Up to the closing bracket.
    Bracket,
}

impl Alphabet {
    fn has(self, byte: u8) -> bool {
        let alnum = byte.is_ascii_alphanumeric();
        match self {
            Alphabet::Upper => byte.is_ascii_uppercase() || byte.is_ascii_digit(),
            Alphabet::Hex => byte.is_ascii_hexdigit(),
            Alphabet::Alnum => alnum,
            Alphabet::Url => alnum || matches!(byte, b'_' | b'-'),
            Alphabet::Dotted => alnum || matches!(byte, b'_' | b'-' | b'.'),
            Alphabet::Path => alnum || b"_-./:@%+=~".contains(&byte),
            Alphabet::Bracket => byte > b' ' && byte != b']',
        }
    }
}

/// What else must hold.
#[derive(Clone, Copy)]
enum Check {
    None,
    /// A digit and a capital: what has neither is words with dashes.
    Mixed,
    /// One of these words within [`NEAR`] bytes.
    Near(&'static [&'static str]),
}

/// Characters after a prefix that are read, so that a text full of prefixes takes linear time.
const LONGEST: usize = 512;

/// Bytes around a credential in which a word counts.
const NEAR: usize = 48;

struct Row {
    prefix: &'static str,
    alphabet: Alphabet,
    /// Characters after the prefix, at least; a longer run belongs to the credential, too.
    least: usize,
    /// Characters after the prefix, at most: a longer run is something else.
    most: usize,
    check: Check,
}

/// A credential of this length or longer.
const fn from(prefix: &'static str, alphabet: Alphabet, least: usize) -> Row {
    Row { prefix, alphabet, least, most: usize::MAX, check: Check::None }
}

/// A credential of this length exactly.
const fn exact(prefix: &'static str, alphabet: Alphabet, len: usize) -> Row {
    Row { prefix, alphabet, least: len, most: len, check: Check::None }
}

const fn checked(row: Row, check: Check) -> Row {
    Row { check, ..row }
}

const TWILIO: Check = Check::Near(&["twilio", "sid", "account", "auth"]);

use Alphabet::{Alnum, Bracket, Dotted, Hex, Path, Upper, Url};

const ROWS: &[Row] = &[
    // AWS.
    exact("AKIA", Upper, 16),
    exact("ASIA", Upper, 16),
    exact("ABIA", Upper, 16),
    exact("ACCA", Upper, 16),
    // Google, Firebase.
    from("AIza", Url, 33),
    from("ya29.", Dotted, 20),
    from("GOCSPX-", Url, 20),
    checked(from("1//0", Url, 30), Check::Mixed),
    from("APA91b", Url, 60),
    checked(from("AAAA", Path, 100), Check::Mixed),
    // Stripe, Razorpay, Cashfree, Square, Shopify.
    from("sk_live_", Alnum, 10),
    from("sk_test_", Alnum, 10),
    from("rk_live_", Alnum, 10),
    from("rk_test_", Alnum, 10),
    from("whsec_", Path, 16),
    from("rzp_live_", Alnum, 14),
    from("rzp_test_", Alnum, 14),
    from("cfsk_ma_", Url, 20),
    from("sq0atp-", Url, 20),
    from("sq0csp-", Url, 20),
    exact("shpat_", Hex, 32),
    exact("shpss_", Hex, 32),
    exact("shppa_", Hex, 32),
    // GitHub, GitLab, Atlassian.
    from("ghp_", Alnum, 20),
    from("gho_", Alnum, 20),
    from("ghu_", Alnum, 20),
    from("ghs_", Alnum, 20),
    from("ghr_", Alnum, 20),
    from("github_pat_", Url, 20),
    from("glpat-", Dotted, 18),
    from("gldt-", Url, 18),
    from("glrt-", Url, 18),
    from("ATATT3", Url, 40),
    // Slack, Discord, Telegram hooks.
    from("xoxa-", Url, 10),
    from("xoxb-", Url, 10),
    from("xoxp-", Url, 10),
    from("xoxr-", Url, 10),
    from("xoxs-", Url, 10),
    from("xapp-", Url, 20),
    from("hooks.slack.com/services/", Path, 16),
    from("hooks.slack.com/workflows/", Path, 16),
    from("hooks.slack.com/triggers/", Path, 16),
    from("discord.com/api/webhooks/", Path, 20),
    from("api.telegram.org/bot", Path, 20),
    // Twilio, SendGrid, Mailgun.
    checked(exact("SK", Hex, 32), TWILIO),
    checked(exact("AC", Hex, 32), TWILIO),
    from("SG.", Dotted, 40),
    exact("key-", Hex, 32),
    // Registries.
    from("npm_", Alnum, 30),
    checked(from("pypi-", Url, 16), Check::Mixed),
    // Mapbox, Expo, Cloudinary.
    from("sk.ey", Dotted, 20),
    from("tk.ey", Dotted, 20),
    from("ExponentPushToken[", Bracket, 14),
    from("ExpoPushToken[", Bracket, 14),
    from("cloudinary://", Path, 14),
    // Others.
    from("sntrys_", Path, 20),
    from("sntryu_", Alnum, 20),
    checked(from("sk-", Url, 20), Check::Mixed),
    from("hf_", Alnum, 30),
    from("dop_v1_", Hex, 40),
    from("lin_api_", Alnum, 20),
    from("PMAK-", Url, 20),
    exact("dapi", Hex, 32),
    from("EAACEdEose0cBA", Alnum, 20),
    from("AGE-SECRET-KEY-1", Upper, 40),
    from("sbp_", Hex, 40),
];

/// First bytes of the prefixes.
const FIRST: [bool; 256] = {
    let mut table = [false; 256];
    let mut at = 0;
    while at < ROWS.len() {
        table[ROWS[at].prefix.as_bytes()[0] as usize] = true;
        at += 1;
    }
    table
};

/// The next credential from `from` on.
pub(super) fn next(text: &str, from: usize) -> Option<Found> {
    let bytes = text.as_bytes();
    let mut at = from;
    loop {
        at += bytes.get(at..)?.iter().position(|byte| FIRST.get(usize::from(*byte)) == Some(&true))?;
        if words::starts_token(bytes, at)
            && let Some(end) = ROWS.iter().find_map(|row| end_of(bytes, at, row))
        {
            return Some(Found { start: start_of(bytes, at, from), end, marker: marker::CREDENTIAL });
        }
        at += 1;
    }
}

/// Where the credential of this row that starts at `start` ends.
fn end_of(bytes: &[u8], start: usize, row: &Row) -> Option<usize> {
    let rest = bytes.get(start..)?.strip_prefix(row.prefix.as_bytes())?;
    let in_row = |byte: &&u8| row.alphabet.has(**byte);
    let value = rest.get(..rest.iter().take(LONGEST).take_while(in_row).count())?;
    // The dot, dash or colon of a sentence is not part of it.
    let ends = |byte: &u8| !b".-:%".contains(byte) || matches!(row.alphabet, Bracket);
    let value = value.get(..value.iter().rposition(ends)? + 1)?;
    let whole = row.most == usize::MAX || !rest.get(value.len()).is_some_and(u8::is_ascii_alphanumeric);
    if !(row.least..=row.most).contains(&value.len()) || !whole {
        return None;
    }
    let end = start + row.prefix.len() + value.len();
    let holds = match row.check {
        Check::None => true,
        Check::Mixed => value.iter().any(u8::is_ascii_digit) && value.iter().any(u8::is_ascii_uppercase),
        Check::Near(words) => {
            words::any_within(bytes, start.saturating_sub(NEAR), start, words)
                || words::any_within(bytes, end, end + NEAR, words)
        }
    };
    if !holds {
        return None;
    }
    // The rest of a long one, and the bracket that closes it.
    let more = if value.len() == LONGEST { bytes.get(end..)?.iter().take_while(in_row).count() } else { 0 };
    let bracket = usize::from(matches!(row.alphabet, Bracket) && bytes.get(end + more) == Some(&b']'));
    Some(end + more + bracket)
}

/// A token of a device is `<id>:APA91b...`, and the id belongs to it.
fn start_of(bytes: &[u8], at: usize, from: usize) -> usize {
    let head = bytes.get(from..at).unwrap_or_default();
    match head.strip_suffix(b":") {
        Some(head) if bytes.get(at..).is_some_and(|rest| rest.starts_with(b"APA91b")) => {
            at - 1 - head.iter().rev().take(64).take_while(|byte| Alphabet::Url.has(**byte)).count()
        }
        _ => at,
    }
}

#[cfg(test)]
mod tests {
    use super::super::scrub_text;
    use super::super::tests::check_unchanged;
    use super::{Alphabet, Check, ROWS};

    /// Characters that every check accepts, of an alphabet.
    fn body(alphabet: Alphabet, len: usize) -> String {
        let letters = match alphabet {
            Alphabet::Hex => "a1b2c3d4e5f60718",
            Alphabet::Upper => "A1B2C3D4E5F6G7H8",
            _ => "aB1cD2eF3gH4iJ5kL6",
        };
        letters.chars().cycle().take(len).collect()
    }

    #[test]
    fn the_credential_of_every_row_is_found_in_any_surroundings() {
        for row in ROWS {
            let secret = format!("{}{}", row.prefix, body(row.alphabet, row.least));
            let near = match row.check {
                Check::Near(words) => words[0],
                _ => "",
            };
            for (before, after) in [("", ""), ("got ", "."), ("\"", "\""), ("x=", "&y"), ("é", "é"), ("\\n", "\\n")] {
                let scrubbed = scrub_text(&format!("{near} {before}{secret}{after}")).into_owned();
                let half = &secret[secret.len() / 2..];
                assert!(!scrubbed.contains(&secret) && !scrubbed.contains(half), "{secret} in {before}: {scrubbed}");
            }
        }
    }

    #[test]
    fn what_is_public_by_design_and_what_only_looks_alike_stays() {
        check_unchanged(&[
            "pk_live_51H8aB1cD2eF3gH4iJ5kL6",
            "pk_test_51H8aB1cD2eF3gH4iJ5kL6",
            "pk.eyJ1IjoicmV6IiwiYSI6ImNrYWJjIn0.aB1cD2eF3gH4iJ5kL6",
            "https://0123456789abcdef0123456789abcdef@o1.ingest.sentry.io/42",
            "AKIA1234",
            "XAKIAABCDEFGHIJKLMNOP",
            "AKIAABCDEFGHIJKLMNOPQ",
            "sk-loading-spinner-container-large",
            "npm_config_registry_with_a_long_name",
            "npm_lifecycle_event",
            "task_live_4eC39HqLyjWDarjtT1zdp7dc",
            "SK0123456789abcdef0123456789abcdef",
            "key-value-store-of-the-whole-app",
            "SG.short",
            "hf_cache_dir",
            "ExponentPushToken",
            "pypi-simple-index-server-2",
            "hooks.slack.com/services/",
        ]);
    }
}
