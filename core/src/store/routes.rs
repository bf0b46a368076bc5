//! Routes: declaring and retiring destinations, and the placeholders that keep rows for destinations not declared yet.

use super::error::Result;
use super::ledger::LedgerChanges;
use super::memory::{PASSED, PLACEHOLDER, Route, signed, unsigned};
use super::types::{From, Now};
use super::{Store, Tx};
use crate::kind::Kind;
use crate::reason::Reason;
use crate::sorted::collected;
use rusqlite::{OptionalExtension, params};

/// `exception.state` of a parked row.
pub(super) const RETRY: i64 = 1;

/// `exception.state` of a dead letter.
pub(super) const DEAD: i64 = 2;

/// `exception.state` of a row that the route has finished with before its cursor reached it.
pub(super) const DONE: i64 = 3;

impl Store {
    /// Declares the routes of a destination. Declaring them again changes nothing. A dormant destination continues
    /// where it stopped. Routes of it that are no longer named become dormant.
    pub(crate) fn declare(&mut self, destination: &str, routes: &[&str], from: From, now: Now) -> Result<()> {
        let name = |route: &str| format!("{destination}/{route}");
        let settled = routes
            .iter()
            .all(|route| self.memory.route(&name(route)).is_some_and(|route| route.dormant_since_ms.is_none()))
            && self.memory.routes.iter().filter(|route| &*route.destination == destination).count() == routes.len();
        if settled {
            return Ok(());
        }
        self.write(true, |tx| {
            let placeholders: Vec<Route> = tx
                .memory
                .routes
                .iter()
                .filter(|route| {
                    route.is_placeholder() && (&*route.destination == destination || &*route.name == PLACEHOLDER)
                })
                .cloned()
                .collect();
            let before = tx.routes_of(destination);
            for old in tx.memory.routes.clone() {
                let named = routes.iter().any(|route| name(route) == *old.name);
                if &*old.destination == destination && !old.is_placeholder() && !named && old.dormant_since_ms.is_none()
                {
                    tx.sleep(old.number, Some(now.wall_ms))?;
                }
            }
            for route in routes {
                match tx.memory.route(&name(route)).map(|known| (known.number, known.dormant_since_ms)) {
                    Some((_, None)) => {}
                    Some((number, Some(_))) => tx.sleep(number, None)?,
                    None => {
                        let start = match from {
                            From::Oldest => 0,
                            From::Now => tx.memory.next_seq().saturating_sub(1),
                        };
                        tx.add_route(&name(route), destination, [start; 4], None)?;
                    }
                }
            }
            // The placeholder for all destinations has counted every loss.
            let elder =
                placeholders.iter().find(|placeholder| &*placeholder.name == PLACEHOLDER).or(placeholders.first());
            if let Some(elder) = elder.filter(|_| from == From::Oldest) {
                for route in tx.routes_of(destination).into_iter().filter(|number| !before.contains(number)) {
                    tx.inherit(elder.number, route)?;
                }
            }
            for placeholder in placeholders {
                // The new routes hold its rows now, or `From::Now` gave them up.
                let reason = (from == From::Now).then_some(Reason::DestinationRemoved);
                tx.remove_route(&placeholder, reason, now)?;
            }
            Ok(())
        })?;
        self.note_settled();
        Ok(())
    }

    /// Makes the routes of a destination dormant. Their rows are kept for [`crate::limits::DORMANT_AGE`].
    pub(crate) fn retire(&mut self, destination: &str, now: Now) -> Result<()> {
        let awake = |route: &&Route| {
            &*route.destination == destination && !route.is_placeholder() && route.dormant_since_ms.is_none()
        };
        let numbers: Vec<i64> = self.memory.routes.iter().filter(awake).map(|route| route.number).collect();
        if numbers.is_empty() {
            return Ok(());
        }
        self.write(true, |tx| numbers.iter().try_for_each(|number| tx.sleep(*number, Some(now.wall_ms))))
    }

    /// Makes all destinations but these dormant, at the start of a run that declares only these.
    pub(crate) fn retire_all_but(&mut self, declared: &[&str], now: Now) -> Result<()> {
        let gone = |route: &&Route| !route.is_placeholder() && !declared.contains(&&*route.destination);
        let gone: std::collections::BTreeSet<String> =
            collected(self.memory.routes.iter().filter(gone).map(|route| route.destination.to_string()));
        gone.iter().try_for_each(|destination| self.retire(destination, now))
    }

