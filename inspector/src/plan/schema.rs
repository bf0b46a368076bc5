//! A JSON Schema, and its errors as places, expectations and what was found.

use super::member::{Member, PlanError, short};
use jsonschema::error::ValidationErrorKind;
use jsonschema::{Draft, ValidationError, Validator};
use rez_monitor::inspect::nearest;
use serde_json::Value;

/// Errors of one event that are told.
const ERRORS: usize = 20;

/// The types of JSON Schema.
const TYPES: [&str; 7] = ["array", "boolean", "integer", "null", "number", "object", "string"];

/// A schema that was read.
#[derive(Debug)]
pub(super) struct Schema {
    json: Value,
    validator: Validator,
}

/// What a schema does not allow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Mismatch {
    /// Where, such as `items.0.price`; empty = the value itself.
    pub(super) path: String,
    pub(super) expected: String,
    pub(super) found: String,
    /// The nearest name of a member that is not allowed.
    pub(super) nearest: Option<String>,
}

impl Schema {
    /// Reads a schema of draft 2020-12, or of the one that its `$schema` names. `$ref` reaches only what is inside.
    pub(super) fn read(member: &Member<'_>) -> Result<Schema, PlanError> {
        let options = jsonschema::options().with_draft(Draft::Draft202012).should_validate_formats(true);
        let validator = options.build(member.value).map_err(|error| {
            let at = dotted(error.instance_path().as_str());
            let path = if at.is_empty() { member.path.clone() } else { format!("{}.{at}", member.path) };
            let value: &Value = error.instance();
            match value.as_str().filter(|_| at.split('.').next_back() == Some("type")) {
                Some(word) => {
                    let near =
                        nearest(word, &TYPES).map_or("use".to_owned(), |near| format!("did you mean `{near}`? Use"));
                    Member { path, value }.wrong(&format!("{near} one of {}", TYPES.join(", ")))
                }
                None => PlanError::new(format!("`{path}` is no JSON Schema: {error}")),
            }
        })?;
        Ok(Schema { json: member.value.clone(), validator })
    }

    /// What it does not allow of a value.
    pub(super) fn mismatches(&self, value: &Value) -> Vec<Mismatch> {
        self.validator.iter_errors(value).take(ERRORS).flat_map(|error| self.told(&error)).collect()
    }

    fn told(&self, error: &ValidationError<'_>) -> Vec<Mismatch> {
        let path = dotted(error.instance_path().as_str());
        let inside = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
        match error.kind() {
            ValidationErrorKind::Required { property } => vec![Mismatch {
                path: inside(property.as_str().unwrap_or_default()),
                expected: "a value".to_owned(),
                found: "none".to_owned(),
                nearest: None,
            }],
            ValidationErrorKind::AdditionalProperties { unexpected }
            | ValidationErrorKind::UnevaluatedProperties { unexpected } => {
                let known = self.members_beside(error.schema_path().as_str());
                let extra = |name: &String| Mismatch {
                    path: inside(name),
                    expected: "no such member".to_owned(),
                    found: error.instance().get(name).map(short).unwrap_or_default(),
                    nearest: nearest(name, &known).map(str::to_owned),
                };
                unexpected.iter().take(ERRORS).map(extra).collect()
            }
            kind => {
                let wanted = self.json.pointer(error.schema_path().as_str()).map(short).unwrap_or_default();
                let expected = format!("{} {wanted}", kind.keyword()).trim_end().to_owned();
                vec![Mismatch { path, expected, found: short(error.instance()), nearest: None }]
            }
        }
    }

    /// The names under `properties` beside a keyword.
    fn members_beside(&self, keyword: &str) -> Vec<&str> {
        let object = keyword.rsplit_once('/').map_or("", |(object, _)| object);
        let properties = self.json.pointer(&format!("{object}/properties")).and_then(Value::as_object);
        properties.into_iter().flat_map(|properties| properties.keys().map(String::as_str)).collect()
    }
}

/// A JSON pointer as a path of a filter: `/items/0/price` is `items.0.price`.
fn dotted(pointer: &str) -> String {
    let parts = pointer.split('/').skip(1).map(|part| part.replace("~1", "/").replace("~0", "~"));
    parts.collect::<Vec<_>>().join(".")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn told(schema: &Value, value: &Value) -> Vec<(String, String, String, Option<String>)> {
        let schema = Schema::read(&Member { path: "x".to_owned(), value: schema }).unwrap();
        let told = schema.mismatches(value).into_iter();
        told.map(|Mismatch { path, expected, found, nearest }| (path, expected, found, nearest)).collect()
    }

    #[test]
    fn an_error_says_where_what_was_expected_and_what_was_found() {
        let one = |schema: Value, value: Value| {
            let mut all = told(&schema, &value);
            assert_eq!(all.len(), 1, "{all:?}");
            let (path, expected, found, nearest) = all.remove(0);
            (path, expected, found, nearest)
        };
        let text =
            |path: &str, expected: &str, found: &str| (path.to_owned(), expected.to_owned(), found.to_owned(), None);
        let price = json!({"properties": {"price": {"type": "number", "minimum": 0}}});
        assert_eq!(one(price.clone(), json!({"price": "7"})), text("price", "type \"number\"", "\"7\""));
        assert_eq!(one(price, json!({"price": -1})), text("price", "minimum 0", "-1"));
        assert_eq!(one(json!({"required": ["id"]}), json!({})), text("id", "a value", "none"));
        assert_eq!(one(json!({"enum": ["a", "b"]}), json!("c")), text("", "enum [\"a\",\"b\"]", "\"c\""));
        let items = json!({"properties": {"a/b": {"items": {"required": ["id"]}}}});
        assert_eq!(one(items, json!({"a/b": [{"id": 1}, {}]})), text("a/b.1.id", "a value", "none"));
        assert_eq!(one(json!({"format": "email"}), json!("x")), text("", "format \"email\"", "\"x\""));
    }

    #[test]
    fn a_member_that_is_not_allowed_comes_with_the_nearest_name() {
        let schema = json!({"properties": {"price": {}, "currency": {}}, "additionalProperties": false});
        let all = told(&schema, &json!({"pirce": 7, "zzz": true}));
        let near: Vec<_> =
            all.iter().map(|(path, _, found, near)| (path.as_str(), found.as_str(), near.as_deref())).collect();
        assert_eq!(near, [("pirce", "7", Some("price")), ("zzz", "true", None)]);
    }

    #[test]
    fn a_schema_behind_a_reference_is_told_too_and_a_long_value_is_cut() {
        let schema =
            json!({"$defs": {"price": {"type": "number"}}, "properties": {"price": {"$ref": "#/$defs/price"}}});
        let all = told(&schema, &json!({"price": "é".repeat(500)}));
        assert_eq!((all[0].1.as_str(), all[0].2.chars().count()), ("type \"number\"", 81));
    }

    #[test]
    fn an_event_has_at_most_twenty_errors() {
        let all = told(&json!({"items": {"type": "number"}}), &json!(vec!["x"; 1_000]));
        assert_eq!(all.len(), ERRORS);
    }
}
