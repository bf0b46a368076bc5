//! Queries over a queue: read-only, over the stable view `inspect`, for a limited time.

use super::db;
use super::error::FileError;
use super::source::{Origin, Source};
use crate::queue;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, ErrorCode};
use serde_json::Value;
use std::sync::mpsc;
use std::time::Duration;
use tempfile::TempDir;

/// The columns of the view `inspect` and what they mean. Columns are added, never changed.
pub const VIEW: &[(&str, &str)] = &[
    ("seq", "number in the order of insertion"),
    ("id", "id of the event"),
    ("kind", "error, api_call, analytics .."),
    ("lane", "crash, critical, normal or bulk"),
    ("name", "type and message, or its name, in a few words"),
    ("level", "its level, if it has one"),
    ("wall_ms", "when it happened, milliseconds since 1970"),
    ("ts", "the same as text, UTC"),
    ("session", "id of its session"),
    ("bytes", "bytes of its JSON"),
    ("state", "queued (also parked or in flight), dead or settled"),
    ("routes", "JSON object: the state on each route that has not passed it"),
    ("json", "the event"),
];

/// The first two texts of these members are the name of an event, as everywhere else.
const NAMED_BY: [&str; 11] =
    ["title", "type", "message", "method", "endpoint", "url", "name", "action", "component", "cause", "status"];

/// Creates the view for this connection.
///
/// The rows in flight are copied into a table first: they are lists in the file, and reading them for every row takes long.
pub(super) fn create_view(db: &Connection) -> rusqlite::Result<()> {
    let names = NAMED_BY.map(|name| format!("'{name}'")).join(", ");
    let order: String =
        NAMED_BY.iter().enumerate().map(|(place, name)| format!(" WHEN '{name}' THEN {place}")).collect();
    db.execute_batch(&format!(
        "CREATE TEMP TABLE inspect_in_flight AS
           SELECT DISTINCT inflight.route AS route, seq.value AS seq
           FROM inflight, json_each(CASE WHEN json_valid(inflight.seqs) THEN inflight.seqs ELSE '[]' END) AS lane,
                json_each(lane.value) AS seq;
         CREATE INDEX temp.inspect_in_flight_seq ON inspect_in_flight (seq, route);
         CREATE TEMP VIEW inspect_routes AS
           SELECT event.seq AS seq, route.name AS route,
             CASE WHEN flying.seq IS NOT NULL THEN 'in_flight'
                  WHEN exception.state = 2 THEN 'dead'
                  WHEN exception.state = 3 THEN NULL
                  WHEN exception.state IS NOT NULL THEN 'parked'
                  WHEN event.seq <= coalesce(cursor.seq, 0) THEN NULL
                  ELSE 'queued' END AS state
           FROM main.event CROSS JOIN main.route
           LEFT JOIN inspect_in_flight AS flying ON flying.seq = event.seq AND flying.route = route.number
           LEFT JOIN main.exception ON exception.seq = event.seq AND exception.route = route.number
           LEFT JOIN main.cursor ON cursor.route = route.number AND cursor.lane = event.lane;
         CREATE TEMP VIEW inspect_events AS
           SELECT event.*, CASE WHEN json_valid(json) THEN json ELSE '{{}}' END AS safe,
             coalesce((SELECT json_group_object(route, state) FROM inspect_routes
                       WHERE inspect_routes.seq = event.seq AND state IS NOT NULL), '{{}}') AS routes
           FROM main.event;
         CREATE TEMP VIEW inspect AS
           SELECT seq, id, kind,
             CASE lane WHEN 0 THEN 'crash' WHEN 1 THEN 'critical' WHEN 2 THEN 'normal' ELSE 'bulk' END AS lane,
             coalesce((SELECT substr(replace(replace(replace(group_concat(value, ' '), char(10), ''), char(13), ''), char(9), ''), 1, 60)
               FROM (SELECT value FROM json_each(safe) WHERE type = 'text' AND value <> '' AND key IN ({names})
                     ORDER BY CASE key{order} END LIMIT 2)), '') AS name,
             json_extract(safe, '$.level') AS level, wall_ms,
             strftime('%Y-%m-%dT%H:%M:%fZ', wall_ms / 1000.0, 'unixepoch') AS ts,
             json_extract(safe, '$.session') AS session, octet_length(json) AS bytes,
             CASE WHEN instr(routes, ':\"queued\"') + instr(routes, ':\"parked\"') + instr(routes, ':\"in_flight\"') > 0 THEN 'queued'
                  WHEN instr(routes, ':\"dead\"') > 0 THEN 'dead' ELSE 'settled' END AS state,
             routes, json
           FROM inspect_events;"
    ))
}

/// Why a query has no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SqlError {
    /// The queue cannot be read.
    #[error(transparent)]
    File(#[from] FileError),
    /// The query is wrong.
    #[error("{message}{}", .at.as_deref().map(|at| format!("\n{at}")).unwrap_or_default())]
    Wrong {
        /// The error of SQLite.
        message: String,
        /// The line with a caret under the place, if SQLite knows it.
        at: Option<String>,
    },
    /// It is not a query, or it changes something.
    #[error("only a query that reads is run: {0}")]
    Refused(String),
    /// It took too long.
    #[error("the query was stopped after {} s", .0.as_secs_f64())]
    TooLong(Duration),
}

/// A query over one source.
#[derive(Debug)]
pub struct Query {
    db: Connection,
    limit: Duration,
    /// The copy that is queried; `None` = nobody else uses the source.
    _copy: Option<TempDir>,
}

