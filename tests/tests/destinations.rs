//! Each destination against a stand-in of its vendor's server: real engine, real transport, faults in every third
//! response.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use rez_monitor::destination::{Datadog, Ga4, Mixpanel, Otlp, OtlpEncoding, Rez, Sentry};
use rez_monitor::inspect::{Balance, Reader, RouteBalance};
use rez_monitor::transport::{Completion, Request, Reqwest, Transport};
use rez_monitor::{
    Clock, Config, ConfigBuilder, Consent, ErrorEvent, Flushed, From, Monitor, Outcome, Purpose, Revenue,
};
use rez_monitor_tests::scenario::balance;
use rez_monitor_tests::seeded::Seeded;
use rez_monitor_tests::vendor_server::{Behavior, Fault, LoggedRequest, ReceivedRequest, Response, VendorServer};
use rez_monitor_tests::vendors::{DatadogLines, Ga4Rules, MixpanelRules, OtlpLines, RezRules, SentryLines, Vendor};
use rez_monitor_tests::workload;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

const WALL: i64 = 1_795_400_000_000;
const EVENTS: u64 = 2_000;
/// Events between two flushes: this makes enough requests for many faults.
const PORTION: u64 = 40;
const WAIT: Duration = Duration::from_secs(30);

/// A destination under test: how to build it for an address, its vendor, and how many of the recorded events each route gets.
struct Case {
    name: &'static str,
    vendor: fn() -> Arc<dyn Vendor>,
    add: fn(ConfigBuilder, &str) -> ConfigBuilder,
    /// Each route, and how many of every [`workload::CYCLE`] events it wants.
    routes: &'static [(&'static str, u64)],
    /// Routes whose vendor cannot recognise a second copy.
    at_most_once: &'static [&'static str],
    /// A 2xx whose body ends early settles.
    cut_settles: bool,
    /// Each recorded event has exactly one key at the vendor.
    exact: bool,
    /// Reasons under which the vendor's rules allow an event to be dropped after a fault.
    may_drop: &'static [&'static str],
}

fn mixpanel(url: &str) -> Mixpanel {
    Mixpanel::builder("T0K3N").endpoint(url).build().unwrap()
}

fn ga4(url: &str) -> Ga4 {
    Ga4::web_stream("G-1A2B3C4D5E", "s3cret").endpoint(url).build().unwrap()
}

fn sentry(url: &str) -> Sentry {
    let dsn = url.replace("http://", "http://0123456789abcdef@") + "/42";
    Sentry::builder(dsn).traces_sample_rate(1.0).build().unwrap()
}

fn datadog(url: &str) -> Datadog {
    Datadog::builder("11111111-2222-4333-8444-555555555555", "pub1").endpoint(url).build().unwrap()
}

fn otlp(url: &str) -> Otlp {
    Otlp::builder(url).encoding(OtlpEncoding::Json).build().unwrap()
}

fn rez(url: &str) -> Rez {
    Rez::builder(url, "wk_1").purposes(&Purpose::ALL).build().unwrap()
}

