//! Choosing the rows of a new batch: lane by lane, parked rows first, with a limit on the work of one lease.

use super::Tx;
use super::error::{Result, StoreError};
use super::ledger::LedgerChanges;
use super::memory::{InFlightRow, signed, unsigned};
use super::parked::{EXCEPTION, Exception};
use super::schema::{ROW, Read, read_row};
use super::types::{LeaseLimits, Now, Selector};
use crate::destination::Want;
use crate::kind::{Kind, Lane};
use crate::limits;
use crate::reason::Reason;
use crate::row::Row;
use rusqlite::{Connection, OptionalExtension, params};

/// Rows that a lease reads at most. Not less for a route that sends one event at a time: passing rows that it does not want would take
/// a transaction for each few of them.
const LOOKS: usize = 4 * limits::BATCH_MAX_EVENTS;

/// Rows read at once: a batch of 500 must not read 2,000.
const PORTION: usize = 64;

/// Which parked rows of a kind are due.
#[derive(Clone, Copy)]
enum Due {
    /// Those without a time.
    Always,
    /// Those whose time is after the first and not after the second, milliseconds since 1970.
    Between(i64, i64),
}

/// The rows that one lease has selected so far.
pub(super) struct Gather<'a> {
    pub(super) number: i64,
    pub(super) limits: LeaseLimits,
    pub(super) select: Selector<'a>,
    pub(super) now: Now,
    pub(super) looked: usize,
    /// How many of them were parked.
    looked_parked: usize,
    /// How many of the rows read fail their checksum.
    pub(super) bad: usize,
    pub(super) bytes: usize,
    pub(super) full: bool,
    /// Some parked rows were not read.
    pub(super) more: bool,
    pub(super) rows: Vec<(Row, InFlightRow)>,
    pub(super) ledger: LedgerChanges,
    pub(super) freed: Vec<(u64, u8)>,
}

