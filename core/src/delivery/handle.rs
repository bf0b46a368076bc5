//! The delivery's thread, and what the rest of the engine tells it.

use super::driver::{Driver, Given};
use super::machine::Event;
use super::{Flushed, Held, Hint, Outbox, RouteStatus, request};
use crate::destination::{Destination, Note, Want};
use crate::id::IdKey;
use crate::row::{Row, Run};
use crate::store;
use crate::sys::Clock;
use crate::transport::{Report, Transport};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// What the delivery needs beside the outbox and the transport.
pub(crate) struct Options {
    /// Id of the present boot.
    pub(crate) boot: String,
    /// Source of batch ids and of jitter; the key of this run.
    pub(crate) key: IdKey,
    /// The clocks.
    pub(crate) clock: Clock,
    /// Whether the app is in the foreground now. A process without such a notion is.
    pub(crate) foreground: bool,
}

/// Starts deliverys.
pub(crate) struct Delivery;

enum Message {
    /// Rows are counted in [`Shared`].
    Wake,
    Report(Report),
    Event(Event),
    Add(String, Arc<dyn Destination>, store::From),
    Remove(String),
    Flush(Sender<()>),
    Suspend(Sender<()>),
    StoreReplaced,
    /// No new requests; the thread ends when nothing is under way, at the latest then.
    Close(Instant, Sender<bool>),
}

/// Seen by the delivery's thread and by everybody else.
#[derive(Default)]
pub(crate) struct Shared {
    /// New rows per lane since the delivery looked.
    rows: [AtomicU64; 4],
    /// A [`Message::Wake`] is on its way.
    woken: AtomicBool,
    routes: Mutex<Vec<RouteStatus>>,
    destinations: RwLock<BTreeMap<String, Arc<dyn Destination>>>,
}

impl Shared {
    pub(super) fn publish(&self, routes: Vec<RouteStatus>) {
        *self.routes.lock().unwrap_or_else(PoisonError::into_inner) = routes;
    }

    pub(super) fn know(&self, name: &str, destination: Option<Arc<dyn Destination>>) {
        let mut known = self.destinations.write().unwrap_or_else(PoisonError::into_inner);
        match destination {
            Some(destination) => known.insert(name.to_owned(), destination),
            None => known.remove(name),
        };
    }

    fn snapshot(&self) -> Vec<RouteStatus> {
        self.routes.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// What routes want and which are idle: for the writer's upkeep of the store. Needs no answer of the delivery's thread.
#[derive(Clone)]
pub(crate) struct Directory(Arc<Shared>);

impl Directory {
    /// Whether `<destination>/<route>` takes this row, now or later. An unknown route may.
    pub(crate) fn wants(&self, route: &str, row: &Row) -> bool {
        let Some((name, route)) = route.rsplit_once('/') else { return true };
        let known = self.0.destinations.read().unwrap_or_else(PoisonError::into_inner).get(name).cloned();
        let Some(destination) = known else { return true };
        let Some(spec) = destination.routes().iter().find(|spec| spec.name == route) else { return true };
        let wants = || request::wants(name, &*destination, spec, row);
        // On the writer's thread: a fault in a destination must not end it.
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(wants)).unwrap_or(Want::Later) != Want::No
    }

    /// What the destinations change of the values of this run, by name of the destination.
    pub(crate) fn run_notes(&self, run: &Run) -> Vec<(String, Note)> {
        let notes = |destination: &dyn Destination| {
            // On the caller's thread: a fault in a destination must not reach the app.
            std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| destination.run_notes(run))).unwrap_or_default()
        };
        let all = self.destinations().into_iter();
        all.flat_map(|(name, destination)| notes(&*destination).into_iter().map(move |note| (name.clone(), note)))
            .collect()
    }

    /// All destinations that are declared now.
    pub(crate) fn destinations(&self) -> Vec<(String, Arc<dyn Destination>)> {
        let known = self.0.destinations.read().unwrap_or_else(PoisonError::into_inner);
        known.iter().map(|(name, destination)| (name.clone(), Arc::clone(destination))).collect()
    }

    /// Routes on which only probes are sent: their rows are evicted first.
    pub(crate) fn idle_routes(&self) -> Vec<String> {
        self.0.snapshot().into_iter().filter(|route| route.stopped).map(|route| route.route).collect()
    }
}

