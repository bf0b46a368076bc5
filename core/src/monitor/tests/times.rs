//! The time that a caller gives.

use super::*;
use crate::inspect::Listed;

const NOW: i64 = 1_795_400_000_000;
const MONO: i64 = 1_000;
const DAY: i64 = 24 * 3_600_000;
/// Times that no clock of a working device gives: 1970, 2100 and the ends of the number range.
const WRONG: [i64; 4] = [0, 4_102_444_800_000, i64::MIN, i64::MAX];

fn open_at_now(folder: &Path) -> (Monitor, Clock) {
    let clock = Clock::manual(NOW, MONO);
    (Monitor::open(config(folder).clock(clock.clone()).build().unwrap()).unwrap(), clock)
}

fn listed(monitor: Monitor, folder: &Path) -> Vec<Listed> {
    monitor.close(WAIT);
    let reader = Reader::open(folder).unwrap();
    assert!(reader.balance().unwrap().holds(), "{:?}", reader.balance());
    let mut rows = reader.list(&Filter::default()).unwrap();
    rows.sort_by_key(|listed| listed.row.seq);
    rows
}

fn json(listed: &Listed) -> Json {
    serde_json::from_str(&listed.row.json).unwrap()
}

#[test]
fn an_event_bears_its_own_time_and_the_user_of_the_call() {
    let folder = tempfile::tempdir().unwrap();
    let (monitor, _) = open_at_now(folder.path());
    monitor.scope(ScopeChange::User(Some(User { id: Some("u-1"), ..User::default() })));
    for at in [NOW - 29 * DAY, NOW - 1, NOW, NOW + DAY] {
        let id = monitor.record(Event::analytics("late").at(at)).id().unwrap();
        assert_eq!(id.unix_ms(), NOW as u64, "an id bears the time of the call");
        let _ = monitor.error(ErrorEvent::new("E", &at.to_string()).at(at));
    }
    let rows = listed(monitor, folder.path());
    assert_eq!(rows.len(), 8);
    for (pair, at) in rows.chunks(2).zip([NOW - 29 * DAY, NOW - 1, NOW, NOW + DAY]) {
        for listed in pair {
            assert_eq!((listed.row.wall_ms, listed.row.mono_ms), (at, MONO + at - NOW));
            assert_eq!((&json(listed)["user"]["id"], &json(listed)["cut"]), (&"u-1".into(), &Json::Null));
        }
    }
}

#[test]
fn a_time_that_cannot_be_right_is_replaced_by_that_of_the_call_and_counts_as_cut() {
    let folder = tempfile::tempdir().unwrap();
    let (monitor, _) = open_at_now(folder.path());
    for wrong in WRONG {
        let _ = monitor.record(Event::analytics("late").at(wrong));
        let _ = monitor.error(ErrorEvent::new("E", &wrong.to_string()).at(wrong));
        monitor.breadcrumb(Breadcrumb::new("test", "late").at(wrong));
        let _ = monitor.timing(Timing::image_load("https://a.example/b.png", Duration::from_secs(2)).at(wrong));
        let _ = monitor.timing(Timing::long_task("parse", Duration::from_secs(2)).started_at(wrong));
    }
    let _ = monitor.error(ErrorEvent::new("Last", ""));
    let mut rows = listed(monitor, folder.path());
    let last = json(&rows.pop().unwrap());
    assert_eq!(rows.len(), 16);
    for listed in rows {
        let json = json(&listed);
        assert_eq!((listed.row.wall_ms, listed.row.mono_ms, &json["cut"]), (NOW, MONO, &1.into()), "{json}");
        if json["duration_us"] != Json::Null {
            assert_eq!(json["start_ms"], NOW - 2_000);
        }
    }
    for crumb in last["trail"].as_array().unwrap() {
        assert_eq!((&crumb["ts"], &crumb["cut"]), (&NOW.into(), &1.into()));
    }
}

#[test]
fn a_breadcrumb_bears_its_own_time_and_keeps_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let (monitor, _) = open_at_now(folder.path());
    monitor.breadcrumb(Breadcrumb::new("test", "first"));
    monitor.breadcrumb(Breadcrumb::new("test", "earlier, but told later").at(NOW - 60_000));
    let _ = monitor.error(ErrorEvent::new("E", ""));
    let trail = json(&listed(monitor, folder.path())[0])["trail"].clone();
    assert_eq!((&trail[0]["ts"], &trail[1]["ts"]), (&NOW.into(), &(NOW - 60_000).into()));
}

#[test]
fn the_row_of_a_timing_bears_the_time_at_which_it_ended() {
    let folder = tempfile::tempdir().unwrap();
    let (monitor, _) = open_at_now(folder.path());
    let timing = || Timing::api_call("GET", "https://a.example/b", Duration::from_secs(2));
    let _ = monitor.timing(timing());
    let _ = monitor.timing(timing().started_at(NOW - 60_000));
    let _ = monitor.timing(timing().at(NOW - 60_000));
    let _ = monitor.timing(timing().started_at(NOW - 63_000).at(NOW - 60_000));
    let found: Vec<_> = listed(monitor, folder.path())
        .iter()
        .map(|one| (one.row.wall_ms - NOW, json(one)["start_ms"].clone()))
        .collect();
    let expect = [(0, -2_000), (-58_000, -60_000), (-60_000, -62_000), (-60_000, -63_000)];
    assert_eq!(found, expect.map(|(end, start)| (end, Json::from(NOW + start))));
}

#[test]
fn repetitions_collapse_by_the_time_of_the_calls_not_by_the_times_given() {
    let folder = tempfile::tempdir().unwrap();
    let (monitor, clock) = open_at_now(folder.path());
    let _ = monitor.error(ErrorEvent::new("E", "declined").at(NOW + DAY));
    for n in 0..30 {
        let _ = monitor.error(ErrorEvent::new("E", "declined").at(NOW - n * 120_000));
    }
    clock.advance(Duration::from_secs(61));
    let _ = monitor.error(ErrorEvent::new("E", "declined"));
    let rows = listed(monitor, folder.path());
    assert_eq!(rows.len(), 11);
    assert_eq!(json(&rows[10])["collapsed_before"], 21);
}
