//! What the encoders share that build a tree of values: reading a row, cutting values, and notes of the changes.

use super::Note;
use crate::row::Row;
use serde_json::{Map, Value};

/// The values of one row that are renamed, cut or left out. The encoder itself fills it, so that the notes match the
/// request.
#[derive(Debug, Default)]
pub(super) struct Notes(pub(super) Vec<Note>);

impl Notes {
    pub(super) fn add(&mut self, field: &str, what: impl Into<String>) {
        self.0.push(Note { field: field.to_owned(), what: what.into() });
    }
}

/// The fields of the row; empty if it is not a JSON object.
pub(super) fn fields(row: &Row) -> Map<String, Value> {
    serde_json::from_str(&row.json).unwrap_or_default()
}

/// A string field, unless it is missing or empty.
pub(super) fn text<'a>(fields: &'a Map<String, Value>, key: &str) -> Option<&'a str> {
    fields.get(key)?.as_str().filter(|text| !text.is_empty())
}

/// A string member of an object field (`user`, `view`), unless it is missing or empty.
pub(super) fn member<'a>(fields: &'a Map<String, Value>, key: &str, member: &str) -> Option<&'a str> {
    fields.get(key)?.get(member)?.as_str().filter(|text| !text.is_empty())
}

/// The first `most` characters, with a note if the text was longer.
pub(super) fn cut(text: &str, most: usize, field: &str, notes: &mut Notes) -> String {
    match text.char_indices().nth(most) {
        None => text.to_owned(),
        Some((at, _)) => {
            notes.add(field, format!("cut to {most} characters"));
            text.get(..at).unwrap_or(text).to_owned()
        }
    }
}

/// A field in microseconds as whole milliseconds.
pub(super) fn millis(fields: &Map<String, Value>, key: &str) -> Option<i64> {
    fields.get(key)?.as_i64().map(|us| us / 1_000)
}

/// A percent-encoded query value: everything except letters, digits and `-._~`.
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
    fn a_text_is_cut_between_characters_with_a_note() {
        let mut notes = Notes::default();
        assert_eq!(cut("h\u{e9}llo", 5, "a", &mut notes), "h\u{e9}llo");
        assert!(notes.0.is_empty());
        assert_eq!(cut("h\u{e9}llo", 2, "a", &mut notes), "h\u{e9}");
        assert_eq!(notes.0, [Note { field: "a".into(), what: "cut to 2 characters".into() }]);
    }

    #[cfg(feature = "destination-ga4")]
    #[test]
    fn a_query_value_is_percent_encoded() {
        assert_eq!(query_value("a-Z_9.~"), "a-Z_9.~");
        assert_eq!(query_value("1:2&x=\u{e9} +#"), "1%3A2%26x%3D%C3%A9%20%2B%23");
    }
}
