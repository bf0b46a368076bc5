//! The delivery thread and the handle through which the rest of the engine uses it.

use super::driver::{Context, Driver};
use super::machine::Event;
use super::pace::Pace;
use super::shared::{Directory, Shared};
use super::{Flushed, Held, Hint, RouteStatus, WriterAccess};
use crate::channel::{Receiver, Sender, channel};
use crate::destination::Named;
use crate::id::IdKey;
use crate::logger::Log;
use crate::store;
use crate::sys::Clock;
use crate::transport::{Report, Transport};
use std::sync::mpsc::RecvTimeoutError;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Options of the delivery thread.
pub(crate) struct Options {
    /// Id of the present boot.
    pub(crate) boot: String,
    /// The key of this run: the source of batch ids and of jitter.
    pub(crate) key: IdKey,
    /// The clocks.
    pub(crate) clock: Clock,
    /// Whether the app is in the foreground now; `true` for a process without a user interface.
    pub(crate) foreground: bool,
    /// How soon it sends.
    pub(crate) pace: Pace,
    /// For what a developer must know.
    pub(crate) log: Log,
}

/// Starts the delivery thread.
pub(crate) struct Delivery;

enum Message {
    /// New rows are counted in [`Shared`].
    Wake,
    Report(Report),
    Event(Event),
    Add(Vec<Named>, store::From),
    Remove(String),
    Flush(Sender<()>),
    Suspend(Sender<()>),
    /// With the serial number of the new store.
    StoreReplaced(u64),
    /// Starts no new request; the thread ends when nothing is in flight, at the latest at this time.
    Close(Instant, Sender<bool>),
}

impl Delivery {
    /// Starts the thread. It sleeps without a timer while nothing is due.
    ///
    /// # Errors
    /// The system cannot start a thread.
    pub(crate) fn start<O: WriterAccess>(
        writer: Arc<O>,
        transport: Arc<dyn Transport>,
        options: Options,
    ) -> std::io::Result<DeliveryHandle> {
        let (sender, receiver) = channel();
        let shared = Arc::new(Shared::default());
        let report_sender = sender.clone();
        // If the thread has ended, nobody needs the report.
        let reports = Arc::new(move |report| drop(report_sender.send(Message::Report(report))));
        let context = Context {
            writer,
            transport,
            clock: options.clock,
            boot: options.boot.into(),
            key: options.key,
            reports,
            shared: Arc::clone(&shared),
            pace: options.pace,
            log: options.log,
        };
        let mut driver = Driver::new(context, options.foreground);
        let thread_shared = Arc::clone(&shared);
        let thread = std::thread::Builder::new().name("rez-delivery".into()).spawn(move || {
            // The host's transport runs here. An event that it recorded would be the reason for the next request.
            crate::own_thread::mark_ours();
            run(&mut driver, &receiver, &thread_shared);
        })?;
        Ok(DeliveryHandle { sender, shared, thread: Mutex::new(Some(thread)) })
    }
}

