use super::super::schedule::{Hint, Network, Power};
use super::super::state::StopKind;
use super::super::wait::Why;
use super::*;
use crate::channel::{Receiver, channel};
use crate::destination::{Action, Backoff, Rez, RouteSpec, Stamp, Verdict, Want};
use crate::id::EventId;
use crate::kind::{Kind, Purpose};
use crate::reason::Reason;
use crate::ring::losses::UnreportedLoss;
use crate::store::{Fate, FoldPosition, Identity, NewRow, RouteBalance};
use crate::transport::{Completion, Request, Response, Sent};
use proptest::prelude::*;
use std::collections::VecDeque;
use std::io::Read as _;
use std::sync::Mutex;

const WALL: i64 = 1_795_400_000_000;
const DAY: i64 = 24 * 3_600_000;
const ROUTE: &str = "main/rez.batch";

/// A writer without a thread: the store behind a mutex.
pub(in crate::delivery) struct LocalWriter {
    pub(in crate::delivery) store: Mutex<Option<Store>>,
    pub(in crate::delivery) clock: Clock,
    pub(in crate::delivery) granted: Mutex<Granted>,
    pub(in crate::delivery) denied: Mutex<Granted>,
    /// What the superblock holds of earlier epochs.
    pub(in crate::delivery) losses: Mutex<Vec<UnreportedLoss>>,
    /// Calls of `write_superblock`.
    pub(in crate::delivery) superblock: Mutex<u32>,
    pub(in crate::delivery) failures: Mutex<Vec<crate::store::StoreError>>,
}

impl WriterAccess for LocalWriter {
    fn with_store<R: Send + 'static>(&self, work: impl FnOnce(&mut Store, Now) -> R + Send + 'static) -> Option<R> {
        let now = Now { wall_ms: self.clock.wall_ms(), mono_ms: self.clock.mono_ms() };
        self.store.lock().unwrap().as_mut().map(|store| work(store, now))
    }

    fn granted(&self) -> Granted {
        *self.granted.lock().unwrap()
    }

    fn denied(&self) -> Granted {
        *self.denied.lock().unwrap()
    }

    fn write_superblock(&self) {
        *self.superblock.lock().unwrap() += 1;
    }

    fn old_losses(&self, route: u64, epoch: u64) -> Vec<UnreportedLoss> {
        let losses = self.losses.lock().unwrap();
        losses.iter().filter(|loss| loss.route == route && loss.epoch < epoch).copied().collect()
    }

    fn old_losses_reported(&self, route: u64, epoch: u64) {
        self.losses.lock().unwrap().retain(|loss| loss.route != route || loss.epoch != epoch);
    }

    fn store_failed(&self, error: &crate::store::StoreError) {
        self.failures.lock().unwrap().push(error.clone());
    }
}

/// What the scripted transport does with a request.
#[derive(Clone)]
enum Turn {
    Response(Response),
    /// A response that accounts for every event of the request.
    Accept,
    /// 400 if one of these events is in it, else accepted.
    Refuse(Vec<EventId>),
    /// The same with 500.
    Break(Vec<EventId>),
    /// The same with 408.
    TimeOut(Vec<EventId>),
    /// The same with a response that cannot be understood.
    Confuse(Vec<EventId>),
    /// The same without a response.
    HangUp(Vec<EventId>),
    /// The response that this returns.
    By(fn(&Request) -> Response),
    NotSent,
    Ambiguous,
    Drop,
    Panic,
    /// Keeps the completion and does not respond.
    Silence,
}

/// A transport that responds by script, and with `usual` when the script is empty.
struct ScriptedTransport {
    script: Mutex<VecDeque<Turn>>,
    usual: Mutex<Turn>,
    sent: Mutex<Vec<Request>>,
    silent: Mutex<Vec<Completion>>,
    reports_connect: bool,
}

/// The body of a request, decompressed.
fn body(request: &Request) -> serde_json::Value {
    let zipped = request.headers.iter().any(|(name, value)| name == "Content-Encoding" && value == "gzip");
    let mut plain = Vec::new();
    if zipped {
        flate2::read::GzDecoder::new(request.body.as_slice()).read_to_end(&mut plain).unwrap();
    } else {
        plain.clone_from(&request.body);
    }
    serde_json::from_slice(&plain).unwrap()
}

fn ids(request: &Request) -> Vec<EventId> {
    let body = body(request);
    body["events"].as_array().unwrap().iter().map(|event| event["id"].as_str().unwrap().parse().unwrap()).collect()
}

fn status(status: u16) -> Turn {
    Turn::Response(Response { status, ..Response::default() })
}

fn with(status: u16, headers: &[(&str, &str)], body: &str) -> Turn {
    let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Turn::Response(Response { status, headers, body: body.into(), cut: false })
}

