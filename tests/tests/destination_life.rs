//! Destinations come, go, sleep and stop: what becomes of the events that wait for them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use rez_monitor::destination::Rez;
use rez_monitor::inspect::{Balance, Reader, RouteBalance};
use rez_monitor::{Clock, Config, Consent, Flushed, From, Monitor, Outcome, Purpose};
use rez_monitor_tests::standin::{Mood, StandIn};
use rez_monitor_tests::vendors::RezRules;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

const WALL: i64 = 1_795_400_000_000;
const DAY: Duration = Duration::from_secs(86_400);
const WAIT: Duration = Duration::from_secs(30);

/// A folder, a clock, and two servers of the same kind.
struct Life {
    dir: tempfile::TempDir,
    clock: Clock,
    one: StandIn,
    two: StandIn,
}

impl Life {
    fn new() -> Life {
        let start = || StandIn::start(Arc::new(RezRules));
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

    /// A run that declares these.
    fn open(&self, destinations: Vec<(&str, Rez)>) -> Monitor {
        let mut config = Config::builder(self.folder(), "shop", "shop@1")
            .consent(Purpose::Monitoring, Consent::Granted)
            .consent(Purpose::Analytics, Consent::Granted)
            .sessions(false)
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

/// So many different events are at a server, and none came twice.
fn at(server: &StandIn) -> usize {
    let mut keys: Vec<String> =
        server.log().into_iter().filter(|entry| entry.stored).flat_map(|entry| entry.keys).collect();
    let all = keys.len();
    keys.sort();
    keys.dedup();
    assert_eq!(keys.len(), all, "an event came twice");
    all
}

fn balance(folder: &Path) -> Balance {
    let balance = Reader::open(folder).unwrap().balance().unwrap();
    assert!(balance.holds(), "{balance:#?}");
    balance
}

fn account(folder: &Path, route: &str) -> RouteBalance {
    let balance = balance(folder);
    balance.routes.iter().find(|account| account.route == route).unwrap_or_else(|| panic!("no {route}")).clone()
}

fn rows(folder: &Path) -> u64 {
    Reader::open(folder).unwrap().overview().unwrap().rows
}

#[test]
fn one_that_is_added_gets_what_is_stored_or_only_what_comes() {
    let life = Life::new();
    let monitor = life.open(vec![("one", life.one())]);
    life.one.set(Mood::Always(503));
    record(&monitor, 10);
    flush(&monitor);
    monitor.add_destination("two", life.two(), From::Now).unwrap();
    flush(&monitor);
    record(&monitor, 5);
    flush(&monitor);
    assert_eq!(at(&life.two), 5, "only what came later");
    let third = StandIn::start(Arc::new(RezRules));
    monitor.add_destination("three", rez(&third.url(), "key-3"), From::Oldest).unwrap();
    flush(&monitor);
    flush(&monitor);
    assert_eq!(at(&third), 15, "everything still stored");
    monitor.close(WAIT);
    assert_eq!(account(&life.folder(), "one/rez.batch").delivered, 0);
}

#[test]
fn one_that_is_removed_goes_on_where_it_was_when_it_comes_back_within_a_week() {
    let life = Life::new();
    let monitor = life.open(vec![("one", life.one()), ("two", life.two())]);
    record(&monitor, 10);
    flush(&monitor);
    assert_eq!((at(&life.one), at(&life.two)), (10, 10));
    monitor.remove_destination("two");
    record(&monitor, 7);
    flush(&monitor);
    assert_eq!((at(&life.one), at(&life.two)), (17, 10));
    assert!(monitor.status().routes.iter().all(|route| route.destination != "two"));
    life.clock.advance(6 * DAY);
    monitor.add_destination("two", life.two(), From::Now).unwrap();
    flush(&monitor);
    flush(&monitor);
    assert_eq!((at(&life.one), at(&life.two)), (17, 17));
    monitor.close(WAIT);
    assert_eq!(account(&life.folder(), "two/rez.batch").delivered, 17);
}

#[test]
fn one_that_a_later_run_does_not_name_sleeps_a_week_and_is_then_booked() {
    let life = Life::new();
    let monitor = life.open(vec![("one", life.one()), ("two", life.two())]);
    life.two.set(Mood::Always(503));
    record(&monitor, 10);
    flush(&monitor);
    monitor.close(WAIT);
    life.two.set(Mood::Good);
    assert_eq!(rows(&life.folder()), 10);
    // It comes back in time ...
    let monitor = life.open(vec![("one", life.one())]);
    record(&monitor, 1);
    flush(&monitor);
    assert_eq!(at(&life.two), 0, "nobody named it");
    monitor.close(WAIT);
    life.clock.advance(6 * DAY);
    let monitor = life.open(vec![("one", life.one())]);
    monitor.add_destination("two", life.two(), From::Oldest).unwrap();
    flush(&monitor);
    flush(&monitor);
    assert_eq!(at(&life.two), 11);
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
    assert_eq!(rows(&life.folder()), 0, "only the sleeper held them");
    let all = balance(&life.folder());
    assert!(all.routes.iter().all(|account| !account.route.starts_with("two/")), "{all:#?}");
    assert_eq!(at(&life.one), 16);
    // Known again, it begins anew.
    let monitor = life.open(vec![("one", life.one()), ("two", life.two())]);
    record(&monitor, 2);
    flush(&monitor);
    monitor.close(WAIT);
    assert_eq!((at(&life.one), at(&life.two)), (18, 13));
}

#[test]
fn a_wrong_key_stops_one_route_keeps_its_rows_and_the_right_one_starts_it_at_once() {
    let life = Life::new();
    let monitor = life.open(vec![("one", life.one()), ("two", life.two())]);
    life.two.set(Mood::Always(401));
    record(&monitor, 10);
    let report = flush(&monitor);
    let two = report.iter().find(|flushed| flushed.destination == "two").unwrap();
    assert!(two.left == 10 && two.held.as_ref().unwrap().why.contains("write key was refused"), "{two:?}");
    assert!(monitor.status().routes.iter().any(|route| route.destination == "two" && route.stopped));
    let asked = life.two.log().len();
    record(&monitor, 10);
    flush(&monitor);
    assert_eq!((at(&life.one), life.two.log().len()), (20, asked), "it is not asked again, the other goes on");
    monitor.close(WAIT);
    // The same key in the next run: one probe, no more.
    let monitor = life.open(vec![("one", life.one()), ("two", life.two())]);
    flush(&monitor);
    assert!(life.two.log().len() <= asked + 1);
    monitor.close(WAIT);
    life.two.set(Mood::Good);
    let monitor = life.open(vec![("one", life.one()), ("two", rez(&life.two.url(), "the-right-key"))]);
    flush(&monitor);
    flush(&monitor);
    assert_eq!(at(&life.two), 20);
    monitor.close(WAIT);
    let account = account(&life.folder(), "two/rez.batch");
    assert_eq!((account.delivered, account.dropped.len(), account.dead), (20, 0, 0), "{account:?}");
}

#[test]
fn what_was_recorded_before_any_destination_was_known_waits_for_the_first() {
    let life = Life::new();
    let monitor = life.open(Vec::new());
    record(&monitor, 12);
    monitor.close(WAIT);
    let monitor = life.open(Vec::new());
    record(&monitor, 3);
    monitor.add_destination("one", life.one(), From::Oldest).unwrap();
    flush(&monitor);
    flush(&monitor);
    assert_eq!(at(&life.one), 15);
    monitor.close(WAIT);
    assert_eq!(rows(&life.folder()), 0);
}
