//! Tables, pragmas, and how a row is written, read and checked.

use super::error::{Result, StoreError};
use crate::carve::Candidate;
use crate::id::EventId;
use crate::kind::Kind;
use crate::limits;
use crate::row::Row;
use rusqlite::config::DbConfig;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags};
use std::path::Path;
use std::time::Duration;

/// `REZQ`: `file`, the inspector and the carver recognise the queue by it.
pub(crate) const APPLICATION_ID: i32 = 0x5245_5A51;

/// Version of the tables. A file with a higher one is left alone. One with a lower one counts as damaged: it is set
/// aside and its rows are carved into a new file. No version before 2 was ever released.
pub(crate) const VERSION: u32 = 2;

/// Bytes of a page. Fixed: the carver depends on it.
pub(crate) const PAGE_BYTES: u64 = 4096;

/// Only short reads of the inspector can block a write.
pub(super) const BUSY: Duration = Duration::from_millis(250);

/// Capacity of the cache of prepared statements: more than the store prepares.
const STATEMENTS: usize = 128;

/// The columns of `event`, in the order of [`INSERT_EVENT`].
macro_rules! event_columns {
    () => {
        "seq, id, lane, kind, run, wall_ms, mono_ms, targets, json, crc"
    };
}

/// Inserts a row with the values of its columns.
pub(super) const INSERT_EVENT: &str =
    concat!("INSERT INTO event (", event_columns!(), ") VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)");

/// The rows between two seqs, with the columns that [`INSERT_EVENT`] takes.
pub(super) const SELECT_EVENTS_BETWEEN: &str =
    concat!("SELECT ", event_columns!(), " FROM event WHERE seq > ?1 AND seq < ?2 ORDER BY seq");

