//! One page of the list of events: rows of the file, and those that this process stored and the file no longer holds.

use super::MARK_LOGGER;
use super::request::{Query, State};
use crate::id::EventId;
use crate::inspect::{Filter, Recent, RouteFate, RowState};
use crate::kind::Kind;
use crate::row::Row;
use crate::store::{Result, Store};

/// Rows that are examined at once. The writer does nothing else meanwhile: some 5 ms on a phone.
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
pub(super) fn chunk(store: &Store, recent: &Recent, query: &Query, after: u64) -> Result<(Vec<Entry>, Option<u64>)> {
    let filter = Filter {
        kind: query.kind,
        text: query.text.clone(),
        after,
        before: query.before,
        limit: CHUNK,
        ..Filter::default()
    };
    let stored = store.list(&filter)?;
    let next = stored.first().filter(|_| stored.len() == CHUNK).map(|oldest| oldest.row.seq);
    let is_in = |row: &Row| {
        row.seq > after.max(next.unwrap_or_default())
            && query.before.is_none_or(|before| row.seq < before)
            && query.kind.is_none_or(|kind| row.kind == kind)
            && query.text.as_ref().is_none_or(|text| row.json.contains(text.as_str()))
    };
    let mut rows: Vec<(Row, bool)> = stored.into_iter().map(|listed| (listed.row, true)).collect();
    for row in recent.select(is_in) {
        if !store.has(row.seq)? {
            rows.push((row, false));
        }
    }
    rows.sort_by_key(|(row, _)| std::cmp::Reverse(row.seq));
    let events: Vec<(EventId, Option<&Row>)> =
        rows.iter().map(|(row, is_stored)| (row.id, is_stored.then_some(row))).collect();
    let fates = store.fates(&events)?;
    let entries = rows.into_iter().zip(fates).map(|((row, _), routes)| Entry { row, routes });
    let wanted = |entry: &Entry| query.state.is_none_or(|state| entry.state() == state);
    Ok((entries.filter(wanted).collect(), next))
}

/// The number of the latest mark; 0 if there is none.
pub(super) fn latest_mark(store: &Store, recent: &Recent) -> Result<u64> {
    let text = format!(r#""logger":"{MARK_LOGGER}""#);
    let filter = Filter { kind: Some(Kind::Log), text: Some(text.clone()), limit: 1, ..Filter::default() };
    let stored = store.list(&filter)?.first().map(|listed| listed.row.seq);
    let recent = recent.select(|row| row.kind == Kind::Log && row.json.contains(&text));
    Ok(stored.max(recent.first().map(|row| row.seq)).unwrap_or_default())
}
