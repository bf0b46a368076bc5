//! The file: its format, and how it is opened.

use rusqlite::{Connection, OpenFlags, Params, Row};
use std::io::Read as _;
use std::path::{Path, PathBuf};

/// Identifies the file: `REZC`.
const APPLICATION_ID: u32 = 0x5245_5a43;

/// Format of the file.
const VERSION: i64 = 3;

/// Place of the application id in the header of an SQLite file.
const ID_AT: usize = 68;

const SCHEMA: &str = "
CREATE TABLE event (
  n INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT NOT NULL, protocol TEXT NOT NULL, project TEXT NOT NULL, id TEXT NOT NULL,
  once TEXT NOT NULL, install TEXT NOT NULL, seq INTEGER, kind TEXT NOT NULL, ts_ms INTEGER NOT NULL, time_ms INTEGER NOT NULL,
  received_ms INTEGER NOT NULL, boot TEXT, mono_ms INTEGER, client TEXT NOT NULL, batch_id TEXT NOT NULL,
  repeats INTEGER NOT NULL DEFAULT 0, code TEXT, field TEXT, message TEXT, findings TEXT, fields TEXT, text TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX event_once ON event (protocol, project, once) WHERE code IS NULL AND once <> '';
CREATE INDEX event_key ON event (key);
CREATE INDEX event_id ON event (id) WHERE id <> '';
CREATE INDEX event_sender ON event (install, protocol);
CREATE TABLE batch (
  n INTEGER PRIMARY KEY, project TEXT NOT NULL, batch_id TEXT NOT NULL, received_ms INTEGER NOT NULL,
  events INTEGER NOT NULL, duplicate INTEGER NOT NULL, replayed INTEGER NOT NULL DEFAULT 0,
  ids TEXT, answer TEXT,
  UNIQUE (project, batch_id)
) STRICT;
CREATE TABLE lost (
  project TEXT NOT NULL, install TEXT NOT NULL, epoch INTEGER NOT NULL, kind TEXT NOT NULL, reason TEXT NOT NULL,
  count INTEGER NOT NULL, told_ms INTEGER NOT NULL,
  PRIMARY KEY (project, install, epoch, kind, reason)
) STRICT, WITHOUT ROWID;
CREATE TABLE state (version INTEGER NOT NULL) STRICT;
";

/// Why the file of a collector cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReceivedError {
    /// SQLite cannot use the file.
    #[error("cannot use {}: {message}", path.display())]
    Db {
        /// The file.
        path: PathBuf,
        /// The error of SQLite.
        message: String,
    },
    /// The file exists and no collector created it.
    #[error("{} is not a collector file; choose another file", .0.display())]
    NotOurs(PathBuf),
    /// A collector of another version created the file.
    #[error(
        "{} has format {found}, and this version of rezq uses format {VERSION}; use the version of rezq that made it, or move it away and let \
         `rezq collect` create a new one", path.display()
    )]
    OtherFormat {
        /// The file.
        path: PathBuf,
        /// Its format.
        found: i64,
    },
}

/// An error of SQLite.
pub(crate) type SqlError = rusqlite::Error;

pub(super) type Sql<T> = Result<T, SqlError>;

/// The open file.
pub(crate) struct Db {
    pub(super) connection: Connection,
    path: PathBuf,
    pub(super) pruned_ms: i64,
}

/// Whether the file is that of a collector. Reads its header only.
#[must_use]
pub fn is_received(path: &Path) -> bool {
    let mut header = [0; 100];
    let is_file = path.metadata().is_ok_and(|metadata| metadata.is_file());
    let read = is_file && std::fs::File::open(path).and_then(|mut file| file.read_exact(&mut header)).is_ok();
    read && header.get(ID_AT..ID_AT + 4) == Some(&APPLICATION_ID.to_be_bytes())
}

impl Db {
    /// Opens or creates the file.
    pub(crate) fn open(path: &Path, now_ms: i64) -> Result<Db, ReceivedError> {
        let fail = |error: rusqlite::Error| failed(path, &error);
        let connection = Connection::open(path).map_err(fail)?;
        let tables: i64 =
            connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0)).map_err(fail)?;
        if tables == 0 {
            // The id before the log, so that it is in the header of the file from the start.
            connection
                .execute_batch(&format!(
                    "PRAGMA application_id={APPLICATION_ID}; PRAGMA journal_mode=WAL; BEGIN; {SCHEMA}
                     INSERT INTO state VALUES ({}); PRAGMA user_version={VERSION}; COMMIT;",
                    // Another number than that of a file which was there before.
                    now_ms.saturating_mul(1_000).max(0)
                ))
                .map_err(fail)?;
        } else {
            check(&connection, path)?;
        }
        // A response confirms that the rows are on disk, so each commit is synced.
        connection.execute_batch("PRAGMA synchronous=FULL; PRAGMA temp_store=MEMORY;").map_err(fail)?;
        let mut db = Db { connection, path: path.to_owned(), pruned_ms: i64::MIN };
        db.prune(now_ms).map_err(fail).map(|()| db)
    }

    /// Opens the file for reading, also while a collector writes it.
    pub(crate) fn read(path: &Path) -> Result<Db, ReceivedError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(path, flags).map_err(|error| failed(path, &error))?;
        check(&connection, path)?;
        Ok(Db { connection, path: path.to_owned(), pruned_ms: i64::MAX })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn all<T>(&self, sql: &str, params: impl Params, read: impl FnMut(&Row<'_>) -> Sql<T>) -> Sql<Vec<T>> {
        self.connection.prepare_cached(sql)?.query_map(params, read)?.collect()
    }
}

/// Whether a collector of this version made the file.
fn check(connection: &Connection, path: &Path) -> Result<(), ReceivedError> {
    let sql = "SELECT application_id, user_version FROM pragma_application_id, pragma_user_version";
    let read = connection.query_row(sql, [], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?)));
    match read.map_err(|error| failed(path, &error))? {
        (id, VERSION) if id == i64::from(APPLICATION_ID) => Ok(()),
        (id, found) if id == i64::from(APPLICATION_ID) => {
            Err(ReceivedError::OtherFormat { path: path.to_owned(), found })
        }
        _ => Err(ReceivedError::NotOurs(path.to_owned())),
    }
}

pub(crate) fn failed(path: &Path, error: &rusqlite::Error) -> ReceivedError {
    ReceivedError::Db { path: path.to_owned(), message: error.to_string() }
}

/// A count that SQLite stored.
pub(super) fn unsigned(row: &Row<'_>, column: usize) -> Sql<u64> {
    Ok(u64::try_from(row.get::<_, i64>(column)?).unwrap_or(0))
}
