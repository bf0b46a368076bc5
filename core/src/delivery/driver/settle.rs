//! Settles the result of a request in the store.

use super::super::machine::Backlog;
use super::super::outcome::{Attempt, Decision, RequestEnd, Step, decide};
use super::super::request;
use super::super::state::digest;
use super::super::{WriterAccess, wait};
use super::{Driver, Running, Settlement};
use crate::kind::Kind;
use crate::store::{Now, Receipt, RouteKey, RowEnd};
use crate::sys::fault;
use crate::transport::Sent;
use std::sync::Arc;

impl<O: WriterAccess> Driver<O> {
    /// Gives up the requests that take too long.
    pub(super) fn time_out(&mut self, now: Now) {
        let late = |running: &Running| self.timeout(running) <= now.mono_ms;
        let late: Vec<u64> =
            self.running.iter().filter(|(_, running)| late(running)).map(|(number, _)| *number).collect();
        for number in late {
            // The transport may still be sending it, so its fate is unknown.
            self.finished(number, Sent::Ambiguous("no response in time".into()));
        }
    }

    /// The transport reported the end of a request.
    pub(super) fn finished(&mut self, number: u64, sent: Sent) {
        let Some(running) = self.running.remove(&number) else { return };
        let end = match sent {
            Sent::NotSent(what) => RequestEnd::NotSent(what),
            Sent::Ambiguous(what) => RequestEnd::Lost(what),
            Sent::Response(response) => {
                let spec = self.machine.route(&running.route).map(|route| route.spec);
                let Some(spec) = spec else { return };
                request::read(&*running.destination, spec, &running.payload.batch(), &response)
            }
        };
        self.ended(running, end);
    }

    /// A request ended: decides what that means and queues the settlement.
    pub(super) fn ended(&mut self, running: Running, end: RequestEnd) {
        let now = self.now();
        let random = self.random();
        let boot = Arc::clone(&self.context.boot);
        let at = wait::At { boot: &boot, wall_ms: now.wall_ms, mono_ms: now.mono_ms };
        let Some((route, _)) = self.route(&running.route) else { return };
        let payload = &running.payload;
        let rows: Vec<(u64, Kind)> = payload.rows.iter().map(|row| (row.seq, row.kind)).collect();
        let resend = payload.attempt > 0;
        let attempt = Attempt { spec: route.spec, batch: &payload.batch_id, rows: &rows, resend, at, random };
        let was_stopped = route.state.stop.is_some();
        let Decision { step, status, note, acknowledged, refused } = decide(&mut route.state, attempt, end);
        self.report_state(&running.route, was_stopped, now);
        let Some((route, _)) = self.route(&running.route) else { return };
        if acknowledged && !payload.of_old_epoch {
            route.state.set_reported(route.spec, payload.epoch, &payload.total_lost);
            route.trigger.losses = None;
        }
        if payload.losses_only {
            let done = acknowledged || refused;
            return match payload.of_old_epoch {
                true => self.old_losses_ended(&running, done),
                false => self.losses_ended(&running.route, done, digest(&payload.total_lost)),
            };
        }
        if let Step::Settle(ends) = &step {
            let delivered = ends.iter().filter(|end| **end == RowEnd::Delivered).count();
            route.delivered = route.delivered.saturating_add(delivered as u64);
            if ends.iter().any(|end| matches!(end, RowEnd::Dropped(_) | RowEnd::Dead { .. })) {
                route.trigger.losses = Some(now.mono_ms);
            }
        }
        if acknowledged {
            // The rows' request reported the losses of this epoch only.
            self.schedule_old_losses(std::slice::from_ref(&running.route), payload.epoch);
        }
        let receipt = Receipt { at_ms: now.wall_ms, status, batch_id: payload.request_id.clone(), note };
        let seqs = rows.into_iter().map(|(seq, _)| seq).collect();
        self.settle_later(&running.route, step, seqs, Some(receipt));
    }

    pub(super) fn settle_later(&mut self, key: &RouteKey, step: Step, seqs: Vec<u64>, receipt: Option<Receipt>) {
        if let Some((route, _)) = self.route(key) {
            route.busy = true;
        }
        self.report_refusals(key, &step, receipt.as_ref());
        self.unsettled.push(Settlement { route: key.clone(), step, seqs, receipt });
    }

    pub(super) fn settle_all(&mut self) {
        while self.machine.store_usable() {
            let Some(settlement) = self.unsettled.pop() else { return };
            self.settle(settlement);
        }
    }

    /// Settles in one transaction with the route's state. A settlement that fails is kept until the store can be used
    /// again.
    pub(super) fn settle(&mut self, settlement: Settlement) {
        let Some(route) = self.machine.route(&settlement.route) else { return };
        let pinned = route.state.pins_batch();
        let state = route.state.to_json();
        let Settlement { route: key, step, seqs, receipt } = settlement;
        let again = !matches!(step, Step::Settle(_));
        let kept = (key.clone(), step.clone(), seqs.clone(), receipt.clone());
        fault::point("answered");
        let shared = Arc::clone(&self.context.shared);
        let backlog = self.with_store(move |store, now| {
            let state = Some(state.as_str());
            match (step, &receipt) {
                (Step::Settle(ends), Some(receipt)) => {
                    let ends: Vec<(u64, RowEnd)> = seqs.into_iter().zip(ends).collect();
                    store.settle(&key, &ends, receipt, state, now)?;
                }
                (Step::Retry, Some(receipt)) => {
                    store.retry(&key, receipt, state)?;
                    store.pin(&key, pinned);
                }
                (_, receipt) => store.release(&key, receipt.as_ref(), state)?,
            }
            Backlog::read(store, &key, now, &shared)
        });
        let (route, step, seqs, receipt) = kept;
        let Some(backlog) = backlog else { return self.unsettled.push(Settlement { route, step, seqs, receipt }) };
        self.announced(&backlog);
        fault::point("settled");
        let now = self.now();
        self.machine.ended(&route, now, again, backlog);
    }
}
