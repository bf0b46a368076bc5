//! What was lost is told to the server even when no event goes along.

use super::super::state::{RouteState, digest};
use super::super::{Outbox, request};
use super::{Cargo, Driver, Running};
use crate::destination::Destination;
use crate::store::{self, RouteKey, Store};
use std::sync::Arc;

/// Whether a route that reports losses has some its server was not told. Where the user was forgotten and nothing came after,
/// there is no run left to tell them of.
pub(crate) fn owes_losses(store: &Store, destinations: &[(String, Arc<dyn Destination>)]) -> store::Result<bool> {
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
    /// Reports losses in a request without events, if the server does not know them.
    pub(super) fn losses(&mut self, key: &RouteKey) {
        let now = self.now();
        let granted = self.given.outbox.granted();
        let route_key = key.clone();
        let known = self.ask(move |store, _| {
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
        let cargo = Cargo {
            batch_id: id.clone(),
            request_id: id,
            install,
            epoch,
            rows: Vec::new(),
            part: (0, 0),
            runs: vec![run],
            lost: route.state.untold(route.spec, epoch, &lost),
            lost_in_all: lost,
            granted,
            losses_only: true,
        };
        self.dispatch(key, destination, cargo, 0);
    }

    /// Nothing of the losses is worth a request.
    pub(super) fn losses_told(&mut self, running: &Running) {
        let Some((route, _)) = self.route(&running.route) else { return };
        route.state.tell(route.spec, running.cargo.epoch, &running.cargo.lost_in_all);
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
        // Not told: the same losses are reported once more after a restart, and the server keeps the larger number.
        let _ = self.ask(move |store, _| store.save_route_state(&route_key, &state));
    }
}
