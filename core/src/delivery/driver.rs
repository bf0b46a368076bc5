//! Does what the machine says: asks the writer for rows, hands requests to the transport, settles what became of them.
//!
//! No clock but the injected one, no sleep: the thread in `handle` and the tests drive the same object.

pub(super) mod losses;
mod send;
mod settle;

use super::Outbox;
use super::handle::Shared;
use super::machine::{Do, Event, Left, Machine, Route};
use super::outcome::{Ended, Step};
use super::request;
use super::state::{RouteState, digest};
use crate::destination::{Batch, Destination, Granted};
use crate::id::IdKey;
use crate::limits;
use crate::row::{Lost, Row, Run};
use crate::store::{self, Now, Receipt, RouteKey, Store};
use crate::sys::Clock;
use crate::transport::{Report, ReportSink, Sent, Transport};
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

/// What the delivery was given at its start.
pub(crate) struct Given<O> {
    pub(crate) outbox: Arc<O>,
    pub(crate) transport: Arc<dyn Transport>,
    pub(crate) clock: Clock,
    pub(crate) boot: Arc<str>,
    pub(crate) key: IdKey,
    pub(crate) tell: ReportSink,
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
    /// What the request says of losses.
    lost: Vec<Lost>,
    /// All losses of the epoch.
    lost_in_all: Vec<Lost>,
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
            for done in self.flushing.drain(..) {
                let _ = done.send(());
            }
        }
        if self.quiet() {
            for done in self.quieting.drain(..) {
                let _ = done.send(());
            }
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
                match request::read(&*running.destination, spec, &running.cargo.batch(), &answer) {
                    Ok(verdict) => Ended::Answered(answer.status, verdict),
                    Err(what) => Ended::Ambiguous(what),
                }
            }
        };
        self.ended(running, ended);
    }
}

impl Left {
    /// Asks the store.
    fn read(store: &Store, key: &str) -> store::Result<Left> {
        Ok(Left { waiting: store.waiting(key)?, retry_wall: store.next_retry(key)?, lost: None })
    }
}

#[cfg(test)]
pub(super) mod tests;
