//! Finds the items of a batch document without decoding them: where each begins and ends, and what it is.
//!
//! The caller counts with it, the writer decodes what it finds: one function decides for both how many events a document
//! has. It allocates nothing and does not recurse, so any depth costs only time. It checks only the structure that it needs;
//! what else is wrong inside an item is found when the item is decoded.

use super::fields::{CHANGES, USER_CHANGE};
use crate::kind::Kind;

/// What an item is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum What {
    /// An event of this kind.
    Event(Kind),
    Breadcrumb,
    Scope,
    /// An item of another form, of an unknown kind, or of one that only the engine records. Counts as one event.
    #[default]
    Unknown,
}

/// One item.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Item<'a> {
    pub(crate) what: What,
    /// Its JSON.
    pub(crate) text: &'a str,
    /// Its first byte in the text of all items.
    pub(crate) start: usize,
    /// Its duration, if it has one that is a number.
    pub(crate) duration_us: Option<u64>,
    /// It is a change of the user, or cannot be read and may be one.
    pub(crate) may_change_user: bool,
    /// It has a URL. Without one a call is malformed, and nothing warns of it.
    pub(crate) has_url: bool,
}

impl Item<'_> {
    /// The number of accepted events that it stands for: a slow call also records a warning.
    pub(crate) fn events(&self, slow_api_us: u64) -> u16 {
        match self.what {
            What::Event(_) => 1 + u16::from(self.is_slow_call(slow_api_us)),
            What::Unknown => 1,
            What::Breadcrumb | What::Scope => 0,
        }
    }

    /// Whether it is a call that took longer than the threshold.
    pub(crate) fn is_slow_call(&self, slow_api_us: u64) -> bool {
        self.what == What::Event(Kind::ApiCall) && self.has_url && self.duration_us.is_some_and(|us| us > slow_api_us)
    }
}

/// The next thing in a list of items.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Found<'a> {
    Item(Item<'a>),
    /// The text ends inside an item.
    Cut {
        /// The item may be a change of the user.
        may_change_user: bool,
    },
}

/// A document, opened up to its items.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Document<'a> {
    /// The oldest version of the schema whose readers can read it.
    pub(crate) least_version: u64,
    /// What follows the bracket that opens `items`.
    pub(crate) items: &'a str,
}

impl<'a> Document<'a> {
    /// Opens a document; `None` if it is not an object with a list `items`. Members after `items` are not read.
    pub(crate) fn open(text: &'a str) -> Option<Document<'a>> {
        let mut cursor = Cursor { bytes: text.as_bytes(), at: 0 };
        let mut least_version = 1;
        cursor.expect(b'{')?;
        loop {
            let (key, value) = cursor.member()?;
            match (key, value) {
                (b"items", Member::List(start)) => {
                    return Some(Document { least_version, items: text.get(start..)? });
                }
                (b"min", Member::Other(start, end)) => {
                    least_version = version(text.get(start..end)?.trim());
                }
                _ => {}
            }
            cursor.expect(b',')?;
        }
    }
}

/// The items of a list, up to its closing bracket or the end of the text.
#[derive(Clone, Debug)]
pub(crate) struct Items<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Items<'a> {
    pub(crate) fn new(text: &'a str) -> Items<'a> {
        Items { text, at: 0 }
    }
}

impl<'a> Iterator for Items<'a> {
    type Item = Found<'a>;

