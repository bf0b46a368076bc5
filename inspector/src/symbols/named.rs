//! A frame with its names.

use serde_json::{Map, Value};

/// What a file says about a frame.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Named {
    /// Members of the frame with their values; null removes the member.
    pub(super) members: Vec<(&'static str, Value)>,
    /// Whether its caller is the next frame outwards, into which the compiler has copied it.
    pub(super) is_inlined: bool,
    /// What it can be as well, if the file does not decide it.
    pub(super) others: Vec<String>,
}

impl Named {
    /// The frame with these names. What they replace is in `was`.
    pub(super) fn complete(self, frame: &Value) -> Value {
        let Value::Object(mut members) = frame.clone() else { return frame.clone() };
        let mut was = Map::new();
        for (name, value) in self.members {
            let before = if value.is_null() { members.remove(name) } else { members.insert(name.to_owned(), value) };
            if let Some(before) = before.filter(|before| members.get(name) != Some(before)) {
                was.insert(name.to_owned(), before);
            }
        }
        if self.is_inlined {
            members.insert("inlined".to_owned(), true.into());
        }
        if !self.others.is_empty() {
            members.insert("ambiguous".to_owned(), self.others.into());
        }
        if !was.is_empty() {
            members.insert("was".to_owned(), was.into());
        }
        Value::Object(members)
    }
}

/// A text that a file has, or null.
pub(super) fn known(text: Option<impl Into<String>>) -> Value {
    text.map(Into::into).filter(|text| !text.is_empty()).map_or(Value::Null, Value::String)
}

/// A line or column; 0 is none.
pub(super) fn place(number: Option<u64>) -> Value {
    number.filter(|number| *number > 0).map_or(Value::Null, Value::from)
}

/// Whether a frame is of the app.
pub(super) fn is_of_app(frame: &Value) -> bool {
    frame.get("in_app") == Some(&Value::Bool(true))
}

/// A text of an object; empty if it has none.
pub(super) fn text<'v>(object: &'v Value, name: &str) -> &'v str {
    object.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// A number of an object that fits 32 bits; 0 if it has none.
pub(super) fn number(object: &Value, name: &str) -> u32 {
    object.get(name).and_then(Value::as_u64).and_then(|number| u32::try_from(number).ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_frame_keeps_what_its_names_replace() {
        let frame = json!({"module": "a.b", "function": "a", "file": "SourceFile", "line": 7, "in_app": true});
        let members =
            vec![("module", json!("shop.Cart")), ("function", json!("a")), ("file", Value::Null), ("line", json!(31))];
        let named = Named { members, is_inlined: true, others: vec!["shop.Cart.b".to_owned()] };
        assert_eq!(
            named.complete(&frame),
            json!({
                "module": "shop.Cart", "function": "a", "line": 31, "in_app": true, "inlined": true,
                "ambiguous": ["shop.Cart.b"], "was": {"module": "a.b", "file": "SourceFile", "line": 7},
            })
        );
        assert_eq!(Named::default().complete(&json!("no frame")), json!("no frame"));
    }

    #[test]
    fn a_number_of_another_form_is_none() {
        for wrong in [json!(-1), json!("7"), json!(1.5), json!(u64::MAX), json!(null)] {
            assert_eq!(number(&json!({"line": wrong}), "line"), 0);
        }
    }
}
