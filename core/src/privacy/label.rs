//! Secrets that a label announces: `password=hunter2`, `"api_key": "..."`, `Authorization: Basic ...`.

use super::{Found, MARKERS, SECRET};

/// Bytes of a label that are looked at: the end says what it is.
const LABEL: usize = 48;

/// Bytes of the longest secret that is followed to its end; a private key in one line fits.
const VALUE: usize = 8192;

/// Ends of labels, in small letters without `_`, `-` and `.`.
const LABELS: [&str; 21] = [
    "secret",
    "token",
    "password",
    "passwd",
    "passwort",
    "pwd",
    "passphrase",
    "passcode",
    "apikey",
    "accesskey",
    "secretkey",
    "privatekey",
    "authkey",
    "authorization",
    "cookie",
    "credential",
    "credentials",
    "sessionid",
    "signature",
    "cvv",
    "otp",
];

/// Their last two letters.
const LABEL_ENDS: [[u8; 2]; 16] = [
    *b"et", *b"en", *b"rd", *b"wd", *b"rt", *b"se", *b"de", *b"ey", *b"on", *b"ie", *b"al", *b"ls", *b"id", *b"re",
    *b"vv", *b"tp",
];

/// Values in a sentence about a secret: `invalid token: expired`.
const PROSE: [&str; 40] = [
    "a",
    "an",
    "the",
    "is",
    "was",
    "are",
    "be",
    "been",
    "has",
    "not",
    "no",
    "must",
    "should",
    "may",
    "can",
    "cannot",
    "does",
    "did",
    "too",
    "expired",
    "invalid",
    "missing",
    "required",
    "null",
    "nil",
    "none",
    "undefined",
    "true",
    "false",
    "empty",
    "mismatch",
    "revoked",
    "malformed",
    "incorrect",
    "wrong",
    "unknown",
    "failed",
    "error",
    "denied",
    "rejected",
];

/// How far the value of a label goes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach {
    Word,
    /// A scheme such as `Basic` and one more word.
    SchemeAndWord,
    /// The line or the quoted text: several cookies.
    Line,
}

/// The next labelled secret from `from` on; the label stays.
pub(super) fn next(text: &str, from: usize) -> Option<Found> {
    let bytes = text.as_bytes();
    let mut at = from;
    loop {
        at += bytes.get(at..)?.iter().position(|byte| matches!(byte, b'=' | b':' | b'%'))?;
        let secret = ends_at(bytes, at).and_then(|(reach, after)| value(bytes, after, reach));
        if let Some((start, end)) = secret {
            return Some(Found { start, end, marker: SECRET });
        }
        at += 1;
    }
}

/// Whether the sign at `at` separates a secret's label from its value: how far that reaches, and where it can start.
pub(super) fn ends_at(bytes: &[u8], at: usize) -> Option<(Reach, usize)> {
    let after = match bytes.get(at..)? {
        [b'=', b'>' | b'=', ..] | [b':', b'=', ..] => at + 2,
        [b'=' | b':', ..] => at + 1,
        [b'%', b'3', b'D' | b'd' | b'A' | b'a', ..] => at + 3,
        _ => return None,
    };
    let label = bytes.get(at.saturating_sub(LABEL)..at)?;
    let end = label.iter().rposition(|byte| !matches!(byte, b' ' | b'"' | b'\'' | b'\\' | b'`'))?;
    let label = label.get(..=end)?;
    if !ends_like_a_label(label) {
        return None;
    }
    let letters = label.iter().rev().filter(|byte| !matches!(byte, b'_' | b'-' | b'.'));
    let mut reversed = letters.map(u8::to_ascii_lowercase);
    let name = LABELS.into_iter().find(|name| {
        let mut letters = reversed.clone();
        name.bytes().rev().all(|letter| letters.next() == Some(letter))
    })?;
    // `cvv` and `otp` are short enough to end other words.
    if name.len() <= 3 && name != "pwd" && reversed.nth(name.len()).is_some_and(|byte| byte.is_ascii_lowercase()) {
        return None;
    }
    let reach = match name {
        "authorization" => Reach::SchemeAndWord,
        "cookie" => Reach::Line,
        _ => Reach::Word,
    };
    Some((reach, after))
}

/// Whether the last two letters are those of one of [`LABELS`]: nearly all text stops here.
fn ends_like_a_label(label: &[u8]) -> bool {
    let [.., before, last] = label else { return false };
    LABEL_ENDS.contains(&[before | 0x20, last | 0x20])
}

