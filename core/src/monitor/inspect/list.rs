//! One page of the list of events: rows of the file, and those that this process stored and the file no longer holds.

use super::MARK_LOGGER;
use super::request::{Query, State};
use crate::id::EventId;
use crate::inspect::{Recent, RouteFate, RowState};
use crate::kind::Kind;
use crate::row::Row;
use crate::sorted::sort_by_key;
use crate::store::{Result, Store};
use serde_json::Value;
use std::cmp::Reverse;

/// Rows that are examined at once. The writer does nothing else meanwhile: a millisecond, and up to 30 ms if all were delivered and six
/// routes have a hundred receipts of 400 events each (measured on a desktop).
const CHUNK: usize = 200;

/// An event of the list.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) row: Row,
    pub(super) routes: Vec<RouteFate>,
}

impl Entry {
    pub(super) fn state(&self) -> State {
        let any = |wanted: fn(&RowState) -> bool| self.routes.iter().any(|route| wanted(&route.state));
        if any(is_waiting) {
            State::Queued
        } else if any(|state| matches!(state, RowState::Dead { .. })) {
            State::Dead
        } else if any(|state| matches!(state, RowState::Dropped { .. })) {
            State::Dropped
        } else if any(|state| matches!(state, RowState::Delivered { .. })) {
            State::Delivered
        } else {
            State::Settled
        }
    }
}

/// Whether something still happens to the row on this route.
pub(super) fn is_waiting(state: &RowState) -> bool {
    matches!(state, RowState::Queued | RowState::Parked { .. } | RowState::InFlight { .. })
}

/// The next rows of a query, newest first, and where to go on: `None` at the end.
pub(super) fn chunk(store: &Store, recent: &Recent, query: &Query) -> Result<(Vec<Entry>, Option<u64>)> {
    let (stored, last) = store.rows_before(query.before, CHUNK)?;
    // All rows of the file down to this one are there.
    let reached = last.unwrap_or_default();
    let is_stored = |seq: u64| stored.binary_search_by(|row| seq.cmp(&row.seq)).is_ok();
    let is_in =
        |row: &Row| row.seq > reached && query.before.is_none_or(|before| row.seq < before) && !is_stored(row.seq);
    // One more than is examined shows that there are more.
    let gone = recent.select(CHUNK + 1, is_in);
    let mut rows: Vec<(Row, bool)> = gone.into_iter().map(|row| (row, false)).collect();
    rows.extend(stored.into_iter().map(|row| (row, true)));
    sort_by_key(&mut rows, |(row, _)| Reverse(row.seq));
    let is_cut = rows.len() > CHUNK;
    rows.truncate(CHUNK);
    let mut next = if is_cut { rows.last().map(|(row, _)| row.seq) } else { last };
    if query.since_mark
        && let Some(at) = rows.iter().position(|(row, _)| is_mark(row))
    {
        rows.truncate(at);
        next = None;
    }
    rows.retain(|(row, _)| {
        query.kind.is_none_or(|kind| row.kind == kind)
            && query.text.as_ref().is_none_or(|text| row.json.contains(text.as_str()))
    });
    let events: Vec<(EventId, Option<&Row>)> =
        rows.iter().map(|(row, is_stored)| (row.id, is_stored.then_some(row))).collect();
    let fates = store.fates(&events)?;
    let entries = rows.into_iter().zip(fates).map(|((row, _), routes)| Entry { row, routes });
    let wanted = |entry: &Entry| query.state.is_none_or(|state| entry.state() == state);
    Ok((entries.filter(wanted).collect(), next))
}

/// Whether the row is a mark. An attribute of the app can have the same name and value.
fn is_mark(row: &Row) -> bool {
    row.kind == Kind::Log
        && row.json.contains(MARK_LOGGER)
        && serde_json::from_str::<Value>(&row.json).is_ok_and(|json| json.get("logger") == Some(&MARK_LOGGER.into()))
}
