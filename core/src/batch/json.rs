//! Parses one item into values that borrow from its text. [`crate::json`] reads rows, which the engine wrote itself; this reader
//! takes what a stranger wrote.
//!
//! It takes what JavaScript produces, and a little more: a lone surrogate becomes U+FFFD, a control character may stand in a
//! string as it is, a number beyond every integer becomes a floating-point one. What is nested deeper than any row is skipped
//! without recursion. It is lenient where the meaning is clear and `None` where it is not.

use super::items::{Items, quote_or_escape};
use crate::event::node::{Node, Shape};
use crate::limits::ATTRIBUTE_DEPTH;
use crate::sorted::collected;
use std::borrow::Cow;

/// Depth from which lists and maps are skipped: the encoder replaces them, wherever in an item they are.
const MOST_DEPTH: usize = ATTRIBUTE_DEPTH + 3;

/// A value of a document.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Json<'a> {
    Null,
    Bool(bool),
    I64(i64),
    /// Above `i64::MAX` only.
    U64(u64),
    F64(f64),
    Str(Cow<'a, str>),
    List(Vec<Json<'a>>),
    Map(Vec<(Cow<'a, str>, Json<'a>)>),
}

impl<'a> Node for Json<'a> {
    type Key = Cow<'a, str>;

    fn shape(&self) -> Shape<'_, Self> {
        match self {
            Json::Null => Shape::Null,
            Json::Bool(value) => Shape::Bool(*value),
            Json::I64(number) => Shape::I64(*number),
            Json::U64(number) => Shape::U64(*number),
            Json::F64(number) => Shape::F64(*number),
            Json::Str(text) => Shape::Str(text),
            Json::List(values) => Shape::List(values),
            Json::Map(entries) => Shape::Map(entries),
        }
    }
}

impl<'a> Json<'a> {
    /// Parses a text that is one value.
    pub(crate) fn parse(text: &'a str) -> Option<Json<'a>> {
        let mut parser = Parser { text, at: 0 };
        let value = parser.value(0)?;
        parser.space();
        (parser.at == text.len()).then_some(value)
    }

    /// The member of a map with this name; of two the last.
    pub(crate) fn get(&self, name: &str) -> Option<&Json<'a>> {
        let Json::Map(entries) = self else { return None };
        entries.iter().rev().find(|(key, _)| key == name).map(|(_, value)| value)
    }

    pub(crate) fn str(&self) -> Option<&str> {
        if let Json::Str(text) = self { Some(text) } else { None }
    }

    /// A whole number: a fraction is cut off, a number in a string counts.
    pub(crate) fn whole(&self) -> Option<i64> {
        match self {
            Json::I64(number) => Some(*number),
            Json::U64(_) => Some(i64::MAX),
            Json::F64(number) => Some(*number as i64),
            Json::Str(text) => text.trim().parse::<f64>().ok().filter(|number| !number.is_nan()).map(|n| n as i64),
            _ => None,
        }
    }

    /// Any number, also in a string.
    pub(crate) fn float(&self) -> Option<f64> {
        match self {
            Json::I64(number) => Some(*number as f64),
            Json::U64(number) => Some(*number as f64),
            Json::F64(number) => Some(*number),
            Json::Str(text) => text.trim().parse().ok(),
            _ => None,
        }
    }

    /// The entries of a map.
    pub(crate) fn entries(&self) -> Option<&[(Cow<'a, str>, Json<'a>)]> {
        if let Json::Map(entries) = self { Some(entries) } else { None }
    }

    /// The same value in the form of `serde_json`.
    pub(crate) fn to_serde(&self) -> serde_json::Value {
        use serde_json::Value;
        match self {
            Json::Null => Value::Null,
            Json::Bool(value) => (*value).into(),
            Json::I64(number) => (*number).into(),
            Json::U64(number) => (*number).into(),
            Json::F64(number) => (*number).into(),
            Json::Str(text) => (**text).into(),
            Json::List(values) => values.iter().map(Json::to_serde).collect(),
            Json::Map(entries) => Value::Object(collected(
                entries.iter().map(|(key, value)| (key.clone().into_owned(), value.to_serde())),
            )),
        }
    }

