use super::shared::Command;
use crate::inspect::{Filter, Reader};
use crate::store::{StoreError, repair};
use crate::{Config, Consent, ErrorEvent, Level, Monitor, Purpose};
use std::path::Path;
use std::sync::mpsc::{Sender, channel};
use std::time::Duration;

const WAIT: Duration = Duration::from_secs(60);

fn open(folder: &Path) -> Monitor {
    let config = Config::builder(folder, "shop", "shop@1")
        .consent(Purpose::Monitoring, Consent::Granted)
        .consent(Purpose::Analytics, Consent::Granted)
        .sessions(false);
    Monitor::open(config.build().unwrap()).unwrap()
}

/// Keeps the writer from doing anything until what it answers is sent to or dropped.
fn busy(monitor: &Monitor) -> Sender<()> {
    let ((go, wait), (busy, is_busy)) = (channel(), channel());
    monitor.0.shared.command(Command::Work(Box::new(move |_, _| {
        busy.send(()).unwrap();
        let _ = wait.recv();
    })));
    is_busy.recv().unwrap();
    go
}

/// Kinds of all rows, after a close; the balance holds.
fn kinds(monitor: Monitor, folder: &Path) -> Vec<String> {
    monitor.close(WAIT);
    let reader = Reader::open(folder).unwrap();
    assert!(reader.balance().unwrap().holds(), "{:?}", reader.balance());
    let mut kinds: Vec<_> =
        reader.list(&Filter::default()).unwrap().iter().map(|listed| listed.row.kind.as_str().to_owned()).collect();
    kinds.sort();
    kinds
}

#[test]
fn a_denial_right_behind_a_forgetting_leaves_what_was_recorded_between_them() {
    let folder = tempfile::tempdir().unwrap();
    let monitor = open(folder.path());
    let _ = monitor.track("before", &[]);
    let _ = monitor.message("before", Level::Info, &[]);
    monitor.persist(WAIT).unwrap();
    let go = busy(&monitor);
    let _ = monitor.error(ErrorEvent::new("Oops", "before, still in the ring"));
    monitor.forget_user();
    let _ = monitor.message("between", Level::Info, &[]);
    let _ = monitor.track("between, and denied", &[]);
    monitor.set_consent(Purpose::Analytics, Consent::Denied);
    let _ = monitor.message("after", Level::Info, &[]);
    drop(go);
    assert_eq!(kinds(monitor, folder.path()), ["message", "message"]);
}

#[test]
fn damage_that_is_told_by_two_is_one_quarantine() {
    let folder = tempfile::tempdir().unwrap();
    let monitor = open(folder.path());
    let _ = monitor.message("hello", Level::Info, &[]);
    monitor.persist(WAIT).unwrap();
    let serial = monitor.0.shared.ask_within(None, |store, _| store.serial()).unwrap();
    let damaged = || Command::Failed(StoreError::Corrupt("both saw it".into()), serial);
    monitor.0.shared.command(damaged());
    monitor.0.shared.command(damaged());
    monitor.persist(WAIT).unwrap();
    let now = monitor.0.shared.now();
    assert_eq!(repair::quarantines_lately(folder.path(), now), 1);
    assert_eq!(kinds(monitor, folder.path()), ["message"]);
}
