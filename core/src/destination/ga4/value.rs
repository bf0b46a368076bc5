//! Parameter values within Google's limits.

use super::super::fields::{Notes, cut};
use serde_json::Value;

/// Limit of a parameter's text, in characters.
pub(super) const VALUE: usize = 100;

/// A value Google accepts: a number, or a text of at most 100 characters. `None` for `null`.
pub(super) fn plain(value: &Value, field: &str, notes: &mut Notes) -> Option<Value> {
    match value {
        Value::Null => None,
        Value::Number(_) => Some(value.clone()),
        Value::String(text) => Some(cut(text, VALUE, field, notes).into()),
        Value::Bool(flag) => Some(if *flag { "true" } else { "false" }.into()),
        nested => {
            notes.add(field, "sent as text: Google does not accept nested values");
            Some(cut(&nested.to_string(), VALUE, field, notes).into())
        }
    }
}