    /// The elements of a list.
    pub(crate) fn list(&self) -> &[Json<'a>] {
        if let Json::List(values) = self { values } else { &[] }
    }
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Parser<'a> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\r' | b'\n')) {
            self.at += 1;
        }
    }

    fn take(&mut self, byte: u8) -> bool {
        self.space();
        let there = self.peek() == Some(byte);
        self.at += usize::from(there);
        there
    }

    fn value(&mut self, depth: usize) -> Option<Json<'a>> {
        self.space();
        match self.peek()? {
            b'"' => self.string().map(Json::Str),
            b'{' | b'[' if depth >= MOST_DEPTH => {
                // The scanner does not recurse.
                let rest = self.text.get(self.at..)?;
                let skipped = Items::new(rest).next()?;
                let super::items::Found::Item(item) = skipped else { return None };
                self.at += item.text.len();
                Some(Json::List(Vec::new()))
            }
            b'{' => {
                self.at += 1;
                let mut entries = Vec::with_capacity(8);
                if self.take(b'}') {
                    return Some(Json::Map(entries));
                }
                loop {
                    self.space();
                    let key = self.string()?;
                    if !self.take(b':') {
                        return None;
                    }
                    entries.push((key, self.value(depth + 1)?));
                    if !self.take(b',') {
                        return self.take(b'}').then_some(Json::Map(entries));
                    }
                }
            }
            b'[' => {
                self.at += 1;
                let mut values = Vec::new();
                if self.take(b']') {
                    return Some(Json::List(values));
                }
                loop {
                    values.push(self.value(depth + 1)?);
                    if !self.take(b',') {
                        return self.take(b']').then_some(Json::List(values));
                    }
                }
            }
            _ => self.word(),
        }
    }

    /// A number, `true`, `false` or `null`.
    fn word(&mut self) -> Option<Json<'a>> {
        let rest = self.text.get(self.at..)?;
        let len = rest
            .bytes()
            .position(|byte| !(byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'+' | b'.')))
            .unwrap_or(rest.len());
        let word = rest.get(..len)?;
        self.at += len;
        match word {
            "null" => return Some(Json::Null),
            "true" => return Some(Json::Bool(true)),
            "false" => return Some(Json::Bool(false)),
            _ => {}
        }
        if !word.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'-' | b'+' | b'.' | b'e' | b'E')) {
            return None;
        }
        if let Ok(number) = word.parse() {
            return Some(Json::I64(number));
        }
        if let Ok(number) = word.parse() {
            return Some(Json::U64(number));
        }
        word.parse().ok().map(Json::F64)
    }

    fn string(&mut self) -> Option<Cow<'a, str>> {
        if self.peek()? != b'"' {
            return None;
        }
        self.at += 1;
        let mut owned = String::new();
        loop {
            let rest = self.text.get(self.at..)?;
            let plain = quote_or_escape(rest.as_bytes())?;
            let run = rest.get(..plain)?;
            self.at += plain + 1;
            if rest.as_bytes().get(plain) == Some(&b'"') {
                if owned.is_empty() {
                    return Some(Cow::Borrowed(run));
                }
                owned.push_str(run);
                return Some(Cow::Owned(owned));
            }
            owned.push_str(run);
            owned.push(self.escaped()?);
        }
    }

    /// The character of an escape, behind its backslash.
    fn escaped(&mut self) -> Option<char> {
        let byte = self.peek()?;
        self.at += 1;
        Some(match byte {
            b'n' => '\n',
            b't' => '\t',
            b'r' => '\r',
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'"' | b'\\' | b'/' => char::from(byte),
            b'u' => {
                let unit = self.unit()?;
                if (0xd800..0xdc00).contains(&unit) && self.text.get(self.at..)?.starts_with("\\u") {
                    let back = self.at;
                    self.at += 2;
                    let low = self.unit()?;
                    if (0xdc00..0xe000).contains(&low) {
                        let code = 0x1_0000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
                        return char::from_u32(code);
                    }
                    // The second half is missing; what stands there is read as it is.
                    self.at = back;
                }
                char::from_u32(unit).unwrap_or(char::REPLACEMENT_CHARACTER)
            }
            _ => return None,
        })
    }

    /// The four digits of `\u`.
    fn unit(&mut self) -> Option<u32> {
        let digits =
            self.text.get(self.at..self.at + 4).filter(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()))?;
        self.at += 4;
        u32::from_str_radix(digits, 16).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::Value;

    fn same(json: &Json<'_>, value: &Value) -> bool {
        match (json, value) {
            (Json::Null, Value::Null) => true,
            (Json::Bool(one), Value::Bool(other)) => one == other,
            (Json::I64(one), Value::Number(other)) => other.as_i64() == Some(*one),
            (Json::U64(one), Value::Number(other)) => other.as_u64() == Some(*one),
            (Json::F64(one), Value::Number(other)) => other.as_f64() == Some(*one),
            (Json::Str(one), Value::String(other)) => one == other,
            (Json::List(one), Value::Array(other)) => {
                one.len() == other.len() && one.iter().zip(other).all(|(one, other)| same(one, other))
            }
            (Json::Map(one), Value::Object(other)) => {
                one.len() == other.len()
                    && other.iter().all(|(key, value)| json.get(key).is_some_and(|one| same(one, value)))
            }
            _ => false,
        }
    }

    #[test]
    fn odd_but_clear_texts_have_a_meaning() {
        let str = |text| Json::parse(text).and_then(|json| json.str().map(str::to_owned));
        assert_eq!(str(r#""a\ud800b""#).unwrap(), "a\u{fffd}b");
        assert_eq!(str(r#""\udc00\ud83d\ude00\ud83d""#).unwrap(), "\u{fffd}😀\u{fffd}");
        assert_eq!(str(r#""\ud800\ud83d\ude00""#).unwrap(), "\u{fffd}😀");
        assert_eq!(str("\"line\nbreak\"").unwrap(), "line\nbreak");
        assert_eq!(str(r#""\"\\\/\b\f\n\r\t\u00e9""#).unwrap(), "\"\\/\u{8}\u{c}\n\r\té");
        assert_eq!(Json::parse("9223372036854775808"), Some(Json::U64(1 << 63)));
        assert_eq!(Json::parse("18446744073709551616"), Some(Json::F64(18_446_744_073_709_551_616.0)));
        assert_eq!(Json::parse("1e999"), Some(Json::F64(f64::INFINITY)));
        assert_eq!(Json::parse("-9223372036854775808"), Some(Json::I64(i64::MIN)));
        let twice = Json::parse(r#"{"a":1,"a":2}"#).unwrap();
        assert_eq!(twice.get("a"), Some(&Json::I64(2)));
        for wrong in [
            "",
            "{",
            "[1",
            "[1,]",
            "{\"a\"}",
            "{\"a\":}",
            "nul",
            "NaN",
            "1 2",
            r#""\x""#,
            r#""\u12""#,
            "\"",
            "+",
            "--1",
        ] {
            assert_eq!(Json::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn depth_beyond_any_row_is_skipped_and_what_stands_beside_it_is_read() {
        let deep = format!(r#"{{"deep":{}1{},"beside":"x"}}"#, "[".repeat(1_000), "]".repeat(1_000));
        let json = Json::parse(&deep).unwrap();
        assert_eq!(json.get("beside"), Some(&Json::Str("x".into())));
        let maps = format!("{}1{}", r#"{"a":"#.repeat(10_000), "}".repeat(10_000));
        assert!(Json::parse(&maps).is_some());
        assert_eq!(Json::parse(&"[".repeat(100_000)), None);
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<u64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            "\\PC{0,12}".prop_map(Value::from),
            any::<String>().prop_map(Value::from),
        ];
        leaf.prop_recursive(5, 40, 6, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
                proptest::collection::btree_map("\\PC{0,6}", inner, 0..6)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn every_document_is_read_as_serde_json_reads_it(value in any_json()) {
            let text = value.to_string();
            let json = Json::parse(&text).unwrap();
            prop_assert!(same(&json, &value), "{text} {json:?}");
        }

        #[test]
        fn no_text_panics(text in "\\PC{0,100}", cut in 0usize..100, value in any_json()) {
            let _ = Json::parse(&text);
            let text = value.to_string();
            let _ = Json::parse(text.get(..text.floor_char_boundary(cut)).unwrap_or_default());
        }
    }
}
