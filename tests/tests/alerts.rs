//! Alerts from the call to the pager: the collapse, kills, outages and answers of Slack and PagerDuty.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use rez_monitor::destination::{PagerDuty, Slack};
use rez_monitor::inspect::Reader;
use rez_monitor::{Alert, AlertSeverity, Clock, Config, Consent, EventId, Monitor, Outcome, Purpose, Value};
use rez_monitor_tests::child_process::ChildProcess;
use rez_monitor_tests::scenario::{Scenario, balance, dropped, rows};
use rez_monitor_tests::vendor_server::{Behavior, Fault, VendorServer};
use rez_monitor_tests::vendors::{PagerDutyRules, SlackRules};
use serde_json::{Value as Json, json};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

const CHILD: &str = env!("CARGO_BIN_EXE_child");
const WALL: i64 = 1_795_400_000_000;
const WAIT: Duration = Duration::from_secs(60);
const WINDOW: Duration = Duration::from_secs(300);
const WEBHOOK: &str = "/services/T0/B0/s3cret";
const ROUTING_KEY: &str = "0123456789abcdef0123456789abcdef";

/// Both vendors.
struct Vendors {
    slack: VendorServer,
    pagerduty: VendorServer,
}

impl Vendors {
    fn start() -> Vendors {
        Vendors {
            slack: VendorServer::start(Arc::new(SlackRules { path: WEBHOOK.into() })),
            pagerduty: VendorServer::start(Arc::new(PagerDutyRules { routing_key: ROUTING_KEY.into() })),
        }
    }

    /// The arguments of a child that sends to them.
    fn args(&self) -> String {
        format!("url=none slack={} pagerduty={}", self.slack.url(), self.pagerduty.url())
    }

    /// What Slack shows, and the keys of PagerDuty's alerts. No request broke a rule.
    fn shown(&self) -> (Vec<String>, Vec<String>) {
        let stored = |server: &VendorServer| -> Vec<String> {
            assert_eq!(server.problems(), Vec::<String>::new());
            server.log().into_iter().filter(|entry| entry.stored).flat_map(|entry| entry.keys).collect()
        };
        // PagerDuty makes one alert of events with one key.
        let mut keys = stored(&self.pagerduty);
        keys.dedup();
        (stored(&self.slack), keys)
    }
}

fn open(folder: &Path, clock: &Clock, vendors: &Vendors) -> Monitor {
    let slack = Slack::builder(format!("{}{WEBHOOK}", vendors.slack.url())).build().unwrap();
    let pagerduty = PagerDuty::builder(ROUTING_KEY).endpoint(vendors.pagerduty.url()).build().unwrap();
    let config = Config::builder(folder, "shop-api", "shop-api@1")
        .consent(Purpose::Monitoring, Consent::Granted)
        .clock(clock.clone())
        .sessions(false)
        .destination("slack", slack)
        .destination("pagerduty", pagerduty);
    Monitor::open(config.build().unwrap()).unwrap()
}

fn recorded(outcome: Outcome) -> EventId {
    outcome.id().unwrap_or_else(|| panic!("{outcome:?}"))
}

fn critical(monitor: &Monitor, title: &str) -> EventId {
    recorded(monitor.alert(Alert::new(AlertSeverity::Critical, title)))
}

/// What the inspector says of an event, by destination.
fn why(folder: &Path, id: EventId) -> Json {
    let asked = Reader::open(folder).unwrap().inspect(&json!({"ask": "why", "id": id.to_string()}).to_string());
    serde_json::from_str(&asked.unwrap()).unwrap()
}

#[test]
fn after_a_kill_right_behind_the_call_both_have_the_alert_once() {
    for first in ["suspended=1", "end=persist"] {
        let (scenario, vendors) = (Scenario::new(CHILD), Vendors::start());
        // In the ring alone, or stored and not sent yet.
        let child = ChildProcess::start(CHILD, &scenario.args("alerts", &format!("{first} n=5 url=none")), None);
        child.until("the alert", |output| output.done());
        let recorded = child.kill().recorded;
        assert_eq!(recorded.len(), 5);
        for n in [0, 3, 0] {
            // The server raises the same alerts again at its next start.
            let args = scenario.args("alerts", &format!("n={n} end=flush {}", vendors.args()));
            let (code, output) = ChildProcess::start(CHILD, &args, None).wait();
            assert_eq!((code, output.value("left")), (Some(0), Some("0")), "{:?}", output.lines);
        }
        let shown = (vec!["critical: Database Connection Lost".to_owned()], vec![recorded[0].0.clone()]);
        assert_eq!(vendors.shown(), shown, "{first}");
        assert_eq!(dropped(&balance(&scenario.folder())), [("collapsed".to_owned(), 7)].into(), "{first}");
    }
}

