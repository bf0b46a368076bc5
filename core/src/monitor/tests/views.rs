//! Views that the app names.

use super::{WAIT, config, only, rows};
use crate::{Clock, ErrorEvent, Event, Monitor};
use serde_json::{Value as Json, json};
use std::path::Path;
use std::time::Duration;

fn open(folder: &Path) -> (Monitor, Clock) {
    let clock = Clock::manual(1_795_400_000_000, 1_000);
    (Monitor::open(config(folder).clock(clock.clone()).build().unwrap()).unwrap(), clock)
}

#[test]
fn events_belong_to_the_view_of_the_app_until_it_stops() {
    let folder = tempfile::tempdir().unwrap();
    let (monitor, clock) = open(folder.path());
    let _ = monitor.start_view("checkout/2", "Payment", &[("cart", 3.into())]);
    clock.advance(Duration::from_millis(400));
    monitor.view_timing("shown");
    monitor.view_timing("shown");
    monitor.view_attributes(&[("method", "upi".into()), ("cart", 4.into())]);
    clock.advance(Duration::from_millis(100));
    let _ = monitor.record(Event::interaction("tap", "Pay"));
    let _ = monitor.stop_view("checkout/2");
    let _ = monitor.record(Event::interaction("tap", "Home"));
    monitor.view_timing("of no view");
    let rows = rows(monitor, folder.path());
    let views = only(rows.clone(), "screen_view");
    assert_eq!((&views[0]["op"], &views[0]["attrs"]), (&"start".into(), &json!({"cart": 3})));
    assert_eq!((&views[1]["op"], &views[1]["name"]), (&"stop".into(), &"Payment".into()));
    assert_eq!(views[1]["duration_us"], 500_000);
    assert_eq!(views[1]["view"]["timings"], json!({"shown": 400_000}));
    assert_eq!(views[1]["view"]["attrs"], json!({"cart": 4, "method": "upi"}));
    let taps = only(rows, "interaction");
    assert_eq!(taps[0]["view"]["id"], views[0]["view"]["id"]);
    assert_eq!(taps[1]["view"], Json::Null);
}

#[test]
fn a_stop_without_a_start_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (monitor, _) = open(folder.path());
    let _ = monitor.stop_view("never");
    let _ = monitor.record(Event::screen_view("Cart", None));
    let _ = monitor.stop_view("");
    let _ = monitor.start_view("a", "A", &[]);
    let _ = monitor.start_view("a", "A", &[]);
    let _ = monitor.stop_view("a");
    let _ = monitor.stop_view("a");
    let _ = monitor.error(ErrorEvent::new("E", "m"));
    monitor.close(WAIT);
    let reader = crate::inspect::Reader::open(folder.path()).unwrap();
    let balance = reader.balance().unwrap();
    assert!(balance.holds(), "{balance:?}");
    let listed = reader.list(&crate::inspect::Filter::default()).unwrap();
    let rows: Vec<Json> = listed.iter().map(|listed| serde_json::from_str(&listed.row.json).unwrap()).collect();
    let seen: Vec<_> = rows.iter().map(|row| (row["name"].as_str().unwrap_or("E"), row["op"].as_str())).collect();
    let stop = ("E", Some("stop"));
    let (start, end) = (("A", Some("start")), ("A", Some("stop")));
    assert_eq!(seen, [stop, ("Cart", None), stop, start, start, end, stop, ("E", None)]);
    assert_eq!(rows[2]["view"]["name"], "Cart", "an empty key stops no screen");
    assert_ne!(rows[3]["view"]["id"], rows[4]["view"]["id"], "a second start is another view");
    assert_eq!(rows[5]["view"]["id"], rows[4]["view"]["id"]);
    assert_eq!(rows[7]["view"], Json::Null);
    let durations: Vec<bool> = rows.iter().map(|row| row["duration_us"].is_number()).collect();
    assert_eq!(durations, [false, false, false, false, false, true, false, false]);
}

#[test]
fn of_ten_thousand_views_names_and_attributes_the_rows_stay_small() {
    let folder = tempfile::tempdir().unwrap();
    let (monitor, _) = open(folder.path());
    let long = "x".repeat(3_000);
    for n in 0..10_000 {
        let _ = monitor.start_view(&format!("key{n}"), &format!("View {n}"), &[]);
        if n % 500 == 0 {
            monitor.persist(WAIT).unwrap();
        }
    }
    for n in 0..1_000 {
        monitor.view_timing(&format!("t{n}"));
        monitor.view_attributes(&[(&format!("a{n}"), long.as_str().into())]);
        if n % 50 == 0 {
            monitor.persist(WAIT).unwrap();
        }
    }
    monitor.persist(WAIT).unwrap();
    let _ = monitor.stop_view("key9999");
    let rows = only(rows(monitor, folder.path()), "screen_view");
    let last = &rows.last().unwrap()["view"];
    assert_eq!(last["name"], "View 9999");
    assert_eq!(last["timings"].as_object().unwrap().len(), 32);
    assert_eq!(last["attrs"].as_object().unwrap().len(), 1);
}
