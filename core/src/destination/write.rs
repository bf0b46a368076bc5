//! What the encoders of analytics vendors share: reading a row, cutting, renaming, and noting what was changed.

use super::Note;
use crate::row::Row;
use serde_json::{Map, Value};

/// Longest text of a server that is kept with a dead letter or a receipt, in characters.
const SAID_CHARS: usize = 160;

/// What was renamed, cut or left out of one row. The encoder fills it whether or not anybody reads it, so that what
/// the inspector says is what was sent.
#[derive(Debug, Default)]
pub(super) struct Notes(pub(super) Vec<Note>);

impl Notes {
    pub(super) fn add(&mut self, field: &str, what: impl Into<String>) {
        self.0.push(Note { field: field.to_owned(), what: what.into() });
    }
}

/// The row's own fields; none if it is not an object.
pub(super) fn fields(row: &Row) -> Map<String, Value> {
    serde_json::from_str(&row.json).unwrap_or_default()
}

/// A text field that is there and not empty.
pub(super) fn text<'a>(fields: &'a Map<String, Value>, key: &str) -> Option<&'a str> {
    fields.get(key)?.as_str().filter(|text| !text.is_empty())
}

/// A text member of an object field (`user`, `view`).
pub(super) fn member<'a>(fields: &'a Map<String, Value>, key: &str, member: &str) -> Option<&'a str> {
    fields.get(key)?.get(member)?.as_str().filter(|text| !text.is_empty())
}

/// The first `most` characters, and a note if there were more.
pub(super) fn cut(text: &str, most: usize, field: &str, notes: &mut Notes) -> String {
    match text.char_indices().nth(most) {
        None => text.to_owned(),
        Some((at, _)) => {
            notes.add(field, format!("cut to {most} characters"));
            text.get(..at).unwrap_or(text).to_owned()
        }
    }
}

/// First characters of what a server said; no line breaks.
pub(super) fn said(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(SAID_CHARS).collect()
}

/// Whole milliseconds of a field in microseconds.
pub(super) fn millis(fields: &Map<String, Value>, key: &str) -> Option<i64> {
    fields.get(key)?.as_i64().map(|us| us / 1_000)
}

/// Base64 (RFC 4648, with padding): the user of HTTP's basic authentication.
#[cfg(feature = "destination-mixpanel")]
pub(super) fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for part in bytes.chunks(3) {
        let word = part.iter().fold(0_u32, |word, byte| (word << 8) | u32::from(*byte)) << (8 * (3 - part.len()));
        for place in 0..4 {
            let digit = DIGITS.get((word >> (18 - 6 * place)) as usize & 63).copied().unwrap_or(b'=');
            out.push(if place <= part.len() { char::from(digit) } else { '=' });
        }
    }
    out
}

/// A value of a URL's query: everything but letters, digits and `-._~` as `%XX`.
#[cfg(feature = "destination-ga4")]
pub(super) fn query_value(text: &str) -> String {
    text.bytes().fold(String::with_capacity(text.len()), |mut out, byte| {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => out.push(char::from(byte)),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
        out
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cut_is_made_between_characters_and_noted() {
        let mut notes = Notes::default();
        assert_eq!(cut("h\u{e9}llo", 5, "a", &mut notes), "h\u{e9}llo");
        assert!(notes.0.is_empty());
        assert_eq!(cut("h\u{e9}llo", 2, "a", &mut notes), "h\u{e9}");
        assert_eq!(notes.0, [Note { field: "a".into(), what: "cut to 2 characters".into() }]);
    }

    #[cfg(feature = "destination-mixpanel")]
    #[test]
    fn base64_has_the_digits_of_its_rfc() {
        for (plain, coded) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"),
            ("\u{fb}\u{ff}", "w7vDvw=="),
        ] {
            assert_eq!(base64(plain.as_bytes()), coded, "{plain}");
        }
    }

    #[cfg(feature = "destination-ga4")]
    #[test]
    fn a_query_value_cannot_end_its_parameter() {
        assert_eq!(query_value("a-Z_9.~"), "a-Z_9.~");
        assert_eq!(query_value("1:2&x=\u{e9} +#"), "1%3A2%26x%3D%C3%A9%20%2B%23");
    }
}
