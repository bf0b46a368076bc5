//! Encodes rows as one request of the Measurement Protocol.

use super::super::fields::{Notes, cut, fields, member, millis, text};
use super::super::{Batch, stable_hash};
use super::value::{VALUE, plain};
use super::{commerce, device, name};
use crate::kind::Kind;
use crate::row::{Row, Run};
use serde_json::{Map, Value, json};

/// Limit of a user property's text, in characters.
const PROPERTY_VALUE: usize = 36;

/// Limit of parameters of an event.
const PARAMETERS: usize = 25;

/// Limit of user properties in a request.
const PROPERTIES: usize = 25;

/// Limit of a user id, in characters.
const USER: usize = 256;

/// The user id and the anonymous id of the device, if the row has them.
pub(super) fn identity(fields: &Map<String, Value>) -> (Option<String>, Option<String>) {
    let user = fields.get("user");
    let id = match user.and_then(|user| user.get("id")) {
        Some(Value::String(id)) if !id.is_empty() => Some(id.chars().take(USER).collect()),
        Some(Value::Number(id)) => Some(id.to_string()),
        _ => None,
    };
    (id, member(fields, "user", "anonymous").map(str::to_owned))
}

/// The body. All rows have the same [`identity`].
pub(super) fn body(batch: &Batch<'_>, instance: Option<&str>) -> String {
    let mut notes = Notes::default();
    let (mut events, mut properties) = (Vec::new(), Map::new());
    let (mut user, mut device) = (None, None);
    for row in batch.rows {
        let fields = fields(row);
        (user, device) = identity(&fields);
        if row.kind == Kind::UserProp {
            let (name, value) = user_property(&fields, &mut notes);
            if properties.len() < PROPERTIES || properties.contains_key(&name) {
                properties.insert(name, json!({"value": value, "timestamp_micros": micros(row)}));
            }
        } else {
            events.push(event(batch.run_of(row), row, &mut notes));
        }
    }
    if events.is_empty()
        && let Some(row) = batch.rows.first()
    {
        // Google accepts user properties only with an event.
        let params = json!({"engagement_time_msec": 1, "session_id": session(&fields(row))});
        events.push(json!({"name": "user_property_set", "params": params, "timestamp_micros": micros(row)}));
    }
    let mut out = Map::new();
    match instance {
        Some(instance) => out.insert("app_instance_id".into(), instance.into()),
        None => out.insert("client_id".into(), device.unwrap_or_else(|| batch.install.to_owned()).into()),
    };
    if let Some(user) = user {
        out.insert("user_id".into(), user.into());
    }
    if let Some(device) = device::of(batch) {
        out.insert("device".into(), device);
    }
    if !properties.is_empty() {
        out.insert("user_properties".into(), Value::Object(properties));
    }
    out.insert("events".into(), Value::Array(events));
    Value::Object(out).to_string()
}

/// Microseconds since 1970; earlier times become 1970.
fn micros(row: &Row) -> i64 {
    row.wall_ms.max(0).saturating_mul(1_000)
}

/// A number derived from the session id, because Google's session ids are numbers.
fn session(fields: &Map<String, Value>) -> String {
    let id = text(fields, "session").unwrap_or_default();
    // Ten digits, like the start times in seconds that Google uses itself.
    (1_000_000_000 + stable_hash(&[id]) % 9_000_000_000).to_string()
}

/// Name and value of a user property.
pub(super) fn user_property(fields: &Map<String, Value>, notes: &mut Notes) -> (String, Value) {
    let given = text(fields, "name").unwrap_or_default();
    let name = name::property(given, notes);
    let value = match fields.get("value") {
        Some(Value::String(text)) => cut(text, PROPERTY_VALUE, given, notes).into(),
        Some(number @ Value::Number(_)) => number.clone(),
        // `null` removes the property.
        None | Some(Value::Null) => Value::Null,
        Some(other) => {
            notes.add(given, "sent as text");
            cut(&other.to_string(), PROPERTY_VALUE, given, notes).into()
        }
    };
    (name, value)
}

/// The parameters of one event. Those of the kind are written before the app's attributes.
struct Parameters<'a> {
    out: Map<String, Value>,
    notes: &'a mut Notes,
}

impl Parameters<'_> {
    fn put(&mut self, name: &str, value: Option<Value>) {
        if let Some(value) = value {
            self.out.insert(name.to_owned(), value);
        }
    }

    /// Copies a field of the row.
    fn copy(&mut self, name: &str, field: &str, fields: &Map<String, Value>) {
        let value = fields.get(field).and_then(|value| plain(value, field, self.notes));
        self.put(name, value);
    }

    /// Adds the app's attributes as far as there is space.
    fn attributes(&mut self, attrs: &Map<String, Value>) {
        for (key, value) in attrs {
            let google_name = commerce::google_name(key);
            let (name, value) = if google_name == "items" {
                (google_name.to_owned(), commerce::items(value, self.notes))
            } else {
                (name::parameter(google_name, self.notes), plain(value, key, self.notes))
            };
            let Some(value) = value else { continue };
            if self.out.contains_key(&name) || (google_name != key && attrs.contains_key(google_name)) {
                self.notes.add(key, format!("left out: `{name}` exists already"));
            } else if self.out.len() >= PARAMETERS {
                self.notes.add(key, format!("left out: more than {PARAMETERS} parameters"));
            } else {
                self.out.insert(name, value);
            }
        }
    }
}

