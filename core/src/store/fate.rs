//! What became of one event: where its row is on each route, and what the latest receipts say of it.

use super::error::Result;
use super::memory::{InFlight, Memory, Route, signed};
use super::parked::{EXCEPTION, Exception};
use super::results::{Fate, RouteFate, RowState};
use super::routes::{DEAD, DONE};
use super::schema::{ROW, Read, read_row};
use super::settle::DELIVERED;
use super::types::InflightState;
use crate::id::EventId;
use crate::row::Row;
use rusqlite::{Connection, OptionalExtension, params};
use std::collections::BTreeMap;

/// Where a stored row is on one route; [`RowState::Passed`] when the route does not hold it.
pub(super) fn state_of(db: &Connection, route: &Route, seq: u64, lane: u8) -> Result<RowState> {
    let in_batch = |batch: &&std::sync::Arc<InFlight>| batch.rows.iter().any(|row| row.seq == seq);
    if let Some(batch) = route.inflight.as_ref().filter(in_batch) {
        return Ok(RowState::InFlight {
            batch_id: batch.batch_id.clone(),
            attempt: batch.attempt,
            sending: batch.state == InflightState::Sending,
        });
    }
    let mut select = db.prepare_cached(&format!("SELECT {EXCEPTION} FROM exception WHERE seq = ?1 AND route = ?2"))?;
    let mut rows = select.query(params![signed(seq), route.number])?;
    Ok(match rows.next()?.map(Exception::read).transpose()? {
        Some(Ok(letter)) if letter.state == DEAD => {
            RowState::Dead { reason: letter.reason, status: letter.status, note: letter.note }
        }
        Some(Ok(done)) if done.state == DONE => RowState::Passed,
        Some(Ok(parked)) => RowState::Parked { until_ms: parked.until_ms },
        Some(Err(_)) => RowState::Parked { until_ms: None },
        None if route.passed(lane, seq) => RowState::Passed,
        None => RowState::Queued,
    })
}

pub(super) fn fate(db: &Connection, memory: &Memory, id: EventId) -> Result<Fate> {
    let row = db.query_row(&format!("SELECT {ROW} FROM event WHERE id = ?1"), [id.to_string()], read_row).optional()?;
    let row = match row {
        Some(Read::Good(row)) => Some(row),
        _ => None,
    };
    let routes = fates(db, memory, &[(id, row.as_ref())])?.pop().unwrap_or_default();
    Ok(Fate { row, routes })
}

/// What happened to each of these events, per route. The row is that of an event that is stored.
pub(super) fn fates(
    db: &Connection,
    memory: &Memory,
    events: &[(EventId, Option<&Row>)],
) -> Result<Vec<Vec<RouteFate>>> {
    let mut all = vec![Vec::new(); events.len()];
    for route in &memory.routes {
        let mut states = Vec::with_capacity(events.len());
        for (_, row) in events {
            states.push(match row {
                Some(row) => Some(state_of(db, route, row.seq, row.kind.lane().number())?),
                None => None,
            });
        }
        let has_passed = |stored: &Option<RowState>| matches!(stored, None | Some(RowState::Passed));
        let passed = events.iter().zip(&states).filter(|(_, stored)| has_passed(stored)).map(|((id, _), _)| *id);
        let mut receipts = receipts_of(db, route, passed)?;
        for (((id, row), stored), fates) in events.iter().zip(states).zip(&mut all) {
            let paused = row.is_some_and(|row| row.is_paused_for(&route.destination));
            let state = match stored {
                Some(RowState::Passed | RowState::Queued) if paused => Some(RowState::Paused),
                Some(RowState::Passed) => Some(receipts.remove(id).unwrap_or(RowState::Passed)),
                None => receipts.remove(id),
                stored => stored,
            };
            fates.extend(state.map(|state| RouteFate { route: route.name.to_string(), state }));
        }
    }
    Ok(all)
}

/// The results of these events in the latest receipts that settle them.
fn receipts_of(
    db: &Connection,
    route: &Route,
    events: impl Iterator<Item = EventId>,
) -> Result<BTreeMap<EventId, RowState>> {
    let wanted: BTreeMap<String, EventId> = events.map(|id| (id.simple(), id)).collect();
    if wanted.is_empty() {
        return Ok(BTreeMap::new());
    }
    // For a single event, SQLite finds its receipts.
    let only = if wanted.len() == 1 { wanted.keys().next() } else { None };
    let mut select = db.prepare(
        "SELECT at_ms, status, outcomes FROM receipt WHERE route = ?1 AND (?2 IS NULL OR instr(outcomes, ?2) > 0)
         ORDER BY number DESC",
    )?;
    let mut rows = select.query(params![route.number, only])?;
    let mut states = BTreeMap::new();
    while let Some(row) = rows.next()? {
        let (at_ms, status, outcomes): (i64, u16, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
        let outcomes: BTreeMap<String, Vec<String>> = serde_json::from_str(&outcomes).unwrap_or_default();
        for (outcome, ids) in outcomes {
            let state = match outcome.as_str() {
                super::settle::KEPT => continue,
                DELIVERED => RowState::Delivered { at_ms, status },
                _ => RowState::Dropped { reason: outcome, at_ms, status },
            };
            for id in ids.iter().filter_map(|id| wanted.get(id)) {
                states.entry(*id).or_insert_with(|| state.clone());
            }
        }
    }
    Ok(states)
}
