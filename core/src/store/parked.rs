//! Exceptions: rows that left a cursor's order, parked for later or dead.

use super::Tx;
use super::error::Result;
use super::memory::{signed, unsigned};
use super::routes::{DEAD, DONE, RETRY};
use crate::reason::Reason;
use rusqlite::params;

/// One exception as it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Exception {
    pub(super) seq: u64,
    pub(super) route: i64,
    pub(super) lane: u8,
    /// [`RETRY`], [`DEAD`] or [`DONE`].
    pub(super) state: i64,
    pub(super) reason: Option<Reason>,
    pub(super) status: u16,
    pub(super) note: String,
    pub(super) at_ms: i64,
    pub(super) until_ms: Option<i64>,
}

impl Exception {
    pub(super) fn crc(&self) -> u32 {
        let mut crc = crc32fast::Hasher::new();
        let numbers = [
            signed(self.seq),
            self.route,
            i64::from(self.lane),
            self.state,
            i64::from(self.status),
            self.at_ms,
            self.until_ms.map_or(0, |_| 1),
            self.until_ms.unwrap_or(0),
        ];
        for number in numbers {
            crc.update(&number.to_le_bytes());
        }
        crc.update(self.reason.map_or("", Reason::as_str).as_bytes());
        crc.update(&[0]);
        crc.update(self.note.as_bytes());
        crc.finalize()
    }

    /// Reads `seq, route, lane, state, reason, status, note, at_ms, until_ms, crc`; `Err(seq)` when the checksum is
    /// wrong.
    pub(super) fn read(row: &rusqlite::Row<'_>) -> Result<std::result::Result<Exception, u64>> {
        let seq: i64 = row.get(0)?;
        let read = || -> std::result::Result<(Exception, i64), rusqlite::Error> {
            let exception = Exception {
                seq: unsigned(seq),
                route: row.get(1)?,
                lane: row.get(2)?,
                state: row.get(3)?,
                reason: row.get::<_, Option<String>>(4)?.and_then(|reason| Reason::parse(&reason)),
                status: row.get(5)?,
                note: row.get(6)?,
                at_ms: row.get(7)?,
                until_ms: row.get(8)?,
            };
            Ok((exception, row.get(9)?))
        };
        Ok(match read() {
            Ok((exception, crc)) if crc == i64::from(exception.crc()) => Ok(exception),
            _ => Err(unsigned(seq)),
        })
    }
}

impl Tx<'_> {
    /// Writes an exception over the one that was there.
    pub(super) fn except(&self, exception: &Exception) -> Result<()> {
        self.db
            .prepare_cached(
                "INSERT OR REPLACE INTO exception (seq, route, lane, state, reason, status, note, at_ms, until_ms, crc)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
            )?
            .execute(params![
                signed(exception.seq),
                exception.route,
                exception.lane,
                exception.state,
                exception.reason.map(Reason::as_str),
                exception.status,
                exception.note,
                exception.at_ms,
                exception.until_ms,
                exception.crc()
            ])?;
        Ok(())
    }

    /// Parks a row; answers whether it was not parked before.
    pub(super) fn park(&self, route: i64, seq: u64, lane: u8, at_ms: i64, until_ms: Option<i64>) -> Result<bool> {
        let known: bool = self
            .db
            .prepare_cached("SELECT EXISTS (SELECT 1 FROM exception WHERE seq = ?1 AND route = ?2)")?
            .query_row(params![signed(seq), route], |row| row.get(0))?;
        self.except(&Exception {
            seq,
            route,
            lane,
            state: RETRY,
            reason: None,
            status: 0,
            note: String::new(),
            at_ms,
            until_ms,
        })?;
        Ok(!known)
    }

    /// Keeps a row as a dead letter.
    pub(super) fn bury(
        &self,
        route: i64,
        row: (u64, u8),
        reason: Reason,
        status: u16,
        note: &str,
        at_ms: i64,
    ) -> Result<()> {
        self.except(&Exception {
            seq: row.0,
            route,
            lane: row.1,
            state: DEAD,
            reason: Some(reason),
            status,
            note: note.to_string(),
            at_ms,
            until_ms: None,
        })
    }

    /// Ends exceptions of a route that is done with these rows. Those its cursor has passed are removed, and so are
    /// the rows if nobody else holds them; the others stay named, else they would be behind the cursor again.
    pub(super) fn end(&self, route: i64, rows: &[(u64, u8)]) -> Result<()> {
        let known = self.memory.routes.iter().find(|known| known.number == route);
        let (passed, ahead): (Vec<_>, Vec<_>) =
            rows.iter().copied().partition(|(seq, lane)| known.is_none_or(|route| route.passed(*lane, *seq)));
        for (seq, lane) in ahead {
            self.done(route, seq, lane)?;
        }
        passed.iter().try_for_each(|(seq, _)| self.unpark(route, *seq))?;
        self.free(&passed)
    }

    /// The route is done with this row, which lies ahead of its cursor.
    pub(super) fn done(&self, route: i64, seq: u64, lane: u8) -> Result<()> {
        self.except(&Exception {
            seq,
            route,
            lane,
            state: DONE,
            reason: None,
            status: 0,
            note: String::new(),
            at_ms: 0,
            until_ms: None,
        })
    }

    /// Moves the cursor over rows the route is done with, if nothing else lies before them: else they would stay until
    /// another row comes.
    pub(super) fn pass_done(&mut self, route: i64, lane: usize) -> Result<()> {
        let cursor = self.memory.route_mut(route).and_then(|route| route.cursors.get(lane).copied());
        let last: Option<i64> = self
            .db
            .prepare_cached("SELECT max(seq) FROM exception WHERE route = ?1 AND lane = ?2 AND state = ?3")?
            .query_row(params![route, lane as i64, DONE], |row| row.get(0))?;
        let (Some(cursor), Some(last)) = (cursor, last.map(unsigned)) else { return Ok(()) };
        if self.behind(route, lane, cursor, last)? == 0 {
            self.move_cursor(route, lane, last)?;
        }
        Ok(())
    }

    /// Takes an exception away.
    pub(super) fn unpark(&self, route: i64, seq: u64) -> Result<()> {
        self.db
            .prepare_cached("DELETE FROM exception WHERE seq = ?1 AND route = ?2")?
            .execute(params![signed(seq), route])?;
        Ok(())
    }
}
