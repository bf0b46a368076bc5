//! Values and ids within Mixpanel's limits.

use super::super::write::{Notes, cut};
use crate::row::Row;
use serde_json::{Map, Value};

/// Longest text, in characters; Mixpanel cuts there itself, silently.
pub(super) const TEXT: usize = 255;

/// Most elements of a list.
const ELEMENTS: usize = 254;

/// Most of the app's own properties: Mixpanel takes fewer than 255 with ours.
const PROPERTIES: usize = 230;

/// Deepest nesting of lists and objects.
const DEPTH: usize = 3;

/// The first instant Mixpanel takes, in milliseconds since 1970: it wants times after the first of January 1971.
const EARLIEST_MS: i64 = 365 * 24 * 3_600_000 + 1;

/// Properties that mean something to Mixpanel and are set here: an attribute of such a name goes under `app_`.
const OURS: &[&str] = &[
    "$app_build_number",
    "$app_version_string",
    "$device_id",
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

/// What Mixpanel refuses as an id because it is nobody's.
const NOBODY: &[&str] = &[
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

/// Who an event is about.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Who {
    /// The device, while nobody else has used it: changes when a user is forgotten.
    pub(super) device: String,
    /// The user, once named.
    pub(super) user: Option<String>,
}

impl Who {
    /// From the row; `install` stands in for a device that never had a user.
    pub(super) fn of(install: &str, fields: &Map<String, Value>, notes: &mut Notes) -> Who {
        let user = fields.get("user");
        let member = |name: &str| user.and_then(|user| user.get(name));
        let device = member("anonymous").and_then(Value::as_str).unwrap_or(install).to_owned();
        let id = match member("id") {
            Some(Value::String(id)) => Some(id.clone()),
            Some(Value::Number(id)) => Some(id.to_string()),
            _ => None,
        };
        let user = id.and_then(|id| {
            if NOBODY.contains(&id.trim().to_ascii_lowercase().as_str()) {
                notes.add("user.id", format!("`{id}` is nobody's id: sent as anonymous"));
                return None;
            }
            Some(cut(&id, TEXT, "user.id", notes))
        });
        Who { device, user }
    }

    /// Mixpanel's own rule: the user, else the device behind a prefix.
    pub(super) fn distinct_id(&self) -> String {
        self.user.clone().unwrap_or_else(|| format!("$device:{}", self.device))
    }
}

/// The time of an event, in milliseconds.
pub(super) fn time(row: &Row, notes: &mut Notes) -> i64 {
    if row.wall_ms < EARLIEST_MS {
        notes.add("time", "the clock stood before 1971: sent as 1971");
    }
    row.wall_ms.max(EARLIEST_MS)
}

/// The app's attributes as properties, `depth` levels deep.
pub(super) fn properties(attrs: &Map<String, Value>, depth: usize, notes: &mut Notes) -> Map<String, Value> {
    let mut out = Map::new();
    for (key, value) in attrs {
        if out.len() >= PROPERTIES {
            notes.add(key, format!("left out: more than {PROPERTIES} attributes"));
            continue;
        }
        let name = name(key, notes);
        let value = within(value, depth, key, notes);
        if out.insert(name, value).is_some() {
            notes.add(key, "stands for another attribute, which has the same name after it was changed");
        }
    }
    out
}

/// The name of a property.
fn name(key: &str, notes: &mut Notes) -> String {
    let changed = if key.is_empty() {
        "unnamed".to_owned()
    } else if OURS.contains(&key) {
        format!("app_{key}")
    } else {
        return cut(key, TEXT, key, notes);
    };
    notes.add(key, format!("sent as `{changed}`"));
    changed
}

/// A value within the limits.
pub(super) fn within(value: &Value, depth: usize, field: &str, notes: &mut Notes) -> Value {
    match value {
        Value::String(text) => Value::String(cut(text, TEXT, field, notes)),
        Value::Array(_) | Value::Object(_) if depth >= DEPTH => {
            notes.add(field, format!("nested deeper than {DEPTH}: sent as text"));
            Value::String(value.to_string().chars().take(TEXT).collect())
        }
        Value::Array(list) => {
            if list.len() > ELEMENTS {
                notes.add(field, format!("cut to {ELEMENTS} elements"));
            }
            list.iter().take(ELEMENTS).map(|value| within(value, depth + 1, field, notes)).collect()
        }
        Value::Object(map) => {
            if map.len() > ELEMENTS {
                notes.add(field, format!("cut to {ELEMENTS} members"));
            }
            let members = map.iter().take(ELEMENTS);
            members.map(|(key, value)| (key.clone(), within(value, depth + 1, field, notes))).collect()
        }
        plain => plain.clone(),
    }
}
