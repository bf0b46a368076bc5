//! Writes JSON into a string.
//!
//! Nothing is buffered: each call appends its text at once. The separating comma is derived from the text: the first
//! member follows a `{` and the first element follows a `[`, anything else follows a value.

// Which functions are unused depends on the features for destinations.
#![cfg_attr(
    not(all(feature = "destination-datadog", feature = "destination-otlp", feature = "destination-sentry")),
    allow(dead_code)
)]

use std::fmt::{Display, Write as _};

/// The name of a member: plain text, which is escaped, or [`Escaped`].
pub(crate) trait Name {
    /// Appends the name with its quotes.
    fn write_name(self, out: &mut String);
}

impl<T: AsRef<str> + ?Sized> Name for &T {
    fn write_name(self, out: &mut String) {
        push_text(out, self.as_ref());
    }
}

/// A name that was copied from JSON text without its quotes. It is written as it is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Escaped<'a>(pub(crate) &'a str);

impl Name for Escaped<'_> {
    fn write_name(self, out: &mut String) {
        out.push('"');
        out.push_str(self.0);
        out.push('"');
    }
}

/// Appends the members of one JSON object to a string.
///
/// The caller must not write a name twice; this is not checked.
///
/// ```text
/// Object::write(&mut out, |event| {
///     event.text("name", "Cart");
///     event.object("device", |device| device.number("cores", 8));
/// });
/// assert_eq!(out, r#"{"name":"Cart","device":{"cores":8}}"#);
/// ```
pub(crate) struct Object<'o> {
    out: &'o mut String,
}

