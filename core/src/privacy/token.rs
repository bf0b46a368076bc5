//! Credentials that their form gives away: JSON web tokens, and what follows the words `bearer` and `basic`.

use super::marker::{self, Found};
use super::words;

/// Bytes of the shortest header of a JSON web token, `{"alg":"x"}` in base64.
const JWT_HEADER: usize = 12;

/// Bytes of a bearer token that holds a digit or a capital.
const BEARER: usize = 6;

/// Bytes from which a word of small letters alone is a bearer token: longer than words in a sentence.
const BEARER_WORD: usize = 20;

/// Bytes of base64 that are decoded to see whether a name and a password are in it.
const BASIC: usize = 512;

/// The next token from `from` on.
pub(super) fn next(text: &str, from: usize) -> Option<Found> {
    let bytes = text.as_bytes();
    let mut at = from;
    loop {
        at += bytes.get(at..)?.iter().position(|byte| matches!(byte, b'e' | b'b' | b'B'))?;
        let found = if bytes.get(at) == Some(&b'e') { jwt(bytes, at) } else { scheme(bytes, at) };
        match found {
            Ok(found) => return Some(found),
            Err(end) => at = end.max(at + 1),
        }
    }
}

/// Three parts of base64 with dots between them, or what is left of them after a cut; otherwise where to go on.
fn jwt(bytes: &[u8], start: usize) -> Result<Found, usize> {
    let part = |from: usize| {
        let rest = bytes.get(from..).unwrap_or_default();
        from + rest.iter().take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'=')).count()
    };
    // Mapbox's public token is made the same way and is public by design.
    let public = bytes.get(start.saturating_sub(3)..start) == Some(b"pk.");
    if !bytes.get(start..).is_some_and(|rest| rest.starts_with(b"eyJ")) {
        return Err(start + 1);
    }
    let mut end = part(start);
    if end - start < JWT_HEADER || bytes.get(end) != Some(&b'.') {
        return Err(end);
    }
    // An encrypted token has five parts.
    for _ in 0..4 {
        if bytes.get(end) != Some(&b'.') {
            break;
        }
        let next = part(end + 1);
        // The dot of a sentence.
        if next == end + 1 && bytes.get(next) != Some(&b'.') {
            break;
        }
        end = next;
    }
    if public { Err(end) } else { Ok(Found { start, end, marker: marker::TOKEN }) }
}

/// `Bearer` or `Basic` and what it announces; the word stays.
fn scheme(bytes: &[u8], start: usize) -> Result<Found, usize> {
    let is = |word: &'static [u8]| words::starts_with(bytes, start, word).then_some(word);
    let Some(word) = is(b"bearer").or_else(|| is(b"basic")) else { return Err(start + 1) };
    let after = start + word.len();
    let rest = bytes.get(after..).unwrap_or_default();
    let token = after + rest.iter().take_while(|byte| b" \t+:=\"'\\".contains(byte)).count();
    let rest = bytes.get(token..).unwrap_or_default();
    let mut end =
        token + rest.iter().take_while(|byte| byte.is_ascii_alphanumeric() || b"-._~+/=%|".contains(byte)).count();
    while end > token && matches!(bytes.get(end - 1), Some(b'.' | b'/')) {
        end -= 1;
    }
    let value = bytes.get(token..end).unwrap_or_default();
    let mixed = value.iter().any(u8::is_ascii_digit) || value.iter().skip(1).any(u8::is_ascii_uppercase);
    let secret = match word {
        b"basic" => holds_password(value),
        _ => (mixed && value.len() >= BEARER) || value.len() >= BEARER_WORD,
    };
    if token == after || !secret {
        return Err(after);
    }
    Ok(Found { start: token, end, marker: marker::TOKEN })
}

/// Whether this is base64 of `name:password`.
fn holds_password(text: &[u8]) -> bool {
    let (mut bits, mut count, mut colon) = (0_u32, 0_u32, false);
    for byte in text.iter().take(BASIC).filter(|byte| **byte != b'=') {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            _ => return false,
        };
        (bits, count) = ((bits << 6 | u32::from(value)) & 0xffff, count + 6);
        if count >= 8 {
            count -= 8;
            let decoded = bits >> count & 0xff;
            if decoded < 0x20 {
                return false;
            }
            colon |= decoded == u32::from(b':');
        }
    }
    colon
}

#[cfg(test)]
mod tests {
    use super::super::scrub_text;
    use super::super::tests::{check, check_unchanged};

    const JWT: &str = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9";

    #[test]
    fn web_tokens_are_found_whole_and_cut() {
        for (before, after) in [("", ""), ("got ", "."), ("\"", "\""), ("/t/", "/x"), ("é", "é"), ("x=", "&y=1")] {
            assert_eq!(scrub_text(&format!("{before}{JWT}{after}")), format!("{before}[token]{after}"));
        }
        assert_eq!(scrub_text(&JWT[..40]), "[token]");
        assert_eq!(scrub_text("eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0."), "[token].");
        assert_eq!(scrub_text(&format!("{JWT}.a.b")), "[token]");
        check_unchanged(&["eyJ", "eyJ.x", "eyJhbGciOiJIUzI1NiJ9", "they Journey.on"]);
    }

    #[test]
    fn what_follows_bearer_or_basic_is_a_token_unless_it_is_a_word() {
        check(&[
            ("Bearer abc123DEF", "Bearer [token]"),
            ("bearer ya29.a0AfH6SMBx-_~+/==", "bearer [token]"),
            ("got 'BEARER abcdefghijklmnopqrstuvwx'.", "got 'BEARER [token]'."),
            ("Bearer%20abc123DEF&x", "Bearer%20[token]&x"),
            ("bearer authentication failed", "bearer authentication failed"),
            ("Bearer of 100 news", "Bearer of 100 news"),
            ("Bearer", "Bearer"),
            ("{\\\"auth\\\":\\\"Bearer\\\",", "{\\\"auth\\\":\\\"Bearer\\\","),
            ("Basic dXNlcjpwYXNz", "Basic [token]"),
            ("basic cHJpeWE6aHVudGVyMg==, ok", "basic [token], ok"),
            ("Basic information about you", "Basic information about you"),
            ("Basic plan", "Basic plan"),
            ("beareré", "beareré"),
        ]);
    }
}