impl<'a> Gather<'a> {
    pub(super) fn new(number: i64, limits: LeaseLimits, select: Selector<'a>, now: Now) -> Gather<'a> {
        Gather {
            number,
            limits,
            select,
            now,
            looked: 0,
            looked_parked: 0,
            bad: 0,
            bytes: 0,
            full: false,
            more: false,
            rows: Vec::new(),
            ledger: LedgerChanges::default(),
            freed: Vec::new(),
        }
    }

    pub(super) fn exhausted(&self) -> bool {
        self.full || self.looked >= LOOKS
    }

    /// Parked rows that are read at most: twice as many as the lease may take, and half of all that it may read, so that new rows
    /// are sent too.
    fn most_parked(&self) -> usize {
        self.limits.max_events.saturating_mul(2).clamp(PORTION, LOOKS / 2)
    }

    /// `Err` = so many rows are damaged that the whole file counts as damaged.
    pub(super) fn check(&self) -> Result<()> {
        let share = self.looked.saturating_mul(limits::STORM_PERCENT) / 100;
        if self.bad < limits::STORM_ROWS || self.bad <= share {
            return Ok(());
        }
        Err(StoreError::Corrupt(format!("{} of {} rows fail their checksum", self.bad, self.looked)))
    }

    /// Takes the row if it fits. Otherwise the batch is full.
    fn take(&mut self, row: Row, parked: bool) -> bool {
        let bytes = self.bytes.saturating_add(row.json.len());
        if !self.rows.is_empty() && (self.rows.len() >= self.limits.max_events.max(1) || bytes > self.limits.max_bytes)
        {
            self.full = true;
            return false;
        }
        self.bytes = bytes;
        let in_flight =
            InFlightRow { seq: row.seq, lane: row.kind.lane().number(), kind: row.kind, id: row.id, parked };
        self.rows.push((row, in_flight));
        self.full = self.rows.len() >= self.limits.max_events.max(1);
        true
    }

    /// When a row of an open kind is offered again after the destination returned `Later`.
    fn next_offer(&self) -> i64 {
        self.now.wall_ms.saturating_add(limits::OFFER_INTERVAL.as_millis() as i64)
    }
}

/// The kinds of a route's parked rows. `None` stands for a damaged one. Takes one index search per kind,
/// however many rows are parked.
pub(super) fn parked_kinds(db: &Connection, route: i64) -> Result<Vec<Option<String>>> {
    let mut kinds: Vec<Option<String>> = Vec::new();
    let mut next = db.prepare_cached(
        "SELECT kind FROM exception WHERE route = ?1 AND state = 1 AND kind > ?2 ORDER BY kind LIMIT 1",
    )?;
    let mut last = String::new();
    while let Some(kind) = next.query_row(params![route, last], |row| row.get::<_, String>(0)).optional()? {
        kinds.push(Some(kind.clone()));
        last = kind;
    }
    let damaged: bool = db
        .prepare_cached("SELECT EXISTS (SELECT 1 FROM exception WHERE route = ?1 AND state = 1 AND kind IS NULL)")?
        .query_row([route], |row| row.get(0))?;
    kinds.extend(damaged.then_some(None));
    Ok(kinds)
}

/// The lane of a parked kind; the last one for a kind that is not known.
fn lane_of(kind: Option<&str>) -> Lane {
    kind.and_then(Kind::parse).map_or(Lane::Bulk, Kind::lane)
}

/// The earliest time after `now_ms` at which a parked row is due; `None` = no row is parked until a time. Milliseconds
/// since 1970.
pub(super) fn next_due(db: &Connection, route: i64, now_ms: i64) -> Result<Option<i64>> {
    let mut next = None;
    for kind in parked_kinds(db, route)? {
        let due: Option<i64> = db
            .prepare_cached(
                "SELECT until_ms FROM exception WHERE route = ?1 AND state = 1 AND kind IS ?2 AND until_ms > ?3
                 ORDER BY until_ms LIMIT 1",
            )?
            .query_row(params![route, kind, now_ms], |row| row.get(0))
            .optional()?;
        next = [next, due].into_iter().flatten().min();
    }
    Ok(next)
}

/// A parked row, or the `seq` of one whose exception fails its checksum.
type Parked = std::result::Result<Exception, u64>;

impl Tx<'_> {
    /// Selects rows: of each lane first parked rows, then those ahead of the cursor. Of lane 0 to 3, so that a crash does not wait for
    /// thousands of parked requests.
    pub(super) fn gather(&mut self, gather: &mut Gather<'_>) -> Result<()> {
        let kinds = parked_kinds(self.db, gather.number)?;
        for lane in Lane::ALL {
            let of_lane = |kind: &&Option<String>| lane_of(kind.as_deref()) == lane;
            self.gather_parked(gather, kinds.iter().filter(of_lane))?;
            self.gather_lane(gather, usize::from(lane.number()))?;
        }
        gather.more = gather.looked_parked >= gather.most_parked() && gather.rows.is_empty();
        gather.check()
    }