    /// Names of the routes of declared destinations.
    #[cfg(test)]
    pub(crate) fn declared(&self) -> Vec<String> {
        let awake =
            self.memory.routes.iter().filter(|route| !route.is_placeholder() && route.dormant_since_ms.is_none());
        awake.map(|route| route.name.to_string()).collect()
    }

    /// What the delivery thread stores for a route. The store does not interpret it.
    pub(crate) fn route_state(&self, route: &str) -> Result<Option<String>> {
        let state: Option<Option<String>> = self
            .db
            .prepare_cached("SELECT state FROM route WHERE name = ?1")?
            .query_row([route], |row| row.get(0))
            .optional()?;
        Ok(state.flatten())
    }

    /// Replaces what the delivery thread stores for a route.
    pub(crate) fn save_route_state(&mut self, route: &str, json: &str) -> Result<()> {
        let Some(number) = self.memory.route(route).map(|route| route.number) else { return Ok(()) };
        self.write(false, |tx| tx.save_state(number, Some(json)))
    }
}

impl Tx<'_> {
    /// Adds a route with these cursors. Returns its number, which no earlier route had.
    pub(super) fn add_route(
        &mut self,
        name: &str,
        destination: &str,
        cursors: [u64; 4],
        dormant_since_ms: Option<i64>,
    ) -> Result<i64> {
        let number: i64 = self.db.query_row(
            "SELECT 1 + max((SELECT coalesce(max(number), 0) FROM route), (SELECT coalesce(max(route), 0) FROM ledger),
                            (SELECT coalesce(max(route), 0) FROM receipt))",
            [],
            |row| row.get(0),
        )?;
        self.db.execute(
            "INSERT INTO route (number, name, destination, dormant_since_ms, state) VALUES (?1, ?2, ?3, ?4, NULL)",
            params![number, name, destination, dormant_since_ms],
        )?;
        let route = Route {
            number,
            name: name.into(),
            destination: destination.into(),
            dormant_since_ms,
            cursors,
            inflight: None,
            parked: None,
            again: false,
        };
        for (lane, seq) in cursors.into_iter().enumerate() {
            self.db.execute(
                "INSERT INTO cursor (route, lane, seq) VALUES (?1, ?2, ?3)",
                params![number, lane as i64, signed(seq)],
            )?;
        }
        let ambiguous = self.already_settled(&route)?;
        let base = self.held(&route)?.saturating_add(ambiguous);
        self.start_flow(&route, base, self.memory.next_seq())?;
        self.memory.routes.push(route);
        (0..4).try_for_each(|lane| self.pass_done(number, lane))?;
        // Rows that only exceptions held may lie ahead of a cursor again.
        for (swept, cursor) in self.memory.swept.iter_mut().zip(cursors) {
            *swept = cursor.min(*swept);
        }
        Ok(number)
    }

    /// Marks rows from a damaged file that this route had settled there as finished. Counts those that may have arrived
    /// as `ambiguous` and returns their number.
    fn already_settled(&mut self, route: &Route) -> Result<u64> {
        let db = self.db;
        let mut select = db.prepare_cached(
            "SELECT seq, event.lane, event.kind, ambiguous FROM settled JOIN event USING (seq) WHERE hash = ?1 ORDER BY seq",
        )?;
        // Day 0, as for entries that were summed up.
        let mut count = db.prepare_cached(
            "INSERT INTO ledger (epoch, day, route, kind, reason, n) VALUES (?1, 0, ?2, ?3, ?4, 1)
             ON CONFLICT DO UPDATE SET n = n + 1",
        )?;
        let mut rows = select.query([super::route_hash(&route.name) as i64])?;
        let mut ambiguous = 0;
        while let Some(row) = rows.next()? {
            let (seq, lane) = (unsigned(row.get(0)?), row.get::<_, i64>(1)?.clamp(0, 3) as u8);
            if route.passed(lane, seq) {
                continue;
            }
            self.mark_done(route.number, seq, lane)?;
            if row.get(3)? {
                let kind: String = row.get(2)?;
                count.execute(params![signed(self.memory.epoch), route.number, kind, Reason::Ambiguous.as_str()])?;
                ambiguous += 1;
            }
        }
        Ok(ambiguous)
    }

    /// Starts the counts of a route in the current epoch.
    pub(super) fn start_flow(&self, route: &Route, base: u64, first_seq: u64) -> Result<()> {
        let first = (!route.is_target_placeholder()).then_some(signed(first_seq));
        self.db.execute(
            "INSERT OR REPLACE INTO flow (route, epoch, base, first_seq, delivered, unwanted) VALUES (?1, ?2, ?3, ?4, 0, 0)",
            params![route.number, signed(self.memory.epoch), signed(base), first],
        )?;
        Ok(())
    }

    fn routes_of(&self, destination: &str) -> Vec<i64> {
        let of = |route: &&Route| &*route.destination == destination && !route.is_placeholder();
        self.memory.routes.iter().filter(of).map(|route| route.number).collect()
    }

    /// Copies the losses of a placeholder to the route for which it held rows.
    fn inherit(&mut self, placeholder: i64, route: i64) -> Result<()> {
        let epoch = signed(self.memory.epoch);
        self.db.execute(
            "INSERT INTO ledger (epoch, day, route, kind, reason, n)
             SELECT epoch, day, ?2, kind, reason, n FROM ledger WHERE route = ?1 AND epoch = ?3
             ON CONFLICT DO UPDATE SET n = n + excluded.n",
            params![placeholder, route, epoch],
        )?;
        self.db.execute(
            "UPDATE flow SET base = base + (SELECT coalesce(sum(n), 0) FROM ledger WHERE route = ?1 AND epoch = ?3)
             WHERE route = ?2 AND epoch = ?3",
            params![placeholder, route, epoch],
        )?;
        Ok(())
    }

    fn sleep(&mut self, number: i64, since_ms: Option<i64>) -> Result<()> {
        self.db.execute("UPDATE route SET dormant_since_ms = ?2 WHERE number = ?1", params![number, since_ms])?;
        if let Some(route) = self.memory.route_mut(number) {
            route.dormant_since_ms = since_ms;
        }
        if since_ms.is_some() {
            // Its batch is never sent again.
            self.memory.pin(number, false);
        }
        Ok(())
    }

    /// Restarts the time of a dormant route, because the clock was wrong.
    pub(super) fn sleep_from(&mut self, number: i64, since_ms: i64) -> Result<()> {
        self.sleep(number, Some(since_ms))
    }

    pub(super) fn save_state(&self, number: i64, json: Option<&str>) -> Result<()> {
        if let Some(json) = json {
            self.db.prepare_cached("UPDATE route SET state = ?2 WHERE number = ?1")?.execute(params![number, json])?;
        }
        Ok(())
    }

    /// How many rows this route still holds: ahead of its cursors, parked, dead.
    pub(super) fn held(&self, route: &Route) -> Result<u64> {
        let named: i64 = self.db.query_row(
            "SELECT count(*) FROM exception WHERE route = ?1 AND state IN (1, 2)",
            [route.number],
            |row| row.get(0),
        )?;
        let mut held = unsigned(named);
        for (lane, cursor) in route.cursors.into_iter().enumerate() {
            held += self.behind(route.number, lane, cursor, PASSED)?;
        }
        Ok(held)
    }

    /// Rows of a lane with `after < seq <= up_to` that no exception of this route names.
    pub(super) fn behind(&self, route: i64, lane: usize, after: u64, up_to: u64) -> Result<u64> {
        let count: i64 = self
            .db
            .prepare_cached(
                "SELECT (SELECT count(*) FROM event WHERE lane = ?2 AND seq > ?3 AND seq <= ?4)
                      - (SELECT count(*) FROM exception WHERE route = ?1 AND lane = ?2 AND state IN (1, 2, 3)
                           AND seq > ?3 AND seq <= ?4)",
            )?
            .query_row(params![route, lane as i64, signed(after), signed(up_to)], |row| row.get(0))?;
        Ok(unsigned(count))
    }

    /// Removes a route. With a reason, the rows it still held are counted as lost under it, dead letters under their
    /// own.
    pub(super) fn remove_route(&mut self, route: &Route, reason: Option<Reason>, now: Now) -> Result<()> {
        if let Some(reason) = reason {
            let mut ledger = LedgerChanges::default();
            self.count_as_lost(route, None, reason, &mut ledger)?;
            ledger.write(self, now)?;
        }
        for table in ["cursor", "exception", "inflight", "flow", "receipt"] {
            self.db.execute(&format!("DELETE FROM {table} WHERE route = ?1"), [route.number])?;
        }
        self.db.execute("DELETE FROM route WHERE number = ?1", [route.number])?;
        self.memory.routes.retain(|other| other.number != route.number);
        self.memory.swept = [0; 4];
        Ok(())
    }

    /// Counts all rows that the route still holds as lost: of all kinds, or of those in `only`.
    pub(super) fn count_as_lost(
        &self,
        route: &Route,
        only: Option<&[&str]>,
        reason: Reason,
        ledger: &mut LedgerChanges,
    ) -> Result<()> {
        let mut count = |kind: &str, reason: Reason, n: i64| {
            if only.is_none_or(|only| only.contains(&kind)) {
                ledger.lost(route.number, Kind::parse(kind), reason, unsigned(n));
            }
        };
        for (lane, cursor) in route.cursors.into_iter().enumerate() {
            let mut select = self.db.prepare_cached(
                "SELECT kind, count(*) FROM event WHERE lane = ?2 AND seq > ?3
                   AND NOT EXISTS (SELECT 1 FROM exception x WHERE x.seq = event.seq AND x.route = ?1) GROUP BY kind",
            )?;
            let mut rows = select.query(params![route.number, lane as i64, signed(cursor)])?;
            while let Some(row) = rows.next()? {
                count(&row.get::<_, String>(0)?, reason, row.get(1)?);
            }
        }
        let mut select = self.db.prepare_cached(
            "SELECT event.kind, x.state, x.reason, count(*) FROM exception x JOIN event USING (seq)
             WHERE x.route = ?1 AND x.state IN (1, 2)
             GROUP BY 1, 2, 3",
        )?;
        let mut rows = select.query([route.number])?;
        while let Some(row) = rows.next()? {
            let own = match row.get::<_, i64>(1)? {
                DEAD => row.get::<_, Option<String>>(2)?.and_then(|own| Reason::parse(&own)),
                _ => None,
            };
            count(&row.get::<_, String>(0)?, own.unwrap_or(reason), row.get(3)?);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::RowEnd;
    use super::super::testing::{Bench, NOW, ROUTE, receipt, seqs};
    use super::*;
    use crate::limits;

    const LATER: Now = Now { wall_ms: NOW.wall_ms + 8 * 24 * 3_600_000, ..NOW };

    #[test]
    fn rows_wait_for_the_first_destination_however_late_it_is_declared() {
        let mut bench = Bench::fresh();
        let rows = bench.add(&[Kind::Error, Kind::Metric]);
        bench.store.maintain(Now { wall_ms: i64::MAX, ..NOW }).unwrap();
        assert_eq!(bench.seqs(), rows);
        let mut bench = bench.crash();
        bench.store.declare("main", &["rez.batch"], From::Oldest, NOW).unwrap();
        assert_eq!(seqs(&bench.lease(10).unwrap()), rows);
        assert!(bench.store.memory.route(PLACEHOLDER).is_none());
    }

    #[test]
    fn a_destination_declared_from_now_gets_no_older_row() {
        let mut bench = Bench::fresh();
        bench.add(&[Kind::Error]);
        bench.store.declare("main", &["rez.batch"], From::Now, NOW).unwrap();
        bench.check();
        assert!(bench.lease(10).is_none());
        assert!(bench.seqs().is_empty());
        let new = bench.add(&[Kind::Error]);
        assert_eq!(seqs(&bench.lease(10).unwrap()), new);
    }

    #[test]
    fn a_row_for_a_destination_not_yet_declared_waits_for_it() {
        let mut bench = Bench::new();
        let rows = bench.add_for(&[Kind::Analytics], &["ga".to_string()], "{}");
        assert!(bench.lease_on(ROUTE, 10, &mut |_| crate::destination::Want::No).is_none());
        assert_eq!(bench.seqs(), rows);
        assert_eq!(bench.account("ga/*").queued, 1);
        bench.store.declare("ga", &["ga4.collect"], From::Oldest, NOW).unwrap();
        bench.check();
        let lease = bench.lease_on("ga/ga4.collect", 10, &mut |_| crate::destination::Want::Yes).unwrap();
        assert_eq!(seqs(&lease), rows);
        assert!(bench.store.memory.route("ga/*").is_none());
    }

    #[test]
    fn a_row_for_a_destination_that_is_never_declared_is_deleted_after_a_week() {
        let mut bench = Bench::new();
        bench.add_for(&[Kind::Analytics], &["ga".to_string()], "{}");
        assert!(bench.lease_on(ROUTE, 10, &mut |_| crate::destination::Want::No).is_none());
        bench.store.maintain(LATER).unwrap();
        assert!(bench.seqs().is_empty());
        bench.check();
    }

    #[test]
    fn declaring_twice_changes_nothing_and_a_removed_destination_resumes_at_its_cursor() {
        let mut bench = Bench::new();
        let rows = bench.add(&[Kind::Error, Kind::Error]);
        let lease = bench.lease(1).unwrap();
        bench.settle(&lease, &RowEnd::Delivered);
        bench.store.declare("main", &["rez.batch"], From::Now, NOW).unwrap();
        bench.store.retire("main", NOW).unwrap();
        assert!(bench.store.declared().is_empty());
        let more = bench.add(&[Kind::Error]);
        let mut bench = bench.crash();
        assert_eq!(bench.seqs(), [rows[1], more[0]]);
        bench.store.declare("main", &["rez.batch"], From::Now, NOW).unwrap();
        assert_eq!(bench.store.declared(), [ROUTE]);
        assert_eq!(seqs(&bench.lease(10).unwrap()), [rows[1], more[0]]);
    }

    #[test]
    fn a_run_that_does_not_name_a_destination_leaves_it_dormant_and_only_once() {
        let mut bench = Bench::new();
        bench.store.declare("other", &["x", "y"], From::Oldest, NOW).unwrap();
        bench.store.retire_all_but(&["main"], NOW).unwrap();
        assert_eq!(bench.store.declared(), [ROUTE]);
        bench.store.retire_all_but(&["main"], LATER).unwrap();
        assert_eq!(bench.store.memory.route("other/x").unwrap().dormant_since_ms, Some(NOW.wall_ms));
        bench.store.declare("other", &["x", "y"], From::Oldest, NOW).unwrap();
        assert_eq!(bench.store.declared().len(), 3);
    }

    #[test]
    fn rows_of_a_removed_destination_are_counted_and_deleted_after_a_week_unless_another_needs_them() {
        let mut bench = Bench::new();
        bench.store.declare("other", &["x"], From::Oldest, NOW).unwrap();
        bench.add(&[Kind::Error, Kind::Metric, Kind::Error]);
        let lease = bench.lease(10).unwrap();
        bench.settle(&lease, &RowEnd::Delivered);
        assert_eq!(bench.seqs().len(), 3);
        bench.store.retire("other", NOW).unwrap();
        bench.store.maintain(NOW).unwrap();
        assert_eq!(bench.seqs().len(), 3);
        bench.store.maintain(LATER).unwrap();
        bench.check();
        assert!(bench.seqs().is_empty());
        let counted: i64 = bench
            .store
            .db
            .query_row("SELECT sum(n) FROM ledger WHERE reason = 'destination_removed'", [], |row| row.get(0))
            .unwrap();
        assert_eq!(counted, 3);
        bench.store.declare("third", &["x"], From::Oldest, NOW).unwrap();
        assert_eq!(bench.account("third/x").dropped.len(), 0);
    }

    #[test]
    fn a_dormant_destination_waits_from_now_if_the_clock_was_set_back() {
        let mut bench = Bench::new();
        bench.add(&[Kind::Error]);
        bench.store.retire("main", LATER).unwrap();
        bench.store.maintain(NOW).unwrap();
        assert_eq!(bench.store.memory.route(ROUTE).unwrap().dormant_since_ms, Some(NOW.wall_ms));
        let far = NOW.wall_ms + (limits::AGE_UNKNOWN_DAYS + 1) * 24 * 3_600_000;
        bench.store.maintain(Now { wall_ms: far, ..NOW }).unwrap();
        assert_eq!(bench.store.memory.route(ROUTE).unwrap().dormant_since_ms, Some(far));
        assert_eq!(bench.seqs().len(), 1);
    }

    #[test]
    fn a_route_that_a_build_no_longer_has_becomes_dormant() {
        let mut bench = Bench::new();
        bench.store.declare("main", &["rez.batch", "new"], From::Oldest, NOW).unwrap();
        bench.store.declare("main", &["new"], From::Oldest, NOW).unwrap();
        assert_eq!(bench.store.declared(), ["main/new"]);
        bench.store.save_route_state("main/new", "{\"hold\":1}").unwrap();
        assert_eq!(bench.crash().store.route_state("main/new").unwrap().as_deref(), Some("{\"hold\":1}"));
    }

    #[test]
    fn a_row_with_an_exception_is_deleted_once_a_later_destination_has_passed_it() {
        let mut bench = Bench::new();
        bench.add(&[Kind::Error]);
        let lease = bench.lease(1).unwrap();
        bench.settle(&lease, &RowEnd::Keep);
        bench.store.declare("other", &["x"], From::Oldest, NOW).unwrap();
        let lease = bench.lease(1).unwrap();
        bench.settle(&lease, &RowEnd::Delivered);
        assert_eq!(bench.seqs().len(), 1);
        assert!(bench.lease_on("other/x", 1, &mut |_| crate::destination::Want::No).is_none());
        bench.store.maintain(NOW).unwrap();
        assert!(bench.seqs().is_empty());
    }

    #[test]
    fn a_carved_row_is_not_sent_to_a_route_that_settled_it_whether_declared_before_or_after() {
        let mut bench = Bench::new();
        bench.add(&[Kind::Error]);
        let had = [("main/rez.batch", false), ("late/rez.batch", false), ("once/x", true), ("later/x", true)]
            .map(|(name, ambiguous)| super::super::SettledBefore { hash: super::super::route_hash(name), ambiguous });
        bench.store.declare("once", &["x"], From::Now, NOW).unwrap();
        let carve = |bench: &mut Bench, n: u64, kind: Kind| {
            let mut fold = bench.store.begin(false, NOW).unwrap();
            let row = crate::store::NewRow {
                id: Bench::id(n),
                kind,
                run: 1,
                wall_ms: 0,
                mono_ms: 0,
                targets: &[],
                json: "{}",
                late: true,
            };
            let seq = fold.insert_carved(&row, &had).unwrap();
            fold.commit().unwrap();
            bench.check();
            seq
        };
        let carved = [carve(&mut bench, 101, Kind::Error), carve(&mut bench, 102, Kind::Metric)];
        for (name, route) in [("late", "rez.batch"), ("other", "rez.batch"), ("later", "x")] {
            bench.store.declare(name, &[route], From::Oldest, NOW).unwrap();
            bench.check();
        }
        for route in ["once/x", "later/x"] {
            assert_eq!(bench.account(route).dropped["ambiguous"], 2, "{route}");
        }
        let ordinary = bench.add(&[Kind::Error]);
        let leased = |bench: &mut Bench, route: &str| {
            let lease = bench.lease_on(route, 100, &mut |_| crate::destination::Want::Yes).unwrap();
            let ends: Vec<_> = lease.rows.iter().map(|row| (row.seq, RowEnd::Delivered)).collect();
            bench.store.settle(route, &ends, &receipt(200), None, NOW).unwrap();
            bench.check();
            seqs(&lease)
        };
        for route in ["main/rez.batch", "late/rez.batch", "once/x", "later/x"] {
            let seqs = leased(&mut bench, route);
            assert!(seqs.contains(&ordinary[0]) && !seqs.iter().any(|seq| carved.contains(seq)), "{route}: {seqs:?}");
        }
        let seqs = leased(&mut bench, "other/rez.batch");
        assert!(carved.iter().all(|seq| seqs.contains(seq)), "{seqs:?}");
        assert!(bench.seqs().is_empty(), "nobody needs them any more: {:?}", bench.seqs());
        bench.store.maintain(NOW).unwrap();
        let notes: i64 = bench.store.db.query_row("SELECT count(*) FROM settled", [], |row| row.get(0)).unwrap();
        assert_eq!(notes, 0);
    }
}