pub(in crate::delivery) fn accept(request: &Request) -> Response {
    let body = body(request);
    let count = body["events"].as_array().unwrap().len();
    let text = format!(r#"{{"batch_id":{},"accepted":{count}}}"#, body["batch_id"]);
    Response { status: 200, body: text.into_bytes(), ..Response::default() }
}

impl Transport for ScriptedTransport {
    fn send(&self, request: Request, done: Completion) {
        self.sent.lock().unwrap().push(request.clone());
        let turn = self.script.lock().unwrap().pop_front();
        // No lock may be held: one of the turns panics.
        let usual = self.usual.lock().unwrap().clone();
        match turn.as_ref().unwrap_or(&usual) {
            Turn::Response(response) => done.finish(Sent::Response(response.clone())),
            Turn::Accept => done.finish(Sent::Response(accept(&request))),
            Turn::Refuse(bad) | Turn::Break(bad) | Turn::TimeOut(bad) | Turn::Confuse(bad) | Turn::HangUp(bad)
                if !ids(&request).iter().any(|id| bad.contains(id)) =>
            {
                done.finish(Sent::Response(accept(&request)));
            }
            Turn::Refuse(_) => done.finish(Sent::Response(Response { status: 400, ..Response::default() })),
            Turn::Break(_) => done.finish(Sent::Response(Response { status: 500, ..Response::default() })),
            Turn::TimeOut(_) => done.finish(Sent::Response(Response { status: 408, ..Response::default() })),
            Turn::Confuse(_) => done.finish(Sent::Response(Response { status: 200, ..Response::default() })),
            Turn::HangUp(_) => done.finish(Sent::Ambiguous("connection closed".into())),
            Turn::By(response) => done.finish(Sent::Response(response(&request))),
            Turn::NotSent => done.finish(Sent::NotSent("refused".into())),
            Turn::Ambiguous => done.finish(Sent::Ambiguous("reset".into())),
            Turn::Drop => {}
            Turn::Panic => panic!("the transport"),
            Turn::Silence => self.silent.lock().unwrap().push(done),
        }
    }

    fn reports_connect(&self) -> bool {
        self.reports_connect
    }
}

/// A destination with one at-most-once route: 200 settles, 503 keeps.
struct Once;

const ONCE: &[RouteSpec] = &[RouteSpec {
    name: "once.collect",
    at_most_once: true,
    max_events: 25,
    max_bytes: 130_000,
    backoff: Backoff::STANDARD,
    gzip: false,
    reports_losses: false,
    adds_losses: false,
}];

impl Destination for Once {
    fn routes(&self) -> &'static [RouteSpec] {
        ONCE
    }
    fn purposes(&self) -> &[Purpose] {
        &Purpose::ALL
    }
    fn key_hash(&self) -> u64 {
        1
    }
    fn wants(&self, _: &RouteSpec, _: &Row) -> Want {
        Want::Yes
    }
    fn encode(&self, _: &RouteSpec, batch: &Batch<'_>, _: &Stamp<'_>) -> Request {
        let events: Vec<_> = batch.rows.iter().map(|row| serde_json::json!({"id": row.id.to_string()})).collect();
        let body = serde_json::json!({"batch_id": batch.batch_id, "events": events}).to_string();
        Request { url: "http://127.0.0.1/".into(), headers: vec![], body: body.into_bytes() }
    }
    fn verdict(&self, _: &RouteSpec, batch: &Batch<'_>, response: &Response) -> Verdict {
        use crate::destination::RowOutcome::Delivered;
        Verdict::of(match response.status {
            200 => Action::Settle(vec![Delivered; batch.rows.len()]),
            400 => Action::Split,
            503 => Action::Outage(None),
            _ => Action::Ambiguous("unknown".into()),
        })
    }
    fn encoder(&self) -> u32 {
        1
    }
}

/// A destination whose encoder panics on some rows and whose verdict panics on some responses.
struct Faulty(Rez);

impl Destination for Faulty {
    fn routes(&self) -> &'static [RouteSpec] {
        self.0.routes()
    }
    fn purposes(&self) -> &[Purpose] {
        self.0.purposes()
    }
    fn key_hash(&self) -> u64 {
        2
    }
    fn wants(&self, route: &RouteSpec, row: &Row) -> Want {
        self.0.wants(route, row)
    }
    fn encode(&self, route: &RouteSpec, batch: &Batch<'_>, stamp: &Stamp<'_>) -> Request {
        assert!(!batch.rows.iter().any(|row| row.json.contains("bad")), "the encoder");
        self.0.encode(route, batch, stamp)
    }
    fn verdict(&self, route: &RouteSpec, batch: &Batch<'_>, response: &Response) -> Verdict {
        assert!(response.status != 418, "the verdict");
        self.0.verdict(route, batch, response)
    }
    fn encoder(&self) -> u32 {
        2
    }
}

