//! Stricter rules for files that people pass on: beside what no row may hold, they hide who the user and the device are.

use super::{Rules, marker};
use serde_json::Value;

/// Replaces members of the user.
const USER: &str = "[user]";

/// Replaces ids of the installation, the device and the account.
const ID: &str = "[id]";

/// Replaces a body that nobody could read, and in which nothing can be hidden.
const BODY: &str = "[body]";

/// Ends of keys, without separators, whose value names a device, an installation, an account or a person.
const IDENTIFYING: &[&str] = &[
    "aaid",
    "accountid",
    "adid",
    "advertisingid",
    "androidid",
    "anonymousid",
    "clientip",
    "customerid",
    "deviceid",
    "devicename",
    "displayname",
    "distinctid",
    "emailaddress",
    "firstname",
    "fullname",
    "gaid",
    "hostname",
    "idfa",
    "idfv",
    "imei",
    "installationid",
    "installid",
    "ipaddress",
    "lastname",
    "macaddress",
    "memberid",
    "phonenumber",
    "remoteip",
    "serialnumber",
    "servername",
    "udid",
    "userid",
    "username",
];

/// Whole keys of the same sort, which are the ends of other words.
const IDENTIFYING_WHOLE: &[&str] = &["did", "email", "install", "ip", "mobile", "phone", "serial", "uid"];

/// A known identifier of at least this many bytes is also hidden inside a longer text. A shorter one is part of other
/// words too often.
const INSIDE_BYTES: usize = 6;

/// Rules for what people pass on: they hide who the user and the device are.
#[derive(Clone, Debug, Default)]
pub struct Export {
    /// Identifiers of the user and the installation, the longest first.
    known: Vec<String>,
}

impl Export {
    /// Rules that also hide these identifiers wherever they stand.
    #[must_use]
    pub fn new(known: impl IntoIterator<Item = String>) -> Export {
        let mut known: Vec<String> = known.into_iter().filter(|text| !text.trim().is_empty()).collect();
        known.sort_by(|one, other| other.len().cmp(&one.len()).then_with(|| one.cmp(other)));
        known.dedup();
        Export { known }
    }

    /// The identifiers of the user that the JSON of a row has, and the sender that a server noted.
    pub fn identifiers(row: &Value) -> impl Iterator<Item = String> + '_ {
        let members = row.get("user").and_then(Value::as_object).into_iter().flatten();
        let named = |key: &str| matches!(key, "id" | "email" | "username" | "name" | "anonymous");
        let of_user = members.filter(move |(key, _)| named(key)).map(|(_, value)| value);
        of_user.chain(row.pointer("/received/install")).filter_map(|value| match value {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        })
    }

    /// Hides what a row of this kind, or the fields of a record, say of the user and the device.
    pub fn row(&self, kind: &str, row: &mut Value) {
        if let Some(members) = row.as_object_mut() {
            let is_received = members.contains_key("received");
            for (key, value) in members.iter_mut() {
                match (kind, key.as_str()) {
                    (_, "original") if is_received && value.is_string() => hide(value, BODY),
                    (_, "user") | ("user_prop", "value" | "by") | ("feedback", "name" | "email") => hide(value, USER),
                    _ => {}
                }
            }
        }
        self.value("", row);
    }

    /// Hides it in a value that stands under `key`, and in all that is in it.
    pub fn value(&self, key: &str, value: &mut Value) {
        Rules { mask_ip: true }.json(key, value);
        self.known_in(key, value);
    }

    /// Hides it in a text.
    #[must_use]
    pub fn text(&self, text: &str) -> String {
        let scrubbed = Rules { mask_ip: true }.text(text);
        self.without_known(&scrubbed).unwrap_or_else(|| scrubbed.into_owned())
    }

    fn known_in(&self, key: &str, value: &mut Value) {
        match value {
            Value::Object(members) => {
                // The form of OpenTelemetry: `{"key": "host.name", "value": {..}}`.
                let attribute = members.get("key").and_then(Value::as_str).is_some_and(identifies);
                for (name, value) in members.iter_mut() {
                    match name.as_str() {
                        "value" if attribute => hide(value, ID),
                        "name" if key == "device" => hide(value, ID),
                        name => self.known_in(name, value),
                    }
                }
            }
            Value::Array(values) => values.iter_mut().for_each(|value| self.known_in(key, value)),
            Value::Null | Value::Bool(_) => {}
            _ if identifies(key) && !is_marker(value) => hide(value, ID),
            Value::String(text) => {
                if let Some(hidden) = self.without_known(text) {
                    *text = hidden;
                }
            }
            Value::Number(number) => {
                let text = number.to_string();
                if text.len() >= INSIDE_BYTES && self.known.contains(&text) {
                    *value = ID.into();
                }
            }
        }
    }

    /// The text without known identifiers; `None` if it has none.
    fn without_known(&self, text: &str) -> Option<String> {
        let mut hidden: Option<String> = None;
        for known in &self.known {
            let shown = hidden.as_deref().unwrap_or(text);
            if shown == known {
                return Some(ID.to_owned());
            }
            if known.len() >= INSIDE_BYTES && shown.contains(known.as_str()) {
                hidden = Some(shown.replace(known.as_str(), ID));
            }
        }
        hidden
    }
}