const CASES: &[Case] = &[
    Case {
        name: "rez",
        vendor: || Arc::new(RezRules),
        add: |config, url| config.destination("rez", rez(url)),
        routes: &[("rez.batch", 20)],
        at_most_once: &[],
        cut_settles: false,
        exact: true,
        may_drop: &[],
    },
    Case {
        name: "mixpanel",
        vendor: || Arc::new(MixpanelRules { token: "T0K3N".into(), now_ms: WALL }),
        add: |config, url| config.destination("mixpanel", mixpanel(url)),
        routes: &[("mixpanel.import", 6), ("mixpanel.set", 1), ("mixpanel.add", 4)],
        at_most_once: &["mixpanel.add"],
        cut_settles: false,
        exact: true,
        may_drop: &[],
    },
    Case {
        name: "ga4",
        vendor: || {
            let (stream, secret) = ("G-1A2B3C4D5E".into(), "s3cret".into());
            Arc::new(Ga4Rules { stream, secret, app: false, now_ms: WALL })
        },
        add: |config, url| config.destination("ga4", ga4(url)),
        routes: &[("ga4.collect", 10)],
        at_most_once: &["ga4.collect"],
        cut_settles: true,
        exact: true,
        may_drop: &[],
    },
    Case {
        name: "sentry",
        vendor: || Arc::new(SentryLines),
        add: |config, url| config.destination("sentry", sentry(url)),
        routes: &[("sentry.envelope", 6)],
        at_most_once: &[],
        cut_settles: true,
        exact: true,
        // Sentry forbids resending after 429; events that are not critical are dropped after a 5xx.
        may_drop: &["rate_limited", "rejected"],
    },
    Case {
        name: "datadog",
        vendor: || Arc::new(DatadogLines),
        add: |config, url| config.destination("datadog", datadog(url)),
        routes: &[("datadog.rum", 8), ("datadog.logs", 3)],
        at_most_once: &[],
        cut_settles: true,
        exact: false,
        may_drop: &[],
    },
    Case {
        name: "otlp",
        vendor: || Arc::new(OtlpLines),
        add: |config, url| config.destination("otlp", otlp(url)),
        routes: &[("otlp.logs", 5), ("otlp.traces", 4), ("otlp.metrics", 2)],
        at_most_once: &[],
        cut_settles: true,
        exact: false,
        may_drop: &[],
    },
];

fn config(folder: &Path, clock: &Clock) -> ConfigBuilder {
    Config::builder(folder, "shop", "shop@1.4.0")
        .consent(Purpose::Monitoring, Consent::Granted)
        .consent(Purpose::Analytics, Consent::Granted)
        .sessions(false)
        .clock(clock.clone())
}

fn clock() -> Clock {
    Clock::manual(WALL, 5_000)
}

fn open(config: ConfigBuilder) -> Monitor {
    Monitor::open(config.build().unwrap()).unwrap()
}

fn recorded(outcome: Outcome) {
    assert!(matches!(outcome, Outcome::Recorded(_)), "{outcome:?}");
}

