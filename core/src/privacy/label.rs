//! Secrets that a label announces: `password=hunter2`, `"api_key": "..."`, `Authorization: Basic ...`.

use super::marker::{self, Found};

/// Bytes of a label that are read: its end names the secret.
const LABEL: usize = 48;

/// Bytes of the longest secret that is followed to its end; a key in one line fits.
const VALUE: usize = 8192;

/// Ends of labels, in small letters without `_`, `-` and `.`.
const LABELS: &[&str] = &[
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
    "accountkey",
    "encryptionkey",
    "signingkey",
    "masterkey",
    "jwt",
    "contrasena",
    "senha",
];

/// Their last two letters: for each last letter, a bit for each letter that stands before it.
const LABEL_ENDS: [u32; 26] = {
    let mut ends = [0; 26];
    let mut nth = 0;
    while nth < LABELS.len() {
        let label = LABELS[nth].as_bytes();
        ends[(label[label.len() - 1] - b'a') as usize] |= 1 << (label[label.len() - 2] - b'a');
        nth += 1;
    }
    ends
};

/// Values in a sentence about a secret: `invalid token: expired`.
const PROSE: &[&str] = &[
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

/// Backslashes before the quote of a value in JSON inside JSON.
const ESCAPES: usize = 8;

/// Parts with commas between them that a value can have.
const PARTS: usize = 4;

/// How far the value of a label goes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach {
    Word,
    /// A word with a digit: `my password is hunter2`, but not `password is required`.
    Sentence,
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
        at += bytes.get(at..)?.iter().position(|byte| matches!(byte, b'=' | b':' | b'>' | b'i'))?;
        let secret = ends_at(bytes, at).and_then(|(reach, after)| value(bytes, after, reach));
        if let Some((start, end)) = secret {
            return Some(Found { start, end, marker: marker::SECRET });
        }
        at += 1;
    }
}

/// Whether the byte at `at` separates the label of a secret from its value: how far the value reaches, and where it can
/// start.
#[inline]
pub(super) fn ends_at(bytes: &[u8], at: usize) -> Option<(Reach, usize)> {
    let after = match bytes.get(at..)? {
        [b'=', b'>' | b'=', ..] | [b':', b'=', ..] => at + 2,
        [b'=' | b':', ..] => at + 1,
        // `<password>hunter2</password>`.
        [b'>', ..] if is_tag(bytes, at) => at + 1,
        [b'i', b's', b' ', ..] => at + 3,
        _ => return None,
    };
    let label = bytes.get(at.saturating_sub(LABEL)..at)?;
    let end = label.iter().rposition(|byte| !matches!(byte, b' ' | b'"' | b'\'' | b'\\' | b'`'))?;
    let label = label.get(..=end)?;
    if !ends_like_a_label(label) {
        return None;
    }
    reach_of(label, bytes.get(at) == Some(&b'i')).map(|reach| (reach, after))
}

/// How far the value of a label reaches, if the label names a secret. `in_sentence`: `is` follows.
fn reach_of(label: &[u8], in_sentence: bool) -> Option<Reach> {
    let letters = label.iter().rev().filter(|byte| !matches!(byte, b'_' | b'-' | b'.'));
    let mut reversed = letters.map(u8::to_ascii_lowercase);
    let name = LABELS.iter().find(|name| {
        let mut letters = reversed.clone();
        name.bytes().rev().all(|letter| letters.next() == Some(letter))
    })?;
    // `jwt` is short enough to end other words.
    if *name == "jwt" && reversed.nth(name.len()).is_some_and(|byte| byte.is_ascii_lowercase()) {
        return None;
    }
    match *name {
        _ if in_sentence => name.starts_with("pass").then_some(Reach::Sentence),
        "authorization" => Some(Reach::SchemeAndWord),
        "cookie" => Some(Reach::Line),
        _ => Some(Reach::Word),
    }
}

/// Whether the `>` at `at` ends the opening tag of an element without attributes.
fn is_tag(bytes: &[u8], at: usize) -> bool {
    let head = bytes.get(at.saturating_sub(LABEL)..at).unwrap_or_default();
    let name = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b':' | b'_' | b'-' | b'.');
    head.iter().rposition(|byte| !name(byte)).is_some_and(|open| head.get(open) == Some(&b'<'))
}

/// Whether the last two letters are those of one of [`LABELS`]. Nearly all text fails here.
fn ends_like_a_label(label: &[u8]) -> bool {
    let [.., before, last] = label else { return false };
    let letter = |byte: u8| (byte | 0x20).wrapping_sub(b'a');
    let before = 1_u32.checked_shl(letter(*before).into()).unwrap_or(0);
    LABEL_ENDS.get(usize::from(letter(*last))).is_some_and(|befores| befores & before != 0)
}