    fn next(&mut self) -> Option<Found<'a>> {
        let bytes = self.text.as_bytes();
        let mut cursor = Cursor { bytes, at: self.at };
        while matches!(cursor.peek(), Some(b' ' | b'\t' | b'\r' | b'\n' | b',')) {
            cursor.at += 1;
        }
        let start = cursor.at;
        if matches!(cursor.peek(), None | Some(b']')) {
            self.at = bytes.len();
            return None;
        }
        let mut members = cursor.item();
        if members.is_none() {
            // Not an object of whole members. Brackets alone tell where it ends.
            cursor.at = start;
            if cursor.skip_value().is_none() {
                self.at = bytes.len();
                return Some(Found::Cut { may_change_user: has_scope(self.text.get(start..).unwrap_or_default()) });
            }
        }
        // A stray bracket would otherwise be found again and again.
        self.at = cursor.at.max(start + 1);
        let text = self.text.get(start..self.at).unwrap_or_default();
        let may_change_user = members.as_ref().map_or_else(|| has_scope(text), |members| members.may_change_user);
        let Members { what, duration_us, has_url, .. } = members.take().unwrap_or_default();
        Some(Found::Item(Item { what, text, start, duration_us, may_change_user, has_url }))
    }
}

/// What the members of an item tell without being decoded.
#[derive(Default)]
struct Members {
    what: What,
    duration_us: Option<u64>,
    may_change_user: bool,
    has_url: bool,
}

/// Whether a text that cannot be read may be a scope change.
fn has_scope(text: &str) -> bool {
    text.contains("\"scope\"")
}

/// The value of a member, by its place.
enum Member {
    /// A list; the position after its opening bracket. The cursor is at the end of the list only after `skip`.
    List(usize),
    Other(usize, usize),
}

struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\r' | b'\n')) {
            self.at += 1;
        }
    }

    fn expect(&mut self, byte: u8) -> Option<()> {
        self.space();
        (self.peek()? == byte).then(|| self.at += 1)
    }

    /// The raw name of the next member and its value. A list named `items` is not skipped.
    fn member(&mut self) -> Option<(&'a [u8], Member)> {
        let key = self.string()?;
        self.expect(b':')?;
        self.space();
        if key == b"items" && self.peek()? == b'[' {
            return Some((key, Member::List(self.at + 1)));
        }
        let start = self.at;
        self.skip_value()?;
        Some((key, Member::Other(start, self.at)))
    }

    /// Reads an item that is an object. Of two members of one name the last counts.
    fn item(&mut self) -> Option<Members> {
        self.expect(b'{')?;
        self.space();
        let mut members = Members::default();
        if self.peek()? == b'}' {
            self.at += 1;
            return Some(members);
        }
        let (mut kind, mut other) = (None, What::Unknown);
        loop {
            let key = self.string()?;
            self.expect(b':')?;
            self.space();
            let start = self.at;
            self.skip_value()?;
            let value = self.bytes.get(start..self.at).unwrap_or_default();
            match key {
                b"kind" => kind = Some(value).filter(|value| *value != b"null"),
                b"duration_us" => members.duration_us = micros(value),
                // A text, or what is taken as one.
                b"url" => members.has_url = !matches!(value.first(), Some(b'{' | b'[' | b'n') | None),
                b"breadcrumb" if value.first() == Some(&b'{') => other = What::Breadcrumb,
                b"scope" if value.first() == Some(&b'"') && other == What::Unknown => {
                    other = What::Scope;
                    let other = |(name, _): &(&str, _)| *name != USER_CHANGE && is_text(value, name);
                    members.may_change_user = !CHANGES.iter().any(other);
                }
                _ => {}
            }
            self.space();
            match self.peek()? {
                b',' => self.at += 1,
                b'}' => break,
                _ => return None,
            }
        }
        self.at += 1;
        members.what = kind.map_or(other, |value| recordable(value).map_or(What::Unknown, What::Event));
        Some(members)
    }

    /// The raw bytes of a string.
    fn string(&mut self) -> Option<&'a [u8]> {
        self.expect(b'"')?;
        let start = self.at;
        self.end_of_string()?;
        self.bytes.get(start..self.at - 1)
    }

    /// Moves behind the quote that ends the string.
    fn end_of_string(&mut self) -> Option<()> {
        loop {
            let rest = self.bytes.get(self.at..)?;
            let next = quote_or_escape(rest)?;
            self.at += next + 1;
            if rest.get(next) == Some(&b'"') {
                return Some(());
            }
            self.at += 1;
        }
    }

    /// Moves behind the next value. `None` if the text ends first.
    fn skip_value(&mut self) -> Option<()> {
        self.space();
        match self.peek()? {
            b'"' => {
                self.at += 1;
                self.end_of_string()
            }
            b'{' | b'[' => {
                let mut depth = 0_usize;
                loop {
                    let rest = self.bytes.get(self.at..)?;
                    self.at += rest.iter().position(|byte| matches!(byte, b'"' | b'{' | b'[' | b'}' | b']'))?;
                    let byte = self.peek()?;
                    self.at += 1;
                    match byte {
                        b'"' => self.end_of_string()?,
                        b'{' | b'[' => depth += 1,
                        _ => depth -= 1,
                    }
                    if depth == 0 {
                        return Some(());
                    }
                }
            }
            _ => {
                let rest = self.bytes.get(self.at..)?;
                let ends = |byte: &u8| matches!(byte, b',' | b'}' | b']' | b' ' | b'\t' | b'\r' | b'\n');
                // A number or word that the text itself ends may have been longer.
                self.at += rest.iter().position(ends)?;
                Some(())
            }
        }
    }
}

