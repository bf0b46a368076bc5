//! The state machine of the delivery thread: no I/O, no clock.
//!
//! Events come in with their time. [`Machine::poll`] returns the task that is due now, [`Machine::deadline`] the time
//! of the next poll if nothing happens before. Without work there is no deadline, and the delivery thread sleeps
//! without a timer.

mod route;
pub(super) mod status;

pub(crate) use route::Route;

use super::pace::Pace;
use super::schedule::{Conditions, Flush, Hint, Network, Power, Trigger};
use super::state::RouteState;
use super::wait::At;
use crate::destination::RouteSpec;
use crate::limits;
use crate::store::{Now, RouteKey};
use std::collections::{BTreeMap, BTreeSet};

/// Shortest time between two attempts to lease parked rows, in milliseconds.
const PARKED_INTERVAL_MS: i64 = 1000;

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    /// New rows in the store, per lane. All zero: only the losses may have changed.
    Rows([u64; 4]),
    /// The app came to the foreground or left it.
    Foreground(bool),
    /// The host reports the state of the device.
    Hint(Hint),
    /// Send everything now.
    Flush,
    /// Consent changed.
    Consent,
    /// The app paused this destination, or resumed it (`false`).
    Paused(String, bool),
    /// Start no new request.
    Suspend,
    /// Start requests again.
    Resume,
    /// The store may be usable again.
    StoreBack,
    /// The store cannot be used until another event.
    StoreGone,
    /// Work with the store failed: it is tried again after a while.
    StoreFailed,
}

/// What to do now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Task {
    /// Declare this destination and load its routes.
    Load(String),
    /// Lease and send on this route.
    Send(RouteKey),
    /// Report losses on this route, if there are new ones.
    Losses(RouteKey),
}

/// What the store holds for a route.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Backlog {
    /// Rows per lane, parked ones and unwanted ones included.
    pub(crate) waiting: [u64; 4],
    /// When the next parked row is due, by the wall clock.
    pub(crate) retry_wall: Option<i64>,
    /// Digest of the losses; only read when a destination is loaded.
    pub(crate) lost: Option<u32>,
    /// Rows per lane, included in `waiting`, of which the machine does not know yet.
    pub(crate) new_rows: [u64; 4],
}

/// See the module's documentation.
#[derive(Debug)]
pub(crate) struct Machine {
    boot: String,
    conditions: Conditions,
    suspended: bool,
    /// Destinations that the app has paused.
    paused: BTreeSet<String>,
    /// The store cannot be used, until another event or this time of the monotonic clock.
    store_gone: Option<i64>,
    /// Destinations, and when the last immediate request of each started.
    destinations: BTreeMap<String, Option<i64>>,
    /// Destinations that are not declared and loaded yet.
    unloaded: Vec<String>,
    /// A flush started while some were not loaded.
    flush_unloaded: bool,
    routes: BTreeMap<RouteKey, Route>,
}

impl Machine {
    pub(crate) fn new(boot: &str, foreground: bool, pace: Pace) -> Machine {
        Machine {
            boot: boot.to_owned(),
            conditions: Conditions { foreground, network: Network::default(), power: Power::default(), pace },
            suspended: false,
            paused: BTreeSet::new(),
            store_gone: None,
            destinations: BTreeMap::new(),
            unloaded: Vec::new(),
            flush_unloaded: false,
            routes: BTreeMap::new(),
        }
    }