impl Delivery {
    /// Starts the thread. It sleeps without a timer while nothing is due.
    ///
    /// # Errors
    /// The system has no thread to give.
    pub(crate) fn start<O: Outbox>(
        outbox: Arc<O>,
        transport: Arc<dyn Transport>,
        options: Options,
    ) -> std::io::Result<DeliveryHandle> {
        let (sender, receiver) = channel();
        let shared = Arc::new(Shared::default());
        let news = sender.clone();
        // The delivery may be gone; then nobody waits for the news.
        let tell = Arc::new(move |report| drop(news.send(Message::Report(report))));
        let given = Given {
            outbox,
            transport,
            clock: options.clock,
            boot: options.boot.into(),
            key: options.key,
            tell,
            shared: Arc::clone(&shared),
        };
        let mut driver = Driver::new(given, options.foreground);
        let seen = Arc::clone(&shared);
        let thread = std::thread::Builder::new()
            .name("rez-delivery".into())
            .spawn(move || run(&mut driver, &receiver, &seen))?;
        Ok(DeliveryHandle { sender, shared, thread: Mutex::new(Some(thread)) })
    }
}

/// The thread.
fn run<O: Outbox>(driver: &mut Driver<O>, receiver: &Receiver<Message>, shared: &Shared) {
    let mut closing: Option<(Instant, Vec<Sender<bool>>)> = None;
    loop {
        let deadline = driver.step();
        if let Some((_, done)) = closing.as_ref().filter(|(until, _)| driver.quiet() || *until <= Instant::now()) {
            for done in done {
                let _ = done.send(driver.quiet());
            }
            return;
        }
        let wait = deadline.map(|deadline| driver.until(deadline));
        let wait = match &closing {
            Some((until, _)) => {
                let left = until.saturating_duration_since(Instant::now());
                Some(wait.map_or(left, |wait| wait.min(left)))
            }
            None => wait,
        };
        let first = match wait {
            Some(wait) => receiver.recv_timeout(wait),
            None => receiver.recv().map_err(|_| RecvTimeoutError::Disconnected),
        };
        let first = match first {
            Ok(message) => message,
            Err(RecvTimeoutError::Timeout) => continue,
            Err(RecvTimeoutError::Disconnected) => return,
        };
        for message in std::iter::once(first).chain(receiver.try_iter()) {
            match message {
                Message::Wake => {
                    shared.woken.store(false, Ordering::SeqCst);
                    driver.event(Event::Rows(shared.rows.each_ref().map(|rows| rows.swap(0, Ordering::SeqCst))));
                }
                Message::Report(report) => driver.report(report),
                Message::Event(event) => driver.event(event),
                Message::Add(name, destination, from) => driver.add(name, destination, from),
                Message::Remove(name) => driver.remove(&name),
                Message::Flush(done) => driver.flush(done),
                Message::Suspend(done) => driver.suspend(done),
                Message::StoreReplaced => driver.store_replaced(),
                Message::Close(until, done) => {
                    driver.event(Event::Suspend);
                    closing.get_or_insert_with(|| (until, Vec::new())).1.push(done);
                }
            }
        }
    }
}

