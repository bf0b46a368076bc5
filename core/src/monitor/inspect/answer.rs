//! The answers of a debug screen, as JSON. `docs/guide/inspect.md` describes them.

use super::MARK_LOGGER;
use super::list::{self, Entry};
use super::request::{self, Query, Request};
use crate::id::EventId;
use crate::inspect::{Balance, title};
use crate::level::Level;
use crate::monitor::control::{end_of, left};
use crate::monitor::{Monitor, Outcome, WaitError};
use crate::row::Run;
use crate::sentences::with;
use serde_json::{Map, Value, json};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Rounds of one request through the file. What is further back is the next page.
const CHUNKS: usize = 5;

/// Answers a request within `wait`.
pub(super) fn answer(monitor: &Monitor, request: &str, wait: Duration) -> String {
    let answer = || {
        if !monitor.0.shared.config.inspects() {
            return Err("inspection is off; set `inspector` to true when the engine is opened".to_owned());
        }
        let request = request::read(request)?;
        reply(monitor, request, end_of(wait)).map_err(|error| error.to_string())
    };
    answer().unwrap_or_else(|error| json!({ "error": error })).to_string()
}

fn reply(monitor: &Monitor, request: Request, end: Instant) -> Result<Value, WaitError> {
    Ok(match request {
        Request::List(query) => page(monitor, query, end)?,
        Request::Show(id) => show(monitor, id, end)?,
        Request::Why(id) => {
            let fate = monitor.why(id, left(end))?;
            let is_waiting = fate.routes.iter().any(|route| list::is_waiting(&route.state));
            // Stored once, and neither in the file nor in a receipt any more: evicted, too old, or settled long ago.
            let is_gone = fate.row.is_none() && monitor.0.shared.recent.get(id).is_some();
            let is_final = !is_waiting && (!fate.routes.is_empty() || is_gone);
            json!({"why": fate.text(), "final": is_final})
        }
        Request::Status => {
            let status = monitor.status();
            let mut value = serde_json::to_value(&status).unwrap_or_default();
            // Without the store, the rest still says why.
            if let Ok(balance) = monitor.0.read_store(left(end), |store| store.balance()) {
                add_counts(&mut value, &balance);
            }
            let fault = monitor.0.shared.config.faults.get();
            json!({"lines": status.lines(), "status": value, "fault": fault.as_str()})
        }
        Request::SendNow => {
            let flushed = monitor.flush(left(end))?;
            json!({"destinations": flushed.iter().map(|one| with(one, "text", one.text())).collect::<Vec<_>>()})
        }
        Request::Mark(text) => {
            let mark = crate::Log::new(Level::Info, &text).logger(MARK_LOGGER);
            match monitor.0.record(&mark.into_event()) {
                // The hook of the app can drop it.
                Outcome::Recorded(id) => {
                    match monitor.why(id, left(end))?.row.or_else(|| monitor.0.shared.recent.get(id)) {
                        Some(_) => json!({ "id": id }),
                        None => json!({"error": "not recorded: `before_send` dropped it"}),
                    }
                }
                Outcome::Dropped(reason) => json!({"error": format!("not recorded: {}", reason.as_str())}),
            }
        }
        Request::Fault(fault) => {
            monitor.0.shared.config.faults.set(fault);
            json!({"fault": fault.as_str()})
        }
    })
}

/// Adds to each route of a status what it has delivered and lost.
fn add_counts(status: &mut Value, balance: &Balance) {
    for route in status.get_mut("routes").and_then(Value::as_array_mut).into_iter().flatten() {
        let counted =
            balance.routes.iter().find(|counted| route.get("route").is_some_and(|name| *name == counted.route));
        if let (Some(counted), Some(members)) = (counted, route.as_object_mut()) {
            members.insert("delivered".to_owned(), counted.delivered.into());
            members.insert("dead".to_owned(), counted.dead.into());
            members.insert("dropped".to_owned(), serde_json::to_value(&counted.dropped).unwrap_or_default());
        }
    }
}

fn page(monitor: &Monitor, mut query: Query, end: Instant) -> Result<Value, WaitError> {
    let mut entries: Vec<Entry> = Vec::new();
    let mut before = query.before;
    for _ in 0..CHUNKS {
        let (shared, asked) = (Arc::clone(&monitor.0.shared), query.clone());
        let (more, next) = monitor.0.read_store(left(end), move |store| list::chunk(store, &shared.recent, &asked))?;
        entries.extend(more);
        before = next;
        query.before = next;
        if entries.len() > query.limit {
            entries.truncate(query.limit);
            before = entries.last().map(|entry| entry.row.seq);
        }
        if entries.len() >= query.limit || next.is_none() {
            break;
        }
    }
    let entries: Vec<Value> = entries.iter().map(|entry| described(entry, &payload(entry))).collect();
    Ok(json!({"events": entries, "before": before}))
}

fn show(monitor: &Monitor, id: EventId, end: Instant) -> Result<Value, WaitError> {
    let fate = monitor.why(id, left(end))?;
    let why = fate.text();
    let Some(row) = fate.row.or_else(|| monitor.0.shared.recent.get(id)) else {
        return Ok(json!({"error": why}));
    };
    let runs = monitor.0.read_store(left(end), |store| store.runs())?;
    let run: Option<Run> = runs.into_iter().find(|run| run.number == row.run);
    let (wall_ms, mono_ms) = (row.wall_ms, row.mono_ms);
    let entry = Entry { row, routes: fate.routes };
    let payload = payload(&entry);
    let event = described(&entry, &payload);
    Ok(json!({"event": event, "json": payload, "wall_ms": wall_ms, "mono_ms": mono_ms, "why": why, "run": run}))
}

fn payload(entry: &Entry) -> Value {
    serde_json::from_str(&entry.row.json).unwrap_or_default()
}

/// An event of a list.
fn described(entry: &Entry, payload: &Value) -> Value {
    let Entry { row, routes } = entry;
    let routes: Vec<Value> = routes.iter().map(|route| with(route, "text", route.state.text())).collect();
    let mut event = Map::new();
    event.insert("seq".to_owned(), row.seq.into());
    event.insert("id".to_owned(), row.id.to_string().into());
    event.insert("kind".to_owned(), row.kind.as_str().into());
    event.insert("name".to_owned(), title(payload).into());
    if let Some(level) = payload.get("level") {
        event.insert("level".to_owned(), level.clone());
    }
    event.insert("wall_ms".to_owned(), row.wall_ms.into());
    event.insert("bytes".to_owned(), row.json.len().into());
    event.insert("state".to_owned(), entry.state().as_str().into());
    event.insert("routes".to_owned(), routes.into());
    Value::Object(event)
}
