//! Encodes rows as events for `/import` and as profile updates for `/engage`.

use super::super::Batch;
use super::super::fields::{Notes, cut, fields, member, millis, text};
use super::device;
use super::value::{Identity, TEXT, limited, properties, time};
use crate::calendar::rfc3339;
use crate::kind::Kind;
use crate::row::{Row, Run};
use serde_json::{Map, Value, json};

/// The body of an import.
pub(super) fn events(batch: &Batch<'_>) -> String {
    let mut notes = Notes::default();
    let event = |row| event(batch.install, batch.run_of(row), row, &mut notes);
    Value::Array(batch.rows.iter().map(event).collect()).to_string()
}

/// The body of an update.
pub(super) fn updates(token: &str, batch: &Batch<'_>) -> String {
    let mut notes = Notes::default();
    let update = |row| update(token, batch.install, row, &mut notes);
    Value::Array(batch.rows.iter().map(update).collect()).to_string()
}

/// One event.
pub(super) fn event(install: &str, run: Option<&Run>, row: &Row, notes: &mut Notes) -> Value {
    let fields = fields(row);
    let attrs = fields.get("attrs").and_then(Value::as_object);
    let mut out = attrs.map(|attrs| properties(attrs, 0, notes)).unwrap_or_default();
    let name = kind_properties(row.kind, &fields, &mut out, notes);
    let identity = Identity::of(install, &fields, notes);
    out.insert("time".into(), time(row, notes).into());
    out.insert("distinct_id".into(), identity.distinct_id().into());
    out.insert("$device_id".into(), identity.device.into());
    out.insert("$insert_id".into(), row.id.to_string().into());
    out.insert("ip".into(), 0.into());
    out.insert("mp_lib".into(), "rez-monitor".into());
    out.insert("$lib_version".into(), env!("CARGO_PKG_VERSION").into());
    if let Some(user) = identity.user {
        out.insert("$user_id".into(), user.into());
    }
    let mut known = |name: &str, value: Option<&str>| {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            out.insert(name.into(), cut(value, TEXT, name, notes).into());
        }
    };
    known("session_id", text(&fields, "session"));
    known("screen", member(&fields, "view", "name"));
    if let Some(run) = run {
        known("app", Some(&run.app));
        known("environment", run.environment.as_deref());
        let facts = &run.facts;
        known("$app_version_string", facts.app_version.as_deref().or(Some(&run.release)));
        known("$app_build_number", facts.app_build.as_deref().or(run.dist.as_deref()));
        known("$os", facts.os_name.as_deref().or(Some(&run.os)));
        known("$model", run.device.as_deref());
    }
    device::add(&mut out, run, &fields, notes);
    json!({"event": name, "properties": out})
}

/// Adds the properties that the kind defines and returns the name of the event.
fn kind_properties(kind: Kind, fields: &Map<String, Value>, out: &mut Map<String, Value>, notes: &mut Notes) -> String {
    let mut put = |name: &str, value: Option<Value>| {
        if let Some(value) = value.filter(|value| !value.is_null()) {
            out.insert(name.to_owned(), value);
        }
    };
    let mut field = |key: &str| fields.get(key).map(|value| limited(value, 0, key, notes));
    match kind {
        Kind::ScreenView => {
            put("screen_name", field("name"));
            put("screen_class", field("class"));
            "Screen View".into()
        }
        Kind::ScreenLoad => {
            put("screen_name", field("name"));
            put("duration_ms", millis(fields, "duration_us").map(Value::from));
            "Screen Load".into()
        }
        Kind::Revenue => {
            for key in ["amount", "currency", "transaction_id", "items"] {
                put(key, field(key));
            }
            "Purchase".into()
        }
        Kind::Interaction => {
            put("action", field("action"));
            put("component", field("component"));
            "Interaction".into()
        }
        Kind::ApiCall => {
            for key in ["method", "endpoint", "status"] {
                put(key, field(key));
            }
            put("duration_ms", millis(fields, "duration_us").map(Value::from));
            "API Call".into()
        }
        Kind::Error | Kind::Crash => {
            for key in ["type", "message", "severity", "code"] {
                put(key, field(key));
            }
            if kind == Kind::Crash { "App Crash".into() } else { "App Error".into() }
        }
        _ => {
            // Seconds, as Mixpanel's own libraries send it.
            put("$duration", fields.get("duration_us").and_then(Value::as_i64).map(|us| (us as f64 / 1e6).into()));
            name(text(fields, "name").unwrap_or_default(), notes)
        }
    }
}

