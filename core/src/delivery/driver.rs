//! Does the tasks of the state machine: leases rows from the store, hands requests to the transport, settles the
//! results.
//!
//! It uses only the injected clock and never sleeps: the thread in `handle` and the tests drive the same object.

pub(super) mod losses;
mod report;
mod send;
mod settle;

use super::WriterAccess;
use super::machine::{Backlog, Event, Machine, Route, Task};
use super::outcome::Step;
use super::pace::Pace;
use super::shared::Shared;
use super::state::{RouteState, digest};
use super::wait::At;
use crate::channel::Sender;
use crate::destination::{Batch, Destination, Granted};
use crate::id::IdKey;
use crate::limits;
use crate::logger::Log;
use crate::row::{Lost, Row, Run};
use crate::store::{self, Now, Receipt, RouteKey, Store};
use crate::sys::Clock;
use crate::transport::{Report, ReportSink, Transport};
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

/// Domain of the random bits for batch ids and waits (see [`IdKey::bits`]).
const DOMAIN: u64 = 0x636f_7572_6965_7200;

/// Most tasks in one [`Driver::step`], so that a long drain does not delay incoming messages.
const TASKS_PER_STEP: usize = 32;

/// How often the thread reads a manual clock.
const MANUAL_CLOCK_INTERVAL: Duration = Duration::from_millis(5);

/// What the driver works with.
pub(crate) struct Context<O> {
    pub(crate) writer: Arc<O>,
    pub(crate) transport: Arc<dyn Transport>,
    pub(crate) clock: Clock,
    pub(crate) boot: Arc<str>,
    pub(crate) key: IdKey,
    pub(crate) reports: ReportSink,
    pub(crate) shared: Arc<Shared>,
    pub(crate) pace: Pace,
    pub(crate) log: Log,
}

/// See the module's documentation.
pub(crate) struct Driver<O> {
    context: Context<O>,
    machine: Machine,
    destinations: BTreeMap<String, (Arc<dyn Destination>, store::From)>,
    /// Serial number of the store from which each destination was last loaded.
    loaded_from: BTreeMap<String, u64>,
    /// Removed destinations that the store still lists.
    retiring: Vec<String>,
    running: BTreeMap<u64, Running>,
    unsettled: Vec<Settlement>,
    /// The transport reports connections (see [`Transport::reports_connect`]).
    reports_connect: bool,
    /// Since when each route has not reached its server, by the monotonic clock. Only kept while there is a logger.
    unreachable: BTreeMap<RouteKey, i64>,
    /// Number of the last request.
    number: u64,
    /// Counter of the random numbers.
    random_count: u64,
    /// Waiting calls of `flush()`.
    flushing: Vec<Sender<()>>,
    /// Waiting calls of `suspend()`.
    suspending: Vec<Sender<()>>,
}

/// The events of one request and the rest of its content.
struct Payload {
    batch_id: String,
    install: String,
    epoch: u64,
    /// All rows in flight.
    rows: Vec<Row>,
    /// The range of them in this request.
    part: (usize, usize),
    runs: Vec<Run>,
    /// The losses that this request reports.
    lost: Vec<Lost>,
    /// All losses of the epoch.
    total_lost: Vec<Lost>,
    granted: Granted,
    /// A report of losses without rows: nothing is in flight in the store.
    losses_only: bool,
    /// It reports the losses of an earlier epoch, which the database of that time counted.
    of_old_epoch: bool,
    /// Batch id of the request: during a bisect not the id of the batch in flight.
    request_id: String,
    /// Earlier attempts on the batch in flight that may have reached the server.
    attempt: u32,
}

impl Payload {
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
    payload: Payload,
    started_mono: i64,
    connected: bool,
}

/// The result of a request, for the store.
struct Settlement {
    route: RouteKey,
    step: Step,
    /// The rows of `step`, in the same order.
    seqs: Vec<u64>,
    receipt: Option<Receipt>,
}

/// The result of a lease.
struct Leased {
    lease: Option<store::Lease>,
    backlog: Backlog,
    install: String,
    epoch: u64,
}

impl<O: WriterAccess> Driver<O> {
    pub(crate) fn new(context: Context<O>, foreground: bool) -> Driver<O> {
        let machine = Machine::new(&context.boot, foreground, context.pace);
        let reports = || context.transport.reports_connect();
        let reports_connect = catch_unwind(AssertUnwindSafe(reports)).unwrap_or(false);
        Driver {
            context,
            machine,
            reports_connect,
            destinations: BTreeMap::new(),
            loaded_from: BTreeMap::new(),
            retiring: Vec::new(),
            running: BTreeMap::new(),
            unsettled: Vec::new(),
            unreachable: BTreeMap::new(),
            number: 0,
            random_count: 0,
            flushing: Vec::new(),
            suspending: Vec::new(),
        }
    }