/// Where the value after a label starts and ends; `None` when there is none, or a marker, or a word of a sentence.
fn value(bytes: &[u8], after: usize, reach: Reach) -> Option<(usize, usize)> {
    let rest = bytes.get(after..)?;
    let spaces = rest.iter().take(8).take_while(|byte| matches!(byte, b' ' | b'\t' | b'+')).count();
    let mut start = after + spaces;
    let escapes = bytes.get(start..)?.iter().take(ESCAPES).take_while(|byte| **byte == b'\\').count();
    let quote = match bytes.get(start + escapes) {
        Some(quote @ (b'"' | b'\'' | b'`')) => Some(*quote),
        Some(b'[') if !marker::starts_at(bytes, start + escapes) => Some(b']'),
        _ => None,
    };
    if quote.is_some() {
        start += escapes + 1;
    }
    if marker::starts_at(bytes, start) {
        return None;
    }
    let len = match (quote, reach) {
        (Some(quote), _) => quoted_len(bytes, start, quote, escapes),
        (None, Reach::Line) => len_until(bytes, start, |byte| matches!(byte, b'"' | b'\'' | b'\n' | b'\r')),
        (None, Reach::Word | Reach::Sentence) => word_len(bytes, start),
        (None, Reach::SchemeAndWord) => {
            let scheme = len_until(bytes, start, ends_word);
            let word = bytes.get(start..start + scheme)?;
            let space = scheme > 0 && bytes.get(start + scheme) == Some(&b' ') && !is_prose(word);
            let is_scheme = space && word.len() <= 12 && word.iter().all(u8::is_ascii_alphabetic);
            let second = if is_scheme { 1 + len_until(bytes, start + scheme + 1, ends_word) } else { 0 };
            if is_scheme && marker::starts_at(bytes, start + scheme + 1) { 0 } else { scheme + second }
        }
    };
    let value = bytes.get(start..start + len)?;
    // The backslash before an escaped quote is not part of the value.
    let len = len - value.iter().rev().take(ESCAPES).take_while(|byte| **byte == b'\\').count();
    let value = value.get(..len)?;
    let plain = reach == Reach::Sentence && !value.iter().any(u8::is_ascii_digit);
    if len == 0 || plain || (quote.is_none() && (is_prose(value) || is_generic(value))) {
        return None;
    }
    Some((start, start + len))
}

/// Bytes up to the quote that closes the value: one behind as many backslashes as the opening quote, at most.
fn quoted_len(bytes: &[u8], start: usize, quote: u8, escapes: usize) -> usize {
    let mut slashes = 0;
    let mut closed = false;
    len_until(bytes, start, |byte| {
        closed = byte == b'\n' || (byte == quote && slashes <= escapes);
        slashes = if byte == b'\\' { slashes + 1 } else { 0 };
        closed
    })
}

/// Bytes of a value without quotes. A comma or semicolon ends it when a space, the end or another pair follows.
fn word_len(bytes: &[u8], start: usize) -> usize {
    let mut len = len_until(bytes, start, ends_word);
    for _ in 0..PARTS {
        let at = start + len;
        let next = len_until(bytes, at + 1, ends_word);
        let more = bytes.get(at + 1..at + 1 + next).unwrap_or_default();
        let pair = more.iter().any(|byte| matches!(byte, b'=' | b':'));
        if !matches!(bytes.get(at), Some(b',' | b';')) || more.is_empty() || pair {
            break;
        }
        len += 1 + next;
    }
    len
}

/// What stands in the place of a value that the writer of the text left out: `***`, `{token}`, `$TOKEN`, `<token>`.
fn is_generic(value: &[u8]) -> bool {
    value.iter().all(|byte| matches!(byte, b'*' | b'.' | b'?'))
        || matches!(value, [b'{' | b'$', ..] if value.iter().all(|byte| byte.is_ascii_alphabetic() || b"{$_".contains(byte)))
}

/// Bytes up to the first that `ends`, at most [`VALUE`], to the boundary of a character.
fn len_until(bytes: &[u8], start: usize, mut ends: impl FnMut(u8) -> bool) -> usize {
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

#[cfg(test)]
mod tests {
    use super::super::tests::{check, check_unchanged};

    #[test]
    fn the_value_of_a_label_that_names_a_secret_goes() {
        check(&[
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
            ("<password>hunter2</password>", "<password>[secret]</password>"),
            ("<ns:apiKey>a1</ns:apiKey>", "<ns:apiKey>[secret]</ns:apiKey>"),
            ("{\"password\":\"ab\\\"cd\",\"x\":1}", "{\"password\":\"[secret]\",\"x\":1}"),
            ("{\\\"pwd\\\":\\\"ab\\\\\\\"cd\\\",\\\"x\\\":1}", "{\\\"pwd\\\":\\\"[secret]\\\",\\\"x\\\":1}"),
            ("AccountKey=abc==;EndpointSuffix=x", "AccountKey=[secret];EndpointSuffix=x"),
            ("PASSWORD = hunter2", "PASSWORD = [secret]"),
            ("my password is hunter2, ok", "my password is [secret], ok"),
            ("password=hun,ter;2 x", "password=[secret] x"),
            ("{password=hunter2,name=x}", "{password=[secret],name=x}"),
            ("token=foo@bar.com", "token=[secret]"),
            ("user+password=+hunter2&x=1", "user+password=+[secret]&x=1"),
        ]);
    }

    #[test]
    fn the_check_of_the_last_two_letters_accepts_every_label() {
        assert!(super::LABELS.iter().all(|label| super::ends_like_a_label(label.as_bytes())));
    }

    #[test]
    fn a_sentence_about_a_secret_stays() {
        check_unchanged(&[
            "invalid token: expired",
            "Unexpected token < in JSON at position 0",
            "Unexpected token: }",
            "password: must be longer",
            "max_tokens=512",
            "password=",
            "token: [secret]",
            "the key is token",
            "password=****",
            "token={token}",
            "token=$TOKEN",
            "<token>",
            "if token > limit",
            "passwordless: 12",
            "password is required",
            "the token is 12",
            "12:30=now",
        ]);
    }
}
