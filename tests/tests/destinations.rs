//! Each destination against a stand-in of its vendor: real engine, real transport, faults in every third answer.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use rez_monitor::destination::{Datadog, Ga4, Mixpanel, Otlp, OtlpEncoding, Rez, Sentry};
use rez_monitor::inspect::{Balance, Reader, RouteBalance};
use rez_monitor::transport::{Completion, Request, Reqwest, Transport};
use rez_monitor::{
    Clock, Config, ConfigBuilder, Consent, ErrorEvent, Flushed, From, Monitor, Outcome, Purpose, Revenue,
};
use rez_monitor_tests::seeded::Seeded;
use rez_monitor_tests::standin::{Entry, Fault, Mood, StandIn};
use rez_monitor_tests::story;
use rez_monitor_tests::vendors::{DatadogLines, Ga4Rules, MixpanelRules, OtlpLines, RezRules, SentryLines, Vendor};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

const WALL: i64 = 1_795_400_000_000;
const EVENTS: u64 = 2_000;
/// Events between two flushes: enough requests for many faults.
const PORTION: u64 = 40;
const WAIT: Duration = Duration::from_secs(30);

/// A destination under test: how to make it for an address, its vendor, and what the story holds for each route.
struct Case {
    name: &'static str,
    vendor: fn() -> Arc<dyn Vendor>,
    add: fn(ConfigBuilder, &str) -> ConfigBuilder,
    /// Route and, of each chapter of the story, how many events it wants.
    routes: &'static [(&'static str, u64)],
    /// Routes whose vendor cannot tell a second copy.
    at_most_once: &'static [&'static str],
    /// An answer whose body ends early settles all the same.
    cut_settles: bool,
    /// Each event of the story is one key of the vendor.
    exact: bool,
    /// Reasons under which the vendor's rules let an event be given up after a fault.
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
        cut_settles: false,
        exact: true,
        // Sentry forbids to send again what was rate limited, and what is not critical after a 5xx.
        may_drop: &["rate_limited", "rejected"],
    },
    Case {
        name: "datadog",
        vendor: || Arc::new(DatadogLines),
        add: |config, url| config.destination("datadog", datadog(url)),
        routes: &[("datadog.rum", 8), ("datadog.logs", 3)],
        at_most_once: &[],
        cut_settles: false,
        exact: false,
        may_drop: &[],
    },
    Case {
        name: "otlp",
        vendor: || Arc::new(OtlpLines),
        add: |config, url| config.destination("otlp", otlp(url)),
        routes: &[("otlp.logs", 5), ("otlp.traces", 4), ("otlp.metrics", 2)],
        at_most_once: &[],
        cut_settles: false,
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

/// Moves the clock over requests that hang, as time itself would.
struct Impatience {
    over: Arc<AtomicBool>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Impatience {
    fn with(clock: &Clock, server: &Arc<StandIn>) -> Impatience {
        let over = Arc::new(AtomicBool::new(false));
        let (ended, clock, server) = (Arc::clone(&over), clock.clone(), Arc::clone(server));
        let thread = std::thread::spawn(move || {
            while !ended.load(Ordering::SeqCst) {
                let asked = server.log().len();
                if server.hanging() > 0 {
                    // Every other request is through by then.
                    std::thread::sleep(Duration::from_millis(30));
                    if server.log().len() != asked {
                        continue;
                    }
                    clock.advance(Duration::from_secs(31));
                    // The engine looks at a clock that is moved by hand every few milliseconds.
                    std::thread::sleep(Duration::from_millis(40));
                    server.release();
                }
                std::thread::sleep(Duration::from_millis(2));
            }
        });
        Impatience { over, thread: Some(thread) }
    }
}

impl Drop for Impatience {
    fn drop(&mut self) {
        self.over.store(true, Ordering::SeqCst);
        self.thread.take().map(|thread| thread.join());
    }
}

/// Waits until nothing is under way but on these routes: a clock that is moved under a request runs out on it.
fn quiet(monitor: &Monitor, but: &str) {
    let end = Instant::now() + WAIT;
    // The engine looks at a clock that is moved by hand every few milliseconds.
    std::thread::sleep(Duration::from_millis(12));
    while monitor.status().routes.iter().any(|route| route.in_flight && route.destination != but) {
        assert!(Instant::now() < end, "{:?}", monitor.status().routes);
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// Flushes, and moves the clock to the end of each wait, until nothing is left or `most` rounds are over.
fn drain(monitor: &Monitor, clock: &Clock, most: usize) -> Vec<Flushed> {
    let mut report = Vec::new();
    for _ in 0..most {
        report = monitor.flush(WAIT).unwrap();
        if report.iter().all(|one| one.left == 0) {
            break;
        }
        let until = report.iter().filter_map(|one| one.held.as_ref()?.until_ms).min();
        quiet(monitor, "");
        let wait = until.map_or(1_000, |until| (until - clock.wall_ms()).clamp(1, 3_600_000));
        clock.advance(Duration::from_millis(wait.unsigned_abs()));
    }
    report
}

fn balance(folder: &Path) -> Balance {
    let balance = Reader::open(folder).unwrap().balance().unwrap();
    assert!(balance.holds(), "{balance:#?}");
    balance
}

fn account<'a>(balance: &'a Balance, route: &str) -> &'a RouteBalance {
    let named = |account: &&RouteBalance| account.route.rsplit('/').next() == Some(route);
    balance.routes.iter().find(named).unwrap_or_else(|| panic!("no {route} in {balance:#?}"))
}

fn entries<'a>(log: &'a [Entry], route: &'a str) -> impl Iterator<Item = &'a Entry> {
    log.iter().filter(move |entry| entry.route == route)
}

/// Whether the engine may send these events again after this: it knows that they were not taken.
fn refused(entry: &Entry) -> bool {
    matches!(entry.fault, Some(Fault::Status(429 | 503, _)))
}

/// 2,000 events with a fault in every third answer; then what each side has must agree.
fn storm(case: &Case) {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("app");
    let server = Arc::new(StandIn::start((case.vendor)()));
    server.set(Mood::EveryThird(Seeded::of(case.name, 20_261_123)));
    let clock = clock();
    let impatience = Impatience::with(&clock, &server);
    let monitor = open((case.add)(config(&folder, &clock), &server.url()));
    for n in 0..EVENTS {
        story::people(&monitor, n, EVENTS);
        recorded(story::event(&monitor, n));
        if n % PORTION == PORTION - 1 {
            drain(&monitor, &clock, 1);
        }
    }
    let left = drain(&monitor, &clock, 2_000);
    assert!(left.iter().all(|one| one.left == 0), "{}: {left:?}", case.name);
    monitor.close(WAIT);
    drop(impatience);
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
        check(case, route, share * EVENTS / story::CHAPTER, account(&balance, route), &log);
    }
}

fn check(case: &Case, route: &str, wanted: u64, account: &RouteBalance, log: &[Entry]) {
    let said = |what: &str| format!("{route}: {what}: {account:?}");
    assert_eq!(account.stored, EVENTS, "{}", said("rows"));
    assert_eq!(account.stored - account.unwanted, wanted, "{}", said("wanted"));
    assert_eq!((account.queued, account.in_flight, account.dead), (0, 0, 0), "{}", said("left"));
    let ambiguous = account.dropped.get("ambiguous").copied().unwrap_or(0);
    let once = case.at_most_once.contains(&route);
    let allowed = |reason: &str| case.may_drop.contains(&reason) || (once && reason == "ambiguous");
    assert!(account.dropped.keys().all(|reason| allowed(reason)), "{}", said("given up"));
    let mut sent: HashMap<&str, Vec<&Entry>> = HashMap::new();
    for entry in entries(log, route) {
        entry.keys.iter().for_each(|key| sent.entry(key).or_default().push(entry));
    }
    let stored: BTreeSet<&str> =
        sent.iter().filter(|(_, entries)| entries.iter().any(|entry| entry.stored)).map(|(key, _)| *key).collect();
    let dropped: u64 = account.dropped.values().sum();
    assert_eq!(account.delivered + dropped, wanted, "{}", said("each event has an end"));
    if case.exact {
        assert_eq!(sent.len() as u64, wanted, "{}: keys sent", said("each event went out"));
        // Each event counts once to a vendor that knows a second copy; to one that does not, none was sent twice.
        assert!(stored.len() as u64 >= account.delivered, "{}: {} are there", said("delivered"), stored.len());
        assert!(stored.len() as u64 <= account.delivered + dropped, "{}: {} are there", said("no more"), stored.len());
    }
    if once {
        for (key, entries) in &sent {
            let (last, before) = entries.split_last().unwrap();
            assert!(before.iter().all(|entry| refused(entry)), "{route}: {key} was sent again after {before:?}");
            assert!(!refused(last), "{route}: {key} was refused and never sent again");
        }
        let unknown = |entry: &&Entry| match &entry.fault {
            None => false,
            Some(Fault::Cut) => !case.cut_settles,
            Some(_) => !refused(entry),
        };
        let lost: u64 = entries(log, route).filter(unknown).map(|entry| entry.keys.len() as u64).sum();
        assert_eq!(ambiguous, lost, "{}", said("each event whose fate is unknown is counted"));
        assert!(ambiguous > 0, "{}", said("the storm hit it"));
    } else {
        if dropped == 0 {
            assert_eq!(stored.len(), sent.len(), "{}", said("all are there"));
        }
        let twice = sent.values().filter(|entries| entries.iter().filter(|entry| entry.stored).count() > 1).count();
        println!("{route}: {twice} of {wanted} reached the server more than once, under the same key");
    }
}

#[test]
fn rez_keeps_its_accounts_in_a_storm() {
    storm(&CASES[0]);
}

#[test]
fn mixpanel_keeps_its_accounts_in_a_storm() {
    storm(&CASES[1]);
}

#[test]
fn ga4_keeps_its_accounts_in_a_storm() {
    storm(&CASES[2]);
}

#[test]
fn sentry_keeps_its_accounts_in_a_storm() {
    storm(&CASES[3]);
}

#[test]
fn datadog_keeps_its_accounts_in_a_storm() {
    storm(&CASES[4]);
}

#[test]
fn otlp_keeps_its_accounts_in_a_storm() {
    storm(&CASES[5]);
}

#[test]
fn a_server_that_refuses_everything_loses_nothing() {
    for case in CASES {
        for status in [301, 401, 403, 404] {
            refusal(case, status);
        }
        // What a vendor forbids to send again is given up after these, and counted.
        if case.may_drop.is_empty() {
            refusal(case, 429);
            refusal(case, 503);
        }
        // The same holds, where nothing may be repeated, for a request that can never be right.
        if case.may_drop.is_empty() && case.at_most_once.is_empty() {
            refusal(case, 400);
            refusal(case, 500);
        }
    }
}

fn refusal(case: &Case, status: u16) {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("app");
    let server = Arc::new(StandIn::start((case.vendor)()));
    server.set(Mood::Always(status));
    let clock = clock();
    let monitor = open((case.add)(config(&folder, &clock), &server.url()));
    for n in 0..100 {
        recorded(story::event(&monitor, n));
    }
    // As long as an afternoon.
    for _ in 0..8 {
        let _ = monitor.flush(WAIT).unwrap();
        quiet(&monitor, "");
        clock.advance(Duration::from_secs(1_800));
    }
    let asked = server.log().len();
    assert!(asked > 0, "{} {status}", case.name);
    server.set(Mood::Good);
    // A stopped route is probed at the latest a day later.
    let left = drain(&monitor, &clock, 200);
    monitor.close(WAIT);
    assert!(left.iter().all(|one| one.left == 0), "{} {status}: {left:?}", case.name);
    let balance = balance(&folder);
    for (route, share) in case.routes {
        let account = account(&balance, route);
        assert_eq!(account.delivered, share * 100 / story::CHAPTER, "{} {status}: {account:?}", case.name);
        assert!(account.dropped.is_empty() && account.dead == 0, "{} {status}: {account:?}", case.name);
    }
}

#[test]
fn events_that_one_request_cannot_hold_go_in_several_and_old_ones_are_booked() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("app");
    let case = &CASES[2];
    let server = Arc::new(StandIn::start((case.vendor)()));
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
        story::people(&monitor, n, 100);
        recorded(monitor.track("new", &[("serial", n.into())]));
    }
    monitor.add_destination("ga4", ga4(&server.url()), From::Oldest).unwrap();
    let left = drain(&monitor, &clock, 50);
    assert!(left.iter().all(|one| one.left == 0), "{left:?}");
    monitor.close(WAIT);
    assert_eq!(server.problems(), Vec::<String>::new());
    let log = server.log();
    // 15 of nobody, 25 of u-1, 25 of somebody new, 25 of u-2.
    let sizes: Vec<usize> = log.iter().map(|entry| entry.keys.len()).collect();
    assert_eq!(sizes, [15, 25, 25, 25]);
    let account = account(&balance(&folder), "ga4.collect").clone();
    assert_eq!((account.delivered, account.dropped.get("expired")), (90, Some(&10)), "{account:?}");
}

