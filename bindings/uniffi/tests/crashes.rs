//! How earlier runs ended, as another language tells it and asks for it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use rezmonitor::attributes::{Attr, AttrValue};
use rezmonitor::control::{self, CallError};
use rezmonitor::crashes::{self, ExitReport, RunEnd};
use rezmonitor::events::ExitReason;
use rezmonitor::hooks::Hooks;
use rezmonitor::{open, record, test_access};
use serde_json::{Value as Json, json};
use std::path::Path;

const WAIT: i64 = 60_000;

fn start(folder: &Path, more: &Json) -> u64 {
    let mut settings = json!({
        "folder": folder, "app": "shop", "release": "shop@1", "consentMonitoring": "granted", "sessions": true,
        "uncleanExits": "await_report",
    });
    settings.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    open::open(settings.to_string(), None, Hooks::default()).unwrap()
}

fn rows(folder: &Path, kinds: &[&str]) -> Vec<Json> {
    let all: Json = serde_json::from_str(&test_access::test_rows(folder.to_str().unwrap().to_owned())).unwrap();
    let of = |row: &&Json| kinds.contains(&row["kind"].as_str().unwrap());
    all["rows"].as_array().unwrap().iter().filter(of).cloned().collect()
}

fn exit(pid: u32, at_ms: i64, reason: ExitReason) -> ExitReport {
    let attrs = vec![Attr { name: "rss_kb".into(), value: AttrValue::Int { value: 312_000 } }];
    ExitReport { pid, at_ms, reason, description: "said by the system".into(), attrs }
}

#[test]
fn an_exit_that_is_a_fault_is_the_event_of_its_run_however_often_it_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let handle = start(folder.path(), &json!({}));
    assert!(crashes::report_exits(handle, Vec::new()));
    control::persist(handle, WAIT).unwrap();
    open::close(handle, WAIT);
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_millis() as i64;
    let own = std::process::id();
    // One of a process that no run had says nothing of any.
    let told = vec![
        exit(own, now, ExitReason::Anr),
        exit(own, now, ExitReason::Other),
        exit(own.wrapping_add(70_003), now, ExitReason::LowMemory),
    ];
    for _ in 0..2 {
        let handle = start(folder.path(), &json!({}));
        assert!(crashes::report_exits(handle, told.clone()));
        control::persist(handle, WAIT).unwrap();
        open::close(handle, WAIT);
        let found = rows(folder.path(), &["app_exit", "crash"]);
        assert_eq!(found.len(), 1, "{found:#?}");
        let anr = found.iter().find(|row| row["json"]["cause"] == "anr").unwrap();
        assert_eq!((&anr["wall_ms"], &anr["json"]["attrs"]["rss_kb"]), (&json!(now), &json!(312_000)));
    }
}

#[test]
fn a_fatal_error_is_the_crash_of_the_last_run_and_a_clean_run_has_none() {
    let folder = tempfile::tempdir().unwrap();
    let handle = start(folder.path(), &json!({}));
    assert!(crashes::report_exits(handle, Vec::new()));
    assert_eq!(crashes::last_run(handle, WAIT), Ok(None));
    let fatal = r#"{"items":[{"kind":"error","type":"PaymentError","message":"declined"}]}"#;
    assert!(!matches!(record::record_fatal(handle, fatal.into(), 500), rezmonitor::events::Durability::Dropped { .. }));
    open::close(handle, WAIT);
    let handle = start(folder.path(), &json!({}));
    assert!(crashes::report_exits(handle, Vec::new()));
    let last = crashes::last_run(handle, WAIT).unwrap().unwrap();
    let crash = last.crash.unwrap();
    assert_eq!((last.ended, crash.kind.as_str()), (RunEnd::Crashed, "PaymentError"));
    assert_eq!(rows(folder.path(), &["crash"])[0]["id"], json!(crash.id));
    assert_eq!(crash.support_code.map(|code| code.len()), Some(6));
    open::close(handle, WAIT);
    let handle = start(folder.path(), &json!({}));
    assert!(crashes::report_exits(handle, Vec::new()));
    let last = crashes::last_run(handle, WAIT).unwrap().unwrap();
    assert_eq!((last.ended, last.crash), (RunEnd::Closed, None));
    open::close(handle, WAIT);
    assert!(matches!(crashes::last_run(handle, WAIT), Err(CallError::Closed { .. })));
}

#[test]
fn a_test_crash_of_an_unknown_kind_or_without_the_inspector_is_a_sentence() {
    let folder = tempfile::tempdir().unwrap();
    let handle = start(folder.path(), &json!({"inspector": false}));
    for kind in ["fault", "abort", "panic"] {
        let refused = crashes::test_crash(handle, kind.into()).unwrap_err();
        assert!(refused.to_string().contains("`inspector`"), "{refused}");
    }
    let unknown = crashes::test_crash(handle, "exception".into()).unwrap_err();
    assert!(unknown.to_string().contains("use fault, abort or panic"), "{unknown}");
    open::close(handle, WAIT);
    assert!(matches!(crashes::test_crash(handle, "fault".into()), Err(CallError::Closed { .. })));
}
