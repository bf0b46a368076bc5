//! `rezq check` and `rezq plan init` on queues that an app wrote.

#![allow(clippy::unwrap_used)]

use rez_monitor::{Config, Consent, Monitor, Purpose, ScopeChange, User};
use serde_json::{Value, json};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

const WAIT: Duration = Duration::from_secs(60);

fn open(folder: &Path) -> Monitor {
    let config = Config::builder(folder, "shop", "shop@1")
        .consent(Purpose::Monitoring, Consent::Granted)
        .consent(Purpose::Analytics, Consent::Granted)
        .inspector(false);
    Monitor::open(config.build().unwrap()).unwrap()
}

fn rezq(folder: &Path, arguments: &[&str]) -> (Option<i32>, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_rezq")).args(arguments).current_dir(folder).output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8(text).unwrap())
}

#[test]
fn a_row_with_a_wrong_checksum_is_not_examined_and_the_exit_code_is_4() {
    let folder = tempfile::tempdir().unwrap();
    let monitor = open(&folder.path().join("app"));
    let _ = monitor.track("debug_a", &[]);
    let _ = monitor.track("debug_b", &[]);
    monitor.close(WAIT);
    let plan = json!({"plan": 1, "forbidden": ["debug_*"]}).to_string();
    std::fs::write(folder.path().join("plan.json"), plan).unwrap();
    let check = ["check", "app", "--plan", "plan.json"];
    let (code, text) = rezq(folder.path(), &check);
    assert!(code == Some(1) && text.contains("✗ 2 findings"), "{text}");
    let db = rusqlite::Connection::open(folder.path().join("app/queue.db")).unwrap();
    assert_eq!(db.execute("UPDATE event SET crc = crc + 1 WHERE json LIKE '%debug_b%'", []).unwrap(), 1);
    drop(db);
    let (code, text) = rezq(folder.path(), &check);
    assert!(code == Some(4) && text.contains("✗ 1 finding:") && text.contains("1 row has a wrong checksum"), "{text}");
}

#[test]
fn a_draft_has_kinds_names_and_types_and_nothing_of_a_person() {
    let folder = tempfile::tempdir().unwrap();
    let monitor = open(&folder.path().join("app"));
    monitor.scope(ScopeChange::User(Some(User { id: Some("priya-1742"), ..User::default() })));
    for method in ["card", "upi", "card", "upi"] {
        let attrs = [
            ("method", method.into()),
            ("buyer", "priya-1742".into()),
            ("first_name", if method == "card" { "Priya" } else { "Asha" }.into()),
            ("mail", "priya@example.com".into()),
            ("price", 7.5.into()),
        ];
        let _ = monitor.track("purchase", &attrs);
    }
    let _ = monitor.track("purchase", &[("method", "card".into()), ("price", 7.into())]);
    let _ = monitor.message("order of Priya failed", rez_monitor::Level::Error, &[]);
    monitor.close(WAIT);
    let (code, text) = rezq(folder.path(), &["plan", "init", "app"]);
    let draft: Value = serde_json::from_str(&text).unwrap();
    let lower = text.to_lowercase();
    assert!(code == Some(0) && !lower.contains("priya") && !lower.contains("asha") && !text.contains('@'), "{text}");
    let events = draft["events"].as_array().unwrap();
    let names: Vec<String> = events.iter().map(|one| format!("{} {}", one["kind"], one["name"])).collect();
    assert_eq!(names, [r#""analytics" "purchase""#, r#""message" "*""#, r#""session" "*""#]);
    let attrs = &events[0]["attrs"];
    assert_eq!(attrs["required"], json!(["method", "price"]));
    assert_eq!(attrs["properties"]["method"], json!({"type": "string", "enum": ["card", "upi"]}));
    assert_eq!(attrs["properties"]["price"], json!({"type": "number"}));
    for hidden in ["buyer", "first_name", "mail"] {
        assert_eq!(attrs["properties"][hidden], json!({"type": "string"}), "{hidden}");
    }
    std::fs::write(folder.path().join("draft.json"), text).unwrap();
    let (code, text) = rezq(folder.path(), &["check", "app", "--plan", "draft.json"]);
    assert_eq!((code, text.as_str()), (Some(0), "✓ no finding: 8 of 8 events are in the plan\n"));
}
