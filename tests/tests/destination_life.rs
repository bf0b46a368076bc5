//! Destinations are added, removed, dormant and stopped: what happens to the events that wait for them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use rez_monitor::destination::Rez;
use rez_monitor::inspect::{Reader, RouteBalance};
use rez_monitor::{Clock, Config, Consent, Flushed, From, Monitor, Outcome, Purpose};
use rez_monitor_tests::scenario::balance;
use rez_monitor_tests::vendor_server::{Behavior, Fault, VendorServer};
use rez_monitor_tests::vendors::RezRules;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

const WALL: i64 = 1_795_400_000_000;
const DAY: Duration = Duration::from_secs(86_400);
const WAIT: Duration = Duration::from_secs(30);

/// A folder, a clock, and two servers of the same kind.
struct Life {
    dir: tempfile::TempDir,
    clock: Clock,
    one: VendorServer,
    two: VendorServer,
}

impl Life {
    fn new() -> Life {
        let start = || VendorServer::start(Arc::new(RezRules));
        let dir = tempfile::tempdir().unwrap();
        Life { dir, clock: Clock::manual(WALL, 5_000), one: start(), two: start() }
    }

    fn folder(&self) -> PathBuf {
        self.dir.path().join("app")
    }

    fn one(&self) -> Rez {
        rez(&self.one.url(), "key-1")
    }

    fn two(&self) -> Rez {
        rez(&self.two.url(), "key-2")
    }

    /// Opens a run that declares these destinations.
    fn open(&self, destinations: Vec<(&str, Rez)>) -> Monitor {
        self.open_with(destinations, false)
    }

    fn open_with(&self, destinations: Vec<(&str, Rez)>, sessions: bool) -> Monitor {
        let mut config = Config::builder(self.folder(), "shop", "shop@1")
            .consent(Purpose::Monitoring, Consent::Granted)
            .consent(Purpose::Analytics, Consent::Granted)
            .sessions(sessions)
            .clock(self.clock.clone());
        for (name, destination) in destinations {
            config = config.destination(name, destination);
        }
        Monitor::open(config.build().unwrap()).unwrap()
    }
}

fn rez(url: &str, key: &str) -> Rez {
    Rez::builder(url, key).purposes(&Purpose::ALL).build().unwrap()
}

fn record(monitor: &Monitor, n: u64) {
    for at in 0..n {
        let outcome = monitor.track("n", &[("at", at.into())]);
        assert!(matches!(outcome, Outcome::Recorded(_)), "{outcome:?}");
    }
}

fn flush(monitor: &Monitor) -> Vec<Flushed> {
    monitor.flush(WAIT).unwrap()
}

/// The number of events stored by a server. No event may be stored twice.
fn stored_at(server: &VendorServer) -> usize {
    let mut keys: Vec<String> =
        server.log().into_iter().filter(|entry| entry.stored).flat_map(|entry| entry.keys).collect();
    let all = keys.len();
    keys.sort();
    keys.dedup();
    assert_eq!(keys.len(), all, "an event was stored twice");
    all
}

fn balance_of(folder: &Path, route: &str) -> RouteBalance {
    let balance = balance(folder);
    balance.routes.iter().find(|account| account.route == route).unwrap_or_else(|| panic!("no {route}")).clone()
}

fn rows(folder: &Path) -> u64 {
    Reader::open(folder).unwrap().overview().unwrap().rows
}

#[test]
fn an_added_destination_gets_stored_events_or_only_later_ones() {
    let life = Life::new();
    let monitor = life.open(vec![("one", life.one())]);
    life.one.set(Behavior::Always(503));
    record(&monitor, 10);
    flush(&monitor);
    monitor.add_destination("two", life.two(), From::Now).unwrap();
    flush(&monitor);
    record(&monitor, 5);
    flush(&monitor);
    assert_eq!(stored_at(&life.two), 5, "only later events");
    let third = VendorServer::start(Arc::new(RezRules));
    monitor.add_destination("three", rez(&third.url(), "key-3"), From::Oldest).unwrap();
    flush(&monitor);
    flush(&monitor);
    assert_eq!(stored_at(&third), 15, "every stored event");
    monitor.close(WAIT);
    assert_eq!(balance_of(&life.folder(), "one/rez.batch").delivered, 0);
}

