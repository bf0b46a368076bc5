//! Reports of losses in a request without events.

use super::super::state::{RouteState, digest};
use super::super::{Outbox, request};
use super::{Driver, Payload, Running};
use crate::destination::Destination;
use crate::store::{self, RouteKey, Store};
use std::sync::Arc;

/// Whether a route has losses that it has not reported yet. After the user was forgotten there may be no run left to
/// report them for.
pub(crate) fn has_unreported_losses(
    store: &Store,
    destinations: &[(String, Arc<dyn Destination>)],
) -> store::Result<bool> {
    if store.runs()?.is_empty() {
        return Ok(false);
    }
    for (name, destination) in destinations {
        for spec in destination.routes().iter().filter(|spec| spec.reports_losses) {
            let key = format!("{name}/{}", spec.name);
            let digest = digest(&store.lost(&key)?);
            let state = store.route_state(&key)?.and_then(|json| serde_json::from_str::<RouteState>(&json).ok());
            if digest != 0 && digest != state.map_or(0, |state| state.reported) {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

impl<O: Outbox> Driver<O> {
    /// Reports losses in a request without events, if they are not reported yet.
    pub(super) fn report_losses(&mut self, key: &RouteKey) {
        let now = self.now();
        let granted = self.context.outbox.granted();
        let route_key = key.clone();
        let known = self.with_store(move |store, _| {
            let lost = store.lost(&route_key)?;
            let runs = store.runs()?;
            Ok((lost, runs, store.install().to_owned(), store.epoch()))
        });
        let Some((lost, mut runs, install, epoch)) = known else { return };
        let id = self.new_id(now);
        let Some((route, destination)) = self.route(key) else { return };
        let allowed = destination.purposes().iter().any(|purpose| request::is_granted(*purpose, granted));
        let digest = digest(&lost);
        runs.sort_by_key(|run| run.number);
        let Some(run) = runs.pop() else { return self.machine.losses_done(key, now.mono_ms) };
        if !allowed || digest == 0 || digest == route.state.reported {
            return self.machine.losses_done(key, now.mono_ms);
        }
        let payload = Payload {
            batch_id: id.clone(),
            request_id: id,
            install,
            epoch,
            rows: Vec::new(),
            part: (0, 0),
            runs: vec![run],
            lost: route.state.unreported(route.spec, epoch, &lost),
            total_lost: lost,
            granted,
            losses_only: true,
        };
        self.dispatch(key, destination, payload, 0);
    }

    /// The destination has no use for these losses: they count as reported.
    pub(super) fn losses_reported(&mut self, running: &Running) {
        let Some((route, _)) = self.route(&running.route) else { return };
        route.state.set_reported(route.spec, running.payload.epoch, &running.payload.total_lost);
        let digest = route.state.reported;
        self.losses_ended(&running.route, true, digest);
    }

    pub(super) fn losses_ended(&mut self, key: &RouteKey, done: bool, digest: u32) {
        let now = self.now();
        let Some((route, _)) = self.route(key) else { return };
        let since = route.trigger.losses;
        if done {
            route.state.reported = digest;
        }
        let (state, route_key) = (route.state.to_json(), key.clone());
        self.machine.losses_done(key, now.mono_ms);
        if !done && let Some((route, _)) = self.route(key) {
            route.trigger.losses = since.or(Some(now.mono_ms));
        }
        // If this fails, the same losses are reported again after a restart, and the server keeps the larger number.
        let _ = self.with_store(move |store, _| store.save_route_state(&route_key, &state));
    }
}
