//! The message of an alert: one attachment, as in the team's guide.
//!
//! Slack documents 40,000 characters for a message and 300 for a footer. The other limits here are ours and keep a message below the
//! first one: 1,024 for the title, 8,000 for the description, and 24 fields of at most 200 and 1,000.

use super::super::alert::{collapsed_before, details, headline, printable, severity};
use super::super::fields::{Notes, cut, fields, text};
use crate::event::AlertSeverity;
use crate::row::Row;
use serde_json::{Value, json};

/// Limits in characters.
const TITLE: usize = 1_024;
const DESCRIPTION: usize = 8_000;
const FIELD_TITLE: usize = 200;
const FIELD_VALUE: usize = 1_000;
const FOOTER: usize = 300;

/// Limit of fields of a message.
pub(super) const FIELDS: usize = 24;

/// The colour of the bar beside the message.
fn color(severity: AlertSeverity) -> &'static str {
    match severity {
        AlertSeverity::Info => "#36a64f",
        AlertSeverity::Warning => "#ff9800",
        AlertSeverity::Error => "#f44336",
        AlertSeverity::Critical => "#d32f2f",
    }
}

/// The body of the request.
pub(super) fn of(row: &Row, footer: &str, notes: &mut Notes) -> Value {
    let fields = fields(row);
    let severity = severity(&fields);
    let title = escaped(&cut(&headline(&fields, notes), TITLE, "title", notes));
    let description = printable(text(&fields, "description").unwrap_or_default());
    let mut shown: Vec<Value> = Vec::new();
    for (name, value) in details(row) {
        if shown.len() == FIELDS {
            notes.add(&name, format!("left out: a message has at most {FIELDS} fields"));
            continue;
        }
        let value = cut(&printable(&plain(&value)), FIELD_VALUE, &name, notes);
        shown.push(field(&cut(&printable(&name), FIELD_TITLE, &name, notes), &value));
    }
    if let Some(count) = collapsed_before(&fields) {
        shown.push(field("collapsed before", &count.to_string()));
    }
    json!({"attachments": [{
        // Notifications and clients without formatting show it alone.
        "fallback": format!("{}: {title}", severity.as_str()),
        "color": color(severity),
        "title": title,
        "text": escaped(&cut(&description, DESCRIPTION, "description", notes)),
        "fields": shown,
        "footer": escaped(&footer.chars().take(FOOTER).collect::<String>()),
        "ts": row.wall_ms.max(0) / 1_000,
    }]})
}

fn field(title: &str, value: &str) -> Value {
    json!({"title": escaped(title), "value": escaped(value), "short": true})
}

/// A value as a person reads it: a text as it is, anything else as JSON.
fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// The three characters that Slack gives a meaning. Without it, a text can notify a whole channel (`<!channel>`).
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
