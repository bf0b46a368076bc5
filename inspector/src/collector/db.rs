//! The collector's SQLite file: events, responses and reported losses.

use super::CollectorError;
use super::batch::{self, Event, LostCount, Rejection};
use super::gaps::{self, Finder, Gaps};
use rusqlite::{Connection, OptionalExtension, Params, Row, params};
use serde::Serialize;
use serde_json::value::RawValue;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Identifies the file: `REZC`.
const APPLICATION_ID: i64 = 0x5245_5a43;

/// Format of the file.
const VERSION: i64 = 1;

/// Interval between two deletions of old rows, in milliseconds.
const PRUNE_INTERVAL_MS: i64 = 3600 * 1000;

const SCHEMA: &str = "
CREATE TABLE event (
  n INTEGER PRIMARY KEY, project TEXT NOT NULL, id TEXT NOT NULL, install TEXT NOT NULL, seq INTEGER NOT NULL,
  kind TEXT NOT NULL, ts_ms INTEGER NOT NULL, time_ms INTEGER NOT NULL, received_ms INTEGER NOT NULL,
  boot TEXT, mono_ms INTEGER, batch_id TEXT NOT NULL, json TEXT NOT NULL,
  UNIQUE (project, id)
) STRICT;
CREATE TABLE rejection (
  n INTEGER PRIMARY KEY, project TEXT NOT NULL, install TEXT NOT NULL, seq INTEGER, id TEXT NOT NULL,
  code TEXT NOT NULL, field TEXT NOT NULL, message TEXT NOT NULL, received_ms INTEGER NOT NULL
) STRICT;
CREATE TABLE batch (
  n INTEGER PRIMARY KEY, project TEXT NOT NULL, batch_id TEXT NOT NULL, received_ms INTEGER NOT NULL,
  events INTEGER NOT NULL, duplicate INTEGER NOT NULL, replayed INTEGER NOT NULL DEFAULT 0,
  ids TEXT, answer TEXT,
  UNIQUE (project, batch_id)
) STRICT;
CREATE TABLE lost (
  project TEXT NOT NULL, install TEXT NOT NULL, epoch INTEGER NOT NULL, kind TEXT NOT NULL, reason TEXT NOT NULL,
  count INTEGER NOT NULL,
  PRIMARY KEY (project, install, epoch, kind, reason)
) STRICT, WITHOUT ROWID;
";

/// The open file.
pub(crate) struct Db {
    pub(super) connection: Connection,
    pub(super) path: PathBuf,
    pub(super) pruned_ms: i64,
}

/// A batch with validated events.
pub(crate) struct CheckedBatch<'a> {
    pub(crate) project: &'a str,
    pub(crate) batch_id: &'a str,
    pub(crate) install: &'a str,
    pub(crate) epoch: u64,
    pub(crate) received_ms: i64,
    pub(crate) ids: &'a str,
    pub(crate) lost: &'a [LostCount],
    pub(crate) events: Vec<(Event, &'a RawValue)>,
    pub(crate) rejected: Vec<Rejection>,
}

/// Whether a response to this key is stored.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Replay {
    /// No response is stored.
    Fresh,
    /// A response to the same events is stored.
    Same(String),
    /// A response to other events is stored.
    Clash,
}

/// The outcome of a batch.
#[derive(Debug, Serialize)]
pub(crate) struct Receipt<'a> {
    pub(crate) batch_id: &'a str,
    pub(crate) accepted: usize,
    pub(crate) duplicate: usize,
    pub(crate) rejected: &'a [Rejection],
}

/// Totals over all stored events.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Distinct events.
    pub total: u64,
    /// Events by kind.
    pub events: BTreeMap<String, u64>,
    /// Duplicate events, in other batches and in repeated batches.
    pub duplicates: u64,
    /// Batches stored.
    pub batches: u64,
    /// Repeated responses.
    pub replays: u64,
    /// Rejected events by code.
    pub rejected: BTreeMap<String, u64>,
    /// Reported losses: the highest count per device.
    pub lost: Vec<LostRow>,
}

