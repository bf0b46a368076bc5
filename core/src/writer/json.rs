//! Converts a ring record into the JSON of a row and applies the privacy rules.

use crate::event::decode::{Raw, RawFrame, Reader};
use crate::event::field::Field;
use crate::json::{push_number, push_text};
use crate::privacy::{Rules, key_is_exempt, key_is_secret};

/// Builds a JSON object, member by member.
pub(crate) struct Object {
    text: String,
    rules: Rules,
}

impl Object {
    pub(crate) fn new(rules: Rules) -> Object {
        let mut text = String::with_capacity(512);
        text.push('{');
        Object { text, rules }
    }

    /// The privacy rules that its fields obey.
    pub(crate) fn rules(&self) -> Rules {
        self.rules
    }

    fn key(&mut self, key: &str) {
        if self.text.len() > 1 {
            self.text.push(',');
        }
        push_text(&mut self.text, key);
        self.text.push(':');
    }

    /// Adds a member whose value is JSON text.
    pub(crate) fn raw(&mut self, key: &str, json: &str) {
        self.key(key);
        self.text.push_str(json);
    }

    /// Adds a text member without scrubbing.
    pub(crate) fn text(&mut self, key: &str, text: &str) {
        self.key(key);
        push_text(&mut self.text, text);
    }

    /// Adds a number member.
    pub(crate) fn number(&mut self, key: &str, number: impl std::fmt::Display) {
        self.raw(key, &number.to_string());
    }

    /// Adds a field of an event under its privacy rule.
    pub(crate) fn field(&mut self, field: Field, value: Raw<'_>, name: &str) {
        let key = field.as_str();
        if key.is_empty() {
            return;
        }
        self.key(key);
        match (field, value) {
            (Field::Url, Raw::Str(url)) => push_text(&mut self.text, &self.rules.url(url)),
            // Not scrubbed: ids, codes of a closed list, and the address to which the user wants an answer.
            (Field::TransactionId | Field::Currency | Field::Email | Field::About | Field::Session, _) => {
                push_value(&mut self.text, self.rules, value, Under::Exempt);
            }
            // The name of a user property decides about its value.
            (Field::Value, value) => push_keyed(&mut self.text, self.rules, name, value),
            (_, value) => push_value(&mut self.text, self.rules, value, Under::Text),
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

/// The JSON of a value under this key.
pub(crate) fn keyed(rules: Rules, key: &str, value: Raw<'_>) -> String {
    let mut text = String::new();
    push_keyed(&mut text, rules, key, value);
    text
}

/// What a value stands under.
#[derive(Clone, Copy)]
enum Under<'k> {
    /// A field of free text.
    Text,
    /// A key of the app, which can say what a bare number is.
    Key(&'k str),
    /// A field or key whose text no rule touches.
    Exempt,
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
        Raw::I64(number) => out.push_str(&number.to_string()),
        Raw::U64(number) => out.push_str(&number.to_string()),
        Raw::F64(number) => push_number(out, number),
        Raw::Str(text) => match under {
            Under::Exempt => push_text(out, text),
            Under::Text => push_text(out, &rules.text(text)),
            Under::Key(key) => push_text(out, &rules.keyed(key, text)),
        },
        Raw::List(count, mut reader) => {
            out.push('[');
            for at in 0..count {
                let Some(value) = reader.value() else { break };
                if at > 0 {
                    out.push(',');
                }
                push_value(out, rules, value, under);
            }
            out.push(']');
        }
        Raw::Map(count, reader) => push_map(out, rules, count, reader),
        Raw::Frame(frame) => push_frame(out, rules, &frame),
    }
}

fn push_map(out: &mut String, rules: Rules, count: u16, mut reader: Reader<'_>) {
    let mut seen: Vec<(&str, usize)> = Vec::new();
    let mut entries: Vec<(&str, Raw<'_>)> = Vec::with_capacity(usize::from(count));
    for _ in 0..count {
        let Some((key, value)) = reader.entry() else { break };
        // If a name occurs twice, the last value counts, as in most JSON parsers.
        match seen.iter().find(|(known, _)| *known == key).and_then(|(_, at)| entries.get_mut(*at)) {
            Some(entry) => entry.1 = value,
            None => {
                seen.push((key, entries.len()));
                entries.push((key, value));
            }
        }
    }
    out.push('{');
    for (at, (key, value)) in entries.into_iter().enumerate() {
        if at > 0 {
            out.push(',');
        }
        push_text(out, &rules.text(key));
        out.push(':');
        push_keyed(out, rules, key, value);
    }
    out.push('}');
}

fn push_frame(out: &mut String, rules: Rules, frame: &RawFrame<'_>) {
    let mut object = Object::new(rules);
    for (key, text) in [("function", frame.function), ("module", frame.module), ("file", frame.file)] {
        if !text.is_empty() {
            object.text(key, &rules.text(text));
        }
    }
    for (key, number) in
        [("line", u64::from(frame.line)), ("column", u64::from(frame.column)), ("address", frame.address)]
    {
        if number != 0 {
            object.number(key, number);
        }
    }
    object.raw("in_app", if frame.in_app { "true" } else { "false" });
    out.push_str(&object.finish());
}
