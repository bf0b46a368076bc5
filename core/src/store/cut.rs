//! Choosing the rows of a new batch: bounded work, parked rows first, then the lanes.

use super::Tx;
use super::error::{Result, StoreError};
use super::ledger::Books;
use super::memory::{Brief, PASSED, signed, unsigned};
use super::parked::Exception;
use super::routes::RETRY;
use super::schema::{ROW, Read, read_row};
use super::types::{Cut, Now};
use crate::destination::Want;
use crate::limits;
use crate::reason::Reason;
use crate::row::Row;
use rusqlite::params;

/// A lease looks at no more than this many times the rows it may take.
const LOOKS: usize = 4;

/// Rows are read in portions of this, so that a cut of 500 does not read 2,000.
const PORTION: usize = 64;

/// What one cut has gathered.
pub(super) struct Gather<'a> {
    pub(super) number: i64,
    pub(super) cut: Cut,
    pub(super) wants: &'a mut dyn FnMut(&Row) -> Want,
    pub(super) now: Now,
    pub(super) looked: usize,
    /// Rows of them that fail their checksum.
    pub(super) bad: usize,
    pub(super) bytes: usize,
    pub(super) full: bool,
    /// Parked rows are left that were not asked yet.
    pub(super) more: bool,
    pub(super) rows: Vec<(Row, Brief)>,
    pub(super) books: Books,
    pub(super) freed: Vec<(u64, u8)>,
}

impl Gather<'_> {
    pub(super) fn exhausted(&self) -> bool {
        self.full || self.looked >= self.cut.max_events.max(1).saturating_mul(LOOKS)
    }

    /// So many rows are damaged that the file is: nothing of it is to be booked row by row.
    pub(super) fn check(&self) -> Result<()> {
        let share = self.looked.saturating_mul(limits::STORM_PERCENT) / 100;
        if self.bad < limits::STORM_ROWS || self.bad <= share {
            return Ok(());
        }
        Err(StoreError::Corrupt(format!("{} of {} rows fail their checksum", self.bad, self.looked)))
    }

    /// Takes the row if it fits; else the cut is full.
    fn take(&mut self, row: Row, parked: bool) -> bool {
        let bytes = self.bytes.saturating_add(row.json.len());
        if !self.rows.is_empty() && (self.rows.len() >= self.cut.max_events.max(1) || bytes > self.cut.max_bytes) {
            self.full = true;
            return false;
        }
        self.bytes = bytes;
        let brief = Brief { seq: row.seq, lane: row.kind.lane().number(), kind: row.kind, id: row.id, parked };
        self.rows.push((row, brief));
        self.full = self.rows.len() >= self.cut.max_events.max(1);
        true
    }
}

