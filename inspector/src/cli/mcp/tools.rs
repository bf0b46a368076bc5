//! The tools: what they are called, what they take, and what they answer.

use super::super::args::event_id;
use super::super::{check, timeline};
use crate::plan::{self, Plan};
use crate::source::{Ask, Inspect as _, Masked, Query, SourceError};
use crate::terminal::CliError;
use rez_monitor::inspect::nearest;
use serde_json::{Map, Value, json};
use std::path::Path;

/// Events in an answer of `list`, unless the arguments say otherwise, and at most.
const EVENTS: u64 = 50;
const EVENTS_MOST: u64 = 200;

/// Name, description, arguments: each with its type and description. A `!` marks what must be there.
type Tool = (&'static str, &'static str, &'static [(&'static str, &'static str, &'static str)]);

const EVENT: (&str, &str, &str) =
    ("event", "string!", "Id of an event, at least its first 4 characters, or its sequence number");

const SESSION: (&str, &str, &str) = ("session", "string", "Only the session with this id");

const SINCE_MARK: (&str, &str, &str) = ("since_mark", "boolean", "Only what was stored after the latest mark");

const TOOLS: [Tool; 7] = [
    (
        "status",
        "What waits on each route and why, what was delivered and dropped, and whether the numbers balance",
        &[],
    ),
    (
        "list",
        "Events with all fields and states, newest first. Pass `before` of the answer for the next page",
        &[
            ("kind", "string", "Only this kind, such as error, api_call or analytics"),
            ("state", "string", "Only this state: queued, dead, dropped, delivered or settled"),
            ("lane", "string", "Only this lane: crash, critical, normal or bulk"),
            ("level", "string", "Only this level"),
            ("text", "string", "Only events whose JSON contains this text"),
            ("where", "string", "Conditions, such as: name ~ \"checkout*\" and attrs.price > 100"),
            SESSION,
            SINCE_MARK,
            ("limit", "integer", "At most this many events: 1 to 200, default 50"),
            ("before", "integer", "Only events with a lower sequence number"),
        ],
    ),
    ("show", "Everything about one event: fields, clocks, checksum, run, what became of it on each route", &[EVENT]),
    ("why", "What became of one event, one sentence for each route, with why it waits and until when", &[EVENT]),
    (
        "drops",
        "Events that were lost after they were accepted, by day, route, kind and reason; and those refused at the call",
        &[],
    ),
    (
        "timeline",
        "One session as a story: screens, calls, taps and errors with their durations. Without `session`, that of the newest event",
        &[("session", "string", "Id of the session")],
    ),
    (
        "check",
        "Events against a tracking plan: JSON Schemas, required and forbidden names, order, counts per session",
        &[("plan", "object", "The plan; without it, the file of `rezq mcp --plan`"), SESSION, SINCE_MARK],
    ),
];

/// Why a call has no answer.
pub(super) enum CallError {
    /// There is no such tool.
    Unknown,
    /// The arguments are wrong.
    Arguments(String),
    /// The tool ran and failed.
    Failed(String),
}

impl From<CliError> for CallError {
    fn from(error: CliError) -> CallError {
        CallError::Failed(error.to_string())
    }
}

impl From<SourceError> for CallError {
    fn from(error: SourceError) -> CallError {
        CallError::Failed(error.to_string())
    }
}

/// The tools of a source.
pub(super) struct Tools<'a> {
    pub(super) source: &'a Masked,
    pub(super) plan: Option<&'a Path>,
}

