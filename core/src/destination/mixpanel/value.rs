//! Values and identities within Mixpanel's limits.

use super::super::fields::{Notes, cut};
use crate::row::Row;
use crate::sorted::collected;
use serde_json::{Map, Value};

/// Limit of a text, in characters. Mixpanel cuts longer ones silently.
pub(super) const TEXT: usize = 255;

/// Limit of elements in a list.
const ELEMENTS: usize = 254;

/// Limit of the app's properties. Mixpanel accepts fewer than 255, those of the engine included.
const PROPERTIES: usize = 230;

/// Limit of nesting of lists and objects.
const DEPTH: usize = 3;

/// The first time Mixpanel accepts, in milliseconds since 1970: it requires times after January 1, 1971.
const EARLIEST_MS: i64 = 365 * 24 * 3_600_000 + 1;

/// Properties that the engine sets. An attribute with one of these names is sent with the prefix `app_`.
const RESERVED: &[&str] = &[
    "$app_build_number",
    "$app_version_string",
    "$device_id",
    "$duration",
    "$insert_id",
    "$lib_version",
    "$model",
    "$os",
    "$user_id",
    "app",
    "distinct_id",
    "environment",
    "ip",
    "mp_lib",
    "screen",
    "session_id",
    "time",
    "token",
];

/// Ids that Mixpanel refuses because they are placeholders.
const INVALID_IDS: &[&str] = &[
    "",
    "-1",
    "0",
    "00000000-0000-0000-0000-000000000000",
    "[]",
    "anon",
    "anonymous",
    "false",
    "lmy47d",
    "n/a",
    "na",
    "nil",
    "none",
    "null",
    "true",
    "undefined",
    "unknown",
    "{}",
];

/// The user and the device of an event.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Identity {
    /// The anonymous id, which changes when a user is forgotten.
    pub(super) device: String,
    /// The user id, if the app has set one.
    pub(super) user: Option<String>,
}

impl Identity {
    /// Reads the identity of a row. `install` is the device id of a row without an anonymous id.
    pub(super) fn of(install: &str, fields: &Map<String, Value>, notes: &mut Notes) -> Identity {
        let user = fields.get("user");
        let member = |name: &str| user.and_then(|user| user.get(name));
        let device = member("anonymous").and_then(Value::as_str).unwrap_or(install).to_owned();
        let id = match member("id") {
            Some(Value::String(id)) => Some(id.clone()),
            Some(Value::Number(id)) => Some(id.to_string()),
            _ => None,
        };
        let user = id.and_then(|id| {
            if INVALID_IDS.contains(&id.trim().to_ascii_lowercase().as_str()) {
                notes.add("user.id", format!("Mixpanel refuses the id `{id}`: sent as anonymous"));
                return None;
            }
            Some(cut(&id, TEXT, "user.id", notes))
        });
        Identity { device, user }
    }

    /// Mixpanel's rule: the user id, or the device id with a prefix.
    pub(super) fn distinct_id(&self) -> String {
        self.user.clone().unwrap_or_else(|| format!("$device:{}", self.device))
    }
}

/// The time of an event, in milliseconds.
pub(super) fn time(row: &Row, notes: &mut Notes) -> i64 {
    if row.wall_ms < EARLIEST_MS {
        notes.add("time", "before 1971: sent as 1971");
    }
    row.wall_ms.max(EARLIEST_MS)
}

/// The app's attributes as properties. `depth` is the level at which they are nested.
pub(super) fn properties(attrs: &Map<String, Value>, depth: usize, notes: &mut Notes) -> Map<String, Value> {
    let mut out = Map::new();
    for (key, value) in attrs {
        if out.len() >= PROPERTIES {
            notes.add(key, format!("left out: more than {PROPERTIES} attributes"));
            continue;
        }
        let name = name(key, notes);
        let value = limited(value, depth, key, notes);
        if out.insert(name, value).is_some() {
            notes.add(key, "replaces another attribute that is sent under the same name");
        }
    }
    out
}

/// The name of a property.
fn name(key: &str, notes: &mut Notes) -> String {
    let changed = if key.is_empty() {
        "unnamed".to_owned()
    } else if RESERVED.contains(&key) {
        format!("app_{key}")
    } else {
        return cut(key, TEXT, key, notes);
    };
    notes.add(key, format!("sent as `{changed}`"));
    changed
}

/// The value, cut to the limits.
pub(super) fn limited(value: &Value, depth: usize, field: &str, notes: &mut Notes) -> Value {
    match value {
        Value::String(text) => Value::String(cut(text, TEXT, field, notes)),
        Value::Array(_) | Value::Object(_) if depth >= DEPTH => {
            notes.add(field, format!("nested deeper than {DEPTH} levels: sent as text"));
            Value::String(value.to_string().chars().take(TEXT).collect())
        }
        Value::Array(list) => {
            if list.len() > ELEMENTS {
                notes.add(field, format!("cut to {ELEMENTS} elements"));
            }
            list.iter().take(ELEMENTS).map(|value| limited(value, depth + 1, field, notes)).collect()
        }
        Value::Object(map) => {
            if map.len() > ELEMENTS {
                notes.add(field, format!("cut to {ELEMENTS} members"));
            }
            let members = map.iter().take(ELEMENTS);
            Value::Object(collected(members.map(|(key, value)| (key.clone(), limited(value, depth + 1, field, notes)))))
        }
        plain => plain.clone(),
    }
}
