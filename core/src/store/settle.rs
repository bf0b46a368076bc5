//! Settling a batch: records the result of each row, in one transaction with the receipt.

use super::error::Result;
use super::ledger::LedgerChanges;
use super::memory::{InFlight, InFlightRow, signed};
use super::types::{InflightState, Now, Receipt, RowEnd};
use super::{Store, Tx};
use crate::id::EventId;
use crate::kind::Kind;
use rusqlite::{OptionalExtension, params};

/// Longest note kept from a server, in bytes.
const NOTE_BYTES: usize = 500;

/// The id of the batch in a receipt of no request: events that were deleted.
pub(super) const NO_BATCH: &str = "";

/// Outcome of a delivered row in a receipt.
pub(super) const DELIVERED: &str = "delivered";

/// Outcomes of a request that settled nothing. Its rows are not listed: they are still stored, and after a long outage
/// the lists of full batches would take more of the size cap than the events.
const NO_OUTCOMES: &str = "{}";

/// Outcome of a row that stays queued.
pub(super) const KEPT: &str = "kept";

impl Store {
    /// Ends the batch in flight with one result per row. A row in flight that `ends` does not name is kept. Results of
    /// rows that were deleted meanwhile (by a wipe) are ignored. `Err` changes nothing.
    pub(crate) fn settle(
        &mut self,
        route: &str,
        ends: &[(u64, RowEnd)],
        receipt: &Receipt,
        route_state: Option<&str>,
        now: Now,
    ) -> Result<()> {
        let Some(number) = self.memory.route(route).map(|route| route.number) else { return Ok(()) };
        self.write_noted(|tx| {
            let batch = tx.known_batch(number)?;
            let mut ledger = LedgerChanges::default();
            let mut outcomes: Vec<(&'static str, Vec<EventId>)> = Vec::new();
            let mut freed = Vec::new();
            let mut delivered = 0;
            if let Some(batch) = batch {
                // Unwanted rows between the rows of the batch are counted before any of them becomes an exception.
                tx.pass(number, &batch, &mut ledger)?;
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
                            ledger.lost(number, Some(row.kind), *reason, 1);
                            freed.extend(row.parked.then_some((row.seq, row.lane)));
                            reason.as_str()
                        }
                        RowEnd::Dead { reason, status, note } => {
                            tx.dead_letter(number, (row.seq, row.lane), *reason, *status, cut(note), now.wall_ms)?;
                            reason.as_str()
                        }
                        RowEnd::Later { until_wall_ms } => {
                            tx.park(number, row.seq, row.kind, now.wall_ms, *until_wall_ms)?;
                            KEPT
                        }
                        RowEnd::Keep => {
                            tx.park(number, row.seq, row.kind, now.wall_ms, None)?;
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
            ledger.delivered(number, delivered);
            ledger.write(tx, now)?;
            tx.receive(number, receipt, &pack(&outcomes))?;
            tx.save_state(number, route_state)?;
            tx.end(number, &freed)?;
            tx.sweep()?;
            Ok(())
        })
    }

    /// Keeps the batch in flight for another attempt with the same rows and the same id. Until then its rows may be
    /// evicted, unless [`Store::pin`] pins them.
    pub(crate) fn retry(&mut self, route: &str, receipt: &Receipt, route_state: Option<&str>) -> Result<()> {
        let Some(number) = self.memory.route(route).map(|route| route.number) else { return Ok(()) };
        self.write(false, |tx| {
            let Some(batch) = tx.known_batch(number)? else { return tx.save_state(number, route_state) };
            tx.receive(number, receipt, NO_OUTCOMES)?;
            tx.save_state(number, route_state)?;
            let attempt = batch.attempt.saturating_add(1);
            tx.put_in_flight(number, InFlight { attempt, state: InflightState::Prepared, pinned: false, ..batch })
        })
    }

    /// Takes the batch out of flight. Its rows are queued as before and are leased again under a new id.
    pub(crate) fn release(&mut self, route: &str, receipt: Option<&Receipt>, route_state: Option<&str>) -> Result<()> {
        let Some(number) = self.memory.route(route).map(|route| route.number) else { return Ok(()) };
        self.write(false, |tx| {
            if let Some(receipt) = receipt {
                tx.receive(number, receipt, NO_OUTCOMES)?;
            }
            tx.save_state(number, route_state)?;
            tx.out_of_flight(number)
        })
    }
}

impl Tx<'_> {
    /// The batch in flight with the ids and kinds of its rows. Deleted rows are left out.
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
                    rows.push(InFlightRow { id, kind: Kind::parse(&kind).unwrap_or(row.kind), parked, ..*row });
                }
            }
            batch.rows = rows;
            batch.known = true;
        }
        Ok(Some(batch))
    }

    /// Moves the cursor of each lane to the highest row of the batch and counts the rows between as unwanted.
    fn pass(&mut self, number: i64, batch: &InFlight, ledger: &mut LedgerChanges) -> Result<()> {
        let Some(cursors) = self.memory.route_mut(number).map(|route| route.cursors) else { return Ok(()) };
        for (lane, cursor) in cursors.into_iter().enumerate() {
            let fresh =
                || batch.rows.iter().filter(|row| usize::from(row.lane) == lane && !row.parked && row.seq > cursor);
            let Some(last) = fresh().map(|row| row.seq).max() else { continue };
            let between = self.behind(number, lane, cursor, last)?;
            ledger.unwanted(number, between.saturating_sub(fresh().count() as u64));
            self.move_cursor(number, lane, last)?;
        }
        Ok(())
    }

    pub(super) fn receive(&self, number: i64, receipt: &Receipt, outcomes: &str) -> Result<()> {
        self.db
            .prepare_cached(
                "INSERT INTO receipt (route, at_ms, status, batch_id, note, outcomes) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            )?
            .execute(params![number, receipt.at_ms, receipt.status, receipt.batch_id, cut(&receipt.note), outcomes])?;
        Ok(())
    }
}