impl Query {
    /// Opens the source for queries that take at most `limit` each.
    ///
    /// # Errors
    /// The queue cannot be read.
    pub fn open(source: &Source, limit: Duration) -> Result<Query, SqlError> {
        // Of a queue in use, a copy: whoever reads the rows slowly would keep the app from restarting its log.
        let copy = if *source.origin() == Origin::Folder { Some(source.snapshot()?) } else { None };
        let db = match &copy {
            Some(folder) => db::connect(&folder.path().join(queue::FILE))
                .map_err(|error| FileError::unreadable(source.file(), error))?,
            None => source.connect()?,
        };
        // One snapshot: the rows in flight belong to the same moment as the rest.
        db.execute_batch("BEGIN")
            .and_then(|()| create_view(&db))
            .and_then(|()| db::forbid_writes(&db))
            .map_err(|error| FileError::unreadable(source.file(), error))?;
        Ok(Query { db, limit, _copy: copy })
    }

    /// Runs one statement. `take` gets the names of the columns and the values of each row, until it returns false.
    ///
    /// # Errors
    /// The statement is wrong, does not only read, or takes too long.
    pub fn run(&self, sql: &str, mut take: impl FnMut(&[String], Vec<Value>) -> bool) -> Result<Vec<String>, SqlError> {
        let mut statement = self.db.prepare(sql).map_err(|error| self.wrong(&error))?;
        let columns: Vec<String> = statement.column_names().map(str::to_owned).collect();
        if !statement.readonly() || columns.is_empty() || !begins_a_query(sql) {
            return Err(SqlError::Refused("begin it with SELECT, WITH, VALUES or EXPLAIN".to_owned()));
        }
        let interrupt = self.db.get_interrupt_handle();
        let limit = self.limit;
        let (done, ended) = mpsc::channel::<()>();
        let watch = std::thread::spawn(move || {
            if ended.recv_timeout(limit) == Err(mpsc::RecvTimeoutError::Timeout) {
                interrupt.interrupt();
            }
        });
        let result = (|| {
            let mut rows = statement.query([])?;
            while let Some(row) = rows.next()? {
                if !take(&columns, (0..columns.len()).map(|at| value(row, at)).collect()) {
                    break;
                }
            }
            Ok(())
        })();
        drop(done);
        let _ = watch.join();
        result.map(|()| columns.clone()).map_err(|error| self.wrong(&error))
    }

    fn wrong(&self, error: &rusqlite::Error) -> SqlError {
        match error {
            rusqlite::Error::SqlInputError { msg, sql, offset, .. } => {
                SqlError::Wrong { message: msg.clone(), at: usize::try_from(*offset).ok().map(|at| caret(sql, at)) }
            }
            rusqlite::Error::MultipleStatement => SqlError::Refused("pass one statement".to_owned()),
            rusqlite::Error::SqliteFailure(failure, message) => match failure.code {
                ErrorCode::OperationInterrupted => SqlError::TooLong(self.limit),
                ErrorCode::ReadOnly | ErrorCode::AuthorizationForStatementDenied => {
                    SqlError::Refused(message.clone().unwrap_or_else(|| failure.to_string()))
                }
                _ => SqlError::Wrong { message: message.clone().unwrap_or_else(|| failure.to_string()), at: None },
            },
            error => SqlError::Wrong { message: error.to_string(), at: None },
        }
    }
}

/// Whether the first word, behind comments, is one of a query. `PRAGMA`, `ATTACH` and `BEGIN` count as reading for SQLite.
fn begins_a_query(sql: &str) -> bool {
    let mut rest = sql.trim_start();
    loop {
        let after = if let Some(line) = rest.strip_prefix("--") {
            line.split_once('\n').map(|(_, after)| after)
        } else if let Some(comment) = rest.strip_prefix("/*") {
            comment.split_once("*/").map(|(_, after)| after)
        } else {
            break;
        };
        rest = after.unwrap_or_default().trim_start();
    }
    let word: String = rest.chars().take_while(char::is_ascii_alphabetic).collect();
    ["select", "with", "values", "explain"].iter().any(|known| word.eq_ignore_ascii_case(known))
}

/// The line of a text with a caret under the byte at `at`.
fn caret(sql: &str, at: usize) -> String {
    let at = sql.floor_char_boundary(at.min(sql.len()));
    let (before, after) = sql.split_at(at);
    let line_before = before.rsplit('\n').next().unwrap_or_default();
    let line_after = after.split('\n').next().unwrap_or_default();
    format!("  {line_before}{line_after}\n  {}^", " ".repeat(line_before.chars().count()))
}

/// A value of a row as JSON.
pub(super) fn value(row: &rusqlite::Row<'_>, at: usize) -> Value {
    match row.get_ref(at) {
        Ok(ValueRef::Integer(number)) => number.into(),
        Ok(ValueRef::Real(number)) => number.into(),
        Ok(ValueRef::Text(text)) => String::from_utf8_lossy(text).into(),
        Ok(ValueRef::Blob(bytes)) => bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>().into(),
        Ok(ValueRef::Null) | Err(_) => Value::Null,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_caret_stands_under_the_place_of_an_error() {
        assert_eq!(caret("SELECT é, x\nFROM nowhere", 11), "  SELECT é, x\n            ^");
        assert_eq!(caret("SELECT 1\nFRM x", 9), "  FRM x\n  ^");
        assert_eq!(caret("", 7), "  \n  ^");
    }

    #[test]
    fn only_the_first_words_of_a_query_are_accepted() {
        for sql in
            ["select 1", " WITH a AS (SELECT 1) SELECT * FROM a", "-- why\n/* x */ VALUES (1)", "explain select 1"]
        {
            assert!(begins_a_query(sql), "{sql}");
        }
        for sql in
            ["PRAGMA query_only = OFF", "ATTACH 'x' AS y", "", "-- only a comment", "/* open", "BEGIN", "selection"]
        {
            assert!(!begins_a_query(sql), "{sql}");
        }
    }
}
