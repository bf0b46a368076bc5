//! A plan made from recorded events, for a person to correct.

use super::VERSION;
use super::pattern::name_of;
use super::shape::Shape;
use crate::source::{Ask, Event, Query, SourceError};
use rez_monitor::inspect::{ExportRules, MARK_LOGGER};
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// Kinds whose events have no name that a program chose.
const NAMELESS: [&str; 7] = ["app_exit", "feedback", "frames", "hang", "log", "message", "session"];

/// A plan in the order in which a person reads it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Draft {
    plan: u64,
    unknown: &'static str,
    required: [String; 0],
    forbidden: [String; 0],
    order: [String; 0],
    /// The events, by kind and name.
    pub events: Vec<Drafted>,
}

/// An event of a draft.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Drafted {
    kind: String,
    name: String,
    seen: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    attrs: Option<Value>,
}

/// The events of one kind and name.
#[derive(Default)]
struct Group {
    seen: u64,
    with_attrs: u64,
    attrs: Shape,
}

/// Drafts a plan from the events of a query: their kinds, names and attributes with types. It has no values of the events but words that
/// look like an enumeration.
///
/// # Errors
/// The source cannot be read, or refuses.
pub fn draft(ask: Ask<'_>, query: &Query) -> Result<Draft, SourceError> {
    let mut groups: BTreeMap<(String, String), Group> = BTreeMap::new();
    ask.each(query, |mut event| {
        if event.json.get("logger").and_then(Value::as_str) == Some(MARK_LOGGER) {
            return;
        }
        let rules = ExportRules::new(ExportRules::identifiers(&event.json));
        let name = name(&event, &rules);
        rules.row(&event.kind, &mut event.json);
        let group = groups.entry((event.kind, name)).or_default();
        group.seen += 1;
        if let Some(attrs) = event.json.get("attrs") {
            group.with_attrs += 1;
            group.attrs.add(attrs, event.session.as_deref());
        }
    })?;
    let events = groups.into_iter().map(|((kind, name), group)| {
        let attrs = group.schema();
        Drafted { kind, name, seen: group.seen, attrs }
    });
    let events = events.collect();
    Ok(Draft { plan: VERSION, unknown: "finding", required: [], forbidden: [], order: [], events })
}

/// The name that a program gave to it; `*` for a text that people or servers write, and for one with personal data.
fn name(event: &Event, rules: &ExportRules) -> String {
    let kind = event.kind.as_str();
    let field = |name: &str| event.json.get(name).and_then(Value::as_str);
    let name = match kind {
        _ if NAMELESS.contains(&kind) => "",
        "error" | "crash" => field("type").unwrap_or_default(),
        _ => name_of(event),
    };
    if name.is_empty() || rules.text(name) != name { "*".to_owned() } else { name.to_owned() }
}

impl Group {
    /// The schema of the attributes, if an event has any.
    fn schema(&self) -> Option<Value> {
        let mut schema = (self.with_attrs > 0).then(|| self.attrs.schema())?;
        if self.with_attrs < self.seen
            && let Some(schema) = schema.as_object_mut()
        {
            // An event without attributes is checked as one with none.
            schema.remove("required");
        }
        Some(schema)
    }
}
