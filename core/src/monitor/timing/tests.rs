use super::super::tests::{config, only, rows};
use crate::trace::TraceContext;
use crate::{ErrorEvent, Event, Level, Monitor, Timing};
use serde_json::{Value as Json, json};
use std::time::Duration;

const MS: Duration = Duration::from_millis(1);

fn open(folder: &std::path::Path) -> Monitor {
    Monitor::open(config(folder).build().unwrap()).unwrap()
}

/// The member `trace` of a row for this context.
fn shown(trace: TraceContext) -> Json {
    let mut json = json!({
        "trace_id": format!("{:032x}", trace.trace_id()),
        "span_id": format!("{:016x}", trace.span_id()),
    });
    if let Some(parent) = trace.parent() {
        json["parent"] = format!("{parent:016x}").into();
    }
    if let Some(sampled) = trace.sampled() {
        json["sampled"] = sampled.into();
    }
    json
}

#[test]
fn every_timing_and_event_can_name_its_span() {
    let folder = tempfile::tempdir().unwrap();
    let monitor = open(folder.path());
    let ids = monitor.ids();
    let sent = TraceContext::from_traceparent("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00").unwrap();
    let traces = [ids.root(), ids.root().child(&ids), sent.child(&ids), ids.root()];
    let _ = monitor.timing(Timing::image_load("https://img.example/a.png", MS).trace(traces[0]));
    let _ = monitor.error(ErrorEvent::new("PaymentError", "declined").trace(traces[1]));
    let _ = monitor.record(Event::message("hello", Level::Info).trace(traces[2]));
    let _ = monitor.timing(Timing::api_call("GET", "https://api.example/a", MS).trace(traces[3]));
    let _ = monitor.timing(Timing::api_call("GET", "https://api.example/b", MS));
    let rows = rows(monitor, folder.path());
    for (kind, trace) in ["image_load", "error", "message", "api_call"].into_iter().zip(traces) {
        assert_eq!(only(rows.clone(), kind)[0]["trace"], shown(trace), "{kind}");
    }
    assert_eq!(only(rows, "api_call")[1]["trace"], Json::Null, "a plain timing carries none");
}

#[test]
fn headers_name_the_release_that_is_valid_now() {
    let folder = tempfile::tempdir().unwrap();
    let sentry = crate::destination::Sentry::builder("https://k@o7.ingest.sentry.io/42").build().unwrap();
    let config = config(folder.path())
        .destination("sentry", sentry)
        .consent(crate::Purpose::Monitoring, crate::Consent::Pending)
        .trace_targets(["rezapp.com"])
        .trace_styles([crate::TraceStyle::Sentry]);
    let monitor = Monitor::open(config.build().unwrap()).unwrap();
    let headers = || {
        let mut all = Vec::new();
        monitor.trace_headers(&monitor.ids().root(), "https://rezapp.com/", |name, value| {
            all.push(format!("{name}={value}"))
        });
        all
    };
    assert!(headers()[1].contains("sentry-release=shop%401,"), "{:?}", headers());
    monitor.set_release("shop@2/eu", None).unwrap();
    assert!(headers()[1].contains("sentry-release=shop%402-eu,"), "{:?}", headers());
    monitor.set_consent(crate::Purpose::Monitoring, crate::Consent::Denied);
    assert!(headers()[0].ends_with("-0"), "no row is going to exist: {:?}", headers());
    monitor.set_consent(crate::Purpose::Monitoring, crate::Consent::Pending);
    assert!(headers()[0].ends_with("-1"), "{:?}", headers());
    let mut elsewhere = 0;
    monitor.trace_headers(&monitor.ids().root(), "https://elsewhere.example/", |_, _| elsewhere += 1);
    assert_eq!(elsewhere, 0);
}

#[test]
fn a_call_of_a_batch_belongs_to_the_session_in_which_it_started() {
    let folder = tempfile::tempdir().unwrap();
    let clock = crate::Clock::manual(1_795_400_000_000, 1_000);
    let config = config(folder.path()).sessions(true).clock(clock.clone()).trace_targets(["rezapp.com"]);
    let monitor = Monitor::open(config.build().unwrap()).unwrap();
    clock.advance(MS);
    let started_ms = clock.wall_ms();
    let traces = [monitor.ids().root(), monitor.ids().root()].map(shown);
    clock.advance(MS);
    monitor.scope(crate::ScopeChange::NewSession);
    clock.advance(MS);
    let items = traces.into_iter().zip([started_ms, clock.wall_ms()]).map(|(trace, start_ms)| {
        json!({"kind": "api_call", "method": "GET", "url": "https://api.rezapp.com/a", "status": 200,
            "duration_us": 100, "start_ms": start_ms, "trace": trace})
    });
    let items: Vec<_> = items.collect();
    assert!(monitor.record_batch(&json!({"v": 1, "items": items}).to_string()));
    let rows = rows(monitor, folder.path());
    let begun: Vec<_> = only(rows.clone(), "session").into_iter().filter(|row| row["init"] == true).collect();
    let calls = only(rows, "api_call");
    assert_ne!(begun[0]["session"], begun[1]["session"]);
    assert_eq!((&calls[0]["session"], &calls[1]["session"]), (&begun[0]["session"], &begun[1]["session"]));
}
