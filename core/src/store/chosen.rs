//! What a tester does with single events: sends dead letters again, deletes events.

use super::error::Result;
use super::evict::{RowToDelete, Wants, is_wanted};
use super::fate::state_of;
use super::memory::signed;
use super::routes::DEAD;
use super::schema::{ROW, Read, read_row};
use super::settle::{NO_BATCH, pack};
use super::types::{Now, Receipt};
use super::{RowState, Store, Tx};
use crate::id::EventId;
use crate::reason::Reason;
use crate::row::Row;
use rusqlite::params;

impl Store {
    /// Queues dead letters again for the routes that refused them. Returns how many of the events had one.
    pub(crate) fn requeue(&mut self, ids: &[EventId], now: Now) -> Result<usize> {
        self.write(false, |tx| {
            let mut requeued = 0;
            for row in tx.stored(ids)? {
                let mut select = tx.db.prepare_cached("SELECT route FROM exception WHERE seq = ?1 AND state = ?2")?;
                let routes = select.query_map(params![signed(row.seq), DEAD], |row| row.get(0))?;
                let routes: Vec<i64> = routes.collect::<std::result::Result<_, _>>()?;
                requeued += usize::from(!routes.is_empty());
                for route in routes {
                    tx.park(route, row.seq, row.kind, now.wall_ms, None)?;
                }
            }
            Ok(requeued)
        })
    }

    /// Deletes events and counts them as `cleared_by_user` for each route that wants them and has not settled them. An event whose request may have
    /// been sent stays. A receipt of each route says it. Returns those that were deleted.
    pub(crate) fn delete_events(&mut self, ids: &[EventId], wants: Wants<'_>, now: Now) -> Result<Vec<EventId>> {
        self.write_noted(|tx| {
            let mut rows = tx.stored(ids)?;
            rows.retain(|row| !tx.memory.is_pinned(row.seq));
            tx.receive_deletion(&rows, wants, now)?;
            let deleted = rows.iter().map(|row| row.id).collect();
            let rows: Vec<RowToDelete> = rows.into_iter().map(RowToDelete::of).collect();
            tx.take_away(&rows, Reason::ClearedByUser, Some(wants), now)?;
            Ok(deleted)
        })
    }
}