    /// Selects parked rows of these kinds that are due, if the kind is open.
    fn gather_parked<'k>(
        &mut self,
        gather: &mut Gather<'_>,
        kinds: impl Iterator<Item = &'k Option<String>>,
    ) -> Result<()> {
        let now = gather.now.wall_ms;
        // A time further ahead than the longest accepted `Retry-After` means that the clock was set back: due now.
        let far = now.saturating_add(limits::RETRY_AFTER.as_millis() as i64);
        for kind in kinds {
            let closed = kind.as_deref().and_then(Kind::parse).is_some_and(|kind| gather.select.closed.contains(&kind));
            if closed {
                continue;
            }
            for due in [Due::Always, Due::Between(i64::MIN, now), Due::Between(far, i64::MAX)] {
                let room = gather.most_parked().saturating_sub(gather.looked_parked);
                if gather.exhausted() || room == 0 {
                    break;
                }
                self.gather_parked_of(gather, kind.as_deref(), due, room)?;
            }
        }
        Ok(())
    }

    /// Up to `most` parked rows of one kind.
    fn parked_of(&self, route: i64, kind: Option<&str>, due: Due, most: usize) -> Result<Vec<Parked>> {
        let most = signed(most as u64);
        let mut select = self.db.prepare_cached(&match due {
            Due::Always => format!(
                "SELECT {EXCEPTION} FROM exception
                 WHERE route = ?1 AND state = 1 AND kind IS ?2 AND until_ms IS NULL ORDER BY seq LIMIT ?3"
            ),
            Due::Between(..) => format!(
                "SELECT {EXCEPTION} FROM exception
                 WHERE route = ?1 AND state = 1 AND kind IS ?2 AND until_ms > ?4 AND until_ms <= ?5
                 ORDER BY until_ms, seq LIMIT ?3"
            ),
        })?;
        let mut rows = match due {
            Due::Always => select.query(params![route, kind, most])?,
            Due::Between(after, up_to) => select.query(params![route, kind, most, after, up_to])?,
        };
        let mut parked = Vec::new();
        while let Some(row) = rows.next()? {
            parked.push(Exception::read(row)?);
        }
        Ok(parked)
    }

    fn gather_parked_of(&mut self, gather: &mut Gather<'_>, kind: Option<&str>, due: Due, room: usize) -> Result<()> {
        let most = room.saturating_add(gather.select.skip.len());
        for parked in self.parked_of(gather.number, kind, due, most)? {
            let exception = match parked {
                Ok(exception) => exception,
                Err(seq) => {
                    self.corrupt_exception(gather.number, seq, gather)?;
                    continue;
                }
            };
            if gather.select.skip.contains(&exception.seq) {
                continue;
            }
            if gather.exhausted() {
                return Ok(());
            }
            gather.looked += 1;
            gather.looked_parked += 1;
            match self.row(exception.seq)? {
                Some(Read::Good(row)) => match (gather.select.wants)(&row) {
                    Want::Yes => {
                        if !gather.take(row, true) {
                            return Ok(());
                        }
                    }
                    Want::No => {
                        gather.ledger.unwanted(gather.number, 1);
                        gather.freed.push((exception.seq, exception.lane));
                    }
                    Want::Later => {
                        let until = gather.next_offer();
                        self.park(gather.number, row.seq, row.kind, gather.now.wall_ms, Some(until))?;
                    }
                    Want::Next => {
                        gather.full = true;
                        return Ok(());
                    }
                },
                Some(Read::Bad(..)) => {
                    gather.bad += 1;
                    self.corrupt(&[exception.seq], gather.now)?;
                }
                None => self.remove_exception(gather.number, exception.seq)?,
            }
        }
        Ok(())
    }

    /// An exception that fails its checksum leaves the state of its row unknown: the row is lost for this route.
    fn corrupt_exception(&mut self, number: i64, seq: u64, gather: &mut Gather<'_>) -> Result<()> {
        if let Some(read) = self.row(seq)? {
            let (kind, lane) = match read {
                Read::Good(row) => (Some(row.kind), row.kind.lane().number()),
                Read::Bad(_, kind) => (kind, kind.map_or(3, |kind| kind.lane().number())),
            };
            gather.ledger.lost(number, kind, Reason::CorruptRow, 1);
            gather.freed.push((seq, lane));
        }
        Ok(())
    }

    /// Selects rows of a lane that lie ahead of the cursor. The cursor moves at once over the rows before the first one
    /// taken, and to the end of the lane if only rows with exceptions are left.
    fn gather_lane(&mut self, gather: &mut Gather<'_>, lane: usize) -> Result<()> {
        let route = self.memory.route_mut(gather.number);
        let Some(start) = route.and_then(|route| route.cursors.get(lane).copied()) else { return Ok(()) };
        let mut at = start;
        let mut lead = start;
        let mut leading = true;
        let mut passed = 0;
        let mut ended = false;
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
                    Read::Good(row) if gather.select.skip.contains(&seq) => {
                        self.park(gather.number, seq, row.kind, gather.now.wall_ms, None)?;
                    }
                    Read::Good(row) => match (gather.select.wants)(&row) {
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
                            let open = !gather.select.closed.contains(&row.kind);
                            let until = open.then(|| gather.next_offer());
                            self.park(gather.number, seq, row.kind, gather.now.wall_ms, until)?;
                        }
                    },
                }
                at = seq;
                if leading {
                    lead = seq;
                }
            }
            if last {
                ended = true;
                break;
            }
        }
        if ended && leading {
            // Otherwise each lease would search through the exceptions at the end of the lane again.
            lead = lead.max(self.last_of_lane(lane)?);
        }
        if lead > start {
            gather.ledger.unwanted(gather.number, passed);
            self.move_cursor(gather.number, lane, lead)?;
        }
        Ok(())
    }

    /// The highest `seq` stored in a lane, 0 for an empty one.
    fn last_of_lane(&self, lane: usize) -> Result<u64> {
        let last: Option<i64> = self
            .db
            .prepare_cached("SELECT max(seq) FROM event WHERE lane = ?1")?
            .query_row([lane as i64], |row| row.get(0))?;
        Ok(last.map_or(0, unsigned))
    }
}
