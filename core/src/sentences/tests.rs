//! Every sentence, compared with `golden.txt`. `REZ_BLESS=1` writes that file.

use super::*;
use crate::{Kind, Reason, Row, Start};
use std::fmt::Write as _;

const MS: i64 = 1_795_400_000_000;

fn held(code: HeldCode, until_ms: Option<i64>, detail: &str) -> Held {
    Held::new(code, until_ms, detail)
}

fn route(waiting: &[u64], held: Option<Held>) -> RouteStatus {
    RouteStatus {
        destination: "team".into(),
        route: "team/rez.batch".into(),
        waiting: waiting.to_vec(),
        delivered: 7,
        in_flight: false,
        stopped: false,
        held,
    }
}

fn stored(state: &str) -> RouteView {
    RouteView {
        route: "team/rez.batch".into(),
        destination: "team".into(),
        dormant_since_ms: Some(0),
        state: Some(state.to_owned()),
        batch: Some(("b1".into(), 1)),
        last: Some((4000, 0, "timed out".into())),
        delivered_ever: 0,
    }
}

/// The state of a route as the delivery thread stores it.
const STORED: &str = r#"{"key":"1","failures":3,
    "hold":{"why":"retry_after","boot":"b","mono_deadline":1,"wall_deadline":1000,"wait":5},
    "stop":{"kind":"refused","why":"the write key was refused (401)","probes":1,
        "last":{"why":"probe","boot":"b","mono_deadline":1,"wall_deadline":2000,"wait":5},
        "next":{"why":"probe","boot":"b","mono_deadline":1,"wall_deadline":2000,"wait":5}},
    "limits":[{"kind":"metric","hold":{"why":"parked","boot":"b","mono_deadline":1,"wall_deadline":3000,"wait":5}}]}"#;

fn status() -> Status {
    let mut stopped = route(&[0, 0, 0, 0], Some(held(HeldCode::Stopped, Some(MS), "the write key was refused (401)")));
    stopped.stopped = true;
    Status {
        start: Start { first: true, version: "shop@1".to_owned(), version_before: None },
        session: Some("3f6a2c1e-7c1e-4a53-9b0e-3b6a3f0d9c11".to_owned()),
        support_code: Some("0d9c11".to_owned()),
        test_mode: true,
        folder: "/data/queue".into(),
        store: StoreState::Ready,
        accepted: 1_234,
        folded: 1_230,
        refused: vec![
            Refused { reason: Reason::RingFull, kind: Some(Kind::Message), count: 3 },
            Refused { reason: Reason::RingFull, kind: None, count: 2 },
            Refused { reason: Reason::Consent, kind: Some(Kind::Analytics), count: 1_000 },
        ],
        erasure_blocked: true,
        routes: vec![route(&[0, 1, 2, 0], None), stopped],
        notes: vec![DestinationNote {
            destination: "issues".into(),
            field: "release".into(),
            what: "Sentry does not accept `a/b`: sent as `a-b`".into(),
        }],
    }
}

fn row() -> Row {
    Row {
        seq: 5,
        id: crate::EventId::from_bytes([1; 16]),
        kind: Kind::Error,
        run: 1,
        wall_ms: MS,
        mono_ms: 1,
        targets: Vec::new(),
        json: "{}".into(),
    }
}

