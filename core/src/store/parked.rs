//! Exceptions: rows that left the order of a route's cursor, because they are parked, dead letters, or finished early.

use super::Tx;
use super::error::Result;
use super::memory::{signed, unsigned};
use super::routes::{DEAD, DONE, RETRY};
use crate::kind::Kind;
use crate::reason::Reason;
use rusqlite::{OptionalExtension, params};

/// The columns that [`Exception::read`] expects, in order.
pub(super) const EXCEPTION: &str = "seq, route, lane, state, kind, reason, status, note, at_ms, until_ms, crc";

/// One row of the table `exception`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Exception {
    pub(super) seq: u64,
    pub(super) route: i64,
    pub(super) lane: u8,
    /// [`RETRY`], [`DEAD`] or [`DONE`].
    pub(super) state: i64,
    /// Set for parked rows only; see [`super::schema`].
    pub(super) kind: Option<Kind>,
    pub(super) reason: Option<Reason>,
    pub(super) status: u16,
    pub(super) note: String,
    pub(super) at_ms: i64,
    pub(super) until_ms: Option<i64>,
}

impl Exception {
    fn new(route: i64, seq: u64, lane: u8, state: i64) -> Exception {
        Exception {
            seq,
            route,
            lane,
            state,
            kind: None,
            reason: None,
            status: 0,
            note: String::new(),
            at_ms: 0,
            until_ms: None,
        }
    }

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
        for text in [self.kind.map_or("", Kind::as_str), self.reason.map_or("", Reason::as_str)] {
            crc.update(text.as_bytes());
            crc.update(&[0]);
        }
        crc.update(self.note.as_bytes());
        crc.finalize()
    }

    /// Reads the columns of [`EXCEPTION`]. `Err(seq)` = the checksum is wrong.
    pub(super) fn read(row: &rusqlite::Row<'_>) -> Result<std::result::Result<Exception, u64>> {
        let seq: i64 = row.get(0)?;
        let read = || -> std::result::Result<(Exception, i64), rusqlite::Error> {
            let exception = Exception {
                seq: unsigned(seq),
                route: row.get(1)?,
                lane: row.get(2)?,
                state: row.get(3)?,
                kind: row.get::<_, Option<String>>(4)?.and_then(|kind| Kind::parse(&kind)),
                reason: row.get::<_, Option<String>>(5)?.and_then(|reason| Reason::parse(&reason)),
                status: row.get(6)?,
                note: row.get(7)?,
                at_ms: row.get(8)?,
                until_ms: row.get(9)?,
            };
            Ok((exception, row.get(10)?))
        };
        Ok(match read() {
            Ok((exception, crc)) if crc == i64::from(exception.crc()) => Ok(exception),
            _ => Err(unsigned(seq)),
        })
    }
}

impl Tx<'_> {
    /// Writes an exception, replacing an earlier one of the same row and route. Returns whether there was none.
    fn put_exception(&mut self, exception: &Exception) -> Result<bool> {
        let before: Option<i64> = self
            .db
            .prepare_cached("SELECT state FROM exception WHERE seq = ?1 AND route = ?2")?
            .query_row(params![signed(exception.seq), exception.route], |row| row.get(0))
            .optional()?;
        self.db
            .prepare_cached(&format!(
                "INSERT OR REPLACE INTO exception ({EXCEPTION}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)"
            ))?
            .execute(params![
                signed(exception.seq),
                exception.route,
                exception.lane,
                exception.state,
                exception.kind.map(Kind::as_str),
                exception.reason.map(Reason::as_str),
                exception.status,
                exception.note,
                exception.at_ms,
                exception.until_ms,
                exception.crc()
            ])?;
        let change = i64::from(exception.state == RETRY) - i64::from(before == Some(RETRY));
        self.memory.count_parked(exception.route, exception.lane, change);
        Ok(before.is_none())
    }

    /// Parks a row until a wall clock time. `None` = until its kind is open. Returns whether it had no exception
    /// before.
    pub(super) fn park(&mut self, route: i64, seq: u64, kind: Kind, at_ms: i64, until_ms: Option<i64>) -> Result<bool> {
        let exception = Exception::new(route, seq, kind.lane().number(), RETRY);
        self.put_exception(&Exception { kind: Some(kind), at_ms, until_ms, ..exception })
    }

    /// Keeps a row as a dead letter.
    pub(super) fn dead_letter(
        &mut self,
        route: i64,
        row: (u64, u8),
        reason: Reason,
        status: u16,
        note: &str,
        at_ms: i64,
    ) -> Result<()> {
        let exception = Exception::new(route, row.0, row.1, DEAD);
        let note = note.to_string();
        self.put_exception(&Exception { reason: Some(reason), status, note, at_ms, ..exception })?;
        Ok(())
    }

    /// Ends the exceptions of rows that a route has finished with. Behind the cursor the exception is removed, and the
    /// row too unless another route holds it. Ahead of the cursor the exception stays as [`DONE`], so that the row is
    /// not leased again.
    pub(super) fn end(&mut self, route: i64, rows: &[(u64, u8)]) -> Result<()> {
        let mut passed = Vec::with_capacity(rows.len());
        for (seq, lane) in rows.iter().copied() {
            let known = self.memory.routes.iter().find(|known| known.number == route);
            if known.is_none_or(|route| route.passed(lane, seq)) {
                self.remove_exception(route, seq)?;
                passed.push((seq, lane));
            } else {
                self.mark_done(route, seq, lane)?;
            }
        }
        self.free(&passed)
    }

    /// Records that the route has finished with a row ahead of its cursor.
    pub(super) fn mark_done(&mut self, route: i64, seq: u64, lane: u8) -> Result<()> {
        self.put_exception(&Exception::new(route, seq, lane, DONE))?;
        Ok(())
    }

    /// Moves the cursor over rows marked [`DONE`] if no other row lies before them. Otherwise they would stay stored
    /// until another row arrives.
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

    /// Deletes one exception.
    pub(super) fn remove_exception(&mut self, route: i64, seq: u64) -> Result<()> {
        let removed: Option<(i64, i64)> = self
            .db
            .prepare_cached("DELETE FROM exception WHERE seq = ?1 AND route = ?2 RETURNING lane, state")?
            .query_row(params![signed(seq), route], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        if let Some((lane, RETRY)) = removed {
            self.memory.count_parked(route, lane.clamp(0, 3) as u8, -1);
        }
        Ok(())
    }
}
