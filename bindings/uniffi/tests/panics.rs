//! No panic of the core crosses into another language, and a handle that names no engine records nothing.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use rezmonitor::attributes::{Attr, AttrValue};
use rezmonitor::events::*;
use rezmonitor::hooks::Hooks;
use rezmonitor::{control, crashes, engines, guards, hot, open, record, scope, test_access};

fn settings(folder: &std::path::Path) -> String {
    serde_json::json!({
        "folder": folder, "app": "shop", "release": "shop@1", "consentMonitoring": "granted", "consentAnalytics": "granted",
        "sessions": false, "inspector": true,
    })
    .to_string()
}

fn error_event() -> ErrorEvent {
    ErrorEvent {
        kind: "E".into(),
        message: "m".into(),
        handled: None,
        severity: None,
        level: None,
        code: None,
        mechanism: None,
        fingerprints: Vec::new(),
        language: None,
        stack: None,
        frames: Vec::new(),
        causes: Vec::new(),
        group: false,
        threads: Vec::new(),
        context: Vec::new(),
        attrs: vec![Attr { name: "a".into(), value: AttrValue::Int { value: 1 } }],
        tags: Vec::new(),
        user: None,
        targets: Vec::new(),
        trace: None,
        at_ms: None,
        conditions: None,
    }
}

fn timing() -> Timing {
    Timing {
        kind: TimingKind::ApiCall,
        name: "https://a.example/b".into(),
        duration_us: 5,
        method: None,
        started_ms: None,
        at_ms: None,
        initial_us: None,
        status: None,
        request_bytes: None,
        response_bytes: None,
        error: None,
        endpoint: None,
        request_headers: Vec::new(),
        response_headers: Vec::new(),
        trace: None,
        attrs: Vec::new(),
        targets: Vec::new(),
    }
}

