//! The rules on the JSON of a row: on its strings by their keys, never on its numbers.

use crate::sorted::collected;
use serde_json::Value;

use super::keys::{self, key_is_exempt, key_is_secret};
use super::{Rules, marker};
use std::borrow::Cow;

impl Rules {
    /// Scrubs a value that stands under `key`, and all that is in it; elements of a list stand under the key of the
    /// list.
    ///
    /// Nesting is limited where events are recorded, so the recursion is.
    pub(crate) fn json(self, key: &str, value: &mut Value) {
        match value {
            Value::String(text) if !text.is_empty() && key_is_secret(key) => marker::SECRET.clone_into(text),
            Value::String(text) if !key_is_exempt(key) => {
                if let Cow::Owned(scrubbed) = self.keyed(key, text) {
                    *text = scrubbed;
                }
            }
            Value::Array(values) => values.iter_mut().for_each(|value| self.json(key, value)),
            Value::Object(map) => {
                map.iter_mut().for_each(|(key, value)| self.json(key, value));
                self.rename(map);
            }
            _ => {}
        }
    }

    /// Scrubs the keys of an object.
    fn rename(self, map: &mut serde_json::Map<String, Value>) {
        if map.keys().any(|key| matches!(self.text(key), Cow::Owned(_))) {
            let renamed = |(key, value): (String, Value)| (self.text(&key).into_owned(), value);
            *map = collected(std::mem::take(map).into_iter().map(renamed));
        }
    }

    /// The text of an attribute with this key, which can say what a bare number is: `phone` = `9876543210`.
    pub(crate) fn keyed<'t>(self, key: &str, text: &'t str) -> Cow<'t, str> {
        let scrubbed = self.text(text);
        // All that a key can announce holds a digit or an `@`, in some spelling.
        let bare = |byte: u8| byte.is_ascii_digit() || byte == b'@' || !byte.is_ascii();
        if matches!(scrubbed, Cow::Owned(_)) || !text.bytes().any(bare) {
            return scrubbed;
        }
        let Some(word) = keys::announced(key) else { return scrubbed };
        match self.text(&[word, text].concat()) {
            Cow::Owned(named) => named.strip_prefix(word).map_or(scrubbed, |named| Cow::Owned(named.to_owned())),
            Cow::Borrowed(_) => scrubbed,
        }
    }
}

/// Masks `email` and `username` of the user, for an app that chose `mask_user`.
pub(crate) fn mask_user(user: &mut Value) {
    for (field, marker) in [("email", marker::EMAIL), ("username", marker::USERNAME)] {
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
            "phone": "9876543210",
            "userMobile": "9876543210",
            "aadhaar_no": "234567890124",
            "account_number": "50100123456789",
            "account_id": "50100123456789",
            "passport_no": "Z1234567",
            "upi": "priya@newbank",
            "pin": "4821",
            "otpCode": "482113",
            "verification_code": "482113",
            "cvv_number": "123",
            "pincode": "560001",
            "pin_code": "560001",
            "priya@example.com": 1,
            "list": ["+919876543210", 5, null, {"amount": "98765 43210", "to": "98765 43210"}],
        });
        Rules::default().json("data", &mut value);
        assert_eq!(
            value,
            json!({
                "note": "mail [email]",
                "order_id": "4111111111111111",
                "card": "[card]",
                "card_no": "[card]",
                "number": 4_111_111_111_111_111_u64,
                "password": "[secret]",
                "phone": "[phone]",
                "userMobile": "[phone]",
                "aadhaar_no": "[aadhaar]",
                "account_number": "[account]",
                "account_id": "50100123456789",
                "passport_no": "[passport]",
                "upi": "[upi]",
                "pin": "[secret]",
                "otpCode": "[code]",
                "verification_code": "[code]",
                "cvv_number": "[code]",
                "pincode": "560001",
                "pin_code": "560001",
                "[email]": 1,
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