#[test]
fn of_a_thousand_alerts_at_once_no_call_is_refused_and_the_next_one_has_the_count() {
    let (dir, vendors) = (tempfile::tempdir().unwrap(), Vendors::start());
    let clock = Clock::manual(WALL, 1_000_000);
    let monitor = open(dir.path(), &clock, &vendors);
    for n in 0..1_000 {
        let details = [("n", n.into())];
        recorded(monitor.alert(Alert::new(AlertSeverity::Critical, "Redis is gone").details(&details)));
    }
    monitor.flush(WAIT).unwrap();
    clock.advance(WINDOW);
    critical(&monitor, "Redis is gone");
    monitor.flush(WAIT).unwrap();
    monitor.close(WAIT);
    let (slack, pagerduty) = vendors.shown();
    assert_eq!((slack.len(), pagerduty.len()), (2, 2));
    let rows: Vec<Json> = rows(dir.path()).iter().map(|row| serde_json::from_str(&row.row.json).unwrap()).collect();
    assert!(rows.is_empty(), "both destinations have all rows: {rows:?}");
    let balance = balance(dir.path());
    assert_eq!(dropped(&balance), [("collapsed".to_owned(), 999)].into());
}

#[test]
fn a_thousand_different_alerts_in_a_second_are_a_thousand_rows() {
    let dir = tempfile::tempdir().unwrap();
    let config =
        Config::builder(dir.path(), "shop-api", "shop-api@1").clock(Clock::manual(WALL, 1_000_000)).sessions(false);
    let monitor = Monitor::open(config.consent(Purpose::Monitoring, Consent::Granted).build().unwrap()).unwrap();
    for n in 0..1_000 {
        critical(&monitor, &format!("shard {n} is gone"));
    }
    monitor.close(WAIT);
    assert_eq!(rows(dir.path()).len(), 1_000);
    assert_eq!(dropped(&balance(dir.path())), std::collections::BTreeMap::new());
}

#[test]
fn an_outage_of_one_vendor_does_not_hold_back_the_other() {
    type Down = (fn(&Vendors) -> &VendorServer, fn(&Vendors) -> &VendorServer);
    let pairs: [Down; 2] = [(|all| &all.slack, |all| &all.pagerduty), (|all| &all.pagerduty, |all| &all.slack)];
    for (down, up) in pairs {
        for behavior in [Behavior::Always(503), Behavior::Each(Fault::Reset), Behavior::Each(Fault::Hang)] {
            let (dir, vendors) = (tempfile::tempdir().unwrap(), Vendors::start());
            let clock = Clock::manual(WALL, 1_000_000);
            let monitor = open(dir.path(), &clock, &vendors);
            down(&vendors).set(behavior.clone());
            let id = critical(&monitor, "Payments down").to_string();
            let keys = ["critical: Payments down".to_owned(), id];
            assert!(up(&vendors).wait_for_any(&keys, WAIT), "{behavior:?}");
            assert!(down(&vendors).log().iter().all(|entry| !entry.stored), "{behavior:?}");
            down(&vendors).release();
            monitor.close(WAIT);
        }
    }
}

#[test]
fn after_an_outage_slack_shows_what_it_has_refused_and_nothing_that_it_may_have_shown() {
    let (dir, vendors) = (tempfile::tempdir().unwrap(), Vendors::start());
    let clock = Clock::manual(WALL, 1_000_000);
    let monitor = open(dir.path(), &clock, &vendors);
    for (behavior, title, then) in [
        (Behavior::Always(503), "unavailable", 1),
        (Behavior::Always(429), "too many", 1),
        (Behavior::Each(Fault::Portal), "behind a portal", 1),
        (Behavior::Always(302), "redirected by a portal", 1),
        // Stored, and the connection ends without an answer: PagerDuty knows the second copy, Slack would show it.
        (Behavior::Each(Fault::Lost), "answer lost", 1),
        // Not stored, and nobody can know that.
        (Behavior::Each(Fault::Reset), "connection reset", 0),
        (Behavior::Always(504), "a gateway timed out", 0),
    ] {
        vendors.slack.set(behavior.clone());
        vendors.pagerduty.set(behavior);
        critical(&monitor, title);
        monitor.flush(WAIT).unwrap();
        vendors.slack.set(Behavior::Normal);
        vendors.pagerduty.set(Behavior::Normal);
        for _ in 0..3 {
            clock.advance(Duration::from_secs(600));
            monitor.flush(WAIT).unwrap();
        }
        let (slack, pagerduty) = vendors.shown();
        let count = slack.iter().filter(|text| text.ends_with(title)).count();
        assert_eq!(count, then, "{title}: {slack:?}");
        assert!(!pagerduty.is_empty());
    }
    monitor.close(WAIT);
    assert_eq!(vendors.shown().1.len(), 7, "PagerDuty has all of them");
    assert_eq!(dropped(&balance(dir.path())), [("ambiguous".to_owned(), 3)].into());
}

