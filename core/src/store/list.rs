//! Rows for the inspector, each with where it is on every route.

use super::answers::{RouteFate, RowState};
use super::error::Result;
use super::memory::{Memory, signed};
use super::read::{Reader, state_of};
use super::schema::{ROW, Read, read_row};
use crate::kind::{Kind, Lane};
use crate::row::Row;
use rusqlite::{Connection, params};

/// Which rows to list; the default is all of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Only this kind.
    pub kind: Option<Kind>,
    /// Only this lane.
    pub lane: Option<Lane>,
    /// Only rows that this route still has (queued, parked, in flight or dead).
    pub held_by: Option<String>,
    /// Only rows recorded at or after this wall clock (milliseconds since 1970).
    pub since_ms: Option<i64>,
    /// Only rows stored after this one.
    pub after: u64,
    /// Only rows whose JSON contains this text, as it is spelled there.
    pub text: Option<String>,
    /// The newest that many; 0 = all.
    pub limit: usize,
}

/// One row of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// The row.
    pub row: Row,
    /// Where it is, per route; routes that are past it are left out.
    pub routes: Vec<RouteFate>,
}

impl Reader {
    /// The rows that pass the filter, newest last. A row that fails its checksum is left out (`None` would say
    /// nothing; [`Reader::damaged`] counts them).
    pub fn list(&self, filter: &Filter) -> Result<Vec<Listed>> {
        self.look(|db, memory| list(db, memory, filter))
    }

    /// Reads every row and counts those that fail their checksum.
    pub fn damaged(&self) -> Result<u64> {
        self.look(|db, _| {
            let mut select = db.prepare(&format!("SELECT {ROW} FROM event"))?;
            let mut rows = select.query([])?;
            let mut damaged = 0;
            while let Some(row) = rows.next()? {
                damaged += u64::from(matches!(read_row(row)?, Read::Bad(..)));
            }
            Ok(damaged)
        })
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