/// Makes every exported call, and returns how many events were recorded and how many calls succeeded otherwise.
fn every_call(handle: u64) -> (usize, usize) {
    let text = || "a".to_owned();
    let extras = Extras::default;
    let trace = TraceContext {
        trace_id: "4bf92f3577b34da6a3ce929d0e0e4736".into(),
        span_id: "00f067aa0ba902b7".into(),
        parent: None,
        sampled: None,
    };
    let span = SpanEvent {
        name: text(),
        op: text(),
        duration_us: 1,
        started_ms: None,
        ended_ms: None,
        status: SpanStatus::Ok,
        trace: None,
        attrs: Vec::new(),
        targets: Vec::new(),
    };
    let log = LogEntry {
        level: Level::Error,
        text: text(),
        logger: None,
        attrs: Vec::new(),
        targets: Vec::new(),
        trace: None,
        at_ms: None,
    };
    let revenue = Revenue {
        amount: 1.0,
        currency: text(),
        transaction_id: None,
        items: Vec::new(),
        attrs: Vec::new(),
        targets: Vec::new(),
    };
    let feedback = Feedback { message: text(), name: None, email: None, about: None };
    let crumb = Breadcrumb {
        kind: text(),
        category: text(),
        message: text(),
        level: Level::Info,
        data: Vec::new(),
        at_ms: None,
    };
    record::breadcrumb(handle, crumb);
    let mut outcomes = vec![
        record::error(handle, error_event()),
        record::timing(handle, timing()),
        record::record_span(handle, span),
        record::message(handle, text(), Level::Info, extras()),
        record::log(handle, log),
        record::track(handle, text(), extras()),
        record::screen_view(handle, text(), None, extras()),
        record::interaction(handle, text(), text(), extras()),
        record::frame_counts(handle, text(), 1, 2, 3, extras()),
        record::hang(handle, 5, Vec::new(), Vec::new(), None, extras()),
        record::app_exit(handle, text(), text(), extras()),
        record::revenue(handle, revenue),
        record::people(handle, People::Delete),
        record::metric(handle, text(), Metric::Gauge { value: 1.0 }),
        record::feedback(handle, feedback),
        record::start_view(handle, text(), text(), Vec::new()),
        record::stop_view(handle, text()),
        hot::submit_hot(handle, vec![1, 3, 0, 0, 1, 0, b'a']),
    ];
    if let Some(screen) = guards::screen(handle, text()) {
        screen.initial_display();
        screen.full_display();
        let _ = screen.context();
        outcomes.push(screen.finish());
        screen.cancel();
    }
    if let Some(call) = guards::api_call(handle, text(), text(), Some(trace.clone())) {
        let (_, _) = (call.context(), call.headers());
        call.request_bytes(1);
        outcomes.push(call.finish(200, 1));
        let _ = call.fail(text());
        call.cancel();
    }
    if let Some(span) = guards::span(handle, text(), text(), None) {
        span.attr(text(), AttrValue::Null);
        span.status(SpanStatus::Error);
        let (_, child) = (span.context(), span.child(text(), text()));
        child.inspect(|child| child.cancel());
        outcomes.push(span.finish());
    }
    scope::set_user(handle, None);
    scope::set_tag(handle, text(), Some(text()));
    scope::set_context(handle, text(), None);
    scope::set_flag(handle, text(), AttrValue::Null);
    scope::set_foreground(handle, true);
    scope::new_session(handle);
    scope::set_super(handle, Vec::new(), true, Vec::new());
    scope::unset_super(handle, text());
    scope::clear_super(handle);
    scope::time_event(handle, text());
    scope::view_timing(handle, text());
    scope::view_attributes(handle, Vec::new());
    control::set_consent(handle, Purpose::Monitoring, Consent::Granted);
    control::set_network(handle, Network::Offline);
    control::set_power(handle, Power::Low);
    control::set_conditions(handle, Conditions::default());
    control::remove_destination(handle, text());
    control::clear_metrics(handle);
    crashes::report_exits(handle, Vec::new());
    control::suspend(handle, 10);
    control::resume(handle);
    let results = [
        control::set_facts(handle, "{}".into()).is_ok(),
        control::set_release(handle, "shop@2".into(), None).is_ok(),
        control::add_destinations(handle, r#"{"destinations":[]}"#.into(), AddFrom::Now).is_ok(),
        control::pause_destination(handle, text()).is_ok(),
        control::resume_destination(handle, text()).is_ok(),
        control::persist(handle, 60_000).is_ok(),
        control::flush(handle, 60_000).is_ok(),
        control::why_json(handle, "019f0c1e-7c1e-7a53-9b0e-3b6a3f0d9c11".into(), 60_000).is_ok(),
        control::inspect(handle, r#"{"ask":"status"}"#.into(), 60_000).is_ok(),
        crashes::last_run(handle, 60_000).is_ok(),
        crashes::check_inspects(handle).is_ok(),
        !control::status_json(handle).is_empty(),
        !control::status_lines(handle).is_empty(),
        control::id_seed(handle).len() == 16,
        control::new_trace(handle, None).is_some(),
        record::record_batch(handle, r#"{"items":[{"kind":"analytics","name":"b"}]}"#.into()),
        !matches!(record::fatal(handle, error_event(), 500), Durability::Dropped { .. }),
        !matches!(
            record::record_fatal(handle, r#"{"items":[{"kind":"error","type":"b"}]}"#.into(), 500),
            Durability::Dropped { .. }
        ),
    ];
    let (_, _) = (control::metrics(handle), control::trace_headers(handle, trace, text()));
    let recorded = outcomes.iter().filter(|outcome| matches!(outcome, Outcome::Recorded { .. })).count();
    (recorded, results.into_iter().filter(|done| *done).count())
}

#[test]
fn every_call_works_and_none_lets_a_panic_of_the_core_out_or_records_without_an_engine() {
    let folder = tempfile::tempdir().unwrap();
    let handle = open::open(settings(folder.path()), None, Hooks::default()).unwrap();
    assert_eq!(every_call(handle), (21, 18));
    for stale in [0, handle + 1, handle ^ (1 << 40), u64::MAX, 63 << 32 | 1] {
        assert_eq!(every_call(stale), (0, 0), "{stale:x}");
    }
    test_access::test_panic(true);
    assert_eq!(every_call(handle), (0, 0), "with panics");
    let error = open::open(settings(folder.path()), None, Hooks::default());
    assert!(matches!(error, Err(open::OpenError::System { .. })), "{error:?}");
    test_access::test_panic(false);
    assert_eq!(every_call(handle).0, 21, "the engine lives on");
    open::close(handle, 60_000);
    assert_eq!(every_call(handle), (0, 0), "closed");
    open::close(handle, 60_000);
}

#[test]
fn an_error_of_opening_names_the_setting_as_kotlin_and_swift_spell_it() {
    let folder = tempfile::tempdir().unwrap();
    for (settings, text) in [
        (r#"{"sesionBackgroundMs": 1}"#.to_owned(), "did you mean `sessionBackgroundMs`"),
        (settings(folder.path()).replace("\"sessions\":false", "\"capBytes\":1"), "`capBytes` is 1"),
        ("{".to_owned(), "no JSON"),
    ] {
        let error = open::open(settings.clone(), None, Hooks::default()).unwrap_err().to_string();
        assert!(error.contains(text), "{error}");
        assert_eq!(control::check_settings(settings), Some(error));
    }
    let facts = open::open(settings(folder.path()), Some("[]".into()), Hooks::default()).unwrap_err();
    assert!(facts.to_string().contains("`facts` is no object"), "{facts}");
    assert_ne!(engines::nonce(), 0);
    assert_eq!(engines::version(), env!("CARGO_PKG_VERSION"));
}