/// One event.
pub(super) fn event(run: Option<&Run>, row: &Row, notes: &mut Notes) -> Value {
    let fields = fields(row);
    let name = match row.kind {
        Kind::ScreenView => "screen_view".to_owned(),
        Kind::ScreenLoad => "screen_load".to_owned(),
        Kind::Revenue => "purchase".to_owned(),
        Kind::Interaction => "ui_interaction".to_owned(),
        Kind::ApiCall => "api_call".to_owned(),
        Kind::Error | Kind::Crash => "sdk_error".to_owned(),
        _ => name::event(text(&fields, "name").unwrap_or_default(), notes),
    };
    let mut params = Parameters { out: Map::new(), notes };
    let duration = millis(&fields, "duration_us");
    params.put("session_id", Some(session(&fields).into()));
    // Without it, real-time reports stay empty.
    // A timed event says nothing about engagement.
    let engaged = duration.filter(|ms| *ms > 0 && row.kind != Kind::Analytics);
    params.put("engagement_time_msec", Some(engaged.unwrap_or(1).into()));
    kind_parameters(row, &fields, duration, &mut params);
    let mut attrs = match fields.get("attrs") {
        Some(Value::Object(attrs)) => attrs.clone(),
        _ => Map::new(),
    };
    if row.kind == Kind::Analytics && name == "purchase" {
        // An app's event named `purchase` needs the parameters that Google requires of one.
        purchase(row, &take_purchase(&mut attrs), &mut params);
    }
    params.attributes(&attrs);
    // Added only where the app left space.
    let common = [
        ("screen_name", member(&fields, "view", "name")),
        ("app_release", run.map(|run| run.release.as_str())),
        ("environment", run.and_then(|run| run.environment.as_deref())),
    ];
    for (name, value) in common {
        let value = value.filter(|value| !value.is_empty());
        if let Some(value) = value
            && params.out.len() < PARAMETERS
            && !params.out.contains_key(name)
        {
            params.put(name, Some(value.chars().take(VALUE).collect::<String>().into()));
        }
    }
    json!({"name": name, "params": params.out, "timestamp_micros": micros(row)})
}

/// The parameters that the kind defines.
fn kind_parameters(row: &Row, fields: &Map<String, Value>, duration: Option<i64>, params: &mut Parameters<'_>) {
    match row.kind {
        Kind::ScreenView => {
            params.copy("screen_name", "name", fields);
            let class = if fields.contains_key("class") { "class" } else { "name" };
            params.copy("screen_class", class, fields);
        }
        Kind::ScreenLoad => {
            params.copy("screen_name", "name", fields);
            params.put("duration_ms", duration.map(Value::from));
        }
        Kind::Interaction => {
            params.copy("action", "action", fields);
            params.copy("component", "component", fields);
        }
        Kind::ApiCall => {
            for name in ["method", "endpoint", "status"] {
                params.copy(name, name, fields);
            }
            params.put("duration_ms", duration.map(Value::from));
        }
        Kind::Error | Kind::Crash => {
            params.put("fatal", Some(u8::from(row.kind == Kind::Crash).into()));
            params.copy("type", "type", fields);
            params.copy("message", "message", fields);
        }
        Kind::Revenue => purchase(row, fields, params),
        Kind::Analytics => params.put("duration_ms", duration.map(Value::from)),
        _ => {}
    }
}

/// Removes the parts of a purchase from an event's attributes and returns them under the names of a `revenue` row.
fn take_purchase(attrs: &mut Map<String, Value>) -> Map<String, Value> {
    let parts = [
        ("amount", &["value"][..]),
        ("currency", &["currency"]),
        ("transaction_id", &["transaction_id", "transactionId"]),
        ("items", &["items"]),
    ];
    let mut out = Map::new();
    for (part, names) in parts {
        let given = names.iter().filter_map(|name| attrs.remove(*name)).find(|value| !value.is_null());
        let value = match given {
            Some(Value::String(text)) => text.into(),
            Some(id) if part == "transaction_id" => id.to_string().into(),
            Some(value) => value,
            None => continue,
        };
        out.insert(part.to_owned(), value);
    }
    out
}

fn purchase(row: &Row, fields: &Map<String, Value>, params: &mut Parameters<'_>) {
    params.copy("value", "amount", fields);
    params.copy("currency", "currency", fields);
    if text(fields, "currency").is_none() {
        params.notes.add("currency", "missing: Google does not count revenue without a currency");
    }
    match text(fields, "transaction_id") {
        Some(_) => params.copy("transaction_id", "transaction_id", fields),
        // A web stream deduplicates purchases by it.
        None => {
            params.notes.add("transaction_id", "missing: the event's id is sent instead");
            params.put("transaction_id", Some(row.id.to_string().into()));
        }
    }
    let items = fields.get("items").and_then(|items| commerce::items(items, params.notes));
    let items = items.unwrap_or_else(|| {
        params.notes.add("items", "missing: one item `(not set)` is sent instead");
        commerce::placeholder(fields.get("amount"))
    });
    params.put("items", Some(items));
}