/// Sends through reqwest, but not to one address: refuses it, or never answers.
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

#[test]
fn a_dead_destination_delays_the_others_by_nothing() {
    for dead in CASES {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("app");
        let clock = clock();
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        // Nobody listens there any more.
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
        let alive: Vec<(&Case, StandIn)> = CASES
            .iter()
            .filter(|case| case.name != dead.name)
            .map(|case| (case, StandIn::start((case.vendor)())))
            .collect();
        for (case, server) in &alive {
            config = (case.add)(config, &server.url());
        }
        let monitor = open(config);
        // Ten minutes of refused connections, then a transport that never answers.
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
            // Of a destination with two routes for it, one gets it at once.
            let keys = [id.clone(), money.to_string(), error.to_string(), error.simple()];
            for (case, server) in &alive {
                assert!(server.has(&keys, WAIT), "{} did not get {step} while {} is dead", case.name, dead.name);
            }
            assert_eq!(clock.mono_ms(), before.0, "no time passed");
            quiet(&monitor, dead.name);
            // The other route sends at the end of the spacing between immediate requests.
            clock.advance(Duration::from_secs(10));
            for (case, server) in alive.iter().filter(|(case, _)| case.name == "mixpanel") {
                assert!(
                    server.has(&[money.to_string()], WAIT) && server.has(&[format!("\"{id}\" null")], WAIT),
                    "{}",
                    case.name
                );
            }
            assert!(before.1.elapsed() < Duration::from_secs(10), "{:?}", before.1.elapsed());
        }
        monitor.close(Duration::from_secs(1));
        let balance = balance(&folder);
        for (route, _) in dead.routes {
            assert_eq!(account(&balance, route).delivered, 0);
        }
    }
}
