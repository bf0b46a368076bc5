//! A running app answers an inspector.

use super::doctor::doctor;
use crate::consent::Consent;
use crate::id::EventId;
use crate::inspect::answer::{Known, Story};
use crate::inspect::list::{self, Entry, Found, MARK_LOGGER};
use crate::inspect::request::{self, Query, Request, TELLS};
use crate::inspect::{self, Overview};
use crate::json::with;
use crate::kind::{Kind, Purpose};
use crate::level::Level;
use crate::limits::LIST_EVENTS;
use crate::monitor::control::{end_of, left};
use crate::monitor::{Monitor, Outcome, Status, WaitError};
use crate::store::{Store, count_damaged};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Rows that are examined at once. The writer does nothing else meanwhile: a millisecond, and up to 30 ms if all were delivered and six
/// routes have a hundred receipts of 400 events each (measured on a desktop).
const CHUNK: usize = 200;

/// Rounds of one request through the file. What is further back is the next page.
const CHUNKS: usize = 5;

/// Answers a request within `wait`.
pub(super) fn answer(monitor: &Monitor, request: &str, wait: Duration) -> String {
    let answer = || {
        monitor.check_inspects().map_err(|error| error.to_string())?;
        let request = request::read(request)?;
        reply(monitor, request, end_of(wait)).map_err(|error| error.to_string())
    };
    answer().unwrap_or_else(|error| json!({ "error": error })).to_string()
}

fn reply(monitor: &Monitor, request: Request, end: Instant) -> Result<Value, WaitError> {
    Ok(match request {
        Request::About => {
            monitor.0.read_store(left(end), |store| inspect::answer::about(store.view(), "app", &TELLS))?
        }
        Request::Version => {
            let commits = monitor.0.read_store(left(end), |store| Ok(store.commits()))?;
            json!({"version": commits})
        }
        Request::List(query) => page(monitor, query, end)?,
        Request::Show(id) => story(monitor, id, end)?.show(&known(monitor, end)?),
        Request::Why(id) => story(monitor, id, end)?.why(&known(monitor, end)?),
        Request::Status { check } => status(monitor, check, end),
        Request::Doctor => serde_json::to_value(doctor(monitor, end)).unwrap_or_default(),
        Request::Drops => monitor.0.read_store(left(end), |store| inspect::answer::drops(store.view()))?,
        Request::SendNow => {
            let flushed = monitor.flush(left(end))?;
            json!({"destinations": flushed.iter().map(|one| with(one, "text", one.text())).collect::<Vec<_>>()})
        }
        Request::Mark(text) => mark(monitor, &text, end)?,
        Request::Fault(fault) => {
            monitor.0.shared.config.faults.set(fault);
            json!({"fault": fault.as_str()})
        }
        Request::Requeue(ids) => {
            let requeued = monitor.0.change_store(left(end), move |store, now| store.requeue(&ids, now))?;
            if let Some(delivery) = monitor.0.shared.delivery.get() {
                delivery.store_back();
            }
            json!({"requeued": requeued})
        }
        Request::Drop(ids) => {
            let shared = Arc::clone(&monitor.0.shared);
            let delete = move |store: &mut Store, now| {
                let deleted = store.delete_events(&ids, &shared.wants(), now)?;
                // One that stays, or was delivered, stays in the memory too.
                shared.recent.remove(&deleted);
                Ok(deleted.len())
            };
            let dropped = monitor.0.change_store(left(end), delete)?;
            json!({"dropped": dropped})
        }
    })
}

fn story(monitor: &Monitor, id: EventId, end: Instant) -> Result<Story, WaitError> {
    let fate = monitor.0.read_store(left(end), move |store| store.view().fate(id))?;
    let recent = monitor.0.shared.recent.get(id);
    let kind = fate.row.as_ref().or(recent.as_ref()).map(|row| row.kind);
    let pending = kind.and_then(|kind| undecided(monitor, kind));
    Ok(Story { fate, recent, pending })
}

fn known(monitor: &Monitor, end: Instant) -> Result<Known, WaitError> {
    let known = monitor.0.read_store(left(end), |store| Known::of(store.view()))?;
    Ok(Known { waits: waits(&monitor.status()), ..known })
}

