//! Reports of losses in a request without events.
//!
//! Losses are cumulative per epoch. A new epoch begins when the database is lost, and what it had counted and not
//! reported is then only in the superblock. It is reported under its own epoch, so a server that keeps the largest count
//! of an epoch counts nothing twice.

use super::super::state::{RouteState, digest};
use super::super::{WriterAccess, request};
use super::{Driver, Payload, Running};
use crate::destination::Destination;
use crate::ring::losses::UnreportedLoss;
use crate::row::Lost;
use crate::sorted::sort_by_key;
use crate::store::{self, RouteKey, Store, route_hash};
use std::sync::Arc;

/// Whether a route has losses that it has not reported yet, of this epoch or, in the superblock, of earlier ones. After
/// the user was forgotten there may be no run left to report them for.
pub(crate) fn has_unreported_losses(
    store: &Store,
    destinations: &[(String, Arc<dyn Destination>)],
    losses: &[UnreportedLoss],
) -> store::Result<bool> {
    if store.runs()?.is_empty() {
        return Ok(false);
    }
    for (name, destination) in destinations {
        for spec in destination.routes().iter().filter(|spec| spec.reports_losses) {
            let key = format!("{name}/{}", spec.name);
            let hash = route_hash(&key);
            if losses.iter().any(|loss| loss.route == hash && loss.epoch < store.epoch()) {
                return Ok(true);
            }
            let digest = digest(&store.lost(&key)?);
            let state = store.route_state(&key)?.and_then(|json| serde_json::from_str::<RouteState>(&json).ok());
            if digest != 0 && digest != state.map_or(0, |state| state.reported) {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

/// The losses of this epoch that are not reported, for the superblock: the largest first, because not all may fit. A
/// route that has reported its losses has none.
pub(crate) fn unreported_losses(
    store: &Store,
    destinations: &[(String, Arc<dyn Destination>)],
) -> store::Result<Vec<UnreportedLoss>> {
    let mut losses = Vec::new();
    let epoch = store.epoch();
    for (name, destination) in destinations {
        for spec in destination.routes().iter().filter(|spec| spec.reports_losses) {
            let key = format!("{name}/{}", spec.name);
            let lost = store.lost_in_store(&key)?;
            if lost.is_empty() {
                continue;
            }
            let state = store.route_state(&key)?.and_then(|json| serde_json::from_str::<RouteState>(&json).ok());
            let state = state.unwrap_or_default();
            if digest(&store.lost(&key)?) == state.reported {
                continue;
            }
            let unreported = state.unreported(spec, epoch, &lost).into_iter();
            losses.extend(unreported.map(|lost| UnreportedLoss { epoch, route: route_hash(&key), lost }));
        }
    }
    sort_by_key(&mut losses, |loss: &UnreportedLoss| std::cmp::Reverse(loss.lost.count));
    Ok(losses)
}

impl<O: WriterAccess> Driver<O> {
    /// The losses of the earliest epoch before this one that the route has not reported.
    fn old_losses(&self, key: &str, epoch: u64) -> Option<(u64, Vec<Lost>)> {
        let losses = self.context.writer.old_losses(route_hash(key), epoch);
        let oldest = losses.iter().map(|loss| loss.epoch).min()?;
        Some((oldest, losses.into_iter().filter(|loss| loss.epoch == oldest).map(|loss| loss.lost).collect()))
    }

    /// Schedules a report on each of these routes that has losses of an epoch before this one.
    pub(super) fn schedule_old_losses(&mut self, keys: &[RouteKey], epoch: u64) {
        let now = self.now();
        for key in keys {
            if self.old_losses(key, epoch).is_some()
                && let Some((route, _)) = self.route(key)
                && route.spec.reports_losses
            {
                route.trigger.losses.get_or_insert(now.mono_ms);
            }
        }
    }

    /// Reports losses in a request without events, if they are not reported yet.
    pub(super) fn report_losses(&mut self, key: &RouteKey) {
        let now = self.now();
        let granted = self.context.writer.granted();
        let route_key = key.clone();
        let known = self.with_store(move |store, _| {
            let lost = store.lost(&route_key)?;
            let runs = store.runs()?;
            Ok((lost, runs, store.install().to_owned(), store.epoch()))
        });
        let Some((lost, runs, install, epoch)) = known else { return };
        let old = self.old_losses(key, epoch);
        let id = self.new_id(now);
        let Some((route, destination)) = self.route(key) else { return };
        let allowed = destination.purposes().iter().any(|purpose| request::is_granted(*purpose, granted));
        let digest = digest(&lost);
        let Some(run) = runs.into_iter().max_by_key(|run| run.number) else {
            return self.machine.losses_done(key, now.mono_ms);
        };
        if !allowed || (old.is_none() && (digest == 0 || digest == route.state.reported)) {
            return self.machine.losses_done(key, now.mono_ms);
        }
        let of_old_epoch = old.is_some();
        let (epoch, lost, total_lost) = match old {
            Some((epoch, lost)) => (epoch, lost.clone(), lost),
            None => (epoch, route.state.unreported(route.spec, epoch, &lost), lost),
        };
        let payload = Payload {
            batch_id: id.clone(),
            request_id: id,
            install,
            epoch,
            rows: Vec::new(),
            part: (0, 0),
            runs: vec![run],
            lost,
            total_lost,
            granted,
            losses_only: true,
            of_old_epoch,
            attempt: 0,
        };
        self.dispatch(key, destination, payload);
    }

    /// The destination has no use for these losses: they count as reported.
    pub(super) fn losses_reported(&mut self, running: &Running) {
        if running.payload.of_old_epoch {
            return self.old_losses_ended(running, true);
        }
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
        if done {
            self.context.writer.write_superblock();
        }
    }

    /// A report of the losses of an earlier epoch ended. Those of the next epoch follow at once.
    pub(super) fn old_losses_ended(&mut self, running: &Running, done: bool) {
        let now = self.now();
        let key = &running.route;
        if done {
            self.context.writer.old_losses_reported(route_hash(key), running.payload.epoch);
        }
        let Some((route, _)) = self.route(key) else { return };
        let since = route.trigger.losses.or(Some(now.mono_ms));
        let (state, route_key) = (route.state.to_json(), key.clone());
        if done {
            route.busy = false;
        } else {
            self.machine.losses_done(key, now.mono_ms);
        }
        if let Some((route, _)) = self.route(key) {
            route.trigger.losses = since;
        }
        // If this fails, a wait is forgotten at the next start.
        let _ = self.with_store(move |store, _| store.save_route_state(&route_key, &state));
    }
}