/// Replaces every text and number by a marker. The shape stays, so that a missing member can still be seen.
fn hide(value: &mut Value, marker: &str) {
    match value {
        Value::Null => {}
        Value::Array(values) => values.iter_mut().for_each(|value| hide(value, marker)),
        Value::Object(members) => members.iter_mut().for_each(|(_, value)| hide(value, marker)),
        _ => *value = marker.into(),
    }
}

fn is_marker(value: &Value) -> bool {
    value.as_str().is_some_and(|text| text == USER || text == ID || text == BODY || marker::ALL.contains(&text))
}

fn identifies(key: &str) -> bool {
    let key: String = key.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect();
    IDENTIFYING.iter().any(|end| key.ends_with(end)) || IDENTIFYING_WHOLE.contains(&key.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_user_and_the_device_are_hidden_and_the_shape_of_the_row_stays() {
        let mut row = json!({
            "name": "pay",
            "user": {"id": 7, "email": "priya@example.com", "username": null, "extra": {"plan": "gold", "tags": ["a"]}},
            "attrs": {
                "device_id": "9774d56d682e549c", "installId": "x", "note": "install 0b6a-77 mail a@b.in",
                "peer": "10.1.2.3", "amount": 12, "order_id": "o-1", "idfa": 5, "hidden": "priya",
            },
            "session": "s-1",
        });
        let export = Export::new(["0b6a-77".to_owned(), "priya".to_owned(), String::new()]);
        export.row("analytics", &mut row);
        let expected = json!({
            "name": "pay",
            "user": {
                "id": "[user]", "email": "[user]", "username": null, "extra": {"plan": "[user]", "tags": ["[user]"]}
            },
            "attrs": {
                "device_id": "[id]", "installId": "[id]", "note": "install [id] mail [email]",
                "peer": "[ip]", "amount": 12, "order_id": "o-1", "idfa": "[id]", "hidden": "[id]",
            },
            "session": "s-1",
        });
        assert_eq!(row, expected);
        export.row("analytics", &mut row);
        assert_eq!(row, expected, "a second pass changes nothing");
    }

    #[test]
    fn what_a_server_received_names_neither_its_sender_nor_the_device_nor_what_it_could_not_read() {
        let mut row = json!({
            "received": {"install": "priya-1234", "protocol": "sentry"},
            "message": "of priya-1234",
            "original": {
                "did": "priya-1234", "server_name": "priyas-mbp", "contexts": {"device": {"name": "Priya's iPhone", "model": "p"}},
                "attributes": [{"key": "host.name", "value": {"stringValue": "priyas-mbp"}}, {"key": "n", "value": {"intValue": 5}}],
            },
        });
        let export = Export::new(Export::identifiers(&row));
        export.row("error", &mut row);
        let text = row.to_string();
        assert!(!text.to_lowercase().contains("priya"), "{text}");
        assert!(
            text.contains("of [id]") && text.contains(r#""model":"p""#) && text.contains(r#""intValue":5"#),
            "{text}"
        );
        let mut cut = json!({"received": {"install": null}, "original": "data=eyJuYW1lIjoiUHJpeWEifQ"});
        export.row("analytics", &mut cut);
        assert_eq!(cut["original"], "[body]");
        let mut own = json!({"original": "of the app"});
        export.row("analytics", &mut own);
        assert_eq!(own["original"], "of the app");
    }

    #[test]
    fn properties_of_the_user_and_the_sender_of_feedback_are_hidden() {
        let mut property = json!({"op": "set", "name": "city", "value": "Pune"});
        Export::default().row("user_prop", &mut property);
        assert_eq!(property, json!({"op": "set", "name": "city", "value": "[user]"}));
        let mut feedback = json!({"message": "call 9876543210", "name": "Priya", "email": "priya@example.com"});
        Export::default().row("feedback", &mut feedback);
        assert_eq!(feedback, json!({"message": "call [phone]", "name": "[user]", "email": "[user]"}));
    }

    #[test]
    fn a_short_identifier_is_hidden_as_a_whole_text_only() {
        let export = Export::new(["u1".to_owned()]);
        assert_eq!(export.text("u1"), "[id]");
        assert_eq!(export.text("menu1 opened"), "menu1 opened");
    }

    #[test]
    fn the_identifiers_of_a_row_are_those_of_its_user() {
        let row = json!({"user": {"id": "u-4711", "email": null, "plan": "gold", "anonymous": "an-1"}, "name": "x"});
        let mut found: Vec<String> = Export::identifiers(&row).collect();
        found.sort();
        assert_eq!(found, ["an-1", "u-4711"]);
        assert_eq!(Export::identifiers(&json!({"user": 5})).count(), 0);
    }
}