impl Tools<'_> {
    /// The descriptions.
    pub(super) fn list(&self) -> Vec<Value> {
        let describe = |(name, description, arguments): &Tool| {
            let property = |(name, kind, text): &(&str, &str, &str)| {
                ((*name).to_owned(), json!({"type": kind.trim_end_matches('!'), "description": text}))
            };
            let properties: Map<String, Value> = arguments.iter().map(property).collect();
            let needed = arguments.iter().filter(|(_, kind, _)| kind.ends_with('!'));
            let required: Vec<&str> = needed.map(|(name, ..)| *name).collect();
            json!({
                "name": name, "description": description, "annotations": {"readOnlyHint": true, "openWorldHint": false},
                "inputSchema": {"type": "object", "properties": properties, "required": required, "additionalProperties": false},
            })
        };
        TOOLS.iter().map(describe).collect()
    }

    /// Calls a tool. What must be known about the way the source is read is in every answer.
    pub(super) fn call(&self, name: &str, arguments: &Map<String, Value>) -> Result<Value, CallError> {
        let (name, _, known) = TOOLS.iter().find(|(tool, ..)| *tool == name).ok_or(CallError::Unknown)?;
        examine(arguments, known)?;
        let mut answer = self.answer(name, arguments)?;
        let notes = self.source.notes();
        if let Some(members) = answer.as_object_mut().filter(|_| !notes.is_empty()) {
            members.insert("notes".to_owned(), notes.into());
        }
        Ok(answer)
    }

    fn answer(&self, tool: &str, arguments: &Map<String, Value>) -> Result<Value, CallError> {
        let ask = Ask(self.source);
        let text = |name: &str| arguments.get(name).and_then(Value::as_str);
        match tool {
            "status" => Ok(ask.raw(&json!({"ask": "status", "check": true}))?),
            "list" => list(ask, arguments),
            "drops" => Ok(ask.raw(&json!({"ask": "drops"}))?),
            "timeline" => {
                let (session, moments) = timeline::story(ask, text("session"))?;
                let moments: Vec<Value> = moments.iter().map(|one| timeline::record(one, &session)).collect();
                Ok(json!({"session": session, "moments": moments}))
            }
            "check" => self.check(ask, arguments),
            // `show` and `why`.
            other => {
                let id = event_id(ask, text("event").unwrap_or_default())?;
                Ok(ask.raw(&json!({"ask": other, "id": id}))?)
            }
        }
    }

    fn check(&self, ask: Ask<'_>, arguments: &Map<String, Value>) -> Result<Value, CallError> {
        let plan = match (arguments.get("plan"), self.plan) {
            (Some(plan), _) => Plan::of(plan).map_err(|error| CallError::Arguments(error.to_string()))?,
            (None, Some(file)) => check::read(file)?,
            (None, None) => {
                return Err(CallError::Arguments("pass `plan`; rezq was started without --plan".to_owned()));
            }
        };
        let session = arguments.get("session").and_then(Value::as_str);
        let filter = session.iter().map(|session| ("session", (*session).to_owned())).collect();
        let query = Query { filter, since_mark: is_set(arguments, "since_mark"), ..Query::default() };
        let plan::Check { events, planned, unreadable, findings } = plan::check(ask, &query, &plan)?;
        Ok(json!({"events": events, "planned": planned, "unreadable": unreadable, "findings": findings}))
    }
}

fn list(ask: Ask<'_>, arguments: &Map<String, Value>) -> Result<Value, CallError> {
    let member = |name: &'static str| Some((name, arguments.get(name)?.as_str()?.to_owned()));
    let number = |name: &str| arguments.get(name).and_then(Value::as_u64);
    let page = ask.list(&Query {
        filter: ["kind", "state", "lane", "level", "text", "where", "session"].into_iter().filter_map(member).collect(),
        since_mark: is_set(arguments, "since_mark"),
        before: number("before"),
        json: true,
        limit: usize::try_from(number("limit").unwrap_or(EVENTS).clamp(1, EVENTS_MOST)).unwrap_or_default(),
        ..Query::default()
    })?;
    Ok(json!({"events": page.raw, "before": page.before, "unreadable": page.unreadable}))
}

fn is_set(arguments: &Map<String, Value>, name: &str) -> bool {
    arguments.get(name) == Some(&Value::Bool(true))
}

/// Each argument is known and has its type, and none is missing.
fn examine(arguments: &Map<String, Value>, known: &[(&'static str, &str, &str)]) -> Result<(), CallError> {
    for (name, value) in arguments {
        let Some((_, kind, _)) = known.iter().find(|(other, ..)| other == name) else {
            let names: Vec<&str> = known.iter().map(|(name, ..)| *name).collect();
            let near = nearest(name, &names).map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
            return Err(CallError::Arguments(format!("the argument `{}` is unknown{near}", shown(name))));
        };
        let is_right = match kind.trim_end_matches('!') {
            "string" => value.is_string(),
            "boolean" => value.is_boolean(),
            "integer" => value.is_u64(),
            _ => value.is_object(),
        };
        if !is_right {
            let kind = kind.trim_end_matches('!');
            return Err(CallError::Arguments(format!("the argument `{name}` is no {kind}")));
        }
    }
    let missing = known.iter().find(|(name, kind, _)| kind.ends_with('!') && !arguments.contains_key(*name));
    missing.map_or(Ok(()), |(name, ..)| Err(CallError::Arguments(format!("the argument `{name}` is missing"))))
}

/// A word of the client in a message, which may be anything.
pub(super) fn shown(word: &str) -> String {
    word.chars().take(40).collect()
}
