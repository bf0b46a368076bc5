use super::super::tests::{config, only, rows};
use crate::trace::TraceContext;
use crate::{Clock, Config, Monitor, SpanEvent, SpanStatus, Timing, limits};
use serde_json::Value as Json;
use std::path::Path;
use std::time::Duration;

const MS: Duration = Duration::from_millis(1);

fn open(folder: &Path) -> (Monitor, Clock) {
    let clock = Clock::manual(1_795_400_000_000, 1_000);
    let config: Config = config(folder).clock(clock.clone()).build().unwrap();
    (Monitor::open(config).unwrap(), clock)
}

fn span_id(trace: TraceContext) -> Json {
    format!("{:016x}", trace.span_id()).into()
}

#[test]
fn a_span_lists_its_children_and_each_of_them_has_a_row_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let (monitor, clock) = open(folder.path());
    let mut root = monitor.span("checkout", "task");
    root.attr("items", 3);
    clock.advance(5 * MS);
    let child = root.child("reserve", "db.query");
    let call = child.api_call("GET", "https://api.example/stock/17");
    clock.advance(10 * MS);
    let inner = call.context();
    let _ = call.finish(200, 1);
    let middle = child.context();
    let _ = child.finish();
    let outer = root.context();
    let _ = root.finish();
    // Over: later work of the same trace has no row to be listed in.
    let late = monitor.api_call_in(&outer, "GET", "https://api.example/late");
    let _ = late.finish(200, 1);
    let rows = rows(monitor, folder.path());
    let spans = only(rows.clone(), "span");
    let calls = only(rows, "api_call");
    let root = &spans[1];
    assert_eq!((&root["name"], &root["op"], &root["status"]), (&"checkout".into(), &"task".into(), &"ok".into()));
    assert_eq!((&root["duration_us"], &root["attrs"]["items"]), (&15_000.into(), &3.into()));
    assert_eq!((&root["child_of"], &root["trace"]["parent"]), (&Json::Null, &Json::Null));
    let children = root["children"].as_array().unwrap();
    assert_eq!(children.len(), 2);
    assert_eq!((&children[0]["kind"], &children[1]["kind"]), (&"api_call".into(), &"span".into()));
    assert_eq!((&children[1]["op"], &children[1]["start_us"]), (&"db.query".into(), &5_000.into()));
    assert_eq!(children[0]["trace"]["span_id"], span_id(inner));
    assert_eq!(children[0]["trace"]["parent"], span_id(middle));
    assert_eq!(children[1]["trace"]["parent"], span_id(outer));
    for row in [&spans[0], &calls[0]] {
        assert_eq!(row["child_of"], span_id(outer), "{row}");
    }
    assert_eq!((&calls[1]["child_of"], &calls[1]["trace"]["parent"]), (&Json::Null, &span_id(outer)));
}

#[test]
fn a_span_that_is_dropped_is_recorded_as_cancelled() {
    let folder = tempfile::tempdir().unwrap();
    let (monitor, clock) = open(folder.path());
    let mut root = monitor.span("a", "task");
    root.status(SpanStatus::Error);
    let child = root.child("b", "task");
    clock.advance(MS);
    drop(child);
    drop(root);
    let mut failed = monitor.span("c", "task");
    failed.status(SpanStatus::Error);
    let _ = failed.finish();
    let spans = only(rows(monitor, folder.path()), "span");
    let ended: Vec<_> = spans.iter().map(|span| (span["name"].as_str(), span["status"].as_str())).collect();
    assert_eq!(ended, [(Some("b"), Some("cancelled")), (Some("a"), Some("cancelled")), (Some("c"), Some("error"))]);
    assert_eq!(spans[1]["children"][0]["status"], "cancelled");
}