impl Tx<'_> {
    /// Parked rows that are due, from where the last lease stopped; at most half of the looks, so that a large park
    /// does not keep new rows waiting.
    pub(super) fn gather_parked(&mut self, gather: &mut Gather<'_>) -> Result<()> {
        let limit = gather.cut.max_events.max(1).saturating_mul(LOOKS / 2);
        let Some(from) = self.memory.route_mut(gather.number).map(|route| route.asked) else { return Ok(()) };
        let mut asked = from;
        for (after, up_to) in [(from, PASSED), (0, from)] {
            let room = limit.saturating_sub(gather.looked);
            if gather.exhausted() || room == 0 {
                break;
            }
            asked = self.gather_parked_in(gather, after, up_to, room)?;
        }
        let stopped = gather.looked >= limit && gather.rows.is_empty();
        let parked: i64 = match stopped {
            false => 0,
            true => self
                .db
                .prepare_cached(
                    "SELECT count(*) FROM exception WHERE route = ?1 AND lane IN (0, 1, 2, 3) AND state = 1",
                )?
                .query_row([gather.number], |row| row.get(0))?,
        };
        if let Some(route) = self.memory.route_mut(gather.number) {
            route.asked = asked;
            // Until each of them has been asked once in vain.
            route.asked_in_vain = if stopped { route.asked_in_vain.saturating_add(gather.looked as u64) } else { 0 };
            gather.more = stopped && route.asked_in_vain < unsigned(parked);
            if !gather.more {
                route.asked_in_vain = 0;
            }
        }
        Ok(())
    }

    /// Answers the last `seq` asked, or 0 when the range has been asked to its end.
    fn gather_parked_in(&mut self, gather: &mut Gather<'_>, after: u64, up_to: u64, room: usize) -> Result<u64> {
        // A time further ahead than any server may ask for is a clock that was set back: due.
        let far = gather.now.wall_ms.saturating_add(limits::RETRY_AFTER.as_millis() as i64);
        let mut select = self.db.prepare_cached(
            "SELECT seq, route, lane, state, reason, status, note, at_ms, until_ms, crc FROM exception
             WHERE route = ?1 AND lane IN (0, 1, 2, 3) AND state = 1 AND seq > ?2 AND seq <= ?3
               AND (until_ms IS NULL OR until_ms <= ?4 OR until_ms > ?5) ORDER BY seq LIMIT ?6",
        )?;
        let mut due = Vec::new();
        let mut rows = select.query(params![
            gather.number,
            signed(after),
            signed(up_to),
            gather.now.wall_ms,
            far,
            signed(room as u64)
        ])?;
        while let Some(row) = rows.next()? {
            due.push(Exception::read(row)?);
        }
        let all = due.len() < room;
        let mut asked = after;
        for exception in due {
            let exception = match exception {
                Ok(exception) if exception.state == RETRY => exception,
                Ok(exception) => {
                    asked = exception.seq;
                    continue;
                }
                Err(seq) => {
                    self.corrupt_exception(gather.number, seq, gather)?;
                    asked = seq;
                    continue;
                }
            };
            gather.looked += 1;
            match self.row(exception.seq)? {
                Some(Read::Good(row)) => match (gather.wants)(&row) {
                    Want::Yes => {
                        if !gather.take(row, true) {
                            return Ok(asked);
                        }
                    }
                    Want::No => {
                        gather.books.unwanted(gather.number, 1);
                        gather.freed.push((exception.seq, exception.lane));
                    }
                    Want::Later => {}
                    Want::Next => {
                        gather.full = true;
                        return Ok(asked);
                    }
                },
                Some(Read::Bad(..)) => {
                    gather.bad += 1;
                    self.corrupt(&[exception.seq], gather.now)?;
                }
                None => self.unpark(gather.number, exception.seq)?,
            }
            asked = exception.seq;
            if gather.full {
                return Ok(asked);
            }
        }
        Ok(if all { 0 } else { asked })
    }

    /// An exception that fails its checksum says nothing certain: what it held is lost for this route.
    fn corrupt_exception(&mut self, number: i64, seq: u64, gather: &mut Gather<'_>) -> Result<()> {
        if let Some(read) = self.row(seq)? {
            let (kind, lane) = match read {
                Read::Good(row) => (Some(row.kind), row.kind.lane().number()),
                Read::Bad(_, kind) => (kind, kind.map_or(3, |kind| kind.lane().number())),
            };
            gather.books.lost(number, kind, Reason::CorruptRow, 1);
            gather.freed.push((seq, lane));
        }
        Ok(())
    }

    /// Rows of a lane behind the cursor. Those before the first one taken are passed at once.
    pub(super) fn gather_lane(&mut self, gather: &mut Gather<'_>, lane: usize) -> Result<()> {
        let route = self.memory.route_mut(gather.number);
        let Some(start) = route.and_then(|route| route.cursors.get(lane).copied()) else { return Ok(()) };
        let mut at = start;
        let mut lead = start;
        let mut leading = true;
        let mut passed = 0;
        'lane: while !gather.exhausted() {
            let mut portion = Vec::with_capacity(PORTION);
            let mut select = self.db.prepare_cached(&format!(
                "SELECT {ROW} FROM event WHERE lane = ?2 AND seq > ?3
                   AND NOT EXISTS (SELECT 1 FROM exception x WHERE x.seq = event.seq AND x.route = ?1)
                 ORDER BY seq LIMIT ?4"
            ))?;
            let mut rows = select.query(params![gather.number, lane as i64, signed(at), PORTION as i64])?;
            while let Some(row) = rows.next()? {
                portion.push(read_row(row)?);
            }
            let last = portion.len() < PORTION;
            for read in portion {
                if gather.exhausted() {
                    break 'lane;
                }
                gather.looked += 1;
                let seq = match &read {
                    Read::Good(row) => row.seq,
                    Read::Bad(seq, _) => *seq,
                };
                match read {
                    Read::Bad(seq, _) => {
                        gather.bad += 1;
                        self.corrupt(&[seq], gather.now)?;
                    }
                    Read::Good(row) => match (gather.wants)(&row) {
                        Want::Yes => {
                            if !gather.take(row, false) {
                                break 'lane;
                            }
                            leading = false;
                        }
                        Want::No => passed += u64::from(leading),
                        Want::Next => {
                            gather.full = true;
                            break 'lane;
                        }
                        Want::Later => {
                            self.park(gather.number, seq, lane as u8, gather.now.wall_ms, None)?;
                        }
                    },
                }
                at = seq;
                if leading {
                    lead = seq;
                }
            }
            if last {
                break;
            }
        }
        if lead > start {
            gather.books.unwanted(gather.number, passed);
            self.move_cursor(gather.number, lane, lead)?;
        }
        Ok(())
    }
}
