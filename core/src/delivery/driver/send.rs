//! Leases rows, checks consent and hands the request to the transport.

use super::super::bisect::Bisect;
use super::super::machine::Backlog;
use super::super::outcome::{RequestEnd, Step};
use super::super::request::{self, Filter};
use super::super::{WriterAccess, wait};
use super::{Driver, Leased, Payload, Running};
use crate::destination::{Destination, RouteSpec, Stamp};
use crate::reason::Reason;
use crate::row::Row;
use crate::store::{InflightState, Lease, Now, Receipt, RouteKey, RowEnd, Selector};
use crate::sys::fault;
use crate::transport::{Completion, Request};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

impl<O: WriterAccess> Driver<O> {
    /// Leases rows and hands them to the transport.
    pub(super) fn send(&mut self, key: &RouteKey) {
        let now = self.now();
        let Some(leased) = self.lease(key, now) else { return };
        let Some(lease) = leased.lease.filter(|lease| !lease.rows.is_empty()) else {
            return self.machine.lease_was_empty(key, now, leased.backlog);
        };
        fault::point("inflight_committed");
        let granted = self.context.writer.granted();
        let boot = Arc::clone(&self.context.boot);
        let Some((route, destination)) = self.route(key) else { return };
        let receipt = |note: &str| {
            let (batch_id, note) = (lease.batch_id.clone(), note.to_owned());
            Some(Receipt { at_ms: now.wall_ms, status: 0, batch_id, note })
        };
        if route.spec.at_most_once && lease.state == InflightState::Sending {
            // An earlier process handed it to its transport and ended before the response.
            let ends = vec![RowEnd::Dropped(Reason::Ambiguous); lease.rows.len()];
            let seqs = lease.rows.iter().map(|row| row.seq).collect();
            return self.settle_later(key, Step::Settle(ends), seqs, receipt("may have arrived: the process ended"));
        }
        let rows = lease.rows.len();
        if !route.state.bisect.as_ref().is_some_and(|bisect| bisect.fits(&lease.batch_id, rows)) {
            route.state.bisect = None;
        }
        if let Some(step) = expire(destination.max_age(route.spec), &lease, route.state.bisect.as_ref(), &boot, now) {
            let seqs = lease.rows.iter().map(|row| row.seq).collect();
            return self.settle_later(key, step, seqs, receipt("older than the destination accepts"));
        }
        if route.state.stop.is_some() && lease.rows.len() > 1 {
            // The batch was selected before the stop; a probe is a single event.
            return self.settle_later(key, Step::Release, Vec::new(), None);
        }
        let part = route.state.bisect.as_mut().and_then(|bisect| bisect.current().cloned());
        let payload = Payload {
            request_id: part.as_ref().map_or_else(|| lease.batch_id.clone(), |part| part.id(&lease.batch_id)),
            part: part.map_or((0, rows), |part| (part.from, part.to)),
            batch_id: lease.batch_id,
            install: leased.install,
            epoch: leased.epoch,
            rows: lease.rows,
            runs: lease.runs,
            lost: route.state.unreported(route.spec, leased.epoch, &lease.lost),
            total_lost: lease.lost,
            granted,
            losses_only: false,
            of_old_epoch: false,
            attempt: lease.attempt,
        };
        if !lease.more {
            route.trigger.take_everything();
        }
        self.dispatch(key, destination, payload);
    }