#[test]
fn an_explicit_trace_takes_precedence_over_the_screen_that_is_loading() {
    let folder = tempfile::tempdir().unwrap();
    let (monitor, _) = open(folder.path());
    let screen = monitor.screen("Cart");
    let span = monitor.span("sync", "task");
    let inside = monitor.span_in(&screen.context(), "parse", "task");
    let _ = span.api_call("GET", "https://api.example/1").finish(200, 1);
    let _ = inside.api_call("GET", "https://api.example/2").finish(200, 1);
    let _ = monitor.api_call("GET", "https://api.example/3").finish(200, 1);
    let _ = monitor.timing(Timing::api_call("GET", "https://api.example/4", MS).trace(monitor.ids().root()));
    let sync = span.context();
    let _ = inside.finish();
    let _ = screen.finish();
    let _ = span.finish();
    let rows = rows(monitor, folder.path());
    let screen = &only(rows.clone(), "screen_load")[0];
    let view = &screen["view"]["id"];
    let calls = only(rows.clone(), "api_call");
    let of: Vec<_> = calls.iter().map(|call| call["child_of"].clone()).collect();
    assert_eq!(of, [span_id(sync), view.clone(), view.clone(), Json::Null]);
    assert_eq!(screen["children"].as_array().unwrap().len(), 3);
    let spans = only(rows, "span");
    assert_eq!((&spans[0]["name"], &spans[0]["child_of"]), (&"parse".into(), view));
    assert_eq!((&spans[1]["child_of"], spans[1]["children"].as_array().unwrap().len()), (&Json::Null, 1));
}

#[test]
fn children_without_a_place_in_the_row_are_counted() {
    let folder = tempfile::tempdir().unwrap();
    let (monitor, _) = open(folder.path());
    let root = monitor.span("many", "task");
    for _ in 0..limits::CHILD_SPANS + 7 {
        let _ = root.child("step", "task").finish();
    }
    let _ = root.finish();
    monitor.persist(Duration::from_secs(60)).unwrap();
    let text = "x".repeat(4_000);
    let mut big = monitor.span("big", "task");
    (0..200).for_each(|n| big.attr(&format!("k{n}"), text.as_str()));
    for _ in 0..20 {
        let mut child = big.child("step", "task");
        child.attr("text", text.as_str());
        let _ = child.finish();
        monitor.persist(Duration::from_secs(60)).unwrap();
    }
    assert!(big.finish().id().is_some());
    let rows = rows(monitor, folder.path());
    let spans = only(rows, "span");
    let many = spans.iter().find(|span| span["name"] == "many").unwrap();
    assert_eq!(many["children"].as_array().unwrap().len(), limits::CHILD_SPANS);
    assert_eq!(many["children_dropped"], 7);
    let big = spans.iter().find(|span| span["name"] == "big").expect("its row is not too large");
    let listed = big["children"].as_array().unwrap().len() as u64;
    assert!((1..20).contains(&listed), "{listed}");
    assert_eq!(big["children_dropped"], 20 - listed);
    assert!(big["cut"].as_u64().unwrap() > 100, "attributes above the limit are counted: {}", big["cut"]);
    assert_eq!(spans.len(), limits::CHILD_SPANS + 7 + 20 + 2, "each child has a row of its own");
}

#[test]
fn a_span_that_ends_before_it_begins_has_no_duration_and_counts_a_cut() {
    let folder = tempfile::tempdir().unwrap();
    let (monitor, _) = open(folder.path());
    let _ = monitor.record_span(SpanEvent::between("a", "task", 1_795_400_000_000, 1_795_399_999_999));
    let _ = monitor.record_span(SpanEvent::between("b", "task", 1_795_399_999_000, 1_795_400_000_000));
    let spans = only(rows(monitor, folder.path()), "span");
    assert_eq!((&spans[0]["duration_us"], &spans[0]["cut"]), (&0.into(), &1.into()));
    assert_eq!((&spans[1]["duration_us"], &spans[1]["cut"]), (&1_000_000.into(), &Json::Null));
}

#[test]
fn of_very_many_spans_in_progress_the_oldest_no_longer_collects() {
    let folder = tempfile::tempdir().unwrap();
    let (monitor, _) = open(folder.path());
    let spans: Vec<_> = (0..=limits::OPEN_SPANS).map(|n| monitor.span(&n.to_string(), "task")).collect();
    for span in &spans {
        let _ = span.child("step", "task").finish();
    }
    for span in spans {
        let _ = span.finish();
    }
    let spans = only(rows(monitor, folder.path()), "span");
    let roots: Vec<_> = spans.iter().filter(|span| span["trace"]["parent"].is_null()).collect();
    let with = roots.iter().filter(|root| root["children"].is_array()).count();
    assert_eq!((roots.len(), with), (limits::OPEN_SPANS + 1, limits::OPEN_SPANS));
    assert_eq!(roots[0]["children"], Json::Null);
}