/// Closes the connections of requests that hang, once every other response is read.
struct HangRelease {
    over: Arc<AtomicBool>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl HangRelease {
    fn with(server: &Arc<VendorServer>) -> HangRelease {
        let over = Arc::new(AtomicBool::new(false));
        let (ended, server) = (Arc::clone(&over), Arc::clone(server));
        let thread = std::thread::spawn(move || {
            while !ended.load(Ordering::SeqCst) {
                // The clock does not move here: on a busy machine it would expire a request to which the server has responded.
                // The engine's own time limit has tests with an injected transport.
                if server.hanging() > 0 && server.open() == server.hanging() {
                    server.release();
                }
                std::thread::sleep(Duration::from_millis(2));
            }
        });
        HangRelease { over, thread: Some(thread) }
    }
}

impl Drop for HangRelease {
    fn drop(&mut self) {
        self.over.store(true, Ordering::SeqCst);
        self.thread.take().map(|thread| thread.join());
    }
}

/// Waits until no request is in flight, except for this destination: advancing the clock could time a request out.
fn wait_for_idle(monitor: &Monitor, but: &str) {
    let end = Instant::now() + WAIT;
    // The engine reads a manual clock every few milliseconds.
    std::thread::sleep(Duration::from_millis(12));
    while monitor.status().routes.iter().any(|route| route.in_flight && route.destination != but) {
        assert!(Instant::now() < end, "{:?}", monitor.status().routes);
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// Flushes, and advances the clock to the end of each wait, until nothing is left, for at most `most` rounds.
fn drain(monitor: &Monitor, clock: &Clock, most: usize) -> Vec<Flushed> {
    let mut report = Vec::new();
    for _ in 0..most {
        report = monitor.flush(WAIT).unwrap();
        if report.iter().all(|one| one.left == 0) {
            break;
        }
        let until = report.iter().filter_map(|one| one.held.as_ref()?.until_ms).min();
        wait_for_idle(monitor, "");
        let wait = until.map_or(1_000, |until| (until - clock.wall_ms()).clamp(1, 3_600_000));
        clock.advance(Duration::from_millis(wait.unsigned_abs()));
    }
    report
}

fn balance_of<'a>(balance: &'a Balance, route: &str) -> &'a RouteBalance {
    let named = |account: &&RouteBalance| account.route.rsplit('/').next() == Some(route);
    balance.routes.iter().find(named).unwrap_or_else(|| panic!("no {route} in {balance:#?}"))
}

fn entries<'a>(log: &'a [LoggedRequest], route: &'a str) -> impl Iterator<Item = &'a LoggedRequest> {
    log.iter().filter(move |entry| entry.route == route)
}

/// Whether the engine may send these events again: it knows that they were not stored.
fn refused(entry: &LoggedRequest) -> bool {
    matches!(entry.fault, Some(Fault::Status(429 | 503, _) | Fault::Portal))
}

/// 2,000 events with a fault in every third response; then both sides must agree.
fn storm(case: &Case) {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("app");
    let server = Arc::new(VendorServer::start((case.vendor)()));
    server.set(Behavior::EveryThird(Seeded::of(case.name, 20_261_123)));
    let clock = clock();
    let hang_release = HangRelease::with(&server);
    let monitor = open((case.add)(config(&folder, &clock), &server.url()));
    for n in 0..EVENTS {
        workload::people(&monitor, n, EVENTS);
        recorded(workload::event(&monitor, n));
        if n % PORTION == PORTION - 1 {
            drain(&monitor, &clock, 1);
        }
    }
    let left = drain(&monitor, &clock, 2_000);
    assert!(left.iter().all(|one| one.left == 0), "{}: {left:?}", case.name);
    monitor.close(WAIT);
    drop(hang_release);
    assert_eq!(server.problems(), Vec::<String>::new(), "{}", case.name);
    let (log, balance) = (server.log(), balance(&folder));
    let faults: BTreeMap<String, u64> = log.iter().fold(BTreeMap::new(), |mut all, entry| {
        *all.entry(format!("{:?}", entry.fault)).or_default() += 1;
        all
    });
    println!("{}: {} requests, {faults:?}", case.name, log.len());
    if std::env::var_os("REZ_LOG").is_some() {
        log.iter()
            .for_each(|entry| println!("{} {} {} {:?}", entry.route, entry.keys.len(), entry.stored, entry.fault));
        let reader = Reader::open(&folder).unwrap();
        println!("{:#?}", reader.overview());
    }
    for (route, share) in case.routes {
        check(case, route, share * EVENTS / workload::CYCLE, balance_of(&balance, route), &log);
    }
}

fn check(case: &Case, route: &str, wanted: u64, account: &RouteBalance, log: &[LoggedRequest]) {
    let message = |what: &str| format!("{route}: {what}: {account:?}");
    assert_eq!(account.stored, EVENTS, "{}", message("rows"));
    assert_eq!(account.stored - account.unwanted, wanted, "{}", message("wanted"));
    assert_eq!((account.queued, account.in_flight, account.dead), (0, 0, 0), "{}", message("left"));
    let ambiguous = account.dropped.get("ambiguous").copied().unwrap_or(0);
    let once = case.at_most_once.contains(&route);
    let allowed = |reason: &str| case.may_drop.contains(&reason) || (once && reason == "ambiguous");
    assert!(account.dropped.keys().all(|reason| allowed(reason)), "{}", message("dropped"));
    let mut sent: HashMap<&str, Vec<&LoggedRequest>> = HashMap::new();
    for entry in entries(log, route) {
        entry.keys.iter().for_each(|key| sent.entry(key).or_default().push(entry));
    }
    let stored: BTreeSet<&str> =
        sent.iter().filter(|(_, entries)| entries.iter().any(|entry| entry.stored)).map(|(key, _)| *key).collect();
    let dropped: u64 = account.dropped.values().sum();
    assert_eq!(account.delivered + dropped, wanted, "{}", message("each event is accounted for"));
    if case.exact {
        assert_eq!(sent.len() as u64, wanted, "{}: keys sent", message("each event was sent"));
        // A vendor that recognises a second copy stores each event once; to the others none was sent twice.
        assert!(stored.len() as u64 >= account.delivered, "{}: {} are there", message("delivered"), stored.len());
        assert!(
            stored.len() as u64 <= account.delivered + dropped,
            "{}: {} are there",
            message("not more"),
            stored.len()
        );
    }
    if once {
        for (key, entries) in &sent {
            let (last, before) = entries.split_last().unwrap();
            assert!(before.iter().all(|entry| refused(entry)), "{route}: {key} was sent again after {before:?}");
            assert!(!refused(last), "{route}: {key} was refused and never sent again");
        }
        let unknown = |entry: &&LoggedRequest| match &entry.fault {
            None => false,
            Some(Fault::Cut) => !case.cut_settles,
            Some(_) => !refused(entry),
        };
        let lost: u64 = entries(log, route).filter(unknown).map(|entry| entry.keys.len() as u64).sum();
        assert_eq!(ambiguous, lost, "{}", message("each ambiguous event is counted"));
        assert!(ambiguous > 0, "{}", message("some requests were ambiguous"));
    } else {
        if dropped == 0 {
            assert_eq!(stored.len(), sent.len(), "{}", message("all are there"));
        }
        let twice = sent.values().filter(|entries| entries.iter().filter(|entry| entry.stored).count() > 1).count();
        println!("{route}: {twice} of {wanted} reached the server more than once, under the same key");
    }
}

#[test]
fn rez_keeps_the_balance_in_a_storm_of_faults() {
    storm(&CASES[0]);
}

#[test]
fn mixpanel_keeps_the_balance_in_a_storm_of_faults() {
    storm(&CASES[1]);
}

#[test]
fn ga4_keeps_the_balance_in_a_storm_of_faults() {
    storm(&CASES[2]);
}

#[test]
fn sentry_keeps_the_balance_in_a_storm_of_faults() {
    storm(&CASES[3]);
}

#[test]
fn datadog_keeps_the_balance_in_a_storm_of_faults() {
    storm(&CASES[4]);
}

#[test]
fn otlp_keeps_the_balance_in_a_storm_of_faults() {
    storm(&CASES[5]);
}

#[test]
fn a_server_that_refuses_everything_loses_nothing() {
    for case in CASES {
        for status in [301, 401, 403, 404] {
            refusal(case, status);
        }
        // Where the vendor forbids resending, events are dropped after these, and counted.
        if case.may_drop.is_empty() {
            refusal(case, 429);
            refusal(case, 503);
        }
        // The same applies to at-most-once routes after these.
        if case.may_drop.is_empty() && case.at_most_once.is_empty() {
            refusal(case, 400);
            refusal(case, 500);
        }
    }
}

fn refusal(case: &Case, status: u16) {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("app");
    let server = Arc::new(VendorServer::start((case.vendor)()));
    server.set(Behavior::Always(status));
    let clock = clock();
    let monitor = open((case.add)(config(&folder, &clock), &server.url()));
    for n in 0..100 {
        recorded(workload::event(&monitor, n));
    }
    // Four hours.
    for _ in 0..8 {
        let _ = monitor.flush(WAIT).unwrap();
        wait_for_idle(&monitor, "");
        clock.advance(Duration::from_secs(1_800));
    }
    let requests = server.log().len();
    assert!(requests > 0, "{} {status}", case.name);
    server.set(Behavior::Normal);
    // A stopped route is probed after a day at the latest.
    let left = drain(&monitor, &clock, 200);
    monitor.close(WAIT);
    assert!(left.iter().all(|one| one.left == 0), "{} {status}: {left:?}", case.name);
    let balance = balance(&folder);
    for (route, share) in case.routes {
        let account = balance_of(&balance, route);
        assert_eq!(account.delivered, share * 100 / workload::CYCLE, "{} {status}: {account:?}", case.name);
        assert!(account.dropped.is_empty() && account.dead == 0, "{} {status}: {account:?}", case.name);
    }
}

#[test]
fn events_of_several_users_are_sent_in_several_requests_and_old_ones_are_counted_as_expired() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("app");
    let case = &CASES[2];
    let server = Arc::new(VendorServer::start((case.vendor)()));
    let clock = clock();
    let monitor = open(config(&folder, &clock));
    // Recorded without a destination, sent four days later.
    clock.set_wall_ms(WALL - 4 * 86_400_000);
    for n in 0..10 {
        recorded(monitor.track("old", &[("serial", n.into())]));
    }
    monitor.persist(WAIT).unwrap();
    clock.set_wall_ms(WALL);
    for n in 10..100 {
        workload::people(&monitor, n, 100);
        recorded(monitor.track("new", &[("serial", n.into())]));
    }
    monitor.add_destination("ga4", ga4(&server.url()), From::Oldest).unwrap();
    let left = drain(&monitor, &clock, 50);
    assert!(left.iter().all(|one| one.left == 0), "{left:?}");
    monitor.close(WAIT);
    assert_eq!(server.problems(), Vec::<String>::new());
    let log = server.log();
    // 15 without a user, 25 of u-1, 25 of a new anonymous user, 25 of u-2.
    let sizes: Vec<usize> = log.iter().map(|entry| entry.keys.len()).collect();
    assert_eq!(sizes, [15, 25, 25, 25]);
    let account = balance_of(&balance(&folder), "ga4.collect").clone();
    assert_eq!((account.delivered, account.dropped.get("expired")), (90, Some(&10)), "{account:?}");
}

