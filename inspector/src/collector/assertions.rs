//! Tests by HTTP: how many events arrived, which are as they should be, and what is wrong with the others.

use super::State;
use super::response::{Collector, ErrorResponse, json_text};
use crate::received::Db;
use crate::source::{Ask, Collected, SourceError};
use axum::Json;
use axum::body::to_bytes;
use axum::extract::{Query, Request, State as Shared};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// Members of a filter, as in the inspect protocol.
const FILTER: [&str; 9] = ["kind", "lane", "level", "session", "install", "text", "where", "since_ms", "since_mark"];

/// Events of an answer unless the request says otherwise, and the most.
const EVENTS: u64 = 1_000;
const MOST_EVENTS: u64 = 10_000;

const REQUEST_BYTES: usize = 64 * 1024;

impl State {
    fn stored(&self) -> Result<Collected, ErrorResponse> {
        Ok(Collected::open(&self.path)?)
    }
}

/// Counts, and what the plan says about all events together.
pub(super) async fn all(Shared(state): Collector) -> Result<Response, ErrorResponse> {
    let read = |state: &State, db: &Db| {
        let mut answer = serde_json::to_value(db.verdict()?).unwrap_or_default();
        let findings = match &state.rules {
            Some(rules) => rules.of_all(Ask(&state.stored()?)).map_err(failed)?,
            None => Vec::new(),
        };
        answer["findings"] = findings.into();
        Ok(Json(answer).into_response())
    };
    state.reading(read).await
}

/// The events that were accepted and are as the plan says, newest first.
pub(super) async fn good(
    Shared(state): Collector,
    Query(query): Query<BTreeMap<String, String>>,
    request: Request,
) -> Result<Response, ErrorResponse> {
    let asked = asked(query, request, "delivered").await?;
    state.reading(move |state, _| Ok(json_text(Value::from(list(&state.stored()?, &asked)?).to_string()))).await
}

/// The events that were rejected or are not as the plan says, newest first, each with why.
pub(super) async fn bad(
    Shared(state): Collector,
    Query(query): Query<BTreeMap<String, String>>,
    request: Request,
) -> Result<Response, ErrorResponse> {
    let asked = asked(query, request, "dead").await?;
    let read = move |state: &State, _: &Db| {
        let mut events = list(&state.stored()?, &asked)?;
        for event in &mut events {
            let why = why(event);
            event["why"] = why.into();
        }
        Ok(json_text(Value::from(events).to_string()))
    };
    state.reading(read).await
}

fn why(event: &Value) -> Vec<Value> {
    let by = |who: &str, what: &Value| {
        let mut members = what.as_object().cloned().unwrap_or_default();
        members.insert("by".to_owned(), who.into());
        Value::Object(members)
    };
    let rejected = event.pointer("/json/received/rejected").map(|rejected| by("server", rejected));
    let findings = event.pointer("/json/received/findings").and_then(Value::as_array).into_iter().flatten();
    rejected.into_iter().chain(findings.map(|finding| by("plan", finding))).collect()
}

/// Empties the file.
pub(super) async fn reset(Shared(state): Collector) -> Result<Response, ErrorResponse> {
    let mut db = state.db();
    db.reset()?;
    Ok(Json(db.verdict()?).into_response())
}

/// What a request wants to see.
struct Asked {
    filter: Map<String, Value>,
    limit: u64,
}

/// Reads a request.
async fn asked(query: BTreeMap<String, String>, request: Request, wanted: &str) -> Result<Asked, ErrorResponse> {
    let mut members: Map<String, Value> = query.into_iter().map(|(name, text)| typed(name, text)).collect();
    let Ok(body) = to_bytes(request.into_body(), REQUEST_BYTES).await else {
        return Err(ErrorResponse::new(413, "too_large", "the request is larger than 64 KiB or incomplete"));
    };
    if !body.is_empty() {
        let body: Value = serde_json::from_slice(&body)
            .map_err(|error| ErrorResponse::new(400, "filter", format!("the body is no JSON: {error}")))?;
        let Value::Object(body) = body else {
            return Err(ErrorResponse::new(400, "filter", "the body is no JSON object"));
        };
        members.extend(body);
    }
    let limit = match members.remove("limit") {
        None => EVENTS,
        Some(limit) => limit
            .as_u64()
            .filter(|limit| (1..=MOST_EVENTS).contains(limit))
            .ok_or_else(|| ErrorResponse::new(400, "limit", format!("`limit` is no number from 1 to {MOST_EVENTS}")))?,
    };
    if let Some(name) = members.keys().find(|name| !FILTER.contains(&name.as_str())) {
        let message = format!("`{name}` is no filter; use {} or limit", FILTER.join(", "));
        return Err(ErrorResponse::new(400, "filter", message));
    }
    members.insert("state".to_owned(), wanted.into());
    Ok(Asked { filter: members, limit })
}

fn list(source: &Collected, asked: &Asked) -> Result<Vec<Value>, ErrorResponse> {
    let (filter, limit) = (&asked.filter, asked.limit);
    let (mut events, mut before) = (Vec::new(), Value::Null);
    loop {
        let left = limit.saturating_sub(events.len() as u64);
        let request = json!({"ask": "list", "filter": filter, "before": before, "limit": left, "json": true});
        let mut page = Ask(source).raw(&request).map_err(failed)?;
        if let Some(Value::Array(more)) = page.get_mut("events").map(Value::take) {
            events.extend(more);
        }
        before = page.get("before").cloned().unwrap_or_default();
        if before.is_null() || events.len() as u64 >= limit {
            return Ok(events);
        }
    }
}

/// A member of a query, in which everything is a text.
fn typed(name: String, text: String) -> (String, Value) {
    let value = match name.as_str() {
        "limit" | "since_ms" => text.parse::<u64>().ok().map(Value::from),
        "since_mark" => text.parse::<bool>().ok().map(Value::from),
        _ => None,
    };
    (name, value.unwrap_or_else(|| text.into()))
}

fn failed(error: SourceError) -> ErrorResponse {
    match error {
        SourceError::Refused(why) => ErrorResponse::new(400, "filter", why),
        error => ErrorResponse::new(503, "store", error.to_string()),
    }
}