pub(in crate::delivery) fn rez(key: &str) -> Arc<dyn Destination> {
    Arc::new(Rez::builder("http://127.0.0.1:1", key).purposes(&Purpose::ALL).build().unwrap())
}

struct Bench {
    folder: tempfile::TempDir,
    writer: Arc<LocalWriter>,
    wire: Arc<ScriptedTransport>,
    clock: Clock,
    boot: String,
    driver: Driver<LocalWriter>,
    reports: Receiver<Report>,
    events: u64,
}

impl Bench {
    /// An empty store and no destination.
    fn bare() -> Bench {
        let folder = tempfile::tempdir().unwrap();
        let clock = Clock::manual(WALL, 1_000_000);
        let wire = ScriptedTransport {
            script: Mutex::default(),
            usual: Mutex::new(Turn::Accept),
            sent: Mutex::default(),
            silent: Mutex::default(),
            reports_connect: false,
        };
        let (writer, driver, reports, wire) =
            Bench::start(folder.path(), &clock, "boot-a", Pace::Usual, Arc::new(wire));
        Bench { folder, writer, wire, clock, boot: "boot-a".into(), driver, reports, events: 0 }
    }

    /// With the destination `main`.
    fn new() -> Bench {
        let mut bench = Bench::bare();
        bench.add("main", rez("key"));
        bench
    }

    fn start(
        folder: &std::path::Path,
        clock: &Clock,
        boot: &str,
        pace: Pace,
        wire: Arc<ScriptedTransport>,
    ) -> (Arc<LocalWriter>, Driver<LocalWriter>, Receiver<Report>, Arc<ScriptedTransport>) {
        let identity = Identity { install: "i".into(), epoch: 1, boot: boot.into(), gone: Default::default() };
        let store = Store::open(folder, &identity, store::Options::default()).unwrap();
        let writer = Arc::new(LocalWriter {
            store: Mutex::new(Some(store)),
            clock: clock.clone(),
            granted: Mutex::new(Granted { monitoring: true, analytics: true }),
            denied: Mutex::default(),
            losses: Mutex::default(),
            superblock: Mutex::default(),
            failures: Mutex::default(),
        });
        let (sender, reports) = channel();
        let context = Context {
            writer: Arc::clone(&writer),
            transport: Arc::clone(&wire) as Arc<dyn Transport>,
            clock: clock.clone(),
            boot: boot.into(),
            key: IdKey::from_bytes([7; 16]),
            reports: Arc::new(move |report| drop(sender.send(report))),
            shared: Arc::default(),
            pace,
            log: crate::logger::Log::default(),
        };
        (writer, Driver::new(context, true), reports, wire)
    }

    /// Kills the process and starts it again; the clocks go on.
    fn restart(&mut self, boot: &str) {
        self.restart_with(boot, Pace::Usual);
    }

    /// As [`Bench::restart`], with another pace.
    fn restart_with(&mut self, boot: &str, pace: Pace) {
        self.writer.store.lock().unwrap().take();
        let wire = Arc::clone(&self.wire);
        let (writer, driver, reports, _) = Bench::start(self.folder.path(), &self.clock, boot, pace, wire);
        (self.writer, self.driver, self.reports, self.boot) = (writer, driver, reports, boot.into());
    }

    fn add(&mut self, name: &str, destination: Arc<dyn Destination>) {
        self.driver.add(name.into(), destination, store::From::Oldest);
        self.settle();
    }

    /// Works until nothing more is due at this time.
    fn settle(&mut self) -> Option<i64> {
        loop {
            let deadline = self.driver.step();
            let mut count = 0;
            while let Some(report) = self.reports.try_iter().next() {
                self.driver.report(report);
                count += 1;
            }
            if count == 0 && deadline.is_none_or(|deadline| deadline > self.clock.mono_ms()) {
                self.check();
                return deadline;
            }
        }
    }

    fn after(&mut self, wait: Duration) -> Option<i64> {
        self.clock.advance(wait);
        self.settle()
    }

    /// Moves the clock to the next deadline and works. Returns how long that was.
    fn next(&mut self) -> Duration {
        let deadline = self.settle().expect("a deadline");
        let wait = Duration::from_millis(u64::try_from(deadline - self.clock.mono_ms()).unwrap());
        self.after(wait);
        wait
    }

    fn store<R>(&self, work: impl FnOnce(&mut Store, Now) -> R) -> R {
        let now = Now { wall_ms: self.clock.wall_ms(), mono_ms: self.clock.mono_ms() };
        work(self.writer.store.lock().unwrap().as_mut().unwrap(), now)
    }