/// The name of an event: unchanged, unless it starts with `$`. An app's `$identify` or `$merge` would change
/// identities. The automatic events of Mixpanel's own packages are none of these.
fn name(name: &str, notes: &mut Notes) -> String {
    let changed = match name {
        "" => "unnamed".to_owned(),
        "$ae_first_open" | "$ae_updated" | "$ae_session" => return name.to_owned(),
        _ if name.starts_with('$') => format!("app_{name}"),
        _ => return cut(name, TEXT, "name", notes),
    };
    notes.add("name", format!("sent as `{changed}`"));
    cut(&changed, TEXT, "name", notes)
}

/// One update of a profile.
pub(super) fn update(token: &str, install: &str, row: &Row, notes: &mut Notes) -> Value {
    let fields = fields(row);
    let identity = Identity::of(install, &fields, notes);
    let (operation, change) = match row.kind {
        Kind::Revenue => ("$append", transaction(row, &fields, notes)),
        _ => {
            let name = match text(&fields, "name") {
                Some(name) => cut(name, TEXT, "name", notes),
                None => "unnamed".into(),
            };
            let value = |key: &str, notes: &mut Notes| {
                fields.get(key).map_or(Value::Null, |value| limited(value, 0, &name, notes))
            };
            match text(&fields, "op") {
                Some("set_once") => {
                    let value = value("value", notes);
                    ("$set_once", json!({ name: value }))
                }
                Some("unset") => ("$unset", json!([name])),
                Some("union") => {
                    let values = value("value", notes);
                    let values = match values {
                        Value::Array(_) => values,
                        Value::Null => json!([]),
                        single => json!([single]),
                    };
                    ("$union", json!({ name: values }))
                }
                Some("remove") => {
                    let value = value("value", notes);
                    ("$remove", json!({ name: value }))
                }
                // Mixpanel ignores the value.
                Some("delete") => ("$delete", json!("")),
                Some("increment") => {
                    // `$add` accepts numbers only.
                    let by = fields.get("by").filter(|by| by.is_number()).cloned();
                    ("$add", json!({ name: by.unwrap_or_else(|| 0.into()) }))
                }
                Some("append") => {
                    let value = value("value", notes);
                    ("$append", json!({ name: value }))
                }
                _ => {
                    let value = value("value", notes);
                    ("$set", json!({ name: value }))
                }
            }
        }
    };
    let mut out = json!({"$token": token, "$distinct_id": identity.distinct_id(), "$ip": "0"});
    if let Value::Object(out) = &mut out {
        out.insert(operation.into(), change);
    }
    out
}

/// A transaction in the form that Mixpanel's revenue reports read.
fn transaction(row: &Row, fields: &Map<String, Value>, notes: &mut Notes) -> Value {
    let attrs = fields.get("attrs").and_then(Value::as_object);
    let mut out = attrs.map(|attrs| properties(attrs, 1, notes)).unwrap_or_default();
    let amount = fields.get("amount").filter(|amount| amount.is_number()).cloned();
    out.insert("$amount".into(), amount.unwrap_or_else(|| 0.into()));
    out.insert("$time".into(), seconds(time(row, notes)).into());
    for key in ["currency", "transaction_id"] {
        if let Some(value) = fields.get(key) {
            out.insert(key.into(), limited(value, 1, key, notes));
        }
    }
    json!({"$transactions": out})
}

/// ISO 8601 in UTC with seconds and without a zone, the format of `$time`.
fn seconds(ms: i64) -> String {
    let mut time = rfc3339(ms);
    time.truncate("0000-00-00T00:00:00".len());
    time
}
