//! What the encoders of analytics vendors share: reading a row, cutting, renaming, and noting what was changed.

use super::Note;
use crate::row::Row;
use serde_json::{Map, Value};

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

/// Whole milliseconds of a field in microseconds.
pub(super) fn millis(fields: &Map<String, Value>, key: &str) -> Option<i64> {
    fields.get(key)?.as_i64().map(|us| us / 1_000)
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

    #[cfg(feature = "destination-ga4")]
    #[test]
    fn a_query_value_cannot_end_its_parameter() {
        assert_eq!(query_value("a-Z_9.~"), "a-Z_9.~");
        assert_eq!(query_value("1:2&x=\u{e9} +#"), "1%3A2%26x%3D%C3%A9%20%2B%23");
    }
}
