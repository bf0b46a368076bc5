//! What the machine knows about one route.

use super::{Backlog, PARKED_INTERVAL_MS};
use crate::delivery::pace::Pace;
use crate::delivery::schedule::Trigger;
use crate::delivery::state::RouteState;
use crate::delivery::wait::At;
use crate::destination::RouteSpec;
use crate::limits;
use crate::store::Now;

/// One route.
#[derive(Debug)]
pub(crate) struct Route {
    pub(crate) destination: String,
    pub(crate) spec: &'static RouteSpec,
    pub(crate) state: RouteState,
    pub(crate) trigger: Trigger,
    /// A request is in flight, or its settlement waits for the store.
    pub(crate) busy: bool,
    /// Rows delivered in this run.
    pub(crate) delivered: u64,
    /// Rows per lane in the store, parked ones included, as last read.
    pub(crate) waiting: [u64; 4],
    /// When the next parked row is due, by the monotonic clock.
    pub(crate) retry_at: Option<i64>,
}

impl Route {
    /// The store was read. If the wall clock jumped, a parked row is due within a day.
    pub(super) fn set_backlog(&mut self, backlog: Backlog, now: Now) {
        self.waiting = backlog.waiting;
        let most = i64::try_from(limits::RETRY_AFTER.as_millis()).unwrap_or(i64::MAX);
        let wait = |wall: i64| wall.saturating_sub(now.wall_ms).clamp(PARKED_INTERVAL_MS, most);
        self.retry_at = backlog.retry_wall.map(|wall| now.mono_ms.saturating_add(wait(wall)));
    }

    /// When parked rows are due, by the monotonic clock.
    pub(super) fn parked_until(&self, at: At<'_>) -> Option<i64> {
        [self.retry_at, self.state.limited_until(at)].into_iter().flatten().min()
    }

    /// Whether the route waits in spite of `flush()`: because the server asked for it, or because a flush ignored the
    /// wait a few seconds ago.
    pub(super) fn refuses_flush(&self, pace: Pace, at: At<'_>) -> bool {
        let hold = self.state.hold.as_ref().filter(|hold| !hold.over(at));
        hold.is_some_and(|hold| !hold.why.yields_to_flush() || self.trigger.flushed_recently(pace, at.mono_ms))
    }
}