/// Sends through reqwest, except to one address: that never responds while `silent` is set.
struct Dead {
    inner: Reqwest,
    url: String,
    silent: Arc<AtomicBool>,
    kept: Mutex<Vec<Completion>>,
    asked: Arc<AtomicI64>,
}

impl Transport for Dead {
    fn send(&self, request: Request, done: Completion) {
        if !request.url.starts_with(&self.url) || !self.silent.load(Ordering::SeqCst) {
            if request.url.starts_with(&self.url) {
                self.asked.fetch_add(1, Ordering::SeqCst);
            }
            return self.inner.send(request, done);
        }
        self.asked.fetch_add(1, Ordering::SeqCst);
        self.kept.lock().unwrap().push(done);
    }
}

/// A vendor behind a server that responds to every request with an empty 200, as several self-hosted trackers do.
struct EmptyResponses(Arc<dyn Vendor>);

impl Vendor for EmptyResponses {
    fn route(&self, request: &ReceivedRequest) -> &'static str {
        self.0.route(request)
    }

    fn read(&self, request: &ReceivedRequest) -> Result<Vec<String>, Vec<String>> {
        self.0.read(request)
    }

    fn respond(&self, _request: &ReceivedRequest, _events: usize) -> Response {
        Response::status(200)
    }
}