/// `{"delivered":["32 hex digits", ..], ..}`.
pub(super) fn pack(outcomes: &[(&'static str, Vec<EventId>)]) -> String {
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

/// The first [`NOTE_BYTES`] of a text, cut at a character.
fn cut(note: &str) -> &str {
    note.get(..note.floor_char_boundary(NOTE_BYTES)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Bench, NOW, ROUTE, receipt};
    use super::super::{RowState, types::Lease};
    use super::*;
    use crate::kind::Kind;
    use crate::reason::Reason;

    fn fate(bench: &Bench, number: u64) -> RowState {
        let fate = bench.store.fate(Bench::id(number)).unwrap();
        fate.routes.into_iter().find(|fate| fate.route == ROUTE).unwrap().state
    }

    #[test]
    fn every_outcome_of_a_row_can_be_queried_afterwards() {
        let mut bench = Bench::new();
        bench.add(&[Kind::Error; 6]);
        assert_eq!(fate(&bench, 1), RowState::Queued);
        let lease = bench.lease(10).unwrap();
        assert!(matches!(fate(&bench, 1), RowState::InFlight { attempt: 0, sending: false, .. }));
        bench.store.sending(ROUTE).unwrap();
        assert!(matches!(fate(&bench, 1), RowState::InFlight { sending: true, .. }));
        let ends = [
            RowEnd::Delivered,
            RowEnd::Dropped(Reason::Rejected),
            RowEnd::Dead { reason: Reason::Poison, status: 400, note: "no".to_string() },
            RowEnd::Later { until_wall_ms: Some(NOW.wall_ms + 9) },
            RowEnd::Keep,
            RowEnd::Delivered,
        ];
        let ends: Vec<_> = lease.rows.iter().map(|row| row.seq).zip(ends).collect();
        bench.store.settle(ROUTE, &ends, &receipt(207), Some("{}"), NOW).unwrap();
        bench.check();
        assert_eq!(fate(&bench, 1), RowState::Delivered { at_ms: NOW.wall_ms, status: 207 });
        let dropped = RowState::Dropped { reason: "rejected".to_string(), at_ms: NOW.wall_ms, status: 207 };
        assert_eq!(fate(&bench, 2), dropped);
        assert_eq!(
            fate(&bench, 3),
            RowState::Dead { reason: Some(Reason::Poison), status: 400, note: "no".to_string() }
        );
        assert_eq!(fate(&bench, 4), RowState::Parked { until_ms: Some(NOW.wall_ms + 9) });
        assert_eq!(fate(&bench, 5), RowState::Parked { until_ms: None });
        assert_eq!(bench.seqs().len(), 3);
        assert!(bench.store.fate(Bench::id(99)).unwrap().routes.is_empty());
        let account = bench.account(ROUTE);
        assert_eq!((account.delivered, account.dead, account.queued), (2, 1, 2));
    }

    #[test]
    fn a_row_is_deleted_only_when_every_route_has_finished_with_it() {
        let mut bench = Bench::new();
        bench.store.declare("other", &["x"], super::super::From::Oldest, NOW).unwrap();
        let rows = bench.add(&[Kind::Error, Kind::Error]);
        let lease = bench.lease(10).unwrap();
        bench.settle(&lease, &RowEnd::Delivered);
        assert_eq!(bench.seqs(), rows);
        let other = bench.lease_on("other/x", 1, &mut |_| crate::destination::Want::Yes).unwrap();
        bench.store.settle("other/x", &[(other.rows[0].seq, RowEnd::Delivered)], &receipt(200), None, NOW).unwrap();
        assert_eq!(bench.seqs(), [rows[1]]);
    }

    #[test]
    fn a_row_delivered_ahead_of_the_cursor_is_not_leased_again() {
        let mut bench = Bench::new();
        let rows = bench.add(&[Kind::Error, Kind::Revenue, Kind::Error]);
        // Row 1 is leased, row 2 parked behind it, and the batch released: both are ahead of the cursor.
        assert_eq!(bench.lease_without(3, &[Kind::Revenue]).unwrap().rows.len(), 2);
        bench.store.release(ROUTE, None, None).unwrap();
        let lease = bench.lease(1).unwrap();
        assert_eq!(lease.rows[0].seq, rows[1]);
        bench.settle(&lease, &RowEnd::Delivered);
        assert!(matches!(fate(&bench, 2), RowState::Delivered { .. }));
        assert_eq!(bench.seqs(), rows, "named until the cursor has passed it");
        assert_eq!(bench.store.waiting(ROUTE).unwrap(), [0, 2, 0, 0]);
        // If it is evicted meanwhile, it is not counted a second time.
        let mut bench = bench.crash();
        let lease = bench.lease(10).unwrap();
        assert_eq!(lease.rows.iter().map(|row| row.seq).collect::<Vec<_>>(), [rows[0], rows[2]]);
        bench.store.release(ROUTE, None, None).unwrap();
        while bench.store.evict_some(1, &[3, 2, 1], Reason::EvictedBytes, &|_, _| true, &[], NOW).unwrap() > 0 {}
        bench.check();
        let account = bench.account(ROUTE);
        assert_eq!((account.delivered, account.dropped["evicted_bytes"]), (1, 2));
    }

    #[test]
    fn a_row_delivered_ahead_is_deleted_when_the_cursor_has_passed_it() {
        let mut bench = Bench::new();
        bench.add(&[Kind::Error, Kind::Revenue, Kind::Error]);
        bench.lease_without(3, &[Kind::Revenue]).unwrap();
        bench.store.release(ROUTE, None, None).unwrap();
        for _ in 0..2 {
            let lease = bench.lease(if bench.account(ROUTE).delivered == 0 { 1 } else { 9 }).unwrap();
            bench.settle(&lease, &RowEnd::Delivered);
        }
        assert_eq!(bench.account(ROUTE).delivered, 3);
        assert!(bench.seqs().is_empty());
        let named: i64 = bench.store.db.query_row("SELECT count(*) FROM exception", [], |row| row.get(0)).unwrap();
        assert_eq!(named, 0);
    }

    #[test]
    fn a_row_without_an_outcome_is_kept() {
        let mut bench = Bench::new();
        let rows = bench.add(&[Kind::Error, Kind::Error]);
        bench.lease(10).unwrap();
        bench.store.settle(ROUTE, &[(rows[1], RowEnd::Delivered)], &receipt(200), None, NOW).unwrap();
        bench.check();
        assert_eq!(bench.seqs(), [rows[0]]);
        assert_eq!(bench.lease(10).unwrap().rows[0].seq, rows[0]);
    }

    #[test]
    fn settling_without_a_batch_or_a_route_is_harmless() {
        let mut bench = Bench::new();
        bench.add(&[Kind::Error]);
        bench.store.settle(ROUTE, &[(1, RowEnd::Delivered)], &receipt(200), None, NOW).unwrap();
        bench.store.settle("nobody/x", &[], &receipt(200), None, NOW).unwrap();
        bench.store.retry("nobody/x", &receipt(200), None).unwrap();
        bench.store.release("nobody/x", None, None).unwrap();
        bench.check();
        assert_eq!(bench.account(ROUTE).queued, 1);
    }

    #[test]
    fn the_next_process_settles_a_batch_in_the_same_way() {
        let mut bench = Bench::new();
        bench.add(&[Kind::Error, Kind::Error]);
        let lease: Lease = bench.lease(10).unwrap();
        let mut bench = bench.crash();
        bench.settle(&lease, &RowEnd::Delivered);
        assert!(matches!(fate(&bench, 2), RowState::Delivered { .. }));
        assert_eq!(bench.account(ROUTE).delivered, 2);
    }

    #[test]
    fn a_long_note_is_cut_at_a_character() {
        assert_eq!(cut(&"ä".repeat(400)).len(), NOTE_BYTES);
        assert_eq!(cut(&format!("x{}", "ä".repeat(400))).len(), NOTE_BYTES - 1);
    }
}
