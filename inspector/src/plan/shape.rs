//! What the recorded values of one place have in common, as a JSON Schema.

use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// Most values of an enumeration.
const VALUES: usize = 6;

/// How often each of them has to occur.
const EACH: u64 = 2;

/// Longest of them, in bytes.
const VALUE_BYTES: usize = 32;

/// The values of one place.
#[derive(Debug, Default)]
pub(super) struct Shape {
    types: BTreeSet<&'static str>,
    objects: u64,
    /// Of each member, how many objects have it, and its values.
    members: BTreeMap<String, (u64, Shape)>,
    items: Option<Box<Shape>>,
    words: Words,
}

impl Shape {
    /// Adds a value of an event in this session. Personal data is hidden in it.
    pub(super) fn add(&mut self, value: &Value, session: Option<&str>) {
        self.types.insert(match value {
            Value::Null => "null",
            Value::Bool(_) => "boolean",
            Value::Number(number) if number.is_f64() => "number",
            Value::Number(_) => "integer",
            Value::String(_) => "string",
            Value::Array(_) => "array",
            Value::Object(_) => "object",
        });
        match value {
            Value::Object(members) => {
                self.objects += 1;
                for (name, value) in members {
                    let (times, shape) = self.members.entry(name.clone()).or_default();
                    *times += 1;
                    shape.add(value, session);
                }
            }
            Value::Array(items) => {
                let shape = self.items.get_or_insert_default();
                items.iter().for_each(|item| shape.add(item, session));
            }
            Value::String(text) => self.words.add(text, session),
            _ => {}
        }
    }

    /// The schema that all values fulfil.
    pub(super) fn schema(&self) -> Value {
        let mut schema = Map::new();
        // A number includes an integer.
        let is_wider = self.types.contains("number");
        let types: Vec<&str> = self.types.iter().copied().filter(|one| !(is_wider && *one == "integer")).collect();
        match types.as_slice() {
            [] => {}
            [one] => _ = schema.insert("type".to_owned(), json!(one)),
            several => _ = schema.insert("type".to_owned(), json!(several)),
        }
        if types == ["string"]
            && let Some(values) = self.words.values()
        {
            schema.insert("enum".to_owned(), json!(values));
        }
        if !self.members.is_empty() {
            let properties: Map<String, Value> =
                self.members.iter().map(|(name, (_, shape))| (name.clone(), shape.schema())).collect();
            schema.insert("properties".to_owned(), properties.into());
            let always = self.members.iter().filter(|(_, (times, _))| *times == self.objects);
            let required: Vec<&String> = always.map(|(name, _)| name).collect();
            if !required.is_empty() {
                schema.insert("required".to_owned(), json!(required));
            }
        }
        if let Some(items) = self.items.as_ref().filter(|items| !items.types.is_empty()) {
            schema.insert("items".to_owned(), items.schema());
        }
        Value::Object(schema)
    }
}

/// The texts of one place, as long as they may be an enumeration: words that change within a session. What names a person stays
/// the same there.
#[derive(Debug, Default)]
struct Words {
    counts: BTreeMap<String, u64>,
    /// The first word of each session.
    firsts: BTreeMap<String, String>,
    changes: bool,
    is_free: bool,
}

impl Words {
    fn add(&mut self, text: &str, session: Option<&str>) {
        if self.is_free {
            return;
        }
        *self.counts.entry(text.to_owned()).or_default() += 1;
        if let Some(session) = session {
            let first = self.firsts.entry(session.to_owned()).or_insert_with(|| text.to_owned());
            self.changes |= first != text;
        }
        if self.counts.len() > VALUES || !is_word(text) {
            *self = Words { is_free: true, ..Words::default() };
        }
    }

    fn values(&self) -> Option<Vec<&String>> {
        let is_enum = self.changes && self.counts.len() > 1 && self.counts.values().all(|times| *times >= EACH);
        is_enum.then(|| self.counts.keys().collect())
    }
}

/// A word of a program. A marker of the privacy rules is none.
fn is_word(text: &str) -> bool {
    text.len() <= VALUE_BYTES
        && text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text.bytes().all(|byte| byte.is_ascii_alphabetic() || matches!(byte, b'_' | b'-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schema(values: &[Value]) -> Value {
        let mut shape = Shape::default();
        values.iter().for_each(|value| shape.add(value, Some("s")));
        shape.schema()
    }

    #[test]
    fn a_schema_has_the_types_of_all_values_and_requires_what_each_of_them_has() {
        assert_eq!(schema(&[json!(1), json!(2)]), json!({"type": "integer"}));
        assert_eq!(schema(&[json!(1), json!(2.5)]), json!({"type": "number"}));
        assert_eq!(schema(&[json!(null), json!("free text")]), json!({"type": ["null", "string"]}));
        assert_eq!(
            schema(&[json!({"id": 1, "tags": ["a b"]}), json!({"id": 2, "more": {"x": true}, "tags": []})]),
            json!({
                "type": "object",
                "properties": {
                    "id": {"type": "integer"},
                    "more": {"type": "object", "properties": {"x": {"type": "boolean"}}, "required": ["x"]},
                    "tags": {"type": "array", "items": {"type": "string"}},
                },
                "required": ["id", "tags"],
            })
        );
        assert_eq!(schema(&[]), json!({}));
    }

    #[test]
    fn an_enumeration_is_guessed_from_words_that_repeat_and_change_within_a_session() {
        let text = |texts: &[&str]| schema(&texts.iter().map(|text| json!(text)).collect::<Vec<_>>());
        assert_eq!(text(&["card", "upi", "card", "upi"]), json!({"type": "string", "enum": ["card", "upi"]}));
        let free = json!({"type": "string"});
        for texts in [
            &["card", "card", "upi"][..],
            &["ada", "ada", "ada", "ada"],
            &["[email]", "card", "[email]", "card"],
            &["9876543210", "card", "9876543210", "card"],
            &["ada@b.in", "card", "ada@b.in", "card"],
            &["Ada Lovelace", "Bob Ross", "Ada Lovelace", "Bob Ross"],
        ] {
            assert_eq!(text(texts), free, "{texts:?}");
        }
        let mut shape = Shape::default();
        for (text, session) in [("ada", "1"), ("ada", "1"), ("bob", "2"), ("bob", "2")] {
            shape.add(&json!(text), Some(session));
        }
        assert_eq!(shape.schema(), free, "the same in the whole session, as what names a person");
        let many: Vec<Value> =
            ["a", "b", "c", "d", "e", "f", "g"].iter().cycle().take(21).map(|text| json!(text)).collect();
        assert_eq!(schema(&many), free);
    }
}
