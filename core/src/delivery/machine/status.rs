//! Why each route waits: now, and as it is stored.

use super::super::schedule::Network;
use super::super::state::{RouteState, Stop, StopKind};
use super::super::wait::{Wait, Why};
use super::super::{Held, RouteStatus};
use super::{Machine, Route};
use crate::phrases::HeldCode;
use crate::store::{Now, RouteKey};

impl Machine {
    /// Whether the host reports that there is no network.
    pub(crate) fn is_offline(&self) -> bool {
        self.conditions.network == Network::Offline
    }

    /// The status of all routes, for `status()` and `flush()`.
    pub(crate) fn status(&self, now: Now) -> Vec<RouteStatus> {
        self.routes.iter().map(|(key, route)| self.route_status(key, route, now)).collect()
    }

    fn route_status(&self, key: &RouteKey, route: &Route, now: Now) -> RouteStatus {
        RouteStatus {
            destination: route.destination.clone(),
            route: key.clone(),
            waiting: route.waiting.to_vec(),
            delivered: route.delivered,
            in_flight: route.busy,
            stopped: route.state.stop.is_some(),
            held: self.held(route, now),
        }
    }

    fn held(&self, route: &Route, now: Now) -> Option<Held> {
        let at = self.at(now);
        let until = |mono: i64| at.wall_ms.saturating_add(mono.saturating_sub(at.mono_ms).max(0));
        if self.suspended {
            return Some(Held::new(HeldCode::Suspended, None, ""));
        }
        if self.paused.contains(&route.destination) {
            return Some(Held::new(HeldCode::Paused, None, ""));
        }
        if self.store_gone.is_some() {
            return Some(Held::new(HeldCode::StoreUnavailable, None, ""));
        }
        if let Some(stop) = &route.state.stop {
            return Some(stopped(stop, stop.next.ends_wall(at)));
        }
        if let Some(hold) = route.state.hold.as_ref().filter(|hold| !hold.over(at)) {
            return Some(waits(&route.state, hold, hold.ends_wall(at)));
        }
        if route.busy || !route.trigger.any() {
            let parked = route.parked_until(at)?;
            return Some(Held::new(Why::Parked.code(), Some(until(parked)), ""));
        }
        let immediate = self.destinations.get(&route.destination).copied().flatten();
        let (when, delay) = route.trigger.due(self.conditions, immediate, at.mono_ms)?;
        (when > at.mono_ms).then(|| Held::new(delay.code(), Some(until(when)), ""))
    }
}

fn stopped(stop: &Stop, until_ms: i64) -> Held {
    let code = match stop.kind {
        StopKind::Refused => HeldCode::Stopped,
        StopKind::RefusesEverything => HeldCode::RefusesEverything,
    };
    Held::new(code, Some(until_ms), &stop.why)
}

fn waits(state: &RouteState, hold: &Wait, until_ms: i64) -> Held {
    Held { failures: state.failures, ..Held::new(hold.why.code(), Some(until_ms), &state.cause) }
}

/// Why a route waits, from the state that is stored for it: what [`Machine::status`] would show, and the limits of single
/// kinds. The ends are those of the clock that stored them.
pub(crate) fn stored_held(json: &str) -> Vec<Held> {
    let state: RouteState = serde_json::from_str(json).unwrap_or_default();
    let stop = state.stop.iter().map(|stop| stopped(stop, stop.next.stored_end()));
    let hold = state.hold.iter().map(|hold| waits(&state, hold, hold.stored_end()));
    let limits = state.limits.iter().map(|limit| {
        let held = Held::new(HeldCode::RateLimit, Some(limit.hold.stored_end()), "");
        Held { why: format!("{}: {}", limit.kind, held.why), ..held }
    });
    stop.chain(hold).chain(limits).collect()
}
