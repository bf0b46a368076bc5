//! What goes into the store and what comes out of it.

use crate::destination::Want;
use crate::id::EventId;
use crate::kind::{Kind, Purpose};
use crate::limits;
use crate::reason::Reason;
use crate::row::{Lost, Row, Run};
use std::time::Duration;

/// The caps a user may move.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Options {
    /// Most bytes of used pages.
    pub(crate) cap_bytes: u64,
    /// Age at which a row goes.
    pub(crate) max_age: Duration,
    /// The same for a crash.
    pub(crate) max_age_crash: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Options { cap_bytes: limits::QUEUE_BYTES, max_age: limits::MAX_AGE, max_age_crash: limits::MAX_AGE_CRASH }
    }
}

/// The clocks at the moment of a call; the store reads none itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(crate) struct Now {
    /// Milliseconds since 1970.
    pub(crate) wall_ms: i64,
    /// Milliseconds since boot, sleep included.
    pub(crate) mono_ms: i64,
}

/// Who the queue belongs to. Wanted for a new file; an existing file keeps its own `install` and `epoch`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Identity {
    /// Id of this installation (UUID).
    pub(crate) install: String,
    /// Epoch of a new file.
    pub(crate) epoch: u64,
    /// Id of the present boot.
    pub(crate) boot: String,
}

/// How far the ring was folded, committed together with what was folded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(crate) struct FoldMark {
    /// Generation of the ring file.
    pub(crate) generation: u64,
    /// Last ticket folded.
    pub(crate) ticket: u64,
    /// Running total of accepted events up to that ticket.
    pub(crate) total: u64,
    /// Last generation of the crash reserve that was folded.
    pub(crate) reserve_generation: u64,
    /// Events accepted through the reserve.
    pub(crate) reserve_total: u64,
}

/// A route that a row from a damaged file does not go to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Had {
    /// [`super::route_hash`] of its name.
    pub(crate) hash: u64,
    /// It had not settled the row: its request may have arrived, and must not be repeated.
    pub(crate) ambiguous: bool,
}

/// An event on its way into the store.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NewRow<'a> {
    /// Its id for life.
    pub(crate) id: EventId,
    /// What it is; decides its lane.
    pub(crate) kind: Kind,
    /// Number of the run it was recorded in, from [`super::insert::Fold::run`].
    pub(crate) run: i64,
    /// Wall clock at the call.
    pub(crate) wall_ms: i64,
    /// Milliseconds since boot at the call.
    pub(crate) mono_ms: i64,
    /// Destinations it is meant for; empty = all that want it.
    pub(crate) targets: &'a [String],
    /// The event.
    pub(crate) json: &'a str,
    /// It did not come through the ring of this epoch (a crash found at start, a carved row).
    pub(crate) late: bool,
}

/// Name of a route: `<destination>/<route>`, for example `main/rez.batch`.
pub(crate) type RouteKey = String;

/// The most a lease takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cut {
    /// Rows.
    pub(crate) max_events: usize,
    /// Bytes of their JSON; a single row over it is still taken.
    pub(crate) max_bytes: usize,
}

/// Which rows a lease takes.
pub(crate) struct Selector<'a> {
    /// Kinds of which the route takes no row now, but may later: a limit of the server, a consent that is not answered.
    /// Parked rows of these kinds are not looked at.
    pub(crate) closed: &'a [Kind],
    /// Rows that this lease leaves out; a few.
    pub(crate) skip: &'a [u64],
    /// Whether the route takes a row. `No` settles it as unwanted. `Later` parks it: a row of a closed kind until the kind
    /// is open, any other row for [`limits::ASK_AGAIN`].
    pub(crate) wants: &'a mut dyn FnMut(&Row) -> Want,
}

impl<'a> Selector<'a> {
    /// No kind is closed.
    pub(crate) fn new(wants: &'a mut dyn FnMut(&Row) -> Want) -> Selector<'a> {
        Selector { closed: &[], skip: &[], wants }
    }
}

/// Rows in flight on one route.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Lease {
    /// Id of the batch; the same on every retry of these rows.
    pub(crate) batch_id: String,
    /// How often it was tried before.
    pub(crate) attempt: u32,
    /// The encoder that cut it.
    pub(crate) encoder: u32,
    /// Whether [`super::Store::sending`] was called for it.
    pub(crate) state: InflightState,
    /// The rows, in order of lane, then of `seq`.
    pub(crate) rows: Vec<Row>,
    /// The runs the rows name, each once.
    pub(crate) runs: Vec<Run>,
    /// See [`super::Store::lost`].
    pub(crate) lost: Vec<Lost>,
}

/// How far a batch in flight came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum InflightState {
    /// Cut, not handed to the transport.
    Prepared,
    /// Handed to the transport: it may have arrived.
    Sending,
}

/// What became of one row of a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum RowEnd {
    /// The destination has it.
    Delivered,
    /// The destination will never have it.
    Dropped(Reason),
    /// Refused; kept as a dead letter.
    Dead {
        /// Why.
        reason: Reason,
        /// HTTP status, 0 if there was none.
        status: u16,
        /// What the server said.
        note: String,
    },
    /// Parked until this wall clock; `None` = asked again at each lease.
    Later {
        /// Milliseconds since 1970.
        until_wall_ms: Option<i64>,
    },
    /// Queued again, due at once.
    Keep,
}

/// One request as it ended; kept for [`super::Store::fate`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Receipt {
    /// When, milliseconds since 1970.
    pub(crate) at_ms: i64,
    /// HTTP status, 0 if there was none.
    pub(crate) status: u16,
    /// Id of the batch.
    pub(crate) batch_id: String,
    /// What happened, short, without payload.
    pub(crate) note: String,
}

/// Where a destination that was never declared before begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum From {
    /// At the oldest row still stored.
    #[default]
    Oldest,
    /// At the next row.
    Now,
}

/// A stored breadcrumb.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Crumb {
    /// Its number, ascending.
    pub(crate) number: u64,
    /// The run it was left in.
    pub(crate) run: i64,
    /// The breadcrumb.
    pub(crate) json: String,
}

/// What a user wants erased.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Wipe {
    /// Everything: booked `cleared_by_user`.
    All,
    /// What belongs to these purposes: booked `consent`.
    Purposes(Vec<Purpose>),
}

/// How far a route is settled, for the ring's superblock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Settled {
    /// The route.
    pub(crate) route: RouteKey,
    /// [`super::route_hash`] of its name.
    pub(crate) hash: u64,
    /// Per lane: no row up to this `seq` is to come back to this route from a damaged file.
    pub(crate) lanes: [u64; 4],
    /// Highest `seq` of a batch whose request may have arrived; 0 = none.
    pub(crate) sending: u64,
}
