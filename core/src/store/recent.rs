//! The events that were stored lately, as lines: of a file beside the queue, and of a table in a copy of the queue, which is one file.

use super::error::Result;
use super::schema::crc_of;
use crate::kind::Kind;
use crate::row::Row;
use rusqlite::{Connection, OpenFlags};
use serde_json::Value;
use std::path::Path;

/// Only a copy has it.
const TABLE: &str = "DROP TABLE IF EXISTS recent; CREATE TABLE recent (line TEXT NOT NULL) STRICT;";

/// A row as one line, with its checksum.
pub(crate) fn line(row: &Row) -> String {
    format!("{}\n", crate::json::with(row, "crc", crc_of(row)))
}

/// Reads a line. `None` = it is cut or damaged.
pub(crate) fn read_line(line: &[u8]) -> Option<Row> {
    let value: Value = serde_json::from_slice(line).ok()?;
    let number = |name: &str| value.get(name)?.as_i64();
    let text = |name: &str| value.get(name)?.as_str();
    let targets = value.get("targets")?.as_array()?.iter().map(|name| name.as_str().map(str::to_owned));
    let row = Row {
        seq: value.get("seq")?.as_u64()?,
        id: text("id")?.parse().ok()?,
        kind: Kind::parse(text("kind")?)?,
        run: number("run")?,
        wall_ms: number("wall_ms")?,
        mono_ms: number("mono_ms")?,
        targets: targets.collect::<Option<_>>()?,
        json: text("json")?.to_owned(),
    };
    (number("crc")? == i64::from(crc_of(&row))).then_some(row)
}

/// Adds the rows that were stored lately to a copy of a queue that nobody else has open, so that it has what was delivered, too. They
/// are read before the copy is made: later they could lack a row that is delivered in between.
///
/// # Errors
/// The copy cannot be written.
pub fn keep_recent(copy: &Path, rows: &[Row]) -> Result<()> {
    if rows.is_empty() {
        return Ok(());
    }
    let db = Connection::open(copy)?;
    // One transaction: each has to reach the disk, and the app's writer waits meanwhile.
    db.execute_batch("PRAGMA synchronous = OFF; BEGIN")?;
    put(&db, rows)?;
    Ok(db.execute_batch("COMMIT")?)
}

/// The rows that [`keep_recent`] added to a copy, oldest first.
pub(crate) fn kept_recent(copy: &Path) -> Result<Vec<Row>> {
    kept(&Connection::open_with_flags(copy, OpenFlags::SQLITE_OPEN_READ_ONLY)?)
}

/// Puts rows into a copy, in place of those that it has.
pub(super) fn put(copy: &Connection, rows: &[Row]) -> Result<()> {
    copy.execute_batch(TABLE)?;
    let mut insert = copy.prepare("INSERT INTO recent VALUES (?1)")?;
    for row in rows {
        insert.execute([line(row)])?;
    }
    Ok(())
}

/// The rows of a copy, oldest first. A queue that an app uses has none.
pub(super) fn kept(copy: &Connection) -> Result<Vec<Row>> {
    if !copy.table_exists(None, "recent")? {
        return Ok(Vec::new());
    }
    let mut select = copy.prepare("SELECT line FROM recent ORDER BY rowid")?;
    let lines: Vec<String> = select.query_map([], |row| row.get(0))?.collect::<std::result::Result<_, _>>()?;
    Ok(lines.iter().filter_map(|line| read_line(line.as_bytes())).collect())
}