    /// The clocks and the boot they belong to.
    pub(crate) fn at(&self, now: Now) -> At<'_> {
        At { boot: &self.boot, wall_ms: now.wall_ms, mono_ms: now.mono_ms }
    }

    /// Adds a destination, or reloads it after the store was replaced.
    pub(crate) fn add(&mut self, name: &str) {
        self.forget_routes(name);
        self.destinations.insert(name.to_owned(), None);
        self.unloaded.push(name.to_owned());
    }

    /// Removes a destination.
    pub(crate) fn remove(&mut self, name: &str) {
        self.forget_routes(name);
        self.destinations.remove(name);
    }

    fn forget_routes(&mut self, name: &str) {
        self.unloaded.retain(|old| old != name);
        self.routes.retain(|_, route| route.destination != name);
    }

    /// A destination was loaded: its routes with their persisted state.
    pub(crate) fn loaded(
        &mut self,
        name: &str,
        mono_ms: i64,
        routes: Vec<(RouteKey, &'static RouteSpec, RouteState, Backlog)>,
    ) {
        self.unloaded.retain(|old| old != name);
        for (key, spec, state, backlog) in routes {
            let waiting = backlog.waiting;
            let unreported = backlog.lost.is_some_and(|lost| lost != 0 && lost != state.reported);
            let mut trigger = Trigger { losses: unreported.then_some(mono_ms), ..Trigger::default() };
            // Rows of an earlier run and a batch in flight are sent at once.
            trigger.set_rows(waiting, mono_ms);
            trigger.drain(mono_ms);
            if self.flush_unloaded {
                trigger.flush = Flush::Rows;
            }
            let destination = name.to_owned();
            self.routes.insert(
                key,
                Route { destination, spec, state, trigger, busy: false, delivered: 0, waiting, retry_at: None },
            );
        }
    }

    /// Handles an event.
    pub(crate) fn event(&mut self, mono_ms: i64, event: Event) {
        match event {
            Event::Rows(counts) => {
                self.store_gone = None;
                for route in self.routes.values_mut() {
                    route.trigger.rows(counts, mono_ms);
                    for (have, more) in route.waiting.iter_mut().zip(counts) {
                        *have = have.saturating_add(more);
                    }
                }
            }
            Event::Foreground(foreground) => {
                let left_foreground = self.conditions.foreground && !foreground;
                self.conditions.foreground = foreground;
                if left_foreground {
                    self.drain(mono_ms);
                }
            }
            Event::Hint(Hint::Power(power)) => self.conditions.power = power,
            Event::Hint(Hint::Network(network)) => {
                let regained = self.conditions.network == Network::Offline && network != Network::Offline;
                self.conditions.network = network;
                if regained {
                    self.network_returned(mono_ms);
                }
            }
            Event::Flush => {
                self.store_gone = None;
                self.flush_unloaded = !self.unloaded.is_empty();
                for route in self.routes.values_mut() {
                    route.trigger.flush = Flush::Rows;
                    route.trigger.losses.get_or_insert(mono_ms);
                }
            }
            Event::Consent => self.drain(mono_ms),
            Event::Paused(name, true) => _ = self.paused.insert(name),
            Event::Paused(name, false) => {
                if self.paused.remove(&name) {
                    let of = self.routes.values_mut().filter(|route| route.destination == name);
                    of.for_each(|route| route.trigger.drain(mono_ms));
                }
            }
            Event::Suspend => self.suspended = true,
            Event::Resume => {
                self.suspended = false;
                self.store_gone = None;
                self.drain(mono_ms);
            }
            Event::StoreBack => self.store_gone = None,
            Event::StoreGone => self.store_gone = Some(i64::MAX),
            Event::StoreFailed => {
                let wait = self.conditions.pace.wait(limits::REOPEN_INTERVAL);
                let wait = i64::try_from(wait.as_millis()).unwrap_or(i64::MAX);
                self.store_gone = Some(mono_ms.saturating_add(wait));
            }
        }
    }

    fn drain(&mut self, mono_ms: i64) {
        self.routes.values_mut().for_each(|route| route.trigger.drain(mono_ms));
    }

    /// Ends the waits that are due to the network, except where a request was sent a few seconds ago.
    fn network_returned(&mut self, mono_ms: i64) {
        let spacing = self.conditions.pace.wait(limits::IMMEDIATE_INTERVAL);
        let spacing = i64::try_from(spacing.as_millis()).unwrap_or(i64::MAX);
        for route in self.routes.values_mut() {
            if route.trigger.last_request.is_none_or(|last| mono_ms.saturating_sub(last) >= spacing) {
                route.state.hold.take_if(|hold| hold.why.ends_with_network());
            }
        }
        self.drain(mono_ms);
    }

    /// The task that is due now. The caller does it before it polls again.
    pub(crate) fn poll(&mut self, now: Now) -> Option<Task> {
        self.store_gone.take_if(|until| *until <= now.mono_ms);
        self.end_flush(now);
        if self.suspended || self.store_gone.is_some() {
            return None;
        }
        if let Some(name) = self.unloaded.first() {
            return Some(Task::Load(name.clone()));
        }
        let due = |(when, task): (i64, Task)| (when <= now.mono_ms).then_some(task);
        self.routes.iter().find_map(|(key, route)| due(self.plan(key, route, now)?))
    }

    /// When to poll again if nothing happens before, by the monotonic clock; `None` = no timer.
    pub(crate) fn deadline(&self, now: Now) -> Option<i64> {
        if self.suspended {
            return None;
        }
        if let Some(until) = self.store_gone {
            return (until < i64::MAX).then_some(until);
        }
        self.routes.iter().filter_map(|(key, route)| Some(self.plan(key, route, now)?.0)).min()
    }

    /// The next task of a route, and when it is due.
    fn plan(&self, key: &RouteKey, route: &Route, now: Now) -> Option<(i64, Task)> {
        if route.busy || self.paused.contains(&route.destination) {
            return None;
        }
        let at = self.at(now);
        let send = || Task::Send(key.clone());
        if let Some(stop) = &route.state.stop {
            let hold = route.state.hold.as_ref().map_or(0, |hold| hold.ends_mono(at));
            let probe = stop.next.ends_mono(at).max(hold);
            // If no other row waits, the probe is the next parked one.
            let parked = || route.parked_until(at).map(|when| when.max(probe));
            let when = if route.trigger.any() { Some(probe) } else { parked() };
            return when.map(|when| (when, send()));
        }
        let free = self.free_at(route, at);
        let immediate = self.destinations.get(&route.destination).copied().flatten();
        let rows = route.trigger.due(self.conditions, immediate, at.mono_ms).map(|(when, _)| (when.max(free), send()));
        let parked = route.parked_until(at).map(|when| (when.max(free), send()));
        let losses = (route.spec.reports_losses && route.state.bisect.is_none())
            .then(|| route.trigger.losses_due(self.conditions, at.mono_ms))
            .flatten();
        let losses = losses.map(|when| (when.max(free), Task::Losses(key.clone())));
        // Rows first if both are due: their request reports the losses too.
        [rows, parked, losses].into_iter().flatten().min_by_key(|(when, _)| (*when).max(at.mono_ms))
    }

    /// When the route may send, by the monotonic clock.
    fn free_at(&self, route: &Route, at: At<'_>) -> i64 {
        match &route.state.hold {
            // `end_flush` has ended the flush where it may not ignore the wait.
            Some(hold) if route.trigger.flush == Flush::No => hold.ends_mono(at),
            _ => i64::MIN,
        }
    }

    /// Ends the flush on routes that may not send now.
    fn end_flush(&mut self, now: Now) {
        let pace = self.conditions.pace;
        let at = At { boot: &self.boot, wall_ms: now.wall_ms, mono_ms: now.mono_ms };
        self.flush_unloaded &= !self.unloaded.is_empty() && !self.suspended && self.store_gone.is_none();
        for route in self.routes.values_mut().filter(|route| route.trigger.flush != Flush::No && !route.busy) {
            let paused = self.paused.contains(&route.destination);
            if paused
                || route.refuses_flush(pace, at)
                || route.state.stop.is_some()
                || self.suspended
                || self.store_gone.is_some()
            {
                route.trigger.flush = Flush::No;
            }
        }
    }

    /// Whether the store can be used.
    pub(crate) fn store_usable(&self) -> bool {
        self.store_gone.is_none()
    }

    /// Whether a flush still waits for a route.
    pub(crate) fn flushing(&self) -> bool {
        self.flush_unloaded || self.routes.values().any(|route| route.trigger.flush != Flush::No)
    }

    /// Whether requests are in flight or their settlement waits for the store.
    pub(crate) fn busy(&self) -> bool {
        self.routes.values().any(|route| route.busy)
    }

    /// The route with this name.
    pub(crate) fn route(&mut self, key: &str) -> Option<&mut Route> {
        self.routes.get_mut(key)
    }

    /// A request starts. It is an immediate one if urgent rows wait.
    pub(crate) fn started(&mut self, key: &str, now: Now) {
        let at = At { boot: &self.boot, wall_ms: now.wall_ms, mono_ms: now.mono_ms };
        let Some(route) = self.routes.get_mut(key) else { return };
        route.busy = true;
        route.trigger.last_request = Some(now.mono_ms);
        if route.trigger.flush != Flush::No && route.state.hold.as_ref().is_some_and(|hold| !hold.over(at)) {
            route.trigger.ignored_wait = Some(now.mono_ms);
        }
        let urgent = route.trigger.counts.iter().take(2).any(|count| *count > 0);
        if urgent && let Some(last) = self.destinations.get_mut(&route.destination) {
            *last = Some(now.mono_ms);
        }
    }

    /// A lease found no row to send now; `backlog` includes rows that wait for something else.
    pub(crate) fn lease_was_empty(&mut self, key: &str, now: Now, backlog: Backlog) {
        let at = At { boot: &self.boot, wall_ms: now.wall_ms, mono_ms: now.mono_ms };
        let Some(route) = self.routes.get_mut(key) else { return };
        route.trigger.empty();
        route.set_backlog(backlog, now);
        route.state.tidy(at);
        if route.trigger.flush == Flush::Rows {
            let more = route.spec.reports_losses && route.trigger.losses.is_some();
            route.trigger.flush = if more { Flush::Losses } else { Flush::No };
        }
    }

    /// A request ended and is settled in the store. `again` = its rows are sent once more.
    pub(crate) fn ended(&mut self, key: &str, now: Now, again: bool, backlog: Backlog) {
        let at = At { boot: &self.boot, wall_ms: now.wall_ms, mono_ms: now.mono_ms };
        let Some(route) = self.routes.get_mut(key) else { return };
        route.busy = false;
        route.set_backlog(backlog, now);
        route.state.tidy(at);
        route.trigger.set_rows(backlog.waiting, now.mono_ms);
        // The rows left over after a request that took everything are passed over now, not when the batch timer ends.
        let left_over = std::mem::take(&mut route.trigger.took_everything) && backlog.waiting != [0; 4];
        if again || left_over {
            route.trigger.drain(now.mono_ms);
        }
        if route.state.hold.is_some() || route.state.stop.is_some() {
            // A flush ends at the first failed request.
            route.trigger.flush = Flush::No;
        }
    }

    /// A report of losses ended, or there was nothing to report.
    pub(crate) fn losses_done(&mut self, key: &str, mono_ms: i64) {
        let Some(route) = self.routes.get_mut(key) else { return };
        route.busy = false;
        route.trigger.losses = None;
        route.trigger.losses_at = Some(mono_ms);
        if route.trigger.flush == Flush::Losses {
            route.trigger.flush = Flush::No;
        }
    }
}
