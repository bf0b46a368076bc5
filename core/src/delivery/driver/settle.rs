//! From the end of a request to the store.

use super::super::machine::Left;
use super::super::outcome::{Attempt, Decision, Ended, Step, decide};
use super::super::state::digest;
use super::super::{Outbox, wait};
use super::{Driver, Running, Settlement};
use crate::kind::Kind;
use crate::store::{Receipt, RouteKey, RowEnd};
use crate::sys::fault;
use std::sync::Arc;

impl<O: Outbox> Driver<O> {
    /// A request ended: decide it and let the store settle it.
    pub(super) fn ended(&mut self, running: Running, ended: Ended) {
        let now = self.now();
        let random = self.random();
        let boot = Arc::clone(&self.given.boot);
        let at = wait::At { boot: &boot, wall_ms: now.wall_ms, mono_ms: now.mono_ms };
        let Some((route, _)) = self.route(&running.route) else { return };
        let cargo = &running.cargo;
        let rows: Vec<(u64, Kind)> = cargo.rows.iter().map(|row| (row.seq, row.kind)).collect();
        let attempt = Attempt { spec: route.spec, batch: &cargo.batch_id, rows: &rows, at, random };
        let Decision { step, status, note } = decide(&mut route.state, attempt, ended);
        let heard = (200..300).contains(&status) && matches!(step, Step::Settle(_));
        if heard {
            route.state.tell(route.spec, cargo.epoch, &cargo.lost_in_all);
            route.trigger.losses = None;
        }
        if cargo.losses_only {
            return self.losses_ended(
                &running.route,
                heard || step == Step::Settle(Vec::new()),
                digest(&cargo.lost_in_all),
            );
        }
        if let Step::Settle(ends) = &step {
            let delivered = ends.iter().filter(|end| **end == RowEnd::Delivered).count();
            route.delivered = route.delivered.saturating_add(delivered as u64);
            if ends.iter().any(|end| matches!(end, RowEnd::Dropped(_) | RowEnd::Dead { .. })) {
                route.trigger.losses = Some(now.mono_ms);
            }
        }
        let receipt = Receipt { at_ms: now.wall_ms, status, batch_id: cargo.request_id.clone(), note };
        let seqs = rows.into_iter().map(|(seq, _)| seq).collect();
        self.settle_later(&running.route, step, seqs, Some(receipt));
    }

    pub(super) fn settle_later(&mut self, key: &RouteKey, step: Step, seqs: Vec<u64>, receipt: Option<Receipt>) {
        if let Some((route, _)) = self.route(key) {
            route.busy = true;
        }
        self.unsettled.push(Settlement { route: key.clone(), step, seqs, receipt });
    }

    pub(super) fn settle_all(&mut self) {
        while self.machine.store_there() {
            let Some(settlement) = self.unsettled.pop() else { return };
            self.settle(settlement);
        }
    }

    /// In one transaction with the route's state. What cannot be settled now is kept until the store is there again.
    pub(super) fn settle(&mut self, settlement: Settlement) {
        let Some(route) = self.machine.route(&settlement.route) else { return };
        let state = route.state.to_json();
        let Settlement { route: key, step, seqs, receipt } = settlement;
        let again = !matches!(step, Step::Settle(_));
        let kept = (key.clone(), step.clone(), seqs.clone(), receipt.clone());
        fault::point("answered");
        let left = self.ask(move |store, now| {
            let state = Some(state.as_str());
            match (step, &receipt) {
                (Step::Settle(ends), Some(receipt)) => {
                    let ends: Vec<(u64, RowEnd)> = seqs.into_iter().zip(ends).collect();
                    store.settle(&key, &ends, receipt, state, now)?;
                }
                (Step::Retry, Some(receipt)) => store.retry(&key, receipt, state)?,
                (_, receipt) => store.release(&key, receipt.as_ref(), state)?,
            }
            Left::read(store, &key)
        });
        let (route, step, seqs, receipt) = kept;
        let Some(left) = left else { return self.unsettled.push(Settlement { route, step, seqs, receipt }) };
        fault::point("settled");
        if !again {
            self.given.outbox.changed();
        }
        let now = self.now();
        self.machine.ended(&route, now, again, left);
    }
}