#[test]
fn a_refused_webhook_stops_its_route_keeps_the_alerts_and_its_secret_is_nowhere() {
    for status in [401, 403, 404, 410, 301] {
        let (dir, vendors) = (tempfile::tempdir().unwrap(), Vendors::start());
        let monitor = open(dir.path(), &Clock::manual(WALL, 1_000_000), &vendors);
        vendors.slack.set(Behavior::Always(status));
        let id = critical(&monitor, "Payments down");
        monitor.flush(WAIT).unwrap();
        let text = monitor.status().to_json();
        assert!(text.contains("stopped") && !text.contains("s3cret"), "{status}: {text}");
        let fate = why(dir.path(), id).to_string();
        assert!(!fate.contains("s3cret") && !fate.contains(ROUTING_KEY), "{fate}");
        monitor.close(WAIT);
        assert_eq!(rows(dir.path()).len(), 1, "{status}: it waits for another webhook");
        assert_eq!(vendors.shown().1, [id.to_string()], "{status}");
    }
}

#[test]
fn why_answers_for_an_alert_at_both_vendors() {
    let (dir, vendors) = (tempfile::tempdir().unwrap(), Vendors::start());
    let monitor = open(dir.path(), &Clock::manual(WALL, 1_000_000), &vendors);
    vendors.slack.set(Behavior::Always(400));
    let id = critical(&monitor, "Payments down");
    monitor.flush(WAIT).unwrap();
    let asked = monitor.inspect(&json!({"ask": "why", "id": id.to_string()}).to_string(), WAIT);
    for answer in [serde_json::from_str(&asked).unwrap(), why(dir.path(), id)] {
        let text = answer.to_string();
        assert!(text.contains("slack") && text.contains("dead") && text.contains("status 400"), "{text}");
        assert!(text.contains("pagerduty") && text.contains("delivered"), "{text}");
    }
    monitor.close(WAIT);
}

#[test]
fn no_alert_that_an_app_can_make_is_refused_by_a_vendor() {
    let (dir, vendors) = (tempfile::tempdir().unwrap(), Vendors::start());
    let monitor = open(dir.path(), &Clock::manual(WALL, 1_000_000), &vendors);
    let long = "é<&>\n\u{0}".repeat(200_000);
    let names: Vec<String> = (0..1_000).map(|n| format!("{n}{}", "k".repeat(300))).collect();
    let many: Vec<(&str, Value<'_>)> = names.iter().map(|name| (name.as_str(), Value::Str(&long))).collect();
    let depths: Vec<Value<'_>> = nested(100);
    let odd = [
        ("nan", f64::NAN.into()),
        ("infinite", f64::NEG_INFINITY.into()),
        ("null", Value::Null),
        ("", Value::Str("")),
        ("<!here>", Value::Str("<!channel>\u{1b}[31m")),
        ("deep", depths[99]),
        ("big", Value::U64(u64::MAX)),
    ];
    let mut count = 0;
    for title in ["", " \n\t", "\0", "<!channel> & co", "a\r\nb", long.as_str()] {
        for description in ["", "\n\n", "\u{202e}\u{feff}", long.as_str()] {
            for details in [&[][..], &many[..], &odd[..]] {
                count += 1;
                // Each has a title of its own, and an empty one stays empty.
                let title = if title.is_empty() { String::new() } else { format!("{title}{count}") };
                let alert = Alert::new(AlertSeverity::Critical, &title).description(description).details(details);
                recorded(monitor.alert(alert));
                // A record of 32 KiB takes as much of the ring.
                monitor.persist(WAIT).unwrap();
            }
        }
    }
    monitor.flush(WAIT).unwrap();
    monitor.close(WAIT);
    let (slack, pagerduty) = vendors.shown();
    let collapsed = dropped(&balance(dir.path()));
    assert_eq!(collapsed.keys().collect::<Vec<_>>(), ["collapsed"], "{collapsed:?}");
    assert_eq!(slack.len() as u64 + collapsed["collapsed"], count);
    assert_eq!(slack.len(), pagerduty.len());
}

/// Values of this depth and less. They live as long as the process.
fn nested(depth: usize) -> Vec<Value<'static>> {
    let mut values = vec![Value::I64(1)];
    for _ in 1..depth {
        let inner: &'static [Value<'static>] = Vec::leak(vec![values[values.len() - 1]]);
        values.push(Value::List(inner));
    }
    values
}
