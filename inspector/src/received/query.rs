//! What the requests of our own protocol read: its accepted events, and counts.

use super::LostCount;
use super::file::{Db, Sql, unsigned};
use super::gaps::{self, Finder, Gaps};
use super::rfc3339;
use rusqlite::params;
use serde::Serialize;
use serde_json::value::RawValue;
use std::collections::BTreeMap;

/// Totals over all events of our own protocol.
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

impl Db {
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
        let events = by("SELECT kind, count(*) FROM event WHERE protocol = 'rez' AND code IS NULL GROUP BY kind")?;
        let rejected =
            by("SELECT code, count(*) FROM event WHERE protocol = 'rez' AND code IS NOT NULL GROUP BY code")?;
        let total = events.values().fold(0_u64, |sum, n| sum.saturating_add(*n));
        Ok(Counts { total, events, duplicates, batches, replays, rejected, lost: self.lost()? })
    }

    pub(super) fn lost(&self) -> Sql<Vec<LostRow>> {
        self.all(
            "SELECT install, epoch, kind, reason, max(count) FROM lost GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4",
            [],
            |row| {
                let lost = LostCount { kind: row.get(2)?, reason: row.get(3)?, count: unsigned(row, 4)? };
                Ok(LostRow { install: row.get(0)?, epoch: unsigned(row, 1)?, lost })
            },
        )
    }

    /// Returns missing sequence numbers per device and epoch.
    pub(crate) fn gaps(&self) -> Sql<Vec<Gaps>> {
        let mut finder = Finder::default();
        let mut statement = self.connection.prepare(
            "SELECT DISTINCT install, seq FROM event WHERE protocol = 'rez' AND seq IS NOT NULL ORDER BY 1, 2",
        )?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let install: String = row.get(0)?;
            finder.next(&install, unsigned(row, 1)?);
        }
        let lost = self.lost()?;
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
                let sql = "SELECT min(n) FROM event WHERE protocol = 'rez' AND id = ?1 AND id <> '' AND code IS NULL";
                match self.connection.query_row(sql, [id.to_ascii_lowercase()], |row| row.get::<_, Option<i64>>(0))? {
                    Some(n) => n,
                    None => return Ok(None),
                }
            }
        };
        let limit = i64::try_from(filter.limit).unwrap_or(i64::MAX);
        self.all(
            "SELECT n, id, install, seq, kind, ts_ms, time_ms, received_ms, batch_id, text FROM event
             WHERE protocol = 'rez' AND code IS NULL AND n > ?1 AND (?2 IS NULL OR kind = ?2) ORDER BY n LIMIT ?3",
            params![after, filter.kind, limit],
            |row| {
                let time = |column| row.get(column).map(rfc3339);
                let text: String = row.get(9)?;
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
                    event: RawValue::from_string(text).unwrap_or_default(),
                })
            },
        )
        .map(Some)
    }

    pub(crate) fn ids(&self) -> Sql<Vec<String>> {
        let sql = "SELECT id FROM event WHERE protocol = 'rez' AND code IS NULL ORDER BY n";
        self.all(sql, [], |row| row.get(0))
    }

    /// Returns the number of accepted events of our own protocol. Reads an index only.
    pub(crate) fn arrived(&self) -> Sql<u64> {
        let sql = "SELECT count(*) FROM event WHERE protocol = 'rez' AND code IS NULL AND once <> ''";
        self.connection.query_row(sql, [], |row| unsigned(row, 0))
    }
}
