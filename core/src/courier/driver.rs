//! Does what the machine says: asks the writer for rows, hands requests to the transport, settles what became of them.
//!
//! No clock but the injected one, no sleep: the thread in `handle` and the tests drive the same object.

use super::Outbox;
use super::handle::Shared;
use super::judge::{Ended, Judged, Step, Tried, judge};
use super::machine::{Do, Event, Left, Machine, Route};
use super::parcel::{self, Filter};
use super::state::{RouteState, Suspect, digest};
use crate::destination::{Batch, Destination, Granted, RouteSpec, Stamp};
use crate::id::IdKey;
use crate::kind::Kind;
use crate::limits;
use crate::reason::Reason;
use crate::row::{Lost, Row, Run};
use crate::store::{self, InflightState, Now, Receipt, RouteKey, RowEnd, Store};
use crate::sys::Clock;
use crate::transport::{Completion, Report, Request, Sent, Tell, Transport};
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::Sender;
use std::time::Duration;

/// Domain of random bits for batch ids and waits (see [`IdKey::bits`]).
const DOMAIN: u64 = 0x636f_7572_6965_7200;

/// Deeds between two looks at the news: what comes in is never kept waiting by a long drain.
const DEEDS: usize = 32;

/// How often the thread looks at a clock that only moves when told.
const MANUAL_LOOK: Duration = Duration::from_millis(5);

/// What the courier was given at its start.
pub(crate) struct Given<O> {
    pub(crate) outbox: Arc<O>,
    pub(crate) transport: Arc<dyn Transport>,
    pub(crate) clock: Clock,
    pub(crate) boot: Arc<str>,
    pub(crate) key: IdKey,
    pub(crate) tell: Tell,
    pub(crate) shared: Arc<Shared>,
}

/// See the module's documentation.
pub(crate) struct Driver<O> {
    given: Given<O>,
    machine: Machine,
    destinations: BTreeMap<String, (Arc<dyn Destination>, store::From)>,
    /// Removed destinations the store does not know about yet.
    retiring: Vec<String>,
    running: BTreeMap<u64, Running>,
    unsettled: Vec<Settlement>,
    /// The transport tells of connections (see [`Transport::reports_connect`]).
    reports_connect: bool,
    /// Number of the last request.
    number: u64,
    /// Random numbers drawn.
    drawn: u64,
    /// Calls of `flush()` that wait.
    flushing: Vec<Sender<()>>,
    /// Calls of `suspend()` that wait.
    quieting: Vec<Sender<()>>,
}

/// The events of one request and what goes along with them.
struct Cargo {
    batch_id: String,
    install: String,
    epoch: u64,
    /// All rows in flight.
    rows: Vec<Row>,
    /// The part of them in this request.
    part: (usize, usize),
    runs: Vec<Run>,
    lost: Vec<Lost>,
    granted: Granted,
    /// Nothing is in flight in the store: losses alone.
    losses_only: bool,
    /// Batch id of the request, another one than the batch's while it is halved.
    request_id: String,
}

impl Cargo {
    fn batch(&self) -> Batch<'_> {
        Batch {
            batch_id: &self.request_id,
            install: &self.install,
            epoch: self.epoch,
            rows: self.rows.get(self.part.0..self.part.1).unwrap_or_default(),
            runs: &self.runs,
            lost: &self.lost,
            granted: self.granted,
        }
    }
}

struct Running {
    route: RouteKey,
    destination: Arc<dyn Destination>,
    cargo: Cargo,
    began_mono: i64,
    connected: bool,
}

/// What the store has to be told about an ended request.
struct Settlement {
    route: RouteKey,
    step: Step,
    /// The rows `step` is about, in the same order.
    seqs: Vec<u64>,
    receipt: Option<Receipt>,
}

/// What the store answers to a lease.
struct Leased {
    lease: Option<store::Lease>,
    left: Left,
    install: String,
    epoch: u64,
}

