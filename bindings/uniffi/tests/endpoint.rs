//! The debug endpoint as Kotlin and Swift open it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use rez_inspect::source::{Inspect, Remote};
use rezmonitor::hooks::Hooks;
use rezmonitor::{control, open};
use serde_json::Value;

const WAIT_MS: i64 = 30_000;

fn opened(folder: &std::path::Path, inspector: bool) -> u64 {
    let settings = serde_json::json!({
        "folder": folder, "app": "shop", "release": "shop@1", "sessions": false, "inspector": inspector,
    });
    open::open(settings.to_string(), None, Hooks::default()).unwrap()
}

fn tell(handle: u64, request: &str) -> Value {
    serde_json::from_str(&control::inspect(handle, request.to_owned(), WAIT_MS).unwrap()).unwrap()
}

/// It ends on a thread of its own.
fn until_closed(remote: &Remote) {
    let begun = std::time::Instant::now();
    while remote.try_inspect(r#"{"ask":"about"}"#).is_ok() {
        assert!(begun.elapsed() < std::time::Duration::from_secs(60), "it is still open");
    }
}

#[test]
fn an_app_opens_its_endpoint_once_and_it_ends_with_the_engine() {
    let folder = tempfile::tempdir().unwrap();
    let handle = opened(folder.path(), true);
    let url = tell(handle, r#"{"tell":"endpoint"}"#)["url"].as_str().unwrap().to_owned();
    assert_eq!(tell(handle, r#"{"tell":"endpoint"}"#)["url"], *url, "the one that is open");
    let remote = Remote::new(&url).unwrap();
    assert!(remote.inspect(r#"{"ask":"about"}"#).contains("\"source\":\"app\""));
    let refused = remote.inspect(r#"{"tell":"endpoint","port":0}"#);
    assert!(refused.contains("error"), "only the app opens one: {refused}");
    assert_eq!(tell(handle, r#"{"tell":"endpoint","open":false}"#), serde_json::json!({"url": null}));
    until_closed(&remote);
    let again = tell(handle, r#"{"tell":"endpoint"}"#)["url"].as_str().unwrap().to_owned();
    assert_ne!(again, url, "each has its own token");
    open::close(handle, WAIT_MS);
    until_closed(&Remote::new(&again).unwrap());
    assert!(control::inspect(handle, r#"{"tell":"endpoint"}"#.to_owned(), WAIT_MS).is_err(), "a closed engine");
}

#[test]
fn a_release_build_that_does_not_inspect_opens_none() {
    let folder = tempfile::tempdir().unwrap();
    let handle = opened(folder.path(), false);
    let answer = tell(handle, r#"{"tell":"endpoint","port":0}"#);
    assert!(answer["error"].as_str().unwrap().contains("`inspector`"), "{answer}");
    let answer = tell(handle, r#"{"tell":"endpoint","port":65536}"#);
    assert!(answer["error"].as_str().unwrap().contains("`port`"), "{answer}");
    open::close(handle, WAIT_MS);
}
