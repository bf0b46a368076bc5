//! Events as rows of the inspector.
//!
//! The JSON of a row has the fields of our kinds, as in a queue, and two members more: `received`, what the collector knows of the event
//! and what our protocol adds to it, and for other protocols `original`, the event as it was sent.

use super::arrival::{Arrival, REZ, Sender};
use super::file::{Db, Sql};
use rez_monitor::inspect::{RouteFate, RowState};
use rez_monitor::{EventId, Kind, Reason};
use rusqlite::Row as Columns;
use serde_json::{Map, Value, json};
use std::ops::ControlFlow;

/// Members that our protocol adds to the fields of an event.
const FRAME: [&str; 7] = ["id", "seq", "ts", "kind", "boot", "mono_ms", "resource"];

const SELECT: &str =
    "SELECT n, key, protocol, id, install, kind, time_ms, received_ms, mono_ms, client, batch_id, code, field, message,
    findings, fields, text, repeats + (SELECT coalesce(sum(batch.replayed), 0) FROM batch
      WHERE event.batch_id <> '' AND batch.batch_id = event.batch_id AND batch.project = event.project) FROM event";

/// The route of what a tracking plan says.
const PLAN: &str = "plan";

impl Db {
    /// Gives the events that arrived before this one, newest first, until `take` breaks. Only one is in memory, as an event can have
    /// megabytes.
    pub(super) fn rows_before(
        &self,
        before: Option<u64>,
        take: &mut dyn FnMut(rez_monitor::Row, Vec<RouteFate>) -> ControlFlow<()>,
    ) -> Sql<()> {
        let before = before.and_then(|before| i64::try_from(before).ok()).unwrap_or(i64::MAX);
        let mut statement = self.connection.prepare_cached(&format!("{SELECT} WHERE n < ?1 ORDER BY n DESC"))?;
        let mut rows = statement.query([before])?;
        while let Some(columns) = rows.next()? {
            let (row, routes) = row(columns)?;
            if take(row, routes).is_break() {
                break;
            }
        }
        Ok(())
    }

    /// The latest event with this id. One that was rejected, or that came by another protocol, is also found by its own.
    pub(super) fn row_of(&self, id: EventId) -> Sql<Option<(rez_monitor::Row, Vec<RouteFate>)>> {
        let by = |column: &str| format!("{SELECT} WHERE {column} ORDER BY n DESC LIMIT 1");
        let mut found = self.all(&by("key = ?1"), [id.to_string()], row)?;
        if found.is_empty() {
            found =
                self.all(&by("(id = ?1 AND id <> '') OR (id = ?2 AND id <> '')"), [id.to_string(), id.simple()], row)?;
        }
        Ok(found.into_iter().next())
    }
}

fn row(columns: &Columns<'_>) -> Sql<(rez_monitor::Row, Vec<RouteFate>)> {
    let text = |column: usize| columns.get::<_, String>(column);
    let number = |column: usize| columns.get::<_, i64>(column);
    let optional = |column: usize| columns.get::<_, Option<String>>(column);
    let (protocol, at_ms, code) = (text(2)?, number(7)?, optional(11)?);
    let findings: Vec<Value> =
        optional(14)?.and_then(|findings| serde_json::from_str(&findings).ok()).unwrap_or_default();
    let mut received = Map::new();
    received.insert("at_ms".to_owned(), at_ms.into());
    for (name, value) in [("protocol", &protocol), ("client", &text(9)?), ("install", &text(4)?)] {
        if !value.is_empty() {
            received.insert(name.to_owned(), value.as_str().into());
        }
    }
    for (name, value) in [("id", text(3)?), ("batch_id", text(10)?)] {
        if !value.is_empty() {
            received.insert(name.to_owned(), value.into());
        }
    }
    let repeats = number(17)?;
    if repeats > 0 {
        received.insert("repeats".to_owned(), repeats.into());
    }
    let mut routes = Vec::new();
    match &code {
        None => routes.push(RouteFate { route: protocol.clone(), state: RowState::Delivered { at_ms, status: 200 } }),
        Some(code) => {
            let (field, message) = (optional(12)?.unwrap_or_default(), optional(13)?.unwrap_or_default());
            let note = [code.as_str(), &field, &message].map(str::trim);
            let note = note.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ");
            received.insert("rejected".to_owned(), json!({"code": code, "field": field, "message": message}));
            routes.push(refused(protocol.clone(), note));
        }
    }
    if !findings.is_empty() {
        let told = findings.iter().filter_map(|finding| finding.get("text").and_then(Value::as_str));
        routes.push(refused(PLAN.to_owned(), told.collect::<Vec<_>>().join("; ")));
        received.insert("findings".to_owned(), findings.into());
    }
    let fields = optional(15)?.and_then(|fields| serde_json::from_str(&fields).ok());
    let row = rez_monitor::Row {
        seq: u64::try_from(number(0)?).unwrap_or(0),
        id: text(1)?.parse().unwrap_or(EventId::from_bytes([0; 16])),
        kind: Kind::parse(&text(5)?).unwrap_or(Kind::Message),
        run: 0,
        wall_ms: number(6)?,
        mono_ms: columns.get::<_, Option<i64>>(8)?.unwrap_or_default(),
        targets: Vec::new(),
        json: compose(fields, &text(16)?, received).to_string(),
    };
    Ok((row, routes))
}

fn refused(route: String, note: String) -> RouteFate {
    RouteFate { route, state: RowState::Dead { reason: Some(Reason::Rejected), status: 0, note } }
}

/// The JSON of a row, before the event is stored.
pub(crate) fn row_json(arrival: &Arrival, sender: &Sender) -> Value {
    let mut received = Map::new();
    received.insert("protocol".to_owned(), sender.protocol.into());
    received.insert("install".to_owned(), arrival.install.as_str().into());
    compose(arrival.fields.clone(), &arrival.text, received)
}

fn compose(fields: Option<Map<String, Value>>, text: &str, mut received: Map<String, Value>) -> Value {
    let sent: Value = serde_json::from_str(text).unwrap_or_else(|_| text.into());
    let is_ours = received.get("protocol").is_some_and(|protocol| protocol == REZ);
    let mut members = match (fields, sent) {
        (None, Value::Object(mut members)) if is_ours => {
            for name in FRAME {
                if let Some(value) = members.remove(name) {
                    received.insert(name.to_owned(), value);
                }
            }
            members
        }
        (fields, sent) => {
            let mut members = fields.unwrap_or_default();
            members.insert("original".to_owned(), sent);
            members
        }
    };
    members.insert("received".to_owned(), received.into());
    Value::Object(members)
}
