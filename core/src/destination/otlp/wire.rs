//! OTLP's two encodings behind one trait: a message is described once and written as protobuf or as JSON.
//!
//! Protobuf is written by hand, because the messages are few and flat. Fields are written in the order of their numbers
//! and empty ones are left out, so the bytes are the same as those of other encoders. JSON follows OTLP's mapping: ids
//! in hexadecimal, 64-bit integers as strings, enumerations as numbers.

use crate::json::{Escaped, push_comma, push_float, push_list, push_name, push_text};
use std::fmt::Write as _;

/// A field of a message: its number in protobuf and its name in JSON.
#[derive(Clone, Copy)]
pub(super) struct Tag(pub(super) u32, pub(super) &'static str);

/// Writes a message, field by field.
pub(super) trait Wire: Sized {
    fn text(&mut self, tag: Tag, value: &str);
    /// A trace or span id.
    fn id(&mut self, tag: Tag, value: &[u8]);
    fn fixed64(&mut self, tag: Tag, value: u64);
    fn int64(&mut self, tag: Tag, value: i64);
    fn enumeration(&mut self, tag: Tag, value: u32);
    fn boolean(&mut self, tag: Tag, value: bool);
    fn double(&mut self, tag: Tag, value: f64);
    fn fixed64s(&mut self, tag: Tag, values: &[u64]);
    fn doubles(&mut self, tag: Tag, values: &[f64]);
    /// A nested message.
    fn message(&mut self, tag: Tag, body: impl FnOnce(&mut Self));
    /// A repeated field; `items` calls [`Wire::item`] for each element, with the same tag.
    fn list(&mut self, tag: Tag, items: impl FnOnce(&mut Self));
    /// An element of a repeated field.
    fn item(&mut self, tag: Tag, body: impl FnOnce(&mut Self));
}

/// The protobuf encoding.
#[derive(Default)]
pub(super) struct Protobuf {
    out: Vec<u8>,
}

const VARINT: u32 = 0;
const FIXED64: u32 = 1;
const BYTES: u32 = 2;

impl Protobuf {
    pub(super) fn with_capacity(bytes: usize) -> Protobuf {
        Protobuf { out: Vec::with_capacity(bytes) }
    }

    pub(super) fn finish(self) -> Vec<u8> {
        self.out
    }

    fn key(&mut self, tag: Tag, kind: u32) {
        self.varint(u64::from((tag.0 << 3) | kind));
    }

    fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.out.push((value & 0x7f) as u8 | 0x80);
            value >>= 7;
        }
        self.out.push(value as u8);
    }

    fn bytes(&mut self, tag: Tag, value: &[u8]) {
        self.key(tag, BYTES);
        self.varint(value.len() as u64);
        self.out.extend_from_slice(value);
    }
}

impl Wire for Protobuf {
    fn text(&mut self, tag: Tag, value: &str) {
        self.bytes(tag, value.as_bytes());
    }

    fn id(&mut self, tag: Tag, value: &[u8]) {
        self.bytes(tag, value);
    }

    fn fixed64(&mut self, tag: Tag, value: u64) {
        self.key(tag, FIXED64);
        self.out.extend_from_slice(&value.to_le_bytes());
    }

    fn int64(&mut self, tag: Tag, value: i64) {
        self.key(tag, VARINT);
        // Protobuf encodes `int64` in two's complement.
        self.varint(value as u64);
    }

    fn enumeration(&mut self, tag: Tag, value: u32) {
        self.key(tag, VARINT);
        self.varint(u64::from(value));
    }

    fn boolean(&mut self, tag: Tag, value: bool) {
        self.enumeration(tag, u32::from(value));
    }

    fn double(&mut self, tag: Tag, value: f64) {
        self.fixed64(tag, value.to_bits());
    }

    fn fixed64s(&mut self, tag: Tag, values: &[u64]) {
        self.key(tag, BYTES);
        self.varint(values.len() as u64 * 8);
        values.iter().for_each(|value| self.out.extend_from_slice(&value.to_le_bytes()));
    }

    fn doubles(&mut self, tag: Tag, values: &[f64]) {
        self.key(tag, BYTES);
        self.varint(values.len() as u64 * 8);
        values.iter().for_each(|value| self.out.extend_from_slice(&value.to_le_bytes()));
    }

    fn message(&mut self, tag: Tag, body: impl FnOnce(&mut Self)) {
        self.key(tag, BYTES);
        // One byte is reserved for the length; a body of 128 bytes or more is moved by the additional bytes of its
        // length.
        let at = self.out.len();
        self.out.push(0);
        body(self);
        let mut len = self.out.len().saturating_sub(at + 1) as u64;
        let mut bytes = [0u8; 10];
        let mut used = 0;
        for byte in &mut bytes {
            used += 1;
            *byte = (len & 0x7f) as u8;
            len >>= 7;
            if len == 0 {
                break;
            }
            *byte |= 0x80;
        }
        self.out.splice(at..=at, bytes.into_iter().take(used));
    }

    fn list(&mut self, _tag: Tag, items: impl FnOnce(&mut Self)) {
        items(self);
    }

    fn item(&mut self, tag: Tag, body: impl FnOnce(&mut Self)) {
        self.message(tag, body);
    }
}

