//! Credentials that show by their form: JSON web tokens and what follows the word `bearer`.

use super::Found;
use super::words;

pub(super) const MARKER: &str = "[token]";

/// Bytes of the shortest header of a JSON web token, `{"alg":"x"}` in base64.
const JWT_HEADER: usize = 12;

/// Bytes of a bearer token that holds a digit or a capital.
const BEARER: usize = 6;

/// Bytes from which a word of small letters alone is a bearer token: longer than words in a sentence.
const BEARER_WORD: usize = 20;

/// The next token from `from` on.
pub(super) fn next(text: &str, from: usize) -> Option<Found> {
    let bytes = text.as_bytes();
    let mut at = from;
    loop {
        at += bytes.get(at..)?.iter().position(|byte| matches!(byte, b'e' | b'b' | b'B'))?;
        let found = if bytes.get(at) == Some(&b'e') { jwt(bytes, at) } else { bearer(bytes, at) };
        match found {
            Ok(found) => return Some(found),
            Err(end) => at = end.max(at + 1),
        }
    }
}

/// Three parts of base64 with dots between them, or what is left of them after a cut. Else where to go on.
fn jwt(bytes: &[u8], start: usize) -> Result<Found, usize> {
    let part = |from: usize| {
        let rest = bytes.get(from..).unwrap_or_default();
        from + rest.iter().take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'=')).count()
    };
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
    Ok(Found { start, end, marker: MARKER })
}

/// `Bearer` and its token; the word stays.
fn bearer(bytes: &[u8], start: usize) -> Result<Found, usize> {
    const WORD: &[u8] = b"bearer";
    if !words::starts_with(bytes, start, WORD) {
        return Err(start + 1);
    }
    let after = start + WORD.len();
    let mut token = after;
    loop {
        token = match bytes.get(token..) {
            Some([b' ' | b'\t' | b'+' | b':' | b'=' | b'"' | b'\'', ..]) => token + 1,
            Some([b'%', b'2', b'0', ..]) => token + 3,
            _ => break,
        };
    }
    let rest = bytes.get(token..).unwrap_or_default();
    let is_token = |byte: &&u8| byte.is_ascii_alphanumeric() || b"-._~+/=%|".contains(byte);
    let mut end = token + rest.iter().take_while(is_token).count();
    while end > token && matches!(bytes.get(end - 1), Some(b'.' | b'/')) {
        end -= 1;
    }
    let value = bytes.get(token..end).unwrap_or_default();
    let mixed = value.iter().any(u8::is_ascii_digit) || value.iter().skip(1).any(u8::is_ascii_uppercase);
    if token == after || !((mixed && value.len() >= BEARER) || value.len() >= BEARER_WORD) {
        return Err(after);
    }
    Ok(Found { start: token, end, marker: MARKER })
}

#[cfg(test)]
mod tests {
    use super::super::scrub_text;

    const JWT: &str = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9";

    #[test]
    fn web_tokens_are_found_whole_and_cut() {
        for (before, after) in [("", ""), ("got ", "."), ("\"", "\""), ("/t/", "/x"), ("é", "é"), ("x=", "&y=1")] {
            assert_eq!(scrub_text(&format!("{before}{JWT}{after}")), format!("{before}[token]{after}"));
        }
        assert_eq!(scrub_text(&JWT[..40]), "[token]");
        assert_eq!(scrub_text("eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0."), "[token].");
        assert_eq!(scrub_text(&format!("{JWT}.a.b")), "[token]");
        for text in ["eyJ", "eyJ.x", "eyJhbGciOiJIUzI1NiJ9", "they Journey.on"] {
            assert_eq!(scrub_text(text), text);
        }
    }

    #[test]
    fn what_follows_bearer_is_a_token_unless_it_is_a_word() {
        for (text, scrubbed) in [
            ("Bearer abc123DEF", "Bearer [token]"),
            ("bearer ya29.a0AfH6SMBx-_~+/==", "bearer [token]"),
            ("got 'BEARER abcdefghijklmnopqrstuvwx'.", "got 'BEARER [token]'."),
            ("Bearer%20abc123DEF&x", "Bearer%20[token]&x"),
            ("bearer authentication failed", "bearer authentication failed"),
            ("Bearer of 100 news", "Bearer of 100 news"),
            ("Bearer", "Bearer"),
            ("beareré", "beareré"),
        ] {
            assert_eq!(scrub_text(text), scrubbed);
        }
    }
}