impl<O: Outbox> Driver<O> {
    pub(crate) fn new(given: Given<O>, foreground: bool) -> Driver<O> {
        let machine = Machine::new(&given.boot, foreground);
        let reports = || given.transport.reports_connect();
        let reports_connect = catch_unwind(AssertUnwindSafe(reports)).unwrap_or(false);
        Driver {
            given,
            machine,
            reports_connect,
            destinations: BTreeMap::new(),
            retiring: Vec::new(),
            running: BTreeMap::new(),
            unsettled: Vec::new(),
            number: 0,
            drawn: 0,
            flushing: Vec::new(),
            quieting: Vec::new(),
        }
    }

    pub(crate) fn event(&mut self, event: Event) {
        let now = self.now();
        self.machine.event(now.mono_ms, event);
    }

    pub(crate) fn add(&mut self, name: String, destination: Arc<dyn Destination>, from: store::From) {
        self.forget(&name);
        self.retiring.retain(|old| *old != name);
        self.machine.add(&name);
        self.given.shared.know(&name, Some(Arc::clone(&destination)));
        self.destinations.insert(name, (destination, from));
    }

    pub(crate) fn remove(&mut self, name: &str) {
        self.forget(name);
        self.machine.remove(name);
        self.given.shared.know(name, None);
        if self.destinations.remove(name).is_some() {
            self.retiring.push(name.to_owned());
        }
    }

    /// The store is another file now: nothing of what is known about the old one counts.
    pub(crate) fn store_replaced(&mut self) {
        self.event(Event::StoreBack);
        self.running.clear();
        self.unsettled.clear();
        self.destinations.keys().for_each(|name| self.machine.add(name));
    }

    pub(crate) fn flush(&mut self, done: Sender<()>) {
        self.event(Event::Flush);
        self.flushing.push(done);
    }

    pub(crate) fn suspend(&mut self, done: Sender<()>) {
        self.event(Event::Suspend);
        self.quieting.push(done);
    }

    /// Nothing is under way and nothing waits to be settled.
    pub(crate) fn quiet(&self) -> bool {
        !self.machine.busy()
    }

    /// News of a request. One about a request nobody waits for is ignored.
    pub(crate) fn report(&mut self, report: Report) {
        match report {
            Report::Connected(number) => {
                if let Some(running) = self.running.get_mut(&number) {
                    running.connected = true;
                }
            }
            Report::Finished(number, sent) => self.finished(number, sent),
        }
    }

    /// Does what is due. Returns when to call again if nothing happens before, by the monotonic clock.
    pub(crate) fn step(&mut self) -> Option<i64> {
        let mut left = DEEDS;
        loop {
            let now = self.now();
            self.time_out(now);
            self.settle_all();
            self.retire_all();
            let deed = if left == 0 { None } else { self.machine.poll(now) };
            left = left.saturating_sub(1);
            match deed {
                Some(Do::Load(name)) => self.load(&name),
                Some(Do::Send(route)) => self.send(&route),
                Some(Do::Losses(route)) => self.losses(&route),
                None => break,
            }
        }
        let now = self.now();
        self.given.shared.publish(self.machine.status(now));
        if !self.machine.flushing() {
            // Whoever waited may be gone.
            self.flushing.drain(..).for_each(|done| drop(done.send(())));
        }
        if self.quiet() {
            self.quieting.drain(..).for_each(|done| drop(done.send(())));
        }
        let limits = self.running.values().map(|running| self.limit(running));
        limits.chain(self.machine.deadline(now)).min()
    }

    /// How long until this time of the monotonic clock.
    pub(crate) fn until(&self, deadline_mono: i64) -> Duration {
        let left = deadline_mono.saturating_sub(self.now().mono_ms);
        let wait = Duration::from_millis(u64::try_from(left).unwrap_or(0));
        // Nobody tells this thread that a manual clock was moved.
        if self.given.clock.is_manual() { wait.min(MANUAL_LOOK) } else { wait }
    }

    fn now(&self) -> Now {
        let clock = &self.given.clock;
        Now { wall_ms: clock.wall_ms(), mono_ms: clock.mono_ms() }
    }

