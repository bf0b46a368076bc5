//! Arguments and results of the store.

use crate::destination::Want;
use crate::id::EventId;
use crate::kind::{Kind, Purpose};
use crate::limits;
use crate::reason::Reason;
use crate::row::{Lost, Row, Run};
use std::time::Duration;

/// The caps that a user can configure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Options {
    /// Most bytes of used pages.
    pub(crate) cap_bytes: u64,
    /// Age at which a row is deleted.
    pub(crate) max_age: Duration,
    /// The same for a crash.
    pub(crate) max_age_crash: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Options { cap_bytes: limits::QUEUE_BYTES, max_age: limits::MAX_AGE, max_age_crash: limits::MAX_AGE_CRASH }
    }
}

/// The clocks at the time of a call. The store does not read a clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(crate) struct Now {
    /// Milliseconds since 1970.
    pub(crate) wall_ms: i64,
    /// Milliseconds since boot, sleep included.
    pub(crate) mono_ms: i64,
}

/// Identity of a new file. An existing file keeps its own `install` and `epoch`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Identity {
    /// Id of this installation (UUID).
    pub(crate) install: String,
    /// Epoch of a new file.
    pub(crate) epoch: u64,
    /// Id of the present boot.
    pub(crate) boot: String,
    /// What the file before a new one held.
    pub(crate) gone: Gone,
}

/// Rows of a file that is not there any more. They are counted as lost by the transaction that creates the next one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(crate) struct Gone {
    pub(crate) rows: u64,
    /// Those in a request that may have been sent.
    pub(crate) in_flight: u64,
    pub(crate) now: Now,
}

/// How far the ring was folded, committed together with the rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(crate) struct FoldPosition {
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

/// A route that a row of a damaged file is not delivered to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SettledBefore {
    /// [`super::route_hash`] of its name.
    pub(crate) hash: u64,
    /// The route had not settled the row: the request may have arrived and must not be repeated.
    pub(crate) ambiguous: bool,
}

/// An event to store.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NewRow<'a> {
    /// Its id, which never changes.
    pub(crate) id: EventId,
    /// Its kind, which decides its lane.
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
    /// It did not come from the ring of this epoch: a crash found at start, a carved row.
    pub(crate) late: bool,
}

/// Name of a route: `<destination>/<route>`, for example `main/rez.batch`.
pub(crate) type RouteKey = String;

/// The limits of a lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LeaseLimits {
    /// Rows.
    pub(crate) max_events: usize,
    /// Bytes of their JSON. A single larger row is still taken.
    pub(crate) max_bytes: usize,
}

/// Which rows a lease takes.
pub(crate) struct Selector<'a> {
    /// Kinds of which the route takes no row now, but may later: a limit of the server, a consent that is not answered.
    /// Parked rows of these kinds are not read.
    pub(crate) closed: &'a [Kind],
    /// Rows that this lease leaves out. There are few of them.
    pub(crate) skip: &'a [u64],
    /// Whether the route takes a row. `No` settles it as unwanted. `Later` parks it: a row of a closed kind until the
    /// kind is open, any other row for [`limits::OFFER_INTERVAL`].
    pub(crate) wants: &'a mut dyn FnMut(&Row) -> Want,
}

impl<'a> Selector<'a> {
    /// No kind is closed.
    #[cfg(any(test, feature = "bench-access"))]
    pub(crate) fn new(wants: &'a mut dyn FnMut(&Row) -> Want) -> Selector<'a> {
        Selector { closed: &[], skip: &[], wants }
    }
}

/// Rows in flight on one route.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Lease {
    /// Id of the batch; the same on every retry of these rows.
    pub(crate) batch_id: String,
    /// Number of earlier attempts.
    pub(crate) attempt: u32,
    /// The encoder that built it.
    pub(crate) encoder: u32,
    /// Whether [`super::Store::sending`] was called for it.
    pub(crate) state: InflightState,
    /// The rows, in order of lane, then of `seq`.
    pub(crate) rows: Vec<Row>,
    /// The runs of the rows, each once.
    pub(crate) runs: Vec<Run>,
    /// See [`super::Store::lost`].
    pub(crate) lost: Vec<Lost>,
    /// More rows may be due: the limits ended the selection, or the batch was selected earlier.
    pub(crate) more: bool,
}

/// The state of a batch in flight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum InflightState {
    /// Not handed to the transport yet.
    Prepared,
    /// Handed to the transport: it may have arrived.
    Sending,
}

/// The result of one row of a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum RowEnd {
    /// The destination accepted it.
    Delivered,
    /// Never delivered to the destination.
    Dropped(Reason),
    /// Rejected, and kept as a dead letter.
    Dead {
        /// Why.
        reason: Reason,
        /// HTTP status, 0 if there was none.
        status: u16,
        /// Message of the server.
        note: String,
    },
    /// Parked until this time; `None` = taken by the next lease whose kinds are open.
    Later {
        /// Milliseconds since 1970.
        until_wall_ms: Option<i64>,
    },
    /// Kept, and due at once.
    Keep,
}

/// The record of one request, kept for [`super::Store::fate`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Receipt {
    /// When, milliseconds since 1970.
    pub(crate) at_ms: i64,
    /// HTTP status, 0 if there was none.
    pub(crate) status: u16,
    /// Id of the batch.
    pub(crate) batch_id: String,
    /// A short description, without payload.
    pub(crate) note: String,
}

/// Where a destination that is declared for the first time starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum From {
    /// At the oldest stored row.
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
    /// The run in which it was recorded.
    pub(crate) run: i64,
    /// The breadcrumb.
    pub(crate) json: String,
}

/// What to erase.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Wipe {
    /// Everything; counted as `cleared_by_user`.
    All,
    /// What belongs to these purposes; counted as `consent`.
    Purposes(Vec<Purpose>),
}

impl Wipe {
    /// Parts of the scope that say nothing about the user. They stay: records that wait in the ring need them.
    pub(crate) const KEPT_SCOPE: [&str; 7] =
        ["key", "session", "previous_session", "paused", "foreground", "closed", "release"];

    /// Parts of the scope that go with monitoring.
    pub(crate) const MONITORING_SCOPE: [&str; 5] =
        ["ended_runs", "unclean_runs", "reported_exits", "crashed", "alerts"];
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
