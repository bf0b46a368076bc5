//! The delivery's mind: a state machine without I/O and without a clock.
//!
//! Events come in with the time they happened at; [`Machine::poll`] says what to do now, [`Machine::deadline`] when to
//! look again if nothing happens. With nothing to do there is no deadline: the delivery's thread sleeps for ever.

mod status;

use super::schedule::{Flush, Hint, Network, Power, Setting, Trigger};
use super::state::RouteState;
use super::wait::{At, Why};
use crate::destination::RouteSpec;
use crate::limits;
use crate::store::{Now, RouteKey};
use std::collections::BTreeMap;

/// Shortest time between two looks at rows put aside, in milliseconds.
const LOOK_AGAIN_MS: i64 = 1000;

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    /// New rows in the store, per lane. All zero: losses may have changed.
    Rows([u64; 4]),
    /// The app came to the foreground or left it.
    Foreground(bool),
    /// The host says something about the device.
    Hint(Hint),
    /// Everything now.
    Flush,
    /// Consent changed.
    Consent,
    /// No new requests.
    Suspend,
    /// Requests again.
    Resume,
    /// The store answers again, or may.
    StoreBack,
    /// The store did not answer: until it gives a sign of life.
    StoreGone,
    /// The store failed: until it gives a sign of life, but not for ever.
    StoreFailed,
}

/// What to do now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Do {
    /// Declare this destination and load its routes.
    Load(String),
    /// Lease and send on this route.
    Send(RouteKey),
    /// Look whether losses are to be reported on this route.
    Losses(RouteKey),
}

/// What the store holds for a route.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Left {
    /// Rows per lane, parked ones and unwanted ones included.
    pub(crate) waiting: [u64; 4],
    /// When the next row put aside is due, by the wall clock.
    pub(crate) retry_wall: Option<i64>,
    /// Digest of the losses; only read where a destination is loaded.
    pub(crate) lost: Option<u32>,
}

/// One route.
#[derive(Debug)]
pub(crate) struct Route {
    pub(crate) destination: String,
    pub(crate) spec: &'static RouteSpec,
    pub(crate) state: RouteState,
    pub(crate) trigger: Trigger,
    /// A request is under way, or its settlement waits for the store.
    pub(crate) busy: bool,
    /// Rows delivered in this run.
    pub(crate) delivered: u64,
    /// Rows per lane the store holds for it, parked ones included, as last heard.
    pub(crate) waiting: [u64; 4],
    /// When the next row put aside is due, by the monotonic clock.
    pub(crate) retry_at: Option<i64>,
}

impl Route {
    /// Heard from the store. A due time the wall clock has jumped away from is looked at again within a day.
    fn left(&mut self, left: Left, now: Now) {
        self.waiting = left.waiting;
        let most = i64::try_from(limits::RETRY_AFTER.as_millis()).unwrap_or(i64::MAX);
        let wait = |wall: i64| wall.saturating_sub(now.wall_ms).clamp(LOOK_AGAIN_MS, most);
        self.retry_at = left.retry_wall.map(|wall| now.mono_ms.saturating_add(wait(wall)));
    }

    /// When something put aside is due, by the monotonic clock.
    fn parked_until(&self, at: At<'_>) -> Option<i64> {
        [self.retry_at, self.state.limited_until(at)].into_iter().flatten().min()
    }
}

/// See the module's documentation.
#[derive(Debug)]
pub(crate) struct Machine {
    boot: String,
    setting: Setting,
    suspended: bool,
    /// The store did not answer: wait for a sign of life, or until then by the monotonic clock.
    store_gone: Option<i64>,
    /// Destinations, and when the last immediate request of each began.
    destinations: BTreeMap<String, Option<i64>>,
    /// Destinations not yet declared and loaded.
    unloaded: Vec<String>,
    /// A flush began while some were not loaded.
    flush_unloaded: bool,
    routes: BTreeMap<RouteKey, Route>,
}

impl Machine {
    pub(crate) fn new(boot: &str, foreground: bool) -> Machine {
        Machine {
            boot: boot.to_owned(),
            setting: Setting { foreground, network: Network::default(), power: Power::default() },
            suspended: false,
            store_gone: None,
            destinations: BTreeMap::new(),
            unloaded: Vec::new(),
            flush_unloaded: false,
            routes: BTreeMap::new(),
        }
    }

