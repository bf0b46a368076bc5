//! `mask-user-input`: removes user input from names and contexts of actions.

use crate::json::Json;
use crate::kind::Kind;

/// The replacement that the vendor's own SDKs use.
const MASKED: &str = "Masked Element";

/// Limit of a component name that counts as an identifier, in bytes.
const IDENTIFIER_BYTES: usize = 100;

/// Actions whose attributes contain user input.
const INPUT_ACTIONS: [&str; 8] = ["input", "change", "edit", "paste", "submit", "text", "text_change", "type"];

/// Attributes that contain user input whatever the action is.
const INPUT_KEYS: [&str; 8] = ["content", "input", "label", "placeholder", "query", "search", "text", "value"];

fn is_input(fields: &Json<'_>) -> bool {
    let action = fields.text("action").unwrap_or_default();
    INPUT_ACTIONS.iter().any(|input| input.eq_ignore_ascii_case(action))
}

/// Whether a name was chosen by a programmer rather than typed by a user.
fn is_identifier(name: &str) -> bool {
    name.len() <= IDENTIFIER_BYTES
        && name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_' || c == '#')
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.#/:".contains(&byte))
}

/// The name of the component, masked if it can be user input.
pub(super) fn target<'a>(mask: bool, fields: &'a Json<'_>) -> &'a str {
    let component = fields.text("component").unwrap_or("unnamed");
    if mask && is_input(fields) && !is_identifier(component) { MASKED } else { component }
}

/// The fields of an interaction without user input; `None` if nothing is masked.
pub(super) fn without_input<'a>(mask: bool, kind: Kind, fields: &Json<'a>) -> Option<Json<'a>> {
    if !mask || kind != Kind::Interaction {
        return None;
    }
    let input = is_input(fields);
    let typed = |key: &str, value: &Json<'_>| {
        let named = INPUT_KEYS.iter().any(|known| known.eq_ignore_ascii_case(key));
        named || (input && !matches!(value, Json::Bool(_) | Json::Int(_) | Json::Uint(_) | Json::Float(_)))
    };
    let mut kept = fields.clone();
    if let Json::Map(entries) = &mut kept {
        for (key, value) in entries.iter_mut() {
            if let ("attrs" | "context", Json::Map(members)) = (key.as_ref(), value) {
                members.retain(|(key, value)| !typed(key, value));
            }
        }
    }
    Some(kept)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(text: &str) -> Json<'_> {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn user_input_is_not_sent_as_the_name_of_a_component() {
        for (fields, masked) in [
            (r#"{"action":"input","component":"my secret diary"}"#, MASKED),
            (r#"{"action":"Change","component":"Asha's address"}"#, MASKED),
            (r#"{"action":"input","component":"9876543210"}"#, MASKED),
            (r#"{"action":"input","component":"search_box"}"#, "search_box"),
            (r#"{"action":"tap","component":"Pay now"}"#, "Pay now"),
            (r#"{"action":"tap"}"#, "unnamed"),
        ] {
            assert_eq!(target(true, &json(fields)), masked, "{fields}");
        }
        assert_eq!(target(false, &json(r#"{"action":"input","component":"a b"}"#)), "a b");
    }

    #[test]
    fn attributes_with_user_input_are_removed() {
        let fields =
            json(r#"{"action":"input","attrs":{"note":"typed","length":5,"value":"x"},"tags":{"value":"stays"}}"#);
        let kept = without_input(true, Kind::Interaction, &fields).unwrap();
        let names = |map: &str| kept.map(map).iter().map(|(key, _)| key.to_string()).collect::<Vec<_>>();
        assert_eq!((names("attrs"), names("tags")), (vec!["length".to_owned()], vec!["value".to_owned()]));
        let tap = json(r#"{"action":"tap","attrs":{"note":"kept","Value":"x"}}"#);
        let kept = without_input(true, Kind::Interaction, &tap).unwrap();
        assert_eq!(kept.map("attrs").len(), 1);
        assert!(without_input(true, Kind::Analytics, &tap).is_none());
        assert!(without_input(false, Kind::Interaction, &tap).is_none());
    }
}