impl<'o> Object<'o> {
    /// Appends an object with the members that `members` writes.
    pub(crate) fn write(out: &'o mut String, members: impl FnOnce(&mut Object<'_>)) {
        out.push('{');
        members(&mut Object { out });
        out.push('}');
    }

    /// Adds members to an object whose opening brace is in `out`. The caller writes the closing brace.
    pub(crate) fn open(out: &'o mut String) -> Object<'o> {
        Object { out }
    }

    /// Starts a member. The caller appends exactly one JSON value to the returned string.
    #[inline]
    pub(crate) fn name(&mut self, name: impl Name) -> &mut String {
        push_name(self.out, name);
        self.out
    }

    /// A value that is JSON text already.
    pub(crate) fn json(&mut self, name: impl Name, json: &str) {
        self.name(name).push_str(json);
    }

    /// A value that is JSON text already, unless it is missing or `null`.
    pub(crate) fn json_if_some(&mut self, name: impl Name, json: Option<&str>) {
        if let Some(json) = json.filter(|json| *json != "null") {
            self.json(name, json);
        }
    }

    /// Members that are JSON text already: an object without its braces.
    pub(crate) fn members(&mut self, members: &str) {
        if !members.is_empty() {
            push_comma(self.out);
            self.out.push_str(members);
        }
    }

    /// A string.
    pub(crate) fn text(&mut self, name: impl Name, text: &str) {
        push_text(self.name(name), text);
    }

    /// A string, unless it is missing.
    pub(crate) fn text_if_some(&mut self, name: impl Name, text: Option<&str>) {
        if let Some(text) = text {
            self.text(name, text);
        }
    }

    /// An integer, or any other type whose `Display` is a JSON number. See [`Object::float`] for `f64`.
    pub(crate) fn number(&mut self, name: impl Name, number: impl Display) {
        // Writing to a string cannot fail.
        let _ = write!(self.name(name), "{number}");
    }

    /// A number; `null` if it is not finite.
    pub(crate) fn float(&mut self, name: impl Name, number: f64) {
        push_float(self.name(name), number);
    }

    /// `true` or `false`.
    pub(crate) fn flag(&mut self, name: impl Name, flag: bool) {
        self.json(name, if flag { "true" } else { "false" });
    }

    /// A nested object.
    pub(crate) fn object(&mut self, name: impl Name, members: impl FnOnce(&mut Object<'_>)) {
        Object::write(self.name(name), members);
    }

    /// An array with one element per item; `push` appends it.
    pub(crate) fn array<T>(
        &mut self,
        name: impl Name,
        items: impl IntoIterator<Item = T>,
        push: impl FnMut(&mut String, T),
    ) {
        push_list(self.name(name), items, push);
    }
}

/// Appends the comma before the next member or element, unless it is the first one.
pub(crate) fn push_comma(out: &mut String) {
    if !matches!(out.as_bytes().last(), Some(b'{' | b'[')) {
        out.push(',');
    }
}

/// Appends the name of the next member of an object, with the comma before and the colon after it.
pub(crate) fn push_name(out: &mut String, name: impl Name) {
    push_comma(out);
    name.write_name(out);
    out.push(':');
}

/// Appends an array with one element per item; `push` appends it.
pub(crate) fn push_list<T>(out: &mut String, items: impl IntoIterator<Item = T>, mut push: impl FnMut(&mut String, T)) {
    out.push('[');
    for item in items {
        push_comma(out);
        push(out, item);
    }
    out.push(']');
}

/// Appends a JSON number; `null` if it is not finite.
pub(crate) fn push_float(out: &mut String, number: f64) {
    match serde_json::Number::from_f64(number) {
        Some(number) => drop(write!(out, "{number}")),
        None => out.push_str("null"),
    }
}

/// Appends a JSON string with its quotes.
pub(crate) fn push_text(out: &mut String, text: &str) {
    let bytes = text.as_bytes();
    out.reserve(bytes.len() + 2);
    out.push('"');
    let mut plain = 0;
    while let Some(at) = next_escape(bytes, plain) {
        out.push_str(text.get(plain..at).unwrap_or_default());
        match bytes.get(at) {
            Some(b'\n') => out.push_str("\\n"),
            Some(b'\r') => out.push_str("\\r"),
            Some(b'\t') => out.push_str("\\t"),
            // Writing to a string cannot fail.
            Some(control @ ..0x20) => drop(write!(out, "\\u{control:04x}")),
            Some(quoted) => out.extend(['\\', char::from(*quoted)]),
            None => {}
        }
        plain = at + 1;
    }
    out.push_str(text.get(plain..).unwrap_or_default());
    out.push('"');
}

/// The first byte from `from` on that a JSON string escapes. Reads eight bytes at a time.
fn next_escape(bytes: &[u8], from: usize) -> Option<usize> {
    const LOW: u64 = u64::MAX / 255;
    const HIGH: u64 = LOW << 7;
    let (chunks, rest) = bytes.get(from..)?.as_chunks::<8>();
    for (index, chunk) in chunks.iter().enumerate() {
        let word = u64::from_le_bytes(*chunk);
        let low_bits = word & !HIGH;
        // The high bit of a byte of `at_least(n)` is set if its low seven bits are `n` or more.
        let at_least = |n: u64| low_bits + LOW * (0x80 - n);
        let differs = |byte: u64| (low_bits ^ (LOW * byte)) + !HIGH;
        let plain = word | (at_least(0x20) & differs(u64::from(b'"')) & differs(u64::from(b'\\')));
        let found = !plain & HIGH;
        if found != 0 {
            return Some(from + index * 8 + found.trailing_zeros() as usize / 8);
        }
    }
    let at = rest.iter().position(|byte| *byte < 0x20 || matches!(byte, b'"' | b'\\'))?;
    Some(bytes.len() - rest.len() + at)
}

/// The text as a JSON string with its quotes.
pub(crate) fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    push_text(&mut out, text);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_json_parser_reads_back_any_text_unchanged() {
        for text in ["", "plain", "\"\\\n\r\t\0\u{1f}\u{7f}", "é🛒\u{2028}", "</script>"] {
            assert_eq!(serde_json::from_str::<String>(&quoted(text)).unwrap(), text);
        }
        // Every byte at every place of a chunk.
        for byte in 0..=0x7f_u8 {
            for before in 0..9 {
                let text = format!("{}{}é234567", "x".repeat(before), char::from(byte));
                assert_eq!(
                    quoted(&text),
                    serde_json::to_string(&text).unwrap().replace("\\b", "\\u0008").replace("\\f", "\\u000c")
                );
            }
        }
    }

    #[test]
    fn members_and_elements_are_separated_by_commas_at_every_depth() {
        let mut out = String::new();
        Object::write(&mut out, |object| {
            object.object("empty", |_| {});
            object.array("none", [0; 0], |_, _| {});
            object.text("braces", "{[");
            object.array("list", [1, 2], |out, n| Object::write(out, |object| object.number("n", n)));
            object.flag("flag", true);
            object.float("float", 0.5);
            object.float("not finite", f64::NAN);
            object.text_if_some("absent", None);
            object.json_if_some("null", Some("null"));
        });
        let expected = concat!(
            r#"{"empty":{},"none":[],"braces":"{[","list":[{"n":1},{"n":2}],"#,
            r#""flag":true,"float":0.5,"not finite":null}"#
        );
        assert_eq!(out, expected);
    }

    #[test]
    fn a_name_is_escaped_once() {
        let mut out = "{".to_owned();
        let mut object = Object::open(&mut out);
        object.number("a\"b", 1);
        object.json(Escaped(r#"c\"d"#), "2");
        out.push('}');
        assert_eq!(out, r#"{"a\"b":1,"c\"d":2}"#);
    }
}