#[test]
fn a_removed_destination_continues_if_it_returns_within_a_week() {
    let life = Life::new();
    let monitor = life.open(vec![("one", life.one()), ("two", life.two())]);
    record(&monitor, 10);
    flush(&monitor);
    assert_eq!((stored_at(&life.one), stored_at(&life.two)), (10, 10));
    monitor.remove_destination("two");
    record(&monitor, 7);
    flush(&monitor);
    assert_eq!((stored_at(&life.one), stored_at(&life.two)), (17, 10));
    assert!(monitor.status().routes.iter().all(|route| route.destination != "two"));
    life.clock.advance(6 * DAY);
    monitor.add_destination("two", life.two(), From::Now).unwrap();
    flush(&monitor);
    flush(&monitor);
    assert_eq!((stored_at(&life.one), stored_at(&life.two)), (17, 17));
    monitor.close(WAIT);
    assert_eq!(balance_of(&life.folder(), "two/rez.batch").delivered, 17);
}

#[test]
fn a_destination_that_a_later_run_does_not_declare_is_dormant_for_a_week_and_then_removed() {
    let life = Life::new();
    let monitor = life.open(vec![("one", life.one()), ("two", life.two())]);
    life.two.set(Behavior::Always(503));
    record(&monitor, 10);
    flush(&monitor);
    monitor.close(WAIT);
    life.two.set(Behavior::Normal);
    assert_eq!(rows(&life.folder()), 10);
    // It returns in time ...
    let monitor = life.open(vec![("one", life.one())]);
    record(&monitor, 1);
    flush(&monitor);
    assert_eq!(stored_at(&life.two), 0, "it is not declared");
    monitor.close(WAIT);
    life.clock.advance(6 * DAY);
    let monitor = life.open(vec![("one", life.one())]);
    monitor.add_destination("two", life.two(), From::Oldest).unwrap();
    flush(&monitor);
    flush(&monitor);
    assert_eq!(stored_at(&life.two), 11);
    monitor.close(WAIT);
    // ... or it does not.
    let monitor = life.open(vec![("one", life.one())]);
    record(&monitor, 4);
    flush(&monitor);
    monitor.close(WAIT);
    assert_eq!(rows(&life.folder()), 4);
    life.clock.advance(8 * DAY);
    let monitor = life.open(vec![("one", life.one())]);
    record(&monitor, 1);
    flush(&monitor);
    monitor.persist(WAIT).unwrap();
    monitor.close(WAIT);
    assert_eq!(rows(&life.folder()), 0, "only the dormant destination needed them");
    let all = balance(&life.folder());
    assert!(all.routes.iter().all(|account| !account.route.starts_with("two/")), "{all:#?}");
    assert_eq!(stored_at(&life.one), 16);
    // Declared again, it starts as a new destination.
    let monitor = life.open(vec![("one", life.one()), ("two", life.two())]);
    record(&monitor, 2);
    flush(&monitor);
    monitor.close(WAIT);
    assert_eq!((stored_at(&life.one), stored_at(&life.two)), (18, 13));
}

