//! What became of a batch: every row of it ends somewhere, in one transaction with the receipt.

use super::error::Result;
use super::ledger::Books;
use super::memory::{Brief, InFlight, signed};
use super::types::{InflightState, Now, Receipt, RowEnd};
use super::{Store, Tx};
use crate::id::EventId;
use crate::kind::Kind;
use rusqlite::{OptionalExtension, params};

/// Longest note kept from a server, in bytes.
const NOTE_BYTES: usize = 500;

/// Outcome of a delivered row in a receipt.
pub(super) const DELIVERED: &str = "delivered";

/// Outcome of a row that stays queued.
pub(super) const KEPT: &str = "kept";

impl Store {
    /// Ends the batch in flight: one end per row. Rows in flight that `ends` does not name are kept; ends of rows
    /// that went meanwhile (a wipe) are ignored. `Err` changes nothing.
    pub(crate) fn settle(
        &mut self,
        route: &str,
        ends: &[(u64, RowEnd)],
        receipt: &Receipt,
        route_state: Option<&str>,
        now: Now,
    ) -> Result<()> {
        let Some(number) = self.memory.route(route).map(|route| route.number) else { return Ok(()) };
        self.write(false, |tx| {
            let batch = tx.known_batch(number)?;
            let mut books = Books::default();
            let mut outcomes: Vec<(&'static str, Vec<EventId>)> = Vec::new();
            let mut freed = Vec::new();
            let mut delivered = 0;
            if let Some(batch) = batch {
                // What was unwanted between the rows is counted before any row of the batch becomes an exception.
                tx.pass(number, &batch, &mut books)?;
                let ordered = ends.len() == batch.rows.len();
                for (place, row) in batch.rows.iter().enumerate() {
                    let end = match ends.get(place) {
                        Some((seq, end)) if ordered && *seq == row.seq => Some(end),
                        _ => ends.iter().find(|(seq, _)| *seq == row.seq).map(|(_, end)| end),
                    };
                    let outcome = match end.unwrap_or(&RowEnd::Keep) {
                        RowEnd::Delivered => {
                            delivered += 1;
                            freed.extend(row.parked.then_some((row.seq, row.lane)));
                            DELIVERED
                        }
                        RowEnd::Dropped(reason) => {
                            books.lost(number, Some(row.kind), *reason, 1);
                            freed.extend(row.parked.then_some((row.seq, row.lane)));
                            reason.as_str()
                        }
                        RowEnd::Dead { reason, status, note } => {
                            tx.bury(number, (row.seq, row.lane), *reason, *status, cut(note), now.wall_ms)?;
                            reason.as_str()
                        }
                        RowEnd::Later { until_wall_ms } => {
                            tx.park(number, row.seq, row.lane, now.wall_ms, *until_wall_ms)?;
                            KEPT
                        }
                        RowEnd::Keep => {
                            tx.park(number, row.seq, row.lane, now.wall_ms, None)?;
                            KEPT
                        }
                    };
                    match outcomes.iter_mut().find(|known| known.0 == outcome) {
                        Some(known) => known.1.push(row.id),
                        None => outcomes.push((outcome, vec![row.id])),
                    }
                }
                tx.out_of_flight(number)?;
            }
            books.delivered(number, delivered);
            books.write(tx, now)?;
            tx.receive(number, receipt, &pack(&outcomes))?;
            tx.save_state(number, route_state)?;
            tx.unpark_all(number, &freed)?;
            tx.free(&freed)?;
            tx.sweep()?;
            Ok(())
        })
    }

    /// The batch stays in flight and is tried again: the same rows, the same id.
    pub(crate) fn retry(&mut self, route: &str, receipt: &Receipt, route_state: Option<&str>) -> Result<()> {
        let Some(number) = self.memory.route(route).map(|route| route.number) else { return Ok(()) };
        self.write(false, |tx| {
            let Some(batch) = tx.known_batch(number)? else { return tx.save_state(number, route_state) };
            let kept: Vec<EventId> = batch.rows.iter().map(|row| row.id).collect();
            tx.receive(number, receipt, &pack(&[(KEPT, kept)]))?;
            tx.save_state(number, route_state)?;
            let attempt = batch.attempt.saturating_add(1);
            tx.put_in_flight(number, InFlight { attempt, state: InflightState::Prepared, ..batch })
        })
    }

    /// Nothing is in flight any more; the rows are queued as they were and will be cut anew under a new id.
    pub(crate) fn release(&mut self, route: &str, receipt: Option<&Receipt>, route_state: Option<&str>) -> Result<()> {
        let Some(number) = self.memory.route(route).map(|route| route.number) else { return Ok(()) };
        self.write(false, |tx| {
            let batch = tx.known_batch(number)?;
            if let Some(receipt) = receipt {
                let kept: Vec<EventId> = batch.iter().flat_map(|batch| &batch.rows).map(|row| row.id).collect();
                tx.receive(number, receipt, &pack(&[(KEPT, kept)]))?;
            }
            tx.save_state(number, route_state)?;
            tx.out_of_flight(number)
        })
    }
}

impl Tx<'_> {
    /// The batch in flight with ids and kinds of its rows; rows that are gone are left out.
    fn known_batch(&mut self, number: i64) -> Result<Option<InFlight>> {
        let Some(batch) = self.memory.route_mut(number).and_then(|route| route.inflight.clone()) else {
            return Ok(None);
        };
        let mut batch = InFlight::clone(&batch);
        if !batch.known {
            let mut rows = Vec::with_capacity(batch.rows.len());
            for row in &batch.rows {
                let found: Option<(String, String, bool)> = self
                    .db
                    .prepare_cached(
                        "SELECT id, kind, EXISTS (SELECT 1 FROM exception x WHERE x.seq = event.seq AND x.route = ?2)
                         FROM event WHERE seq = ?1",
                    )?
                    .query_row(params![signed(row.seq), number], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
                    .optional()?;
                if let Some((id, kind, parked)) = found {
                    let id = id.parse().unwrap_or(row.id);
                    rows.push(Brief { id, kind: Kind::parse(&kind).unwrap_or(row.kind), parked, ..*row });
                }
            }
            batch.rows = rows;
            batch.known = true;
        }
        Ok(Some(batch))
    }

    /// Moves the cursor of each lane to the batch's highest row there, and counts what lay between as unwanted.
    fn pass(&mut self, number: i64, batch: &InFlight, books: &mut Books) -> Result<()> {
        let Some(cursors) = self.memory.route_mut(number).map(|route| route.cursors) else { return Ok(()) };
        for (lane, cursor) in cursors.into_iter().enumerate() {
            let fresh =
                || batch.rows.iter().filter(|row| usize::from(row.lane) == lane && !row.parked && row.seq > cursor);
            let Some(last) = fresh().map(|row| row.seq).max() else { continue };
            let between = self.behind(number, lane, cursor, last)?;
            books.unwanted(number, between.saturating_sub(fresh().count() as u64));
            self.move_cursor(number, lane, last)?;
        }
        Ok(())
    }

    fn receive(&self, number: i64, receipt: &Receipt, outcomes: &str) -> Result<()> {
        self.db
            .prepare_cached(
                "INSERT INTO receipt (route, at_ms, status, batch_id, note, outcomes) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            )?
            .execute(params![number, receipt.at_ms, receipt.status, receipt.batch_id, cut(&receipt.note), outcomes])?;
        Ok(())
    }
}

/// `{"delivered":["32 hex digits", ..], ..}`.
fn pack(outcomes: &[(&'static str, Vec<EventId>)]) -> String {
    let mut text = String::with_capacity(16 + outcomes.iter().map(|(_, ids)| ids.len() * 35 + 20).sum::<usize>());
    text.push('{');
    for (place, (outcome, ids)) in outcomes.iter().enumerate() {
        text.push_str(if place == 0 { "\"" } else { ",\"" });
        text.push_str(outcome);
        text.push_str("\":[");
        for (place, id) in ids.iter().enumerate() {
            text.push_str(if place == 0 { "\"" } else { ",\"" });
            for byte in id.as_bytes() {
                for digit in [byte >> 4, byte & 15] {
                    text.push(char::from_digit(u32::from(digit), 16).unwrap_or('0'));
                }
            }
            text.push('"');
        }
        text.push(']');
    }
    text.push('}');
    text
}

/// At most [`NOTE_BYTES`] of a text.
fn cut(note: &str) -> &str {
    note.get(..note.floor_char_boundary(NOTE_BYTES)).unwrap_or_default()
}
