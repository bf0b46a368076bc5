//! The trigger event of an alert.

use super::super::alert::{collapsed_before, details, headline};
use super::super::fields::{Notes, cut, fields, text};
use crate::calendar::rfc3339;
use crate::row::{Row, Run};
use serde_json::{Map, Value, json};

/// Limit of a summary, in characters.
const SUMMARY: usize = 1_024;

/// The name of the client that PagerDuty shows.
const CLIENT: &str = "REZ Monitor";

/// Where an alert comes from, as configured.
#[derive(Clone, Debug, Default)]
pub(super) struct Origin {
    /// `None`: the app's name.
    pub(super) source: Option<String>,
    pub(super) component: Option<String>,
}

/// The body of the request. A row has at most 64 KiB, so that it is far below PagerDuty's 512 KB.
pub(super) fn trigger(row: &Row, run: Option<&Run>, routing_key: &str, origin: &Origin, notes: &mut Notes) -> Value {
    let fields = fields(row);
    let source = origin.source.as_deref().or(run.map(|run| run.app.as_str())).unwrap_or("unknown");
    let mut payload = json!({
        "summary": cut(&headline(&fields, notes), SUMMARY, "title", notes),
        "source": source,
        "severity": "critical",
        "timestamp": rfc3339(row.wall_ms),
        "custom_details": custom_details(row, run, &fields),
    });
    if let (Some(component), Some(payload)) = (&origin.component, payload.as_object_mut()) {
        payload.insert("component".to_owned(), component.as_str().into());
    }
    json!({
        "routing_key": routing_key,
        "event_action": "trigger",
        "dedup_key": row.id.to_string(),
        "client": CLIENT,
        "payload": payload,
    })
}

/// The details, and what else is known under names that no detail has.
fn custom_details(row: &Row, run: Option<&Run>, fields: &Map<String, Value>) -> Map<String, Value> {
    let mut all: Map<String, Value> = details(row).into_iter().collect();
    let known = [
        ("description", text(fields, "description").map(Value::from)),
        ("release", run.map(|run| run.release.as_str().into())),
        ("environment", run.and_then(|run| run.environment.as_deref()).map(Value::from)),
        ("collapsed_before", collapsed_before(fields).map(Value::from)),
    ];
    for (name, value) in known {
        if let Some(value) = value {
            all.entry(name).or_insert(value);
        }
    }
    all
}
