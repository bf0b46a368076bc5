//! What the destinations that tell people of alerts share: reading an alert from its row.

use super::fields::{Notes, text};
use crate::event::AlertSeverity;
use crate::json::split;
use crate::row::Row;
use serde_json::{Map, Value};

/// The title of an alert that has neither a title nor a description.
const UNTITLED: &str = "Alert";

/// Its severity. A row without one is an error.
pub(super) fn severity(fields: &Map<String, Value>) -> AlertSeverity {
    text(fields, "severity").and_then(AlertSeverity::parse).unwrap_or_default()
}

/// The title on one line, without control characters. Without a title, the first line of the description.
pub(super) fn headline(fields: &Map<String, Value>, notes: &mut Notes) -> String {
    let on_one_line = |text: &str| {
        text.split(|c: char| c.is_whitespace() || c.is_control())
            .filter(|word| !word.is_empty())
            .collect::<Vec<_>>()
            .join(" ")
    };
    let given = text(fields, "title").unwrap_or_default();
    let title = on_one_line(given);
    if !title.is_empty() {
        if given.contains(char::is_control) {
            notes.add("title", "sent on one line");
        }
        return title;
    }
    let lines = text(fields, "description").unwrap_or_default().lines().map(on_one_line);
    let first = lines.into_iter().find(|line| !line.is_empty());
    notes.add("title", "sent as the first line of the description, or as `Alert`");
    first.unwrap_or_else(|| UNTITLED.to_owned())
}

/// The text without control characters other than line breaks and tabs.
pub(super) fn printable(text: &str) -> String {
    text.chars().filter(|c| !c.is_control() || matches!(c, '\n' | '\t')).collect()
}

/// The details in the order in which they were given.
pub(super) fn details(row: &Row) -> Vec<(String, Value)> {
    let attrs = split::member(&row.json, "attrs").unwrap_or_default();
    let named = |(name, json): (&str, &str)| {
        let name = split::text(&format!("\"{name}\""));
        (name, serde_json::from_str(json).unwrap_or_default())
    };
    split::members(attrs).map(named).collect()
}

/// How many repetitions of it were collapsed before it.
pub(super) fn collapsed_before(fields: &Map<String, Value>) -> Option<u64> {
    fields.get("collapsed_before").and_then(Value::as_u64)
}
