//! From rows to the transport: lease, last look at consent, hand over.

use super::super::machine::Left;
use super::super::outcome::{Ended, Step};
use super::super::request::{self, Filter};
use super::super::{Outbox, wait};
use super::{Cargo, Driver, Leased, Running};
use crate::destination::{Destination, RouteSpec, Stamp};
use crate::reason::Reason;
use crate::row::Row;
use crate::store::{InflightState, Lease, Now, Receipt, RouteKey, RowEnd};
use crate::sys::fault;
use crate::transport::{Completion, Request};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

impl<O: Outbox> Driver<O> {
    /// Leases rows and hands them to the transport.
    pub(super) fn send(&mut self, key: &RouteKey) {
        let now = self.now();
        let Some(leased) = self.lease(key, now) else { return };
        let Some(lease) = leased.lease.filter(|lease| !lease.rows.is_empty()) else {
            return self.machine.nothing(key, now, leased.left);
        };
        fault::point("inflight_committed");
        let granted = self.given.outbox.granted();
        let boot = Arc::clone(&self.given.boot);
        let Some((route, destination)) = self.route(key) else { return };
        let receipt = |note: &str| {
            let (batch_id, note) = (lease.batch_id.clone(), note.to_owned());
            Some(Receipt { at_ms: now.wall_ms, status: 0, batch_id, note })
        };
        if route.spec.at_most_once && lease.state == InflightState::Sending {
            // An earlier run handed it to its transport and did not live to see the end.
            let ends = vec![RowEnd::Dropped(Reason::Ambiguous); lease.rows.len()];
            let seqs = lease.rows.iter().map(|row| row.seq).collect();
            return self.settle_later(key, Step::Settle(ends), seqs, receipt("may have arrived: the process ended"));
        }
        if let Some(step) = expire(destination.max_age(route.spec), &lease, &boot, now) {
            let seqs = lease.rows.iter().map(|row| row.seq).collect();
            return self.settle_later(key, step, seqs, receipt("older than the destination takes"));
        }
        if route.state.stop.is_some() && lease.rows.len() > 1 {
            // A batch from before the stop; probes are single events.
            return self.settle_later(key, Step::Release, Vec::new(), None);
        }
        let rows = lease.rows.len();
        if !route.state.bisect.as_ref().is_some_and(|bisect| bisect.fits(&lease.batch_id, rows)) {
            route.state.bisect = None;
        }
        let part = route.state.bisect.as_mut().and_then(|bisect| bisect.current().cloned());
        let cargo = Cargo {
            request_id: part.as_ref().map_or_else(|| lease.batch_id.clone(), |part| part.id(&lease.batch_id)),
            part: part.map_or((0, rows), |part| (part.from, part.to)),
            batch_id: lease.batch_id,
            install: leased.install,
            epoch: leased.epoch,
            rows: lease.rows,
            runs: lease.runs,
            lost: route.state.untold(route.spec, leased.epoch, &lease.lost),
            lost_in_all: lease.lost,
            granted,
            losses_only: false,
        };
        self.dispatch(key, destination, cargo, lease.attempt);
    }

    /// Asks the store for rows. A probe prefers events that were not refused before.
    pub(super) fn lease(&mut self, key: &RouteKey, now: Now) -> Option<Leased> {
        let boot = Arc::clone(&self.given.boot);
        let at = wait::At { boot: &boot, wall_ms: now.wall_ms, mono_ms: now.mono_ms };
        let (granted, denied) = (self.given.outbox.granted(), self.given.outbox.denied());
        let (route, destination) = self.route(key)?;
        let suspects = route.state.stop.iter().flat_map(|stop| &stop.suspects).map(|suspect| suspect.seq).collect();
        let mut filter = Filter {
            name: route.destination.clone(),
            spec: route.spec,
            granted,
            denied,
            limited: route.state.limited(at),
            skip: suspects,
            destination,
        };
        let cut = route.state.cut(route.spec);
        let encoder = filter.destination.encoder();
        loop {
            let (key, id, filter_now) = (key.clone(), self.new_id(now), filter.clone());
            let asked = self.ask(move |store, now| {
                let mut taken = None;
                let wants = &mut |row: &Row| filter_now.take(&mut taken, row);
                let lease = store.lease(&key, cut, encoder, &|| id.clone(), wants, now)?;
                let again = lease.is_none() && store.lease_again(&key);
                let left = Left::read(store, &key)?;
                Ok((Leased { lease, left, install: store.install().to_owned(), epoch: store.epoch() }, again))
            });
            let (leased, again) = asked?;
            if again {
                // A lease looks at a bounded number of rows, so that the writer can fold in between.
                continue;
            }
            if leased.lease.is_some() || filter.skip.is_empty() {
                return Some(leased);
            }
            filter.skip.clear();
        }
    }