    /// The clocks together with the boot they belong to.
    pub(crate) fn at(&self, now: Now) -> At<'_> {
        At { boot: &self.boot, wall_ms: now.wall_ms, mono_ms: now.mono_ms }
    }

    /// A destination was added, or the store is another file now: to be declared and loaded.
    pub(crate) fn add(&mut self, name: &str) {
        self.forget_routes(name);
        self.destinations.insert(name.to_owned(), None);
        self.unloaded.push(name.to_owned());
    }

    /// A destination was removed.
    pub(crate) fn remove(&mut self, name: &str) {
        self.forget_routes(name);
        self.destinations.remove(name);
    }

    fn forget_routes(&mut self, name: &str) {
        self.unloaded.retain(|old| old != name);
        self.routes.retain(|_, route| route.destination != name);
    }

    /// A destination's routes with what the store knows of them.
    pub(crate) fn loaded(
        &mut self,
        name: &str,
        mono_ms: i64,
        routes: Vec<(RouteKey, &'static RouteSpec, RouteState, Left)>,
    ) {
        self.unloaded.retain(|old| old != name);
        for (key, spec, state, left) in routes {
            let waiting = left.waiting;
            let unreported = left.lost.is_some_and(|lost| lost != 0 && lost != state.reported);
            let mut trigger = Trigger { losses: unreported.then_some(mono_ms), ..Trigger::default() };
            // What an earlier run left, and a batch in flight, go at once.
            trigger.left(waiting, mono_ms);
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

    /// Something happened.
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
                let left = self.setting.foreground && !foreground;
                self.setting.foreground = foreground;
                if left {
                    self.drain(mono_ms);
                }
            }
            Event::Hint(Hint::Power(power)) => self.setting.power = power,
            Event::Hint(Hint::Network(network)) => {
                let regained = self.setting.network == Network::Offline && network != Network::Offline;
                self.setting.network = network;
                if regained {
                    self.regained(mono_ms);
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
            Event::Suspend => self.suspended = true,
            Event::Resume => {
                self.suspended = false;
                self.store_gone = None;
                self.drain(mono_ms);
            }
            Event::StoreBack => self.store_gone = None,
            Event::StoreGone => self.store_gone = Some(i64::MAX),
            Event::StoreFailed => {
                let wait = i64::try_from(limits::REOPEN_INTERVAL.as_millis()).unwrap_or(i64::MAX);
                self.store_gone = Some(mono_ms.saturating_add(wait));
            }
        }
    }

    fn drain(&mut self, mono_ms: i64) {
        self.routes.values_mut().for_each(|route| route.trigger.drain(mono_ms));
    }

    /// There is a network again: waits that were only for want of one end, unless a request went out just now.
    fn regained(&mut self, mono_ms: i64) {
        let spacing = i64::try_from(limits::IMMEDIATE_INTERVAL.as_millis()).unwrap_or(i64::MAX);
        for route in self.routes.values_mut() {
            if route.trigger.tried.is_none_or(|tried| mono_ms.saturating_sub(tried) >= spacing) {
                route.state.hold.take_if(|hold| hold.why == Why::Unreachable);
            }
        }
        self.drain(mono_ms);
    }

    /// What to do now. Each answer is acted on before the next call.
    pub(crate) fn poll(&mut self, now: Now) -> Option<Do> {
        self.store_gone.take_if(|until| *until <= now.mono_ms);
        self.settle_flush(now);
        if self.suspended || self.store_gone.is_some() {
            return None;
        }
        if let Some(name) = self.unloaded.first() {
            return Some(Do::Load(name.clone()));
        }
        let ready = |(when, what): (i64, Do)| (when <= now.mono_ms).then_some(what);
        self.routes.iter().find_map(|(key, route)| ready(self.plan(key, route, now)?))
    }

    /// When to poll again if nothing happens before, by the monotonic clock.
    pub(crate) fn deadline(&self, now: Now) -> Option<i64> {
        if self.suspended {
            return None;
        }
        if let Some(until) = self.store_gone {
            return (until < i64::MAX).then_some(until);
        }
        self.routes.iter().filter_map(|(key, route)| Some(self.plan(key, route, now)?.0)).min()
    }

    /// What a route does next, and when.
    fn plan(&self, key: &RouteKey, route: &Route, now: Now) -> Option<(i64, Do)> {
        if route.busy {
            return None;
        }
        let at = self.at(now);
        let send = || Do::Send(key.clone());
        if let Some(stop) = &route.state.stop {
            let hold = route.state.hold.as_ref().map_or(0, |hold| hold.ends_mono(at));
            return route.trigger.any().then(|| (stop.next.ends_mono(at).max(hold), send()));
        }
        let free = self.free_at(route, at);
        let immediate = self.destinations.get(&route.destination).copied().flatten();
        let rows = route.trigger.wish(self.setting, immediate, at.mono_ms).map(|(when, _)| (when.max(free), send()));
        let parked = route.parked_until(at).map(|when| (when.max(free), send()));
        let losses = (route.spec.reports_losses && route.state.bisect.is_none())
            .then(|| route.trigger.losses_due(self.setting, at.mono_ms))
            .flatten();
        let losses = losses.map(|when| (when.max(free), Do::Losses(key.clone())));
        // Rows first where both are due: losses go along with them.
        [rows, parked, losses].into_iter().flatten().min_by_key(|(when, _)| (*when).max(at.mono_ms))
    }

    /// The end of the route's hold, by the monotonic clock; in the past = none.
    fn free_at(&self, route: &Route, at: At<'_>) -> i64 {
        match &route.state.hold {
            // Where the server asked for the wait there is no flush any more, see `settle_flush`.
            Some(hold) if route.trigger.flush == Flush::No => hold.ends_mono(at),
            _ => i64::MIN,
        }
    }

    /// A flush does not wait for routes that may not send.
    fn settle_flush(&mut self, now: Now) {
        let at = At { boot: &self.boot, wall_ms: now.wall_ms, mono_ms: now.mono_ms };
        self.flush_unloaded &= !self.unloaded.is_empty() && !self.suspended && self.store_gone.is_none();
        for route in self.routes.values_mut().filter(|route| route.trigger.flush != Flush::No && !route.busy) {
            let held = route.state.hold.as_ref().is_some_and(|hold| !hold.why.yields_to_flush() && !hold.over(at));
            if held || route.state.stop.is_some() || self.suspended || self.store_gone.is_some() {
                route.trigger.flush = Flush::No;
            }
        }
    }

    /// Whether the store may be asked.
    pub(crate) fn store_there(&self) -> bool {
        self.store_gone.is_none()
    }

    /// Whether a flush still waits for a route.
    pub(crate) fn flushing(&self) -> bool {
        self.flush_unloaded || self.routes.values().any(|route| route.trigger.flush != Flush::No)
    }

    /// Whether requests are under way or wait for the store.
    pub(crate) fn busy(&self) -> bool {
        self.routes.values().any(|route| route.busy)
    }

    /// The route with this name.
    pub(crate) fn route(&mut self, key: &str) -> Option<&mut Route> {
        self.routes.get_mut(key)
    }

    /// A request begins. Whether it was an immediate one is read from what the route waited for.
    pub(crate) fn began(&mut self, key: &str, mono_ms: i64) {
        let Some(route) = self.routes.get_mut(key) else { return };
        route.busy = true;
        route.trigger.tried = Some(mono_ms);
        let urgent = route.trigger.counts.iter().take(2).any(|count| *count > 0);
        if urgent && let Some(last) = self.destinations.get_mut(&route.destination) {
            *last = Some(mono_ms);
        }
    }

    /// The store has nothing to send on this route now; `left` = what it holds for it all the same.
    pub(crate) fn nothing(&mut self, key: &str, now: Now, left: Left) {
        let at = At { boot: &self.boot, wall_ms: now.wall_ms, mono_ms: now.mono_ms };
        let Some(route) = self.routes.get_mut(key) else { return };
        route.trigger.empty();
        route.left(left, now);
        route.state.tidy(at);
        if route.trigger.flush == Flush::Rows {
            let more = route.spec.reports_losses && route.trigger.losses.is_some();
            route.trigger.flush = if more { Flush::Losses } else { Flush::No };
        }
    }

    /// A request ended and the store has settled it; `left` = what the store holds now. `again` = rows of the
    /// request are to be sent once more.
    pub(crate) fn ended(&mut self, key: &str, now: Now, again: bool, left: Left) {
        let at = At { boot: &self.boot, wall_ms: now.wall_ms, mono_ms: now.mono_ms };
        let Some(route) = self.routes.get_mut(key) else { return };
        route.busy = false;
        route.left(left, now);
        route.state.tidy(at);
        route.trigger.left(left.waiting, now.mono_ms);
        if again {
            route.trigger.drain(now.mono_ms);
        }
        if route.state.hold.is_some() || route.state.stop.is_some() {
            // One attempt is what a flush promises.
            route.trigger.flush = Flush::No;
        }
    }

    /// Losses were looked at: reported, unchanged, or not to be had.
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