    pub(crate) fn event(&mut self, event: Event) {
        let now = self.now();
        self.machine.event(now.mono_ms, event);
        if self.machine.is_offline() {
            self.unreachable.clear();
        }
    }

    pub(crate) fn add(&mut self, name: String, destination: Arc<dyn Destination>, from: store::From) {
        self.discard_requests(&name);
        self.retiring.retain(|old| *old != name);
        self.machine.add(&name);
        self.context.shared.set_destination(&name, Some(Arc::clone(&destination)));
        self.destinations.insert(name, (destination, from));
    }

    pub(crate) fn remove(&mut self, name: &str) {
        self.discard_requests(name);
        self.machine.remove(name);
        self.context.shared.set_destination(name, None);
        if self.destinations.remove(name).is_some() {
            self.retiring.push(name.to_owned());
        }
    }

    /// The store was replaced by a new file with this serial number: what is known about older ones is discarded. A
    /// destination may have been loaded from the new file before this message arrives. It is left alone, because the rows
    /// of a discarded request would be sent twice.
    pub(crate) fn store_replaced(&mut self, serial: u64) {
        self.event(Event::StoreBack);
        let is_old = |name: &&String| self.loaded_from.get(*name).is_none_or(|loaded| *loaded < serial);
        let old: Vec<String> = self.destinations.keys().filter(is_old).cloned().collect();
        for name in old {
            self.discard_requests(&name);
            self.machine.add(&name);
        }
    }

    pub(crate) fn flush(&mut self, done: Sender<()>) {
        self.event(Event::Flush);
        self.flushing.push(done);
    }

    pub(crate) fn suspend(&mut self, done: Sender<()>) {
        self.event(Event::Suspend);
        self.suspending.push(done);
    }

    /// Nothing is in flight and nothing waits to be settled.
    pub(crate) fn is_idle(&self) -> bool {
        !self.machine.busy()
    }

