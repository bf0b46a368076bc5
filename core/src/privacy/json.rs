//! The rules on the JSON of a row: on its strings by their keys, never on its numbers.

use serde_json::Value;

use super::{SECRET, key_is_exempt, key_is_secret, scrub_text};

/// Scrubs a value that stands under `key`, and all that is in it; elements of a list stand under the key of the list.
///
/// Nesting is limited where events are recorded, so the recursion is.
pub(crate) fn scrub_json(key: &str, value: &mut Value) {
    match value {
        Value::String(text) if !text.is_empty() && key_is_secret(key) => SECRET.clone_into(text),
        Value::String(text) if !key_is_exempt(key) => {
            if let std::borrow::Cow::Owned(scrubbed) = scrub_text(text) {
                *text = scrubbed;
            }
        }
        Value::Array(values) => values.iter_mut().for_each(|value| scrub_json(key, value)),
        Value::Object(map) => map.iter_mut().for_each(|(key, value)| scrub_json(key, value)),
        _ => {}
    }
}

/// Hides what the app said about who the user is, for an app that chose so: `email` and `username`.
pub(crate) fn mask_user(user: &mut Value) {
    for (field, marker) in [("email", super::email::MARKER), ("username", "[username]")] {
        if let Some(value) = user.get_mut(field).filter(|value| !value.is_null()) {
            *value = Value::from(marker);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn strings_are_scrubbed_by_their_keys_and_numbers_never() {
        let mut value = json!({
            "note": "mail priya@example.com",
            "order_id": "4111111111111111",
            "card": "4111111111111111",
            "card_no": "4111111111111111",
            "number": 4_111_111_111_111_111_u64,
            "password": "short",
            "list": ["+919876543210", 5, null, {"amount": "98765 43210", "to": "98765 43210"}],
        });
        scrub_json("data", &mut value);
        assert_eq!(
            value,
            json!({
                "note": "mail [email]",
                "order_id": "4111111111111111",
                "card": "[card]",
                "card_no": "[card]",
                "number": 4_111_111_111_111_111_u64,
                "password": "[secret]",
                "list": ["[phone]", 5, null, {"amount": "98765 43210", "to": "[phone]"}],
            })
        );
    }

    #[test]
    fn a_masked_user_keeps_the_id_alone() {
        let mut user = json!({"id": "u1", "email": "priya@example.com", "username": "priya", "plan": "gold"});
        mask_user(&mut user);
        assert_eq!(user, json!({"id": "u1", "email": "[email]", "username": "[username]", "plan": "gold"}));
        let mut none = json!({"id": "u1", "email": null});
        mask_user(&mut none);
        assert_eq!(none, json!({"id": "u1", "email": null}));
        mask_user(&mut json!(5));
    }
}
