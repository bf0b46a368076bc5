//! The part of the file that is also kept in memory: routes with their cursors, and the position of the fold.
//!
//! It is copied when a transaction begins and restored when the transaction fails, so it never differs from the file.

use super::error::{Result, StoreError};
use super::types::{FoldPosition, InflightState};
use crate::hash::fnv1a;
use crate::id::EventId;
use crate::kind::Kind;
use rusqlite::Connection;
use std::sync::Arc;

/// `seq` = epoch shifted by this + n.
pub(crate) const EPOCH_SHIFT: u32 = 40;

/// The highest epoch: `seq` must fit into the 53 bits that JSON readers represent exactly.
pub(crate) const MAX_EPOCH: u64 = (1 << 13) - 1;

/// The route that wants everything until the first destination is declared.
pub(crate) const PLACEHOLDER: &str = "*";

/// A cursor past every possible row.
pub(super) const PASSED: u64 = i64::MAX as u64;

#[derive(Clone, Debug)]
pub(super) struct Memory {
    pub(super) install: Arc<str>,
    pub(super) epoch: u64,
    pub(super) next_n: u64,
    pub(super) position: FoldPosition,
    pub(super) boot_seen: Arc<str>,
    /// Wall clock minus monotonic clock as this process last stored it for that boot.
    pub(super) offset_ms: Option<i64>,
    /// The last process closed the file cleanly, and this one has not folded since.
    pub(super) clean: bool,
    pub(super) routes: Vec<Route>,
    /// Rows in the file. `None` until [`super::Store::count_rows`].
    pub(super) rows: Option<u64>,
    /// Per lane: only exceptions hold the stored rows up to here.
    pub(super) swept: [u64; 4],
    /// Per lane: where the next search for rows over their age starts.
    pub(super) aged: [u64; 4],
    /// Per lane: where the next search for rows that only idle routes hold starts.
    pub(super) idle: [u64; 4],
    /// This process has removed the runs that no row names.
    pub(super) runs_pruned: bool,
}

#[derive(Clone, Debug)]
pub(super) struct Route {
    pub(super) number: i64,
    pub(super) name: Arc<str>,
    pub(super) destination: Arc<str>,
    pub(super) dormant_since_ms: Option<i64>,
    pub(super) cursors: [u64; 4],
    pub(super) inflight: Option<Arc<InFlight>>,
    /// Parked rows per lane. `None` until [`super::Store::waiting`] counts them for the first time.
    pub(super) parked: Option<[u64; 4]>,
    /// The last lease stopped because of its limit of work, not because there were no more rows.
    pub(super) again: bool,
}

#[derive(Clone, Debug)]
pub(super) struct InFlight {
    pub(super) batch_id: String,
    pub(super) attempt: u32,
    /// `None` = rows were deleted meanwhile, so the batch cannot be sent again as it was.
    pub(super) encoder: Option<u32>,
    pub(super) state: InflightState,
    /// In order of lane, then of `seq`.
    pub(super) rows: Vec<InFlightRow>,
    /// The ids and kinds of the rows are filled in. After opening the file they are not.
    pub(super) known: bool,
    /// Its rows must stay: the transport may have the request, or the results of some rows are known already. Not
    /// stored.
    pub(super) pinned: bool,
}

/// A row in flight, with what `settle` needs of it.
#[derive(Clone, Copy, Debug)]
pub(super) struct InFlightRow {
    pub(super) seq: u64,
    pub(super) lane: u8,
    pub(super) kind: Kind,
    pub(super) id: EventId,
    /// An exception names it.
    pub(super) parked: bool,
}

/// The number of a route in the ring's superblock: FNV-1a of its name, the same in every build.
#[must_use]
pub(crate) fn route_hash(name: &str) -> u64 {
    fnv1a(name.bytes())
}

impl Route {
    /// Keeps rows for a destination that is not declared yet.
    pub(super) fn is_placeholder(&self) -> bool {
        &*self.name == PLACEHOLDER || self.name.ends_with("/*")
    }

    /// Holds rows by exceptions only, never by its cursors.
    pub(super) fn is_target_placeholder(&self) -> bool {
        &*self.name != PLACEHOLDER && self.name.ends_with("/*")
    }

    pub(super) fn passed(&self, lane: u8, seq: u64) -> bool {
        self.cursors.get(usize::from(lane)).is_some_and(|cursor| seq <= *cursor)
    }
}

impl InFlight {
    /// Whether its rows must stay. A batch that may have arrived at an at-most-once route must not be selected anew.
    pub(super) fn is_pinned(&self) -> bool {
        self.pinned || self.state == InflightState::Sending
    }

    /// The rows per lane as JSON, the form of column `seqs`.
    pub(super) fn seqs(&self) -> String {
        let mut lanes: [Vec<u64>; 4] = Default::default();
        for row in &self.rows {
            if let Some(lane) = lanes.get_mut(usize::from(row.lane)) {
                lane.push(row.seq);
            }
        }
        serde_json::to_string(&lanes).unwrap_or_default()
    }

    fn parse(batch_id: String, seqs: &str, encoder: Option<i64>, state: &str, attempt: u32) -> Option<InFlight> {
        let lanes: [Vec<u64>; 4] = serde_json::from_str(seqs).ok()?;
        let rows = lanes.into_iter().zip(0u8..).flat_map(|(seqs, lane)| {
            let row = move |seq| InFlightRow {
                seq,
                lane,
                kind: Kind::Crash,
                id: EventId::from_bytes([0; 16]),
                parked: false,
            };
            seqs.into_iter().map(row)
        });
        Some(InFlight {
            batch_id,
            attempt,
            encoder: encoder.and_then(|encoder| u32::try_from(encoder).ok()),
            state: if state == "sending" { InflightState::Sending } else { InflightState::Prepared },
            rows: rows.collect(),
            known: false,
            pinned: true,
        })
    }
}