    /// Encodes and sends, or notes why that was impossible.
    pub(super) fn dispatch(&mut self, key: &RouteKey, destination: Arc<dyn Destination>, cargo: Cargo, attempt: u32) {
        let now = self.now();
        let boot = Arc::clone(&self.given.boot);
        let Some((route, _)) = self.route(key) else { return };
        let (spec, compress) = (route.spec, !route.state.uncompressed);
        let last_status = if attempt == 0 { 0 } else { route.state.last_status };
        let stamp = Stamp { boot: &boot, wall_ms: now.wall_ms, mono_ms: now.mono_ms, attempt, last_status };
        let request = request::build(&*destination, spec, &cargo.batch(), &stamp, compress);
        self.machine.began(key, now.mono_ms);
        let running = Running { route: key.clone(), destination, cargo, began_mono: now.mono_ms, connected: false };
        match request {
            Err(what) => self.ended(running, Ended::Unbuildable(what)),
            Ok(request) if running.cargo.losses_only && request.body.is_empty() => self.losses_told(&running),
            Ok(request) => self.hand_over(running, spec, request),
        }
    }

    /// Whether the user still allows all that this request carries.
    fn is_allowed(&self, running: &Running) -> bool {
        let granted = self.given.outbox.granted();
        let purposes = running.destination.purposes();
        running.cargo.batch().rows.iter().all(|row| request::allowed(purposes, row, granted))
    }

    /// The last look at consent, then the transport.
    pub(super) fn hand_over(&mut self, running: Running, spec: &RouteSpec, request: Request) {
        if !self.is_allowed(&running) {
            // Cut anew without what is no longer allowed.
            return self.settle_later(&running.route, Step::Release, Vec::new(), None);
        }
        if spec.at_most_once {
            let key = running.route.clone();
            if self.ask(move |store, _| store.sending(&key)).is_none() {
                if let Some((route, _)) = self.route(&running.route) {
                    route.busy = false;
                }
                return;
            }
            self.given.outbox.changed();
            // The writer was waited for: the user may have answered otherwise meanwhile.
            if !self.is_allowed(&running) {
                return self.settle_later(&running.route, Step::Release, Vec::new(), None);
            }
        }
        self.number = self.number.wrapping_add(1);
        let number = self.number;
        self.running.insert(number, running);
        let done = Completion::new(Arc::clone(&self.given.tell), number);
        let transport = &self.given.transport;
        // A panic drops `done`, which reports an unknown fate.
        let _ = catch_unwind(AssertUnwindSafe(|| transport.send(request, done)));
        fault::point("sent");
    }
}

/// Books rows that are older than the destination takes, by the time they bear, which the vendor looks at, or within a boot
/// by the clock that nobody can set; the other rows are queued again.
fn expire(max_age: Option<Duration>, lease: &Lease, boot: &str, now: Now) -> Option<Step> {
    let most = i64::try_from(max_age?.as_millis()).unwrap_or(i64::MAX);
    let of_this_boot = |row: &Row| lease.runs.iter().any(|run| run.number == row.run && run.boot == boot);
    let old = |row: &Row| {
        now.wall_ms.saturating_sub(row.wall_ms) > most
            || (of_this_boot(row) && now.mono_ms.saturating_sub(row.mono_ms) > most)
    };
    let rows = &lease.rows;
    if !rows.iter().any(old) {
        return None;
    }
    let end = |row: &Row| if old(row) { RowEnd::Dropped(Reason::Expired) } else { RowEnd::Keep };
    Some(Step::Settle(rows.iter().map(end).collect()))
}