    /// Handles a report of the transport. One about a request that was given up is ignored.
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
        let mut remaining = TASKS_PER_STEP;
        loop {
            let now = self.now();
            self.time_out(now);
            self.settle_all();
            self.retire_all();
            let task = if remaining == 0 { None } else { self.machine.poll(now) };
            remaining = remaining.saturating_sub(1);
            match task {
                Some(Task::Load(name)) => self.load(&name),
                Some(Task::Send(route)) => self.send(&route),
                Some(Task::Losses(route)) => self.report_losses(&route),
                None => break,
            }
        }
        let now = self.now();
        self.context.shared.publish(self.machine.status(now));
        if !self.machine.flushing() {
            // The caller may have stopped waiting.
            for done in self.flushing.drain(..) {
                let _ = done.send(());
            }
        }
        if self.is_idle() {
            for done in self.suspending.drain(..) {
                let _ = done.send(());
            }
        }
        let timeouts = self.running.values().map(|running| self.timeout(running));
        timeouts.chain(self.machine.deadline(now)).min()
    }

    /// How long until this time of the monotonic clock.
    pub(crate) fn until(&self, deadline_mono: i64) -> Duration {
        let left = deadline_mono.saturating_sub(self.now().mono_ms);
        let wait = Duration::from_millis(u64::try_from(left).unwrap_or(0));
        // A manual clock does not wake this thread when it is moved.
        if self.context.clock.is_manual() { wait.min(MANUAL_CLOCK_INTERVAL) } else { wait }
    }

    fn now(&self) -> Now {
        let clock = &self.context.clock;
        Now { wall_ms: clock.wall_ms(), mono_ms: clock.mono_ms() }
    }

    /// 64 uniformly distributed bits.
    fn random(&mut self) -> u64 {
        self.random_count = self.random_count.wrapping_add(1);
        self.context.key.bits(DOMAIN, self.random_count)
    }

    /// A UUIDv7.
    fn new_id(&mut self, now: Now) -> String {
        let ms = u64::try_from(now.wall_ms).unwrap_or(0) & 0xffff_ffff_ffff;
        let high = (ms << 16) | 0x7000 | (self.random() & 0x0fff);
        let low = (self.random() >> 2) | (0b10 << 62);
        uuid::Uuid::from_u64_pair(high, low).hyphenated().to_string()
    }

    /// Works with the store; `None` = it cannot be used now.
    fn with_store<R: Send + 'static>(
        &mut self,
        work: impl FnOnce(&mut Store, Now) -> store::Result<R> + Send + 'static,
    ) -> Option<R> {
        match self.context.writer.with_store(work) {
            Some(Ok(result)) => Some(result),
            Some(Err(error)) => {
                self.event(Event::StoreFailed);
                self.context.writer.store_failed(&error);
                None
            }
            None => {
                self.event(Event::StoreGone);
                None
            }
        }
    }

    /// Discards the requests of this destination. Their rows are settled when they are leased again.
    fn discard_requests(&mut self, name: &str) {
        let of = |route: &str| route.rsplit_once('/').is_some_and(|(destination, _)| destination == name);
        self.running.retain(|_, running| !of(&running.route));
        self.unsettled.retain(|settlement| !of(&settlement.route));
        self.unreachable.retain(|route, _| !of(route));
    }

    fn retire_all(&mut self) {
        while self.machine.store_usable() && !self.retiring.is_empty() {
            let name = self.retiring.first().cloned().unwrap_or_default();
            if self.with_store(move |store, now| store.retire(&name, now)).is_some() {
                self.retiring.remove(0);
            }
        }
    }

    /// Tells the machine about the rows that were announced until this backlog was read, before it gets the backlog.
    fn announced(&mut self, backlog: &Backlog) {
        if backlog.new_rows != [0; 4] {
            self.event(Event::Rows(backlog.new_rows));
        }
    }

    fn load(&mut self, name: &str) {
        let Some((destination, from)) = self.destinations.get(name).cloned() else {
            return self.machine.remove(name);
        };
        let specs = destination.routes();
        let keys: Vec<RouteKey> = specs.iter().map(|spec| format!("{name}/{}", spec.name)).collect();
        let owner = name.to_owned();
        let (boot, key_hash) = (Arc::clone(&self.context.boot), destination.key_hash());
        let (shared, pace) = (Arc::clone(&self.context.shared), self.context.pace);
        let known = self.with_store(move |store, now| {
            let names: Vec<&str> = specs.iter().map(|spec| spec.name).collect();
            store.declare(&owner, &names, from, now)?;
            let mut read = |key: RouteKey| {
                let lost = Some(digest(&store.lost(&key)?));
                let at = At { boot: &boot, wall_ms: now.wall_ms, mono_ms: now.mono_ms };
                let state = RouteState::load(store.route_state(&key)?.as_deref(), key_hash, pace, at);
                store.pin(&key, state.pins_batch());
                Ok((state, Backlog { lost, ..Backlog::read(store, &key, now, &shared)? }, key))
            };
            let routes = keys.into_iter().map(&mut read).collect::<store::Result<Vec<_>>>()?;
            Ok((routes, store.serial(), store.epoch()))
        });
        let Some((known, serial, epoch)) = known else { return };
        known.iter().for_each(|(_, backlog, _)| self.announced(backlog));
        self.loaded_from.insert(name.to_owned(), serial);
        let now = self.now();
        let routes = known.into_iter().zip(specs).map(|((state, backlog, key), spec)| (key, spec, state, backlog));
        let routes: Vec<_> = routes.collect();
        let keys: Vec<RouteKey> = routes.iter().map(|route| route.0.clone()).collect();
        self.machine.loaded(name, now.mono_ms, routes);
        self.schedule_old_losses(&keys, epoch);
    }

    /// A route with its destination.
    fn route(&mut self, key: &str) -> Option<(&mut Route, Arc<dyn Destination>)> {
        let route = self.machine.route(key)?;
        let (destination, _) = self.destinations.get(&route.destination)?;
        Some((route, Arc::clone(destination)))
    }

    /// When a request is given up, by the monotonic clock.
    fn timeout(&self, running: &Running) -> i64 {
        let connecting = !running.connected && self.reports_connect;
        let wait = if connecting { limits::CONNECT_TIMEOUT } else { limits::REQUEST_TIMEOUT };
        running.started_mono.saturating_add(i64::try_from(wait.as_millis()).unwrap_or(i64::MAX))
    }
}

impl Backlog {
    /// Reads it from the store, on the writer's thread.
    fn read(store: &mut Store, key: &str, now: Now, shared: &Shared) -> store::Result<Backlog> {
        let (waiting, retry_wall) = (store.waiting(key)?, store.next_retry(key, now)?);
        // The writer announces rows after it has stored them. What is announced now is in `waiting` already, and the
        // message about it must not count it again.
        Ok(Backlog { waiting, retry_wall, lost: None, new_rows: shared.take_rows() })
    }
}

#[cfg(test)]
pub(super) mod tests;
