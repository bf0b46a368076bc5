//! The status of each route as text.

use super::super::state::StopKind;
use super::super::wait::Why;
use super::super::{Held, RouteStatus};
use super::{Machine, Route};
use crate::store::{Now, RouteKey};

impl Machine {
    /// The status of all routes, for `status()` and `flush()`.
    pub(crate) fn status(&self, now: Now) -> Vec<RouteStatus> {
        self.routes.iter().map(|(key, route)| self.route_status(key, route, now)).collect()
    }

    fn route_status(&self, key: &RouteKey, route: &Route, now: Now) -> RouteStatus {
        RouteStatus {
            destination: route.destination.clone(),
            route: key.clone(),
            waiting: route.waiting,
            delivered: route.delivered,
            in_flight: route.busy,
            stopped: route.state.stop.is_some(),
            held: self.held(route, now),
        }
    }

    fn held(&self, route: &Route, now: Now) -> Option<Held> {
        let at = self.at(now);
        let until = |mono: i64| at.wall_ms.saturating_add(mono.saturating_sub(at.mono_ms).max(0));
        let held = |until_ms: Option<i64>, why: String| Some(Held { until_ms, why });
        if self.suspended {
            return held(None, "suspended by the host".into());
        }
        if self.store_gone.is_some() {
            return held(None, "the queue cannot be used now".into());
        }
        if let Some(stop) = &route.state.stop {
            let kind = match stop.kind {
                StopKind::Refused => "stopped",
                StopKind::RefusesEverything => "refuses_everything",
            };
            return held(Some(stop.next.ends_wall(at)), format!("{kind}: {}", stop.why));
        }
        if let Some(hold) = route.state.hold.as_ref().filter(|hold| !hold.over(at)) {
            let cause = match route.state.cause.as_str() {
                "" => String::new(),
                cause => format!(": {cause}"),
            };
            return held(Some(hold.ends_wall(at)), format!("{}{cause}", hold.why.text()));
        }
        if route.busy || !route.trigger.any() {
            let parked = route.parked_until(at)?;
            return held(Some(until(parked)), Why::Parked.text().into());
        }
        let immediate = self.destinations.get(&route.destination).copied().flatten();
        let (when, delay) = route.trigger.due(self.conditions, immediate, at.mono_ms)?;
        (when > at.mono_ms).then(|| Held { until_ms: Some(until(when)), why: delay.text().into() })
    }
}