impl Tx<'_> {
    /// Tells what becomes of the rows on each route that wants them and has not settled them: the file has nothing else of them afterwards.
    fn receive_deletion(&self, rows: &[Row], wants: Wants<'_>, now: Now) -> Result<()> {
        for route in &self.memory.routes {
            let mut lost = Vec::new();
            for row in rows {
                let state = state_of(self.db, route, row.seq, row.kind.lane().number())?;
                // A parked row was wanted when it was sent.
                let is_lost = state.is_waiting()
                    && (matches!(state, RowState::Parked { .. }) || is_wanted(wants, &route.name, row));
                if is_lost {
                    lost.push(row.id);
                }
            }
            if !lost.is_empty() {
                let receipt =
                    Receipt { at_ms: now.wall_ms, status: 0, batch_id: NO_BATCH.to_owned(), note: String::new() };
                self.receive(route.number, &receipt, &pack(&[(Reason::ClearedByUser.as_str(), lost)]))?;
            }
        }
        Ok(())
    }

    /// The stored rows of these events. One with a wrong checksum is not among them.
    fn stored(&self, ids: &[EventId]) -> Result<Vec<Row>> {
        // One search for all: `id` has no index.
        let places = vec!["?"; ids.len()].join(", ");
        let mut select = self.db.prepare(&format!("SELECT {ROW} FROM event WHERE id IN ({places})"))?;
        let found = select.query_map(rusqlite::params_from_iter(ids.iter().map(EventId::to_string)), read_row)?;
        let mut rows = Vec::new();
        for row in found {
            if let Read::Good(row) = row? {
                rows.push(row);
            }
        }
        Ok(rows)
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Bench, NOW};
    use super::super::{From, RowEnd};
    use super::*;
    use crate::kind::Kind;

    fn dead() -> RowEnd {
        RowEnd::Dead { reason: Reason::Rejected, status: 400, note: "no".to_owned() }
    }

    #[test]
    fn a_dead_letter_that_is_queued_again_is_leased_and_delivered() {
        let mut bench = Bench::new();
        bench.add(&[Kind::Error, Kind::Error]);
        let lease = bench.lease(2).unwrap();
        bench.settle(&lease, &dead());
        let ids: Vec<EventId> = lease.rows.iter().map(|row| row.id).collect();
        assert!(bench.lease(2).is_none());
        assert_eq!(bench.store.requeue(&[ids[0], ids[0]], NOW).unwrap(), 1);
        assert_eq!(bench.store.requeue(&[ids[0]], NOW).unwrap(), 0, "it is no dead letter any more");
        let balance = bench.store.balance().unwrap();
        assert!(balance.holds(), "{balance:?}");
        assert_eq!((balance.routes[0].queued, balance.routes[0].dead), (1, 1));
        let lease = bench.lease(2).unwrap();
        assert_eq!(lease.rows.iter().map(|row| row.id).collect::<Vec<_>>(), [ids[0]]);
        bench.settle(&lease, &RowEnd::Delivered);
        let balance = bench.store.balance().unwrap();
        assert!(balance.holds(), "{balance:?}");
        assert_eq!((balance.routes[0].delivered, balance.routes[0].dead), (1, 1));
    }

    #[test]
    fn deleted_events_are_counted_and_those_in_a_request_that_may_have_been_sent_stay() {
        let mut bench = Bench::new();
        bench.add(&[Kind::Error, Kind::Error, Kind::Metric]);
        let lease = bench.lease(1).unwrap();
        let all: Vec<EventId> = (1..=3).map(Bench::id).collect();
        let unknown = Bench::id(77);
        bench.store.pin(super::super::testing::ROUTE, true);
        assert_eq!(bench.store.delete_events(&[all[0], all[1], all[2], unknown], &|_, _| true, NOW).unwrap(), all[1..]);
        let gone = bench.store.fate(all[1]).unwrap();
        let deleted = RowState::Dropped { reason: "cleared_by_user".to_owned(), at_ms: NOW.wall_ms, status: 0 };
        assert_eq!((gone.row, &gone.routes[0].state), (None, &deleted));
        assert_eq!(bench.store.fate(unknown).unwrap().routes, []);
        assert_eq!(bench.store.overview().unwrap().routes[0].last, None, "no request has ended");
        bench.settle(&lease, &dead());
        assert_eq!(bench.store.delete_events(&all, &|_, _| true, NOW).unwrap(), all[..1], "a dead letter");
        let balance = bench.store.balance().unwrap();
        assert!(balance.holds(), "{balance:?}");
        let dropped: Vec<_> = balance.routes[0].dropped.clone().into_iter().collect();
        assert_eq!(dropped, [("cleared_by_user".to_owned(), 2), ("rejected".to_owned(), 1)]);
        assert!(bench.store.is_empty().unwrap());
    }

    #[test]
    fn a_deleted_event_is_lost_only_on_a_route_that_wants_it() {
        let mut bench = Bench::new();
        bench.store.declare("other", &["rez.batch"], From::Oldest, NOW).unwrap();
        bench.add(&[Kind::Error]);
        let wants = |route: &str, _: &Row| route != "other/rez.batch";
        assert_eq!(bench.store.delete_events(&[Bench::id(1)], &wants, NOW).unwrap().len(), 1);
        let fate = bench.store.fate(Bench::id(1)).unwrap();
        assert_eq!(
            fate.routes.iter().map(|one| one.route.as_str()).collect::<Vec<_>>(),
            [super::super::testing::ROUTE]
        );
        let balance = bench.store.balance().unwrap();
        assert!(balance.holds(), "{balance:?}");
        let other = balance.routes.iter().find(|one| one.route == "other/rez.batch").unwrap();
        assert_eq!((other.unwanted, other.dropped.len()), (1, 0));
    }
}
