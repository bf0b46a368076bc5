//! JSON text, written and read without building a tree of values where speed matters.
//!
//! - [`Object`] appends an object to a string, member by member. The writer uses it for rows, and the destinations
//!   that write JSON by hand use it for their requests.
//! - [`split`] cuts JSON text into members and elements without parsing the values, so that they can be copied.
//! - [`Json`] is a parsed value that borrows its strings from the text.
//!
//! `serde_json` parses and writes everything else.

pub(crate) mod split;
#[cfg(any(feature = "destination-datadog", feature = "destination-otlp"))]
mod value;
mod write;

#[cfg(any(feature = "destination-datadog", feature = "destination-otlp"))]
pub(crate) use value::Json;
#[cfg(any(test, feature = "destination-otlp", feature = "destination-sentry"))]
pub(crate) use write::Escaped;
#[cfg(any(test, feature = "destination-datadog", feature = "destination-otlp"))]
pub(crate) use write::push_list;
#[cfg(any(test, feature = "destination-sentry"))]
pub(crate) use write::quoted;
pub(crate) use write::{Name, Object, push_comma, push_float, push_name, push_text};

/// The record as a JSON object with one more member.
pub(crate) fn with(
    record: &impl serde::Serialize,
    member: &str,
    text: impl Into<serde_json::Value>,
) -> serde_json::Value {
    let mut value = serde_json::to_value(record).unwrap_or_default();
    if let Some(object) = value.as_object_mut() {
        object.insert(member.to_owned(), text.into());
    }
    value
}