/// A loss that a device reported.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LostRow {
    /// The device.
    pub install: String,
    /// Its epoch.
    pub epoch: u64,
    /// Kind, reason and count.
    #[serde(flatten)]
    pub lost: LostCount,
}

/// A stored event, as returned by `GET /v1/events`.
#[derive(Debug, Serialize)]
pub struct StoredEvent {
    /// Order of arrival.
    pub n: i64,
    /// Its id.
    pub id: String,
    /// The device.
    pub install: String,
    /// Its sequence number.
    pub seq: u64,
    /// Its kind.
    pub kind: String,
    /// Time by the clock of the device.
    pub ts: String,
    /// Time by the clock of the collector.
    pub time: String,
    /// Time of receipt.
    pub received: String,
    /// The batch it arrived in.
    pub batch_id: String,
    /// The event as sent.
    pub event: Box<RawValue>,
}

/// Selects stored events.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Only this kind.
    pub kind: Option<String>,
    /// Only events that arrived after the event with this id.
    pub since: Option<String>,
    /// Maximum number of events, oldest first.
    pub limit: usize,
}

type Sql<T> = Result<T, rusqlite::Error>;

impl Db {
    /// Opens or creates the file.
    pub(crate) fn open(path: &Path, now_ms: i64) -> Result<Db, CollectorError> {
        let fail = |error: rusqlite::Error| CollectorError::Db { path: path.to_owned(), message: error.to_string() };
        let connection = Connection::open(path).map_err(fail)?;
        let tables: i64 =
            connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0)).map_err(fail)?;
        if tables == 0 {
            connection
                .execute_batch(&format!(
                    "PRAGMA journal_mode=WAL; BEGIN; {SCHEMA}
                     PRAGMA application_id={APPLICATION_ID}; PRAGMA user_version={VERSION}; COMMIT;"
                ))
                .map_err(fail)?;
        } else if !is_ours(&connection).map_err(fail)? {
            return Err(CollectorError::NotOurs(path.to_owned()));
        }
        // A response confirms that the rows are on disk, so each commit is synced.
        connection.execute_batch("PRAGMA synchronous=FULL; PRAGMA temp_store=MEMORY;").map_err(fail)?;
        let mut db = Db { connection, path: path.to_owned(), pruned_ms: i64::MIN };
        db.prune(now_ms).map_err(fail).map(|()| db)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the response of the last 24 hours to this key, if any, and counts its repetition.
    pub(crate) fn replay(&mut self, project: &str, key: &str, ids: &str, now_ms: i64) -> Sql<Replay> {
        let found: Option<(i64, Option<String>, Option<String>)> = self
            .connection
            .query_row(
                "SELECT n, ids, answer FROM batch WHERE project = ?1 AND batch_id = ?2 AND received_ms > ?3",
                params![project, key, now_ms.saturating_sub(batch::REPLAY_MS)],
                |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
            )
            .optional()?;
        Ok(match found {
            Some((n, Some(stored), Some(response))) if stored == ids => {
                self.connection.execute("UPDATE batch SET replayed = replayed + 1 WHERE n = ?1", [n])?;
                Replay::Same(response)
            }
            Some((_, Some(_), Some(_))) => Replay::Clash,
            _ => Replay::Fresh,
        })
    }

    /// Stores a batch and its response in one transaction, and returns the response. `response` formats it.
    pub(crate) fn store(
        &mut self,
        batch: &CheckedBatch<'_>,
        response: impl FnOnce(&Receipt<'_>) -> String,
    ) -> Sql<String> {
        if batch.received_ms.saturating_sub(self.pruned_ms) > PRUNE_INTERVAL_MS {
            self.prune(batch.received_ms)?;
        }
        let transaction = self.connection.transaction()?;
        let mut accepted = 0_usize;
        {
            let mut insert = transaction.prepare(
                "INSERT OR IGNORE INTO event
                 (project, id, install, seq, kind, ts_ms, time_ms, received_ms, boot, mono_ms, batch_id, json)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
            )?;
            for (event, raw) in &batch.events {
                accepted = accepted.saturating_add(insert.execute(params![
                    batch.project,
                    event.id,
                    batch.install,
                    event.seq as i64,
                    event.kind.as_str(),
                    event.ts_ms,
                    event.time_ms,
                    batch.received_ms,
                    event.boot,
                    event.mono_ms,
                    batch.batch_id,
                    raw.get(),
                ])?);
            }
            let mut reject = transaction.prepare(
                "INSERT INTO rejection (project, install, seq, id, code, field, message, received_ms)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            )?;
            for rejection in &batch.rejected {
                reject.execute(params![
                    batch.project,
                    batch.install,
                    rejection.seq.and_then(|seq| i64::try_from(seq).ok()),
                    rejection.id,
                    rejection.code,
                    rejection.field,
                    rejection.message,
                    batch.received_ms,
                ])?;
            }
            let mut lose = transaction.prepare(
                "INSERT INTO lost (project, install, epoch, kind, reason, count) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
                 ON CONFLICT DO UPDATE SET count = max(count, excluded.count)",
            )?;
            for lost in batch.lost {
                let (epoch, count) = (clamped(batch.epoch), clamped(lost.count));
                lose.execute(params![batch.project, batch.install, epoch, lost.kind, lost.reason, count])?;
            }
        }
        let duplicate = batch.events.len().saturating_sub(accepted);
        let receipt = Receipt { batch_id: batch.batch_id, accepted, duplicate, rejected: &batch.rejected };
        let text = response(&receipt);
        transaction.execute(
            "INSERT OR REPLACE INTO batch (project, batch_id, received_ms, events, duplicate, ids, answer)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            params![
                batch.project,
                batch.batch_id,
                batch.received_ms,
                batch.events.len().saturating_add(batch.rejected.len()) as i64,
                duplicate as i64,
                batch.ids,
                text,
            ],
        )?;
        transaction.commit()?;
        Ok(text)
    }

    /// Deletes events after the deduplication window, and responses after the replay window.
    fn prune(&mut self, now_ms: i64) -> Sql<()> {
        self.pruned_ms = now_ms;
        let transaction = self.connection.transaction()?;
        let old = now_ms.saturating_sub(batch::DEDUPE_MS);
        transaction.execute("DELETE FROM event WHERE received_ms < ?1", [old])?;
        transaction.execute("DELETE FROM rejection WHERE received_ms < ?1", [old])?;
        transaction.execute(
            "UPDATE batch SET ids = NULL, answer = NULL WHERE received_ms <= ?1 AND ids IS NOT NULL",
            [now_ms.saturating_sub(batch::REPLAY_MS)],
        )?;
        transaction.commit()
    }

    /// Returns totals over all stored events.
    pub(crate) fn counts(&self) -> Sql<Counts> {
        let (batches, duplicates, replays) = self.connection.query_row(
            "SELECT count(*), coalesce(sum(duplicate + replayed * events), 0), coalesce(sum(replayed), 0) FROM batch",
            [],
            |row| Ok((unsigned(row, 0)?, unsigned(row, 1)?, unsigned(row, 2)?)),
        )?;
        let by = |sql| -> Sql<BTreeMap<String, u64>> {
            Ok(self.all(sql, [], |row| Ok((row.get(0)?, unsigned(row, 1)?)))?.into_iter().collect())
        };
        let events = by("SELECT kind, count(*) FROM event GROUP BY kind")?;
        let rejected = by("SELECT code, count(*) FROM rejection GROUP BY code")?;
        let total = events.values().fold(0_u64, |sum, n| sum.saturating_add(*n));
        let lost = self.all(
            "SELECT install, epoch, kind, reason, max(count) FROM lost GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4",
            [],
            |row| {
                let lost = LostCount { kind: row.get(2)?, reason: row.get(3)?, count: unsigned(row, 4)? };
                Ok(LostRow { install: row.get(0)?, epoch: unsigned(row, 1)?, lost })
            },
        )?;
        Ok(Counts { total, events, duplicates, batches, replays, rejected, lost })
    }

    /// Returns missing sequence numbers per device and epoch.
    pub(crate) fn gaps(&self) -> Sql<Vec<Gaps>> {
        let mut finder = Finder::default();
        let mut statement = self.connection.prepare(
            "SELECT install, seq FROM event UNION SELECT install, seq FROM rejection WHERE seq IS NOT NULL ORDER BY 1, 2",
        )?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let install: String = row.get(0)?;
            finder.next(&install, unsigned(row, 1)?);
        }
        let lost = self.counts()?.lost;
        Ok(finder.finish(|install, epoch| {
            lost.iter()
                .filter(|row| row.install == install && row.epoch == epoch && gaps::leaves_a_gap(&row.lost.reason))
                .fold(0_u64, |sum, row| sum.saturating_add(row.lost.count))
        }))
    }

    /// Returns stored events in order of arrival, or `None` if `since` names an unknown event.
    pub(crate) fn events(&self, filter: &Filter) -> Sql<Option<Vec<StoredEvent>>> {
        let after = match &filter.since {
            None => 0,
            Some(id) => {
                let sql = "SELECT min(n) FROM event WHERE id = ?1";
                match self.connection.query_row(sql, [id.to_ascii_lowercase()], |row| row.get::<_, Option<i64>>(0))? {
                    Some(n) => n,
                    None => return Ok(None),
                }
            }
        };
        let limit = i64::try_from(filter.limit).unwrap_or(i64::MAX);
        self.all(
            "SELECT n, id, install, seq, kind, ts_ms, time_ms, received_ms, batch_id, json FROM event
             WHERE n > ?1 AND (?2 IS NULL OR kind = ?2) ORDER BY n LIMIT ?3",
            params![after, filter.kind, limit],
            |row| {
                let time = |column| row.get(column).map(batch::rfc3339);
                let json: String = row.get(9)?;
                Ok(StoredEvent {
                    n: row.get(0)?,
                    id: row.get(1)?,
                    install: row.get(2)?,
                    seq: unsigned(row, 3)?,
                    kind: row.get(4)?,
                    ts: time(5)?,
                    time: time(6)?,
                    received: time(7)?,
                    batch_id: row.get(8)?,
                    event: RawValue::from_string(json).unwrap_or_default(),
                })
            },
        )
        .map(Some)
    }

    pub(crate) fn ids(&self) -> Sql<Vec<String>> {
        self.all("SELECT id FROM event ORDER BY n", [], |row| row.get(0))
    }

    /// Returns the number of events received. Reads the highest row number, which has no gaps, instead of counting.
    pub(crate) fn arrived(&self) -> Sql<u64> {
        self.connection.query_row("SELECT coalesce(max(n), 0) FROM event", [], |row| unsigned(row, 0))
    }

    fn all<T>(&self, sql: &str, params: impl Params, read: impl FnMut(&Row<'_>) -> Sql<T>) -> Sql<Vec<T>> {
        self.connection.prepare(sql)?.query_map(params, read)?.collect()
    }
}

/// Whether a collector of this version made the file.
pub(super) fn is_ours(connection: &Connection) -> Sql<bool> {
    let sql = "SELECT application_id = ?1 AND user_version = ?2 FROM pragma_application_id, pragma_user_version";
    connection.query_row(sql, [APPLICATION_ID, VERSION], |row| row.get(0))
}

/// Converts a count to an integer that SQLite can store.
fn clamped(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

fn unsigned(row: &Row<'_>, column: usize) -> Sql<u64> {
    Ok(u64::try_from(row.get::<_, i64>(column)?).unwrap_or(0))
}