impl Memory {
    pub(super) fn load(db: &Connection) -> Result<Memory> {
        let mut memory = db.query_row(
            "SELECT install, epoch, next_n, generation, ticket, total, reserve_generation, reserve_total, boot, clean
             FROM fold WHERE one = 1",
            [],
            |row| {
                Ok(Memory {
                    install: row.get::<_, String>(0)?.into(),
                    epoch: unsigned(row.get(1)?),
                    next_n: unsigned(row.get(2)?).max(1),
                    position: FoldPosition {
                        generation: bits(row.get(3)?),
                        ticket: bits(row.get(4)?),
                        total: bits(row.get(5)?),
                        reserve_generation: bits(row.get(6)?),
                        reserve_total: bits(row.get(7)?),
                    },
                    boot_seen: row.get::<_, String>(8)?.into(),
                    offset_ms: None,
                    clean: row.get(9)?,
                    routes: Vec::new(),
                    rows: None,
                    swept: [0; 4],
                    aged: [0; 4],
                    idle: [0; 4],
                    runs_pruned: false,
                })
            },
        )?;
        if memory.epoch > MAX_EPOCH || memory.next_n >= 1 << EPOCH_SHIFT {
            return Err(StoreError::Corrupt(format!(
                "epoch {} or row {} is out of range",
                memory.epoch, memory.next_n
            )));
        }
        let mut routes = db.prepare("SELECT number, name, destination, dormant_since_ms FROM route ORDER BY number")?;
        let mut rows = routes.query([])?;
        while let Some(row) = rows.next()? {
            memory.routes.push(Route {
                number: row.get(0)?,
                name: row.get::<_, String>(1)?.into(),
                destination: row.get::<_, String>(2)?.into(),
                dormant_since_ms: row.get(3)?,
                cursors: [0; 4],
                inflight: None,
                parked: None,
                again: false,
            });
        }
        let mut cursors = db.prepare("SELECT route, lane, seq FROM cursor")?;
        let mut rows = cursors.query([])?;
        while let Some(row) = rows.next()? {
            let (number, lane, seq): (i64, u8, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
            let route = memory.routes.iter_mut().find(|route| route.number == number);
            if let Some(cursor) = route.and_then(|route| route.cursors.get_mut(usize::from(lane))) {
                *cursor = unsigned(seq);
            }
        }
        let mut batches = db.prepare("SELECT route, batch_id, seqs, encoder, state, attempt FROM inflight")?;
        let mut rows = batches.query([])?;
        while let Some(row) = rows.next()? {
            let number: i64 = row.get(0)?;
            let (seqs, state): (String, String) = (row.get(2)?, row.get(4)?);
            // A batch that cannot be read is selected again: the cursor has not passed its rows.
            let batch = InFlight::parse(row.get(1)?, &seqs, row.get(3)?, &state, row.get(5)?);
            if let Some(route) = memory.routes.iter_mut().find(|route| route.number == number) {
                route.inflight = batch.map(Arc::new);
                if route.dormant_since_ms.is_some() {
                    memory.pin(number, false);
                }
            }
        }
        Ok(memory)
    }

    pub(super) fn next_seq(&self) -> u64 {
        (self.epoch << EPOCH_SHIFT) | self.next_n
    }

    pub(super) fn route(&self, name: &str) -> Option<&Route> {
        self.routes.iter().find(|route| &*route.name == name)
    }

    pub(super) fn route_mut(&mut self, number: i64) -> Option<&mut Route> {
        self.routes.iter_mut().find(|route| route.number == number)
    }

    pub(super) fn row_inserted(&mut self) {
        self.rows = self.rows.map(|rows| rows.saturating_add(1));
    }

    pub(super) fn rows_deleted(&mut self, deleted: usize) {
        self.rows = self.rows.map(|rows| rows.saturating_sub(deleted as u64));
    }

    /// Adds to the number of parked rows of a route, once that number is known.
    pub(super) fn count_parked(&mut self, route: i64, lane: u8, change: i64) {
        let parked = self.route_mut(route).and_then(|route| route.parked.as_mut());
        if let Some(count) = parked.and_then(|parked| parked.get_mut(usize::from(lane))) {
            *count = count.saturating_add_signed(change);
        }
    }

    /// Per lane: what every route has passed.
    pub(super) fn floor(&self) -> [u64; 4] {
        floor(self.routes.iter())
    }

    /// Whether this row must stay because a batch in flight on any route is pinned.
    pub(super) fn is_pinned(&self, seq: u64) -> bool {
        let batches = self.routes.iter().filter_map(|route| route.inflight.as_ref());
        batches.filter(|batch| batch.is_pinned()).any(|batch| batch.rows.iter().any(|row| row.seq == seq))
    }

    /// Pins the batch in flight of a route, or unpins it.
    pub(super) fn pin(&mut self, number: i64, pinned: bool) {
        if let Some(batch) = self.route_mut(number).and_then(|route| route.inflight.as_mut()) {
            Arc::make_mut(batch).pinned = pinned;
        }
    }
}

/// Per lane: what all of these routes have passed.
pub(super) fn floor<'a>(routes: impl Iterator<Item = &'a Route>) -> [u64; 4] {
    routes.fold([PASSED; 4], |mut floor, route| {
        for (floor, cursor) in floor.iter_mut().zip(route.cursors) {
            *floor = (*floor).min(cursor);
        }
        floor
    })
}

/// A count from the file; never negative.
pub(super) fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

/// A count for the file.
pub(super) fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// 64 bits that are not a count: generations are random.
fn bits(number: i64) -> u64 {
    number as u64
}
