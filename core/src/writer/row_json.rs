//! The JSON of a row: an object whose values obey the privacy rules.

use crate::event::Language;
use crate::event::decode::{Raw, RawFrame, Reader};
use crate::event::field::Field;
use crate::json::{Object, push_comma, push_float, push_name, push_text};
use crate::privacy::{Rules, key_is_exempt, key_is_secret};
use std::fmt::Write as _;

/// Builds the JSON object of a row, member by member.
pub(crate) struct RowJson {
    /// The object without its closing brace.
    text: String,
    rules: Rules,
}

impl RowJson {
    pub(crate) fn new(rules: Rules) -> RowJson {
        // Most rows are smaller than this, with user, tags and view.
        let mut text = String::with_capacity(1024);
        text.push('{');
        RowJson { text, rules }
    }

    /// The privacy rules that its fields obey.
    pub(crate) fn rules(&self) -> Rules {
        self.rules
    }

    fn object(&mut self) -> Object<'_> {
        Object::open(&mut self.text)
    }

    /// Adds a member whose value is JSON text.
    pub(crate) fn json(&mut self, name: &str, json: &str) {
        self.object().json(name, json);
    }

    /// Starts a member. The caller appends exactly one JSON value to the returned string.
    pub(crate) fn member(&mut self, name: &str) -> &mut String {
        push_name(&mut self.text, name);
        &mut self.text
    }

    /// Adds a text member without scrubbing.
    pub(crate) fn text(&mut self, name: &str, text: &str) {
        self.object().text(name, text);
    }

    /// Adds a number member.
    pub(crate) fn number(&mut self, name: &str, number: impl std::fmt::Display) {
        self.object().number(name, number);
    }

    /// Adds a field of an event under its privacy rule.
    pub(crate) fn field(&mut self, field: Field, value: Raw<'_>, name: &str) {
        let key = field.as_str();
        if key.is_empty() {
            return;
        }
        let rules = self.rules;
        let mut object = self.object();
        let out = object.name(key);
        match (field, value) {
            (Field::Url, Raw::Str(url)) => push_text(out, &rules.url(url)),
            // Not scrubbed: ids, and the address at which the user wants a reply.
            (Field::TransactionId | Field::Email | Field::About | Field::Session | Field::DebugImages, _) => {
                push_value(out, rules, value, Under::Exempt);
            }
            (Field::RequestHeaders | Field::ResponseHeaders, Raw::Map(count, reader)) => {
                push_headers(&mut self.text, self.rules, count, reader);
            }
            // The name of a user property decides about its value.
            (Field::Value, value) => push_keyed(out, rules, name, value),
            (_, value) => push_value(out, rules, value, Under::Text),
        }
    }

    /// The length of the finished object in bytes.
    pub(crate) fn len(&self) -> usize {
        self.text.len() + 1
    }

    pub(crate) fn finish(mut self) -> String {
        self.text.push('}');
        self.text
    }
}

/// The JSON of a value under this key, which decides how the value is scrubbed.
pub(crate) fn keyed(rules: Rules, key: &str, value: Raw<'_>) -> String {
    let mut text = String::new();
    push_keyed(&mut text, rules, key, value);
    text
}

/// The JSON of the attributes of an event.
pub(crate) fn attributes(rules: Rules, value: Raw<'_>) -> String {
    let mut text = String::new();
    push_value(&mut text, rules, value, Under::Text);
    text
}

/// Where a value was found.
#[derive(Clone, Copy)]
enum Under<'k> {
    /// A field of free text.
    Text,
    /// A key of the app, which can say what a bare number is.
    Key(&'k str),
    /// A field or key whose text no rule touches.
    Exempt,
}

/// Writes headers. A value that is a URL or path loses its query, as every URL does.
fn push_headers(out: &mut String, rules: Rules, count: u16, mut reader: Reader<'_>) {
    let mut entries: Vec<(&str, &str)> = Vec::with_capacity(usize::from(count));
    for _ in 0..count {
        let Some((name, value)) = reader.entry() else { break };
        let value = value.str().unwrap_or_default();
        match entries.iter_mut().find(|(known, _)| *known == name) {
            Some(entry) => entry.1 = value,
            None => entries.push((name, value)),
        }
    }
    out.push('{');
    for (at, (name, value)) in entries.into_iter().enumerate() {
        if at > 0 {
            out.push(',');
        }
        push_text(out, name);
        out.push(':');
        let is_url = value.starts_with('/') || value.contains("://");
        push_text(out, &if is_url { rules.url(value) } else { rules.keyed(name, value) });
    }
    out.push('}');
}

fn push_keyed(out: &mut String, rules: Rules, key: &str, value: Raw<'_>) {
    if key_is_secret(key) {
        out.push_str("\"[secret]\"");
    } else {
        push_value(out, rules, value, if key_is_exempt(key) { Under::Exempt } else { Under::Key(key) });
    }
}

fn push_value(out: &mut String, rules: Rules, value: Raw<'_>, under: Under<'_>) {
    match value {
        Raw::Null => out.push_str("null"),
        Raw::Bool(value) => out.push_str(if value { "true" } else { "false" }),
        // Writing to a string cannot fail.
        Raw::I64(number) => drop(write!(out, "{number}")),
        Raw::U64(number) => drop(write!(out, "{number}")),
        Raw::F64(number) => push_float(out, number),
        Raw::Str(text) => match under {
            Under::Exempt => push_text(out, text),
            Under::Text => push_text(out, &rules.text(text)),
            Under::Key(key) => push_text(out, &rules.keyed(key, text)),
        },
        Raw::List(count, mut reader) => {
            out.push('[');
            for _ in 0..count {
                let Some(value) = reader.value() else { break };
                push_comma(out);
                push_value(out, rules, value, under);
            }
            out.push(']');
        }
        Raw::Map(count, reader) => push_map(out, rules, count, reader),
        Raw::Frame(frame) => push_frame(out, rules, &frame),
    }
}

fn push_map(out: &mut String, rules: Rules, count: u16, mut reader: Reader<'_>) {
    let mut entries: Vec<(&str, Raw<'_>)> = Vec::with_capacity(usize::from(count));
    for _ in 0..count {
        let Some((key, value)) = reader.entry() else { break };
        // If a name occurs twice, the last value counts, as in most JSON parsers.
        match entries.iter_mut().find(|(known, _)| *known == key) {
            Some(entry) => entry.1 = value,
            None => entries.push((key, value)),
        }
    }
    Object::write(out, |object| {
        for (key, value) in entries {
            push_keyed(object.name(&*rules.text(key)), rules, key, value);
        }
    });
}

fn push_frame(out: &mut String, rules: Rules, frame: &RawFrame<'_>) {
    Object::write(out, |object| {
        for (name, text) in [("function", frame.function), ("module", frame.module), ("file", frame.file)] {
            if !text.is_empty() {
                object.text(name, &rules.text(text));
            }
        }
        for (name, number) in
            [("line", u64::from(frame.line)), ("column", u64::from(frame.column)), ("address", frame.address)]
        {
            if number != 0 {
                object.number(name, number);
            }
        }
        object.flag("in_app", frame.in_app);
        object.text_if_some("language", frame.language.map(Language::as_str));
    });
}
