//! An export has what is delivered and no longer in the queue, as far as the app still remembers it.

#![allow(clippy::unwrap_used)]

mod queues;

use queues::{WAIT, config, run, text};
use rez_inspect::collector::{Collector, Options};
use rez_inspect::endpoint::Endpoint;
use rez_monitor::{Monitor, ScopeChange, User};
use std::io::Read as _;
use std::path::Path;

/// Records and delivers what a user did, then stores an event that waits.
fn visit(monitor: &Monitor) {
    let user = User { id: Some("priya-1742"), ..User::default() };
    monitor.scope(ScopeChange::User(Some(user)));
    let _ = monitor.track("purchase", &[("by", "priya-1742".into())]);
    monitor.flush(WAIT).unwrap();
    let _ = monitor.inspect(r#"{"tell": "fault", "fault": "offline"}"#, WAIT);
    monitor.scope(ScopeChange::User(None));
    let _ = monitor.track("seen", &[("whose", "order of priya-1742".into())]);
    monitor.persist(WAIT).unwrap();
}

fn names(source: &str, state: &str) -> Vec<String> {
    let (code, out, error) = run(&["list", source, "--state", state, "--json"]);
    assert_eq!((code, &*error), (Some(0), ""), "{out}");
    let name =
        |line: &str| serde_json::from_str::<serde_json::Value>(line).unwrap()["name"].as_str().unwrap().to_owned();
    out.lines().map(name).collect()
}

fn has(file: &Path, word: &[u8]) -> bool {
    let mut bytes = Vec::new();
    flate2::read::GzDecoder::new(std::fs::File::open(file).unwrap()).read_to_end(&mut bytes).unwrap();
    bytes.windows(word.len()).any(|window| window == word)
}

#[test]
fn an_export_of_a_folder_and_of_a_running_app_has_delivered_events_masked_as_the_others() {
    let root = tempfile::tempdir().unwrap();
    let collector = Collector::start(Options::new(root.path().join("collector.sqlite"))).unwrap();
    let app = root.path().join("app");
    let monitor = Monitor::open(config(&app, &collector.url()).inspector(true).build().unwrap()).unwrap();
    visit(&monitor);
    let endpoint = Endpoint::start(&monitor, 0).unwrap();
    let path = |name: &str| root.path().join(name);
    for (source, out) in [(text(&app), path("folder.rezq")), (endpoint.url(), path("app.rezq"))] {
        let (code, _, error) = run(&["export", source, "-o", text(&out)]);
        assert_eq!(code, Some(0), "{error}");
        assert_eq!(names(text(&out), "delivered"), ["purchase"], "{}", out.display());
        assert_eq!(names(text(&out), "queued"), ["seen"]);
        assert!(has(&out, b"purchase") && !has(&out, b"priya"), "also the event of nobody: {}", out.display());
        let (_, shown, _) = run(&["list", text(&out), "--where", "by != null", "--json"]);
        assert!(shown.contains("[id]"), "{shown}");
    }
    // Again, unpacked, and as the file in it.
    let (first, again, folder) = (path("folder.rezq"), path("again.rezq"), path("imported"));
    assert_eq!(run(&["export", text(&first), "-o", text(&again)]).0, Some(0));
    assert_eq!(names(text(&again), "delivered"), ["purchase"]);
    assert_eq!(run(&["import", text(&first), text(&folder)]).0, Some(0));
    assert_eq!(names(text(&folder), "delivered"), ["purchase"]);
    std::fs::copy(folder.join("queue.db"), path("shop.db")).unwrap();
    assert_eq!(names(text(&path("shop.db")), "delivered"), ["purchase"]);
    let whole = path("whole.rezq");
    assert_eq!(run(&["export", text(&app), "-o", text(&whole), "--unmasked"]).0, Some(0));
    assert!(has(&whole, b"priya") && names(text(&whole), "delivered") == ["purchase"]);
    endpoint.stop();
    monitor.close(WAIT);
    collector.stop();
}

#[test]
fn a_line_that_is_damaged_is_left_out_and_without_the_inspector_there_is_no_table() {
    let root = tempfile::tempdir().unwrap();
    let collector = Collector::start(Options::new(root.path().join("collector.sqlite"))).unwrap();
    let (app, out, plain) = (root.path().join("app"), root.path().join("x.rezq"), root.path().join("plain"));
    let monitor = Monitor::open(config(&app, &collector.url()).inspector(true).build().unwrap()).unwrap();
    visit(&monitor);
    monitor.close(WAIT);
    let file = app.join("recent.ndjson");
    let lines = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, lines.replace("purchase", "purchasf")).unwrap();
    assert_eq!(run(&["export", text(&app), "-o", text(&out)]).0, Some(0));
    assert_eq!((names(text(&out), "delivered"), names(text(&out), "queued")), (vec![], vec!["seen".to_owned()]));

    let monitor = Monitor::open(config(&plain, &collector.url()).inspector(false).build().unwrap()).unwrap();
    visit(&monitor);
    let bytes = monitor.snapshot(WAIT).unwrap();
    monitor.close(WAIT);
    std::fs::write(root.path().join("plain.db"), bytes).unwrap();
    let db = rusqlite::Connection::open(root.path().join("plain.db")).unwrap();
    assert!(!db.table_exists(None, "recent").unwrap());
    collector.stop();
}