#[test]
fn an_envelope_with_a_session_alone_that_gets_an_empty_200_is_delivered_and_so_is_what_follows() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("app");
    let server = VendorServer::start(Arc::new(EmptyResponses(Arc::new(SentryLines))));
    let clock = clock();
    let config = config(&folder, &clock).sessions(true).destination("sentry", sentry(&server.url()));
    let monitor = open(config);
    // The session goes in an envelope of its own.
    let report = monitor.flush(WAIT).unwrap();
    assert!(report.iter().all(|one| one.left == 0 && one.delivered == 1), "{report:?}");
    for n in 0..50 {
        recorded(monitor.error(ErrorEvent::new("PaymentError", "declined").fingerprint(&n.to_string())));
    }
    let left = drain(&monitor, &clock, 100);
    assert!(left.iter().all(|one| one.left == 0), "{left:?}");
    monitor.close(WAIT);
    assert_eq!(server.problems(), Vec::<String>::new());
    let account = balance_of(&balance(&folder), "sentry.envelope").clone();
    assert_eq!((account.delivered, account.queued, account.dropped.len()), (52, 0, 0), "{account:?}");
    let stored = server.log().iter().filter(|entry| entry.stored).map(|entry| entry.keys.len()).sum::<usize>();
    assert_eq!(stored, 52, "50 errors, the start and the end of the session");
}