/// The delivery thread.
fn run<O: WriterAccess>(driver: &mut Driver<O>, receiver: &Receiver<Message>, shared: &Shared) {
    let mut closing: Option<(Instant, Vec<Sender<bool>>)> = None;
    loop {
        let deadline = driver.step();
        if let Some((_, done)) = closing.as_ref().filter(|(until, _)| driver.is_idle() || *until <= Instant::now()) {
            for done in done {
                let _ = done.send(driver.is_idle());
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
            None => receiver.recv().ok_or(RecvTimeoutError::Disconnected),
        };
        let first = match first {
            Ok(message) => message,
            Err(RecvTimeoutError::Timeout) => continue,
            Err(RecvTimeoutError::Disconnected) => return,
        };
        for message in std::iter::once(first).chain(receiver.try_iter()) {
            match message {
                Message::Wake => driver.event(Event::Rows(shared.take_rows())),
                Message::Report(report) => driver.report(report),
                Message::Event(event) => driver.event(event),
                Message::Add(all, from) => {
                    all.into_iter().for_each(|(name, destination)| driver.add(name, destination, from));
                }
                Message::Remove(name) => driver.remove(&name),
                Message::Flush(done) => driver.flush(done),
                Message::Suspend(done) => driver.suspend(done),
                Message::StoreReplaced(serial) => driver.store_replaced(serial),
                Message::Close(until, done) => {
                    driver.event(Event::Suspend);
                    closing.get_or_insert_with(|| (until, Vec::new())).1.push(done);
                }
            }
        }
    }
}

/// A request to the delivery thread, which can be made before the thread is started.
pub(crate) struct ForDelivery {
    /// What it sets: the last request about the same counts.
    pub(crate) about: String,
    pub(crate) work: Box<dyn FnOnce(&DeliveryHandle) + Send>,
}

impl ForDelivery {
    pub(crate) fn new(about: &str, work: impl FnOnce(&DeliveryHandle) + Send + 'static) -> ForDelivery {
        ForDelivery { about: about.to_owned(), work: Box::new(work) }
    }
}

/// Handle to the delivery thread. A call returns at once, or at the latest after its `wait`.
pub(crate) struct DeliveryHandle {
    sender: Sender<Message>,
    shared: Arc<Shared>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl DeliveryHandle {
    /// New rows per lane are in the store. All zero: only the counts of losses may have changed.
    pub(crate) fn wake(&self, new_rows: [u64; 4]) {
        if self.shared.add_rows(new_rows) {
            self.send(Message::Wake);
        }
    }

    /// The app came to the foreground or left it.
    pub(crate) fn foreground(&self, foreground: bool) {
        self.send(Message::Event(Event::Foreground(foreground)));
    }

    /// The host reports the state of the device.
    pub(crate) fn hint(&self, hint: Hint) {
        self.send(Message::Event(Event::Hint(hint)));
    }

    /// The app pauses or resumes a destination. A request that is running ends as usual.
    pub(crate) fn pause(&self, name: &str, paused: bool) {
        self.send(Message::Event(Event::Paused(name.to_owned(), paused)));
    }

    /// Consent changed: rows that waited for it are tried again.
    pub(crate) fn consent_changed(&self) {
        self.send(Message::Event(Event::Consent));
    }

    /// Adds destinations under their config names, or replaces those of the names; declares them in the store. All are declared
    /// before the first request, so that no row is delivered and deleted before each of them knows it.
    pub(crate) fn add(&self, all: Vec<Named>, from: store::From) {
        for (name, destination) in &all {
            self.shared.set_destination(name, Some(Arc::clone(destination)));
        }
        self.send(Message::Add(all, from));
    }

    /// Removes a destination; in the store it becomes dormant.
    pub(crate) fn remove(&self, name: &str) {
        self.send(Message::Remove(name.to_owned()));
    }

    /// The store can be used again, or it changed in a way that [`DeliveryHandle::wake`] does not report.
    pub(crate) fn store_back(&self) {
        self.send(Message::Event(Event::StoreBack));
    }

    /// The store was replaced by a new file with this serial number (quarantine): all destinations that were loaded from
    /// an older one are declared and loaded again.
    pub(crate) fn store_replaced(&self, serial: u64) {
        self.send(Message::StoreReplaced(serial));
    }

    /// Sends on every route now until nothing is left, a request fails or `wait` ends. Returns the result per destination.
    pub(crate) fn flush(&self, wait: Duration) -> Vec<Flushed> {
        let before = self.shared.snapshot();
        let (done, ended) = channel();
        self.send(Message::Flush(done));
        // After a timeout the report contains what was reached so far.
        let _ = ended.recv_timeout(wait);
        report(&before, &self.shared.snapshot())
    }

    /// Starts no new request and waits for those in flight. `true` = none is left.
    pub(crate) fn suspend(&self, wait: Duration) -> bool {
        let (done, ended) = channel();
        self.send(Message::Suspend(done));
        ended.recv_timeout(wait).is_ok()
    }

    /// Starts requests again.
    pub(crate) fn resume(&self) {
        self.send(Message::Event(Event::Resume));
    }

    /// Starts no new request, waits for those in flight, then ends the thread. A request that has not ended after
    /// `wait` stays in flight in the store. `true` = none has. A second call does nothing.
    pub(crate) fn close(&self, wait: Duration) -> bool {
        let Some(thread) = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take() else { return true };
        let (done, ended) = channel();
        let until = Instant::now().checked_add(wait).unwrap_or_else(Instant::now);
        self.send(Message::Close(until, done));
        let idle = ended.recv_timeout(wait);
        if idle.is_ok() {
            // The thread is about to end.
            let _ = thread.join();
        }
        idle.unwrap_or(false)
    }

    /// The status of all routes.
    pub(crate) fn snapshot(&self) -> Vec<RouteStatus> {
        self.shared.snapshot()
    }

    /// For the writer's maintenance of the store.
    pub(crate) fn directory(&self) -> Directory {
        Directory::new(&self.shared)
    }

    fn send(&self, message: Message) {
        // The thread ends only in `close`; after that there is nothing to do.
        let _ = self.sender.send(message);
    }
}

impl Drop for DeliveryHandle {
    fn drop(&mut self) {
        self.close(Duration::ZERO);
    }
}

impl Flushed {
    /// Adds it to the entry of the same destination.
    pub(crate) fn add_to(self, all: &mut Vec<Flushed>) {
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

/// What happened between two snapshots, per destination.
fn report(before: &[RouteStatus], after: &[RouteStatus]) -> Vec<Flushed> {
    let mut flushed: Vec<Flushed> = Vec::new();
    for route in after {
        let old = before.iter().find(|old| old.route == route.route).map_or(0, |old| old.delivered);
        let delivered = route.delivered.saturating_sub(old);
        let left = route.waiting.iter().fold(0u64, |sum, lane| sum.saturating_add(*lane));
        let held = (left > 0).then(|| route.held.clone()).flatten();
        Flushed { destination: route.destination.clone(), delivered, left, held }.add_to(&mut flushed);
    }
    flushed
}

/// The one that ends later; one without an end is the latest.
fn later(one: Option<Held>, other: Option<Held>) -> Option<Held> {
    let end = |held: &Held| held.until_ms.unwrap_or(i64::MAX);
    [one, other].into_iter().flatten().max_by_key(end)
}

#[cfg(test)]
mod tests;
