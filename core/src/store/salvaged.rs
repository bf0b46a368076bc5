//! A new file for the rows that were found in a damaged one. It is for reading: the engine recovers its own file.

use super::error::{Result, StoreError};
use super::memory::signed;
use super::schema::{self, INSERT_EVENT};
use super::types::Identity;
use super::{create, memory};
use crate::carve::{Found, FoundRun};
use rusqlite::{Connection, OpenFlags, params};
use std::path::Path;

/// A route of the damaged file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct SalvagedRoute {
    pub(crate) number: i64,
    pub(crate) name: String,
    pub(crate) destination: String,
    pub(crate) dormant_since_ms: Option<i64>,
    /// Per lane: it had settled the rows up to this one.
    pub(crate) lanes: [u64; 4],
}

/// The routes of a damaged file with their cursors, as far as SQLite can still read them; empty if it cannot.
pub(crate) fn routes_of(path: &Path) -> Vec<SalvagedRoute> {
    let read = || -> Result<Vec<SalvagedRoute>> {
        let db = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
        schema::pragma(&db, "trusted_schema = OFF")?;
        let mut select = db.prepare("SELECT number, name, destination, dormant_since_ms FROM route ORDER BY number")?;
        let routes = select.query_map([], |row| {
            Ok(SalvagedRoute {
                number: row.get(0)?,
                name: row.get(1)?,
                destination: row.get(2)?,
                dormant_since_ms: row.get(3)?,
                lanes: [0; 4],
            })
        })?;
        let mut routes: Vec<SalvagedRoute> = routes.collect::<Result<_, _>>()?;
        let mut select = db.prepare("SELECT route, lane, seq FROM cursor")?;
        let mut cursors = select.query([])?;
        while let Some(cursor) = cursors.next()? {
            let (number, lane, seq): (i64, u8, i64) = (cursor.get(0)?, cursor.get(1)?, cursor.get(2)?);
            let route = routes.iter_mut().find(|route| route.number == number);
            if let Some(mark) = route.and_then(|route| route.lanes.get_mut(usize::from(lane))) {
                *mark = memory::unsigned(seq);
            }
        }
        Ok(routes)
    };
    read().unwrap_or_default()
}

/// Writes a queue with these rows under their old numbers. It begins a new epoch, so that it balances: what it holds
/// was taken over.
pub(crate) fn write_salvaged(
    path: &Path,
    identity: &Identity,
    runs: &[FoundRun],
    rows: &[Found],
    routes: &[SalvagedRoute],
) -> Result<()> {
    let db = Connection::open(path)?;
    db.execute_batch("PRAGMA page_size = 4096; PRAGMA temp_store = MEMORY; PRAGMA synchronous = OFF; BEGIN IMMEDIATE")?;
    schema::create(&db)?;
    create::first_rows(&db, identity)?;
    {
        let mut insert = db.prepare("INSERT OR IGNORE INTO run (number, id, boot, json) VALUES (?1, ?2, ?3, ?4)")?;
        for run in runs {
            insert.execute(params![run.number, run.id, run.boot, run.json])?;
        }
        let mut insert = db.prepare(INSERT_EVENT)?;
        for row in rows {
            insert.execute(params![
                signed(row.seq),
                row.id,
                row.lane,
                row.kind,
                row.run,
                row.wall_ms,
                row.mono_ms,
                row.targets,
                row.json,
                row.crc
            ])?;
        }
    }
    if routes.is_empty() {
        db.execute("UPDATE flow SET base = (SELECT count(*) FROM event)", [])?;
    } else {
        db.execute_batch("DELETE FROM route; DELETE FROM flow;")?;
        routes.iter().try_for_each(|route| add_route(&db, identity, route))?;
    }
    db.execute("UPDATE fold SET clean = 1", [])?;
    db.execute_batch("COMMIT")?;
    db.close().map_err(|(_, error)| StoreError::from(error))
}

fn add_route(db: &Connection, identity: &Identity, route: &SalvagedRoute) -> Result<()> {
    let SalvagedRoute { number, name, destination, dormant_since_ms, lanes } = route;
    db.execute(
        "INSERT INTO route VALUES (?1, ?2, ?3, ?4, NULL)",
        params![number, name, destination, dormant_since_ms],
    )?;
    db.execute(
        "INSERT INTO flow VALUES (?1, ?2, 0, ?3, 0, 0)",
        params![number, signed(identity.epoch), signed((identity.epoch << memory::EPOCH_SHIFT) | 1)],
    )?;
    for (lane, mark) in lanes.iter().enumerate() {
        db.execute("INSERT INTO cursor VALUES (?1, ?2, ?3)", params![number, lane as i64, signed(*mark)])?;
        db.execute(
            "UPDATE flow SET base = base + (SELECT count(*) FROM event WHERE lane = ?2 AND seq > ?3) WHERE route = ?1",
            params![number, lane as i64, signed(*mark)],
        )?;
    }
    Ok(())
}
