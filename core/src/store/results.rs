//! Results of queries: the balance, the state of each route, the fate of an event.

use crate::reason::Reason;
use crate::row::Row;
use std::collections::BTreeMap;

/// The balance of the current epoch. Each number is counted from a source of its own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Balance {
    /// The epoch.
    pub epoch: u64,
    /// Rows numbered in this epoch so far.
    pub numbered: u64,
    /// Per kind: events read from the ring, and what happened to them before a route.
    pub kinds: Vec<KindBalance>,
    /// Per route: what happened to the rows.
    pub routes: Vec<RouteBalance>,
}

/// `folded + late = stored + dropped`.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct KindBalance {
    /// Spelling of the kind; `unknown` if it cannot be read.
    pub kind: String,
    /// Events read from the ring.
    pub folded: u64,
    /// Events from elsewhere: a crash found at start, a row carved from a damaged file.
    pub late: u64,
    /// Rows stored.
    pub stored: u64,
    /// Events lost before a row was stored, by reason.
    pub dropped: BTreeMap<String, u64>,
}

/// `stored = queued + in_flight + delivered + dead + unwanted + dropped`.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct RouteBalance {
    /// Name of the route.
    pub route: String,
    /// Rows it held at the start of the epoch (or took over when declared) plus rows stored since.
    pub stored: u64,
    /// Waiting, parked ones included.
    pub queued: u64,
    /// In a batch in flight.
    pub in_flight: u64,
    /// Accepted by the destination.
    pub delivered: u64,
    /// Dead letters still kept.
    pub dead: u64,
    /// Rows that the route does not take.
    pub unwanted: u64,
    /// Lost on this route, by reason.
    pub dropped: BTreeMap<String, u64>,
}

impl KindBalance {
    /// Whether the equation above holds.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.folded + self.late == self.stored + self.dropped.values().sum::<u64>()
    }
}

impl RouteBalance {
    /// Whether the equation above holds.
    #[must_use]
    pub fn holds(&self) -> bool {
        let dropped: u64 = self.dropped.values().sum();
        self.stored == self.queued + self.in_flight + self.delivered + self.dead + self.unwanted + dropped
    }
}

impl Balance {
    /// Whether all equations hold.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.numbered == self.kinds.iter().map(|kind| kind.stored).sum::<u64>()
            && self.kinds.iter().all(KindBalance::holds)
            && self.routes.iter().all(RouteBalance::holds)
    }
}

/// A summary of the queue.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Overview {
    /// Id of the installation.
    pub install: String,
    /// Id of the boot of the last fold.
    pub boot: String,
    /// The balance.
    pub balance: Balance,
    /// Rows stored now.
    pub rows: u64,
    /// Rows stored now per lane.
    pub lanes: [u64; 4],
    /// When the oldest stored row happened, milliseconds since 1970.
    pub oldest_ms: Option<i64>,
    /// Bytes of used pages. The size cap limits these.
    pub bytes: u64,
    /// Refused at the gate, cumulative, as of the last fold: (reason, kind, n).
    pub refused: Vec<(String, String, u64)>,
    /// Details of each route, in the order of the balance.
    pub routes: Vec<RouteView>,
}

/// Events lost on one day for one reason.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct LostOnDay {
    /// Days since 1970.
    pub(crate) day: i64,
    /// Name of the route; `None` = before a route.
    pub(crate) route: Option<String>,
    /// Spelling of the kind; `unknown` if it cannot be read.
    pub(crate) kind: String,
    /// Spelling of the reason.
    pub(crate) reason: String,
    /// How many.
    pub(crate) n: u64,
}

/// Details of a route.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RouteView {
    /// Name of the route.
    pub route: String,
    /// Name of its destination.
    pub destination: String,
    /// Since when its destination is not declared, milliseconds since 1970.
    pub dormant_since_ms: Option<i64>,
    /// What the delivery thread stores for it (waits, limits), as JSON.
    pub state: Option<String>,
    /// Id and attempt of the batch in flight.
    pub batch: Option<(String, u32)>,
    /// The last request: (milliseconds since 1970, status, note).
    pub last: Option<(i64, u16, String)>,
    /// Delivered in all epochs kept.
    pub delivered_ever: u64,
}

/// What is known about one event.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Fate {
    /// The row, while it is stored.
    pub row: Option<Row>,
    /// What happened to it, per route; empty = unknown.
    pub routes: Vec<RouteFate>,
}

/// What happened to an event on one route.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct RouteFate {
    /// Name of the route.
    pub route: String,
    /// The state.
    #[serde(flatten)]
    pub state: RowState,
}

/// Where a row is on a route.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum RowState {
    /// Waits to be leased.
    Queued,
    /// Waits until this time, or without a time until its kind is open.
    Parked {
        /// Milliseconds since 1970.
        until_ms: Option<i64>,
    },
    /// In a batch.
    InFlight {
        /// Id of the batch.
        batch_id: String,
        /// Earlier attempts.
        attempt: u32,
        /// Handed to the transport.
        sending: bool,
    },
    /// Refused and kept.
    Dead {
        /// Why.
        reason: Option<Reason>,
        /// HTTP status, 0 if there was none.
        status: u16,
        /// Message of the server.
        note: String,
    },
    /// Accepted by the destination.
    Delivered {
        /// When, milliseconds since 1970.
        at_ms: i64,
        /// HTTP status.
        status: u16,
    },
    /// Lost on this route.
    Dropped {
        /// Why, as spelled in the receipt.
        reason: String,
        /// When, milliseconds since 1970.
        at_ms: i64,
        /// HTTP status, 0 if there was none.
        status: u16,
    },
    /// Its destination was paused when it was recorded: it is never sent there.
    Paused,
    /// The route has passed it and has no receipt of it, or does not take it.
    Passed,
}

impl RowState {
    /// Whether something still happens to the row on this route.
    pub(crate) fn is_waiting(&self) -> bool {
        matches!(self, RowState::Queued | RowState::Parked { .. } | RowState::InFlight { .. })
    }
}
