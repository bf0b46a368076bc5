//! What the logger hears from the delivery thread. A message contains no words of a server.

use super::super::WriterAccess;
use super::super::outcome::Step;
use super::super::state::StopKind;
use super::Driver;
use crate::limits::UNREACHABLE_AFTER;
use crate::logger::LogCode;
use crate::reason::Reason;
use crate::store::{Now, Receipt, RouteKey, RowEnd};
use std::collections::BTreeMap;

impl<O: WriterAccess> Driver<O> {
    /// The route has just been stopped, or has not reached its server for long.
    pub(super) fn report_state(&mut self, key: &RouteKey, was_stopped: bool, now: Now) {
        if !self.context.log.is_on() {
            return;
        }
        let offline = self.machine.is_offline();
        let Some((route, _)) = self.route(key) else { return };
        let status = route.state.last_status;
        let stop = route.state.stop.as_ref().map(|stop| stop.kind).filter(|_| !was_stopped);
        // Only a wait of this kind is left behind by a request that did not arrive.
        let unreachable = route.state.hold.as_ref().is_some_and(|hold| hold.why.ends_with_network());
        if let Some(kind) = stop {
            let text = || match (kind, status) {
                (StopKind::Refused, 0) => format!("`{key}` is stopped"),
                (StopKind::Refused, 300..=399) => format!("`{key}` is stopped: its address redirects ({status})"),
                (StopKind::Refused, 404 | 405 | 410) => {
                    format!("`{key}` is stopped: nothing is at its address ({status})")
                }
                (StopKind::Refused, _) => format!("`{key}` is stopped: the server refuses its key ({status})"),
                (StopKind::RefusesEverything, _) => {
                    format!("`{key}` is stopped: the server refuses every event ({status})")
                }
            };
            self.context.log.say(LogCode::RouteStopped, key, text);
        }
        if !unreachable || offline {
            self.unreachable.remove(key);
            return;
        }
        let since = *self.unreachable.entry(key.clone()).or_insert(now.mono_ms);
        let long = now.mono_ms.saturating_sub(since);
        if long >= i64::try_from(UNREACHABLE_AFTER.as_millis()).unwrap_or(i64::MAX) {
            let text = || format!("`{key}` has not reached its server for {} minutes", long / 60_000);
            self.context.log.say(LogCode::Unreachable, key, text);
        }
    }

    /// Events that this route gives up.
    pub(super) fn report_refusals(&self, key: &RouteKey, step: &Step, receipt: Option<&Receipt>) {
        let Step::Settle(ends) = step else { return };
        if !self.context.log.is_on() {
            return;
        }
        let mut refused = BTreeMap::<Reason, u64>::new();
        for end in ends {
            if let RowEnd::Dropped(reason) | RowEnd::Dead { reason, .. } = end {
                *refused.entry(*reason).or_default() += 1;
            }
        }
        let status = receipt.map_or(0, |receipt| receipt.status);
        for (reason, n) in refused {
            let status = if status == 0 { String::new() } else { format!(", status {status}") };
            let n = crate::phrases::events(n);
            let text = || format!("`{key}` did not take {n} ({reason}{status})");
            self.context.log.say(LogCode::EventsRefused, &format!("{key} {reason}"), text);
        }
    }
}
