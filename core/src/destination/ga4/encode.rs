//! Rows as one request of the Measurement Protocol.

use super::super::write::{Notes, cut, fields, member, millis, text};
use super::super::{Batch, stable_hash};
use super::commerce::{self, plain};
use super::name;
use crate::kind::Kind;
use crate::row::{Row, Run};
use serde_json::{Map, Value, json};

/// Longest text of a parameter, in characters.
pub(super) const VALUE: usize = 100;

/// Longest text of a user property, in characters.
const PROPERTY_VALUE: usize = 36;

/// Most parameters of an event.
const PARAMETERS: usize = 25;

/// Most user properties of a request.
const PROPERTIES: usize = 25;

/// Longest user id, in characters.
const USER: usize = 256;

/// Whose events these are: the user and the device's own id, where the row names one.
pub(super) fn identity(fields: &Map<String, Value>) -> (Option<String>, Option<String>) {
    let user = fields.get("user");
    let id = match user.and_then(|user| user.get("id")) {
        Some(Value::String(id)) if !id.is_empty() => Some(id.chars().take(USER).collect()),
        Some(Value::Number(id)) => Some(id.to_string()),
        _ => None,
    };
    (id, member(fields, "user", "anonymous").map(str::to_owned))
}

/// The body: all rows are of one identity.
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
        // User properties travel with events only.
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
    if !properties.is_empty() {
        out.insert("user_properties".into(), Value::Object(properties));
    }
    out.insert("events".into(), Value::Array(events));
    Value::Object(out).to_string()
}

/// A clock before 1970 counts as 1970.
fn micros(row: &Row) -> i64 {
    row.wall_ms.max(0).saturating_mul(1_000)
}

/// Google's session ids are numbers: the same one for the same session.
fn session(fields: &Map<String, Value>) -> String {
    let id = text(fields, "session").unwrap_or_default();
    // Ten digits, as of a session that is named by its start in seconds.
    (1_000_000_000 + stable_hash(&[id]) % 9_000_000_000).to_string()
}

/// Name and value of a user property.
pub(super) fn user_property(fields: &Map<String, Value>, notes: &mut Notes) -> (String, Value) {
    let given = text(fields, "name").unwrap_or_default();
    let name = name::property(given, notes);
    let value = match fields.get("value") {
        Some(Value::String(text)) => cut(text, PROPERTY_VALUE, given, notes).into(),
        Some(number @ Value::Number(_)) => number.clone(),
        None | Some(Value::Null) => Value::String(String::new()),
        Some(other) => {
            notes.add(given, "sent as text");
            cut(&other.to_string(), PROPERTY_VALUE, given, notes).into()
        }
    };
    (name, value)
}

/// Collects the parameters of one event, ours first.
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

    /// A field of the row.
    fn say(&mut self, name: &str, field: &str, fields: &Map<String, Value>) {
        let value = fields.get(field).and_then(|value| plain(value, field, self.notes));
        self.put(name, value);
    }

    /// The app's own attributes.
    fn attributes(&mut self, attrs: &Map<String, Value>) {
        for (key, value) in attrs {
            let word = commerce::google(key);
            let (name, value) = if word == "items" {
                (word.to_owned(), commerce::items(value, self.notes))
            } else {
                (name::parameter(word, self.notes), plain(value, key, self.notes))
            };
            let Some(value) = value else { continue };
            if self.out.contains_key(&name) || (word != key && attrs.contains_key(word)) {
                self.notes.add(key, format!("left out: there is a `{name}` already"));
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
    // Without it, realtime reports stay empty.
    params.put("engagement_time_msec", Some(duration.filter(|ms| *ms > 0).unwrap_or(1).into()));
    own(row, &fields, duration, &mut params);
    let mut attrs = match fields.get("attrs") {
        Some(Value::Object(attrs)) => attrs.clone(),
        _ => Map::new(),
    };
    if row.kind == Kind::Analytics && name == "purchase" {
        // What the app itself calls by Google's name must be one to Google.
        purchase(row, &money(&mut attrs), &mut params);
    }
    params.attributes(&attrs);
    // Where there is room, as everywhere: screen, release, environment.
    let about = [
        ("screen_name", member(&fields, "view", "name")),
        ("app_release", run.map(|run| run.release.as_str())),
        ("environment", run.and_then(|run| run.environment.as_deref())),
    ];
    for (name, value) in about {
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

/// What a kind says beside the app's attributes.
fn own(row: &Row, fields: &Map<String, Value>, duration: Option<i64>, params: &mut Parameters<'_>) {
    match row.kind {
        Kind::ScreenView => {
            params.say("screen_name", "name", fields);
            let class = if fields.contains_key("class") { "class" } else { "name" };
            params.say("screen_class", class, fields);
        }
        Kind::ScreenLoad => {
            params.say("screen_name", "name", fields);
            params.put("duration_ms", duration.map(Value::from));
        }
        Kind::Interaction => {
            params.say("action", "action", fields);
            params.say("component", "component", fields);
        }
        Kind::ApiCall => {
            for name in ["method", "endpoint", "status"] {
                params.say(name, name, fields);
            }
            params.put("duration_ms", duration.map(Value::from));
        }
        Kind::Error | Kind::Crash => {
            params.put("fatal", Some(u8::from(row.kind == Kind::Crash).into()));
            params.say("type", "type", fields);
            params.say("message", "message", fields);
        }
        Kind::Revenue => purchase(row, fields, params),
        _ => {}
    }
}

/// Takes the parts of a purchase out of an event's attributes, named as in a row of money.
fn money(attrs: &mut Map<String, Value>) -> Map<String, Value> {
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
    params.say("value", "amount", fields);
    params.say("currency", "currency", fields);
    if text(fields, "currency").is_none() {
        params.notes.add("currency", "missing: Google counts no revenue without it");
    }
    match text(fields, "transaction_id") {
        Some(_) => params.say("transaction_id", "transaction_id", fields),
        // By it a web stream knows a second copy.
        None => {
            params.notes.add("transaction_id", "missing: the event's own id stands for it");
            params.put("transaction_id", Some(row.id.to_string().into()));
        }
    }
    let items = fields.get("items").and_then(|items| commerce::items(items, params.notes));
    let items = items.unwrap_or_else(|| {
        params.notes.add("items", "missing: one item `(not set)` stands for them");
        commerce::unknown(fields.get("amount"))
    });
    params.put("items", Some(items));
}
