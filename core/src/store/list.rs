//! Rows for the inspector, each with its state on every route.

use super::error::Result;
use super::fate::state_of;
use super::memory::{Memory, signed};
use super::read::Reader;
use super::results::{RouteFate, RowState};
use super::schema::{ROW, Read, read_row};
use super::view::View;
use crate::kind::{Kind, Lane};
use crate::row::Row;
use rusqlite::{Connection, params};

/// Rows of one snapshot of a reader: three milliseconds, in which the app cannot restart its log.
pub(crate) const CHUNK: usize = 2_000;

/// Which rows to list; the default is all of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Only this kind.
    pub kind: Option<Kind>,
    /// Only this lane.
    pub lane: Option<Lane>,
    /// Only rows that this route still holds (queued, parked, in flight or dead).
    pub held_by: Option<String>,
    /// Only rows recorded at or after this wall clock (milliseconds since 1970).
    pub since_ms: Option<i64>,
    /// Only rows stored after this one.
    pub after: u64,
    /// Only rows whose JSON contains this text literally.
    pub text: Option<String>,
    /// At most this many, the newest ones; 0 = all.
    pub limit: usize,
}

/// One row of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// The row.
    pub row: Row,
    /// Its state per route. Routes that have passed it are left out.
    pub routes: Vec<RouteFate>,
}

/// Rows in the order in which they were stored.
#[derive(Default)]
pub(crate) struct RowsBefore {
    /// Those whose checksum is right.
    pub(crate) rows: Vec<Row>,
    /// The number of the last row, if there may be more behind it.
    pub(crate) last: Option<u64>,
    /// How many fail their checksum.
    pub(crate) damaged: usize,
}

impl Reader {
    /// The rows that match the filter, newest last. Rows that fail their checksum are left out; [`Reader::damaged`]
    /// counts them.
    pub fn list(&self, filter: &Filter) -> Result<Vec<Listed>> {
        self.look(|db, memory| list(db, memory, filter))
    }

    /// Reads every row and counts those that fail their checksum.
    pub fn damaged(&self) -> Result<u64> {
        count_damaged(|before| self.view(|view| view.rows_before(before, CHUNK)))
    }
}

impl View<'_> {
    /// The `most` rows stored before this one, newest first.
    pub(crate) fn rows_before(&self, before: Option<u64>, most: usize) -> Result<RowsBefore> {
        // One comparison, so that SQLite begins there: with `?1 IS NULL OR` it would read from the end of the table each time. Not
        // cached: a person asks, and the writer's own statements keep their places.
        let sql = format!("SELECT {ROW} FROM event WHERE seq < ?1 ORDER BY seq DESC LIMIT ?2");
        let mut select = self.db.prepare(&sql)?;
        let mut rows = select.query(params![before.map_or(i64::MAX, signed), signed(most as u64)])?;
        let mut found = RowsBefore::default();
        while let Some(row) = rows.next()? {
            match read_row(row)? {
                Read::Good(row) => {
                    found.last = Some(row.seq);
                    found.rows.push(row);
                }
                Read::Bad(seq, _) => {
                    found.last = Some(seq);
                    found.damaged += 1;
                }
            }
        }
        if found.rows.len() + found.damaged < most {
            found.last = None;
        }
        Ok(found)
    }
}

/// Counts the rows that fail their checksum. `read` reads some rows at a time, so that nobody waits for all of them.
pub(crate) fn count_damaged<E>(mut read: impl FnMut(Option<u64>) -> Result<RowsBefore, E>) -> Result<u64, E> {
    let (mut damaged, mut before) = (0, None);
    loop {
        let rows = read(before)?;
        damaged += rows.damaged as u64;
        before = rows.last;
        if before.is_none() {
            return Ok(damaged);
        }
    }
}