/// The door to the delivery. Every call returns at once, unless it takes a `wait`, which then bounds it.
pub(crate) struct DeliveryHandle {
    sender: Sender<Message>,
    shared: Arc<Shared>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl DeliveryHandle {
    /// New rows per lane are in the store; all zero: only the counts of losses may have changed.
    pub(crate) fn wake(&self, new_rows: [u64; 4]) {
        for (rows, new) in self.shared.rows.iter().zip(new_rows) {
            rows.fetch_add(new, Ordering::SeqCst);
        }
        if !self.shared.woken.swap(true, Ordering::SeqCst) {
            self.send(Message::Wake);
        }
    }

    /// The app came to the foreground or left it.
    pub(crate) fn foreground(&self, foreground: bool) {
        self.send(Message::Event(Event::Foreground(foreground)));
    }

    /// The host says something about the device.
    pub(crate) fn hint(&self, hint: Hint) {
        self.send(Message::Event(Event::Hint(hint)));
    }

    /// Consent changed: rows that waited for it are looked at again.
    pub(crate) fn consent_changed(&self) {
        self.send(Message::Event(Event::Consent));
    }

    /// Adds a destination under its config name, or replaces the one of that name; declares it in the store.
    pub(crate) fn add(&self, name: &str, destination: Arc<dyn Destination>, from: store::From) {
        self.shared.know(name, Some(Arc::clone(&destination)));
        self.send(Message::Add(name.to_owned(), destination, from));
    }

    /// Removes a destination; in the store it becomes dormant.
    pub(crate) fn remove(&self, name: &str) {
        self.send(Message::Remove(name.to_owned()));
    }

    /// The store can be used again, or something in it changed that no row tells of.
    pub(crate) fn store_back(&self) {
        self.send(Message::Event(Event::StoreBack));
    }

    /// The store is another file now (quarantine): everything is declared and read anew.
    pub(crate) fn store_replaced(&self) {
        self.send(Message::StoreReplaced);
    }

    /// One attempt per destination now; waits until they ended. Per destination, what came of it.
    pub(crate) fn flush(&self, wait: Duration) -> Vec<Flushed> {
        let before = self.shared.snapshot();
        let (done, ended) = channel();
        self.send(Message::Flush(done));
        // Over time or gone: the report says what there is.
        let _ = ended.recv_timeout(wait);
        report(&before, &self.shared.snapshot())
    }

    /// No new requests; waits for those under way. `true` = none is left.
    pub(crate) fn suspend(&self, wait: Duration) -> bool {
        let (done, ended) = channel();
        self.send(Message::Suspend(done));
        ended.recv_timeout(wait).is_ok()
    }

    /// Requests again.
    pub(crate) fn resume(&self) {
        self.send(Message::Event(Event::Resume));
    }

    /// No new requests; waits for those under way, then the thread ends. What is under way after `wait` stays in
    /// flight in the store. `true` = nothing was. A second call does nothing.
    pub(crate) fn close(&self, wait: Duration) -> bool {
        let Some(thread) = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take() else { return true };
        let (done, ended) = channel();
        let until = Instant::now().checked_add(wait).unwrap_or_else(Instant::now);
        self.send(Message::Close(until, done));
        let quiet = ended.recv_timeout(wait);
        if quiet.is_ok() {
            // The thread has nothing left to do.
            let _ = thread.join();
        }
        quiet.unwrap_or(false)
    }

    /// All routes as they are.
    pub(crate) fn snapshot(&self) -> Vec<RouteStatus> {
        self.shared.snapshot()
    }

    /// For the writer's upkeep of the store.
    pub(crate) fn directory(&self) -> Directory {
        Directory(Arc::clone(&self.shared))
    }

    fn send(&self, message: Message) {
        // The thread ends only by `close`; after that nothing is to be done.
        let _ = self.sender.send(message);
    }
}

impl Drop for DeliveryHandle {
    fn drop(&mut self) {
        self.close(Duration::ZERO);
    }
}

impl Flushed {
    /// Adds it to what is said of its destination already.
    pub(crate) fn join(self, all: &mut Vec<Flushed>) {
        match all.iter_mut().find(|known| known.destination == self.destination) {
            Some(known) => {
                known.delivered = known.delivered.saturating_add(self.delivered);
                known.left = known.left.saturating_add(self.left);
                known.held = later(known.held.take(), self.held);
            }
            None => all.push(self),
        }
    }
}

/// Per destination, what happened between two snapshots.
fn report(before: &[RouteStatus], after: &[RouteStatus]) -> Vec<Flushed> {
    let mut flushed: Vec<Flushed> = Vec::new();
    for route in after {
        let old = before.iter().find(|old| old.route == route.route).map_or(0, |old| old.delivered);
        let delivered = route.delivered.saturating_sub(old);
        let left = route.waiting.iter().fold(0u64, |sum, lane| sum.saturating_add(*lane));
        let held = (left > 0).then(|| route.held.clone()).flatten();
        Flushed { destination: route.destination.clone(), delivered, left, held }.join(&mut flushed);
    }
    flushed
}

/// The one that ends later; without an end = latest.
fn later(one: Option<Held>, other: Option<Held>) -> Option<Held> {
    let end = |held: &Held| held.until_ms.unwrap_or(i64::MAX);
    [one, other].into_iter().flatten().max_by_key(end)
}

#[cfg(test)]
mod tests;