/// `event` holds the rows to deliver. Its index is by (lane, seq): `seq` is the rowid, which SQLite appends to every index.
///
/// `run` has a row for each run, and one for each change of a run. `id` is the run's id, with `/n` behind it for change n.
///
/// `exception` holds the rows that left the order of a route's cursor. State 1 is parked, 2 is a dead letter, 3 is
/// finished before the cursor reached it. `kind` is set for parked rows only: `exception_parked` lets a lease skip all
/// parked rows of the kinds that the route does not take now.
///
/// `fold.erase` is 1 while the log still holds copies of erased rows.
///
/// `settled` names the routes (by hash) that had, or may have, settled a row of a damaged file before they were declared.
///
/// `flow` counts what each route did with its rows in an epoch. Where `first_seq` is NULL, rows are counted one by one in
/// `base`.
const TABLES: &str = "
CREATE TABLE event (
  seq INTEGER PRIMARY KEY, id TEXT NOT NULL, lane INTEGER NOT NULL, kind TEXT NOT NULL, run INTEGER NOT NULL,
  wall_ms INTEGER NOT NULL, mono_ms INTEGER NOT NULL, targets TEXT, json TEXT NOT NULL, crc INTEGER NOT NULL
) STRICT;
CREATE INDEX event_lane ON event (lane);
CREATE TABLE run (number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, boot TEXT NOT NULL, json TEXT NOT NULL) STRICT;
CREATE TABLE boot (boot TEXT PRIMARY KEY, wall_offset_ms INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE fold (
  one INTEGER PRIMARY KEY CHECK (one = 1), install TEXT NOT NULL, epoch INTEGER NOT NULL, next_n INTEGER NOT NULL,
  generation INTEGER NOT NULL, ticket INTEGER NOT NULL, total INTEGER NOT NULL, reserve_generation INTEGER NOT NULL,
  reserve_total INTEGER NOT NULL, boot TEXT NOT NULL, clean INTEGER NOT NULL, erase INTEGER NOT NULL
) STRICT;
CREATE TABLE tally (
  epoch INTEGER NOT NULL, kind TEXT NOT NULL, folded INTEGER NOT NULL, late INTEGER NOT NULL, stored INTEGER NOT NULL,
  PRIMARY KEY (epoch, kind)
) STRICT, WITHOUT ROWID;
CREATE TABLE scope (key TEXT PRIMARY KEY, json TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE property (name TEXT PRIMARY KEY, json TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE crumb (
  slot INTEGER PRIMARY KEY, number INTEGER NOT NULL, run INTEGER NOT NULL, json TEXT NOT NULL
) STRICT;
CREATE TABLE route (
  number INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, destination TEXT NOT NULL, dormant_since_ms INTEGER,
  state TEXT
) STRICT;
CREATE TABLE cursor (
  route INTEGER NOT NULL, lane INTEGER NOT NULL, seq INTEGER NOT NULL, PRIMARY KEY (route, lane)
) STRICT, WITHOUT ROWID;
CREATE TABLE flow (
  route INTEGER NOT NULL, epoch INTEGER NOT NULL, base INTEGER NOT NULL, first_seq INTEGER,
  delivered INTEGER NOT NULL, unwanted INTEGER NOT NULL, PRIMARY KEY (route, epoch)
) STRICT, WITHOUT ROWID;
CREATE TABLE inflight (
  route INTEGER PRIMARY KEY, batch_id TEXT NOT NULL, seqs TEXT NOT NULL, encoder INTEGER, state TEXT NOT NULL,
  attempt INTEGER NOT NULL
) STRICT;
CREATE TABLE exception (
  seq INTEGER NOT NULL, route INTEGER NOT NULL, lane INTEGER NOT NULL, state INTEGER NOT NULL, kind TEXT, reason TEXT,
  status INTEGER NOT NULL, note TEXT NOT NULL, at_ms INTEGER NOT NULL, until_ms INTEGER, crc INTEGER NOT NULL,
  PRIMARY KEY (seq, route)
) STRICT, WITHOUT ROWID;
CREATE INDEX exception_route ON exception (route, lane, state, seq);
CREATE INDEX exception_parked ON exception (route, kind, until_ms, seq) WHERE state = 1;
CREATE TABLE ledger (
  epoch INTEGER NOT NULL, day INTEGER NOT NULL, route INTEGER NOT NULL, kind TEXT NOT NULL, reason TEXT NOT NULL,
  n INTEGER NOT NULL, PRIMARY KEY (epoch, day, route, kind, reason)
) STRICT, WITHOUT ROWID;
CREATE TABLE gate (
  reason TEXT NOT NULL, kind TEXT NOT NULL, n INTEGER NOT NULL, PRIMARY KEY (reason, kind)
) STRICT, WITHOUT ROWID;
CREATE TABLE receipt (
  number INTEGER PRIMARY KEY, route INTEGER NOT NULL, at_ms INTEGER NOT NULL, status INTEGER NOT NULL,
  batch_id TEXT NOT NULL, note TEXT NOT NULL, outcomes TEXT NOT NULL
) STRICT;
CREATE INDEX receipt_route ON receipt (route, number);
CREATE TABLE settled (
  seq INTEGER NOT NULL, hash INTEGER NOT NULL, ambiguous INTEGER NOT NULL, PRIMARY KEY (seq, hash)
) STRICT, WITHOUT ROWID;
CREATE TABLE carve (folder TEXT PRIMARY KEY, page INTEGER NOT NULL, found INTEGER NOT NULL) STRICT, WITHOUT ROWID;
";

/// The columns that [`read_row`] expects, in order.
pub(super) const ROW: &str = "event.seq, event.id, event.lane, event.kind, event.run, event.wall_ms, event.mono_ms, \
                              event.targets, event.json, event.crc";

/// Opens the file for writing, or creates it with its tables. Returns whether it is new.
pub(super) fn open(path: &Path) -> Result<(Connection, bool)> {
    let db = Connection::open_with_flags(
        path,
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    db.busy_timeout(BUSY)?;
    db.set_prepared_statement_cache_capacity(STATEMENTS);
    harden(&db)?;
    let fresh = version(&db)?;
    if fresh {
        // Both are decided before the first page is written.
        db.execute_batch("PRAGMA page_size = 4096; PRAGMA auto_vacuum = INCREMENTAL;")?;
    }
    let mode: String = db.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0))?;
    if !mode.eq_ignore_ascii_case("wal") {
        return Err(StoreError::Unavailable(format!("no write-ahead log here (journal mode {mode})")));
    }
    for text in ["wal_autocheckpoint = 0", "cache_size = -512", "synchronous = NORMAL"] {
        pragma(&db, text)?;
    }
    pragma(&db, &format!("journal_size_limit = {}", limits::LOG_BYTES))?;
    if cfg!(target_vendor = "apple") {
        pragma(&db, "checkpoint_fullfsync = ON")?;
    }
    Ok((db, fresh))
}

/// Opens the file for reading only. `quiet` = nobody has it open for writing, and nothing is to be created.
pub(super) fn open_read_only(path: &Path, quiet: bool) -> Result<Connection> {
    let text = path.to_str().ok_or_else(|| StoreError::Unavailable("its path is not UTF-8".to_string()))?;
    let uri = format!("file:{}", text.replace('%', "%25").replace('?', "%3F").replace('#', "%23"));
    let uri = format!("{uri}?{}", if quiet { "mode=ro&immutable=1" } else { "mode=ro" });
    let db = Connection::open_with_flags(
        uri,
        OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    db.busy_timeout(Duration::from_secs(2))?;
    harden(&db)?;
    if version(&db)? {
        return Err(StoreError::Unavailable("it has no tables yet".to_string()));
    }
    Ok(db)
}

/// Runs a pragma to its end, whatever rows it returns.
pub(super) fn pragma(db: &Connection, text: &str) -> Result<()> {
    let mut pragma = db.prepare(&format!("PRAGMA {text}"))?;
    let mut rows = pragma.query([])?;
    while rows.next()?.is_some() {}
    Ok(())
}

fn harden(db: &Connection) -> Result<()> {
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    ["trusted_schema = OFF", "temp_store = MEMORY", "mmap_size = 0"].iter().try_for_each(|text| pragma(db, text))
}

/// Checks whether the file is a queue that this build reads. Returns whether it is still empty.
fn version(db: &Connection) -> Result<bool> {
    let (application, version): (i32, u32) = db.query_row(
        "SELECT (SELECT application_id FROM pragma_application_id), (SELECT user_version FROM pragma_user_version)",
        [],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?;
    match (application, version) {
        (APPLICATION_ID, VERSION) => Ok(false),
        (APPLICATION_ID, older) if older > 0 && older < VERSION => {
            Err(StoreError::OtherFormat(format!("has the older format {older}; this build reads format {VERSION}")))
        }
        (APPLICATION_ID, newer) if newer > VERSION => Err(StoreError::Newer(newer)),
        (0, 0) if db.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get::<_, i64>(0))? == 0 => Ok(true),
        _ => Err(StoreError::OtherFormat(format!(
            "is not a queue of REZ Monitor (application {application:#x}, version {version})"
        ))),
    }
}

/// Creates the tables, inside the caller's transaction.
pub(super) fn create(db: &Connection) -> Result<()> {
    db.execute_batch(TABLES)?;
    db.execute_batch(&format!("PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {VERSION};"))?;
    Ok(())
}

/// The raw columns of a row, as the file (or a page of a damaged one) has them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RawRow<'a> {
    /// Its number.
    pub(crate) seq: i64,
    /// UUID as text.
    pub(crate) id: &'a [u8],
    /// 0 to 3.
    pub(crate) lane: i64,
    /// Spelling of its kind.
    pub(crate) kind: &'a [u8],
    /// Number of its run.
    pub(crate) run: i64,
    /// Milliseconds since 1970.
    pub(crate) wall_ms: i64,
    /// Milliseconds since boot.
    pub(crate) mono_ms: i64,
    /// JSON array, or NULL.
    pub(crate) targets: Option<&'a [u8]>,
    /// The event.
    pub(crate) json: &'a [u8],
}

/// CRC-32 over all columns but `crc`. Texts go in with their length in front, numbers as 8 bytes little endian.
pub(crate) fn row_crc(row: &RawRow<'_>) -> u32 {
    let mut head = [0u8; 48];
    let numbers = [row.seq, row.lane, row.run, row.wall_ms, row.mono_ms, row.targets.map_or(-1, |_| 1)];
    for (place, number) in head.chunks_exact_mut(8).zip(numbers) {
        place.copy_from_slice(&number.to_le_bytes());
    }
    let mut crc = crc32fast::Hasher::new();
    crc.update(&head);
    for text in [row.id, row.kind, row.targets.unwrap_or_default(), row.json] {
        crc.update(&(text.len() as u64).to_le_bytes());
        crc.update(text);
    }
    crc.finalize()
}

/// [`row_crc`] of a row that was read.
pub(crate) fn crc_of(row: &Row) -> u32 {
    let targets = (!row.targets.is_empty()).then(|| serde_json::to_string(&row.targets).unwrap_or_default());
    row_crc(&RawRow {
        seq: super::memory::signed(row.seq),
        id: row.id.to_string().as_bytes(),
        lane: row.kind.lane().number().into(),
        kind: row.kind.as_str().as_bytes(),
        run: row.run,
        wall_ms: row.wall_ms,
        mono_ms: row.mono_ms,
        targets: targets.as_deref().map(str::as_bytes),
        json: row.json.as_bytes(),
    })
}

/// [`row_crc`] of what the carver takes for a row.
pub(crate) fn candidate_crc(found: &Candidate<'_>) -> u32 {
    row_crc(&RawRow {
        seq: super::memory::signed(found.seq),
        id: found.id.as_bytes(),
        lane: i64::from(found.lane),
        kind: found.kind.as_bytes(),
        run: found.run,
        wall_ms: found.wall_ms,
        mono_ms: found.mono_ms,
        targets: found.targets.map(str::as_bytes),
        json: found.json.as_bytes(),
    })
}

/// A row as it was read.
pub(super) enum Read {
    /// Its checksum is right.
    Good(Row),
    /// Its checksum is wrong, or a column has the wrong type. `seq` and, where it can be read, `kind`.
    Bad(u64, Option<Kind>),
}

/// Reads the columns of [`ROW`].
pub(super) fn read_row(row: &rusqlite::Row<'_>) -> Result<Read, rusqlite::Error> {
    fn text<'a>(row: &'a rusqlite::Row<'_>, column: usize) -> Option<&'a [u8]> {
        match row.get_ref(column) {
            Ok(ValueRef::Text(bytes)) => Some(bytes),
            _ => None,
        }
    }
    fn number(row: &rusqlite::Row<'_>, column: usize) -> Option<i64> {
        match row.get_ref(column) {
            Ok(ValueRef::Integer(number)) => Some(number),
            _ => None,
        }
    }
    let seq: i64 = row.get(0)?;
    let raw = || {
        let raw = RawRow {
            seq,
            id: text(row, 1)?,
            lane: number(row, 2)?,
            kind: text(row, 3)?,
            run: number(row, 4)?,
            wall_ms: number(row, 5)?,
            mono_ms: number(row, 6)?,
            targets: text(row, 7),
            json: text(row, 8)?,
        };
        (number(row, 9)? == i64::from(row_crc(&raw))).then_some(raw)
    };
    let kind = text(row, 3).and_then(|kind| std::str::from_utf8(kind).ok()).and_then(Kind::parse);
    let parsed = raw().and_then(|raw| {
        Some(Row {
            seq: u64::try_from(seq).ok()?,
            id: std::str::from_utf8(raw.id).ok()?.parse::<EventId>().ok()?,
            kind: kind?,
            run: raw.run,
            wall_ms: raw.wall_ms,
            mono_ms: raw.mono_ms,
            targets: match raw.targets {
                Some(json) => serde_json::from_slice(json).ok()?,
                None => Vec::new(),
            },
            json: std::str::from_utf8(raw.json).ok()?.to_string(),
        })
    });
    Ok(parsed.map_or(Read::Bad(seq.max(0) as u64, kind), Read::Good))
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Bench, NOW, identity};
    use super::super::{Options, Store};
    use super::*;

    #[test]
    fn sqlite_is_new_enough_for_the_write_ahead_log_to_be_safe() {
        // 3.51.3 fixed a race in which two connections could damage the file while the log was reset.
        assert!(rusqlite::version_number() >= 3_051_003, "{}", rusqlite::version());
    }

    #[test]
    fn the_file_has_the_expected_settings() {
        let bench = Bench::fresh();
        let query = |pragma: &str| -> String {
            bench
                .store
                .db
                .query_row(&format!("PRAGMA {pragma}"), [], |row| row.get::<_, rusqlite::types::Value>(0))
                .map_or_else(
                    |error| error.to_string(),
                    |value| match value {
                        rusqlite::types::Value::Integer(number) => number.to_string(),
                        rusqlite::types::Value::Text(text) => text,
                        other => format!("{other:?}"),
                    },
                )
        };
        let expected = [
            ("journal_mode", "wal"),
            ("synchronous", "1"),
            ("wal_autocheckpoint", "0"),
            ("temp_store", "2"),
            ("cache_size", "-512"),
            ("trusted_schema", "0"),
            ("auto_vacuum", "2"),
            ("page_size", "4096"),
            ("journal_size_limit", "1056768"),
            ("application_id", "1380276817"),
            ("user_version", "2"),
        ];
        for (pragma, value) in expected {
            assert_eq!(query(pragma), value, "{pragma}");
        }
        let defensive = bench.store.db.db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE).unwrap();
        assert!(defensive);
    }

    #[test]
    fn reading_a_lane_in_order_needs_no_sort_and_no_scan() {
        let bench = Bench::new();
        let plan: String = bench
            .store
            .db
            .query_row("EXPLAIN QUERY PLAN SELECT json FROM event WHERE lane = 1 AND seq > 5 ORDER BY seq", [], |row| {
                row.get(3)
            })
            .unwrap();
        assert_eq!(plan, "SEARCH event USING INDEX event_lane (lane=? AND rowid>?)");
    }

    #[test]
    fn a_file_of_a_newer_build_is_left_alone() {
        let bench = Bench::new();
        bench.store.db.execute_batch("PRAGMA user_version = 7").unwrap();
        let Bench { folder, store, .. } = bench;
        drop(store);
        let error = Store::open(folder.path(), &identity(), Options::default()).err();
        assert_eq!(error, Some(StoreError::Newer(7)));
    }

    #[test]
    fn a_file_of_an_older_build_is_an_error_that_names_both_formats() {
        let bench = Bench::new();
        bench.store.db.execute_batch("PRAGMA user_version = 1").unwrap();
        let Bench { folder, store, .. } = bench;
        drop(store);
        let error = Store::open(folder.path(), &identity(), Options::default()).err();
        let text = error.map(|error| error.to_string()).unwrap_or_default();
        assert_eq!(text, format!("queue.db has the older format 1; this build reads format {VERSION}"));
    }

    #[test]
    fn a_file_that_is_not_a_queue_is_an_error_that_says_so() {
        for content in
            ["not a database, but long enough to be taken for one ".repeat(200).into_bytes(), vec![0xff; 8192]]
        {
            let folder = tempfile::tempdir().unwrap();
            std::fs::write(folder.path().join("queue.db"), content).unwrap();
            let error = Store::open(folder.path(), &identity(), Options::default()).err();
            assert!(matches!(error, Some(StoreError::Corrupt(_))), "{error:?}");
        }
        let folder = tempfile::tempdir().unwrap();
        Connection::open(folder.path().join("queue.db")).unwrap().execute_batch("CREATE TABLE other (x)").unwrap();
        let error = Store::open(folder.path(), &identity(), Options::default()).err();
        let text = error.map(|error| error.to_string()).unwrap_or_default();
        assert!(text.starts_with("queue.db is not a queue of REZ Monitor"), "{text}");
    }

    #[test]
    fn an_empty_database_file_gets_the_schema() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("queue.db"), b"").unwrap();
        let mut store = Store::open(folder.path(), &identity(), Options::default()).unwrap();
        assert_eq!(store.install(), "install-1");
        store.declare("main", &["x"], super::super::From::Oldest, NOW).unwrap();
    }

    #[test]
    fn the_checksum_covers_every_column() {
        let good = RawRow {
            seq: 1,
            id: b"id",
            lane: 2,
            kind: b"error",
            run: 3,
            wall_ms: 4,
            mono_ms: 5,
            targets: None,
            json: b"{}",
        };
        let changed = [
            RawRow { seq: 2, ..good },
            RawRow { id: b"iD", ..good },
            RawRow { lane: 1, ..good },
            RawRow { kind: b"hang", ..good },
            RawRow { run: 0, ..good },
            RawRow { wall_ms: -4, ..good },
            RawRow { mono_ms: 0, ..good },
            RawRow { targets: Some(b""), ..good },
            RawRow { json: b"{ }", ..good },
            // The same bytes, divided differently between the columns.
            RawRow { id: b"ide", kind: b"rror", ..good },
        ];
        for row in changed {
            assert_ne!(row_crc(&row), row_crc(&good), "{row:?}");
        }
    }
}
