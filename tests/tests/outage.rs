//! A small queue during an outage: metrics of a request that waits for the server are evicted before errors, and what is
//! left arrives once.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use rez_monitor::destination::Rez;
use rez_monitor::inspect::Reader;
use rez_monitor::transport::{Completion, Request, Reqwest, Sent, Transport};
use rez_monitor::{Clock, Config, Consent, ErrorEvent, Metric, Monitor, Outcome, Purpose};
use rez_monitor_tests::disk::SmallDisk;
use rez_monitor_tests::scenario::balance;
use rez_monitor_tests::skipped;
use rez_monitor_tests::vendor_server::{Behavior, Fault, VendorServer};
use rez_monitor_tests::vendors::RezRules;
use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

const METRICS: u64 = 450;
const ERRORS: u64 = 3_000;
const WAIT: Duration = Duration::from_secs(30);

/// Sends through reqwest, or, without a network, sends no byte.
struct Network {
    inner: Reqwest,
    online: Arc<AtomicBool>,
    attempts: Arc<AtomicU64>,
}

impl Transport for Network {
    fn send(&self, request: Request, done: Completion) {
        self.attempts.fetch_add(1, Ordering::SeqCst);
        if self.online.load(Ordering::SeqCst) {
            return self.inner.send(request, done);
        }
        done.finish(Sent::NotSent("no network".into()));
    }
}

struct App {
    monitor: Monitor,
    clock: Clock,
    server: VendorServer,
    online: Arc<AtomicBool>,
    attempts: Arc<AtomicU64>,
}

impl App {
    fn start(folder: &Path, cap_bytes: u64) -> App {
        let server = VendorServer::start(Arc::new(RezRules));
        let (online, attempts) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let clock = Clock::manual(1_795_400_000_000, 5_000);
        let transport = Network { inner: Reqwest::new(), online: Arc::clone(&online), attempts: Arc::clone(&attempts) };
        let rez = Rez::builder(server.url(), "wk_1").purposes(&Purpose::ALL).build().unwrap();
        let config = Config::builder(folder, "shop", "shop@1.4.0")
            .consent(Purpose::Monitoring, Consent::Granted)
            .sessions(false)
            .cap_bytes(cap_bytes)
            .clock(clock.clone())
            .transport(transport)
            .destination("rez", rez);
        let monitor = Monitor::open(config.build().unwrap()).unwrap();
        App { monitor, clock, server, online, attempts }
    }

    fn metrics(&self) {
        for n in 0..METRICS {
            recorded(self.monitor.metric(&format!("cart.size.{n}.{}", "x".repeat(60)), Metric::Counter(1.0)));
        }
        self.flush();
    }

    /// Records errors, each with a text of its own and about 400 bytes long.
    fn errors(&self, numbers: std::ops::Range<u64>) {
        for n in numbers {
            let text = format!("payment {n} declined {}", "x".repeat(300));
            recorded(self.monitor.error(ErrorEvent::new("PaymentError", &text).fingerprint(&n.to_string())));
        }
    }

    /// Stores what was recorded, and makes one attempt to send it.
    fn flush(&self) {
        self.clock.advance(Duration::from_secs(6));
        self.monitor.flush(WAIT).unwrap();
    }

    /// Ends the outage and waits until the queue is empty.
    fn deliver(&self) {
        self.online.store(true, Ordering::SeqCst);
        self.server.set(Behavior::Normal);
        let end = Instant::now() + WAIT;
        loop {
            let report = self.monitor.flush(WAIT).unwrap();
            if report.iter().all(|one| one.left == 0) {
                return;
            }
            assert!(Instant::now() < end, "{report:?}");
            self.clock.advance(Duration::from_secs(60));
        }
    }
}

fn recorded(outcome: Outcome) {
    assert!(matches!(outcome, Outcome::Recorded(_)), "{outcome:?}");
}

/// Stored errors, and stored rows of the lanes that are given up first.
fn stored(folder: &Path) -> (u64, u64) {
    let lanes = Reader::open(folder).unwrap().overview().unwrap().lanes;
    (lanes[1], lanes[2] + lanes[3])
}

/// Every event was delivered once or counted under `reason`.
fn check_all_accounted(app: &App, folder: &Path, events: u64, reason: &str) -> u64 {
    let keys: Vec<String> =
        app.server.log().iter().filter(|entry| entry.stored).flat_map(|entry| entry.keys.clone()).collect();
    assert_eq!(keys.iter().collect::<HashSet<_>>().len(), keys.len(), "an event arrived twice");
    let account = balance(folder).routes.into_iter().find(|route| route.route == "rez/rez.batch").unwrap();
    let given_up = account.dropped.get(reason).copied().unwrap_or(0);
    assert_eq!((account.delivered, account.queued + account.in_flight), (keys.len() as u64, 0), "{account:?}");
    assert_eq!((account.delivered + given_up, account.dropped.len()), (events, 1), "{account:?}");
    given_up
}

#[test]
fn no_error_is_evicted_while_metrics_of_a_waiting_request_are_left_and_what_is_left_arrives_once() {
    for trouble in ["no network", "503", "closed connections"] {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("app");
        let app = App::start(&folder, 1 << 20);
        app.online.store(trouble != "no network", Ordering::SeqCst);
        match trouble {
            "503" => app.server.set(Behavior::Always(503)),
            "closed connections" => app.server.set(Behavior::Each(Fault::Reset)),
            _ => {}
        }
        app.metrics();
        assert!(app.attempts.load(Ordering::SeqCst) > 0, "{trouble}");
        assert_eq!(stored(&folder), (0, METRICS), "{trouble}");
        for portion in 0..ERRORS / 50 {
            app.errors(portion * 50..(portion + 1) * 50);
            app.flush();
            let (errors, metrics) = stored(&folder);
            let all = (portion + 1) * 50;
            assert!(errors == all || metrics == 0, "{trouble}: {errors} of {all} errors, {metrics} metrics");
        }
        app.deliver();
        app.monitor.clone().close(WAIT);
        let evicted = check_all_accounted(&app, &folder, METRICS + ERRORS, "evicted_bytes");
        // The queue is smaller than the errors alone, and as many of them as fit are delivered.
        assert!(evicted > METRICS && evicted < 2_300, "{trouble}: {evicted}");
    }
}

#[test]
fn on_a_full_disk_metrics_of_a_waiting_request_are_given_up_before_errors() {
    let dir = tempfile::tempdir().unwrap();
    let Some(mut disk) = SmallDisk::mount(&dir.path().join("disk"), "4m") else {
        return skipped("full disk", "no small file system can be mounted here");
    };
    let folder = disk.path().join("app");
    let app = App::start(&folder, 20 << 20);
    app.metrics();
    disk.fill();
    for portion in 0..40 {
        app.errors(portion * 10..(portion + 1) * 10);
        app.flush();
        // Some errors may still be in the ring.
        let overview = Reader::open(&folder).unwrap().overview().unwrap();
        let metrics = overview.lanes[2] + overview.lanes[3];
        let given_up: u64 = overview.balance.routes.iter().flat_map(|route| route.dropped.values()).sum();
        assert!(metrics == 0 || given_up + metrics == METRICS, "{given_up} given up, {metrics} metrics left");
    }
    app.deliver();
    app.monitor.clone().close(WAIT);
    let given_up = check_all_accounted(&app, &folder, METRICS + 400, "disk_full");
    assert!(given_up < METRICS + 400, "errors took the place of the metrics");
}
