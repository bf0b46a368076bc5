//! Reading a queue while its app writes at full speed.

#![allow(clippy::unwrap_used)]

use rez_monitor::{Config, Consent, Level, Monitor, Purpose};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

const WAIT: Duration = Duration::from_secs(60);

/// Readings of each command.
const ROUNDS: usize = 40;

fn rezq(folder: &Path, arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_rezq")).args(arguments).current_dir(folder).output().unwrap();
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!((output.status.code(), &*err), (Some(0), ""), "{arguments:?}: {out}");
    out.into_owned()
}

#[test]
fn two_hundred_readings_of_a_busy_queue_fail_never_and_have_what_was_stored_before() {
    let folder = tempfile::tempdir().unwrap();
    let config = Config::builder(folder.path().join("app"), "shop", "shop@1")
        .consent(Purpose::Monitoring, Consent::Granted)
        .consent(Purpose::Analytics, Consent::Granted)
        .sessions(false);
    let monitor = Monitor::open(config.build().unwrap()).unwrap();
    let is_over = Arc::new(AtomicBool::new(false));
    let written = Arc::new(AtomicU64::new(0));
    let writer = {
        let (monitor, is_over, written) = (monitor.clone(), Arc::clone(&is_over), Arc::clone(&written));
        std::thread::spawn(move || {
            while !is_over.load(Ordering::Relaxed) {
                let n = written.fetch_add(1, Ordering::Relaxed);
                let _ = monitor.track("busy", &[("n", (n as i64).into())]);
                if n % 1_000 == 0 {
                    // A full ring would refuse the events that the test looks for. While an export reads, the log can reach its limit;
                    // events then wait in the ring.
                    let _ = monitor.persist(WAIT);
                }
            }
        })
    };
    for round in 0..ROUNDS {
        let name = format!("reading {round}");
        assert!(monitor.message(&name, Level::Error, &[]).id().is_some());
        while monitor.persist(WAIT).is_err() {}
        let status = rezq(folder.path(), &["status", "app"]);
        assert!(status.ends_with("✓ balanced\n"), "{status}");
        let listed = rezq(folder.path(), &["list", "app", "--kind", "message", "--name", &name]);
        assert!(listed.ends_with("1 row\n"), "{listed}");
        let tail = rezq(folder.path(), &["tail", "app", "--kind", "message", "-n", "1"]);
        assert!(tail.contains(&name), "{tail}");
        let export = format!("{round}.rezq");
        rezq(folder.path(), &["export", "app", "-o", &export]);
        let listed = rezq(folder.path(), &["list", &export, "--kind", "message", "--name", &name]);
        assert!(listed.ends_with("1 row\n"), "{listed}");
        std::fs::remove_file(folder.path().join(export)).unwrap();
    }
    is_over.store(true, Ordering::Relaxed);
    writer.join().unwrap();
    monitor.close(WAIT);
    println!("{} events written meanwhile", written.load(Ordering::Relaxed));
}