#[test]
fn an_empty_200_is_success_for_every_destination_but_our_own() {
    for case in CASES {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("app");
        let server = VendorServer::start(Arc::new(EmptyResponses((case.vendor)())));
        let clock = clock();
        let monitor = open((case.add)(config(&folder, &clock), &server.url()));
        for n in 0..100 {
            recorded(workload::event(&monitor, n));
        }
        let left = drain(&monitor, &clock, 20);
        monitor.close(WAIT);
        let balance = balance(&folder);
        for (route, share) in case.routes {
            let account = balance_of(&balance, route);
            let delivered = if case.name == "rez" { 0 } else { share * 100 / workload::CYCLE };
            assert_eq!(account.delivered, delivered, "{}: {account:?} {left:?}", case.name);
            assert!(account.dropped.is_empty() && account.dead == 0, "{}: {account:?}", case.name);
        }
    }
}

#[test]
fn a_captive_portal_delivers_nothing_and_loses_nothing() {
    for case in CASES {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("app");
        let server = VendorServer::start((case.vendor)());
        server.set(Behavior::Each(Fault::Portal));
        let clock = clock();
        let monitor = open((case.add)(config(&folder, &clock), &server.url()));
        for n in 0..100 {
            recorded(workload::event(&monitor, n));
        }
        let report = drain(&monitor, &clock, 20);
        assert!(report[0].held.as_ref().unwrap().why.contains("could not be reached"), "{}: {report:?}", case.name);
        assert!(server.log().iter().all(|entry| !entry.stored));
        server.set(Behavior::Normal);
        let left = drain(&monitor, &clock, 100);
        monitor.close(WAIT);
        assert!(left.iter().all(|one| one.left == 0), "{}: {left:?}", case.name);
        let balance = balance(&folder);
        for (route, share) in case.routes {
            let account = balance_of(&balance, route);
            assert_eq!(account.delivered, share * 100 / workload::CYCLE, "{}: {account:?}", case.name);
            assert!(account.dropped.is_empty() && account.dead == 0, "{}: {account:?}", case.name);
        }
    }
}

/// Counts the requests that it passes on.
struct Counting {
    inner: Reqwest,
    requests: Arc<AtomicI64>,
}

impl Transport for Counting {
    fn send(&self, request: Request, done: Completion) {
        self.requests.fetch_add(1, Ordering::SeqCst);
        self.inner.send(request, done);
    }
}

