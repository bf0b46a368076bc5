//! What the engine knows about a start of the app.

use super::{WAIT, config};
use crate::{Facts, Monitor, Start};
use std::path::Path;

fn open(folder: &Path, release: &str) -> Monitor {
    let config = crate::Config::builder(folder, "shop", release).sessions(false);
    Monitor::open(config.build().unwrap()).unwrap()
}

fn start(folder: &Path, release: &str) -> Start {
    let monitor = open(folder, release);
    monitor.persist(WAIT).unwrap();
    let start = monitor.status().start;
    monitor.close(WAIT);
    start
}

fn known(version: &str, before: Option<&str>) -> Start {
    Start { first: false, version: version.to_owned(), version_before: before.map(str::to_owned) }
}

#[test]
fn the_first_start_is_told_once_and_a_later_one_names_the_version_before() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(start(folder.path(), "shop@1"), Start { first: true, ..known("shop@1", None) });
    assert_eq!(start(folder.path(), "shop@1"), known("shop@1", Some("shop@1")));
    assert_eq!(start(folder.path(), "shop@2"), known("shop@2", Some("shop@1")));
    // The fact wins over the release.
    let config = config(folder.path()).facts(Facts::new().app_version("3.0"));
    let monitor = Monitor::open(config.build().unwrap()).unwrap();
    monitor.persist(WAIT).unwrap();
    assert_eq!(monitor.status().start, known("3.0", Some("shop@2")));
    monitor.close(WAIT);
    assert_eq!(start(folder.path(), "shop@4"), known("shop@4", Some("3.0")));
}

#[test]
fn an_erasure_and_a_damaged_queue_make_no_first_start() {
    let folder = tempfile::tempdir().unwrap();
    let monitor = open(folder.path(), "shop@1");
    monitor.forget_user();
    monitor.persist(WAIT).unwrap();
    assert!(monitor.status().start.first, "it still is the first one");
    monitor.close(WAIT);
    assert_eq!(start(folder.path(), "shop@1"), known("shop@1", Some("shop@1")));
    std::fs::write(folder.path().join("queue.db"), "no database").unwrap();
    assert!(!start(folder.path(), "shop@1").first);
    // Without its ring, the queue is still there.
    std::fs::remove_file(folder.path().join("ring.bin")).unwrap();
    assert_eq!(start(folder.path(), "shop@1"), known("shop@1", None));
    std::fs::remove_file(folder.path().join("queue.db")).unwrap();
    std::fs::write(folder.path().join("ring.bin"), "no ring").unwrap();
    assert!(!start(folder.path(), "shop@1").first);
}

#[test]
fn a_folder_that_cannot_be_used_has_no_first_start() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    let monitor = open(&file.join("queue"), "shop@1");
    assert_eq!(monitor.status().start, known("shop@1", None));
    monitor.close(std::time::Duration::from_millis(100));
}

#[test]
fn the_folder_of_a_second_process_has_no_first_start() {
    let root = tempfile::tempdir().unwrap();
    let folder = root.path().join("q");
    start(&folder, "shop@1");
    let first = crate::sys::lock::FolderLock::take(&folder).unwrap();
    let monitor = open(&folder, "shop@1");
    assert!(monitor.status().folder.ends_with("q.1"), "{}", monitor.status().folder);
    assert_eq!(monitor.status().start, known("shop@1", None));
    monitor.close(WAIT);
    drop(first);
}