/// Says which decision of the user an event of this kind waits for.
fn undecided(monitor: &Monitor, kind: Kind) -> Option<String> {
    let consent = monitor.0.shared.ring.consent();
    let of = |purpose: Purpose| consent.get(purpose as usize).copied().and_then(Consent::of);
    let purposes = kind.purposes();
    if purposes.iter().any(|purpose| of(*purpose) == Some(Consent::Granted)) {
        return None;
    }
    let names: Vec<String> = purposes.iter().map(|purpose| format!("`{}`", purpose.as_str())).collect();
    Some(format!("waits for the user's consent: {} is not granted", names.join(" and ")))
}

/// Why each route waits.
fn waits(status: &Status) -> BTreeMap<String, String> {
    let held = status.routes.iter().filter_map(|route| Some((route.route.clone(), route.held.as_ref()?.text())));
    crate::sorted::collected(held)
}

fn status(monitor: &Monitor, check: bool, end: Instant) -> Value {
    let status = monitor.status();
    let mut value = serde_json::to_value(&status).unwrap_or_default();
    let rows = |before| monitor.0.read_store(left(end), move |store| store.view().rows_before(before, CHUNK));
    let unreadable = if check { count_damaged(rows).ok() } else { None };
    let cap = monitor.0.shared.config.cap_bytes;
    // Without the store, the rest still says why.
    let overview = monitor.0.read_store(left(end), |store| store.view().overview()).ok();
    let balance = overview.map(|overview| {
        add_counts(&mut value, &overview);
        inspect::answer::balance(&overview, &waits(&status), Some(cap), unreadable)
    });
    let fault = monitor.0.shared.config.faults.get();
    let native_crashes = crate::crash::CAN_CAPTURE && monitor.0.shared.config.native_crashes;
    json!({"lines": status.lines(), "live": true, "status": value, "fault": fault.as_str(), "native_crashes": native_crashes,
        "balance": balance})
}

/// Adds to each route of a status what it has delivered and lost.
fn add_counts(status: &mut Value, overview: &Overview) {
    for route in status.get_mut("routes").and_then(Value::as_array_mut).into_iter().flatten() {
        let counted = overview
            .balance
            .routes
            .iter()
            .find(|counted| route.get("route").is_some_and(|name| *name == counted.route));
        if let (Some(counted), Some(members)) = (counted, route.as_object_mut()) {
            members.insert("delivered".to_owned(), counted.delivered.into());
            members.insert("dead".to_owned(), counted.dead.into());
            members.insert("dropped".to_owned(), serde_json::to_value(&counted.dropped).unwrap_or_default());
        }
    }
}

fn mark(monitor: &Monitor, text: &str, end: Instant) -> Result<Value, WaitError> {
    let mark = crate::Log::new(Level::Info, text).logger(MARK_LOGGER);
    Ok(match monitor.0.record(&mark.into_event()) {
        // The hook of the app can drop it.
        Outcome::Recorded(id) => match monitor.why(id, left(end))?.row.or_else(|| monitor.0.shared.recent.get(id)) {
            Some(_) => json!({ "id": id }),
            None => json!({"error": "not recorded: `before_send` dropped it"}),
        },
        Outcome::Dropped(reason) => json!({"error": format!("not recorded: {}", reason.as_str())}),
    })
}

fn page(monitor: &Monitor, mut query: Query, end: Instant) -> Result<Value, WaitError> {
    query.limit = query.limit.min(LIST_EVENTS);
    let mut found = Found { before: query.before, ..Found::default() };
    for _ in 0..CHUNKS {
        let (shared, asked) = (Arc::clone(&monitor.0.shared), query.clone());
        let read = move |store: &Store| list::chunk(store.view(), &shared.recent, &asked, CHUNK);
        found.add(monitor.0.read_store(left(end), read)?, query.limit);
        query.before = found.before;
        if found.entries.len() >= query.limit || query.before.is_none() {
            break;
        }
    }
    let known = if query.show { known(monitor, end)? } else { Known::default() };
    let show = |entry: Entry| {
        let pending = undecided(monitor, entry.row.kind);
        known.show(entry, pending)
    };
    Ok(inspect::answer::page(found, &query, show))
}