fn all() -> String {
    let mut out = String::new();
    let mut add = |what: &str, text: &str| _ = writeln!(out, "{what}: {text}");
    for code in HeldCode::ALL {
        add(&format!("held {}", code.as_str()), &held(*code, Some(MS), "").text());
    }
    add("held, no end", &held(HeldCode::Suspended, None, "").text());
    add("held, detail", &held(HeldCode::Unreachable, Some(MS), "connection refused").text());
    for n in [1, 3] {
        add("held, failures", &Held { failures: n, ..held(HeldCode::Outage, Some(MS), "") }.text());
    }
    for store in [StoreState::Opening, StoreState::Ready, StoreState::Unavailable("the disk is full".into())] {
        add("store", &store.text());
    }
    add("route, empty", &route(&[0; 4], Some(held(HeldCode::Batch, Some(MS), ""))).text());
    add("route, waiting", &route(&[0, 1_200, 0, 0], None).text());
    add("route, held", &route(&[1, 0, 0, 2], Some(held(HeldCode::Offline, Some(MS), ""))).text());
    add("route, in flight", &RouteStatus { in_flight: true, ..route(&[1, 0, 0, 0], None) }.text());
    for line in stored(STORED).lines() {
        add("stored route", &line);
    }
    add("last request", &stored(STORED).last_text().unwrap());
    add("last request", &RouteView { last: Some((MS, 503, String::new())), ..stored("") }.last_text().unwrap());
    let batch_id = String::from("b1");
    let states = [
        RowState::Queued,
        RowState::Parked { until_ms: None },
        RowState::Parked { until_ms: Some(MS) },
        RowState::InFlight { batch_id, attempt: 1, sending: true },
        RowState::Dead { reason: Some(Reason::Rejected), status: 400, note: "no such field".into() },
        RowState::Dead { reason: None, status: 0, note: String::new() },
        RowState::Delivered { at_ms: MS, status: 202 },
        RowState::Dropped { reason: "expired".into(), at_ms: MS, status: 0 },
        RowState::Passed,
    ];
    for state in &states {
        add("row", &state.text());
    }
    let fate = |row, states: &[RowState]| {
        let routes = states.iter().zip(["team/rez.batch", "issues/sentry.envelope"]);
        let routes = routes.map(|(state, route)| RouteFate { route: route.into(), state: state.clone() }).collect();
        Fate { row, routes }
    };
    add("fate, unknown", &fate(None, &[]).text());
    add("fate, stored", &fate(Some(row()), &[]).text());
    add("fate", &fate(Some(row()), &[states[6].clone(), states[0].clone()]).text());
    let flushed = |left, held| Flushed { destination: "team".into(), delivered: 1_500, left, held };
    add("flushed", &flushed(0, None).text());
    add("flushed", &flushed(3, None).text());
    add("flushed", &flushed(3, Some(held(HeldCode::RetryAfter, Some(MS), ""))).text());
    let summary = |count, p99| Summary {
        name: "api_/cart".into(),
        last: 950,
        count,
        p50: 12_300,
        p95: 999_900,
        p99,
        unit: "us".into(),
    };
    add("summary", &summary(1, 950).text());
    add("summary", &summary(1_000, 4_560_000).text());
    for line in status().lines() {
        add("status", &line);
    }
    for code in crate::LogCode::ALL {
        add(&format!("log {} {}", code.level().as_str(), code.as_str()), code.meaning());
        add(&format!("log {} {}", code.level().as_str(), code.as_str()), code.advice());
    }
    add("json status", &status().to_json());
    add("json fate", &fate(Some(row()), &states[3..5]).to_json());
    add("json flushed", &flushed(3, Some(held(HeldCode::RetryAfter, Some(MS), ""))).to_json());
    add("json summary", &summary(1, 950).to_json());
    out
}

#[test]
fn every_sentence_is_the_golden_one() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/src/sentences/golden.txt");
    let all = all();
    if std::env::var_os("REZ_BLESS").is_some() {
        std::fs::write(path, &all).unwrap();
    }
    let golden = std::fs::read_to_string(path).unwrap();
    for (line, wanted) in all.lines().zip(golden.lines()) {
        assert_eq!(line, wanted);
    }
    assert_eq!(all.lines().count(), golden.lines().count());
}

#[test]
fn a_stored_reason_and_the_live_one_have_one_sentence() {
    for why in ["unreachable", "intercepted", "no_answer", "outage", "rate_limit", "retry_after", "bisect_budget"] {
        let wait = format!(r#"{{"why":"{why}","boot":"b","mono_deadline":1,"wall_deadline":{MS},"wait":5}}"#);
        let view = RouteView { dormant_since_ms: None, batch: None, ..stored(&format!(r#"{{"hold":{wait}}}"#)) };
        let code = HeldCode::ALL.iter().find(|code| code.as_str() == why).unwrap();
        assert_eq!(view.lines(), [held(*code, Some(MS), "").text()]);
    }
}

#[test]
fn a_stored_state_that_cannot_be_read_holds_nothing() {
    let view = RouteView { dormant_since_ms: None, batch: None, ..stored("not json") };
    assert!(view.lines().is_empty());
}

#[test]
fn codes_are_spelled_differently_and_times_outside_the_calendar_are_numbers() {
    let spellings: std::collections::BTreeSet<_> = HeldCode::ALL.iter().map(|code| code.as_str()).collect();
    assert_eq!(spellings.len(), HeldCode::ALL.len());
    assert_eq!(time(i64::MAX), i64::MAX.to_string());
    assert_eq!([number(0), number(999), number(1_000), number(u64::MAX)][2], "1,000");
}