    /// Stores rows without waking the delivery thread.
    fn store_rows(&mut self, kind: Kind, json: &str, count: usize) -> Vec<EventId> {
        let key = IdKey::from_bytes([1; 16]);
        let first = self.events;
        self.events += count as u64;
        let ids: Vec<EventId> = (first..self.events).map(|n| key.id(WALL, n, 0)).collect();
        let (boot, json) = (self.boot.clone(), json.to_owned());
        self.store(|store, now| {
            let mut fold = store.begin(false, now).unwrap();
            let run = Run { id: "r".into(), boot: boot.clone(), app: "shop".into(), ..Run::default() };
            let run = fold.run(&run).unwrap();
            fold.intake(Some(kind), count as u64).unwrap();
            for id in &ids {
                let (wall_ms, mono_ms) = (now.wall_ms, now.mono_ms);
                let row = NewRow { id: *id, kind, run, wall_ms, mono_ms, targets: &[], json: &json, late: false };
                fold.insert(&row).unwrap();
            }
            fold.set_position(FoldPosition::default(), &boot, now.wall_ms - now.mono_ms).unwrap();
            fold.commit().unwrap();
        });
        ids
    }

    /// Stores rows and wakes the delivery thread.
    fn put(&mut self, kind: Kind, count: usize) -> Vec<EventId> {
        let ids = self.store_rows(kind, "{}", count);
        let mut counts = [0; 4];
        counts[usize::from(kind.lane().number())] = count as u64;
        self.driver.event(Event::Rows(counts));
        self.settle();
        ids
    }

    /// Drops events before they become rows.
    fn lose(&mut self, reason: Reason, n: u64) {
        self.store(|store, now| {
            let mut fold = store.begin(false, now).unwrap();
            fold.intake(Some(Kind::Metric), n).unwrap();
            fold.drop(Some(Kind::Metric), reason, n).unwrap();
            fold.commit().unwrap();
        });
        self.driver.event(Event::Rows([0; 4]));
        self.settle();
    }

    /// Accepts the requests that the transport did not response.
    fn response_silent(&mut self) {
        let silent = std::mem::take(&mut *self.wire.silent.lock().unwrap());
        let sent = self.sent();
        // They are the last ones.
        for (done, request) in silent.into_iter().rev().zip(sent.iter().rev()) {
            done.finish(Sent::Response(accept(request)));
        }
        self.settle();
    }

    fn script(&self, turns: impl IntoIterator<Item = Turn>) {
        self.wire.script.lock().unwrap().extend(turns);
    }

    fn usual(&self, turn: Turn) {
        *self.wire.usual.lock().unwrap() = turn;
    }

    fn sent(&self) -> Vec<Request> {
        self.wire.sent.lock().unwrap().clone()
    }

    fn requests(&self) -> usize {
        self.wire.sent.lock().unwrap().len()
    }

    fn last(&self) -> Request {
        self.wire.sent.lock().unwrap().last().cloned().expect("a request")
    }

    fn balance_of(&self, route: &str) -> RouteBalance {
        let balance = self.store(|store, _| store.balance().unwrap());
        balance.routes.into_iter().find(|balance| balance.route == route).unwrap()
    }

    fn balance(&self) -> RouteBalance {
        self.balance_of(ROUTE)
    }

    /// Checks the balance of the store.
    fn check(&self) {
        if self.writer.store.lock().unwrap().is_some() {
            let balance = self.store(|store, _| store.balance().unwrap());
            assert!(balance.holds(), "{balance:#?}");
        }
    }

    fn state(&mut self) -> RouteState {
        self.driver.machine.route(ROUTE).unwrap().state.clone()
    }

    fn status(&self, route: &str) -> super::super::RouteStatus {
        let now = self.driver.now();
        self.driver.machine.status(now).into_iter().find(|status| status.route == route).unwrap()
    }

    fn why(&self) -> String {
        self.status(ROUTE).held.map_or_else(String::new, |held| held.why)
    }

    fn fate(&self, id: EventId) -> Fate {
        self.store(|store, _| store.fate(id).unwrap())
    }
}

mod bisects;
#[cfg(feature = "destination-datadog")]
mod datadog;
mod flush;
#[cfg(feature = "destination-ga4")]
mod ga4;
mod life;
#[cfg(feature = "destination-mixpanel")]
mod mixpanel;
#[cfg(feature = "destination-otlp")]
mod otlp;
mod outage;
mod responses;
mod sentry;
#[cfg(feature = "destination-slack")]
mod slack;
mod success;
mod table;
mod test_mode;
mod triggers;
mod unclear;
