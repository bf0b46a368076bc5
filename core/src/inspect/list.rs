//! The list of events: rows of the file, and those that were stored lately and that the file no longer holds.

use super::filter::Fields;
use super::recent::Recent;
use super::request::Query;
use super::state::State;
use super::{RouteFate, RowState};
use crate::id::EventId;
use crate::kind::Kind;
use crate::row::Row;
use crate::sorted::sort_by_key;
use crate::store::{Result, RowsBefore, View};
use serde_json::Value;
use std::cmp::Reverse;

/// The logger of a mark: the log entry with which a tester names a moment.
pub const MARK_LOGGER: &str = "rez.mark";

/// An event of the list.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) row: Row,
    pub(crate) json: Value,
    pub(crate) routes: Vec<RouteFate>,
    /// The file has it. If not, it was stored lately.
    pub(crate) is_stored: bool,
}

impl Entry {
    pub(crate) fn new(row: Row, routes: Vec<RouteFate>, is_stored: bool) -> Entry {
        let json = serde_json::from_str(&row.json).unwrap_or_default();
        Entry { row, json, routes, is_stored }
    }

    pub(crate) fn state(&self) -> State {
        let any = |wanted: fn(&RowState) -> bool| self.routes.iter().any(|route| wanted(&route.state));
        if any(RowState::is_waiting) {
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

/// What a query found.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// Newest first.
    pub(crate) entries: Vec<Entry>,
    /// Where to go on; `None` at the end.
    pub(crate) before: Option<u64>,
    /// Rows with a wrong checksum among those that were examined.
    pub(crate) damaged: usize,
    /// The latest mark was reached.
    pub(crate) is_marked: bool,
}

impl Found {
    /// Adds what follows. At most `limit` entries stay.
    pub(crate) fn add(&mut self, more: Found, limit: usize) {
        self.entries.extend(more.entries);
        self.damaged += more.damaged;
        self.is_marked |= more.is_marked;
        self.before = more.before;
        if self.entries.len() > limit {
            self.entries.truncate(limit);
            self.before = self.entries.last().map(|entry| entry.row.seq);
        }
    }
}

/// Examines the next `most` rows of a query, newest first.
pub(crate) fn chunk(view: View<'_>, recent: &Recent, query: &Query, most: usize) -> Result<Found> {
    let RowsBefore { rows: stored, last, damaged } = view.rows_before(query.before, most)?;
    // All rows of the file down to this one are there.
    let reached = last.unwrap_or_default();
    let is_stored = |seq: u64| stored.binary_search_by(|row| seq.cmp(&row.seq)).is_ok();
    let is_in =
        |row: &Row| row.seq > reached && query.before.is_none_or(|before| row.seq < before) && !is_stored(row.seq);
    // One more than is examined shows that there are more.
    let gone = recent.select(most.saturating_add(1), is_in);
    let mut rows: Vec<(Row, bool)> = gone.into_iter().map(|row| (row, false)).collect();
    rows.extend(stored.into_iter().map(|row| (row, true)));
    sort_by_key(&mut rows, |(row, _)| Reverse(row.seq));
    let is_cut = rows.len() > most;
    rows.truncate(most);
    let mut next = if is_cut { rows.last().map(|(row, _)| row.seq) } else { last };
    if let Some(at) = query.after.and_then(|after| rows.iter().position(|(row, _)| row.seq <= after)) {
        rows.truncate(at);
        next = None;
    }
    let mut is_marked = false;
    if query.since_mark
        && let Some(at) = rows.iter().position(|(row, _)| is_mark(row))
    {
        rows.truncate(at);
        next = None;
        is_marked = true;
    }
    rows.retain(|(row, _)| is_candidate(row, query) && query.conditions.hold(&Fields { row, state: None }));
    let events: Vec<(EventId, Option<&Row>)> =
        rows.iter().map(|(row, is_stored)| (row.id, is_stored.then_some(row))).collect();
    let fates = view.fates(&events)?;
    let entries = rows.into_iter().zip(fates).map(|((row, is_stored), routes)| Entry::new(row, routes, is_stored));
    let wanted = |entry: &Entry| query.states.hold(&Fields { row: &entry.row, state: Some(entry.state()) });
    Ok(Found { entries: entries.filter(wanted).collect(), before: next, damaged, is_marked })
}

/// What can be said without reading the JSON.
pub(super) fn is_candidate(row: &Row, query: &Query) -> bool {
    query.since_ms.is_none_or(|since| row.wall_ms >= since)
        && query.text.as_ref().is_none_or(|text| row.json.contains(text.as_str()))
}

/// Whether the row is a mark. An attribute of the app can have the same name and value.
pub(super) fn is_mark(row: &Row) -> bool {
    row.kind == Kind::Log
        && row.json.contains(MARK_LOGGER)
        && serde_json::from_str::<Value>(&row.json).is_ok_and(|json| json.get("logger") == Some(&MARK_LOGGER.into()))
}