fn list(db: &Connection, memory: &Memory, filter: &Filter) -> Result<Vec<Listed>> {
    let mut select = db.prepare(&format!(
        "SELECT {ROW} FROM event WHERE seq > ?1 AND (?2 IS NULL OR kind = ?2) AND (?3 IS NULL OR lane = ?3)
           AND (?4 IS NULL OR wall_ms >= ?4) AND (?5 IS NULL OR instr(json, ?5) > 0) ORDER BY seq DESC"
    ))?;
    let mut rows = select.query(params![
        signed(filter.after),
        filter.kind.map(Kind::as_str),
        filter.lane.map(Lane::number),
        filter.since_ms,
        filter.text
    ])?;
    let mut listed = Vec::new();
    while let Some(row) = rows.next()? {
        let Read::Good(row) = read_row(row)? else { continue };
        let mut routes = Vec::new();
        for route in &memory.routes {
            let state = state_of(db, route, row.seq, row.kind.lane().number())?;
            if state != RowState::Passed {
                routes.push(RouteFate { route: route.name.to_string(), state });
            }
        }
        if filter.held_by.as_ref().is_some_and(|wanted| !routes.iter().any(|held| held.route == *wanted)) {
            continue;
        }
        listed.push(Listed { row, routes });
        if listed.len() == filter.limit {
            break;
        }
    }
    listed.reverse();
    Ok(listed)
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Bench, NOW, ROUTE, count_steps};
    use super::super::{RowEnd, Store, StoreError};
    use super::*;
    use crate::reason::Reason;

    fn names(folder: &std::path::Path) -> Vec<String> {
        let entries = std::fs::read_dir(folder).unwrap();
        let mut names: Vec<String> =
            entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }

    #[test]
    fn a_reader_sees_the_latest_commit_while_the_app_writes() {
        let mut bench = Bench::new();
        bench.add(&[Kind::Error]);
        let reader = Store::open_read_only(bench.folder.path()).unwrap();
        assert!(reader.live());
        assert_eq!(reader.overview().unwrap().rows, 1);
        bench.add(&[Kind::Error, Kind::Metric]);
        let overview = reader.overview().unwrap();
        assert_eq!((overview.rows, overview.lanes), (3, [0, 2, 0, 1]));
        assert_eq!((overview.install.as_str(), overview.boot.as_str()), ("install-1", "boot-1"));
        assert!(overview.balance.holds());
        assert_eq!(overview.balance, bench.store.balance().unwrap());
        assert_eq!(reader.runs().unwrap().len(), 1);
        assert!(reader.db.execute("DELETE FROM event", []).is_err());
        // It holds no snapshot between queries, so the log can be restarted.
        bench.store.checkpoint().unwrap();
        assert_eq!(bench.store.wal_pages(), 0);
        // An idle app's log is empty; the next commit is still seen.
        let reader = Store::open_read_only(bench.folder.path()).unwrap();
        bench.add(&[Kind::Error]);
        assert_eq!((reader.live(), reader.overview().unwrap().rows), (true, 4));
    }

    #[test]
    fn reading_a_closed_queue_creates_no_file() {
        let mut bench = Bench::new();
        bench.add(&[Kind::Error]);
        let Bench { folder, store, .. } = bench;
        store.close().unwrap();
        let before = names(folder.path());
        let reader = Store::open_read_only(folder.path()).unwrap();
        assert!(!reader.live());
        assert_eq!(reader.list(&Filter::default()).unwrap().len(), 1);
        assert_eq!(names(folder.path()), before);
        assert_eq!(before, ["queue.db", "queue.db-shm", "queue.db-wal"]);
    }

    #[test]
    fn a_folder_with_special_characters_in_its_name_can_be_read() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("a?b#c%20d é");
        std::fs::create_dir(&folder).unwrap();
        let store = Store::open(&folder, &super::super::testing::identity(), Default::default()).unwrap();
        store.close().unwrap();
        assert!(Store::open_read_only(&folder).unwrap().balance().unwrap().holds());
        let error = Store::open_read_only(root.path()).err();
        assert!(matches!(error, Some(StoreError::Unavailable(_))), "{error:?}");
    }

    #[test]
    fn rows_are_listed_oldest_first_and_filtered_by_kind_lane_route_time_text_and_number() {
        let mut bench = Bench::new();
        let rows = bench.add_for(&[Kind::Crash, Kind::Error, Kind::Metric], &[], "{\"n\":\"needle\"}");
        let more = bench.add(&[Kind::Error]);
        let lease = bench.lease(1).unwrap();
        bench.settle(&lease, &RowEnd::Dead { reason: Reason::Poison, status: 400, note: "no".to_string() });
        bench.store.declare("other", &["x"], super::super::From::Now, NOW).unwrap();
        let reader = Store::open_read_only(bench.folder.path()).unwrap();
        let list = |filter: Filter| -> Vec<u64> {
            reader.list(&filter).unwrap().iter().map(|listed| listed.row.seq).collect()
        };
        let all = Filter::default;
        assert_eq!(list(all()), [&rows[..], &more[..]].concat());
        assert_eq!(list(Filter { kind: Some(Kind::Error), ..all() }), [rows[1], more[0]]);
        assert_eq!(list(Filter { lane: Some(Lane::Bulk), ..all() }), [rows[2]]);
        assert_eq!(list(Filter { held_by: Some(ROUTE.to_string()), ..all() }).len(), 4);
        assert!(list(Filter { held_by: Some("other/x".to_string()), ..all() }).is_empty());
        assert!(list(Filter { since_ms: Some(NOW.wall_ms + 1), ..all() }).is_empty());
        assert_eq!(list(Filter { text: Some("needle".to_string()), ..all() }), rows);
        assert_eq!(list(Filter { after: rows[2], ..all() }), more);
        let before = |store: &Store, before, most| {
            let found = store.view().rows_before(before, most).unwrap();
            (found.rows.iter().map(|row| row.seq).collect::<Vec<_>>(), found.last)
        };
        assert_eq!(before(&bench.store, Some(rows[2]), 1), (vec![rows[1]], Some(rows[1])));
        assert_eq!(before(&bench.store, None, 9), (vec![more[0], rows[2], rows[1], rows[0]], None));
        assert_eq!(before(&bench.store, Some(rows[0]), 9), (vec![], None));
        assert_eq!(list(Filter { limit: 2, ..all() }), [rows[2], more[0]]);
        let dead = &reader.list(&Filter { lane: Some(Lane::Crash), ..all() }).unwrap()[0].routes;
        assert!(matches!(&dead[..], [RouteFate { state: RowState::Dead { status: 400, .. }, .. }]), "{dead:?}");
        bench.store.db.execute("UPDATE event SET json = '{}' WHERE seq = ?1", [signed(rows[2])]).unwrap();
        assert_eq!((reader.damaged().unwrap(), list(all()).len()), (1, 3));
        assert_eq!(before(&bench.store, None, 2), (vec![more[0]], Some(rows[2])), "a damaged row is no end");
        assert!(reader.fate(Bench::id(1)).unwrap().row.is_some());
    }

    #[test]
    fn a_page_far_back_costs_as_much_as_the_first_one() {
        let mut bench = Bench::new();
        let rows = bench.add(&[Kind::Metric; 2_000]);
        let mut steps = |before| {
            let (store, steps) = count_steps(&mut bench.store);
            assert_eq!(store.view().rows_before(before, 10).unwrap().rows.len(), 10);
            steps()
        };
        let (first, last) = (steps(None), steps(Some(rows[20])));
        assert!(last <= first + 100, "{first} steps at the end, {last} far back");
    }
}
