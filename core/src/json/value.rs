//! A JSON value that is parsed without copying strings that have no escapes.

use super::{Object, push_float, push_list, push_text};
use crate::row::Row;
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use std::borrow::Cow;
use std::fmt::{self, Write as _};

/// A JSON value. The members of a map are in the order of the row; if a name occurs twice, the first one is used.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Json<'a> {
    Null,
    Bool(bool),
    Int(i64),
    /// A number above `i64::MAX`.
    Uint(u64),
    Float(f64),
    Text(Cow<'a, str>),
    List(Vec<Json<'a>>),
    Map(Vec<(Cow<'a, str>, Json<'a>)>),
}

impl<'a> Json<'a> {
    /// The fields of a row; empty if it is not a JSON object.
    pub(crate) fn of(row: &'a Row) -> Json<'a> {
        match serde_json::from_str(&row.json) {
            Ok(fields @ Json::Map(_)) => fields,
            _ => Json::Map(Vec::new()),
        }
    }

    /// A member of a map.
    pub(crate) fn get(&self, key: &str) -> Option<&Json<'a>> {
        self.entries().iter().find(|(name, _)| name == key).map(|(_, value)| value)
    }

    /// The members of a map; empty for any other value.
    pub(crate) fn entries(&self) -> &[(Cow<'a, str>, Json<'a>)] {
        if let Json::Map(entries) = self { entries } else { &[] }
    }

    /// The members of the map with this key; empty if there is none.
    pub(crate) fn map(&self, key: &str) -> &[(Cow<'a, str>, Json<'a>)] {
        self.get(key).map_or(&[], Json::entries)
    }

    /// The elements of the list with this key; empty if there is none.
    pub(crate) fn list(&self, key: &str) -> &[Json<'a>] {
        if let Some(Json::List(values)) = self.get(key) { values } else { &[] }
    }

    /// A member that is a string and not empty.
    pub(crate) fn text(&self, key: &str) -> Option<&str> {
        match self.get(key) {
            Some(Json::Text(text)) if !text.is_empty() => Some(text),
            _ => None,
        }
    }

    /// A member that is an integer.
    pub(crate) fn int(&self, key: &str) -> Option<i64> {
        match self.get(key)? {
            Json::Int(number) => Some(*number),
            Json::Uint(_) => Some(i64::MAX),
            _ => None,
        }
    }

    /// A member that is a number.
    pub(crate) fn float(&self, key: &str) -> Option<f64> {
        match self.get(key)? {
            Json::Int(number) => Some(*number as f64),
            Json::Uint(number) => Some(*number as f64),
            Json::Float(number) => Some(*number),
            _ => None,
        }
    }

    /// A member that is `true`.
    pub(crate) fn is(&self, key: &str) -> bool {
        matches!(self.get(key), Some(Json::Bool(true)))
    }
}

impl Json<'_> {
    /// Appends the value as JSON text.
    pub(crate) fn push_to(&self, out: &mut String) {
        match self {
            Json::Null => out.push_str("null"),
            Json::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
            Json::Int(number) => drop(write!(out, "{number}")),
            Json::Uint(number) => drop(write!(out, "{number}")),
            Json::Float(number) => push_float(out, *number),
            Json::Text(text) => push_text(out, text),
            Json::List(values) => push_list(out, values, |out, value| value.push_to(out)),
            Json::Map(entries) => Object::write(out, |object| {
                entries.iter().for_each(|(name, value)| object.value(name, value));
            }),
        }
    }
}

impl Object<'_> {
    /// A parsed value.
    pub(crate) fn value(&mut self, name: &str, value: &Json<'_>) {
        value.push_to(self.name(name));
    }
}

/// The values of a row that Datadog gets under their own names.
#[cfg(feature = "destination-datadog")]
impl Object<'_> {
    /// A parsed value, unless it is missing, `null` or an empty map.
    pub(crate) fn value_if_some(&mut self, name: &str, value: Option<&Json<'_>>) {
        match value {
            None | Some(Json::Null) => {}
            Some(Json::Map(entries)) if entries.is_empty() => {}
            Some(value) => self.value(name, value),
        }
    }

    /// The members of a map, except those that are `null`, have an empty name, or a name in `taken`.
    pub(crate) fn values_except(&mut self, entries: &[(Cow<'_, str>, Json<'_>)], taken: &[&str]) {
        for (name, value) in entries {
            if !name.is_empty() && *value != Json::Null && !taken.contains(&name.as_ref()) {
                self.value(name, value);
            }
        }
    }
}

impl<'de> Deserialize<'de> for Json<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Any)
    }
}

struct Any;

impl<'de> Visitor<'de> for Any {
    type Value = Json<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Json<'de>, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Json<'de>, E> {
        Ok(Json::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Json<'de>, E> {
        Ok(Json::Int(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Json<'de>, E> {
        Ok(i64::try_from(value).map_or(Json::Uint(value), Json::Int))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Json<'de>, E> {
        Ok(Json::Float(value))
    }

    fn visit_borrowed_str<E>(self, value: &'de str) -> Result<Json<'de>, E> {
        Ok(Json::Text(Cow::Borrowed(value)))
    }

    fn visit_str<E>(self, value: &str) -> Result<Json<'de>, E> {
        Ok(Json::Text(Cow::Owned(value.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Json<'de>, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = seq.next_element()? {
            values.push(value);
        }
        Ok(Json::List(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Json<'de>, A::Error> {
        let mut entries = Vec::with_capacity(8);
        while let Some((Name(name), value)) = map.next_entry()? {
            entries.push((name, value));
        }
        Ok(Json::Map(entries))
    }
}

/// The name of a member. `Cow` itself would always be read as a copy.
struct Name<'a>(Cow<'a, str>);

impl<'de> Deserialize<'de> for Name<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl<'de> Visitor<'de> for Text {
            type Value = Name<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a name")
            }

            fn visit_borrowed_str<E>(self, value: &'de str) -> Result<Name<'de>, E> {
                Ok(Name(Cow::Borrowed(value)))
            }

            fn visit_str<E>(self, value: &str) -> Result<Name<'de>, E> {
                Ok(Name(Cow::Owned(value.to_owned())))
            }
        }
        deserializer.deserialize_str(Text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_without_escapes_are_not_copied() {
        let text = r#"{"a":"plain","b":"\"quoted\"","n":[1,-2,18446744073709551615,0.5,null,true],"m":{"é":"x"}}"#;
        let json: Json<'_> = serde_json::from_str(text).unwrap();
        assert!(matches!(json.get("a"), Some(Json::Text(Cow::Borrowed("plain")))));
        assert_eq!(json.text("b"), Some("\"quoted\""));
        assert_eq!(
            json.list("n"),
            [Json::Int(1), Json::Int(-2), Json::Uint(u64::MAX), Json::Float(0.5), Json::Null, Json::Bool(true)]
        );
        assert_eq!(json.map("m")[0].0, "é");
        assert_eq!((json.int("a"), json.float("zz"), json.is("a")), (None, None, false));
    }
}