#[test]
fn a_wrong_key_stops_the_route_and_keeps_its_rows_and_a_new_key_starts_it_at_once() {
    let life = Life::new();
    let monitor = life.open(vec![("one", life.one()), ("two", life.two())]);
    life.two.set(Behavior::Always(401));
    record(&monitor, 10);
    let report = flush(&monitor);
    let two = report.iter().find(|flushed| flushed.destination == "two").unwrap();
    assert!(two.left == 10 && two.held.as_ref().unwrap().why.contains("write key was refused"), "{two:?}");
    assert!(monitor.status().routes.iter().any(|route| route.destination == "two" && route.stopped));
    let requests = life.two.log().len();
    record(&monitor, 10);
    flush(&monitor);
    assert_eq!(
        (stored_at(&life.one), life.two.log().len()),
        (20, requests),
        "no request to the stopped one, the other continues"
    );
    monitor.close(WAIT);
    // The same key in the next run: one probe, no more.
    let monitor = life.open(vec![("one", life.one()), ("two", life.two())]);
    flush(&monitor);
    assert!(life.two.log().len() <= requests + 1);
    monitor.close(WAIT);
    life.two.set(Behavior::Normal);
    let monitor = life.open(vec![("one", life.one()), ("two", rez(&life.two.url(), "the-right-key"))]);
    flush(&monitor);
    flush(&monitor);
    assert_eq!(stored_at(&life.two), 20);
    monitor.close(WAIT);
    let account = balance_of(&life.folder(), "two/rez.batch");
    assert_eq!((account.delivered, account.dropped.len(), account.dead), (20, 0, 0), "{account:?}");
}

#[test]
fn events_recorded_before_any_destination_is_declared_wait_for_the_first() {
    let life = Life::new();
    let monitor = life.open(Vec::new());
    record(&monitor, 12);
    monitor.close(WAIT);
    let monitor = life.open(Vec::new());
    record(&monitor, 3);
    monitor.add_destination("one", life.one(), From::Oldest).unwrap();
    flush(&monitor);
    flush(&monitor);
    assert_eq!(stored_at(&life.one), 15);
    monitor.close(WAIT);
    assert_eq!(rows(&life.folder()), 0);
}

#[test]
fn a_close_sends_the_end_of_the_session() {
    let life = Life::new();
    let monitor = life.open_with(vec![("one", life.one())], true);
    record(&monitor, 3);
    flush(&monitor);
    let before = stored_at(&life.one);
    monitor.close(WAIT);
    assert_eq!(stored_at(&life.one), before + 1, "the end of the session");
    let account = balance_of(&life.folder(), "one/rez.batch");
    assert_eq!((account.queued, account.in_flight, account.delivered), (0, 0, before as u64 + 1), "{account:?}");
}

#[test]
fn a_close_that_cannot_send_the_end_of_the_session_leaves_it_for_the_next_run() {
    for (wait, behavior) in [(Duration::ZERO, Behavior::Normal), (WAIT, Behavior::Always(503))] {
        let life = Life::new();
        let monitor = life.open_with(vec![("one", life.one())], true);
        flush(&monitor);
        let before = stored_at(&life.one);
        life.one.set(behavior);
        monitor.close(wait);
        assert_eq!(stored_at(&life.one), before);
        life.one.set(Behavior::Normal);
        let monitor = life.open(vec![("one", life.one())]);
        // After a close without a wait, the writer of the first run may still hold the folder.
        let end = Instant::now() + WAIT;
        while stored_at(&life.one) == before {
            assert!(Instant::now() < end, "the end of the session is not sent");
            life.clock.advance(Duration::from_secs(10));
            if monitor.flush(WAIT).is_err() {
                std::thread::sleep(Duration::from_millis(5));
            }
        }
        monitor.close(WAIT);
        assert_eq!(stored_at(&life.one), before + 1);
        let account = balance_of(&life.folder(), "one/rez.batch");
        assert_eq!((account.queued, account.in_flight, account.delivered), (0, 0, before as u64 + 1), "{account:?}");
    }
}

#[test]
fn a_close_never_takes_longer_than_its_wait_even_if_the_server_hangs() {
    let life = Life::new();
    let monitor = life.open_with(vec![("one", life.one())], true);
    flush(&monitor);
    life.one.set(Behavior::Each(Fault::Hang));
    let (wait, start) = (Duration::from_secs(2), Instant::now());
    monitor.close(wait);
    let took = start.elapsed();
    life.one.release();
    // The margin is for the thread to be scheduled on a busy machine.
    assert!(took < wait + Duration::from_secs(1), "{took:?}");
}