/// Where the value after a label starts and ends; `None` when there is none, or a marker, or a word of a sentence.
fn value(bytes: &[u8], after: usize, reach: Reach) -> Option<(usize, usize)> {
    let rest = bytes.get(after..)?;
    let spaces = rest.iter().take(8).take_while(|byte| matches!(byte, b' ' | b'\t')).count();
    let mut start = after + spaces;
    let escapes = bytes.get(start..)?.iter().take(4).take_while(|byte| **byte == b'\\').count();
    let quote = match bytes.get(start + escapes) {
        Some(quote @ (b'"' | b'\'' | b'`')) => Some(*quote),
        Some(b'[') if !is_marker(bytes, start + escapes) => Some(b']'),
        _ => None,
    };
    if quote.is_some() {
        start += escapes + 1;
    }
    if is_marker(bytes, start) {
        return None;
    }
    let len = match (quote, reach) {
        (Some(quote), _) => len_until(bytes, start, |byte| byte == quote || byte == b'\n'),
        (None, Reach::Line) => len_until(bytes, start, |byte| matches!(byte, b'"' | b'\'' | b'\n' | b'\r')),
        (None, Reach::Word) => len_until(bytes, start, ends_word),
        (None, Reach::SchemeAndWord) => {
            let scheme = len_until(bytes, start, ends_word);
            let word = bytes.get(start..start + scheme)?;
            let space = scheme > 0 && bytes.get(start + scheme) == Some(&b' ') && !is_prose(word);
            let is_scheme = space && word.len() <= 12 && word.iter().all(u8::is_ascii_alphabetic);
            let second = if is_scheme { 1 + len_until(bytes, start + scheme + 1, ends_word) } else { 0 };
            if is_scheme && is_marker(bytes, start + scheme + 1) { 0 } else { scheme + second }
        }
    };
    let value = bytes.get(start..start + len)?;
    // The backslash before an escaped quote is not part of the value.
    let len = len - value.iter().rev().take(4).take_while(|byte| **byte == b'\\').count();
    if len == 0 || (quote.is_none() && is_prose(value)) || is_marker(bytes, start) {
        return None;
    }
    Some((start, start + len))
}

/// Bytes up to the first that `ends`, or as many as [`VALUE`], up to a character's boundary.
fn len_until(bytes: &[u8], start: usize, ends: impl Fn(u8) -> bool) -> usize {
    let rest = bytes.get(start..).unwrap_or_default();
    let mut len = rest.iter().take(VALUE).take_while(|byte| !ends(**byte)).count();
    while len > 0 && rest.get(len).is_some_and(|byte| byte & 0xc0 == 0x80) {
        len -= 1;
    }
    len
}

fn ends_word(byte: u8) -> bool {
    byte <= b' ' || matches!(byte, b',' | b';' | b'&' | b')' | b'}' | b']' | b'"' | b'\'' | b'<' | b'>' | b'|' | b'`')
}

fn is_prose(word: &[u8]) -> bool {
    let word = word.strip_suffix(b".").unwrap_or(word);
    PROSE.iter().any(|known| word.eq_ignore_ascii_case(known.as_bytes()))
}

fn is_marker(bytes: &[u8], at: usize) -> bool {
    bytes.get(at..).is_some_and(|rest| MARKERS.iter().any(|marker| rest.starts_with(marker.as_bytes())))
}

#[cfg(test)]
mod tests {
    use super::super::scrub_text;

    #[test]
    fn the_value_of_a_label_that_names_a_secret_goes() {
        for (text, scrubbed) in [
            ("password=hunter2", "password=[secret]"),
            ("Password: hunter2, ok", "Password: [secret], ok"),
            ("{\"api_key\":\"a b, c\",\"x\":1}", "{\"api_key\":\"[secret]\",\"x\":1}"),
            ("{\\\"accessToken\\\": \\\"abc\\\"}", "{\\\"accessToken\\\": \\\"[secret]\\\"}"),
            ("?client_secret=s3cr3t&x=1", "?client_secret=[secret]&x=1"),
            ("X-API-Key: 0123", "X-API-Key: [secret]"),
            ("pwd := 'let me in'", "pwd := '[secret]'"),
            ("token=[abc]", "token=[[secret]]"),
            ("redirect%3Ftoken%3Dabc", "redirect%3Ftoken%3D[secret]"),
            ("Authorization: Basic dXNlcjpwYXNz", "Authorization: [secret]"),
            ("-H 'Authorization: Bearer abc' -v", "-H 'Authorization: [secret]' -v"),
            ("Cookie: sid=abc; theme=dark\nnext", "Cookie: [secret]\nnext"),
            ("secret=é😀é end", "secret=[secret] end"),
            ("otp: 123456", "otp: [secret]"),
            ("token=foo@bar.com", "token=[secret]"),
        ] {
            assert_eq!(scrub_text(text), scrubbed, "{text}");
        }
    }

    #[test]
    fn the_quick_look_at_the_end_of_a_label_knows_every_label() {
        assert!(super::LABELS.iter().all(|label| super::ends_like_a_label(label.as_bytes())));
    }

    #[test]
    fn a_sentence_about_a_secret_stays() {
        for text in [
            "invalid token: expired",
            "Unexpected token < in JSON at position 0",
            "Unexpected token: }",
            "password: must be longer",
            "max_tokens=512",
            "password=",
            "token: [secret]",
            "the key is token",
            "isotp=1",
            "passwordless: 12",
            "12:30=now",
        ] {
            assert_eq!(scrub_text(text), text);
        }
    }
}