/// The place of the first quote or backslash. Most bytes of a document are inside strings, so it looks at eight at a time.
pub(super) fn quote_or_escape(bytes: &[u8]) -> Option<usize> {
    const ONES: u64 = u64::from_ne_bytes([1; 8]);
    const HIGH: u64 = ONES << 7;
    let mut at = 0;
    while let Some(chunk) = bytes.get(at..).and_then(|rest| rest.first_chunk::<8>()) {
        let word = u64::from_le_bytes(*chunk);
        // The lowest set bit is exact: a borrow can only mark bytes above a true match.
        let zero = |word: u64| word.wrapping_sub(ONES) & !word & HIGH;
        let found = zero(word ^ (ONES * u64::from(b'"'))) | zero(word ^ (ONES * u64::from(b'\\')));
        if found != 0 {
            return Some(at + found.trailing_zeros() as usize / 8);
        }
        at += 8;
    }
    let rest = bytes.get(at..)?;
    rest.iter().position(|byte| matches!(byte, b'"' | b'\\')).map(|next| at + next)
}

/// Whether a raw value is this text, without escapes.
fn is_text(value: &[u8], text: &str) -> bool {
    value.strip_prefix(b"\"").and_then(|value| value.strip_suffix(b"\"")) == Some(text.as_bytes())
}

/// The kind of an item; `None` for an unknown one and for sessions, which only the engine records.
fn recordable(value: &[u8]) -> Option<Kind> {
    let text = value.strip_prefix(b"\"")?.strip_suffix(b"\"")?;
    Kind::parse(std::str::from_utf8(text).ok()?).filter(|kind| *kind != Kind::Session)
}

/// A version: a number, also as a string; 1 if absent. What is neither is of a format that this build cannot know.
fn version(text: &str) -> u64 {
    let number = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text);
    match number.trim().parse::<f64>() {
        Ok(number) if number >= 0.0 => number.ceil() as u64,
        _ if text == "null" => 1,
        _ => u64::MAX,
    }
}