    /// Leases rows. A probe prefers events that were not refused before.
    pub(super) fn lease(&mut self, key: &RouteKey, now: Now) -> Option<Leased> {
        let boot = Arc::clone(&self.context.boot);
        let at = wait::At { boot: &boot, wall_ms: now.wall_ms, mono_ms: now.mono_ms };
        let (granted, denied) = (self.context.writer.granted(), self.context.writer.denied());
        let (route, destination) = self.route(key)?;
        let suspects = route.state.stop.iter().flat_map(|stop| &stop.suspects);
        let mut skip: Vec<u64> = suspects.map(|suspect| suspect.seq).collect();
        let filter = Filter {
            name: route.destination.clone(),
            spec: route.spec,
            granted,
            denied,
            limited: route.state.limited(at),
            destination,
        };
        let limits = route.state.lease_limits(route.spec);
        let encoder = filter.destination.encoder();
        loop {
            let (key, id, filter, left_out) = (key.clone(), self.new_id(now), filter.clone(), skip.clone());
            let shared = Arc::clone(&self.context.shared);
            let result = self.with_store(move |store, now| {
                let mut taken = None;
                let closed = filter.closed();
                let wants = &mut |row: &Row| filter.take(&mut taken, row);
                let select = Selector { closed: &closed, skip: &left_out, wants };
                let lease = store.lease(&key, limits, encoder, &|| id.clone(), select, now)?;
                let again = lease.is_none() && store.lease_again(&key);
                let backlog = Backlog::read(store, &key, now, &shared)?;
                Ok((Leased { lease, backlog, install: store.install().to_owned(), epoch: store.epoch() }, again))
            });
            let (leased, again) = result?;
            self.announced(&leased.backlog);
            if again {
                // A lease reads a bounded number of rows, so that the writer can fold in between.
                continue;
            }
            if leased.lease.is_some() || skip.is_empty() {
                return Some(leased);
            }
            skip.clear();
        }
    }

    /// Encodes and sends.
    pub(super) fn dispatch(&mut self, key: &RouteKey, destination: Arc<dyn Destination>, payload: Payload) {
        let now = self.now();
        let boot = Arc::clone(&self.context.boot);
        let Some((route, _)) = self.route(key) else { return };
        let (spec, compress) = (route.spec, !route.state.uncompressed);
        let attempt = payload.attempt;
        let last_status = if attempt == 0 { 0 } else { route.state.last_status };
        let stamp = Stamp { boot: &boot, wall_ms: now.wall_ms, mono_ms: now.mono_ms, attempt, last_status };
        let request = request::build(&*destination, spec, &payload.batch(), &stamp, compress);
        self.machine.started(key, now);
        let running = Running { route: key.clone(), destination, payload, started_mono: now.mono_ms, connected: false };
        match request {
            Err(what) => self.ended(running, RequestEnd::Unbuildable(what)),
            Ok(request) if running.payload.losses_only && request.body.is_empty() => self.losses_reported(&running),
            Ok(request) => self.hand_over(running, spec, request),
        }
    }

    /// Whether all rows of this request are still allowed by the user's consent.
    fn is_allowed(&self, running: &Running) -> bool {
        let granted = self.context.writer.granted();
        let purposes = running.destination.purposes();
        running.payload.batch().rows.iter().all(|row| request::allowed(purposes, row, granted))
    }

    /// Checks consent once more and calls the transport.
    pub(super) fn hand_over(&mut self, running: Running, spec: &RouteSpec, request: Request) {
        if !self.is_allowed(&running) {
            // A new batch is selected without the rows that are no longer allowed.
            return self.settle_later(&running.route, Step::Release, Vec::new(), None);
        }
        if spec.at_most_once {
            let key = running.route.clone();
            if self.with_store(move |store, _| store.sending(&key)).is_none() {
                if let Some((route, _)) = self.route(&running.route) {
                    route.busy = false;
                }
                return;
            }
            self.context.writer.write_superblock();
            // Consent may have changed while the writer worked.
            if !self.is_allowed(&running) {
                return self.settle_later(&running.route, Step::Release, Vec::new(), None);
            }
        }
        self.number = self.number.wrapping_add(1);
        let number = self.number;
        self.running.insert(number, running);
        let done = Completion::new(Arc::clone(&self.context.reports), number);
        let transport = &self.context.transport;
        // If the transport panics, `done` is dropped, which reports an unknown fate.
        let _ = catch_unwind(AssertUnwindSafe(|| transport.send(request, done)));
        fault::point("sent");
    }
}

/// Drops rows that are older than the destination accepts; the other rows are queued again. Those whose result is known from a part of
/// the batch have that result. The age is that of the row's own timestamp, which the vendor checks, or within one boot that of the
/// monotonic clock.
fn expire(max_age: Option<Duration>, lease: &Lease, bisect: Option<&Bisect>, boot: &str, now: Now) -> Option<Step> {
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
    let known = bisect.map_or_else(|| vec![RowEnd::Keep; rows.len()], Bisect::known);
    let end = |(row, known): (&Row, RowEnd)| match known {
        RowEnd::Keep if old(row) => RowEnd::Dropped(Reason::Expired),
        known => known,
    };
    Some(Step::Settle(rows.iter().zip(known).map(end).collect()))
}
