//! An engine with a manual clock and counted ids, whose rows are compared.

use rezmonitor::hooks::Hooks;
use rezmonitor::{control, open, test_access};
use serde_json::{Value as Json, json};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Waits for the tests that use the clock, which is one for the process.
pub fn alone() -> MutexGuard<'static, ()> {
    static ONE: Mutex<()> = Mutex::new(());
    ONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Runs calls on an engine, and returns its rows. `more`: settings beside those of all tests.
pub fn rows(more: Json, calls: impl FnOnce(u64)) -> Json {
    let folder = tempfile::tempdir().unwrap();
    let mut settings = json!({
        "folder": folder.path().join("q"), "app": "shop", "release": "shop@1", "consentMonitoring": "granted",
        "consentAnalytics": "granted", "sessions": false,
    });
    settings.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    test_access::test_clock(Some(1_795_400_000_000), 1_000_000);
    let handle = open::open(settings.to_string(), None, Hooks::default()).unwrap();
    calls(handle);
    control::persist(handle, 60_000).unwrap();
    let rows = test_access::test_rows(settings["folder"].as_str().unwrap().to_owned());
    open::close(handle, 60_000);
    serde_json::from_str::<Json>(&rows).unwrap()["rows"].take()
}

/// The handle of an engine that stays open for all cases of a property.
pub fn kept() -> u64 {
    static ENGINE: std::sync::OnceLock<(tempfile::TempDir, u64)> = std::sync::OnceLock::new();
    let (_, handle) = ENGINE.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        let settings = json!({"folder": folder.path(), "app": "a", "release": "a@1"}).to_string();
        (folder, open::open(settings, None, Hooks::default()).unwrap())
    });
    *handle
}