/// A duration: a number, also as a string. Less than zero counts as zero.
fn micros(value: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(value).ok()?;
    let text = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text);
    let number = text.trim().parse::<f64>().ok().filter(|number| !number.is_nan())?;
    // 2^53 is the largest integer that every JSON parser reads exactly.
    Some((number.max(0.0) as u64).min(1 << 53))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn found(text: &str) -> Vec<(What, &str)> {
        Items::new(text)
            .map(|found| match found {
                Found::Item(item) => (item.what, item.text),
                Found::Cut { .. } => (What::Unknown, "cut"),
            })
            .collect()
    }

    #[test]
    fn a_document_is_opened_up_to_its_items_and_says_whom_it_is_for() {
        let items = |text| Document::open(text).map(|document| (document.least_version, document.items));
        assert_eq!(items(r#"{"v":1,"items":[1,2]}"#), Some((1, "1,2]}")));
        assert_eq!(items(" {\"x\" : {\"items\":[]} , \"min\": 3, \"v\":9, \"items\" : [ "), Some((3, " ")));
        assert_eq!(items(r#"{"min":"soon","items":["#), Some((u64::MAX, "")));
        for text in ["", "hello", "[]", "{}", "{\"items\":{}}", "{\"items\":", "{\"items", "null", "{\"a\":[[[", "{,}"]
        {
            assert_eq!(items(text), None, "{text}");
        }
    }

    #[test]
    fn items_are_told_apart_by_their_own_members_and_the_last_of_two_counts() {
        let text = r#" {"kind":"error","a":"}\"]"} ,, {"a":{"kind":"x"},"breadcrumb":{}},{"scope":"tag"},5,"x",{},{"kind":"error","kind":"message"},{"kind":"session"},{"kind":7},{"kind":"new"}] ,{"kind":"error"}"#;
        let event = What::Event;
        assert_eq!(
            found(text).iter().map(|(what, _)| *what).collect::<Vec<_>>(),
            [
                event(Kind::Error),
                What::Breadcrumb,
                What::Scope,
                What::Unknown,
                What::Unknown,
                What::Unknown,
                event(Kind::Message),
                What::Unknown,
                What::Unknown,
                What::Unknown
            ]
        );
        assert_eq!(found(text)[0].1, r#"{"kind":"error","a":"}\"]"}"#);
    }

    #[test]
    fn what_is_whole_before_a_cut_or_a_fault_is_found() {
        let whole = r#"{"kind":"error","a":[1,{"b":"x"}]}"#;
        for end in 1..whole.len() {
            let text = format!("{whole},{}", &whole[..end]);
            assert_eq!(found(&text), [(What::Event(Kind::Error), whole), (What::Unknown, "cut")], "{end}");
        }
        assert_eq!(found(r#"{"kind" "error"},{"kind":"error"}"#)[1].0, What::Event(Kind::Error));
        assert_eq!(found("}}} ]").len(), 3, "stray brackets end");
        let deep = "[".repeat(100_000);
        assert_eq!(found(&deep), [(What::Unknown, "cut")]);
    }

    #[test]
    fn a_slow_call_stands_for_two_events() {
        let events = |text: &str| match Items::new(text).next() {
            Some(Found::Item(item)) => item.events(5_000_000),
            _ => 0,
        };
        assert_eq!(events(r#"{"kind":"api_call","url":"/a","duration_us":5000001}"#), 2);
        assert_eq!(events(r#"{"kind":"api_call","duration_us":"5000001","url":7}"#), 2);
        assert_eq!(events(r#"{"kind":"api_call","url":"/a","duration_us":5000000}"#), 1);
        for url in ["null", "[]", "{}"] {
            let item = format!(r#"{{"kind":"api_call","url":{url},"duration_us":5000001}}"#);
            assert_eq!(events(&item), 1, "{url}");
        }
        assert_eq!(events(r#"{"kind":"api_call","duration_us":5000001}"#), 1);
        assert_eq!(events(r#"{"kind":"image_load","duration_us":9e9}"#), 1);
        assert_eq!(events(r#"{"kind":"api_call","duration_us":-1}"#), 1);
        assert_eq!(events(r#"{"breadcrumb":{}}"#), 0);
    }

    proptest! {
        #[test]
        fn the_first_quote_or_escape_is_found_wherever_it_is(bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
            let simple = bytes.iter().position(|byte| matches!(byte, b'"' | b'\\'));
            prop_assert_eq!(quote_or_escape(&bytes), simple);
        }

        #[test]
        fn no_text_panics_and_items_never_overlap(text in r#"[\[\]{},:"\\a0 \n\u{e9}]{0,200}"#) {
            let _ = Document::open(&text);
            let mut end = 0;
            for found in Items::new(&text) {
                if let Found::Item(item) = found {
                    prop_assert!(item.start >= end && !item.text.is_empty());
                    end = item.start + item.text.len();
                }
            }
        }
    }
}
