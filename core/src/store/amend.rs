//! A later report of the same crash or exit, added to its row while no destination has it.
//!
//! Rows are immutable for everything else: retries and other destinations read the same bytes.

use super::error::Result;
use super::fate::state_of;
use super::insert::Fold;
use super::memory::signed;
use super::results::RowState;
use super::schema::{ROW, Read, crc_of, read_row};
use crate::id::EventId;
use crate::kind::Kind;
use crate::limits;
use crate::row::Row;
use rusqlite::{OptionalExtension, params};

/// The member that holds the reports. It is the first one of the row, so that a further report has its place.
const REPORTS: &str = r#"{"reports":["#;

impl Fold<'_> {
    /// Adds a report, as JSON, to the row of this event. Returns the row as it is now; `None` if it is gone, has no room, or a
    /// destination has it or is being sent it.
    pub(crate) fn amend(&mut self, id: EventId, kind: Kind, report: &str) -> Result<Option<Row>> {
        let lane = kind.lane().number();
        let select = format!("SELECT {ROW} FROM event WHERE lane = ?1 AND id = ?2");
        let mut statement = self.db.prepare_cached(&select)?;
        let found = statement.query_row(params![lane, id.to_string()], read_row).optional()?;
        let Some(Read::Good(row)) = found else { return Ok(None) };
        for route in &self.memory.routes {
            let state = state_of(self.db, route, row.seq, lane)?;
            // A row that was parked was in a request before, which the server may have read.
            if !matches!(state, RowState::Queued | RowState::Passed) {
                return Ok(None);
            }
            if matches!(state, RowState::Passed) && self.is_settled(route.number, id)? {
                return Ok(None);
            }
        }
        let json = with_report(&row.json, report);
        if json.len() > limits::ROW_BYTES {
            return Ok(None);
        }
        let row = Row { json, ..row };
        self.db.prepare_cached("UPDATE event SET json = ?2, crc = ?3 WHERE seq = ?1")?.execute(params![
            signed(row.seq),
            row.json,
            crc_of(&row)
        ])?;
        Ok(Some(row))
    }

    /// Whether a receipt of this route names the event: it was sent, and not only unwanted.
    fn is_settled(&self, route: i64, id: EventId) -> Result<bool> {
        let mut select =
            self.db.prepare_cached("SELECT 1 FROM receipt WHERE route = ?1 AND instr(outcomes, ?2) > 0 LIMIT 1")?;
        Ok(select.exists(params![route, id.simple()])?)
    }
}

/// The row with one more report.
fn with_report(json: &str, report: &str) -> String {
    match json.strip_prefix(REPORTS) {
        Some(rest) => format!("{REPORTS}{report},{rest}"),
        None => match json.strip_prefix('{') {
            Some("}") | None => format!("{REPORTS}{report}]}}"),
            Some(rest) => format!("{REPORTS}{report}],{rest}"),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::RowEnd;
    use crate::store::testing::{Bench, NOW};
    use serde_json::{Value, json};

    fn amend(bench: &mut Bench, report: &str) -> Option<Row> {
        let mut fold = bench.store.begin(false, NOW).unwrap();
        let row = fold.amend(Bench::id(1), Kind::Crash, report).unwrap();
        fold.commit().unwrap();
        row
    }

    #[test]
    fn a_row_that_waits_gets_the_report_and_its_checksum_is_right_after_a_restart() {
        let mut bench = Bench::new();
        bench.add_for(&[Kind::Crash, Kind::Crash], &[], r#"{"type":"SIGSEGV"}"#);
        let row = amend(&mut bench, r#"{"cause":"crash"}"#).unwrap();
        let mut bench = bench.crash();
        let lease = bench.lease(10).unwrap();
        assert_eq!(lease.rows[0].json, row.json);
        assert_eq!(row.json, r#"{"reports":[{"cause":"crash"}],"type":"SIGSEGV"}"#);
        assert_eq!(lease.rows[1].json, r#"{"type":"SIGSEGV"}"#);
    }

    #[test]
    fn a_row_in_flight_delivered_dropped_or_gone_stays_as_it_is() {
        let end = |end: Option<RowEnd>| {
            let mut bench = Bench::new();
            bench.store.declare("other", &["other.x"], crate::store::From::Oldest, NOW).unwrap();
            bench.add_for(&[Kind::Crash], &[], r#"{"type":"SIGSEGV"}"#);
            let lease = bench.lease(10).unwrap();
            if let Some(end) = end {
                bench.settle(&lease, &end);
            }
            amend(&mut bench, "{}")
        };
        assert_eq!(end(None), None);
        assert_eq!(end(Some(RowEnd::Delivered)), None);
        assert_eq!(amend(&mut Bench::new(), "{}"), None);
        // The server may have read one that a destination put back.
        assert_eq!(end(Some(RowEnd::Keep)), None);
    }

    #[test]
    fn a_destination_that_does_not_want_the_row_does_not_keep_it_from_the_report() {
        let mut bench = Bench::new();
        bench.store.declare("other", &["other.x"], crate::store::From::Oldest, NOW).unwrap();
        bench.add_for(&[Kind::Crash], &[], "{}");
        assert!(bench.lease_on("other/other.x", 10, &mut |_| crate::destination::Want::No).is_none());
        assert!(amend(&mut bench, "{}").is_some());
    }

    #[test]
    fn a_report_that_has_no_room_in_the_row_is_left_out() {
        let mut bench = Bench::new();
        bench.add_for(&[Kind::Crash], &[], &format!(r#"{{"message":"{}"}}"#, "x".repeat(limits::ROW_BYTES - 100)));
        assert_eq!(amend(&mut bench, &format!(r#""{}""#, "y".repeat(100))), None);
    }

    #[test]
    fn reports_are_a_list_and_the_latest_is_first() {
        let once = with_report(r#"{"type":"SIGSEGV","paused":["ga4"]}"#, r#"{"at_ms":1}"#);
        assert_eq!(once, r#"{"reports":[{"at_ms":1}],"type":"SIGSEGV","paused":["ga4"]}"#);
        let twice: Value = serde_json::from_str(&with_report(&once, r#"{"at_ms":2}"#)).unwrap();
        assert_eq!(twice["reports"], json!([{"at_ms": 2}, {"at_ms": 1}]));
        assert_eq!(with_report("{}", "{}"), r#"{"reports":[{}]}"#);
    }
}