/// The JSON encoding. Starts with the brace of the outermost message.
pub(super) struct JsonText {
    out: String,
}

impl JsonText {
    pub(super) fn with_capacity(bytes: usize) -> JsonText {
        let mut out = String::with_capacity(bytes);
        out.push('{');
        JsonText { out }
    }

    pub(super) fn finish(mut self) -> Vec<u8> {
        self.out.push('}');
        self.out.into_bytes()
    }

    /// Starts a field. The names of OTLP need no escapes.
    fn name(&mut self, tag: Tag) -> &mut String {
        push_name(&mut self.out, Escaped(tag.1));
        &mut self.out
    }

    fn print(&mut self, tag: Tag, value: impl std::fmt::Display) {
        // Writing to a string cannot fail.
        let _ = write!(self.name(tag), "{value}");
    }

    fn nested(&mut self, open: char, close: char, body: impl FnOnce(&mut Self)) {
        self.out.push(open);
        body(self);
        self.out.push(close);
    }
}

impl Wire for JsonText {
    fn text(&mut self, tag: Tag, value: &str) {
        push_text(self.name(tag), value);
    }

    fn id(&mut self, tag: Tag, value: &[u8]) {
        let out = self.name(tag);
        out.push('"');
        for byte in value {
            let _ = write!(out, "{byte:02x}");
        }
        out.push('"');
    }

    fn fixed64(&mut self, tag: Tag, value: u64) {
        self.print(tag, format_args!("\"{value}\""));
    }

    fn int64(&mut self, tag: Tag, value: i64) {
        self.print(tag, format_args!("\"{value}\""));
    }

    fn enumeration(&mut self, tag: Tag, value: u32) {
        self.print(tag, value);
    }

    fn boolean(&mut self, tag: Tag, value: bool) {
        self.print(tag, value);
    }

    fn double(&mut self, tag: Tag, value: f64) {
        push_float(self.name(tag), value);
    }

    fn fixed64s(&mut self, tag: Tag, values: &[u64]) {
        push_list(self.name(tag), values, |out, value| {
            let _ = write!(out, "\"{value}\"");
        });
    }

    fn doubles(&mut self, tag: Tag, values: &[f64]) {
        push_list(self.name(tag), values, |out, value| push_float(out, *value));
    }

    fn message(&mut self, tag: Tag, body: impl FnOnce(&mut Self)) {
        self.name(tag);
        self.nested('{', '}', body);
    }

    fn list(&mut self, tag: Tag, items: impl FnOnce(&mut Self)) {
        self.name(tag);
        self.nested('[', ']', items);
    }

    fn item(&mut self, _tag: Tag, body: impl FnOnce(&mut Self)) {
        push_comma(&mut self.out);
        self.nested('{', '}', body);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write_sample(w: &mut impl Wire) {
        w.text(Tag(1, "a"), "x\"y");
        w.int64(Tag(2, "b"), -1);
        w.message(Tag(3, "c"), |w| {
            w.list(Tag(1, "d"), |w| {
                for fill in [1, 127, 128, 20_000] {
                    w.item(Tag(1, "d"), |w| w.text(Tag(1, "e"), &"z".repeat(fill)));
                }
            });
            w.doubles(Tag(2, "f"), &[0.5, 1.0]);
        });
        w.boolean(Tag(16, "g"), true);
    }

    #[test]
    fn a_length_of_any_size_is_the_number_of_bytes_that_follow() {
        let mut w = Protobuf::default();
        write_sample(&mut w);
        let bytes = w.finish();
        // The key, `x"y`, then -1 in ten bytes.
        assert_eq!(bytes[..5], [0x0a, 3, b'x', b'"', b'y']);
        assert_eq!(bytes[5..16], [0x10, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01]);
        // Items of 3, 129, 131 and 20,004 bytes behind lengths of 1, 2, 2 and 3 bytes, then 18 of doubles.
        let inner = (2 + 3) + (1 + 2 + 129) + (1 + 2 + 131) + (1 + 3 + 20_004) + 18;
        let varint = [0x1a, (inner & 0x7f) as u8 | 0x80, ((inner >> 7) & 0x7f) as u8 | 0x80, (inner >> 14) as u8];
        assert_eq!(bytes[16..20], varint);
        assert_eq!(bytes.len(), 20 + inner + 3);
        assert_eq!(bytes[bytes.len() - 3..], [0x80, 0x01, 0x01]);
    }

    #[test]
    fn json_is_valid_and_has_64_bit_integers_as_strings() {
        let mut w = JsonText::with_capacity(16);
        write_sample(&mut w);
        w.id(Tag(1, "id"), &[0x0a, 0xff]);
        w.fixed64s(Tag(1, "n"), &[1, u64::MAX]);
        let json: serde_json::Value = serde_json::from_slice(&w.finish()).unwrap();
        assert_eq!((&json["a"], &json["b"], &json["id"]), (&"x\"y".into(), &"-1".into(), &"0aff".into()));
        assert_eq!(json["c"]["d"].as_array().unwrap().len(), 4);
        assert_eq!(json["n"][1], "18446744073709551615");
        assert_eq!(json["c"]["f"], serde_json::json!([0.5, 1.0]));
        assert_eq!(json["g"], true);
    }
}
