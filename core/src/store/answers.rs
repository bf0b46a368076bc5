//! What the store answers to questions: accounts, states, fates.

use crate::reason::Reason;
use crate::row::Row;
use std::collections::BTreeMap;

/// The accounts of the present epoch. Every number was counted from its own source.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Balance {
    /// The epoch.
    pub epoch: u64,
    /// Rows numbered in this epoch so far.
    pub numbered: u64,
    /// Per kind: what came from the ring and what became of it before a route.
    pub kinds: Vec<KindBalance>,
    /// Per route: what became of the rows.
    pub routes: Vec<RouteBalance>,
}

/// `folded + late = stored + dropped`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KindBalance {
    /// Spelling of the kind; `unknown` where the damage hid it.
    pub kind: String,
    /// Taken over from the ring.
    pub folded: u64,
    /// Came another way: a crash found at start, a row carved from a damaged file.
    pub late: u64,
    /// Rows made.
    pub stored: u64,
    /// Lost before a row, by reason.
    pub dropped: BTreeMap<String, u64>,
}

/// `stored = queued + in_flight + delivered + dead + unwanted + dropped`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RouteBalance {
    /// Name of the route.
    pub route: String,
    /// Rows it had at the epoch's start (or took over when declared) and rows stored since.
    pub stored: u64,
    /// Waiting, parked ones included.
    pub queued: u64,
    /// In a batch on its way.
    pub in_flight: u64,
    /// The destination has them.
    pub delivered: u64,
    /// Dead letters still kept.
    pub dead: u64,
    /// Not for this route.
    pub unwanted: u64,
    /// Lost on this route, by reason.
    pub dropped: BTreeMap<String, u64>,
}

impl KindBalance {
    /// Whether the account is right.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.folded + self.late == self.stored + self.dropped.values().sum::<u64>()
    }
}

impl RouteBalance {
    /// Whether the account is right.
    #[must_use]
    pub fn holds(&self) -> bool {
        let dropped: u64 = self.dropped.values().sum();
        self.stored == self.queued + self.in_flight + self.delivered + self.dead + self.unwanted + dropped
    }
}

impl Balance {
    /// Whether all accounts are right.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.numbered == self.kinds.iter().map(|kind| kind.stored).sum::<u64>()
            && self.kinds.iter().all(KindBalance::holds)
            && self.routes.iter().all(RouteBalance::holds)
    }
}

/// The queue at a glance.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Overview {
    /// Id of the installation.
    pub install: String,
    /// Id of the boot the last fold saw.
    pub boot: String,
    /// The accounts.
    pub balance: Balance,
    /// Rows stored now.
    pub rows: u64,
    /// Rows stored now per lane.
    pub lanes: [u64; 4],
    /// Bytes of used pages, which the size cap is held against.
    pub bytes: u64,
    /// Refused at the gate, cumulative, as of the last fold: (reason, kind, n).
    pub refused: Vec<(String, String, u64)>,
    /// What is known of each route beside its account, in the same order.
    pub routes: Vec<RouteView>,
}

/// A route beside its account.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RouteView {
    /// Name of the route.
    pub route: String,
    /// Name of its destination.
    pub destination: String,
    /// Since when its destination is not declared, milliseconds since 1970.
    pub dormant_since_ms: Option<i64>,
    /// What the delivery keeps about it (holds, limits), as JSON.
    pub state: Option<String>,
    /// Id and attempt of the batch in flight.
    pub batch: Option<(String, u32)>,
    /// The last request: (milliseconds since 1970, status, note).
    pub last: Option<(i64, u16, String)>,
    /// Delivered in all epochs kept.
    pub delivered_ever: u64,
}

/// What is known of one event.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fate {
    /// The row, while it is stored.
    pub row: Option<Row>,
    /// What became of it, per route; empty = not known here.
    pub routes: Vec<RouteFate>,
}

/// What became of an event on one route.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RouteFate {
    /// Name of the route.
    pub route: String,
    /// The state.
    pub state: RowState,
}

/// Where a row is on a route.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RowState {
    /// Behind the cursor, to be cut.
    Queued,
    /// Put back, until this wall clock if one is given.
    Parked {
        /// Milliseconds since 1970.
        until_ms: Option<i64>,
    },
    /// In a batch.
    InFlight {
        /// Id of the batch.
        batch_id: String,
        /// How often it was tried.
        attempt: u32,
        /// The transport has it.
        sending: bool,
    },
    /// Refused and kept.
    Dead {
        /// Why.
        reason: Option<Reason>,
        /// HTTP status, 0 if there was none.
        status: u16,
        /// What the server said.
        note: String,
    },
    /// The destination has it.
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
    /// The route is past it and has no receipt of it any more, or did not want it.
    Passed,
}
