//! What a new process reads back: scope, properties, breadcrumbs, runs.

use super::Store;
use super::error::Result;
use super::memory::{signed, unsigned};
use super::types::Crumb;
use crate::id::EventId;
use crate::row::Run;
use rusqlite::{Connection, OptionalExtension};

impl Store {
    /// The stored scope.
    pub(crate) fn scope(&self) -> Result<Vec<(String, String)>> {
        self.pairs("SELECT key, json FROM scope ORDER BY key")
    }

    /// The stored properties of the user.
    pub(crate) fn properties(&self) -> Result<Vec<(String, String)>> {
        self.pairs("SELECT name, json FROM property ORDER BY name")
    }

    fn pairs(&self, sql: &str) -> Result<Vec<(String, String)>> {
        let mut select = self.db.prepare(sql)?;
        let pairs = select.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<Result<_, _>>()?;
        Ok(pairs)
    }

    /// The stored breadcrumbs, oldest first.
    pub(crate) fn crumbs(&self) -> Result<Vec<Crumb>> {
        let mut select = self.db.prepare("SELECT number, run, json FROM crumb ORDER BY number")?;
        let crumbs = select
            .query_map([], |row| Ok(Crumb { number: unsigned(row.get(0)?), run: row.get(1)?, json: row.get(2)? }))?;
        Ok(crumbs.collect::<Result<_, _>>()?)
    }

    /// The runs still known, oldest first.
    pub(crate) fn runs(&self) -> Result<Vec<Run>> {
        runs(&self.db)
    }

    /// Ids of the rows stored after `seq`. The carver skips these.
    pub(crate) fn ids(&self, after: u64) -> Result<Vec<EventId>> {
        let mut select = self.db.prepare("SELECT id FROM event WHERE seq > ?1 ORDER BY seq")?;
        let mut rows = select.query([signed(after)])?;
        let mut ids = Vec::new();
        while let Some(row) = rows.next()? {
            ids.extend(row.get::<_, String>(0)?.parse::<EventId>().ok());
        }
        Ok(ids)
    }

    /// One run.
    pub(super) fn run(db: &Connection, number: i64) -> Result<Option<Run>> {
        let json: Option<String> = db
            .prepare_cached("SELECT json FROM run WHERE number = ?1")?
            .query_row([number], |row| row.get(0))
            .optional()?;
        Ok(json.and_then(|json| parse_run(number, &json)))
    }
}

pub(super) fn runs(db: &Connection) -> Result<Vec<Run>> {
    let mut select = db.prepare("SELECT number, json FROM run ORDER BY number")?;
    let mut rows = select.query([])?;
    let mut runs = Vec::new();
    while let Some(row) = rows.next()? {
        runs.extend(parse_run(row.get(0)?, &row.get::<_, String>(1)?));
    }
    Ok(runs)
}

fn parse_run(number: i64, json: &str) -> Option<Run> {
    serde_json::from_str::<Run>(json).ok().map(|run| Run { number, ..run })
}