#[test]
fn a_hundred_flushes_in_a_second_send_each_route_at_most_two_requests_that_fail() {
    for case in CASES {
        for trouble in ["refused", "hangs up", "500", "empty 200"] {
            let dir = tempfile::tempdir().unwrap();
            let folder = dir.path().join("app");
            let vendor: Arc<dyn Vendor> = match trouble {
                "empty 200" => Arc::new(EmptyResponses((case.vendor)())),
                _ => (case.vendor)(),
            };
            let server = VendorServer::start(vendor);
            match trouble {
                "hangs up" => server.set(Behavior::Each(Fault::Reset)),
                "500" => server.set(Behavior::Always(500)),
                _ => {}
            }
            let free_port = || std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
            // No server listens there any more.
            let url = if trouble == "refused" { format!("http://127.0.0.1:{}", free_port()) } else { server.url() };
            let requests = Arc::new(AtomicI64::new(0));
            let transport = Counting { inner: Reqwest::new(), requests: Arc::clone(&requests) };
            let clock = clock();
            let monitor = open((case.add)(config(&folder, &clock).transport(transport), &url));
            for n in 0..20 {
                recorded(workload::event(&monitor, n));
            }
            let mut reports = Vec::new();
            for _ in 0..100 {
                clock.advance(Duration::from_millis(10));
                reports = monitor.flush(WAIT).unwrap();
            }
            let name = format!("{}, {trouble}", case.name);
            let all: Vec<_> = reports.iter().filter(|one| one.left > 0).collect();
            assert!(all.iter().all(|one| one.held.is_some()), "{name}: {reports:?}");
            // Requests that succeed, and those whose events are not sent again, are not limited.
            let ends = trouble != "refused" && (!case.at_most_once.is_empty() || !case.may_drop.is_empty());
            let succeeds = trouble == "empty 200" && case.name != "rez";
            if !ends && !succeeds {
                let most = 2 * i64::try_from(case.routes.len()).unwrap();
                let seen = requests.load(Ordering::SeqCst);
                assert!((1..=most).contains(&seen), "{name}: {seen} requests");
                assert!(!all.is_empty(), "{name}: {reports:?}");
            }
            monitor.close(Duration::ZERO);
        }
    }
}

#[test]
fn a_dead_destination_does_not_delay_the_others() {
    for dead in CASES {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("app");
        let clock = clock();
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        // No server listens there any more.
        let nowhere = format!("http://127.0.0.1:{port}");
        let (silent, asked) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicI64::new(0)));
        let transport = Dead {
            inner: Reqwest::new(),
            url: nowhere.clone(),
            silent: Arc::clone(&silent),
            kept: Mutex::default(),
            asked: Arc::clone(&asked),
        };
        let mut config = (dead.add)(config(&folder, &clock).transport(transport), &nowhere);
        let alive: Vec<(&Case, VendorServer)> = CASES
            .iter()
            .filter(|case| case.name != dead.name)
            .map(|case| (case, VendorServer::start((case.vendor)())))
            .collect();
        for (case, server) in &alive {
            config = (case.add)(config, &server.url());
        }
        let monitor = open(config);
        // Ten minutes of refused connections, then a transport that never responds.
        for step in 0..40 {
            if step == 20 {
                assert!(asked.load(Ordering::SeqCst) > 1, "{} was tried", dead.name);
                silent.store(true, Ordering::SeqCst);
            }
            clock.advance(Duration::from_secs(20));
            let before = (clock.mono_ms(), Instant::now());
            let id = format!("T{step}");
            let money = monitor.revenue(Revenue { transaction_id: Some(&id), ..Revenue::new(9.5, "INR") });
            let error = monitor.error(ErrorEvent::new("PaymentError", "declined").fingerprint(&id));
            let (Outcome::Recorded(money), Outcome::Recorded(error)) = (money, error) else { panic!("refused") };
            // If a destination has two routes for it, one sends it at once.
            let keys = [id.clone(), money.to_string(), error.to_string(), error.simple()];
            for (case, server) in &alive {
                assert!(
                    server.wait_for_any(&keys, WAIT),
                    "{} did not get {step} while {} is dead",
                    case.name,
                    dead.name
                );
            }
            assert_eq!(clock.mono_ms(), before.0, "no time passed");
            wait_for_idle(&monitor, dead.name);
            // The other route sends after the minimum interval of immediate requests.
            clock.advance(Duration::from_secs(10));
            for (case, server) in alive.iter().filter(|(case, _)| case.name == "mixpanel") {
                assert!(
                    server.wait_for_any(&[money.to_string()], WAIT)
                        && server.wait_for_any(&[format!("\"{id}\" null")], WAIT),
                    "{}",
                    case.name
                );
            }
            assert!(before.1.elapsed() < Duration::from_secs(10), "{:?}", before.1.elapsed());
        }
        monitor.close(Duration::from_secs(1));
        let balance = balance(&folder);
        for (route, _) in dead.routes {
            assert_eq!(balance_of(&balance, route).delivered, 0);
        }
    }
}