    /// 64 even bits.
    fn random(&mut self) -> u64 {
        self.drawn = self.drawn.wrapping_add(1);
        self.given.key.bits(DOMAIN, self.drawn)
    }

    /// A UUIDv7.
    fn new_id(&mut self, now: Now) -> String {
        let ms = u64::try_from(now.wall_ms).unwrap_or(0) & 0xffff_ffff_ffff;
        let high = (ms << 16) | 0x7000 | (self.random() & 0x0fff);
        let low = (self.random() >> 2) | (0b10 << 62);
        uuid::Uuid::from_u64_pair(high, low).hyphenated().to_string()
    }

    /// Work with the store; `None` = not now.
    fn ask<R: Send + 'static>(
        &mut self,
        work: impl FnOnce(&mut Store, Now) -> store::Result<R> + Send + 'static,
    ) -> Option<R> {
        match self.given.outbox.ask(work) {
            Some(Ok(answer)) => Some(answer),
            Some(Err(error)) => {
                self.event(Event::StoreFailed);
                self.given.outbox.failed(&error);
                None
            }
            None => {
                self.event(Event::StoreGone);
                None
            }
        }
    }

    /// Requests of this destination are nobody's any more; what they carried is settled when it is leased again.
    fn forget(&mut self, name: &str) {
        let of = |route: &str| route.rsplit_once('/').is_some_and(|(destination, _)| destination == name);
        self.running.retain(|_, running| !of(&running.route));
        self.unsettled.retain(|settlement| !of(&settlement.route));
    }

    fn retire_all(&mut self) {
        while self.machine.store_there() && !self.retiring.is_empty() {
            let name = self.retiring.first().cloned().unwrap_or_default();
            if self.ask(move |store, now| store.retire(&name, now)).is_some() {
                self.retiring.remove(0);
            }
        }
    }

    fn load(&mut self, name: &str) {
        let Some((destination, from)) = self.destinations.get(name).cloned() else {
            return self.machine.remove(name);
        };
        let specs = destination.routes();
        let keys: Vec<RouteKey> = specs.iter().map(|spec| format!("{name}/{}", spec.name)).collect();
        let owner = name.to_owned();
        let known = self.ask(move |store, now| {
            let names: Vec<&str> = specs.iter().map(|spec| spec.name).collect();
            store.declare(&owner, &names, from, now)?;
            let read = |key: RouteKey| {
                let lost = Some(digest(&store.lost(&key)?));
                Ok((store.route_state(&key)?, Left { lost, ..Left::read(store, &key)? }, key))
            };
            keys.into_iter().map(read).collect::<store::Result<Vec<_>>>()
        });
        let Some(known) = known else { return };
        let now = self.now();
        let at = self.machine.at(now);
        let routes = known.into_iter().zip(specs).map(|((text, left, key), spec)| {
            (key, spec, RouteState::load(text.as_deref(), destination.key_hash(), at), left)
        });
        let routes = routes.collect();
        self.machine.loaded(name, now.mono_ms, routes);
    }

    /// A route with its destination.
    fn route(&mut self, key: &str) -> Option<(&mut Route, Arc<dyn Destination>)> {
        let route = self.machine.route(key)?;
        let (destination, _) = self.destinations.get(&route.destination)?;
        Some((route, Arc::clone(destination)))
    }

    /// Leases rows and hands them to the transport.
    fn send(&mut self, key: &RouteKey) {
        let now = self.now();
        let Some(leased) = self.lease(key, now) else { return };
        let Some(lease) = leased.lease.filter(|lease| !lease.rows.is_empty()) else {
            return self.machine.nothing(key, now, leased.left);
        };
        let granted = self.given.outbox.granted();
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
        if let Some(step) = convict(&mut route.state, &lease.rows) {
            let seqs = lease.rows.iter().map(|row| row.seq).collect();
            return self.settle_later(key, step, seqs, receipt("refused alone while another event was accepted"));
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
            lost: lease.lost,
            granted,
            losses_only: false,
        };
        self.dispatch(key, destination, cargo, lease.attempt);
    }

    /// Asks the store for rows. A probe prefers events that were not refused before.
    fn lease(&mut self, key: &RouteKey, now: Now) -> Option<Leased> {
        let boot = Arc::clone(&self.given.boot);
        let at = super::hold::At { boot: &boot, wall_ms: now.wall_ms, mono_ms: now.mono_ms };
        let granted = self.given.outbox.granted();
        let (route, destination) = self.route(key)?;
        let suspects = route.state.stop.iter().flat_map(|stop| &stop.suspects).map(|suspect| suspect.seq).collect();
        let mut filter = Filter {
            name: route.destination.clone(),
            spec: route.spec,
            granted,
            limited: route.state.limited(at),
            skip: suspects,
            destination,
        };
        let cut = route.state.cut(route.spec);
        let encoder = filter.destination.encoder();
        loop {
            let (key, id, filter_now) = (key.clone(), self.new_id(now), filter.clone());
            let asked = self.ask(move |store, now| {
                let wants = &mut |row: &Row| filter_now.want(row);
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
    fn dispatch(&mut self, key: &RouteKey, destination: Arc<dyn Destination>, cargo: Cargo, attempt: u32) {
        let now = self.now();
        let boot = Arc::clone(&self.given.boot);
        let Some((route, _)) = self.route(key) else { return };
        let (spec, compress) = (route.spec, !route.state.uncompressed);
        let last_status = if attempt == 0 { 0 } else { route.state.last_status };
        let stamp = Stamp { boot: &boot, wall_ms: now.wall_ms, mono_ms: now.mono_ms, attempt, last_status };
        let request = parcel::build(&*destination, spec, &cargo.batch(), &stamp, compress);
        self.machine.began(key, now.mono_ms);
        let running = Running { route: key.clone(), destination, cargo, began_mono: now.mono_ms, connected: false };
        match request {
            Err(what) => self.ended(running, Ended::Unbuildable(what)),
            Ok(request) => self.hand_over(running, spec, request),
        }
    }

    /// The last look at consent, then the transport.
    fn hand_over(&mut self, running: Running, spec: &RouteSpec, request: Request) {
        let granted = self.given.outbox.granted();
        let purposes = running.destination.purposes();
        if !running.cargo.batch().rows.iter().all(|row| parcel::allowed(purposes, row.kind, granted)) {
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
        }
        self.number = self.number.wrapping_add(1);
        let number = self.number;
        self.running.insert(number, running);
        let done = Completion::new(Arc::clone(&self.given.tell), number);
        let transport = &self.given.transport;
        // A panic drops `done`, which reports an unknown fate.
        let _ = catch_unwind(AssertUnwindSafe(|| transport.send(request, done)));
    }

    /// When a request is given up, by the monotonic clock.
    fn limit(&self, running: &Running) -> i64 {
        let connecting = !running.connected && self.reports_connect;
        let wait = if connecting { limits::CONNECT_TIMEOUT } else { limits::REQUEST_TIMEOUT };
        running.began_mono.saturating_add(i64::try_from(wait.as_millis()).unwrap_or(i64::MAX))
    }

    fn time_out(&mut self, now: Now) {
        let late = |running: &Running| self.limit(running) <= now.mono_ms;
        let late: Vec<u64> =
            self.running.iter().filter(|(_, running)| late(running)).map(|(number, _)| *number).collect();
        for number in late {
            // The transport may still be about it, so nothing is certain.
            self.finished(number, Sent::Ambiguous("no answer in time".into()));
        }
    }

    fn finished(&mut self, number: u64, sent: Sent) {
        let Some(running) = self.running.remove(&number) else { return };
        let ended = match sent {
            Sent::NotSent(what) => Ended::NotSent(what),
            Sent::Ambiguous(what) => Ended::Ambiguous(what),
            Sent::Answer(answer) => {
                let spec = self.machine.route(&running.route).map(|route| route.spec);
                let Some(spec) = spec else { return };
                match parcel::read(&*running.destination, spec, &running.cargo.batch(), &answer) {
                    Ok(verdict) => Ended::Answered(answer.status, verdict),
                    Err(what) => Ended::Ambiguous(what),
                }
            }
        };
        self.ended(running, ended);
    }

    /// A request ended: judge it and let the store settle it.
    fn ended(&mut self, running: Running, ended: Ended) {
        let now = self.now();
        let random = self.random();
        let boot = Arc::clone(&self.given.boot);
        let at = super::hold::At { boot: &boot, wall_ms: now.wall_ms, mono_ms: now.mono_ms };
        let Some((route, _)) = self.route(&running.route) else { return };
        let cargo = &running.cargo;
        let rows: Vec<(u64, Kind)> = cargo.rows.iter().map(|row| (row.seq, row.kind)).collect();
        let tried = Tried { spec: route.spec, batch: &cargo.batch_id, rows: &rows, at, random };
        let Judged { step, status, note } = judge(&mut route.state, tried, ended);
        let heard = (200..300).contains(&status) && matches!(step, Step::Settle(_));
        if heard {
            route.state.reported = digest(&cargo.lost);
            route.trigger.losses = None;
        }
        if cargo.losses_only {
            return self.losses_ended(&running.route, heard || step == Step::Settle(Vec::new()), digest(&cargo.lost));
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

    fn settle_later(&mut self, key: &RouteKey, step: Step, seqs: Vec<u64>, receipt: Option<Receipt>) {
        if let Some((route, _)) = self.route(key) {
            route.busy = true;
        }
        self.unsettled.push(Settlement { route: key.clone(), step, seqs, receipt });
    }

    fn settle_all(&mut self) {
        while self.machine.store_there() {
            let Some(settlement) = self.unsettled.pop() else { return };
            self.settle(settlement);
        }
    }

    /// In one transaction with the route's state. What cannot be settled now is kept until the store is there again.
    fn settle(&mut self, settlement: Settlement) {
        let Some(route) = self.machine.route(&settlement.route) else { return };
        let state = route.state.to_json();
        let Settlement { route: key, step, seqs, receipt } = settlement;
        let again = !matches!(step, Step::Settle(_));
        let kept = (key.clone(), step.clone(), seqs.clone(), receipt.clone());
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
        if !again {
            self.given.outbox.changed();
        }
        let now = self.now();
        self.machine.ended(&route, now, again, left);
    }

    /// Reports losses in a request without events, if the server does not know them.
    fn losses(&mut self, key: &RouteKey) {
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
        let allowed = destination.purposes().iter().any(|purpose| parcel::is_granted(*purpose, granted));
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
            lost,
            granted,
            losses_only: true,
        };
        self.dispatch(key, destination, cargo, 0);
    }

    fn losses_ended(&mut self, key: &RouteKey, done: bool, digest: u32) {
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

impl Left {
    /// Asks the store.
    fn read(store: &Store, key: &str) -> store::Result<Left> {
        Ok(Left { waiting: store.waiting(key)?, retry_wall: store.next_retry(key)?, lost: None })
    }
}

/// Dead-letters events whose guilt was proven after they were queued again; the other rows are queued again.
fn convict(state: &mut RouteState, rows: &[Row]) -> Option<Step> {
    let found = |row: &Row| state.convicted.iter().find(|suspect| suspect.seq == row.seq);
    if !rows.iter().any(|row| found(row).is_some()) {
        return None;
    }
    let dead = |Suspect { status, note, .. }: &Suspect| RowEnd::Dead {
        reason: Reason::Poison,
        status: *status,
        note: note.clone(),
    };
    let ends = rows.iter().map(|row| found(row).map_or(RowEnd::Keep, dead)).collect();
    state.convicted.retain(|suspect| !rows.iter().any(|row| row.seq == suspect.seq));
    Some(Step::Settle(ends))
}

#[cfg(test)]
pub(super) mod tests;
